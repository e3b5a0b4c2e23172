"""What was done about a consent, by whom and when, as a record tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from api.consents import durations
from api.consents.jsonld import OURS, Object, Path, listed, our_text, ours, text_of, types, wrong
from api.consents.words import Words
from domain.consent.moving import PastAct
from domain.consent.terms import ConsentProof
from domain.consent.words import Authority, ConsentAct
from domain.errors import Code, Malformed
from domain.ids import Id

STATUS = "dpv:hasConsentStatus"
ACTS = {
    "dpv:ConsentRequested": ConsentAct.REQUESTED,
    "dpv:ConsentGiven": ConsentAct.GIVEN,
    "dpv:RenewedConsentGiven": ConsentAct.RECONFIRMED,
    "dpv:ConsentRefused": ConsentAct.REFUSED,
    "dpv:ConsentWithdrawn": ConsentAct.WITHDRAWN,
    "dpv:ConsentRevoked": ConsentAct.WITHDRAWN,
    "dpv:ConsentInvalidated": ConsentAct.INVALIDATED,
}
"""Expiry is no act: it comes by the clock."""
EXPIRED = "dpv:ConsentExpired"
GIVING = frozenset({ConsentAct.GIVEN, ConsentAct.RECONFIRMED})
Told = list[tuple[PastAct, Object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record while it is read."""

    whole: Object
    subject: str
    """The customer as the record calls it."""
    entities: Mapping[str, Object]
    words: Words


def acts_of(record: Record, process: Object, path: Path) -> Told:
    """What was done about it, the oldest first, each with what the record says of it."""
    found: Told = []
    for index, status in enumerate(listed(process.get(STATUS))):
        place = (*path, STATUS, str(index))
        kinds = types(status)
        act = next((ACTS[kind] for kind in ACTS if kind in kinds), None)
        if act is None and EXPIRED in kinds:
            continue
        if act is None:
            raise wrong("The status of the consent is not known.", place, "Send one of: " + ", ".join(ACTS) + ".")
        at = instant(record, text_of(status, "dpv:isIndicatedAtTime", place), place)
        person = our_text(status, "recordedBy") or "record"
        found.append((PastAct(act=act, at=at, person=person), cast("Object", status)))
    if not found:
        raise wrong("The record does not say what the customer decided.", (*path, STATUS), "Send its consent status.")
    return sorted(found, key=lambda one: one[0].at)


def giver(record: Record, status: Object, path: Path) -> tuple[str, ConsentProof]:
    """Who gave it and on what authority; whoever is neither the customer nor its representative has none."""
    by = status.get("dpv:isIndicatedBy")
    node = cast("Object", by) if isinstance(by, dict) else record.entities.get(by, {}) if isinstance(by, str) else {}
    kinds, name = types(node), node.get("dpv:hasName")
    name = name if isinstance(name, str) and not name.startswith("dpv:") else None
    own = by is None or by == record.subject or node.get("dpv:hasIdentifier") == record.subject
    if own or "dpv:DataSubject" in kinds:
        return name or record.subject, ConsentProof()
    given = [authority for authority in Authority if f"{OURS}:{authority.value}" in kinds]
    if not given and "dpv:Representative" in kinds:
        given = [Authority.AGENT]
    if not given:
        raise Malformed(
            "Who gave this consent is neither the customer nor somebody who may act for it.",
            code=Code.NO_AUTHORITY,
            advice=f"Name the customer, or a dpv:Representative with proof of authority as {OURS}:authoritySha256.",
            path=(*path, STATUS, "dpv:isIndicatedBy"),
        )
    return name or str(by), ConsentProof(
        authority=given[0],
        authority_digest=our_text(node, "authoritySha256"),
        authority_document=cast("Id | None", our_text(node, "authorityDocument")),
    )


def term(record: Record, process: Object, path: Path, told: Told) -> tuple[datetime, datetime]:
    """From when and until when it holds."""
    said = ours(process, "notBefore")
    first = next((act.at for act, _ in told if act.act in GIVING), told[0][0].at)
    begins = instant(record, said, (*path, f"{OURS}:notBefore")) if isinstance(said, str) else first
    for act, status in reversed(told):
        duration = status.get("dpv:hasDuration")
        value = duration.get("rdf:value") if isinstance(duration, dict) else duration
        if isinstance(value, str):
            place = (*path, STATUS, "dpv:hasDuration")
            if "dpv:UntilTimeDuration" in types(duration):
                return begins, instant(record, value, place)
            return begins, durations.after(act.at, value, place)
    raise wrong(
        "The record does not say until when it holds.", (*path, STATUS), "Send dpv:hasDuration with its status."
    )


def instant(record: Record, text: str, path: Path) -> datetime:
    """An instant as ISO 8601 writes it.

    Raises: Malformed.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise wrong("This is no instant.", path, "Write it like 2026-11-24T08:30:00Z.") from None
    if found.tzinfo is None and record.words.time_zone is None:
        raise wrong("An instant needs its time zone.", path, "Send it, or say time_zone in a file for --map.")
    return found if found.tzinfo is not None else found.replace(tzinfo=record.words.time_zone)
