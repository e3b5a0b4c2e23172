"""How a change is declared: its operation, the record that is shown, and what the change itself answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from api.graphql.context import House
from api.graphql.generation.wording import first_paragraph, guarded
from api.graphql.payloads import AUDIT_ENTRY
from domain.actors import Actor
from domain.ids import Id
from domain.operations import Collecting, Operation, Performed


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What a payload shows beside its record: it comes from the change itself and is read nowhere."""

    name: str
    type: Any
    says: str
    of: Callable[[Performed[Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One field of the mutation root."""

    operation: type[Operation[Any]]
    shows: Mapping[str, str]
    """The record in the payload: its field there, and its name; one field for each kind it can be of."""
    id: Callable[[Any], Id] = attrgetter("id")
    """The record's id, out of what the operation decided."""
    extras: tuple[Extra, ...] = ()
    complete: Callable[[House, Any], Any] | None = None
    """Works out what nobody enters, before the operation is performed."""
    prepare: Callable[[House, Actor, Any], Awaitable[Any]] | None = None
    """The same, for what has to be looked up for whoever asks."""

    @property
    def values(self) -> dict[str, Any]:
        """The type of each field of the payload that the change itself answers."""
        return {AUDIT_ENTRY: Id} | {extra.name: extra.type for extra in self.extras}

    @property
    def says(self) -> str:
        """What it does, the clauses it serves, and the actions that guard it."""
        actions = list(self.operation.actions)
        if issubclass(self.operation, Collecting):
            actions.append(self.operation.collection)
        return guarded(first_paragraph(self.operation.__doc__), ", ".join(dict.fromkeys(actions)))
