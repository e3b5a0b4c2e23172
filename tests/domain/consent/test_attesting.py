"""A partner learns yes or no and nothing else, and not by asking often either."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.assessment.assessments import AssessmentState
from domain.assessment.scale import Grade
from domain.audit import Outcome
from domain.consent.attesting.attesting import Attestation, RequestAttestation
from domain.consent.attesting.predicates import ATTESTABLE, PERIOD_DAYS, PREDICATES, PredicateCode
from domain.consent.consents import Consent, ConsentUse, Disclosure
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import WithdrawConsent
from domain.consent.handover.recalling import Recall, RecallCause
from domain.consent.terms import ConsentTerms
from domain.consent.words import DisclosureAction
from domain.custody.holds import LiftLegalHold, PlaceLegalHold
from domain.errors import Code, Malformed, NotConsented, NotFound
from domain.objections.objections import Objection, ObjectionKind, ObjectionState
from domain.reading import Purpose
from tests.domain.consent.test_giving import grant
from tests.domain.test_assessing import good
from tests.firms import TODAY, Bill, Desk, yuan

PURPOSE = Purpose.PARTNER_CREDIT_DECISION
GRADE, SCORE, OVERDUE = PredicateCode
TAGS = tuple(ATTESTABLE)
TERMS = ConsentTerms(actions=(DisclosureAction.ATTEST,), lookback_days=365)


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def world(desk):
    return desk.world


@pytest.fixture
def file(desk):
    """A customer with grade A and 74 points."""
    opened = good(desk)
    found = desk.assess(opened, requested_limit=yuan(50_000))
    if found.state is AssessmentState.IN_REVIEW:
        desk.approve(found, desk.manager)
    return desk.file(opened)


@pytest.fixture
def partner(world):
    return world.partner()


@pytest.fixture
def bank(world, partner):
    return world.actor("bank", "partner_client", partner=partner.id)


@pytest.fixture
def consent(world, file, partner):
    return world.do(grant(file, partner, fields=TAGS, terms=TERMS))


def ago(days, **more):
    """A receivable issued so many days ago, and due 15 days later."""
    return Bill(**{"issued_on": TODAY - timedelta(days=days), "amount": 100, "paid_after": None} | more)


KEYS = iter(range(10_000, 99_999))


def ask(file, predicate=GRADE, threshold="A", key=None, **more):
    said = {"credit_file": file.id, "purpose": PURPOSE, "predicate": predicate, "threshold": threshold}
    return RequestAttestation(**said | {"idempotency_key": key or f"key-{next(KEYS)}"} | more)


def told(world, operation, actor):
    """The answer that leaves, as it is signed."""
    return json.loads(world.perform(operation, actor).signed)["claims"]


def cause(world, operation, actor):
    """Why it was refused, as the log has it."""
    with pytest.raises(NotConsented) as refused:
        world.do(operation, actor)
    assert (world.entries[-1].outcome, world.entries[-1].cause) == (Outcome.REFUSED, refused.value.cause)
    return refused.value.cause


@pytest.mark.parametrize(
    ("predicate", "threshold", "more", "answer"),
    [
        (GRADE, "BBB", {}, True),
        (GRADE, "A", {}, True),
        (GRADE, "AA", {}, False),
        (GRADE, "D", {}, True),
        (SCORE, "0", {}, True),
        (SCORE, "74", {}, True),
        (SCORE, "75", {}, False),
        (SCORE, "100", {}, False),
    ],
)
def test_the_answer_is_yes_or_no_and_the_value_is_nowhere_in_it(
    world, file, consent, bank, predicate, threshold, more, answer
):
    claims = told(world, ask(file, predicate, threshold, **more), bank)
    assert (claims["answer"], claims["threshold"], claims["predicate"]) == (answer, threshold, f"{predicate.value}/1")
    assert claims["obligations"] == ["NO_REDISCLOSURE", "DELETE_BY"]
    assert "data" not in claims
    text = json.dumps(claims)
    assert file.id not in text
    assert file.subject_id not in text
    (kept,) = world.current(Attestation)
    assert (kept.answer, kept.threshold) == (answer, threshold)
    entry = world.entries[-2]  # the last one is that of what was handed over
    assert (entry.action, entry.fields, entry.consent) == (
        "disclosure:attest",
        (PREDICATES[predicate].tag,),
        f"{consent.id}/1",
    )
    assert world.entries[-1].action == "disclosure:hand_over"


@pytest.mark.parametrize(
    ("bills", "threshold", "answer"),
    [
        ([ago(200, paid_after=90)], "90", True),
        ([ago(200, paid_after=91)], "90", False),
        ([ago(200, paid_after=-3)], "0", True),
        ([ago(106)], "90", False),
        ([ago(105)], "90", True),
        (
            [ago(301, paid_after=200), ago(0)],
            "9",
            True,
        ),
        (
            [ago(200, disputed=100), ago(0)],
            "9",
            True,
        ),
        (
            [ago(200, disputed=99), ago(0)],
            "9",
            False,
        ),
    ],
)
@pytest.mark.usefixtures("consent")
def test_what_was_overdue_in_the_days_looked_back_over_counts_and_what_is_disputed_does_not(
    desk, world, file, bank, bills, threshold, answer
):
    desk.bill(file, *bills)
    assert told(world, ask(file, OVERDUE, threshold, days_back=300), bank)["answer"] is answer


def test_what_is_not_there_is_not_told_and_uses_nothing_up(desk, world, partner, bank):
    bare = desk.open("Bare")
    world.do(grant(bare, partner, fields=TAGS, terms=TERMS, use=ConsentUse.ONE_TIME))
    for predicate, threshold, more in ((GRADE, "A", {}), (SCORE, "1", {}), (OVERDUE, "1", {"days_back": 9})):
        with pytest.raises(NotFound):
            world.do(ask(bare, predicate, threshold, **more), bank)
    assert [one.uses for one in world.current(Consent) if one.credit_file == bare.id] == [0]
    assert world.current(Attestation) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fields": TAGS[1:]}, "FIELD_NOT_COVERED"),
        ({"terms": ConsentTerms(lookback_days=365)}, "ACTION_NOT_COVERED"),
        ({"purpose": Purpose.PARTNER_CREDIT_DECISION, "fields": ("contact.phone",)}, "FIELD_NOT_COVERED"),
    ],
)
def test_a_consent_has_to_name_the_fact_and_to_allow_that_it_is_attested(world, file, partner, bank, changes, reason):
    assert cause(world, ask(file), bank) == "NO_CONSENT"
    world.do(grant(file, partner, **{"fields": TAGS, "terms": TERMS} | changes))
    assert cause(world, ask(file), bank) == reason


@pytest.mark.usefixtures("consent")
def test_a_fact_that_is_attested_is_never_disclosed_itself(world, file, bank):
    for action in DisclosureAction:
        raw = RequestDisclosure(
            credit_file=file.id, purpose=PURPOSE, fields=TAGS[:1], idempotency_key="raw-00001", action=action
        )
        assert cause(world, raw, bank) == "UNKNOWN_FIELD"


@pytest.mark.parametrize("days_back", [366, 3_660])
@pytest.mark.usefixtures("consent")
def test_a_consent_opens_what_lies_as_far_back_as_it_says_and_no_further(desk, world, file, bank, days_back):
    desk.bill(file, ago(100, paid_after=1))
    assert cause(world, ask(file, OVERDUE, "90", days_back=days_back), bank) == "OUTSIDE_LOOKBACK"
    assert told(world, ask(file, OVERDUE, "90", days_back=365), bank)["answer"] is True


def test_without_a_lookback_no_dated_record_is_told_of(desk, world, file, partner, bank):
    terms = ConsentTerms(actions=(DisclosureAction.ATTEST,))
    world.do(grant(file, partner, fields=TAGS, terms=terms))
    desk.bill(file, ago(0, paid_after=1))
    assert cause(world, ask(file, OVERDUE, "90", days_back=1), bank) == "OUTSIDE_LOOKBACK"
    assert told(world, ask(file), bank)["answer"] is True


@pytest.mark.parametrize("predicate", PREDICATES.values())
@pytest.mark.usefixtures("consent")
def test_nobody_finds_a_value_by_halving(desk, world, file, bank, predicate):
    desk.bill(file, ago(100, paid_after=1))
    more = {"days_back": 200} if predicate.looks_back else {}
    values = [grade.value for grade in Grade] if predicate.code is GRADE else ["10", "20", "40", "50", "60"]
    for threshold in values[: predicate.thresholds]:
        world.do(ask(file, predicate.code, threshold, **more), bank)
    beyond = values[predicate.thresholds]
    assert cause(world, ask(file, predicate.code, beyond, **more), bank) == "THRESHOLDS_EXHAUSTED"
    for threshold in values[: predicate.thresholds]:  # what was answered is answered again
        world.do(ask(file, predicate.code, threshold, **more), bank)
    if predicate.looks_back:  # the same days over another span are another question
        assert cause(world, ask(file, predicate.code, values[0], days_back=201), bank) == "THRESHOLDS_EXHAUSTED"
    world.clock.move(days=PERIOD_DAYS, seconds=1)
    world.do(ask(file, predicate.code, beyond, **more), bank)


@pytest.mark.usefixtures("consent")
def test_another_consent_gives_no_further_thresholds_and_another_partner_has_its_own(world, file, partner, bank):
    for threshold in ("AAA", "AA"):
        world.do(ask(file, threshold=threshold), bank)
    world.do(grant(file, partner, fields=TAGS, terms=TERMS))
    assert cause(world, ask(file, threshold="A"), bank) == "THRESHOLDS_EXHAUSTED"
    other = world.partner("Second Bank")
    world.do(grant(file, other, fields=TAGS, terms=TERMS))
    world.do(ask(file, threshold="A"), world.actor("second", "partner_client", partner=other.id))


def test_an_answer_is_a_use_and_the_same_key_uses_nothing_more(world, file, partner, bank):
    world.do(grant(file, partner, fields=TAGS, terms=TERMS, use=ConsentUse.ONE_TIME))
    first = told(world, ask(file, key="key-0001"), bank)
    assert [one.uses for one in world.current(Consent)] == [1]
    again = told(world, ask(file, key="key-0001"), bank)
    assert (again["answer"], again["as_of"]) == (first["answer"], first["as_of"])
    assert cause(world, ask(file), bank) == "CONSUMED"
    with pytest.raises(Malformed) as refused:
        world.do(ask(file, key="key-0001", threshold="B"), bank)
    assert refused.value.code is Code.CONFLICT
    assert len(world.current(Disclosure)) == len(world.current(Attestation)) == 1


def test_a_withdrawal_recalls_an_answer_too_and_it_is_told_no_more(world, file, consent, bank):
    world.do(ask(file, key="key-0001"), bank)
    world.do(WithdrawConsent(consent=consent.id))
    (recall,) = world.current(Recall)
    assert (recall.cause, recall.fields) == (RecallCause.WITHDRAWAL, (TAGS[0],))
    assert cause(world, ask(file, key="key-0001"), bank) == "WITHDRAWN"


@pytest.mark.parametrize(
    ("predicate", "threshold", "days_back", "path"),
    [
        (GRADE, "a", None, "threshold"),
        (GRADE, "", None, "threshold"),
        (GRADE, "A", 3, "daysBack"),
        (SCORE, "101", None, "threshold"),
        (SCORE, "-1", None, "threshold"),
        (SCORE, "07", None, "threshold"),
        (SCORE, "1.5", None, "threshold"),
        (SCORE, "٧", None, "threshold"),
        (OVERDUE, "90", None, "daysBack"),
        (OVERDUE, "90", 0, "daysBack"),
        (OVERDUE, "90", 3_661, "daysBack"),
        (OVERDUE, "3661", 30, "threshold"),
    ],
)
@pytest.mark.usefixtures("consent")
def test_what_is_no_threshold_is_refused_and_not_repeated(world, file, bank, predicate, threshold, days_back, path):
    with pytest.raises(Malformed) as refused:
        world.do(ask(file, predicate, threshold, days_back=days_back), bank)
    assert refused.value.path == (path,)
    assert refused.value.advice


@pytest.mark.parametrize("contested", ["id", "assessment"])
@pytest.mark.usefixtures("consent")
def test_what_the_customer_contests_is_not_told_bare(desk, world, file, bank, contested):
    desk.bill(file, ago(0, paid_after=1))
    objection = Objection(
        stamp=world.unit().stamp(Objection, subject=file.subject_id),
        credit_file=file.id,
        kind=ObjectionKind.GRADE,
        contested=getattr(file, contested),
        state=ObjectionState.ANNOTATED,
        raised_by="the customer",
        received_at=world.clock.now(),
        answer_by=TODAY,
    )
    unit = world.unit()
    unit.add([objection])
    world.store.state = unit.merged()
    assert cause(world, ask(file), bank) == cause(world, ask(file, SCORE, "1"), bank) == "DISPUTED"
    assert told(world, ask(file, OVERDUE, "1", days_back=9), bank)["answer"] is True
    (own,) = world.current(Objection)
    world.put(replace(own, state=ObjectionState.REJECTED))
    assert told(world, ask(file), bank)["answer"] is True


@pytest.mark.usefixtures("consent")
def test_while_the_law_forbids_it_nothing_is_told_and_nothing_disclosed(world, file, partner, bank):
    world.do(grant(file, partner))
    raw = {"credit_file": file.id, "purpose": PURPOSE, "fields": ("contact.phone",)}
    told(world, ask(file, key="key-0001"), bank)
    plain = world.do(PlaceLegalHold(credit_file=file.id, reason="a case", owner="legal"))
    assert told(world, ask(file), bank)["answer"] is True
    hold = world.do(PlaceLegalHold(credit_file=file.id, reason="sealed", owner="legal", bars_disclosure=True))
    for operation in (ask(file), ask(file, key="key-0001"), RequestDisclosure(**raw, idempotency_key="raw-00002")):
        assert cause(world, operation, bank) == "LEGAL_HOLD"
    world.do(LiftLegalHold(hold=hold.id, reason="unsealed"))
    assert told(world, ask(file), bank)["answer"] is True
    assert plain.bars_disclosure is False
