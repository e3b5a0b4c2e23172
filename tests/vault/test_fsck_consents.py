"""A consent that was changed past its events is found on both databases, with its place and what differs."""

from __future__ import annotations

import pytest

from domain.consent.consents import ConsentUse
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import WithdrawConsent
from domain.consent.recorded.agreeing import Wrong
from tests.domain.consent.test_giving import PHONE, PURPOSE, YEAR, grant, request
from tests.vault.test_fsck import forced
from tests.world import NOW

MINE = {wrong.value for wrong in Wrong}


@pytest.fixture
def consents(world):
    """One that is used and one that is withdrawn; nothing is wrong with either."""
    file, partner = world.file(world.origin()), world.partner()
    used = world.do(grant(file, partner, use=ConsentUse.COUNTED, max_uses=3))
    bank = world.actor("bank", partner=partner.id)
    world.do(
        RequestDisclosure(credit_file=file.id, purpose=PURPOSE, fields=(PHONE,), idempotency_key="request-1"), bank
    )
    world.clock.move(hours=1)
    over = world.do(grant(file, partner, not_after=NOW + YEAR))
    world.clock.move(hours=1)
    world.do(WithdrawConsent(consent=over.id))
    asked = world.do(request(file, partner, fields=("contact.email",)))
    assert world.findings() == []
    return used, over, asked


def found(world):
    return {(one.kind, one.place) for one in world.findings() if one.kind in MINE}


@pytest.mark.parametrize(
    ("statement", "which", "version", "kind"),
    [
        ("UPDATE consent SET fields = '[\"contact.email\"]' WHERE id = '{}' AND version = 2", 0, 2, "CONSENT_ALTERED"),
        ("UPDATE consent SET max_uses = 90 WHERE id = '{}' AND version = 1", 0, 1, "CONSENT_ALTERED"),
        ("UPDATE consent SET state = 'GIVEN' WHERE id = '{}' AND version = 2", 1, 2, "CONSENT_EVENT_MISSING"),
        ("UPDATE consent SET state = 'GIVEN' WHERE id = '{}'", 2, 1, "CONSENT_EVENT_MISSING"),
        ("DELETE FROM consent_event WHERE consent = '{}'", 2, 1, "CONSENT_EVENT_MISSING"),
        ("DELETE FROM consent_event WHERE consent = '{}' AND act = 'WITHDRAWN'", 1, 2, "CONSENT_EVENT_MISSING"),
        ("DELETE FROM consent_event WHERE consent = '{}' AND act = 'GIVEN'", 1, 2, "CONSENT_EVENT_ORDER"),
        ("UPDATE consent_event SET consent_version = 7 WHERE consent = '{}'", 0, 7, "CONSENT_EVENT_ORDER"),
        ("UPDATE consent_event SET act = 'REFUSED' WHERE consent = '{}'", 2, 1, "CONSENT_EVENT_MISSING"),
    ],
)
def test_what_was_changed_past_the_events_is_found(world, consents, statement, which, version, kind):
    own = consents[which].id
    forced(world, statement.format(own))
    assert (kind, f"{own} version {version}") in found(world)
    assert {place.split()[0] for _, place in found(world)} == {own}
