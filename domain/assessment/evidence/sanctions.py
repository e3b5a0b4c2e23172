"""What public registers say of a customer: sanctions that are live on a day, and whether it is a listed debtor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple

from domain.assessment.evaluate import add_months
from domain.files.history import SanctionKind, SanctionMatch, SanctionSeverity

PUBLISHED_AT_MOST: Final[Mapping[str, int]] = {
    SanctionSeverity.SLIGHT.value: 3,
    SanctionSeverity.ORDINARY.value: 12,
    SanctionSeverity.SEVERE.value: 36,
}
"""Months a sanction is published at most, by its class (rule CN-R1, secondary)."""
LISTED_AT_MOST: Final = 60
"""Months a dishonest judgment debtor counts as one at most (rule CN-R4, the strictest of those read)."""


class Sanction(NamedTuple):
    """One sanction of a register, opened, or a search that found none."""

    published_on: date
    kind: str
    severity: str
    match: str
    publish_until: date | None
    repaired_on: date | None

    def live(self, day: date) -> bool:
        """Whether it is published on a day and not repaired; without a last day, as long as its class allows.

        Chapter: 4.2, 5.1.
        Shape:   total; once it is over it stays over.
        """
        if self.kind == SanctionKind.NONE.value or self.published_on > day:
            return False
        if self.repaired_on is not None and self.repaired_on <= day:
            return False
        listed = self.kind == SanctionKind.DISHONEST_JUDGMENT_DEBTOR.value
        months = LISTED_AT_MOST if listed else PUBLISHED_AT_MOST.get(self.severity, 0)
        over = add_months(self.published_on, months)
        return day < over and (self.publish_until is None or day <= self.publish_until)


def sanction_severity(sanctions: Iterable[Sanction], day: date) -> str:
    """C2: the worst class of the sanctions that are live on a day; NONE where none is.

    Chapter: 5.1.
    Shape:   total; a further sanction never makes it milder.
    """
    order = [severity.value for severity in SanctionSeverity]
    live = (one.severity for one in sanctions if one.live(day))
    return max(live, key=order.index, default=SanctionSeverity.NONE.value)


def listed_debtor(sanctions: Iterable[Sanction], day: date) -> bool:
    """Whether the customer is a dishonest judgment debtor 失信被执行人 on a day, and a person confirmed that it is.

    Chapter: 5.2.
    """
    return any(
        one.kind == SanctionKind.DISHONEST_JUDGMENT_DEBTOR.value
        and one.match == SanctionMatch.CONFIRMED.value
        and one.live(day)
        for one in sanctions
    )
