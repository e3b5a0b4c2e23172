"""How the tour says what it found: as lines for people, and as plain figures for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from api.tour.ageing import ReceivablesSummary
from api.tour.outcomes import Comparison, GradeCount
from domain.assessment.scale import Grade
from domain.files.importing import ImportRun

TITLES = {
    "import": "1. Import: lawful sources, rows with provenance (Ch.4)",
    "assess": "2. Assessment: points, grades, limits, terms (Ch.5)",
    "control": "3. Control: measures that follow from a grade (Ch.6)",
    "consent": "4. Consent and disclosure: what the customer agrees to, and nothing else (Ch.4 §4)",
    "audit": "5. Audit: the log, verified without the database (Ch.8)",
}
MINOR = 100


def grade(found: Grade | None) -> str:
    """The grade, or that the data did not suffice for one."""
    return found.value if found else "INSUFFICIENT_DATA"


def imported(run: ImportRun) -> dict[str, Any]:
    """One import as figures."""
    return {
        "file": run.file_name,
        "read": run.rows_read,
        "stored": run.rows_stored,
        "known": run.rows_known,
        "rejected": run.rows_rejected,
        "findings": {item.code: item.count for item in run.findings},
    }


def import_line(run: ImportRun) -> str:
    """One import as a line."""
    findings = ", ".join(f"{item.count:,} {_plain(item.code)}" for item in run.findings)
    return (
        f"{run.file_name}: {run.rows_read:,} rows, {run.rows_stored:,} stored, {run.rows_known:,} known, "
        f"{run.rows_rejected:,} rejected" + (f" ({findings})" if findings else "")
    )


def decided(people: Counter[str]) -> str:
    """Who decided how many."""
    return ", ".join(
        f"{count} {'by itself' if who == 'automatic' else 'by ' + _plain(who)}" for who, count in people.items()
    )


def counted(kinds: Counter[str]) -> str:
    """How many of each kind."""
    return ", ".join(f"{count} {_plain(kind)}" for kind, count in kinds.most_common())


def grades(found: Sequence[GradeCount]) -> str:
    """The distribution, a line per grade."""
    most = max((one.count for one in found), default=0) or 1
    lines = [
        f"    {grade(one.grade):<17} {one.count:>4}  {'█' * round(30 * one.count / most)}" for one in found if one.count
    ]
    return "\n".join(["  Grades (expert weights, not calibrated on outcomes: EXPERT_UNCALIBRATED):", *lines])


def comparison(found: Comparison) -> dict[str, Any]:
    """Grades against outcomes as figures."""
    return {
        "known": found.known,
        "graded": found.graded,
        "defaults": found.defaults,
        "ungradedDefaults": found.ungraded_defaults,
        "rates": [
            {
                "grade": rate.grade.value,
                "n": rate.count,
                "defaults": rate.defaults,
                "rate": round(rate.rate, 4),
                "interval": [round(bound, 4) for bound in rate.interval],
            }
            for rate in found.rates
        ],
        "auc": None if found.auc is None else round(found.auc, 4),
        "aucInterval": None if found.interval is None else [round(bound, 4) for bound in found.interval],
        "verdict": found.verdict.value,
    }


def rates(found: Comparison) -> str:
    """Grades against outcomes, with sample sizes and intervals."""
    lines = [
        f"    {rate.grade.value:<4} {rate.defaults:>3} of {rate.count:>3} defaulted: {rate.rate:>6.1%}  "
        f"(95 % {rate.interval.low:.1%} to {rate.interval.high:.1%})"
        for rate in found.rates
    ]
    head = (
        f"  Outcomes of {found.known} customers are known, {found.graded} of them have a grade. "
        "The outcome and the bank's own grade are no inputs."
    )
    rank = "    AUC: not defined, both outcomes are needed"
    if found.auc is not None and found.interval is not None:
        low, high = found.interval
        rank = f"    AUC {found.auc:.3f} (95 % {low:.3f} to {high:.3f}, DeLong), n {found.graded}"
    rest = f"; {found.ungraded_defaults} defaults among those without a grade" if found.ungraded_defaults else ""
    return "\n".join([head, *lines, f"{rank}, {found.defaults} defaults: {found.verdict.value}{rest}"])


def receivables(found: ReceivablesSummary) -> dict[str, Any]:
    """The book of receivables as figures; amounts in minor units."""
    return {
        "asOf": found.as_of.isoformat(),
        "customers": found.customers,
        "invoices": found.invoices,
        "due": found.due,
        "late": found.late,
        "beyondTermsDays": None if found.beyond_terms is None else round(found.beyond_terms, 2),
        "lateShare": None if found.late_share is None else round(found.late_share, 4),
        "ageingMinor": asdict(found.ageing),
    }


def receivables_text(found: ReceivablesSummary) -> str:
    """The book of receivables in lines."""
    ageing = found.ageing
    buckets = (
        ("not due", ageing.not_due),
        ("1 to 30 days", ageing.days_1_30),
        ("31 to 60 days", ageing.days_31_60),
        ("61 to 90 days", ageing.days_61_90),
        ("over 90 days", ageing.over_90),
        ("disputed, apart", ageing.disputed),
    )
    return "\n".join(
        [
            f"  Receivables as known on {found.as_of}: {found.invoices:,} invoices of {found.customers} customers.",
            f"    days beyond terms, weighted by value, 12 months: {_number(found.beyond_terms)}",
            f"    share paid more than 5 days late by value, 6 months: {_share(found.late_share)}",
            f"    {found.late:,} of {found.due:,} invoices due were late",
            *(f"    open, {name:<16} {amount / MINOR:>16,.2f}" for name, amount in buckets),
        ]
    )


def ended(failed: Iterable[str]) -> str:
    """How the tour ended."""
    missed = list(failed)
    return "Every step held." if not missed else "These did not hold: " + "; ".join(missed) + "."


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _plain(code: str) -> str:
    return code.lower().replace("_", " ")
