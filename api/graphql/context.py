"""What executing a document needs from the rest of the house, and what it remembers between requests."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from graphql import DocumentNode, FragmentDefinitionNode
from graphql.execution.values import VariableValues

from api import granting
from api.graphql.compiler import Compiled
from api.graphql.compiling.forms import Entry, Form
from api.graphql.sharing.hoisting import Template
from api.graphql.sharing.memory import Lru
from api.graphql.sharing.variables import Variable
from domain.actors import Actor, Rights
from domain.errors import CreditError
from domain.gate import Plan
from domain.ids import Id
from domain.ports import Readings
from domain.reading import judge

if TYPE_CHECKING:
    from api.graphql.schema import Schema

T = TypeVar("T")

DOCUMENTS = 100_000
"""How many tokens of checked documents are remembered."""
PLANS = 100_000
"""How many tokens the documents of remembered plans have; a plan of rights that no longer exist ages out."""

NEEDS = 2_000
"""Of how many documents it is remembered what they need."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is parsed, within the limits and valid."""

    digest: bytes
    """What tells its plans from those of others; documents that differ only in literals share it."""
    tree: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str | None, tuple[Variable, ...]] = field(default_factory=dict)
    """What is known of each operation's variables, by its name."""
    weight: int = 1
    """Its tokens; it weighs as much in a memory, and so does its plan."""
    exact: bool = True
    """Whether its nodes know where they stand in the text of the request."""
    template: Template | None = None
    """What stands for its literals, where they may differ."""
    literals: Mapping[str, Any] = field(default_factory=dict)
    """The literals of this request, as values of the template's variables."""


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
    """By their text; those with a template, by the text with marks for literals."""
    plans: Lru[Prepared] = field(default_factory=lambda: Lru(PLANS))
    payloads: Lru[Mapping[str, Payload]] = field(default_factory=lambda: Lru(PLANS))
    needs: Lru[tuple[str, ...]] = field(default_factory=lambda: Lru(NEEDS))
    """By a document's digest, the actions that guard what it names."""


def prepare(readings: Readings, rights: Rights, compiled: Compiled) -> Prepared:
    """The plan of a compiled operation under some rights."""
    if not compiled.reading.roots:
        return Prepared(compiled, None)
    judged = judge(compiled.reading, rights)
    return Prepared(compiled, Plan(judged=judged, steps=readings.prepare(judged)))


class OneGate(granting.OneGate, Protocol):
    """The Gate, as documents pass it."""

    async def decline(self, actor: Actor, error: CreditError, action: str, *, request: str = "") -> None:
        """Records that something was not even begun."""
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


class House(granting.House, Protocol):
    """What the composition root offers to the GraphQL interface."""

    @property
    def gate(self) -> OneGate:
        """The one gate."""
        ...

    @property
    def trusted_only(self) -> bool:
        """Whether everybody runs approved documents alone, and not only partners."""
        ...

    async def approved(self, actor: Actor, digest: str) -> str | None:
        """The text of a document that is approved for an actor; None where there is none."""
        ...

    def public_key(self, jwk: str, use: str) -> tuple[str, str]:
        """The public key a JWK holds, bare, and its thumbprint.

        Raises: Malformed where it holds none that is accepted for a use.
        """
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
    weight: int = 1
    """How heavy what is made from the document is in a memory."""
