"""An operation is one use case: it names its actions and its chapter, and decides purely over a unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, cast, dataclass_transform

from domain.actors import Actor
from domain.audit import EntryProof, Receipt
from domain.ids import Id
from domain.persons.duties import Apart
from domain.ports import SealedValue, ToSign, Unit

T = TypeVar("T")
C = TypeVar("C", bound=type)


OWN = Id("")
"""Stands for the entry of an operation while it is not made yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Generic[T]):
    """What an operation decided, and what its audit entry must say beyond what was touched."""

    value: T
    reveals: tuple[SealedValue[Any], ...] = ()
    """Values to open after the entry is durable; the answer carries them."""
    purpose: str = ""
    consent: str = ""
    policy: str = ""
    note: str = ""
    """Free text for the side payload: sealed, never in the leaf."""
    digest: str = ""
    """The keyed digest of a document that was stored, or is read."""
    resources: tuple[Id, ...] = ()
    fields: tuple[str, ...] = ()
    """What leaves besides what was sealed, by name, as the entry tells it."""
    signs: Callable[[Sequence[Any]], ToSign] | None = None
    """Makes the statement to sign after the entry is durable, of the values that were opened for it."""
    proves: tuple[Id, ...] = ()
    """Entries the caller gets a proof of, once they stand in the log; `OWN` is the entry of this very operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What leaves after the entry of an operation is durable; it stands nowhere else."""

    opened: tuple[Any, ...] = field(default=(), repr=False)
    signed: str = field(default="", repr=False)
    """What was signed for the answer."""
    proofs: tuple[EntryProof, ...] = ()
    """What shows that entries stand in the log: those that were asked for, then that of what was handed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed(Generic[T]):
    """The end of an operation: its value, the receipt of its entry, and what was released for the answer."""

    value: T
    receipt: Receipt
    released: Released = Released()

    @property
    def opened(self) -> tuple[Any, ...]:
        """The values that were opened, in their order."""
        return self.released.opened

    @property
    def signed(self) -> str:
        """What was signed, or nothing."""
        return self.released.signed

    @property
    def proofs(self) -> tuple[EntryProof, ...]:
        """What shows that entries stand in the log."""
        return self.released.proofs


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a caller asked for, as the entry of a refusal tells it: no word of the caller's own, known tags alone."""

    purpose: str = ""
    fields: tuple[str, ...] = ()


NOT_TOLD = Asked()
"""Of most operations a refusal says enough by its action and by what was touched."""


class Operation(Generic[T]):
    """One change. Subclasses are frozen, declared with `@operation`, and implement `decide`."""

    __slots__ = ()
    actions: ClassVar[tuple[str, ...]] = ()
    chapter: ClassVar[str] = ""
    apart: ClassVar[Apart | None] = None
    """Whom it keeps apart; None where one person is enough."""
    beyond_reach: ClassVar[bool] = False
    """Whether it is for whoever does not reach a customer otherwise: how far its actor reaches is not asked."""
    settles: ClassVar[bool] = False
    """Whether it changes what persons may do, so that what is remembered of them must be looked up again."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[T]:
        """Loads records, applies rules, stages changes. Pure but for the unit.

        Chapter: 8.1.
        """
        raise NotImplementedError

    def asked(self) -> Asked:
        """What was asked for, where a refusal must tell it; it is read before anything is checked.

        Chapter: 8.1.
        """
        return NOT_TOLD

    def hands(self, unit: Unit) -> Iterable[str]:
        """Who else had a hand in what it decides on, where the record itself does not say it.

        Chapter: 8.1.
        """
        del unit
        return ()


class Collecting(Operation[T]):
    """An operation that decides on opened values: what it opens is recorded first, under an entry of its own."""

    __slots__ = ()
    collection: ClassVar[str] = ""
    """The action of the entry that precedes the opening."""
    purpose: ClassVar[str] = ""

    def asked(self) -> Asked:
        """The purpose values are collected for.

        Chapter: 8.1.
        """
        return Asked(purpose=self.purpose)

    def collect(self, unit: Unit, actor: Actor) -> Sequence[SealedValue[Any]]:
        """The sealed values the decision rests on.

        Chapter: 4.4.
        """
        raise NotImplementedError

    def decide_on(
        self, unit: Unit, actor: Actor, sealed: Sequence[SealedValue[Any]], opened: Sequence[Any]
    ) -> Decided[T]:
        """Decides on the opened values; raises Stale when they are no longer the current ones.

        Chapter: 4.4.
        """
        raise NotImplementedError


def derived(*, default: Any) -> Any:
    """Declares an attribute that nobody enters: whoever prepares the operation works it out from the others.

    Chapter: 8.1.
    """
    return field(default=default, metadata={DERIVED: True})


DERIVED = "derived"
OPERATIONS: dict[str, type[Operation[Any]]] = {}
"""Every declared operation by its name."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(derived, field))
def operation(
    *actions: str,
    chapter: str,
    collection: str = "",
    purpose: str = "",
    apart: Apart | None = None,
    settles: bool = False,
) -> Callable[[C], C]:
    """Makes a class a frozen operation and registers it; one without an action does not exist.

    One with `apart` is a decision of another person than those it names; the Gate keeps them apart.

    Chapter: 8.1.
    """
    if not actions or not chapter:
        raise TypeError("An operation names its actions and its chapter.")

    def declare(cls: C) -> C:
        if not cls.__doc__:
            raise TypeError(f"{cls.__name__} needs a docstring: it is the description in the schema.")
        frozen = cast("Any", dataclass(frozen=True, slots=True, kw_only=True)(cls))
        frozen.actions, frozen.chapter, frozen.apart, frozen.settles = actions, chapter, apart, settles
        if collection:
            frozen.collection, frozen.purpose = collection, purpose
        if frozen.__name__ in OPERATIONS:
            raise TypeError(f"{frozen.__name__} is declared twice.")
        OPERATIONS[frozen.__name__] = frozen
        return cast("C", frozen)

    return declare
