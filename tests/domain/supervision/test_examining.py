"""What examining the audit log finds: each thing once, with the entries that show it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.graphql.generation import declared
from domain.audit import Entry, Outcome
from domain.consent.consents import ConsentUse
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import GrantConsent
from domain.errors import Malformed
from domain.files.parties import CreditFile
from domain.ids import encode
from domain.reading import Purpose
from domain.standard import CLAUSES as STANDARD
from domain.supervision.clauses import CoverClauses, serving
from domain.supervision.examining import AT_ONCE, ExamineAuditLog
from domain.supervision.findings import CLAUSES, AuditFinding, FindingKind
from domain.supervision.judging import BURST, RULES
from domain.supervision.volumes import HISTORY_DAYS, bound, unusual
from tests.stored import StoredWorld
from tests.world import NOW, TENANT, World

PURPOSE = Purpose.PARTNER_CREDIT_DECISION


@pytest.fixture(params=["memory", "stored"])
def world(request):
    """The same in memory and over both databases."""
    if request.param == "memory":
        made = World()
        made.opened = False
        yield made
        return
    database, loop = request.getfixturevalue("sqlite"), request.getfixturevalue("loop")
    with StoredWorld(database, loop, request.getfixturevalue("tmp_path")) as found:
        found.open_tenant()
        yield found


def put(world, **said):
    """Puts an entry into the log, past every rule."""
    now = world.clock.now()
    entry = Entry(
        id=world.ids.make("ae", int(now.timestamp() * 1000)),
        at=now,
        tenant=TENANT,
        **{"actor": "li", "action": "credit_file:read", "outcome": Outcome.DONE, "rule": "an-1"} | said,
    )
    if isinstance(world, StoredWorld):
        world.loop(world.store.put(entry))
    else:
        world.entries.append(entry)
    return entry


def examined(world):
    """Everything that examining the whole log finds, by kind."""
    more = True
    while more:
        if isinstance(world, StoredWorld):
            world.loop(world.store.bring_up(TENANT))
        more = world.do(ExamineAuditLog(), world.actor("zhao")).more
    found = {}
    for one in world.current(AuditFinding):
        found.setdefault(one.kind, []).append(one)
    return found


def test_every_kind_has_a_clause_of_the_standard_and_every_rule_a_kind():
    assert set(CLAUSES) == set(FindingKind)
    assert set(CLAUSES.values()) <= set(STANDARD)
    assert len({rule.kind for rule in RULES}) == len(RULES)


def test_opened_values_without_a_purpose_are_found_once_with_their_entry(world):
    put(world, actions=("credit_file:read", "reveal:contact"), purpose="CREDIT_REVIEW")
    wanted = put(world, actions=("credit_file:read", "reveal:contact"))
    put(world, actions=("credit_file:read", "reveal:contact"), outcome=Outcome.REFUSED)
    (one,) = examined(world)[FindingKind.READ_WITHOUT_PURPOSE]
    assert (one.entries, one.actor, one.at, one.clause, one.alarm) == ((wanted.id,), "li", wanted.at, "4.4", False)
    assert examined(world)[FindingKind.READ_WITHOUT_PURPOSE] == [one]


def test_who_tries_to_approve_alone_is_found(world):
    wanted = put(world, code="SEPARATION_OF_DUTY", outcome=Outcome.REFUSED, cause="PREPARER_NOT_APPROVER")
    (one,) = examined(world)[FindingKind.SELF_APPROVAL]
    assert one.entries == (wanted.id,)
    assert "PREPARER_NOT_APPROVER" in one.says


def test_a_consent_used_on_its_last_days_is_found_and_a_disclosure_without_one_too(world):
    file, partner = world.file(world.origin()), world.partner()
    terms = {
        "credit_file": file.id,
        "partner": partner.id,
        "purpose": PURPOSE,
        "fields": ("contact.phone",),
        "use": ConsentUse.STANDING,
        "not_after": NOW + timedelta(days=30),
        "notice_digest": "d" * 64,
    }
    world.do(GrantConsent(**terms, given_by="Wang"))
    asking = RequestDisclosure(
        credit_file=file.id, purpose=PURPOSE, fields=("contact.phone",), idempotency_key="key-0000"
    )
    bank = world.actor("bank", partner=partner.id)
    world.do(asking, bank)
    assert FindingKind.CONSENT_NEAR_END not in examined(world)
    world.clock.move(days=29)
    world.do(replace(asking, idempotency_key="key-0001"), bank)
    nowhere = put(world, action="disclosure:request", behalf=partner.id)
    unknown = put(world, action="disclosure:request", consent=f"{encode('co', bytes(16))}/1")
    found = examined(world)
    near = found[FindingKind.CONSENT_NEAR_END]
    assert len(near) >= 1
    assert {one.actor for one in near} == {"bank"}
    without = found[FindingKind.DISCLOSURE_WITHOUT_CONSENT]
    assert {one.entries for one in without} == {(nowhere.id,), (unknown.id,)}


def test_values_opened_at_night_are_found_once_a_person_and_night(world):
    world.clock.at = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)  # half past two in Shanghai, UTC without a company
    for hours in (0, 1, 8):
        world.clock.move(hours=hours)
        put(world, actions=("credit_file:read", "reveal:contact"), purpose="CREDIT_REVIEW")
        put(world, actor="system:sweep", actions=("a:b", "reveal:contact"), purpose="CREDIT_REVIEW")
    found = examined(world).get(FindingKind.UNUSUAL_HOURS, [])
    assert len(found) <= 1
    assert {one.actor for one in found} <= {"li"}
    if isinstance(world, StoredWorld):
        assert [one.says for one in found] == ["Confidential values were opened at 02:30."]


def test_tokens_that_fail_in_a_burst_are_one_finding_and_slow_ones_none(world):
    for _ in range(BURST + 5):
        world.clock.move(seconds=20)
        put(world, actor="unknown", action="token:verify", code="NOT_AUTHENTICATED", outcome=Outcome.REFUSED)
    (one,) = examined(world)[FindingKind.FAILED_TOKENS]
    assert len(one.entries) == BURST
    for _ in range(BURST + 5):
        world.clock.move(minutes=2)
        put(world, actor="unknown", action="token:verify", code="NOT_AUTHENTICATED", outcome=Outcome.REFUSED)
    assert examined(world)[FindingKind.FAILED_TOKENS] == [one]


def test_a_review_that_is_overdue_is_found_once_for_its_day(world):
    file = world.file(world.origin())
    if isinstance(world, StoredWorld):
        pytest.skip("a due day is set past every rule, which the world in memory offers")
    world.put(replace(world.current(CreditFile)[0], review_due_on=NOW.date() - timedelta(days=1)))
    (one,) = examined(world)[FindingKind.OVERDUE_REVIEW]
    assert (one.resources, one.count) == ((file.id,), 1)
    world.clock.move(days=1)
    assert examined(world)[FindingKind.OVERDUE_REVIEW] == [one]


def test_a_day_with_far_more_entries_than_ever_is_found(world):
    for _ in range(10):
        for person in ("li", "wang", "sun"):
            for _ in range(5):
                put(world, actor=person)
        world.clock.move(days=1)
    for _ in range(60):
        put(world, actor="li")
    world.clock.move(days=1)
    put(world)
    (one,) = examined(world)[FindingKind.UNUSUAL_VOLUME]
    assert (one.actor, one.count) == ("li", 60)


def test_the_log_is_examined_in_steps_and_no_more_at_once_than_is_offered(world):
    with pytest.raises(Malformed):
        world.do(ExamineAuditLog(most=AT_ONCE + 1))
    for _ in range(7):
        put(world, actions=("a:b", "reveal:contact"))
    if isinstance(world, StoredWorld):
        world.loop(world.store.bring_up(TENANT))
    step = world.do(ExamineAuditLog(most=3))
    assert (step.entries, step.more) == (3, True)
    assert len(examined(world)[FindingKind.READ_WITHOUT_PURPOSE]) == 7


def test_every_clause_is_told_with_its_evidence_and_what_is_missing(world):
    put(world, action="consent:record")
    world.clock.move(hours=1)
    last = put(world, action="consent:record")
    put(world, action="assessment:approve")
    if isinstance(world, StoredWorld):
        world.loop(world.store.bring_up(TENANT))
    told = world.do(CoverClauses(since=NOW, until=NOW + timedelta(days=1)))
    assert [one.clause for one in told] == list(STANDARD)
    by = {one.clause: one for one in told}
    assert "consent:record" in by["4.4"].actions
    assert by["4.4"].entries >= 2
    assert by["4.4"].last_at == last.at
    assert "consent:withdraw" in by["4.4"].missing
    assert all(not set(one.actions) & set(one.missing) for one in told)
    before = world.do(CoverClauses(since=NOW - timedelta(days=2), until=NOW - timedelta(days=1)))
    assert all(one.entries == 0 and one.first_at is None for one in before)
    with pytest.raises(Malformed):
        world.do(CoverClauses(since=NOW, until=NOW))


def test_every_clause_that_the_product_offers_something_for_is_served_by_some_action():
    declared.load()
    unserved = {number for number, actions in serving().items() if not actions}
    assert unserved <= {"3.2", "3.4", "3.5", "7.3", "7.4", "8.2", "8.3", "8.4"}


@given(st.lists(st.integers(0, 10_000), min_size=1), st.integers(0, 10_000))
def test_a_day_with_more_entries_is_never_less_unusual(days, count):
    assert bound(days) >= sorted(days)[len(days) // 2 - (len(days) % 2 == 0)]
    assert not unusual(count, days, days) or unusual(count + 1, days, days)


def test_of_days_without_a_cause_hardly_any_is_unusual_and_a_tenfold_one_is():
    """The false alarms of the rule: days spread as counts are, of quiet and of busy people, and uneven ones."""
    chance = random.Random(20261127)  # noqa: S311 - no secret

    def day(level, uneven):
        """A count about a level: its own spread, and that of good and bad days."""
        own = max(0.0, chance.gauss(level, level * uneven))
        return max(0, round(chance.gauss(own, own**0.5)))

    alarms, caught, trials = 0, 0, 4_000
    for _ in range(trials):
        level, uneven = chance.choice((3, 15, 60, 400)), chance.choice((0.0, 0.2, 0.4))
        own = [day(level, uneven) for _ in range(HISTORY_DAYS)]
        role = [day(level, uneven) for _ in range(HISTORY_DAYS * 4)]
        alarms += unusual(day(level, uneven), own, role)
        caught += unusual(10 * max(level, 15), own, role)
    assert alarms / trials <= 0.001
    assert caught / trials >= 0.99
