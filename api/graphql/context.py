"""What executing a document needs from the rest of the house, and what it remembers between requests."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from graphql import DocumentNode, FragmentDefinitionNode
from graphql.execution.values import VariableValues

from api.graphql.compiler import Compiled
from api.graphql.compiling.forms import Entry, Form
from domain.actors import Actor, Rights
from domain.gate import Performed, Plan
from domain.ids import Id
from domain.operations import Operation
from domain.ports import Readings
from domain.reading import judge

if TYPE_CHECKING:
    from api.graphql.schema import Schema

V = TypeVar("V")
T = TypeVar("T")

DOCUMENTS = 1_000
"""How many checked documents are remembered."""
PLANS = 2_000
"""How many plans are remembered; a plan of rights that no longer exist ages out."""


class Lru(Generic[V]):
    """A bounded memory: what was not asked for longest goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[Hashable, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """What is remembered under a key, or what is made now; a failure is not remembered."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        made = make()
        self._held[key] = made
        if len(self._held) > self._size:
            self._held.popitem(last=False)
        return made


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is parsed, within the limits and valid."""

    digest: bytes
    tree: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation compiled for some rights, and its plan; no plan where nothing is read."""

    compiled: Compiled
    plan: Plan | None


@dataclass(frozen=True, slots=True)
class Payload:
    """What one mutation field asks of its payload, prepared before anything is changed."""

    values: tuple[Entry, ...]
    """What the change itself answers, by response key."""
    records: Mapping[str, Prepared]
    """The records to read once it is done, by response key."""
    errors: Mapping[str, Mapping[str, Form]]
    """By response key, the form of each type of error."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered between requests, bounded."""

    documents: Lru[Document] = field(default_factory=lambda: Lru(DOCUMENTS))
    plans: Lru[Prepared] = field(default_factory=lambda: Lru(PLANS))
    payloads: Lru[Mapping[str, Payload]] = field(default_factory=lambda: Lru(PLANS))


def prepare(readings: Readings, rights: Rights, compiled: Compiled) -> Prepared:
    """The plan of a compiled operation under some rights."""
    if not compiled.reading.roots:
        return Prepared(compiled, None)
    judged = judge(compiled.reading, rights)
    return Prepared(compiled, Plan(judged=judged, steps=readings.prepare(judged)))


class OneGate(Protocol):
    """The Gate, as documents pass it."""

    async def perform(self, operation: Operation[T], actor: Actor, *, request: str = "") -> Performed[T]:
        """Carries out one operation as one transaction with one audit entry."""
        ...

    async def read(self, plan: Plan, actor: Actor, arguments: Sequence[Any], *, request: str = "") -> dict[str, Any]:
        """The answer of a plan, recorded before it leaves."""
        ...

    async def watch(
        self, plan: Plan, actor: Actor, arguments: Sequence[Any], *, request: str = ""
    ) -> dict[str, Any] | None:
        """The answer of a plan where it has news, recorded before it leaves; None, unrecorded, where it has none."""
        ...


class Wait(Protocol):
    """Waits for the log of one company."""

    async def until_grown(self, seconds: float) -> None:
        """Returns when the log has grown since the last time, or after so many seconds."""
        ...


class Growth(Protocol):
    """Tells that the log of a company has grown, and of nothing that it holds."""

    def waiting(self, tenant: Id) -> AbstractContextManager[Wait]:
        """Waits for one company's log, for as long as the block lasts."""
        ...


class House(Protocol):
    """What the composition root offers to the GraphQL interface."""

    @property
    def gate(self) -> OneGate:
        """The one gate."""
        ...

    @property
    def readings(self) -> Readings:
        """Compiles judged readings for the store."""
        ...

    @property
    def schema(self) -> Schema:
        """The schema that is served."""
        ...

    @property
    def memory(self) -> Memory:
        """What is remembered between requests."""
        ...

    @property
    def growth(self) -> Growth:
        """Tells when a company's log has grown."""
        ...

    def rights(self, actor: Actor) -> Rights:
        """The rights of an actor; interned."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What resolvers of mutations find in `info.context`."""

    house: House
    actor: Actor
    rights: Rights
    request_id: str
    variables: VariableValues
    key: Hashable
    """What identifies the document, the operation, the rights and what decides plans among the variables."""
    payloads: Mapping[str, Payload] = field(default_factory=dict)
    """What each field of a mutation asks of its payload, by response key."""
