"""A consent and its events: each way in which they can disagree is told, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from domain.consent.changing import ReconfirmConsent
from domain.consent.consents import ConsentEvent, ConsentState, ConsentUse
from domain.consent.giving import WithdrawConsent
from domain.consent.recorded.agreeing import Wrong, digest_of, disagreements
from domain.consent.requesting import GiveRequestedConsent
from domain.consent.words import ConsentAct
from tests.domain.consent.test_giving import EMAIL, PHONE, YEAR, request
from tests.world import NOW, World


@pytest.fixture
def told():
    """Four versions of a consent, and the four events that made them."""
    world = World()
    file, partner = world.file(world.origin()), world.partner()
    consent = world.do(request(file, partner, use=ConsentUse.COUNTED, max_uses=5))
    for act in (
        GiveRequestedConsent(consent=consent.id, given_by="Li"),
        ReconfirmConsent(consent=consent.id, given_by="Li", not_after=NOW + 2 * YEAR, notice_digest="1" * 64),
        WithdrawConsent(consent=consent.id),
    ):
        world.clock.move(days=1)
        consent = world.do(act)
    events = sorted(world.current(ConsentEvent), key=lambda one: one.at)
    versions = list(world.versions(consent))
    assert [one.act.value for one in events] == ["REQUESTED", "GIVEN", "RECONFIRMED", "WITHDRAWN"]
    assert list(disagreements(versions, list(reversed(events)))) == []
    return versions, events


def wrongs(versions, events):
    return {(found.wrong, found.version) for found in disagreements(versions, events)}


@pytest.mark.parametrize("missing", range(4))
def test_an_event_that_is_not_there_is_missed(told, missing):
    versions, events = told
    found = wrongs(versions, events[:missing] + events[missing + 1 :])
    assert (found & {(Wrong.EVENT_MISSING, missing + 1), (Wrong.ALTERED, missing + 1)}) != set()


def test_a_consent_without_events_is_told_in_every_version(told):
    versions, _ = told
    assert wrongs(versions, []) == {(Wrong.EVENT_MISSING, number) for number in range(1, 5)}


@pytest.mark.parametrize(
    "changes",
    [
        {"fields": (EMAIL, PHONE)},
        {"not_after": NOW + 9 * YEAR},
        {"max_uses": 6},
        {"given_by": "Qian"},
        {"notice_digest": "2" * 64},
        {"retention_days": 1},
        {"onward_to": ("pa_" + "0" * 26,)},
    ],
)
def test_a_row_that_says_something_else_is_told(told, changes):
    versions, events = told
    for place in range(4):
        altered = [replace(one, **changes) if at == place else one for at, one in enumerate(versions)]
        assert wrongs(altered, events) == {(Wrong.ALTERED, place + 1)}


def test_how_often_it_was_used_is_nobodys_act(told):
    versions, events = told
    assert wrongs([replace(one, uses=3, day_uses=2, day_from=NOW) for one in versions], events) == set()


def test_a_withdrawal_that_is_undone_in_the_row_is_told(told):
    versions, events = told
    back = replace(versions[-1], state=ConsentState.GIVEN)
    assert wrongs([*versions[:-1], back], events) == {(Wrong.EVENT_MISSING, 4)}
    later = replace(back, stamp=replace(back.stamp, version=5))
    assert wrongs([*versions, later], events) == {(Wrong.EVENT_MISSING, 5)}


def test_events_out_of_order_are_told(told):
    versions, events = told
    swapped = [
        *events[:2],
        replace(events[2], act=ConsentAct.WITHDRAWN),
        replace(events[3], act=ConsentAct.RECONFIRMED),
    ]
    assert (Wrong.EVENT_ORDER, 4) in wrongs(versions, swapped)
    for place in range(1, 4):
        early = [replace(one, at=NOW - YEAR) if at == place else one for at, one in enumerate(events)]
        assert wrongs(versions, early) == {(Wrong.EVENT_ORDER, place + 1)}
    beyond = [*events[:3], replace(events[3], consent_version=9)]
    assert (Wrong.EVENT_ORDER, 9) in wrongs(versions, beyond)
    twice = [*events, replace(events[3], stamp=replace(events[3].stamp, id="ce_" + "z" * 26))]
    assert wrongs(versions, twice) == {(Wrong.EVENT_ORDER, 4)}


def test_the_time_zone_an_instant_is_written_in_says_nothing(told):
    (consent, *_), _ = told
    east = timezone(timedelta(hours=8))
    assert digest_of(replace(consent, not_after=consent.not_after.astimezone(east))) == digest_of(consent)
