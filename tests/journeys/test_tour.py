"""The tour holds on invented data and on real files; its figures are those of the files."""

from __future__ import annotations

import csv
import shutil

import pytest

from tests.journeys.commands import SHARED, found, run

FIRMS = 24
ROWS = 6_000


def test_the_tour_holds_on_a_generated_portfolio(tmp_path):
    figures = found("tour", "--data-dir", tmp_path / "kept")
    assert figures["ok"] is True
    assert figures["failed"] == []
    assert figures["assess"]["calibration"] == "EXPERT_UNCALIBRATED"
    assert sum(figures["assess"]["grades"].values()) == figures["import"]["customers"]
    assert figures["assess"]["grades"]["INSUFFICIENT_DATA"] > 0
    assert figures["audit"] == {"entries": figures["audit"]["entries"], "verified": True, "findings": 0}
    assert found("fsck", "--data-dir", tmp_path / "kept")["ok"] is True


def test_the_tour_narrates_what_it_does():
    text = run("tour")
    for place in ("(Ch.4)", "(Ch.5)", "(Ch.6)", "SEPARATION_OF_DUTY", "NOT_CONSENTED", "Every step held."):
        assert place in text


def test_a_folder_without_a_map_is_refused_with_advice(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text("a\n1\n")
    run("tour", "--data", tmp_path / "data", expected=2)


@pytest.fixture(scope="module")
def ibm():
    """The receivables of a hundred customers."""
    folder = SHARED / "ibm_accounts_receivable"
    if not folder.exists():
        pytest.skip("the real data is not beside the checkout")
    return found("tour", "--data", folder, "--as-of", "2013-06-30")


def test_real_receivables_are_aged_as_known_on_the_day(ibm):
    assert ibm["ok"] is True
    _, invoices = ibm["import"]["files"]
    assert (invoices["read"], invoices["stored"], invoices["rejected"]) == (2_466, 2_466, 0)
    assert ibm["assess"]["customers"] == 100
    assert ibm["receivables"] == by_hand("2013-06-30") | {
        name: ibm["receivables"][name] for name in ("beyondTermsDays", "lateShare")
    }
    assert -30 < ibm["receivables"]["beyondTermsDays"] < 30


def by_hand(day):
    """The book read straight from the file: what was issued, settled or disputed later is not known."""
    path = next((SHARED / "ibm_accounts_receivable").glob("*.csv"))
    with path.open(encoding="utf-8-sig") as file:
        rows = [
            {
                "customer": row["customerID"],
                "issued": iso(row["InvoiceDate"]),
                "due": iso(row["DueDate"]),
                "settled": iso(row["SettledDate"]),
                "minor": round(float(row["InvoiceAmount"]) * 100),
                "disputed": row["Disputed"] == "Yes",
            }
            for row in csv.DictReader(file)
        ]
    known = [row for row in rows if row["issued"] <= day]
    due = [row for row in known if row["due"] <= day]
    ageing = dict.fromkeys(("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90", "disputed"), 0)
    for row in known:
        if row["settled"] > day:
            ageing[bucket(row, day)] += row["minor"]
    return {
        "asOf": day,
        "customers": len({row["customer"] for row in known}),
        "invoices": len(known),
        "due": len(due),
        "late": sum(min(row["settled"], day) > row["due"] for row in due),
        "ageingMinor": ageing,
    }


def iso(text):
    month, day, year = text.split("/")
    return f"{year}-{int(month):02}-{int(day):02}"


def bucket(row, day):
    from datetime import date

    if row["disputed"]:
        return "disputed"
    late = (date.fromisoformat(day) - date.fromisoformat(row["due"])).days
    bounds = ((0, "not_due"), (30, "days_1_30"), (60, "days_31_60"), (90, "days_61_90"))
    return next((name for bound, name in bounds if late <= bound), "over_90")


def sliced(folder):
    """A few firms of the invoices with known outcomes, under the names the shipped maps know."""
    polars = pytest.importorskip("polars")
    real = SHARED / "cumcm2020c"
    if not real.exists():
        pytest.skip("the real data is not beside the checkout")
    folder.mkdir()
    with (real / "credit_companies.csv").open(encoding="utf-8-sig") as file:
        lines = file.read().splitlines()[: FIRMS + 1]
    (folder / "credit_companies.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    names = [line.split(",")[0] for line in lines[1:]]
    for name in ("credit_output_invoices.parquet", "credit_input_invoices.parquet"):
        table = polars.read_parquet(real / name).filter(polars.col("company").is_in(names)).head(ROWS)
        table.write_parquet(folder / name)
    return folder


def test_firms_known_by_their_invoices_are_graded_and_compared_with_what_became_of_them(tmp_path):
    figures = found("tour", "--data", sliced(tmp_path / "slice"))
    assert figures["ok"] is True
    assert figures["assess"]["customers"] == FIRMS
    assert set(figures["assess"]["cards"]) <= {"INVOICE", "NEW"}
    outcomes = figures["outcomes"]
    assert outcomes["known"] == FIRMS
    assert sum(rate["n"] for rate in outcomes["rates"]) == outcomes["graded"] <= FIRMS
    assert "AAA" not in {rate["grade"] for rate in outcomes["rates"]}


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.timeout(1_500)
def test_all_firms_and_nine_hundred_thousand_invoices_are_imported_and_graded(tmp_path):
    real = SHARED / "cumcm2020c"
    if not real.exists():
        pytest.skip("the real data is not beside the checkout")
    try:
        figures = found("tour", "--data", real, "--data-dir", tmp_path / "kept")
    finally:
        shutil.rmtree(tmp_path / "kept", ignore_errors=True)
    assert figures["ok"] is True
    files = {item["file"]: item for item in figures["import"]["files"]}
    assert sum(item["stored"] for name, item in files.items() if name.endswith(".csv")) == 382
    assert sum(item["stored"] for name, item in files.items() if name.endswith(".parquet")) == 913_641
    assert sum(item["rejected"] for item in files.values()) == 0
    assert sum(item["findings"].get("TOTAL_DOES_NOT_ADD_UP", 0) for item in files.values()) == 4
    assert all(item["findings"]["NUMBER_REPEATED"] for name, item in files.items() if name.endswith(".parquet"))
    assert figures["import"]["grewMebibytes"] < 400
    assert figures["assess"]["customers"] == 382
    assert figures["assess"]["grades"]["INSUFFICIENT_DATA"] > 0
    assert figures["outcomes"]["known"] == 80
    assert figures["outcomes"]["auc"] > 0.7
