"""A consent record in the form of ISO/IEC TS 27560 becomes consents of one recipient and one purpose each.

What is not said is not guessed, with two exceptions on the cautious side: handing on is prohibited, and a consent that
is not called explicit is a general one. A process inside another has what the outer one says, unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeVar, cast

from api.consents import durations
from api.consents.acting import GIVING, STATUS, Record, Told, acts_of, giver, term
from api.consents.jsonld import (
    OURS,
    Object,
    Path,
    concepts,
    listed,
    one_of,
    our_number,
    our_text,
    ours,
    spelled,
    text_of,
    types,
    wrong,
)
from api.consents.words import Words
from domain.consent.attesting.predicates import CONSENTABLE
from domain.consent.consents import ConsentUse
from domain.consent.moving import PastConsent
from domain.consent.terms import ConsentProof, ConsentTerms
from domain.consent.words import ConsentKind, DisclosureAction, EvidenceMethod, Redisclosure
from domain.ids import Id
from domain.reading import Purpose

E = TypeVar("E", bound=Enum)

PROCESS = "dpv:hasProcess"
EXPLICIT = frozenset(
    {"dpv:ExplicitlyExpressedConsent", "eu-gdpr:A6-1-a-explicit-consent", "eu-gdpr:A9-2-a", "eu-gdpr:A49-1-a"}
)
CONSENT = EXPLICIT | {
    "dpv:Consent",
    "dpv:InformedConsent",
    "dpv:ExpressedConsent",
    "eu-gdpr:A6-1-a",
    "eu-gdpr:A6-1-a-non-explicit-consent",
}
"""Lawful bases that are consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a record says."""

    reference: str
    consents: tuple[PastConsent, ...]


def read(raw: Any, words: Words) -> Read:
    """The consents of one record.

    Raises: Malformed, naming the place and never what stands there.
    """
    whole = spelled(raw)
    kinds = types(whole)
    if kinds and "dpv:ConsentRecord" not in kinds:
        raise wrong("This is no consent record.", ("@type",), "Send records of the type dpv:ConsentRecord.")
    identifier = text_of(whole, "dpv:hasIdentifier", ())
    subject = text_of(whole.get("dpv:hasDataSubject"), "dpv:hasIdentifier", ("dpv:hasDataSubject",))
    record = Record(whole=whole, subject=subject, entities=_entities(whole), words=words)
    found = [past for place, process in _leaves(whole) for past in _consents(record, process, place)]
    named = [
        replace(past, record_id=identifier if len(found) == 1 else f"{identifier}#{number}")
        for number, past in enumerate(found, start=1)
    ]
    return Read(reference=words.subjects.get(subject, subject), consents=tuple(named))


def _entities(whole: Object) -> dict[str, Object]:
    """The parties of a record by what it calls them; lists and tables of them are both read."""
    given = whole.get("dpv:hasEntity")
    if isinstance(given, dict) and "@id" not in given:
        table = cast("dict[str, Any]", given)
        return {key: cast("Object", node) for key, node in table.items() if isinstance(node, dict)}
    nodes = [cast("Object", node) for node in listed(given) if isinstance(node, dict)]
    return {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str)}


def _leaves(whole: Object) -> Iterator[tuple[Path, Object]]:
    """The processes a customer decided on, each with what it has from those around it."""
    given = listed(whole.get(PROCESS))
    if not given:
        raise wrong("The record has no process.", (PROCESS,), "Send what the consent is about as dpv:hasProcess.")
    outer = {
        key: whole[key] for key in (STATUS, "dpv:hasNotice", "dct:language", "dpv:hasJurisdiction") if key in whole
    }
    for index, process in enumerate(given):
        yield from _inside(process, outer, (PROCESS, str(index)))


def _inside(process: Any, outer: Object, path: Path) -> Iterator[tuple[Path, Object]]:
    if not isinstance(process, dict):
        raise wrong("A process is an object.", path, "Send what the consent is about as an object.")
    own = cast("dict[str, Any]", process)
    known = {**outer, **{key: value for key, value in own.items() if key != PROCESS}}
    deciding: list[tuple[Path, Any]] = []
    for index, inner in enumerate(listed(own.get(PROCESS))):
        place = (*path, PROCESS, str(index))
        if not isinstance(inner, dict) or _decides(cast("Object", inner)):
            deciding.append((place, inner))
            continue
        for key, value in cast("Object", inner).items():
            known[key] = [*listed(known.get(key)), *listed(value)]
    if not deciding:
        yield path, known
    for place, inner in deciding:
        yield from _inside(inner, known, place)


def _decides(process: Object) -> bool:
    inner = listed(process.get(PROCESS))
    return STATUS in process or any(isinstance(one, dict) and _decides(cast("Object", one)) for one in inner)


def _consents(record: Record, process: Object, path: Path) -> Iterator[PastConsent]:
    """One consent for each purpose and recipient of a process."""
    kind = _kind(process, path)
    purposes = [_purpose(record, one, path) for one in listed(process.get("dpv:hasPurpose"))]
    recipients = _recipients(record, process)
    if not purposes:
        raise wrong("The process has no purpose.", (*path, "dpv:hasPurpose"), "Send its purpose.")
    if not recipients:
        raise wrong(
            "The process names no third party.",
            (*path, "dpv:hasRecipient"),
            "Send whom it lets have the data; a controller and its processors need no consent of this kind.",
        )
    told = acts_of(record, process, path)
    shared = _shared(record, process, path, kind, told)
    for purpose in dict.fromkeys(purposes):
        for recipient in recipients:
            yield replace(shared, purpose=purpose, partner=recipient)


def _shared(record: Record, process: Object, path: Path, kind: ConsentKind, told: Told) -> PastConsent:
    """What all consents of a process have alike."""
    giving = next((status for act, status in reversed(told) if act.act in GIVING), None)
    name, proof = giver(record, giving, path) if giving is not None else ("", ConsentProof())
    evidence = ours(process, "evidence")
    begins, ends = term(record, process, path, told)
    number, version, digest = _notice(record, process, path, giving)
    use = one_of(ConsentUse, ours(process, "use"), ConsentUse.STANDING, (*path, f"{OURS}:use"))
    return PastConsent(
        record_id="",
        partner="",
        purpose=Purpose.CREDIT_REVIEW,
        fields=_fields(record, process, path),
        use=use,
        max_uses=our_number(process, "maxUses", path) if use is ConsentUse.COUNTED else None,
        uses=our_number(process, "uses", path) or 0,
        not_before=begins,
        not_after=ends,
        notice_digest=digest,
        given_by=name,
        evidence_digest=our_text(evidence, "sha256"),
        proof=replace(
            proof,
            evidence_method=one_of(EvidenceMethod, ours(evidence, "method"), None, (*path, f"{OURS}:evidence")),
            evidence_document=cast("Id | None", our_text(evidence, "document")),
        ),
        terms=_terms(record, process, path, kind, (number, version)),
        onward_to=tuple(_recipient(record, one) for one in listed(ours(process, "onwardTo")) if isinstance(one, str)),
        acts=tuple(act for act, _ in told),
    )


def _terms(
    record: Record, process: Object, path: Path, kind: ConsentKind, notice: tuple[str | None, str | None]
) -> ConsentTerms:
    usual = ConsentTerms()
    places = [
        one for one in listed(process.get("dpv:hasJurisdiction")) if isinstance(one, str) and one.startswith("loc:")
    ]
    language = process.get("dct:language", record.whole.get("dct:language"))
    rule = one_of(Redisclosure, ours(process, "redisclosure"), Redisclosure.PROHIBITED, (*path, f"{OURS}:redisclosure"))
    actions = [
        one_of(DisclosureAction, one, DisclosureAction.VIEW, (*path, f"{OURS}:actions"))
        for one in listed(ours(process, "actions"))
    ]
    return ConsentTerms(
        jurisdiction=places[0].removeprefix("loc:") if places else usual.jurisdiction,
        language=language if isinstance(language, str) else "und",
        kind=one_of(ConsentKind, ours(process, "kind"), kind, (*path, f"{OURS}:kind")),
        notice_id=notice[0],
        notice_version=notice[1],
        lookback_days=our_number(process, "lookbackDays", path),
        actions=tuple(actions) or usual.actions,
        redisclosure=rule,
        retention_days=_retention(process, path),
        max_per_day=our_number(process, "maxPerDay", path),
        withdrawal_contact=our_text(process, "withdrawalContact"),
    )


def _kind(process: Object, path: Path) -> ConsentKind:
    """Whether it was explicit; a process on another basis than consent is none of ours."""
    bases = [word for one in listed(process.get("dpv:hasLegalBasis")) for word in concepts(one)]
    named = [word for word in bases if word != "dpv:LegalBasis"]
    if not named or not CONSENT.issuperset(named):
        raise wrong(
            "The process rests on another basis than consent, or on none.",
            (*path, "dpv:hasLegalBasis"),
            "Send records of consent alone, such as dpv:ExpressedConsent.",
        )
    return ConsentKind.GENERAL if EXPLICIT.isdisjoint(named) else ConsentKind.SEPARATE


def _purpose(record: Record, one: Any, path: Path) -> Purpose:
    for word in concepts(one):
        prefix, _, rest = word.partition(":")
        if prefix == OURS and rest in Purpose.__members__:
            return Purpose[rest]
        if word in record.words.purposes:
            return record.words.purposes[word]
    raise wrong(
        "A purpose is none of the closed list.",
        (*path, "dpv:hasPurpose"),
        "Map it under [purposes] in a file for --map, where it means one of: " + ", ".join(Purpose.__members__) + ".",
    )


def _fields(record: Record, process: Object, path: Path) -> tuple[str, ...]:
    tags: list[str] = []
    for index, one in enumerate(listed(process.get("dpv:hasPersonalData"))):
        known = [tag for word in concepts(one) for tag in _meant(record, word)]
        if not known:
            raise wrong(
                "A kind of personal data has no field here.",
                (*path, "dpv:hasPersonalData", str(index)),
                "Map it under [fields] in a file for --map, to tags such as contact.phone.",
            )
        tags += known
    if not tags:
        raise wrong("The process names no personal data.", (*path, "dpv:hasPersonalData"), "Send what it covers.")
    return tuple(dict.fromkeys(tags))


def _meant(record: Record, word: str) -> tuple[str, ...]:
    prefix, _, rest = word.partition(":")
    return (rest,) if prefix == OURS and rest in CONSENTABLE else record.words.fields.get(word, ())


def _recipients(record: Record, process: Object) -> list[str]:
    """Who gets it beside the controller and those who work for it."""
    inside = _names(process, "dpv:hasDataController", "dpv:hasDataProcessor")
    named = _names(process, "dpv:hasRecipient", "dpv:hasThirdParty")
    return [_recipient(record, one) for one in named if one not in inside]


def _names(process: Object, *keys: str) -> list[str]:
    """What the record calls the parties under some keys, each once."""
    given = [one for key in keys for one in listed(process.get(key))]
    names = [one.get("@id") if isinstance(one, dict) else one for one in given]
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def _recipient(record: Record, word: str) -> str:
    if word in record.words.recipients:
        return record.words.recipients[word]
    name = record.entities.get(word, {}).get("dpv:hasName")
    return name if isinstance(name, str) else word


def _notice(record: Record, process: Object, path: Path, giving: Object | None) -> tuple[str | None, str | None, str]:
    """Name, version and digest of the notice."""
    given = [*listed((giving or {}).get("dpv:hasNotice")), *listed(process.get("dpv:hasNotice"))]
    for node in given:
        named = (
            [node]
            if isinstance(node, str)
            else [node.get(key) for key in ("dpv:hasIdentifier", "@id", "dpv:hasLocation")]
        )
        digest = (our_text(node, "sha256") if isinstance(node, dict) else None) or next(
            (record.words.notices[one] for one in named if isinstance(one, str) and one in record.words.notices), None
        )
        if digest is not None:
            own = cast("Object", node) if isinstance(node, dict) else {}
            name = own.get("dpv:hasIdentifier")
            return name if isinstance(name, str) else None, our_text(own, "version"), digest
    raise wrong(
        "The record does not say which notice was shown.",
        (*path, "dpv:hasNotice"),
        f"Send {OURS}:sha256 with the notice, or map it under [notices] in a file for --map.",
    )


def _retention(process: Object, path: Path) -> int | None:
    for one in listed(process.get("dpv:hasStorageCondition")):
        if "dpv:StorageDuration" in types(one):
            duration = one.get("dpv:hasDuration")
            value = duration.get("rdf:value") if isinstance(duration, dict) else duration
            if isinstance(value, str):
                return durations.days_of(value, (*path, "dpv:hasStorageCondition"))
    return None
