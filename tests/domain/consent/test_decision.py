"""The consent decision equals what every consent by itself allows; two never add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.consent.consents import Consent, ConsentState, ConsentUse, Partner, PartnerState
from domain.consent.decision import Reason, decide, obstacle
from domain.reading import Purpose
from domain.records import Stamp
from tests.world import NOW, TENANT, CountedIds

ids = CountedIds()
PURPOSE, OTHER_PURPOSE = Purpose.PARTNER_CREDIT_DECISION, Purpose.CREDIT_REVIEW
FIELDS = ("contact.phone", "contact.email", "identity.uscc")
HOUR = timedelta(hours=1)


def stamp(prefix):
    id_ = ids.make(prefix, 0)
    return Stamp(
        id=id_, tenant=TENANT, subject_id=id_, created_at=NOW, created_by="wang", effective_from=NOW, recorded_at=NOW
    )


PARTNER = Partner(
    stamp=stamp("pa"), name="Bank", contact="x", purposes=(PURPOSE, OTHER_PURPOSE), state=PartnerState.ACTIVE
)
OTHER = replace(PARTNER, stamp=stamp("pa"))


def consent(**changes):
    said = {
        "stamp": stamp("co"),
        "credit_file": "cf_1",
        "partner": PARTNER.id,
        "purpose": PURPOSE,
        "fields": FIELDS[:1],
        "use": ConsentUse.STANDING,
        "max_uses": None,
        "not_before": NOW - HOUR,
        "not_after": NOW + HOUR,
        "state": ConsentState.GIVEN,
        "given_by": "Wang",
        "notice_digest": "0" * 64,
    }
    return Consent(**said | changes)


def ask(*consents, fields=FIELDS[:1], partner=PARTNER, purpose=PURPOSE, at=NOW):
    return decide(consents, partner, purpose=purpose, fields=fields, at=at)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": ConsentState.REQUESTED}, Reason.NO_CONSENT),
        ({"state": ConsentState.REFUSED}, Reason.NO_CONSENT),
        ({"state": ConsentState.WITHDRAWN}, Reason.WITHDRAWN),
        ({"purpose": OTHER_PURPOSE}, Reason.PURPOSE_NOT_COVERED),
        ({"not_before": NOW + timedelta(microseconds=1)}, Reason.NOT_YET_VALID),
        ({"not_after": NOW}, Reason.EXPIRED),
        ({"use": ConsentUse.ONE_TIME, "max_uses": 1, "uses": 1}, Reason.CONSUMED),
        ({"use": ConsentUse.ONE_TIME, "uses": 1}, Reason.CONSUMED),
        ({"use": ConsentUse.COUNTED, "max_uses": 3, "uses": 3}, Reason.CONSUMED),
        ({"fields": FIELDS[1:]}, Reason.FIELD_NOT_COVERED),
        ({"partner": OTHER.id}, Reason.NO_CONSENT),
        ({"not_before": NOW}, None),
        ({"not_after": NOW + timedelta(microseconds=1)}, None),
        ({"use": ConsentUse.ONE_TIME, "max_uses": 1}, None),
        ({"use": ConsentUse.COUNTED, "max_uses": 3, "uses": 2}, None),
        ({"uses": 99}, None),
    ],
)
def test_one_consent_allows_its_field_or_says_why_not(changes, reason):
    only = consent(**changes)
    verdict = ask(only)
    if reason is None:
        assert (verdict.consent, verdict.allowed, verdict.denied) == (only, FIELDS[:1], {})
    else:
        assert (verdict.consent, verdict.allowed, verdict.denied) == (None, (), {FIELDS[0]: reason})


def test_without_any_consent_nothing_is_allowed():
    assert ask(fields=FIELDS).denied == dict.fromkeys(FIELDS, Reason.NO_CONSENT)


def test_a_suspended_partner_gets_nothing_whatever_was_consented_to():
    verdict = ask(consent(), partner=replace(PARTNER, state=PartnerState.SUSPENDED))
    assert (verdict.allowed, verdict.denied) == ((), {FIELDS[0]: Reason.RECIPIENT_SUSPENDED})


def test_a_partner_gets_nothing_for_a_purpose_it_is_not_registered_for():
    verdict = ask(consent(), partner=replace(PARTNER, purposes=(OTHER_PURPOSE,)))
    assert (verdict.allowed, verdict.denied) == ((), {FIELDS[0]: Reason.PURPOSE_NOT_COVERED})


def test_two_consents_never_add_up():
    first, second = consent(fields=FIELDS[:2]), consent(fields=FIELDS[2:])
    verdict = ask(first, second, fields=FIELDS)
    assert (verdict.consent, verdict.allowed) == (first, FIELDS[:2])
    assert verdict.denied == {FIELDS[2]: Reason.FIELD_NOT_COVERED}


def test_what_is_used_up_is_spared_where_a_standing_consent_covers_as_much():
    once = consent(use=ConsentUse.ONE_TIME, max_uses=1, not_after=NOW + 9 * HOUR)
    standing = consent()
    assert ask(once, standing).consent == ask(standing, once).consent == standing


def test_the_reason_is_that_of_the_consent_that_came_nearest():
    withdrawn, expired = consent(state=ConsentState.WITHDRAWN), consent(not_after=NOW)
    elsewhere = consent(fields=FIELDS[1:])
    assert ask(withdrawn, expired, elsewhere).denied == {FIELDS[0]: Reason.WITHDRAWN}


def test_a_field_asked_for_twice_is_decided_once():
    assert ask(consent(), fields=FIELDS[:1] * 3).allowed == FIELDS[:1]


def test_every_reason_says_what_would_unlock_the_field():
    assert all(reason.unlock.endswith(".") for reason in Reason)


# The oracle: a universe small enough to be written out, decided by the sentence alone.


def in_force(one, purpose, at):
    left = one.use is ConsentUse.STANDING or one.uses < (one.max_uses or 1)
    return (
        one.state is ConsentState.GIVEN
        and one.partner == PARTNER.id
        and one.purpose is purpose
        and one.not_before <= at < one.not_after
        and left
    )


def check(consents, wanted, partner=PARTNER, purpose=PURPOSE, at=NOW):
    """A verdict is right: exactly what one consent in force covers, and none covers more."""
    verdict = decide(consents, partner, purpose=purpose, fields=wanted, at=at)
    fit = partner.state is PartnerState.ACTIVE and purpose in partner.purposes
    usable = [one for one in consents if fit and in_force(one, purpose, at)]
    covers = [{field for field in wanted if field in one.fields} for one in usable]
    most = max((len(cover) for cover in covers), default=0)
    assert len(verdict.allowed) == most
    if most:
        assert verdict.consent in usable
        assert set(verdict.allowed) == {field for field in wanted if field in verdict.consent.fields}
    else:
        assert verdict.consent is None
    assert set(verdict.denied) == set(wanted) - set(verdict.allowed)
    assert len(set(verdict.allowed)) == len(verdict.allowed)
    ours = [one for one in consents if one.partner == partner.id]
    for field, reason in verdict.denied.items() if fit else ():
        near = [one for one in ours if field in one.fields] or ours
        assert reason in {obstacle(one, purpose, at) or Reason.FIELD_NOT_COVERED for one in near} or (
            not near and reason is Reason.NO_CONSENT
        )
    return verdict


def kinds():
    """Every consent of a small universe."""
    for state, partner, purpose, begins, ends, (use, limit, uses) in product(
        ConsentState,
        (PARTNER.id, OTHER.id),
        (PURPOSE, OTHER_PURPOSE),
        (-1, 0, 1),
        (-1, 0, 1),
        (
            (ConsentUse.STANDING, None, 5),
            (ConsentUse.ONE_TIME, 1, 0),
            (ConsentUse.ONE_TIME, 1, 1),
            (ConsentUse.COUNTED, 2, 1),
            (ConsentUse.COUNTED, 2, 2),
        ),
    ):
        yield {
            "state": state,
            "partner": partner,
            "purpose": purpose,
            "not_before": NOW + begins * HOUR,
            "not_after": NOW + ends * HOUR,
            "use": use,
            "max_uses": limit,
            "uses": uses,
        }


def test_the_decision_on_every_single_consent_equals_the_oracle():
    for kind in kinds():
        for size in (0, 1, 2):
            check([consent(**kind, fields=FIELDS[:size])], FIELDS[:2])


SETS = [subset for size in range(len(FIELDS) + 1) for subset in combinations(FIELDS, size)]
DRAWN = st.builds(
    lambda kind, fields: consent(**kind, fields=fields), st.sampled_from(list(kinds())), st.sampled_from(SETS)
)
NEAR = st.builds(lambda fields, **kind: consent(**kind, fields=fields), st.sampled_from(SETS))
PARTNERS = st.sampled_from(
    [PARTNER, replace(PARTNER, state=PartnerState.SUSPENDED), replace(PARTNER, purposes=(OTHER_PURPOSE,))]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(DRAWN | NEAR, max_size=5), st.sampled_from(SETS[1:]), PARTNERS, st.integers(-2, 2))
def test_the_decision_equals_the_oracle_over_several_consents(consents, wanted, partner, hours):
    at = NOW + hours * HOUR
    verdict = check(consents, wanted, partner, at=at)
    assert decide(consents[::-1], partner, purpose=PURPOSE, fields=wanted, at=at) == verdict


@settings(max_examples=200, deadline=None)
@given(st.lists(DRAWN | NEAR, max_size=4), st.sampled_from(SETS[1:]))
def test_taking_a_consent_away_never_allows_more(consents, wanted):
    full = len(ask(*consents, fields=wanted).allowed)
    for index in range(len(consents)):
        assert len(ask(*consents[:index], *consents[index + 1 :], fields=wanted).allowed) <= full
