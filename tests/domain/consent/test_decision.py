"""The consent decision equals what every consent by itself allows; two never add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.consent import decision
from domain.consent.consents import Consent, ConsentState, ConsentUse, Partner, PartnerState
from domain.consent.decision import DAY, Question, Reason, decide, obstacle
from domain.consent.words import DisclosureAction, ObligationKind, Redisclosure
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
PROCESSOR = replace(PARTNER, stamp=stamp("pa"), processor_for=PARTNER.id)
OLD_NOTICE = "e" * 64
VIEW, EXPORT = DisclosureAction.VIEW, DisclosureAction.EXPORT


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


def question(purpose=PURPOSE, at=NOW, **more):
    return Question(purpose=purpose, at=at, superseded=frozenset({OLD_NOTICE}), **more)


def ask(*consents, fields=FIELDS[:1], partner=PARTNER, purpose=PURPOSE, at=NOW, **more):
    return decide(consents, partner, question(purpose, at, **more), fields)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": ConsentState.REQUESTED}, Reason.NO_CONSENT),
        ({"state": ConsentState.REFUSED}, Reason.NO_CONSENT),
        ({"state": ConsentState.WITHDRAWN}, Reason.WITHDRAWN),
        ({"state": ConsentState.INVALIDATED}, Reason.INVALIDATED),
        ({"actions": (EXPORT, DisclosureAction.ATTEST)}, Reason.ACTION_NOT_COVERED),
        ({"notice_digest": OLD_NOTICE}, Reason.NOTICE_SUPERSEDED),
        ({"max_per_day": 2, "day_uses": 2, "day_from": NOW - HOUR}, Reason.RATE_EXCEEDED),
        ({"max_per_day": 2, "day_uses": 2, "day_from": NOW - DAY + HOUR / 3600}, Reason.RATE_EXCEEDED),
        ({"max_per_day": 2, "day_uses": 2, "day_from": NOW - DAY}, None),
        ({"max_per_day": 2, "day_uses": 1, "day_from": NOW - HOUR}, None),
        ({"max_per_day": 1}, None),
        ({"purpose": OTHER_PURPOSE}, Reason.PURPOSE_NOT_COVERED),
        ({"not_before": NOW + timedelta(microseconds=1)}, Reason.NOT_YET_VALID),
        ({"not_after": NOW}, Reason.EXPIRED),
        ({"use": ConsentUse.ONE_TIME, "max_uses": 1, "uses": 1}, Reason.CONSUMED),
        ({"use": ConsentUse.ONE_TIME, "uses": 1}, Reason.CONSUMED),
        ({"use": ConsentUse.COUNTED, "max_uses": 3, "uses": 3}, Reason.CONSUMED),
        ({"fields": FIELDS[1:]}, Reason.FIELD_NOT_COVERED),
        ({"partner": OTHER.id}, Reason.RECIPIENT_MISMATCH),
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


@pytest.mark.parametrize(
    ("changes", "onward", "allowed"),
    [
        ({}, None, True),
        ({}, OTHER, False),
        ({}, PROCESSOR, False),
        ({"redisclosure": Redisclosure.PROCESSORS_ONLY}, PROCESSOR, True),
        ({"redisclosure": Redisclosure.PROCESSORS_ONLY}, OTHER, False),
        ({"redisclosure": Redisclosure.PROCESSORS_ONLY}, replace(PROCESSOR, processor_for=OTHER.id), False),
        ({"redisclosure": Redisclosure.NAMED, "onward_to": (OTHER.id,)}, OTHER, True),
        ({"redisclosure": Redisclosure.NAMED, "onward_to": (OTHER.id,)}, PROCESSOR, False),
        ({"redisclosure": Redisclosure.PROHIBITED, "onward_to": (OTHER.id,)}, OTHER, False),
        (
            {"redisclosure": Redisclosure.NAMED, "onward_to": (OTHER.id,)},
            replace(OTHER, state=PartnerState.SUSPENDED),
            False,
        ),
    ],
)
def test_it_is_handed_on_only_where_the_consent_says_so(changes, onward, allowed):
    verdict = ask(consent(**changes), onward=onward)
    assert verdict.denied == ({} if allowed else {FIELDS[0]: Reason.REDISCLOSURE})


def test_whom_it_is_handed_on_to_gets_nothing_by_itself_and_hands_on_nothing():
    """A chain would need a consent that names its second link as the recipient."""
    named = consent(redisclosure=Redisclosure.NAMED, onward_to=(OTHER.id,))
    for onward in (None, PARTNER, PROCESSOR):
        assert ask(named, partner=OTHER, onward=onward).denied == {FIELDS[0]: Reason.RECIPIENT_MISMATCH}


def test_whoever_gets_something_owes_not_to_hand_it_on_and_to_delete_it():
    owed = (ObligationKind.NO_REDISCLOSURE, ObligationKind.DELETE_BY)
    for changes, until in (({}, NOW + HOUR), ({"retention_days": 30}, NOW + timedelta(days=30))):
        verdict = ask(consent(**changes))
        assert (verdict.obligations, verdict.delete_by) == (owed, until)
    assert (ask().obligations, ask().delete_by) == ((), None)


# The oracle: a universe small enough to be written out, decided by the sentence alone.


def in_force(one, asked):
    """Whether a consent allows what is asked, said of it as the customer would say it."""
    return (
        one.state is ConsentState.GIVEN
        and one.partner == PARTNER.id
        and one.purpose is asked.purpose
        and one.not_before <= asked.at < one.not_after
        and (one.use is ConsentUse.STANDING or one.uses < (one.max_uses or 1))
        and (one.max_per_day is None or one.day_from + DAY <= asked.at or one.day_uses < one.max_per_day)
        and asked.action in one.actions
        and (
            asked.onward is None
            or (asked.onward.processor_for == PARTNER.id and one.redisclosure is Redisclosure.PROCESSORS_ONLY)
            or (asked.onward.id in one.onward_to and one.redisclosure is Redisclosure.NAMED)
        )
        and one.notice_digest != OLD_NOTICE
    )


def told(one, field, asked):
    """Whether a consent in force tells a field: it names it, reaches as far back, and nobody contests it."""
    return (
        field in one.fields
        and (field not in asked.days_back or asked.days_back[field] <= (one.lookback_days or 0))
        and field not in asked.disputed
    )


def why(one, field, asked):
    """Why a consent in force does not tell a field: what is not named first, then what lies too far back."""
    if field in one.fields and field in asked.days_back and asked.days_back[field] > (one.lookback_days or 0):
        return Reason.OUTSIDE_LOOKBACK
    if field in one.fields and field in asked.disputed:
        return Reason.DISPUTED
    return Reason.FIELD_NOT_COVERED


def check(consents, wanted, partner=PARTNER, asked=None):
    """A verdict is right: exactly what one consent in force covers, and none covers more."""
    asked = asked or question()
    verdict = decide(consents, partner, asked, wanted)
    fit = partner.state is PartnerState.ACTIVE and asked.purpose in partner.purposes
    usable = [one for one in consents if fit and in_force(one, asked)]
    usable = [] if asked.held else usable
    covers = [{field for field in wanted if told(one, field, asked)} for one in usable]
    most = max((len(cover) for cover in covers), default=0)
    assert len(verdict.allowed) == most
    if most:
        assert verdict.consent in usable
        assert set(verdict.allowed) == {field for field in wanted if told(verdict.consent, field, asked)}
        assert verdict.obligations
    else:
        assert (verdict.consent, verdict.obligations) == (None, ())
    assert set(verdict.denied) == set(wanted) - set(verdict.allowed)
    assert len(set(verdict.allowed)) == len(verdict.allowed)
    ours = [one for one in consents if one.partner == partner.id]
    if fit and asked.held:
        assert set(verdict.denied.values()) == {Reason.LEGAL_HOLD}
        return verdict
    for field, reason in verdict.denied.items() if fit else ():
        near = [one for one in ours if field in one.fields] or ours
        assert isinstance(reason, Reason)
        nobody = Reason.RECIPIENT_MISMATCH if consents else Reason.NO_CONSENT
        assert reason in {obstacle(one, asked) or why(one, field, asked) for one in near} or (
            not near and reason is nobody
        )
    return verdict


USES = (
    {"use": ConsentUse.STANDING, "uses": 5},
    {"use": ConsentUse.ONE_TIME, "max_uses": 1, "uses": 0},
    {"use": ConsentUse.ONE_TIME, "max_uses": 1, "uses": 1},
    {"use": ConsentUse.COUNTED, "max_uses": 2, "uses": 1},
    {"use": ConsentUse.COUNTED, "max_uses": 2, "uses": 2},
    {"max_per_day": 1, "day_uses": 1, "day_from": NOW - HOUR},
    {"max_per_day": 1, "day_uses": 1, "day_from": NOW - DAY - 3 * HOUR},
)
RULES = (
    {},
    {"actions": (EXPORT,)},
    {"actions": (VIEW, EXPORT), "redisclosure": Redisclosure.PROCESSORS_ONLY},
    {"redisclosure": Redisclosure.NAMED, "onward_to": (OTHER.id,)},
    {"notice_digest": OLD_NOTICE},
    {"lookback_days": 30},
)
BEYOND = (
    {"days_back": {FIELDS[0]: 30}},
    {"days_back": {FIELDS[0]: 31, FIELDS[1]: 1}},
    {"disputed": frozenset(FIELDS[:1])},
    {"disputed": frozenset(FIELDS[1:]), "days_back": {FIELDS[0]: 1}},
    {"held": True},
)
ASKED = [question(action=action, onward=onward) for action in (VIEW, EXPORT) for onward in (None, OTHER, PROCESSOR)]
ASKED += [question(**more) for more in BEYOND]


def kinds():
    """Every consent of a small universe."""
    for state, partner, purpose, begins, ends, use, rules in product(
        ConsentState, (PARTNER.id, OTHER.id), (PURPOSE, OTHER_PURPOSE), (-1, 0, 1), (-1, 0, 1), USES, RULES
    ):
        yield {
            "state": state,
            "partner": partner,
            "purpose": purpose,
            "not_before": NOW + begins * HOUR,
            "not_after": NOW + ends * HOUR,
            **use,
            **rules,
        }


def test_the_decision_on_every_single_consent_equals_the_oracle():
    for kind in kinds():
        one = consent(**kind, fields=FIELDS[:1])
        for asked in ASKED:
            check([one], FIELDS[:2], asked=asked)


SETS = [subset for size in range(len(FIELDS) + 1) for subset in combinations(FIELDS, size)]
DRAWN = st.builds(
    lambda kind, fields: consent(**kind, fields=fields), st.sampled_from(list(kinds())), st.sampled_from(SETS)
)
NEAR = st.builds(
    lambda fields, use, rules: consent(**use, **rules, fields=fields),
    st.sampled_from(SETS),
    st.sampled_from(USES),
    st.sampled_from(RULES),
)
PARTNERS = st.sampled_from(
    [PARTNER, replace(PARTNER, state=PartnerState.SUSPENDED), replace(PARTNER, purposes=(OTHER_PURPOSE,))]
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(DRAWN | NEAR, max_size=5), st.sampled_from(SETS[1:]), PARTNERS, st.integers(-2, 2), st.sampled_from(ASKED)
)
def test_the_decision_equals_the_oracle_over_several_consents(consents, wanted, partner, hours, asked):
    asked = replace(asked, at=NOW + hours * HOUR)
    verdict = check(consents, wanted, partner, asked)
    assert decide(consents[::-1], partner, asked, wanted) == verdict


@settings(max_examples=200, deadline=None)
@given(st.lists(DRAWN | NEAR, max_size=4), st.sampled_from(SETS[1:]))
def test_taking_a_consent_away_never_allows_more(consents, wanted):
    full = len(ask(*consents, fields=wanted).allowed)
    for index in range(len(consents)):
        assert len(ask(*consents[:index], *consents[index + 1 :], fields=wanted).allowed) <= full


# Each line of the decision is needed: without it, the oracle would notice.


def _never(*_):
    return None


def _always(*_):
    return True


FORGOTTEN = {
    "_beyond": _never,
    "_out_of_time": _never,
    "_used_up": _never,
    "_handed_on": _always,
    "_OVER": {ConsentState.WITHDRAWN: None, ConsentState.INVALIDATED: None},
    "used_today": lambda *_: 0,
    "_covered": lambda _, fields, __: len(fields),
    "closed": lambda one, field, _: None if field in one.fields else Reason.FIELD_NOT_COVERED,
}
"""Parts of the decision, each as it would be without what it says."""


def universe():
    """Every small question to every small consent."""
    for kind in kinds():
        for asked in ASKED:
            for fields in (FIELDS[:1], FIELDS[1:]):
                check([consent(**kind, fields=fields)], FIELDS[:1], asked=asked)


@pytest.mark.parametrize("name", FORGOTTEN)
def test_a_decision_that_forgets_a_part_of_it_is_noticed(name, monkeypatch):
    monkeypatch.setattr(decision, name, FORGOTTEN[name])
    with pytest.raises(AssertionError):
        universe()
