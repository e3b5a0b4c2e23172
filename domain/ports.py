"""What the domain asks of the floors around it. No port can open a sealed value except `Opener`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from domain.audit import Entry, EntryProof, Receipt, Trace, Warrant
from domain.custody.keeping import Destruction, Renewal, Rotation, Signing
from domain.errors import CreditError
from domain.ids import Id
from domain.persons.reach import Reach
from domain.records import Confidential, Record, Stamp

if TYPE_CHECKING:
    from domain.files.identifying.reindexing import Indexing
    from domain.reading import Judged
    from domain.supervision.looking import Trail

R = TypeVar("R", bound=Record)
T = TypeVar("T")


class SealedValue(NamedTuple, Generic[T]):
    """A sealed value that was loaded. It is opaque: only an `Opener` with a `Warrant` reads it."""

    field: Confidential[T]
    tenant: Id
    subject: Id
    record: Id
    version: int
    """The version of this cell; a changed value has the next one."""
    material: object
    """The envelope and its wrapped keys, as the store hands them to the opener."""
    masked: bool = False
    """Whether the masked form was asked for: it is masked in the vault, before release."""

    def __repr__(self) -> str:
        return f"SealedValue({self.field.tag}, {self.record}, {self.version})"


class Unit(Protocol):
    """One transaction of one tenant. It can seal and load sealed values; it cannot open them."""

    @property
    def now(self) -> datetime:
        """The instant of this transaction, UTC."""
        ...

    @property
    def rotation(self) -> Rotation:
        """Turns the keys of the tenant."""
        ...

    @property
    def signing(self) -> Signing:
        """Replaces the keys that the tenant signs with."""
        ...

    @property
    def renewal(self) -> Renewal:
        """Gives the data keys of the tenant their next version."""
        ...

    @property
    def destruction(self) -> Destruction:
        """Ends keys and rows of the tenant."""
        ...

    @property
    def pairwise(self) -> Callable[[Id, Id], str]:
        """What names a subject to a partner: another word for every partner, and nobody else's."""
        ...

    @property
    def indexing(self) -> Indexing:
        """The blind indexes of the tenant; a store without any offers none."""
        ...

    @property
    def trail(self) -> Trail:
        """The audit log of the tenant, as far as its readers find it."""
        ...

    def stamp(
        self, record: type[Record], *, subject: Id | None = None, effective_from: datetime | None = None
    ) -> Stamp:
        """The stamp of a new row; without a subject the record is its own subject."""
        ...

    def get(self, record: type[R], id: Id, *, lock: bool = False) -> R:  # noqa: A002 - the word of the ports
        """The current version of one record. Raises NotFound, also for another tenant's."""
        ...

    def find(self, record: type[R], *, lock: bool = False, **equal: object) -> list[R]:
        """The current versions whose facts (or `subject_id`) equal the values given; a tuple means any of."""
        ...

    def select(
        self, record: type[Record], facts: Sequence[str], *, after: str = "", most: int | None = None, **equal: object
    ) -> Iterator[tuple[Any, ...]]:
        """Some facts of many current rows, streamed in the order of their ids; behind one, and so many at most."""
        ...

    def add(self, records: Sequence[Record], *, skip_known: bool = False) -> int:
        """Stores new records; returns how many. With `skip_known`, rows that break a `unique` are left out."""
        ...

    def replace(self, record: R, *, correcting: bool = False) -> R:
        """Supersedes the current version by this one; returns it with its new version.

        A change holds from now on; a correction holds from when the version it corrects did.

        Raises: Stale when the version it rests on is no longer the current one.
        """
        ...

    def seal(self, record: Record, field: Confidential[T], value: T) -> None:
        """Seals a value for a field of a record that was added or loaded here; the next version of its cell."""
        ...

    def sealed(self, records: Sequence[Record], fields: Sequence[Confidential[Any]]) -> list[SealedValue[Any]]:
        """The sealed values of some fields, opaque, for a release after the record."""
        ...

    def look_up(self, field: Confidential[str], normalised: str) -> list[Id]:
        """The ids of the records whose indexed field has this value: one look-up in the blind index."""
        ...

    def pseudonym(self, subject: Id, value: str) -> str:
        """A keyed pseudonym of a counterparty, different for every subject and tenant."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(Generic[T]):
    """What a store carries out in one transaction: decide, then record; a refusal records itself alone."""

    tenant: Id
    actor: str
    decide: Callable[[Unit], T]
    conclude: Callable[[Trace, T | CreditError], Entry]
    """Makes the audit entry from what was touched and how it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed(Generic[T]):
    """The durable end of a transaction: what was decided, or why not, and the receipt of its entry."""

    result: T | CreditError
    receipt: Receipt


class Clock(Protocol):
    """Time is a port, so that histories can be replayed."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...


class Ids(Protocol):
    """Ids are a port, for the same reason."""

    def make(self, prefix: str, milliseconds: int) -> Id:
        """The next id of a type."""
        ...


@dataclass(frozen=True, slots=True)
class Fetch:
    """One statement a plan wants run: the text of the store's dialect and its own parameters."""

    sql: str
    parameters: tuple[Any, ...]


Rows = Sequence[Sequence[Any]]


def _nowhere(values: Sequence[Any]) -> None:
    if values:
        raise TypeError("A reading without sealed values has no place for opened ones.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The answer of a reading before its confidential values are opened: nothing in it is plaintext."""

    answer: dict[str, Any]
    subjects: tuple[Id, ...]
    resources: tuple[Id, ...]
    sealed: tuple[SealedValue[Any], ...] = ()
    place: Callable[[Sequence[Any]], None] = _nowhere
    """Puts the opened values where they belong, one for each sealed value, in the same order."""


class Steps(Protocol):
    """A reading compiled for one store: a generator that yields statements and is sent rows."""

    @property
    def alone(self) -> bool:
        """Whether it is one statement, which is a snapshot by itself."""
        ...

    @property
    def ledger(self) -> bool:
        """Whether it reads the audit log, whose newest entries have to be findable first."""
        ...

    def run(self, scope: Scope, arguments: Sequence[Any], now: datetime) -> Generator[Fetch, Rows, Draft]:
        """The statements, whose number does not depend on the number of rows, and at the end the draft."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose rows a reading may find: the tenant's; a partner's or a customer's own reach within it."""

    tenant: Id
    partner: Id | None = None
    subject: Id | None = None
    reach: Reach | None = None
    """How far a member of staff reaches; None where its roles alone decide."""


class Readings(Protocol):
    """Compiles a judged reading for one store."""

    def prepare(self, judged: Judged) -> Steps:
        """The steps of a reading; once per plan."""
        ...


class Store(Protocol):
    """The one place that keeps records: transactions, reads and the audit log in them."""

    async def write(self, work: Work[T]) -> Committed[T]:
        """Runs the work in one transaction and returns when it is durable.

        Raises: Stale, unrecorded, when a race was lost: the Gate decides again. Unavailable when it could not be
        made durable; then nothing of it remains.
        """
        ...

    async def read(
        self, tenant: Id, steps: Generator[Fetch, Rows, Draft], *, alone: bool = False, ledger: bool = False
    ) -> Draft:
        """Runs the steps of a reading in one snapshot, as `Steps` says of them; changes nothing."""
        ...

    async def put(self, entry: Entry, *, placed: bool = False) -> Receipt:
        """Records one entry alone, durable when it returns; where it is asked for, it also waits for its place."""
        ...

    async def prove(self, tenant: Id, entry: Id) -> EntryProof:
        """What shows that an entry stands in the log, under the first signed checkpoint that covers it.

        Raises: NotFound where it has no place yet, or is none; Unavailable.
        """
        ...


class Opener(Protocol):
    """The only way to plaintext."""

    async def open(self, warrant: Warrant, sealed: Iterable[SealedValue[Any]]) -> list[Any]:
        """The values, in order, masked where the masked form was asked for.

        Raises: NotPermitted without a fitting warrant; Tampered; KeyUnavailable.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """A customer's credit statement before it is signed."""

    holder: Mapping[str, str]
    """The public key of whoever will hold it, as a JWK."""
    issued_at: datetime
    expires_at: datetime
    status_list: int
    status_index: int
    claims: Mapping[str, Any]
    """What its holder can show, each by itself."""
    room: int
    """How many digests it has, at least: those that stand for nothing hide how many do."""

    def __repr__(self) -> str:
        return f"Unsigned({self.status_list}, {self.status_index})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What is handed over to a partner before it is signed, and sealed to the partner's key."""

    type: str
    """What it is, such as `disclosure+jwt`."""
    key: str | None
    """The public key it is sealed to, as a JWK; without one it is signed alone."""
    partner: Id
    consent: Id | None
    """The consent it rests on; a recall rests on none, and is never sealed."""
    consent_version: int
    disclosure: Id
    issued_at: datetime
    claims: Mapping[str, Any]
    """What it says: the values, and what the partner owes."""
    proof: EntryProof | None = None
    """What shows that the entry of the disclosure stands in the log; the Gate adds it."""

    def __repr__(self) -> str:
        return f"Handover({self.disclosure})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What a company attests to whoever takes it along, such as a consent as it stands, before it is signed."""

    id: str
    """What names this receipt; nobody can guess it."""
    about: str
    """Whom it is about, as receipts name it."""
    issued_at: datetime
    record: Mapping[str, Any]
    """What is attested; the entry that precedes the signing holds the digest of its canonical form."""

    def __repr__(self) -> str:
        return f"Attested({self.id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What is sealed to a partner's key, so that whoever reads it shows that it holds the key."""

    key: str
    """The public key, as a JWK."""
    partner: Id
    text: str = field(repr=False)
    """What is to be read: nobody can guess it."""


ToSign = Unsigned | Handover | Attested | Challenge
"""Everything that leaves signed in a company's name, or sealed by it."""


class Signer(Protocol):
    """The only way to a signed statement."""

    async def sign(self, warrant: Warrant, statement: ToSign) -> str:
        """The statement as its holder gets it, signed by the company the warrant is of; sealed where it is handed over.

        Raises: KeyUnavailable.
        """
        ...
