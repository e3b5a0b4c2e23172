"""A customer objects, what it contests says so, and somebody else than who recorded it answers in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given as given_
from hypothesis import strategies as st

from domain.assessment.assessments import AssessmentKind, AssessmentState
from domain.consent.consents import ConsentUse
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import GrantConsent, WithdrawConsent
from domain.consent.handover.recalling import (
    AcknowledgeRecall,
    Compliance,
    Recall,
    RecallCause,
    RecallDisclosure,
    RecallState,
)
from domain.errors import Code, Malformed, NotFound, NotPermitted
from domain.files.correcting import CorrectTransaction, DocumentCorrection, WithdrawRecord
from domain.files.history import DocumentKind, RecordStatus
from domain.files.opening import BasicInformation, UpdateBasicInformation
from domain.files.parties import FileState
from domain.files.recording.documents import RecordTransactions
from domain.files.recording.events import RecordLitigation
from domain.objections.calendar import KNOWN
from domain.objections.handling import (
    AnnotateObjection,
    DecideObjection,
    InvestigateObjection,
    NotifyRecipients,
    Ruling,
)
from domain.objections.objections import CONTESTS, Objection, ObjectionKind, ObjectionState
from domain.objections.raising import MAX_STATEMENT, RaiseObjection, WithdrawObjection
from domain.reading import Purpose
from tests.domain.files.test_recording import given, yuan
from tests.firms import Bill, Desk
from tests.world import NOW, OTHER_TENANT, World

PURPOSE = Purpose.PARTNER_CREDIT_DECISION
TODAY = date(2026, 11, 24)
"""The day in Shanghai at NOW."""
STATEMENT, ANSWER = "We paid this invoice in May.", "The payment of May was booked to another invoice."


@pytest.fixture
def world():
    return World()


@pytest.fixture
def origin(world):
    return world.origin()


@pytest.fixture
def file(world, origin):
    return world.file(origin)


@pytest.fixture
def invoice(world, file, origin):
    return world.do(given(RecordTransactions, file, origin))[0]


@pytest.fixture
def case(world, file, origin):
    return world.do(given(RecordLitigation, file, replace(origin, source_row="9"), claim=yuan(5)))


def raise_(file, kind=ObjectionKind.RECORD, contested=None, **more):
    contested = contested and contested.id
    return RaiseObjection(credit_file=file.id, kind=kind, contested=contested, **{"statement": STATEMENT} | more)


def customer(world, file):
    return world.actor("the customer", "customer_self", subject=file.subject_id)


def raised(world, file, *what, **more):
    return world.do(raise_(file, *what, **more), customer(world, file))


def looked_into(world, objection):
    """An objection that was taken up."""
    if objection.kind in CONTESTS:
        world.do(AnnotateObjection(objection=objection.id))
    return world.do(InvestigateObjection(objection=objection.id))


def decide(objection, ruling=Ruling.UPHELD, answer=ANSWER):
    return DecideObjection(objection=objection.id, ruling=ruling, answer=answer)


def upheld(world, objection):
    looked_into(world, objection)
    return world.do(decide(objection), world.actor("zhao"))


def current(world, record):
    (found,) = [one for one in world.current(type(record)) if one.id == record.id]
    return found


def refused(world, operation, code, actor=None):
    with pytest.raises((Malformed, NotFound, NotPermitted)) as caught:
        world.do(operation, actor)
    assert caught.value.code is code
    return caught.value


def test_a_customer_contests_a_record_of_its_own(world, file, invoice):
    objection = raised(world, file, ObjectionKind.RECORD, invoice, evidence_digest="a" * 64)
    assert (objection.state, objection.raised_by) == (ObjectionState.RECEIVED, "the customer")
    assert (objection.annotate_by, objection.answer_by) == (date(2026, 11, 25), TODAY + timedelta(days=20))
    assert world.secret(objection, "statement") == STATEMENT
    entry = world.entries[-1]
    assert {objection.id, file.id, invoice.id} <= set(entry.resources)
    assert STATEMENT not in entry.leaf("0" * 64).decode()


def test_a_request_has_a_clock_of_its_own_and_contests_nothing(world, file):
    request = raised(world, file, ObjectionKind.ACCESS)
    assert (request.contested, request.annotate_by, request.answer_by) == (None, None, date(2026, 12, 15))


def test_a_customer_contests_nothing_of_others(world, file, invoice, origin):
    other = world.file(origin, "C-2", BasicInformation())
    theirs = world.actor("another", "customer_self", subject=other.subject_id)
    refused(world, raise_(file, ObjectionKind.RECORD, invoice), Code.NOT_FOUND, theirs)
    refused(world, raise_(other, ObjectionKind.RECORD, invoice), Code.NOT_FOUND, theirs)
    objection = raised(world, file, ObjectionKind.RECORD, invoice)
    refused(world, WithdrawObjection(objection=objection.id), Code.NOT_FOUND, theirs)
    refused(world, raise_(file, ObjectionKind.RECORD, invoice), Code.NOT_FOUND, world.actor(tenant=OTHER_TENANT))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": ObjectionKind.RECORD, "contested": None}, Code.MALFORMED),
        ({"kind": ObjectionKind.GRADE, "contested": None}, Code.MALFORMED),
        ({"kind": ObjectionKind.COPY}, Code.MALFORMED),
        ({"kind": ObjectionKind.GRADE}, Code.NOT_FOUND),
        ({"contested": "as_00000000000000000000000001"}, Code.NOT_FOUND),
        ({"statement": " \n"}, Code.MISSING_VALUE),
        ({"statement": "x" * (MAX_STATEMENT + 1)}, Code.MISSING_VALUE),
        ({"evidence_digest": "A" * 64}, Code.MALFORMED_CODE),
        ({"amount": yuan(0)}, Code.MALFORMED),
        ({"amount": yuan(1_000_000)}, Code.MALFORMED),
        ({"amount": replace(yuan(1), currency="USD")}, Code.MALFORMED),
    ],
)
def test_an_objection_that_makes_no_sense_is_refused_and_nothing_is_kept(world, file, invoice, changes, code):
    error = refused(world, replace(raise_(file, ObjectionKind.RECORD, invoice), **changes), code)
    assert error.advice or code is Code.NOT_FOUND
    assert world.current(Objection) == []


def test_only_of_a_receivable_a_part_is_contested(world, file, case):
    refused(world, raise_(file, ObjectionKind.RECORD, case, amount=yuan(1)), Code.MALFORMED)


def test_the_same_is_contested_once_at_a_time(world, file, invoice, case):
    first = raised(world, file, ObjectionKind.RECORD, invoice)
    refused(world, raise_(file, ObjectionKind.RECORD, invoice), Code.CONFLICT)
    raised(world, file, ObjectionKind.RECORD, case)
    world.do(WithdrawObjection(objection=first.id), customer(world, file))
    raised(world, file, ObjectionKind.RECORD, invoice)


def test_the_contested_part_of_a_receivable_neither_ages_nor_triggers_from_its_annotation_on(world, file, invoice):
    objection = raised(world, file, ObjectionKind.RECORD, invoice, amount=yuan(40))
    assert current(world, invoice).disputed is None
    annotated = world.do(AnnotateObjection(objection=objection.id))
    assert (annotated.state, annotated.annotated_at) == (ObjectionState.ANNOTATED, NOW)
    assert current(world, invoice).disputed == yuan(40)
    assert current(world, invoice).status is RecordStatus.ACTIVE


def test_of_an_invoice_of_the_books_the_whole_is_contested(world, file, origin):
    document = replace(given(RecordTransactions, file, origin).documents[0], kind=DocumentKind.SALE, source_row="77")
    sale = world.do(given(RecordTransactions, file, origin, documents=(document,)))[0]
    objection = raised(world, file, ObjectionKind.RECORD, sale)
    world.do(AnnotateObjection(objection=objection.id))
    assert current(world, sale).status is RecordStatus.DISPUTED


def test_a_record_that_is_contested_does_not_score_and_a_review_falls_due(world, file, case):
    world.put(replace(current(world, file), review_due_on=TODAY + timedelta(days=90)))
    objection = raised(world, file, ObjectionKind.RECORD, case)
    world.do(AnnotateObjection(objection=objection.id))
    assert current(world, case).status is RecordStatus.DISPUTED
    assert current(world, file).review_due_on == TODAY
    refused(world, raise_(file, ObjectionKind.RECORD, case), Code.INVALID_TRANSITION)


@pytest.mark.parametrize("end", ["rejected", "withdrawn"])
def test_what_is_rejected_or_taken_back_stands_as_before(world, file, invoice, case, end):
    world.put(replace(current(world, invoice), disputed=yuan(3)))
    for record, before in ((invoice, yuan(3)), (case, None)):
        objection = raised(world, file, ObjectionKind.RECORD, record)
        looked_into(world, objection)
        if end == "rejected":
            world.do(decide(objection, Ruling.REJECTED), world.actor("zhao"))
        else:
            world.do(WithdrawObjection(objection=objection.id), customer(world, file))
        assert current(world, record).status is RecordStatus.ACTIVE
        if before:
            assert current(world, record).disputed == before


def test_what_cannot_be_settled_keeps_its_mark_and_the_customers_statement(world, file, case):
    objection = raised(world, file, ObjectionKind.RECORD, case)
    looked_into(world, objection)
    decided = world.do(decide(objection, Ruling.UNVERIFIABLE), world.actor("zhao"))
    assert (decided.state, decided.answered_at, decided.decided_by) == (ObjectionState.UNVERIFIABLE, NOW, "zhao")
    assert current(world, case).status is RecordStatus.DISPUTED
    assert world.secret(decided, "statement") == STATEMENT
    assert world.secret(decided, "answer") == ANSWER


def test_who_had_a_hand_in_it_does_not_decide(world, file, case):
    objection = raised(world, file, ObjectionKind.RECORD, case)
    looked_into(world, objection)
    refused(world, decide(objection), Code.SEPARATION_OF_DUTY)  # wang recorded the case
    taken_down = world.do(raise_(file, ObjectionKind.RECORD, file), world.actor("sun"))
    looked_into(world, taken_down)
    refused(world, decide(taken_down), Code.SEPARATION_OF_DUTY)  # wang opened the file
    refused(world, decide(taken_down), Code.SEPARATION_OF_DUTY, world.actor("sun"))  # sun took it down
    world.do(decide(taken_down), world.actor("zhao"))


STEPS = {
    "annotate": lambda one: AnnotateObjection(objection=one.id),
    "investigate": lambda one: InvestigateObjection(objection=one.id),
    "decide": decide,
    "notify": lambda one: NotifyRecipients(objection=one.id),
    "withdraw": lambda one: WithdrawObjection(objection=one.id),
}
ALLOWED = {
    ObjectionState.RECEIVED: {"annotate", "withdraw"},
    ObjectionState.ANNOTATED: {"investigate", "withdraw"},
    ObjectionState.INVESTIGATING: {"decide", "withdraw"},
    ObjectionState.UPHELD: set(),
    ObjectionState.CORRECTED: {"notify"},
    ObjectionState.RESCORED: {"notify"},
    ObjectionState.RECIPIENTS_NOTIFIED: set(),
    ObjectionState.REJECTED: set(),
    ObjectionState.UNVERIFIABLE: set(),
    ObjectionState.WITHDRAWN: {"withdraw"},
}


@pytest.mark.parametrize("state", ObjectionState)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_taken_from_its_own_states_alone(world, file, case, state, step):
    objection = world.put(replace(raised(world, file, ObjectionKind.RECORD, case), state=state))
    actor = customer(world, file) if step == "withdraw" else world.actor("zhao")
    if step in ALLOWED[state]:
        world.do(STEPS[step](objection), actor)
    else:
        refused(world, STEPS[step](objection), Code.INVALID_TRANSITION, actor)
        assert current(world, objection) == objection


def test_a_request_is_taken_up_at_once_and_granted_or_rejected(world, file):
    request = raised(world, file, ObjectionKind.EXPLANATION)
    refused(world, AnnotateObjection(objection=request.id), Code.INVALID_TRANSITION)
    world.do(InvestigateObjection(objection=request.id))
    refused(world, decide(request, Ruling.UNVERIFIABLE), Code.MALFORMED)
    assert world.do(decide(request), world.actor("zhao")).state is ObjectionState.UPHELD


def test_an_invoice_that_is_put_right_is_contested_no_more(world, file, invoice):
    world.put(replace(current(world, invoice), disputed=yuan(3)))
    upheld(world, raised(world, file, ObjectionKind.RECORD, invoice, amount=yuan(40)))
    assert current(world, invoice).disputed == yuan(40)
    world.do(CorrectTransaction(record=invoice.id, changes=DocumentCorrection(number="F-9"), reason="As objected"))
    assert current(world, invoice).disputed == yuan(3)
    said = DocumentCorrection(disputed=yuan(7))
    world.do(CorrectTransaction(record=invoice.id, changes=said, reason="A part is still contested"))
    assert current(world, invoice).disputed == yuan(7)


def test_a_grade_that_was_contested_and_upheld_is_rescored_by_the_next_assessment():
    desk = Desk()
    world, file = desk.world, desk.open("Acme", established_on=date(2010, 5, 1))
    desk.bill(file, *(Bill(date(2026, month, 1), 30_000, 0) for month in range(1, 11)))
    found = desk.assess(file)
    first = desk.approve(found) if found.state is AssessmentState.IN_REVIEW else found
    objection = raised(world, file, ObjectionKind.GRADE, first)
    looked_into(world, objection)
    refused(world, decide(objection), Code.SEPARATION_OF_DUTY, world.actor(first.prepared_by))
    refused(world, decide(objection), Code.SEPARATION_OF_DUTY, world.actor("zhao"))  # looks after the account
    world.do(decide(objection), world.actor("qian"))
    world.clock.move(days=2)
    again = desk.assess(file, kind=AssessmentKind.OBJECTION)
    if again.state is AssessmentState.IN_REVIEW:
        desk.approve(again)
    assert current(world, objection).state is ObjectionState.RESCORED
    assert world.do(NotifyRecipients(objection=objection.id)).state is ObjectionState.RECIPIENTS_NOTIFIED
    assert world.current(Recall) == []


def test_a_record_put_right_corrects_what_was_upheld_and_nothing_else(world, file, invoice, case):
    right = upheld(world, raised(world, file, ObjectionKind.RECORD, invoice))
    waiting = looked_into(world, raised(world, file, ObjectionKind.RECORD, case))
    world.do(CorrectTransaction(record=invoice.id, changes=DocumentCorrection(number="F-9"), reason="As objected"))
    assert current(world, right).state is ObjectionState.CORRECTED
    world.do(WithdrawRecord(record=case.id, reason="Another firm of this name"))
    assert current(world, waiting).state is ObjectionState.INVESTIGATING


def test_recipients_are_told_once_the_file_is_assessed_where_a_review_is_due(world, file, case):
    world.put(replace(current(world, file), review_due_on=TODAY + timedelta(days=90)))
    objection = upheld(world, raised(world, file, ObjectionKind.RECORD, case))
    world.do(WithdrawRecord(record=case.id, reason="Another firm of this name"))
    refused(world, NotifyRecipients(objection=objection.id), Code.INVALID_TRANSITION)
    world.put(replace(current(world, file), review_due_on=TODAY + timedelta(days=365)))
    assert world.do(NotifyRecipients(objection=objection.id)).state is ObjectionState.RECIPIENTS_NOTIFIED


@pytest.fixture
def bank(world):
    return world.partner()


@pytest.fixture
def disclosure(world, file, bank):
    """A phone that a partner got with consent."""
    consent = GrantConsent(
        credit_file=file.id,
        partner=bank.id,
        purpose=PURPOSE,
        fields=("contact.phone", "contact.email"),
        use=ConsentUse.STANDING,
        not_after=NOW + timedelta(days=30),
        notice_digest="0" * 64,
        given_by="Wang",
    )
    world.do(consent)
    asked = RequestDisclosure(
        credit_file=file.id, purpose=PURPOSE, fields=("contact.phone", "contact.email"), idempotency_key="key-0001"
    )
    return world.do(asked, world.actor("bank", partner=bank.id)).disclosure


def test_who_got_what_was_wrong_is_told_and_answers(world, file, bank, disclosure, origin):
    objection = upheld(world, raised(world, file, ObjectionKind.RECORD, file))
    right = UpdateBasicInformation(credit_file=file.id, origin=origin, basic=BasicInformation(phone="+8613900139000"))
    world.do(right)
    assert current(world, objection).state is ObjectionState.CORRECTED
    world.do(NotifyRecipients(objection=objection.id))
    (recall,) = world.current(Recall)
    assert (recall.partner, recall.disclosure, recall.cause) == (bank.id, disclosure.id, RecallCause.CORRECTION)
    assert (recall.state, recall.answer_by) == (RecallState.SENT, TODAY + timedelta(days=15))
    answer = AcknowledgeRecall(recall=recall.id, compliance=Compliance.CORRECTED)
    refused(world, answer, Code.NOT_FOUND, world.actor("other", partner=world.partner("Second Bank").id))
    own = world.actor("bank", partner=bank.id)
    assert world.do(answer, own).state is RecallState.ACKNOWLEDGED
    assert world.do(answer, own).compliance is Compliance.CORRECTED
    refused(world, replace(answer, compliance=Compliance.DELETED), Code.INVALID_TRANSITION, own)


def test_what_was_disclosed_under_a_consent_is_recalled_when_that_is_withdrawn(world, file, disclosure):
    withdraw = WithdrawConsent(consent=disclosure.consent)
    world.do(withdraw, customer(world, file))
    (recall,) = world.current(Recall)
    assert (recall.cause, recall.disclosure, recall.fields) == (
        RecallCause.WITHDRAWAL,
        disclosure.id,
        disclosure.fields,
    )
    world.do(withdraw, customer(world, file))
    assert len(world.current(Recall)) == 1


def test_a_disclosure_is_recalled_by_hand_and_not_twice_while_it_waits(world, disclosure, bank):
    recall = RecallDisclosure(disclosure=disclosure.id, cause=RecallCause.REPAIR, reason="Repaired today")
    first = world.do(recall)
    assert set(first.fields) == set(disclosure.fields)
    assert world.do(replace(recall, fields=("contact.phone",))).id == first.id
    refused(world, replace(recall, fields=("identity.uscc",)), Code.MALFORMED)
    refused(world, replace(recall, reason=" "), Code.MISSING_VALUE)
    world.do(AcknowledgeRecall(recall=first.id, compliance=Compliance.DELETED), world.actor("b", partner=bank.id))
    assert world.do(recall).id != first.id


def test_a_restricted_file_is_objected_to_and_an_erased_one_is_not(world, file):
    restricted = world.put(replace(file, state=FileState.RESTRICTED))
    raised(world, restricted, ObjectionKind.DELETION)
    world.put(replace(restricted, state=FileState.ERASED))
    refused(world, raise_(file, ObjectionKind.COPY), Code.NOT_FOUND, customer(world, file))


def test_holidays_are_not_worked_and_the_days_in_their_place_are():
    assert KNOWN.after(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert KNOWN.is_worked(date(2026, 10, 10))
    assert not KNOWN.is_worked(date(2026, 10, 11))
    assert KNOWN.after(date(2026, 2, 13), 2) == date(2026, 2, 24)


def test_in_a_year_without_a_calendar_every_day_counts_so_that_nobody_is_answered_late():
    assert KNOWN.after(date(2026, 12, 31), 3) == date(2027, 1, 3)


@given_(st.dates(date(2024, 1, 1), date(2030, 1, 1)), st.integers(1, 40))
def test_a_deadline_lies_ahead_on_a_working_day_and_never_moves_back(day, count):
    due = KNOWN.after(day, count)
    assert due > day
    assert KNOWN.is_worked(due)
    assert due <= KNOWN.after(day + timedelta(days=1), count)
    assert due < KNOWN.after(day, count + 1)
