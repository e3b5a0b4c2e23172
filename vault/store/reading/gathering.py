"""What one run gathers on its way: whose rows it met, and which sealed cells wait for which places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from domain.ids import Id
from domain.ports import Draft, Scope, SealedValue
from vault.keys import Keyring
from vault.store.search.states import Finder

Place = tuple[dict[str, Any], str]
"""A part of the answer and the label in it."""


@dataclass(slots=True)
class Gathering:
    """The state of one run."""

    scope: Scope
    arguments: Sequence[Any]
    today: date
    """The day it is where the company is."""
    ring: Keyring
    """Knows which keys are ready."""
    finder: Finder | None = None
    """Makes tokens of what is looked up; None where nothing is."""
    subjects: dict[Id, None] = field(default_factory=dict)
    resources: dict[Id, None] = field(default_factory=dict)
    _sealed: dict[tuple[Id, str, bool], tuple[SealedValue[Any], list[Place]]] = field(default_factory=dict)

    def meet(self, subjects: Iterable[Id], resources: Iterable[Id] = ()) -> None:
        """Notes whose rows were found, each once, in the order met."""
        self.subjects.update(dict.fromkeys(subjects))
        self.resources.update(dict.fromkeys(resources))

    def wait(self, sealed: SealedValue[Any], place: Place) -> None:
        """Notes a place for an opened value; a cell that was met before is not opened twice."""
        key = (sealed.record, sealed.field.tag, sealed.masked)
        met = self._sealed.get(key)
        if met is None:
            self._sealed[key] = (sealed, [place])
        else:
            met[1].append(place)

    def draft(self, answer: dict[str, Any]) -> Draft:
        """The end of the run."""
        waiting = self._sealed.values()
        return Draft(
            answer=answer,
            subjects=tuple(self.subjects),
            resources=tuple(self.resources),
            sealed=tuple([sealed for sealed, _ in waiting]),
            place=partial(_put, [places for _, places in waiting]),
        )


def _put(waiting: Sequence[list[Place]], values: Sequence[Any]) -> None:
    for places, value in zip(waiting, values, strict=True):
        for row, label in places:
            row[label] = value
