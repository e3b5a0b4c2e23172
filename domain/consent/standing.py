"""Whether a partner's token still opens anything: its partner, its key and its consents stand now (Ch.4 §4).

It is looked up with every request of a partner, so that a suspension, a retired key or a withdrawal bites at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from domain.actors import Actor, Rights
from domain.consent.consents import Consent, ConsentState, Partner, PartnerState
from domain.consent.keys import KeyState, KeyUse, PartnerKey
from domain.reading import Judged, Labelled, Level, Page, Reading, Slot, Where, judge
from domain.records import Record

MAX_ROWS: Final = 20
"""How many consents a token may rest on."""
PARTNERS, KEYS, CONSENTS = "partners", "keys", "consents"

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def standing() -> Judged:
    """The reading of a partner, a key of it and some consents, by their ids and its thumbprint.

    Chapter: 4.4.
    """
    levels = (
        (PARTNERS, _level(Partner, ("state",), Where("id", "=", Slot(1)))),
        (KEYS, _level(PartnerKey, ("partner", "use", "state"), Where("jkt", "=", Slot(2)))),
        (CONSENTS, _level(Consent, ("partner", "state", "not_before", "not_after"), Where("id", "in", Slot(3)))),
    )
    granted = {"partner:read": "", "consent:read": ""}
    reading = Reading(tuple(Labelled(label, level) for label, level in levels))
    return judge(reading, Rights(id=0, version="", allowed=granted))


def words_for(actor: Actor) -> tuple[object, ...]:
    """What the reading is asked for an actor.

    Chapter: 4.4.
    """
    return (MAX_ROWS, actor.partner, actor.key, tuple(actor.consents))


def bar(actor: Actor, rows: Rows, at: datetime) -> str:
    """Why a partner's token opens nothing at an instant, in one closed word; empty where nothing bars it.

    Chapter: 4.4.
    Shape:   total; empty only where the partner is active, the key is its own and approved, and every consent that
             is named is given to it and in force.
    """
    if not rows[PARTNERS]:
        return "NO_SUCH_PARTNER"
    if _word(rows[PARTNERS][0]["state"]) != PartnerState.ACTIVE.value:
        return "PARTNER_SUSPENDED"
    keys = [row for row in rows[KEYS] if row["partner"] == actor.partner and _word(row["use"]) == KeyUse.DPOP.value]
    if not keys:
        return "KEY_NOT_REGISTERED"
    if _word(keys[0]["state"]) != KeyState.APPROVED.value:
        return f"KEY_{_word(keys[0]['state'])}"
    own = [row for row in rows[CONSENTS] if row["partner"] == actor.partner]
    if len(own) < len(actor.consents):
        return "NO_SUCH_CONSENT"
    return next((word for row in own if (word := _over(row, at))), "")


def _over(row: Mapping[str, Any], at: datetime) -> str:
    """Why a consent is not in force; empty where it is."""
    if _word(row["state"]) != ConsentState.GIVEN.value:
        return f"CONSENT_{_word(row['state'])}"
    if at < _instant(row["not_before"]):
        return "CONSENT_NOT_YET_VALID"
    return "CONSENT_EXPIRED" if at >= _instant(row["not_after"]) else ""


def _level(record: type[Record], facts: tuple[str, ...], where: Where) -> Level:
    labelled = tuple(Labelled(name, name) for name in facts)
    return Level(shape=record.shape, facts=labelled, where=(where,), page=Page(Slot(0), wants_cursors=False))


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def _instant(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
