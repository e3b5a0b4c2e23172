"""What rests on a wrong record falls: its review is due, and the grade stays until another is in force."""

from dataclasses import replace
from datetime import date

import pytest

from domain.assessment.assessments import Assessment, AssessmentKind, AssessmentState
from domain.assessment.scale import Grade
from domain.controls import ControlAction, ControlState
from domain.errors import NotPermitted
from domain.files.correcting import CorrectRecord, CorrectTransaction, DocumentCorrection, WithdrawRecord
from domain.files.history import (
    DefaultEvent,
    DefaultKind,
    DocumentState,
    FinancialStatement,
    LitigationRecord,
    LitigationSeverity,
    TradeTransaction,
)
from domain.files.values import SealedCorrection
from tests.firms import TODAY, Bill, Desk, yuan

REASON = "Misread"
GOOD = {"current_assets": 3_000_000, "total_liabilities": 1_000_000, "net_profit": 500_000}


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture(name="file")
def _file(desk):
    """A good customer with an assessment in force, bar a severe case that a court register reports."""
    file = desk.open("Acme", established_on=date(2010, 5, 1), industry_code="I6513")
    desk.bill(file, *(Bill(date(2026, month, 1), 30_000, 0) for month in range(1, 11)))
    desk.statement(file, date(2026, 6, 30), audited=True, **GOOD)
    desk.case(file, LitigationSeverity.SEVERE, date(2026, 10, 1))
    settle(desk, file)
    desk.world.clock.move(days=3)
    return file


def settle(desk, file):
    """An assessment in force, whoever had to decide on it."""
    found = desk.assess(file)
    return desk.approve(found) if found.state is AssessmentState.IN_REVIEW else found


def state(desk, file):
    """Where the newest assessment of a file stands."""
    return [each for each in desk.world.current(Assessment) if each.credit_file == file.id][-1].state


def correct(desk, record, field, **value):
    values = (SealedCorrection(field=field, **value),)
    return desk.world.do(CorrectRecord(record=record.id, values=values, reason=REASON))


def current(desk, kind):
    return desk.world.current(kind)[0]


def test_a_corrected_input_invalidates_the_assessment_and_its_review_is_due_today(desk, file):
    before = desk.file(file)
    correct(desk, current(desk, LitigationRecord), "litigation.severity", text="NONE")
    after = desk.file(file)
    (assessment,) = desk.world.current(Assessment)
    assert (assessment.state, after.assessment) == (AssessmentState.INVALIDATED, assessment.id)
    assert after.review_due_on == date(2026, 11, 27)
    kept = ("grade", "score", "tier", "credit_limit", "net_days", "prepayment_bp", "credit_status")
    assert {name: getattr(after, name) for name in kept} == {name: getattr(before, name) for name in kept}
    entry = desk.world.entries[-1]
    assert {assessment.id, file.id} <= set(entry.resources)


def test_the_grade_is_restored_without_waiting_and_by_another_person(desk, file):
    assert desk.file(file).grade is Grade.A
    desk.world.do(WithdrawRecord(record=current(desk, LitigationRecord).id, reason=REASON))
    desk.case(file, LitigationSeverity.NONE, date(2026, 11, 20))
    found = desk.assess(file, kind=AssessmentKind.OBJECTION)
    assert (found.grade, found.state) == (Grade.AA, AssessmentState.IN_REVIEW)
    assert "UPGRADE_TOO_SOON" not in {reason.code for reason in found.reasons}
    with pytest.raises(NotPermitted):
        desk.approve(found, desk.analyst)
    desk.approve(found, desk.manager)
    assert desk.file(file).grade is Grade.AA
    states = {each.id: each.state for each in desk.world.current(Assessment)}
    assert sorted(each.value for each in states.values()) == ["INVALIDATED", "IN_FORCE"]


def test_a_restored_grade_within_an_analysts_level_still_waits_for_another_person(desk):
    file = desk.open("Beta")
    desk.bill(file, *(Bill(date(2026, month, 1), 30_000, 20) for month in range(1, 11)))
    desk.statement(file, date(2026, 6, 30), audited=True, **GOOD)
    settle(desk, file)
    earlier = desk.file(file).grade
    for document in desk.world.current(TradeTransaction):
        changes = DocumentCorrection(settled_on=document.due_on)
        desk.world.do(CorrectTransaction(record=document.id, changes=changes, reason=REASON))
    found = desk.assess(file)
    assert found.grade.rank < earlier.rank
    assert (found.approver_level, found.state) == ("ANALYST", AssessmentState.IN_REVIEW)


def test_a_correction_against_the_customer_lowers_the_grade_at_once(desk, file):
    desk.bill(file, Bill(date(2026, 11, 1), 30_000, None))
    earlier = settle(desk, file)
    desk.world.clock.move(minutes=1)
    for document in desk.world.current(TradeTransaction)[:6]:
        changes = DocumentCorrection(settled_on=date(2026, 11, 20))
        desk.world.do(CorrectTransaction(record=document.id, changes=changes, reason=REASON))
    found = desk.assess(file, kind=AssessmentKind.EVENT)
    assert found.grade.rank > earlier.grade.rank


@pytest.mark.parametrize(
    ("changes", "falls"),
    [
        (DocumentCorrection(total=yuan(31_000), net=yuan(31_000)), True),
        (DocumentCorrection(due_on=date(2026, 1, 2)), True),
        (DocumentCorrection(settled_on=date(2026, 1, 3)), True),
        (DocumentCorrection(state=DocumentState.VOID), True),
        (DocumentCorrection(disputed=yuan(5)), True),
        (DocumentCorrection(number="other"), True),
        (DocumentCorrection(state=DocumentState.SETTLED), False),
        (DocumentCorrection(tax=yuan(3)), False),
    ],
)
def test_only_what_an_assessment_reads_invalidates_it(desk, file, changes, falls):
    document = current(desk, TradeTransaction)
    desk.world.do(CorrectTransaction(record=document.id, changes=changes, reason=REASON))
    assert (state(desk, file) is AssessmentState.INVALIDATED) is falls
    assert (desk.file(file).review_due_on == date(2026, 11, 27)) is falls


def test_a_payment_after_the_day_of_the_assessment_is_news_and_no_correction(desk):
    file = desk.example()
    desk.bill(file, Bill(date(2026, 11, 1), 100, None))
    settle(desk, file)
    desk.world.clock.move(days=2)
    open_ = next(each for each in desk.world.current(TradeTransaction) if each.settled_on is None)
    paid = DocumentCorrection(settled_on=date(2026, 11, 26), state=DocumentState.SETTLED)
    desk.world.do(CorrectTransaction(record=open_.id, changes=paid, reason="Paid"))
    assert state(desk, file) is AssessmentState.IN_FORCE


def test_a_value_that_nothing_reads_is_put_right_and_nothing_falls(desk, file):
    correct(desk, current(desk, LitigationRecord), "litigation.court", text="Chaoyang Court")
    assert state(desk, file) is AssessmentState.IN_FORCE


def test_what_was_recorded_after_an_assessment_did_not_lead_to_it(desk, file):
    desk.statement(file, date(2026, 9, 30), **GOOD)
    newest = max(desk.world.current(FinancialStatement), key=lambda each: each.period_end)
    desk.world.do(WithdrawRecord(record=newest.id, reason=REASON))
    assert state(desk, file) is AssessmentState.IN_FORCE


def test_another_customers_assessment_stands(desk, file):
    other = desk.example("Beta")
    settle(desk, other)
    desk.world.do(WithdrawRecord(record=current(desk, LitigationRecord).id, reason=REASON))
    states = {each.credit_file: each.state for each in desk.world.current(Assessment)}
    assert states == {file.id: AssessmentState.INVALIDATED, other.id: AssessmentState.IN_FORCE}


def test_an_assessment_that_waits_is_withdrawn_with_what_it_proposed(desk):
    file = desk.example()
    desk.default(file, DefaultKind.INSOLVENCY, date(2026, 11, 2))
    waiting = desk.assess(file)
    assert waiting.state is AssessmentState.IN_REVIEW
    insolvency = max(desk.world.current(DefaultEvent), key=lambda each: each.id)
    desk.world.do(WithdrawRecord(record=insolvency.id, reason=REASON))
    assert state(desk, file) is AssessmentState.WITHDRAWN
    assert {each.state for each in desk.world.current(ControlAction)} == {ControlState.CANCELLED}
    assert desk.file(file).review_due_on == TODAY


def test_a_review_that_is_overdue_already_keeps_its_day(desk, file):
    desk.set(replace(desk.file(file), review_due_on=date(2026, 11, 1)))
    desk.world.do(WithdrawRecord(record=current(desk, LitigationRecord).id, reason=REASON))
    assert desk.file(file).review_due_on == date(2026, 11, 1)


@pytest.mark.usefixtures("file")
def test_a_second_correction_finds_nothing_left_to_invalidate(desk):
    right = correct(desk, current(desk, LitigationRecord), "litigation.severity", text="MINOR")
    before = desk.world.versions(desk.world.current(Assessment)[0])
    correct(desk, right, "litigation.severity", text="NONE")
    assert desk.world.versions(desk.world.current(Assessment)[0]) == before
