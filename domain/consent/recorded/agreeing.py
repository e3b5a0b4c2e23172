"""Whether a consent stands as its events tell: they are added to and never changed, so they are what is true (Ch.4 §4).

The record of a consent is a view of its events: the last one says where it stands and, by its digest, what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Final, NamedTuple

from domain import canonical
from domain.consent.consents import Consent, ConsentEvent, ConsentState
from domain.consent.words import ConsentAct

AFTER: Final[dict[ConsentAct | None, frozenset[ConsentAct]]] = {
    None: frozenset({ConsentAct.REQUESTED, ConsentAct.GIVEN, ConsentAct.REFUSED}),
    ConsentAct.REQUESTED: frozenset({ConsentAct.GIVEN, ConsentAct.REFUSED}),
    ConsentAct.GIVEN: frozenset({ConsentAct.RECONFIRMED, ConsentAct.WITHDRAWN, ConsentAct.INVALIDATED}),
    ConsentAct.RECONFIRMED: frozenset({ConsentAct.RECONFIRMED, ConsentAct.WITHDRAWN, ConsentAct.INVALIDATED}),
}
"""Which act may follow which."""
GIVING: Final = frozenset({ConsentAct.GIVEN, ConsentAct.RECONFIRMED})
"""The acts by which a consent is given."""
COUNTED: Final = frozenset({"uses", "day_from", "day_uses"})
"""What changes with each use, and is no act of anybody."""
_ACTS: Final = tuple(ConsentAct)


class Wrong(Enum):
    """How a consent and its events disagree."""

    EVENT_MISSING = "CONSENT_EVENT_MISSING"
    EVENT_ORDER = "CONSENT_EVENT_ORDER"
    ALTERED = "CONSENT_ALTERED"


class Disagreement(NamedTuple):
    """One difference: what kind, in which version of the consent, and what it means."""

    wrong: Wrong
    version: int
    says: str


def state_after(act: ConsentAct) -> ConsentState:
    """Where a consent stands after an act.

    Chapter: 4.4.
    """
    return ConsentState.GIVEN if act is ConsentAct.RECONFIRMED else ConsentState[act.value]


def digest_of(consent: Consent) -> str:
    """SHA-256 of everything that a consent says, but for how often it was used.

    Chapter: 4.4.
    Shape:   equal consents have equal digests, in whatever time zone their instants are written.
    """
    said = ((name, getattr(consent, name)) for name in Consent.shape.facts if name not in COUNTED)
    return canonical.digest({name: _plain(value) for name, value in said})


def disagreements(versions: Sequence[Consent], events: Sequence[ConsentEvent]) -> Iterator[Disagreement]:
    """Every difference between the versions of one consent, the oldest first, and its events, in any order.

    Chapter: 4.4.
    Shape:   total; none exactly when each event follows the one before it in act, time and version, each version
             stands as the last event up to it says, and the newest is in the state of the last event.
    """
    told = sorted(events, key=lambda one: (one.consent_version, one.at, _ACTS.index(one.act), one.id))
    yield from _order(told, {one.stamp.version: one for one in versions})
    for consent in versions:
        version = consent.stamp.version
        upto = [event for event in told if event.consent_version <= version]
        if not upto:
            yield Disagreement(Wrong.EVENT_MISSING, version, "No event tells how this consent came about.")
        elif consent.state is not state_after(upto[-1].act):
            says = f"It is {consent.state.value}, and its last event is {upto[-1].act.value}."
            yield Disagreement(Wrong.EVENT_MISSING, version, says)
        elif digest_of(consent) != upto[-1].digest:
            yield Disagreement(Wrong.ALTERED, version, "It says something else than its last event tells.")


def _order(told: Sequence[ConsentEvent], versions: dict[int, Consent]) -> Iterator[Disagreement]:
    before: ConsentEvent | None = None
    for event in told:
        version = event.consent_version
        if event.act not in AFTER.get(before.act if before else None, frozenset()):
            first = before.act.value if before else "nothing"
            yield Disagreement(Wrong.EVENT_ORDER, version, f"{event.act.value} does not follow {first}.")
        if before is not None and event.at < before.at:
            yield Disagreement(Wrong.EVENT_ORDER, version, f"{event.act.value} is older than {before.act.value}.")
        if version not in versions:
            says = f"{event.act.value} made a version that is not there."
            yield Disagreement(Wrong.EVENT_ORDER, version, says)
        elif versions[version].source is None and event.at != versions[version].stamp.recorded_at:
            says = f"{event.act.value} is of another moment than the version it made."
            yield Disagreement(Wrong.EVENT_ORDER, version, says)
        before = event


def _plain(value: object) -> canonical.Json:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return canonical.plain(value)
