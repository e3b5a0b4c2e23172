from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assessment.scale import ControlBasis, ControlKind, Tier
from domain.controls import (
    BASES_NOT_OFFERED,
    KINDS_NOT_PROPOSED,
    RESTRICTIONS,
    ApproveControlAction,
    ControlAction,
    ControlState,
    LiftControlAction,
    ProposeControlAction,
    credit_status,
)
from domain.errors import Code, Conflict, Malformed, NotPermitted
from domain.files.parties import CreditStatus, FileState
from tests.firms import TODAY, Desk

OFFERED = sorted(set(ControlKind) - set(KINDS_NOT_PROPOSED), key=lambda kind: kind.value)
GROUNDS = sorted(set(ControlBasis) - set(BASES_NOT_OFFERED), key=lambda basis: basis.value)
ORDER = [CreditStatus.OK, CreditStatus.WATCH, CreditStatus.HOLD]


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def file(desk):
    return desk.open()


def proposal(file, **change):
    return ProposeControlAction(
        **{
            "credit_file": file.id,
            "kind": ControlKind.FREEZE_NEW_ORDERS,
            "basis": ControlBasis.CONTRACT_CLAUSE,
            "scope": "New orders of all services.",
            "exit_condition": "All invoices are paid.",
            "deadline_on": TODAY,
        }
        | change
    )


def proposed(desk, file, **change):
    return desk.world.do(proposal(file, **change), desk.analyst)


def approved(desk, file, **change):
    action = proposed(desk, file, **change)
    return desk.world.do(ApproveControlAction(control_action=action.id), desk.manager)


def lift(desk, action, reason="All is paid.", actor=None):
    return desk.world.do(LiftControlAction(control_action=action.id, reason=reason), actor or desk.manager)


def test_a_proposal_changes_nothing_until_another_person_approves_it(desk, file):
    action = proposed(desk, file)
    assert (action.state, action.proposed_by, action.approved_by) == (ControlState.PROPOSED, "an", None)
    assert desk.file(file).credit_status is CreditStatus.OK
    action = desk.world.do(ApproveControlAction(control_action=action.id), desk.manager)
    assert (action.state, action.approved_by) == (ControlState.ACTIVE, "ma")
    assert [each.state for each in desk.world.versions(action)] == [ControlState.PROPOSED, ControlState.ACTIVE]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ControlKind.FREEZE_NEW_ORDERS, CreditStatus.HOLD),
        (ControlKind.INTENSIFY_MONITORING, CreditStatus.WATCH),
        (ControlKind.REQUIRE_PREPAYMENT, CreditStatus.OK),
        (ControlKind.DEMAND_LETTER, CreditStatus.OK),
    ],
)
def test_new_business_stands_as_the_active_measures_say_until_they_are_lifted(desk, file, kind, status):
    action = approved(desk, file, kind=kind)
    assert desk.file(file).credit_status is status
    assert lift(desk, action).state is ControlState.LIFTED
    assert desk.file(file).credit_status is CreditStatus.OK


def test_what_is_left_active_still_counts(desk, file):
    freeze = approved(desk, file)
    approved(desk, file, kind=ControlKind.INTENSIFY_MONITORING)
    assert desk.file(file).credit_status is CreditStatus.HOLD
    lift(desk, freeze)
    assert desk.file(file).credit_status is CreditStatus.WATCH


def test_a_blocked_customer_stays_on_hold_whatever_is_lifted(desk, file):
    action = approved(desk, file)
    desk.set(replace(desk.file(file), tier=Tier.BLOCKED))
    lift(desk, action)
    assert desk.file(file).credit_status is CreditStatus.HOLD


@pytest.mark.parametrize("status", [CreditStatus.STOP, CreditStatus.NO_CHECK, CreditStatus.ONE_INVOICE_ONLY])
def test_what_a_person_set_by_hand_stays(desk, file, status):
    desk.set(replace(desk.file(file), credit_status=status))
    approved(desk, file)
    assert desk.file(file).credit_status is status


@given(
    st.sampled_from(ORDER),
    st.none() | st.sampled_from(Tier),
    st.sets(st.sampled_from(ControlKind)),
    st.sampled_from(ControlKind),
)
def test_a_further_measure_never_loosens_the_status(current, tier, kinds, further):
    with_it = credit_status(current, tier, kinds | {further})
    assert ORDER.index(with_it) >= ORDER.index(credit_status(current, tier, kinds))


def test_who_proposed_it_or_looks_after_the_account_does_not_approve(desk, file):
    both = desk.world.actor("both", "credit_analyst", "credit_manager")
    owner = desk.world.actor("zhao", "credit_manager")
    action = desk.world.do(proposal(file), both)
    for person in (both, owner):
        with pytest.raises(NotPermitted) as refused:
            desk.world.do(ApproveControlAction(control_action=action.id), person)
        assert refused.value.code is Code.SEPARATION_OF_DUTY
    with pytest.raises(NotPermitted):
        lift(desk, action, actor=owner)
    assert desk.world.current(ControlAction)[0].state is ControlState.PROPOSED


@pytest.mark.parametrize("kind", KINDS_NOT_PROPOSED)
def test_a_kind_without_its_guard_is_refused_with_the_reason(desk, file, kind):
    with pytest.raises(Malformed) as refused:
        proposed(desk, file, kind=kind)
    assert refused.value.advice == KINDS_NOT_PROPOSED[kind]
    assert desk.world.current(ControlAction) == []


@pytest.mark.parametrize("basis", BASES_NOT_OFFERED)
def test_a_ground_without_its_proof_is_refused_with_the_reason(desk, file, basis):
    with pytest.raises(Malformed) as refused:
        proposed(desk, file, basis=basis)
    assert refused.value.advice == BASES_NOT_OFFERED[basis]


@pytest.mark.parametrize("kind", OFFERED)
def test_every_other_kind_is_proposed_and_a_restriction_only_beyond_the_credit_policy(desk, file, kind):
    for basis in GROUNDS:
        if kind in RESTRICTIONS and basis is ControlBasis.CREDIT_POLICY:
            with pytest.raises(Malformed):
                proposed(desk, file, kind=kind, basis=basis, scope=basis.value)
        else:
            assert proposed(desk, file, kind=kind, basis=basis, scope=basis.value).kind is kind


@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": " "},
        {"scope": "x" * 401},
        {"exit_condition": ""},
        {"exit_condition": "a\x00b"},
        {"deadline_on": TODAY - timedelta(days=1)},
    ],
)
def test_a_measure_names_its_scope_its_end_and_a_deadline_to_come(desk, file, wrong):
    with pytest.raises(Malformed):
        proposed(desk, file, **wrong)


def test_the_same_measure_is_open_once(desk, file):
    action = approved(desk, file)
    with pytest.raises(Conflict):
        proposed(desk, file)
    proposed(desk, file, scope="New orders of storage.")
    lift(desk, action)
    proposed(desk, file)


def test_a_proposal_is_cancelled_and_what_is_over_stays_over(desk, file):
    action = lift(desk, proposed(desk, file), "Nobody wants it.")
    assert action.state is ControlState.CANCELLED
    assert desk.world.entries[-1].payload == (("note", "Nobody wants it."),)
    for step in (
        ApproveControlAction(control_action=action.id),
        LiftControlAction(control_action=action.id, reason="x"),
    ):
        with pytest.raises(Malformed) as refused:
            desk.world.do(step, desk.manager)
        assert refused.value.code is Code.INVALID_TRANSITION


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001])
def test_a_measure_is_lifted_for_a_reason(desk, file, reason):
    action = approved(desk, file)
    with pytest.raises(Malformed):
        lift(desk, action, reason)


def test_a_restricted_file_takes_no_measure_and_those_it_has_can_be_lifted(desk, file):
    action = approved(desk, file)
    desk.set(replace(desk.file(file), state=FileState.RESTRICTED))
    with pytest.raises(Malformed):
        proposed(desk, file, scope="Another.")
    assert lift(desk, action).state is ControlState.LIFTED


def test_each_step_needs_its_own_right(desk, file):
    action = proposed(desk, file)
    desk.world.grants.denied |= {"control:propose", "control:approve", "control:lift"}
    for step in (
        proposal(file),
        ApproveControlAction(control_action=action.id),
        LiftControlAction(control_action=action.id, reason="x"),
    ):
        with pytest.raises(NotPermitted):
            desk.world.do(step, desk.manager)
