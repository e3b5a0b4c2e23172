"""A unit within somebody's reach: what is asked for by its id, and what is written, is there only within it.

Everything else is decided with full data: whether a number is taken, or what a customer owes, does not depend on who
asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from domain.errors import NotFound, NotPermitted
from domain.ids import Id
from domain.persons.reach import Reach, Way, way_of
from domain.records import SHAPES, Confidential, Record, Stamp

if TYPE_CHECKING:
    from domain.custody.keeping import Destruction, Renewal, Rotation, Signing
    from domain.files.identifying.reindexing import Indexing
    from domain.ports import SealedValue, Unit
    from domain.supervision.looking import Trail

R = TypeVar("R", bound=Record)
T = TypeVar("T")

OUT_OF_REACH = "OUT_OF_REACH"
"""The cause of a refusal that says no more than that there is no such record."""


@dataclass(frozen=True, slots=True)
class Within:
    """A unit, and how far whoever works on it reaches."""

    whole: Unit
    reach: Reach

    @property
    def now(self) -> datetime:
        """The instant of this transaction, UTC."""
        return self.whole.now

    @property
    def rotation(self) -> Rotation:
        """Turns the keys of the tenant."""
        return self.whole.rotation

    @property
    def signing(self) -> Signing:
        """Replaces the keys that the tenant signs with."""
        return self.whole.signing

    @property
    def renewal(self) -> Renewal:
        """Gives the data keys of the tenant their next version."""
        return self.whole.renewal

    @property
    def destruction(self) -> Destruction:
        """Ends keys and rows of the tenant."""
        return self.whole.destruction

    @property
    def pairwise(self) -> Callable[[Id, Id], str]:
        """What names a subject to a partner."""
        return self.whole.pairwise

    @property
    def indexing(self) -> Indexing:
        """The blind indexes of the tenant."""
        return self.whole.indexing

    @property
    def trail(self) -> Trail:
        """Nothing of the audit log, whose entries are about many customers at once.

        Raises: NotPermitted.
        """
        raise beyond()

    def stamp(
        self, record: type[Record], *, subject: Id | None = None, effective_from: datetime | None = None
    ) -> Stamp:
        """The stamp of a new row.

        Chapter: 8.1.
        """
        return self.whole.stamp(record, subject=subject, effective_from=effective_from)

    def get(self, record: type[R], id: Id, *, lock: bool = False) -> R:  # noqa: A002 - the word of the ports
        """The current version of one record within reach; what is not within it is not there.

        Chapter: 8.1.
        Raises:  NotFound.
        """
        found = self.whole.get(record, id, lock=lock)
        if not reaches(self.whole, self.reach, found):
            raise NotFound(f"There is no such {record.shape.table.replace('_', ' ')}.", cause=OUT_OF_REACH)
        return found

    def find(self, record: type[R], *, lock: bool = False, **equal: object) -> list[R]:
        """As the whole unit finds them: what is decided on is not what is shown.

        Chapter: 8.1.
        """
        return self.whole.find(record, lock=lock, **equal)

    def select(
        self, record: type[Record], facts: Sequence[str], *, after: str = "", most: int | None = None, **equal: object
    ) -> Iterator[tuple[Any, ...]]:
        """As the whole unit selects them.

        Chapter: 8.1.
        """
        return self.whole.select(record, facts, after=after, most=most, **equal)

    def add(self, records: Sequence[Record], *, skip_known: bool = False) -> int:
        """Stores new records within reach.

        Chapter: 8.1.
        Raises:  NotPermitted.
        """
        added = self.whole.add(records, skip_known=skip_known)
        for one in records:
            self._check(one)
        return added

    def replace(self, record: R, *, correcting: bool = False) -> R:
        """Supersedes a version of a record within reach.

        Chapter: 8.1.
        Raises:  NotPermitted; Stale.
        """
        self._check(record)
        return self.whole.replace(record, correcting=correcting)

    def seal(self, record: Record, field: Confidential[T], value: T) -> None:
        """Seals a value for a field of a record.

        Chapter: 8.1.
        """
        self.whole.seal(record, field, value)

    def sealed(self, records: Sequence[Record], fields: Sequence[Confidential[Any]]) -> list[SealedValue[Any]]:
        """The sealed values of some fields of records within reach.

        Chapter: 8.1.
        Raises:  NotPermitted.
        """
        for one in records:
            self._check(one)
        return self.whole.sealed(records, fields)

    def look_up(self, field: Confidential[str], normalised: str) -> list[Id]:
        """As the whole unit looks it up.

        Chapter: 8.1.
        """
        return self.whole.look_up(field, normalised)

    def pseudonym(self, subject: Id, value: str) -> str:
        """A keyed pseudonym of a counterparty.

        Chapter: 8.1.
        """
        return self.whole.pseudonym(subject, value)

    def _check(self, record: Record) -> None:
        """Refuses to write beyond reach, such as to open a file that its opener would not find.

        Raises: NotPermitted.
        """
        if not reaches(self.whole, self.reach, record):
            raise beyond()


def beyond() -> NotPermitted:
    """The refusal of what lies beyond somebody's reach, where that is no secret.

    Chapter: 8.1.
    """
    return NotPermitted(
        "It is not, or would not be, within your reach.",
        advice="Ask whoever looks after the customer, or a person whose role reaches every customer.",
        cause=OUT_OF_REACH,
    )


def reaches(unit: Unit, reach: Reach, record: Record) -> bool:
    """Whether a record is within reach: the same as whether its reader finds it in a list.

    Chapter: 8.1.
    Shape:   total over the records of a company.
    """
    way, column = way_of(record.shape)
    if way in {Way.NOBODY, Way.EVERYBODY}:
        return way is Way.NOBODY
    named = Id(str(getattr(record, column)))
    if way is Way.FILE:
        files = unit.find(SHAPES["CreditFile"].cls, id=named)
        if not files:
            return False
        named = Id(str(getattr(files[0], "customer", "")))
    found = unit.find(SHAPES["Customer"].cls, id=named)
    owner, department = (getattr(found[0], name) for name in ("account_owner", "department")) if found else ("", None)
    return bool(found) and reach.holds(named, owner, department)
