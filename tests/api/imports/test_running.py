"""An import through the Gate: what was stopped goes on, nothing is lost and nothing doubled."""

import asyncio
import csv

import polars as pl
import pytest

from api.imports.mapping import read_map
from api.imports.running import run_import
from domain.errors import Code, Conflict, Malformed
from domain.files.history import DocumentState, TradeTransaction
from domain.files.importing import ImportRun, ImportState
from domain.money import Money
from tests.api.imports.conftest import BASIC, HEADER, INVOICES, Killed, Performing, furnished, importer, line

BROKEN = (3, 8, 9)
"""Rows of the book that are wrong: a customer nobody knows, an amount, a date."""


def book(rows=20):
    lines = [line(number) for number in range(1, rows + 1)]
    lines[2] = line(3, customer="C-404")
    lines[7] = line(8, money="100,13,1e3")
    lines[8] = line(9, issued="31.12.2025")
    return HEADER + "".join(lines)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "book.csv"
    path.write_text(book(), encoding="utf-8")
    return path


def rejected(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_book_is_imported_and_its_bad_rows_rejected_with_reasons(file, importing, world):
    done = importing(file, batch=6)
    assert done.run.state is ImportState.COMPLETE
    assert (done.run.rows_read, done.run.rows_stored, done.run.rows_rejected) == (20, 17, 3)
    assert done.rejected == file.with_name("book.rejected.csv")
    found = rejected(done.rejected)
    assert [(int(row["row"]), row["column"], row["code"]) for row in found] == [
        (3, "customer", "UNKNOWN_CUSTOMER"),
        (8, "total", "MALFORMED_AMOUNT"),
        (9, "issued", "MALFORMED_DATE"),
    ]
    assert all(row["message"] and row["advice"] for row in found)
    assert len(world.current(TradeTransaction)) == 17


def test_the_file_of_rejected_rows_holds_no_value_of_the_book(file, importing):
    text = importing(file).rejected.read_text(encoding="utf-8")
    assert not [word for word in ("C-404", "1e3", "31.12.2025", "secret memo") if word in text]


def test_a_column_name_that_is_a_formula_is_quoted(tmp_path, importing):
    path = tmp_path / "book.csv"
    path.write_text(HEADER.replace("issued", "=cmd()") + line(1, issued="x"), encoding="utf-8")
    done = importing(path, INVOICES.replace('"issued"', '"=cmd()"'))
    assert rejected(done.rejected)[0]["column"] == "'=cmd()"


@pytest.mark.parametrize("stop", range(1, 6))
def test_killed_between_two_batches_the_same_command_goes_on(file, importing, performing, world, stop):
    whole = importer(Performing(furnished()))(file, batch=6, rejected=file.with_name("whole.csv"))
    performing.stop_after = stop
    with pytest.raises(Killed):
        importing(file, batch=6)
    performing.stop_after = None
    done = importing(file, batch=6)
    assert done.resumed_at == min((stop - 1) * 6, 20)
    assert (done.run.rows_read, done.run.rows_stored, done.run.rows_rejected) == (20, 17, 3)
    assert sorted(int(item.number) for item in world.current(TradeTransaction)) == [
        number for number in range(1, 21) if number not in BROKEN
    ]
    assert done.rejected.read_bytes() == whole.rejected.read_bytes()


@pytest.mark.parametrize("written", [0, 40, 10_000])
def test_rejected_rows_written_halfway_or_not_at_all_are_written_once(file, importing, performing, written):
    performing.stop_after = 2
    with pytest.raises(Killed):
        importing(file, batch=9)
    log = file.with_name("book.rejected.csv")
    whole = log.read_bytes()
    # The first batch held all three: the run says the file was empty before it, whatever was written since.
    log.write_bytes((whole + whole)[:written])
    performing.stop_after = None
    assert importing(file, batch=9).rejected.read_bytes() == whole


def test_a_file_that_is_through_is_not_read_again(file, importing, performing, world):
    importing(file)
    before = len(performing.operations)
    done = importing(file)
    assert done.resumed_at == 20
    assert len(performing.operations) == before + 1
    assert len(world.current(TradeTransaction)) == 17


def test_read_again_it_finds_what_it_recorded_and_records_what_is_new(file, importing, world):
    importing(file)
    world.file(world.origin(name="another"), reference="C-404", basic=BASIC)
    done = importing(file, again=True, batch=7)
    assert (done.run.rows_stored, done.run.rows_known, done.run.rows_rejected) == (1, 17, 2)
    assert [int(row["row"]) for row in rejected(done.rejected)] == [8, 9]


def test_a_renamed_file_goes_on_under_its_first_name(file, importing, performing, world):
    performing.stop_after = 3
    with pytest.raises(Killed):
        importing(file, batch=6)
    performing.stop_after = None
    moved = file.rename(file.with_name("march.csv"))
    with pytest.raises(Conflict, match="rejected rows"):
        importing(moved, batch=6)
    importing(moved, batch=6, rejected=file.with_name("book.rejected.csv"))
    assert {item.source_row.split(":")[0] for item in world.current(TradeTransaction)} == {"book.csv"}


def test_a_stranger_s_file_is_never_overwritten_by_rejected_rows(file, importing):
    other = file.with_name("accounts.csv")
    other.write_text("keep me\n", encoding="utf-8")
    with pytest.raises(Conflict):
        importing(file, rejected=other)
    assert other.read_text(encoding="utf-8") == "keep me\n"


def test_where_rejected_rows_cannot_be_written_the_import_says_so_and_goes_on_elsewhere(file, importing):
    with pytest.raises(Malformed, match="cannot be written"):
        importing(file, rejected=file.with_name("nowhere") / "rejected.csv")
    done = importing(file, rejected=file.with_name("elsewhere.csv"))
    assert len(rejected(done.rejected)) == done.run.rows_rejected == 3


def test_without_rejected_rows_there_is_no_file_of_them(tmp_path, importing):
    path = tmp_path / "book.csv"
    path.write_text(HEADER + line(1), encoding="utf-8")
    assert importing(path).rejected is None
    assert [item.name for item in tmp_path.iterdir()] == ["book.csv"]


def test_a_file_without_rows_is_complete_at_once(tmp_path, importing):
    path = tmp_path / "book.csv"
    path.write_text(HEADER, encoding="utf-8")
    assert importing(path).run.rows_read == 0


def test_two_processes_on_one_file_do_not_double_it(file, importing, performing, world):
    async def meddled(operation):
        # The other process records the same batch just before this one does.
        if operation.__class__.__name__ == "ImportDocuments":
            await world.gate.perform(operation, world.actor())
        return await performing(operation)

    with pytest.raises(Conflict, match="another process"):
        asyncio.run(run_import(meddled, file, read_map(INVOICES), batch=6))
    assert importing(file, batch=6).run.rows_stored == 17


def test_refused_sources_and_columns_stop_the_import_before_any_row(file, importing, performing, world):
    with pytest.raises(Malformed) as refused:
        importing(file, INVOICES.replace('"Accounting"', '"Hearsay"'))
    assert refused.value.code is Code.UNKNOWN_SOURCE
    with pytest.raises(Malformed) as refused:
        importing(file, INVOICES.replace('"CONTRACT"', '"CONSENT"', 1))
    assert refused.value.code is Code.UNLAWFUL_SOURCE
    with pytest.raises(Malformed):
        importing(file, INVOICES.replace('"memo"', '"x"').replace('tax = "tax"', 'tax = "taxes"'))
    assert len(performing.operations) == 2
    assert world.current(ImportRun) == []


def test_void_red_and_derived_amounts(tmp_path, importing, world):
    path = tmp_path / "book.csv"
    path.write_text(
        HEADER
        + line(1, state="void misprinted")
        + line(2, money="-100,-13,-113")
        + line(3, money=",13,113")
        + line(4, money="100,13,")
        + line(5, settled="2026-04-01")
        + line(6, state="unheard of"),
        encoding="utf-8",
    )
    done = importing(path)
    stored = {item.number: item for item in world.current(TradeTransaction)}
    assert stored["1"].state is DocumentState.VOID
    assert stored["2"].net == Money(-100_00, "CNY")
    assert (stored["3"].net, stored["4"].total) == (Money(100_00, "CNY"), Money(113_00, "CNY"))
    assert (stored["2"].state, stored["5"].state) == (DocumentState.OPEN, DocumentState.SETTLED)
    assert [(row["row"], row["column"]) for row in rejected(done.rejected)] == [("6", "state")]


def test_a_flag_tells_red_and_disputed_documents(tmp_path, importing, world):
    plan = INVOICES.replace('state = "state"', 'is_red = "state"\nis_disputed = "memo"').replace(
        '[values.state]\n"valid" = ""\n"void*" = "VOID"',
        '[values.is_red]\n"valid" = "NO"\n"red" = "YES"\n[values.is_disputed]\n"secret*" = "YES"',
    )
    path = tmp_path / "book.csv"
    path.write_text(HEADER + line(1) + line(2, state="red"), encoding="utf-8")
    importing(path, plan)
    stored = {item.number: item for item in world.current(TradeTransaction)}
    assert (stored["1"].total.minor, stored["2"].total.minor, stored["2"].tax.minor) == (113_00, -113_00, -13_00)
    assert stored["1"].disputed == stored["1"].total


def test_parquet_goes_the_same_way_and_goes_on_from_any_row(tmp_path, importing, performing, world):
    path = tmp_path / "book.parquet"
    count = 50
    columns = {"customer": ["C-1", "C-2"] * 25, "no": range(count), "issued": ["2026-03-01"] * count}
    money = {"net": [100.0] * count, "tax": [13.0] * count, "total": [113.0] * 49 + [113.005]}
    frame = pl.DataFrame({**columns, "settled": [None] * count, **money, "state": ["valid"] * count})
    frame.with_columns(pl.col("issued").str.to_date()).write_parquet(path)
    performing.stop_after = 4
    with pytest.raises(Killed):
        importing(path, batch=7)
    performing.stop_after = None
    done = importing(path, batch=7)
    assert (done.resumed_at, done.run.rows_stored, done.run.rows_rejected) == (21, 49, 1)
    assert len({item.source_row for item in world.current(TradeTransaction)}) == 49
    assert [row["code"] for row in rejected(done.rejected)] == ["MALFORMED_AMOUNT"]


def test_progress_is_told_after_every_batch(file, importing):
    told = []
    importing(file, batch=8, progress=told.append)
    assert [item.run.rows_read for item in told] == [8, 16, 20]
    assert told[-1].share == 1.0


def test_a_file_that_is_through_says_so_and_names_no_file_of_rejected_rows_that_is_gone(file, importing):
    first = importing(file)
    assert (first.already, first.rejected.exists()) == (False, True)
    assert importing(file).rejected == first.rejected
    first.rejected.unlink()
    again = importing(file)
    assert (again.already, again.run.rows_rejected, again.rejected) == (True, 3, None)


def test_a_row_without_what_identifies_it_in_its_source_names_that_column(tmp_path, importing):
    path = tmp_path / "book.csv"
    path.write_text(HEADER + line(1).replace("secret memo", ""), encoding="utf-8")
    done = importing(path, 'source_row = "{memo}"\n' + INVOICES)
    assert [(row["column"], row["code"]) for row in rejected(done.rejected)] == [("memo", "MISSING_VALUE")]
