"""Recalls go out in order, one at a time, again until they are taken, and whoever dies in between loses nothing."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from domain.consent.consents import Partner
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import WithdrawConsent
from domain.consent.handover.delivering import (
    ATTEMPTS,
    LEASE,
    LONGEST_WAIT,
    ClaimDelivery,
    SetRecallAddress,
    TellAttempt,
    wait_after,
)
from domain.consent.handover.recalling import (
    AcknowledgeRecall,
    Compliance,
    DeliveryFailure,
    DeliveryState,
    Recall,
    RecallDelivery,
)
from domain.errors import Malformed
from domain.files.opening import BasicInformation
from domain.reading import Purpose
from tests.domain.consent.test_giving import grant
from tests.world import PHONE, World

ADDRESS = "https://bank.example/recalls"


@pytest.fixture
def world():
    return World()


@pytest.fixture
def partner(world):
    return world.partner()


@pytest.fixture
def bank(world, partner):
    return world.actor("bank", "partner_client", partner=partner.id)


@pytest.fixture
def recalled(world, partner, bank):
    """Three recalls of one partner, the oldest first."""
    for number in range(3):
        file = world.file(world.origin(f"source {number}"), f"C-{number}", BasicInformation(phone=PHONE))
        consent = world.do(grant(file, partner))
        said = {"purpose": Purpose.PARTNER_CREDIT_DECISION, "fields": ("contact.phone",)}
        world.do(RequestDisclosure(credit_file=file.id, idempotency_key=f"key-000{number}", **said), bank)
        world.do(WithdrawConsent(consent=consent.id))
        world.clock.move(seconds=1)
    return world.current(Recall)


def deliveries(world):
    return sorted(world.current(RecallDelivery), key=lambda one: one.stamp.created_at)


def states(world):
    return [one.state.value for one in deliveries(world)]


def address(world, partner, to=ADDRESS):
    return world.do(SetRecallAddress(partner=partner.id, address=to))


def claim(world, partner):
    return world.perform(ClaimDelivery(partner=partner.id))


def tell(world, claimed, failure=None, status=None):
    return world.do(TellAttempt(delivery=claimed.delivery, attempt=claimed.attempt, failure=failure, status=status))


def test_of_a_partner_one_recall_waits_and_the_others_come_after_it(world, partner, recalled):
    assert states(world) == ["WAITING", "QUEUED", "QUEUED"]
    assert claim(world, partner).value is None  # it has no address
    address(world, partner)
    order = []
    for _ in recalled:
        performed = claim(world, partner)
        assert claim(world, partner).value is None  # while one process sends, no other does
        order.append(json.loads(performed.signed)["claims"]["recall"])
        tell(world, performed.value, status=204)
    assert order == [recall.id for recall in recalled]
    assert states(world) == ["DELIVERED"] * 3
    assert claim(world, partner).value is None


def test_what_is_sent_names_the_recall_and_no_value_and_its_id_stays_the_same(world, partner, recalled):
    address(world, partner)
    first = claim(world, partner)
    claims = json.loads(first.signed)["claims"]
    assert claims["cause"] == "WITHDRAWAL"
    assert (claims["recall"], claims["fields"]) == (recalled[0].id, ["contact.phone"])
    assert "13800138000" not in first.signed
    assert recalled[0].subject_id not in first.signed
    tell(world, first.value, DeliveryFailure.NOT_TAKEN, 500)
    world.clock.move(days=1)
    again = claim(world, partner)
    assert json.loads(again.signed)["claims"]["jti"] == claims["jti"] == first.value.delivery
    assert again.value.attempt == 2


@pytest.mark.usefixtures("recalled")
def test_who_dies_while_sending_loses_nothing_and_is_not_overtaken_before_its_lease_ends(world, partner):
    address(world, partner)
    dead = claim(world, partner).value
    world.clock.move(seconds=LEASE.total_seconds() - 1)
    assert claim(world, partner).value is None
    world.clock.move(seconds=1)
    taken = claim(world, partner).value
    assert (taken.delivery, taken.attempt) == (dead.delivery, 2)
    tell(world, dead, DeliveryFailure.TOO_LATE)  # it was not dead, but its failure is of the past
    assert deliveries(world)[0].failure is None
    tell(world, dead)  # and what it says was taken, was taken
    assert states(world) == ["DELIVERED", "WAITING", "QUEUED"]
    tell(world, taken, DeliveryFailure.UNREACHABLE)
    assert states(world)[0] == "DELIVERED"


@pytest.mark.usefixtures("recalled")
def test_a_failure_waits_longer_each_time_and_is_given_up_once_it_was_tried_often_enough(world, partner):
    address(world, partner)
    for attempt in range(1, ATTEMPTS + 1):
        claimed = claim(world, partner).value
        assert claimed.attempt == attempt
        told = tell(world, claimed, DeliveryFailure.NOT_TAKEN, 503)
        assert (told.failure, told.status) == (DeliveryFailure.NOT_TAKEN, 503)
        if attempt < ATTEMPTS:
            assert told.due_at == world.clock.now() + wait_after(attempt)
            world.clock.move(seconds=(wait_after(attempt) - timedelta(seconds=1)).total_seconds())
            assert claim(world, partner).value is None
            world.clock.move(seconds=1)
    assert states(world) == ["GIVEN_UP", "WAITING", "QUEUED"]
    assert claim(world, partner).value.delivery == deliveries(world)[1].id
    assert wait_after(ATTEMPTS) == LONGEST_WAIT


def test_what_the_partner_answered_is_not_sent_any_more(world, partner, bank, recalled):
    address(world, partner)
    claimed = claim(world, partner).value
    world.do(AcknowledgeRecall(recall=recalled[1].id, compliance=Compliance.DELETED), bank)
    world.do(AcknowledgeRecall(recall=recalled[0].id, compliance=Compliance.DELETED), bank)
    assert states(world) == ["ANSWERED", "ANSWERED", "WAITING"]
    tell(world, claimed)
    assert states(world)[0] == "ANSWERED"
    assert claim(world, partner).value.delivery == deliveries(world)[2].id


@pytest.mark.usefixtures("recalled")
def test_a_new_address_is_tried_at_once_and_without_one_nothing_is(world, partner):
    address(world, partner)
    tell(world, claim(world, partner).value, DeliveryFailure.UNREACHABLE)
    assert claim(world, partner).value is None
    address(world, partner, "https://new.bank.example/")
    assert claim(world, partner).value.address == "https://new.bank.example/"
    address(world, partner, None)
    world.clock.move(days=1)
    assert claim(world, partner).value is None
    assert deliveries(world)[0].due_at is None
    assert deliveries(world)[0].state is DeliveryState.WAITING
    address(world, partner)
    claimed = claim(world, partner).value
    address(world, partner, None)
    assert tell(world, claimed, DeliveryFailure.UNREACHABLE).due_at is None


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "bank.example", "http://bank.example/", "ftp://bank.example/", "https://", "https:///x"),
        *("https://u:p@bank.example/", "https://bank.example/#x", "https://bank.example/ x", "https://bank.example/\n"),
        *("http://127.0.0.1.bank.example/", "https://bank.example/" + "x" * 500, "https://[x]/", "javascript:1"),
    ],
)
def test_what_is_no_address_is_refused(world, partner, wrong):
    with pytest.raises(Malformed) as refused:
        address(world, partner, wrong)
    assert refused.value.path == ("address",)
    assert [one.recalls_to for one in world.current(Partner)] == [None]
