"""The loop from records to measures, on both databases."""

from datetime import timedelta

import pytest

from domain.assessment.assessments import Assessment, AssessmentState
from domain.assessment.scale import ControlKind, Grade
from domain.controls import ApproveControlAction, ControlAction, ControlState
from domain.files.history import DefaultKind, DocumentKind
from domain.files.parties import CreditStatus
from tests.firms import TODAY, Desk, yuan
from tests.stored import StoredWorld


@pytest.fixture
def desk(database, loop, tmp_path):
    with StoredWorld(database, loop, tmp_path) as world:
        yield Desk(world)


def test_records_become_a_grade_a_person_approves_and_measures_follow(desk):
    file = desk.example()
    waiting = desk.assess(file, requested_limit=yuan(90_000))
    assert (waiting.score, waiting.grade, waiting.credit_limit) == (64, Grade.BBB, yuan(74_000))
    desk.world.clock.move(minutes=5)
    approved = desk.approve(waiting, desk.manager)
    now = desk.file(file)
    assert (now.assessment, now.grade, now.credit_limit) == (approved.id, Grade.BBB, yuan(74_000))
    watch = next(
        action for action in desk.world.current(ControlAction) if action.kind is ControlKind.INTENSIFY_MONITORING
    )
    active = desk.world.do(ApproveControlAction(control_action=watch.id), desk.manager)
    assert active.state is ControlState.ACTIVE
    assert desk.file(file).credit_status is CreditStatus.WATCH
    assert desk.world.findings() == []


def test_an_assessment_is_superseded_and_a_knock_out_blocks(desk):
    file = desk.open()
    first = desk.assess(file)
    desk.world.clock.move(minutes=5)
    desk.default(file, DefaultKind.INSOLVENCY, TODAY)
    blocked = desk.approve(desk.assess(file))
    states = {each.id: each.state for each in desk.world.current(Assessment)}
    assert states == {first.id: AssessmentState.SUPERSEDED, blocked.id: AssessmentState.IN_FORCE}
    assert desk.file(file).credit_status is CreditStatus.HOLD


def test_a_firm_is_assessed_by_its_invoices(desk):
    file = desk.open()
    for month in range(12):
        day = TODAY - timedelta(days=15 + 30 * month)
        for buyer in ("b1", "b2", "b3"):
            desk.invoice(file, DocumentKind.SALE, day, 100_000, other=buyer)
        desk.invoice(file, DocumentKind.PURCHASE, day, 200_000, other="s1")
    found = desk.assess(file)
    assert (found.card, found.score) == ("INVOICE", desk.assess(file).score)
    assert found.grade is not None
