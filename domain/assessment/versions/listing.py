"""Credit policy versions as a reader of no document finds them: readings that commands build by hand (Ch.9)."""

from __future__ import annotations

from typing import Final

from domain.assessment.assessments import CreditPolicy
from domain.assessment.versions.simulations import PolicySimulation
from domain.reading import Labelled, Level, Page, Reading, Slot, Where

HELD: Final = "held"
_LONG: Final = frozenset({"document", "changes"})


def listing() -> Reading:
    """Every version without its document: slots for the size of the page and the cursor.

    Chapter: 9.
    """
    facts = ("id", *(name for name in CreditPolicy.shape.facts if name not in _LONG))
    return _reading(Level(shape=CreditPolicy.shape, facts=_labelled(facts), page=Page(Slot(0), Slot(1))))


def one(*, number: bool) -> Reading:
    """One version, whole: a slot for the size of the page, and one for its number or its id.

    Chapter: 9.
    """
    where = (Where("number" if number else "id", "=", Slot(1)),)
    page = Page(Slot(0), wants_cursors=False)
    shape = CreditPolicy.shape
    return _reading(Level(shape=shape, facts=_labelled(("id", *shape.facts)), where=where, page=page))


def simulation() -> Reading:
    """One simulation: a slot for the size of the page, and one for its id.

    Chapter: 9.
    """
    shape, page = PolicySimulation.shape, Page(Slot(0), wants_cursors=False)
    return _reading(
        Level(shape=shape, facts=_labelled(("id", *shape.facts)), where=(Where("id", "=", Slot(1)),), page=page)
    )


def _labelled(names: tuple[str, ...]) -> tuple[Labelled[str], ...]:
    return tuple(Labelled(name, name) for name in names)


def _reading(level: Level) -> Reading:
    return Reading((Labelled(HELD, level),))
