"""Any history of asking, giving, refusing, withdrawing and disclosing keeps what the customer was promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from domain.audit import Outcome
from domain.consent.changing import InvalidateConsent, ReconfirmConsent
from domain.consent.consents import Consent, ConsentEvent, ConsentState, ConsentUse, Disclosure
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import ReinstatePartner, SuspendPartner, WithdrawConsent
from domain.consent.recorded.agreeing import disagreements
from domain.consent.requesting import GiveRequestedConsent, RefuseConsent
from domain.consent.words import ConsentAct
from domain.errors import CreditError, NotConsented
from tests.domain.consent.test_giving import EMAIL, PHONE, PURPOSE, grant, request
from tests.world import World

DAYS = st.integers(1, 60)
FIELDS = st.sets(st.sampled_from([PHONE, EMAIL]), min_size=1).map(lambda tags: tuple(sorted(tags)))
USES = st.sampled_from([(ConsentUse.STANDING, None), (ConsentUse.ONE_TIME, None), (ConsentUse.COUNTED, 2)])
TRANSITIONS = {
    (ConsentState.REQUESTED, ConsentState.GIVEN),
    (ConsentState.REQUESTED, ConsentState.REFUSED),
    (ConsentState.GIVEN, ConsentState.GIVEN),
    (ConsentState.GIVEN, ConsentState.WITHDRAWN),
    (ConsentState.GIVEN, ConsentState.INVALIDATED),
}


MADE = {act: ConsentState[act.value] for act in ConsentAct if act is not ConsentAct.RECONFIRMED}
MADE |= {ConsentAct.RECONFIRMED: ConsentState.GIVEN}


@dataclass
class Promise:
    """What the customer agreed to, kept by the test alone."""

    fields: frozenset[str]
    begins: datetime
    ends: datetime
    left: int
    withdrawn: bool = False


class Histories(RuleBasedStateMachine):
    """Operations in any order; the promises are the model."""

    consents = Bundle("consents")

    def __init__(self):
        super().__init__()
        self.world = World()
        self.file, self.partner = self.world.file(self.world.origin()), self.world.partner()
        self.bank = self.world.actor("bank", partner=self.partner.id)
        self.promises: dict[str, Promise] = {}
        self.suspended = False
        self.count = 0

    def attempt(self, operation, actor=None):
        """The value of an operation, or None when it is refused."""
        try:
            return self.world.do(operation, actor)
        except CreditError:
            assert self.world.entries[-1].outcome in {Outcome.REFUSED, Outcome.INVALID}
            return None

    def promise(self, consent):
        """Writes down what was given."""
        self.promises[consent.id] = Promise(
            fields=frozenset(consent.fields),
            begins=consent.not_before,
            ends=consent.not_after,
            left={ConsentUse.STANDING: 10**6, ConsentUse.ONE_TIME: 1}.get(consent.use, consent.max_uses or 0),
        )

    @rule(target=consents, fields=FIELDS, use=USES, days=DAYS, wait=st.integers(0, 10))
    def give(self, fields, use, days, wait):
        """The customer gives a consent."""
        begins = self.world.clock.at + timedelta(days=wait)
        given = self.attempt(
            grant(
                self.file,
                self.partner,
                fields=fields,
                use=use[0],
                max_uses=use[1],
                not_before=begins,
                not_after=begins + timedelta(days=days),
            )
        )
        assert (given is None) == self.suspended
        if given:
            self.promise(given)
        return given and given.id

    @rule(target=consents, fields=FIELDS, days=DAYS)
    def ask(self, fields, days):
        """The company asks for a consent."""
        ends = self.world.clock.at + timedelta(days=days)
        asked = self.attempt(request(self.file, self.partner, fields=fields, not_after=ends))
        return asked and asked.id

    @rule(consent=consents)
    def answer_yes(self, consent):
        """The customer gives what it was asked for."""
        given = consent and self.attempt(GiveRequestedConsent(consent=consent, given_by="Wang"))
        if given:
            assert consent not in self.promises
            self.promise(given)

    @rule(consent=consents)
    def answer_no(self, consent):
        """The customer refuses what it was asked for."""
        if consent and self.attempt(RefuseConsent(consent=consent)):
            assert consent not in self.promises

    @rule(consent=consents)
    def withdraw(self, consent):
        """The customer takes a consent back."""
        if consent and self.attempt(WithdrawConsent(consent=consent)):
            self.promises[consent].withdrawn = True

    @rule(consent=consents)
    def strike_out(self, consent):
        """The company finds that a consent should not have been given."""
        if consent and self.attempt(InvalidateConsent(consent=consent, reason="No authority")):
            self.promises[consent].withdrawn = True

    @rule(consent=consents, days=DAYS)
    def confirm(self, consent, days):
        """The customer confirms a consent anew."""
        ends = self.world.clock.at + timedelta(days=days)
        again = {"given_by": "Wang", "not_after": ends, "notice_digest": "1" * 64}
        if consent and self.attempt(ReconfirmConsent(consent=consent, **again)):
            assert not self.promises[consent].withdrawn
            self.promises[consent].ends = ends

    @rule()
    def suspend(self):
        """The partner is suspended."""
        self.world.do(SuspendPartner(partner=self.partner.id, reason="A leak"))
        self.suspended = True

    @rule()
    def reinstate(self):
        """The partner is reinstated."""
        self.world.do(ReinstatePartner(partner=self.partner.id, reason="Fixed"))
        self.suspended = False

    @rule(days=st.integers(0, 40))
    def wait(self, days):
        """Time passes."""
        self.world.clock.move(days=days)

    @rule(fields=FIELDS, again=st.booleans())
    def disclose(self, fields, again):
        """The partner asks for fields, with a new key or the last one."""
        self.count += not again
        before = len(self.world.current(Disclosure))
        operation = RequestDisclosure(
            credit_file=self.file.id, purpose=PURPOSE, fields=fields, idempotency_key=f"key-{self.count:04}"
        )
        now = self.world.clock.at
        try:
            ended = self.world.perform(operation, self.bank)
        except NotConsented:
            if not again:
                open_ones = [one for one in self.usable(now) if one.fields & set(fields) and one.left > 0]
                assert not open_ones
            return
        except CreditError:
            assert again
            return
        promise = self.promises[ended.value.disclosure.consent]
        assert promise in self.usable(now)
        assert set(ended.value.tags) <= promise.fields & set(fields)
        assert len(ended.opened) == len(ended.value.tags)
        if len(self.world.current(Disclosure)) > before:
            promise.left -= 1
            assert promise.left >= 0

    def usable(self, now):
        """The promises that hold now, uses apart."""
        if self.suspended:
            return []
        return [one for one in self.promises.values() if not one.withdrawn and one.begins <= now < one.ends]

    @invariant()
    def states_follow_the_listed_transitions(self):
        """No state is reached but by a listed transition."""
        for consent in self.world.current(Consent):
            states = [one.state for one in self.world.versions(consent)]
            assert set(pairwise(states)) <= TRANSITIONS
            assert states[0] in {ConsentState.REQUESTED, ConsentState.GIVEN}

    @invariant()
    def every_state_was_made_by_an_act_that_is_kept(self):
        """The events tell the same story as the versions."""
        for consent in self.world.current(Consent):
            events = [one for one in self.world.current(ConsentEvent) if one.consent == consent.id]
            versions = self.world.versions(consent)
            made = {one.consent_version: MADE[one.act] for one in events}
            state = None
            for version in versions:
                state = made.get(version.stamp.version, state)
                assert version.state is state
            assert all(one.stamp.version == 1 for one in events)

    @invariant()
    def every_consent_stands_as_its_events_tell(self):
        """Whatever was done, the record is a view of its events."""
        for consent in self.world.current(Consent):
            events = [one for one in self.world.current(ConsentEvent) if one.consent == consent.id]
            assert list(disagreements(self.world.versions(consent), events)) == []

    @invariant()
    def uses_are_counted(self):
        """What is counted was disclosed, and never more than allowed."""
        disclosures = self.world.current(Disclosure)
        for consent in self.world.current(Consent):
            if consent.use is not ConsentUse.STANDING:
                assert consent.uses == sum(one.consent == consent.id for one in disclosures) <= consent.max_uses


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
