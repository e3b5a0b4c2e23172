"""Consent records are read and written: what comes back is what left; what cannot be read is refused with its place."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.consents import durations, jsonld
from api.consents.reading import read
from api.consents.words import words
from api.consents.writing import written
from domain.consent.changing import InvalidateConsent, ReconfirmConsent
from domain.consent.consents import Consent, ConsentEvent, ConsentState, ConsentUse
from domain.consent.giving import WithdrawConsent
from domain.consent.moving import ExportConsents, ImportConsents, Taken
from domain.consent.requesting import RefuseConsent
from domain.consent.terms import ConsentProof, ConsentTerms
from domain.consent.words import Authority, ConsentKind, DisclosureAction, EvidenceMethod, Redisclosure
from domain.errors import Code, Conflict, CreditError, Malformed, NotFound
from domain.files.sources import LawfulBasis, RegisterSource, SourceType
from domain.reading import Purpose
from domain.tenancy import OpenTenant
from tests.domain.consent.test_giving import PHONE, PURPOSE, YEAR, grant, request
from tests.world import NOW, World

SAMPLES = Path(__file__).parents[3].parent / "shared" / "data" / "consent_samples"
A, B = "a" * 64, "b" * 64
WORDS = words()


def company(*, partners=("First Bank", "Second Bank")):
    """A company with a customer, partners and a source of consents."""
    world = World()
    world.do(OpenTenant(name="Yunfan", time_zone="Asia/Shanghai"))
    file = world.file(world.origin())
    bases = (LawfulBasis.CONSENT, LawfulBasis.WRITTEN_CONSENT)
    world.do(RegisterSource(type=SourceType.PARTNER, name="the old system", lawful_bases=bases))
    return world, file, [world.partner(name) for name in partners]


def taking(raw, known=WORDS, **changes):
    """The operation that takes a record over."""
    found = read(raw, known)
    said = {
        "source": "the old system",
        "lawful_basis": LawfulBasis.CONSENT,
        "reference": found.reference,
        "consents": found.consents,
        "original": json.dumps(raw),
    }
    return ImportConsents(**said | changes)


def leaving(world, file):
    """The records of a file, as they are written."""
    return [written(whole) for whole in world.do(ExportConsents(credit_file=file.id)).consents]


FULL = ConsentTerms(
    jurisdiction="HK",
    language="zh-Hant",
    kind=ConsentKind.GENERAL,
    notice_id="data",
    notice_version="3",
    lookback_days=730,
    actions=(DisclosureAction.VIEW, DisclosureAction.ATTEST),
    retention_days=90,
    max_per_day=5,
    withdrawal_contact="the desk",
)
PROOF = ConsentProof(authority=Authority.AGENT, authority_digest=A, evidence_method=EvidenceMethod.WET_SCAN)


def everything(world, file, partners):
    """Consents in every state, with everything a consent can say."""
    onward = replace(FULL, redisclosure=Redisclosure.NAMED, onward_to=(partners[1].id,))
    more = {"terms": onward, "proof": PROOF, "evidence_digest": B, "fields": ("contact.phone", "contact.email")}
    world.do(grant(file, partners[0], use=ConsentUse.COUNTED, max_uses=3, **more))
    confirmed = world.do(grant(file, partners[0], use=ConsentUse.ONE_TIME))
    struck, back = (world.do(grant(file, one)) for one in partners)
    world.do(request(file, partners[0], use=ConsentUse.COUNTED, max_uses=2))
    refused = world.do(request(file, partners[1], terms=FULL))
    world.clock.move(days=1, microseconds=5)
    again = {"given_by": "Li 李", "not_after": NOW + 2 * YEAR, "notice_digest": B, "proof": PROOF}
    world.do(ReconfirmConsent(consent=confirmed.id, **again))
    world.do(InvalidateConsent(consent=struck.id, reason="Forged"), world.actor("ling"))
    world.do(WithdrawConsent(consent=back.id))
    world.do(RefuseConsent(consent=refused.id))


def test_what_leaves_and_is_taken_over_says_the_same_when_it_leaves_again():
    world, file, partners = company()
    everything(world, file, partners)
    records = leaving(world, file)
    other, same_file, _ = company()
    other.clock.move(days=2)
    for record in records:
        assert other.do(taking(json.loads(record))).taken is Taken.STORED
    assert leaving(other, same_file) == records
    kept = ("purpose", "fields", "use", "max_uses", "uses", "not_before", "not_after", "state", "given_by")
    kept += ("authority", "authority_digest", "jurisdiction", "language", "kind", "notice_id", "notice_version")
    kept += ("notice_digest", "evidence_digest", "evidence_method", "lookback_days", "actions", "redisclosure")
    kept += ("retention_days", "max_per_day", "withdrawal_contact")
    told = {one.record_id: one for one in other.current(Consent)}
    for consent in world.current(Consent):
        assert {name: getattr(told[consent.id], name) for name in kept} == {
            name: getattr(consent, name) for name in kept
        }
    assert {one.state for one in told.values()} == set(ConsentState)
    assert len(other.current(ConsentEvent)) == len(world.current(ConsentEvent))


def test_what_is_here_already_is_known_and_changes_nothing():
    world, file, partners = company()
    everything(world, file, partners)
    before = world.current(Consent), world.current(ConsentEvent)
    for record in leaving(world, file):
        assert world.do(taking(json.loads(record))).taken is Taken.KNOWN
    assert (world.current(Consent), world.current(ConsentEvent)) == before
    consent = next(one for one in before[0] if one.state is ConsentState.GIVEN)
    record = next(one for one in leaving(world, file) if consent.id in one)
    world.do(WithdrawConsent(consent=consent.id))
    with pytest.raises(Conflict):
        world.do(taking(json.loads(record)))


def test_a_record_is_kept_as_it_came_and_where_it_came_from():
    world, file, partners = company()
    world.do(grant(file, partners[0]))
    record = json.loads(leaving(world, file)[0])
    other, _, _ = company()
    operation = taking(record)
    checked = other.do(replace(operation, dry=True))
    assert (checked.taken, other.current(Consent), other.current(ConsentEvent)) == (Taken.CHECKED, [], [])
    (taken,) = other.do(operation).consents
    assert other.secret(taken, "original") == json.dumps(record)
    assert taken.source is not None
    assert taken.record_id == record["dpv:hasIdentifier"]
    assert other.entries[-1].action == "consent:import"


def test_a_customer_takes_its_own_consents_along_and_nobody_else_s():
    world, file, partners = company()
    world.do(grant(file, partners[0]))
    stranger, own = world.actor("x", subject="cu_" + "z" * 26), world.actor("li", subject=file.subject_id)
    assert len(world.do(ExportConsents(credit_file=file.id), own).consents) == 1
    with pytest.raises(NotFound):
        world.do(ExportConsents(credit_file=file.id), stranger)
    other = world.file(world.origin("x"), "C-2", replace_basic())
    with pytest.raises(Malformed):
        world.do(ExportConsents(credit_file=other.id, consent=world.current(Consent)[0].id))


def replace_basic():
    """Nothing on file."""
    from domain.files.opening import BasicInformation

    return BasicInformation()


# What cannot be taken over


@pytest.fixture
def record():
    """A record of ours, to be spoilt."""
    world, file, partners = company()
    world.do(grant(file, partners[0], proof=PROOF, evidence_digest=B))
    return json.loads(leaving(world, file)[0])


def spoilt(record, place, value):
    """The record with another value in a place, or without one."""
    found = json.loads(json.dumps(record))
    node = found
    for key in place[:-1]:
        node = node[key]
    if value is None:
        del node[place[-1]]
    else:
        node[place[-1]] = value
    return found


P = ("dpv:hasProcess", 0)
STATED = (*P, "dpv:hasConsentStatus", 0)
GIVER = ("dpv:hasEntity", "credence:giver")
SPOILT = [
    (("dpv:hasIdentifier",), None, Code.MALFORMED, "dpv:hasIdentifier"),
    (("dpv:hasDataSubject",), "C-1", Code.MALFORMED, "dpv:hasIdentifier"),
    (("dpv:hasDataSubject", "dpv:hasIdentifier"), "C-9", Code.UNKNOWN_CUSTOMER, "subject"),
    (("@type",), ["dpv:PrivacyNotice"], Code.MALFORMED, "@type"),
    (("@context",), "https://example.com/context", Code.MALFORMED, "@context"),
    (("@context", "dpv"), "https://example.com/dpv#", Code.MALFORMED, "dpv"),
    (("dpv:hasProcess",), [], Code.MALFORMED, "dpv:hasProcess"),
    (("dpv:hasProcess",), ["x"], Code.MALFORMED, "0"),
    ((*P, "dpv:hasPurpose"), ["dpv:Marketing"], Code.MALFORMED, "dpv:hasPurpose"),
    ((*P, "dpv:hasPurpose"), ["credence:CREDIT_REVIEW"], Code.MALFORMED, "purpose"),
    ((*P, "dpv:hasPersonalData"), ["pd:Religion"], Code.MALFORMED, "0"),
    ((*P, "dpv:hasPersonalData"), [], Code.MALFORMED, "dpv:hasPersonalData"),
    ((*P, "dpv:hasRecipient"), ["party:Third Bank"], Code.NOT_FOUND, "recipient"),
    ((*P, "dpv:hasRecipient"), ["credence:controller"], Code.MALFORMED, "dpv:hasRecipient"),
    ((*P, "dpv:hasLegalBasis"), ["eu-gdpr:A6-1-f"], Code.MALFORMED, "dpv:hasLegalBasis"),
    ((*P, "dpv:hasLegalBasis"), None, Code.MALFORMED, "dpv:hasLegalBasis"),
    ((*P, "dpv:hasNotice"), None, Code.MALFORMED, "dpv:hasNotice"),
    ((*P, "dpv:hasConsentStatus"), [], Code.MALFORMED, "dpv:hasConsentStatus"),
    ((*STATED, "@type"), ["dpv:ConsentUnknown"], Code.MALFORMED, "0"),
    ((*STATED, "@type"), ["dpv:ConsentWithdrawn"], Code.INVALID_TRANSITION, "0"),
    ((*STATED, "dpv:isIndicatedAtTime"), "yesterday", Code.MALFORMED, "0"),
    ((*STATED, "dpv:isIndicatedAtTime"), "2026-11-05T16:08:50", Code.MALFORMED, "0"),
    ((*STATED, "dpv:isIndicatedAtTime"), "2036-11-05T16:08:50Z", Code.MALFORMED_DATE, "0"),
    ((*STATED, "dpv:hasDuration"), None, Code.MALFORMED, "dpv:hasConsentStatus"),
    ((*STATED, "dpv:hasDuration"), "forever", Code.MALFORMED_DATE, "dpv:hasDuration"),
    (
        (*STATED, "dpv:isIndicatedBy"),
        "credence:controller",
        Code.NO_AUTHORITY,
        "dpv:isIndicatedBy",
    ),
    ((*GIVER, "credence:authoritySha256"), None, Code.NO_AUTHORITY, "authorityDigest"),
    ((*GIVER, "@type"), ["dpv:Organisation"], Code.NO_AUTHORITY, "dpv:isIndicatedBy"),
    ((*P, "credence:use"), "ALWAYS", Code.MALFORMED, "credence:use"),
    ((*P, "credence:use"), ["ALWAYS"], Code.MALFORMED, "credence:use"),
    ((*P, "credence:uses"), "7", Code.MALFORMED, "credence:uses"),
    ((*P, "credence:redisclosure"), "NAMED", Code.MALFORMED, "onwardTo"),
    ((*P, "dpv:hasJurisdiction"), ["loc:Norway"], Code.MALFORMED_CODE, "jurisdiction"),
    (("dct:language",), "\ud800", Code.MALFORMED, "dct:language"),
]


@pytest.mark.parametrize(("place", "value", "code", "path"), SPOILT)
def test_a_record_that_cannot_be_taken_over_is_refused_with_its_place_and_nothing_is_stored(
    record, place, value, code, path
):
    world, _, _ = company()
    with pytest.raises(CreditError) as refused:
        world.do(taking(spoilt(record, place, value)))
    assert (refused.value.code, refused.value.path[-1]) == (code, path)
    assert refused.value.advice
    assert world.current(Consent) == world.current(ConsentEvent) == []
    assert world.do(taking(record)).taken is Taken.STORED


@pytest.mark.parametrize("raw", [None, 1, "x", [], {}, {"dpv:hasIdentifier": "x"}])
def test_what_is_no_record_is_refused(raw):
    with pytest.raises(Malformed):
        read(raw, WORDS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_stands_anywhere_in_a_record_it_is_read_or_refused(data):
    whole = EXAMPLE
    place, node = [], whole
    while isinstance(node, dict | list) and node and data.draw(st.integers(0, 9)) > 0:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        place, node = [*place, key], node[key]
    raw = spoilt(whole, place, data.draw(JSON)) if place else data.draw(JSON)
    with suppress(Malformed):
        assert read(raw, WORDS).consents


def _example():
    world, file, partners = company()
    everything(world, file, partners)
    return json.loads(leaving(world, file)[0])


EXAMPLE = _example()


# Files, prefixes, inheritance, durations


def test_a_file_holds_one_record_or_several_in_three_forms(record):
    text = json.dumps(record)
    for file in (f"[{text},{text}]", f"{text}\n{text}\n", json.dumps({"@graph": [record, record]})):
        assert [read(one, WORDS) for one in jsonld.records(file)] == [read(record, WORDS)] * 2
    assert len(list(jsonld.records(text))) == 1
    assert list(jsonld.records(text + "\n{\n")) == [record, None]
    for file in ("", "{", "nonsense"):
        with pytest.raises(Malformed):
            list(jsonld.records(file))


def test_terms_may_be_spelled_in_full_or_under_other_prefixes(record):
    text = json.dumps({key: value for key, value in record.items() if key != "@context"})
    full = json.loads(text.replace('"dpv:', '"https://w3id.org/dpv#'))
    short = json.loads(text.replace('"dpv:', '"v:')) | {"@context": {"v": "https://w3id.org/dpv#"}}
    assert read(full, WORDS) == read(short, WORDS) == read(record, WORDS)


def test_an_inner_process_has_what_the_outer_one_says_and_each_recipient_decides_for_itself():
    inner = [
        {"dpv:hasPersonalData": ["pd:TelephoneNumber"]},
        {"dpv:hasRecipient": ["a"], "dpv:hasConsentStatus": [status("dpv:ConsentGiven")]},
        {"dpv:hasRecipient": ["b"], "dpv:hasConsentStatus": [status("dpv:ConsentRefused")]},
    ]
    outer = {
        "dpv:hasPurpose": ["dpv:CreditChecking"],
        "dpv:hasLegalBasis": ["dpv:ExplicitlyExpressedConsent"],
        "dpv:hasNotice": {"credence:sha256": A},
        "dpv:hasProcess": inner,
    }
    raw = {"dpv:hasIdentifier": "r", "dpv:hasDataSubject": {"dpv:hasIdentifier": "C-1"}, "dpv:hasProcess": outer}
    first, second = read(raw, WORDS).consents
    assert [(one.partner, one.record_id, one.fields) for one in (first, second)] == [
        ("a", "r#1", (PHONE,)),
        ("b", "r#2", (PHONE,)),
    ]
    world, _, partners = company(partners=("a", "b"))
    taken = world.do(taking(raw)).consents
    assert [(one.partner, one.state) for one in taken] == [
        (partners[0].id, ConsentState.GIVEN),
        (partners[1].id, ConsentState.REFUSED),
    ]
    other, _, _ = company(partners=("a",))
    with pytest.raises(Malformed):
        other.do(taking(raw))
    assert other.current(Consent) == []


def status(kind):
    """A status of a foreign record."""
    return {"@type": kind, "dpv:isIndicatedAtTime": "2026-11-01T00:00:00Z", "dpv:hasDuration": {"rdf:value": "P1Y"}}


@pytest.mark.parametrize(
    ("begins", "text", "ends"),
    [
        ("2024-01-31", "P1M", "2024-02-29"),
        ("2023-08-31", "P6M", "2024-02-29"),
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2023-12-31", "P1Y2M3W4D", "2025-03-25"),
        ("2024-03-01", "P30D", "2024-03-31"),
    ],
)
def test_a_duration_goes_by_the_calendar(begins, text, ends):
    found = durations.after(datetime.fromisoformat(begins).replace(tzinfo=UTC), text, ())
    assert found == datetime.fromisoformat(ends).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "P", "PT5M", "P1M1Y", "1Y", "P-1D", "P999Y9999M"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(Malformed):
        durations.after(datetime(9000, 1, 1, tzinfo=UTC), text, ())


def test_a_month_of_keeping_is_the_shortest_there_is():
    assert durations.days_of("P1M", ()) == timedelta(weeks=4).days


# Maps


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[other]",
        'purposes = "x"',
        '[purposes]\n"dpv:Marketing" = "MARKETING"',
        '[fields]\n"pd:Name" = "contact.person_name"',
        '[notices]\n"x" = "y"',
        '[recipients]\n"x" = 1',
        'time_zone = "Mars"',
    ],
)
def test_a_map_that_says_what_cannot_be_is_refused(tmp_path, text):
    file = tmp_path / "map.toml"
    file.write_text(text)
    with pytest.raises(Malformed):
        words(file)


# The published samples


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("dpv27560_AUG22.json", ("dpv:hasIdentifier",)),
        ("dpv27560_AUG23.json", ("dpv:hasIdentifier",)),
        ("dpv27560_SEP-01a.json", ("dpv:hasProcess", "0", "dpv:hasPurpose")),
    ],
)
@pytest.mark.skipif(not SAMPLES.exists(), reason="the published samples are not here")
def test_a_published_sample_is_refused_for_what_it_leaves_open(name, path):
    (raw,) = jsonld.records((SAMPLES / name).read_text(encoding="utf-8"))
    with pytest.raises(Malformed) as refused:
        read(raw, WORDS)
    assert refused.value.path == path


@pytest.mark.parametrize(
    ("name", "process", "path"),
    [
        ("dpv27560_AUG22.json", 0, "dpv:hasLegalBasis"),
        ("dpv27560_AUG23.json", 0, "dpv:hasPurpose"),
        ("dpv27560_AUG23.json", 2, "dpv:hasPurpose"),
    ],
)
@pytest.mark.skipif(not SAMPLES.exists(), reason="the published samples are not here")
def test_a_sample_with_an_identifier_is_refused_for_its_basis_or_its_purpose(name, process, path):
    (raw,) = jsonld.records((SAMPLES / name).read_text(encoding="utf-8"))
    one = raw | {"dpv:hasIdentifier": "x", "dpv:hasProcess": [raw["dpv:hasProcess"][process]]}
    with pytest.raises(Malformed) as refused:
        read(one, WORDS)
    assert refused.value.path[-1] == path


@pytest.mark.skipif(not SAMPLES.exists(), reason="the published samples are not here")
def test_a_published_sample_is_taken_over_once_its_words_are_mapped(tmp_path):
    file = tmp_path / "map.toml"
    file.write_text(
        f"""time_zone = "Europe/Oslo"
        [purposes]
        "dpv:Marketing" = "CUSTOMER_CONTACT"
        "dpv:ServiceProvision" = "PARTNER_CREDIT_DECISION"
        [fields]
        "pd:Name" = ["contact.phone"]
        "pd:BirthCountry" = ["contact.phone"]
        [recipients]
        "company:Beta" = "First Bank"
        [subjects]
        "UUID-4" = "C-1"
        [notices]
        "UUID-4" = "{A}"
        """
    )
    (raw,) = jsonld.records((SAMPLES / "dpv27560_SEP-01a.json").read_text(encoding="utf-8"))
    found = read(raw, words(file))
    assert (found.reference, [one.purpose for one in found.consents]) == (
        "C-1",
        [Purpose.CUSTOMER_CONTACT, Purpose.PARTNER_CREDIT_DECISION],
    )
    assert {one.partner for one in found.consents} == {"First Bank"}
    world, _, _ = company()
    with pytest.raises(Malformed) as unregistered:
        world.do(taking(raw, words(file)))
    assert unregistered.value.path == ("purpose",)
    file.write_text(file.read_text().replace("CUSTOMER_CONTACT", PURPOSE.value))
    (taken,) = world.do(taking(raw, words(file))).consents
    assert (taken.state, taken.kind, taken.retention_days) == (
        ConsentState.WITHDRAWN,
        ConsentKind.GENERAL,
        6 * timedelta(weeks=4).days,
    )
    assert taken.not_after.isoformat() == "2024-05-05T16:08:50+02:00"
    assert [one.at.year for one in world.current(ConsentEvent)] == [2023, 2024]
