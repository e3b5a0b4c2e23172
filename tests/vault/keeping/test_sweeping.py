"""Every kind of record ends by its rule, for good; what is held or needed stays and is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from api.jobs.erasing import finish
from api.jobs.retaining import sweep
from domain.assessment.assessments import Assessment, AssessmentState
from domain.consent.attesting.attesting import Attestation
from domain.consent.consents import Consent, ConsentEvent, ConsentState, ConsentUse, Disclosure, DisclosureState
from domain.consent.giving import GrantConsent, WithdrawConsent
from domain.consent.handover.recalling import Recall
from domain.consent.statutory import StatutoryDisclosure, StatutoryState
from domain.controls import ControlAction, ControlState
from domain.custody import retention
from domain.custody.ending import blank
from domain.custody.erasures import Erasure, ErasureReason, ErasureState
from domain.custody.holds import LiftLegalHold, PlaceLegalHold
from domain.custody.relation import EndRelation, ResumeRelation
from domain.custody.retention import SweepRecords, SweepSealed, later
from domain.custody.rules import BURIED, KINDS, PACK, RULES, Ending, sealed_clock
from domain.custody.shown import AdoptRetentionRules, RetentionRule
from domain.errors import Conflict, Malformed
from domain.files.history import DocumentKind, DocumentState, RecordStatus, TradeTransaction
from domain.files.opening import BasicInformation, Contact, OpenCreditFile
from domain.files.parties import ContactPerson, CreditFile, FileState, PartyKind
from domain.objections.objections import Objection, ObjectionState
from domain.operations import OPERATIONS, Decided
from domain.reading import Purpose
from domain.records import SHAPES
from domain.statements.statements import CreditStatement, StatementState
from tests.vault.keeping.samples import CANARY, sample
from tests.vault.keeping.test_erasing import places, rows, scanned
from tests.vault.keeping.test_killed import started
from tests.vault.test_store import Try
from tests.world import EMAIL, NOW, TENANT, USCC
from vault.store.tables import table, tombstone

ENDED = date(2026, 11, 24)
RULE = {rule.id: rule for rule in RULES}


@pytest.fixture(autouse=True)
def _trying(monkeypatch):
    monkeypatch.setitem(OPERATIONS, "Try", Try)


def put(world, *made):
    """Records put in place, past every rule: states that take years to come about."""

    def how(unit):
        records = [one(unit) for one in made]
        unit.add(records)
        return Decided(value=records)

    return world.do(Try(how=how))


def of(file, record, /, **known):
    """A record of a file."""

    def make(unit):
        partner = {"partner": known["partner"]} if "partner" in known else {}
        if "credit_file" in record.shape.facts:
            partner["credit_file"] = file.id
        return sample(unit, record, file.subject_id, NOW, **(known | partner))

    return make


@pytest.fixture
def file(world):
    """A firm with a person in its file."""
    opening = OpenCreditFile(
        reference="C-1",
        name=f"{CANARY} Networks",
        kind=PartyKind.ENTERPRISE,
        origin=world.origin(),
        basic=BasicInformation(unified_social_credit_code=USCC, phone="+8613800130001", email=EMAIL),
        contacts=(Contact(duty=f"{CANARY} duty", name="Li", phone="13900139000"),),
    )
    return world.do(opening)


@pytest.fixture
def full(world, file):
    """A file with a record of every kind whose time is counted from what stands in clear, all of them over."""
    partner = world.partner().id
    over = NOW - timedelta(days=1)
    grant = GrantConsent(
        credit_file=file.id,
        partner=partner,
        purpose=Purpose.PARTNER_CREDIT_DECISION,
        fields=("contact.phone",),
        use=ConsentUse.STANDING,
        not_after=NOW + timedelta(days=9),
        notice_digest="ab" * 32,
        given_by=f"{CANARY} given_by",
    )
    consent = world.do(grant)
    world.do(WithdrawConsent(consent=consent.id))
    (disclosure,) = put(
        world, of(file, Disclosure, partner=partner, consent=consent.id, state=DisclosureState.RELEASED)
    )
    policy = world.do(Try(how=_policy))
    (assessment,) = put(world, of(file, Assessment, policy=policy, state=AssessmentState.SUPERSEDED))
    put(
        world,
        of(file, Recall, partner=partner, disclosure=disclosure.id),
        of(file, Attestation, partner=partner, disclosure=disclosure.id),
        of(file, StatutoryDisclosure, state=StatutoryState.RELEASED, released_at=over),
        of(file, Objection, state=ObjectionState.REJECTED, contested=None),
        of(file, CreditStatement, assessment=assessment.id, state=StatementState.REVOKED, expires_at=over),
        of(file, TradeTransaction, source=file.source, state=DocumentState.SETTLED),
        of(file, ControlAction, state=ControlState.LIFTED, assessment=assessment.id),
    )

    def sealed(unit):
        one = unit.get(Assessment, assessment.id)
        unit.seal(one, Assessment.receipt, f"{CANARY} receipt")
        objection = unit.find(Objection)[0]
        unit.seal(objection, Objection.statement, f"{CANARY} statement")
        unit.replace(replace(one, card=f"{CANARY} old"))  # a version that has to go too
        return Decided(value=None)

    world.do(Try(how=sealed))
    end(world, file)
    return file


def _policy(unit):
    from domain.assessment.assessments import CreditPolicy

    return Decided(value=unit.find(CreditPolicy)[0].id)


def end(world, file, ended_on=None):
    return world.do(EndRelation(credit_file=file.id, ended_on=ended_on, reason="the contract ended"))


def job(world):
    return world.actor("system:retention")


def swept(world, *, dry=False):
    return world.loop(sweep(world.gate, job(world), dry=dry))


def finished(world):
    return world.loop(finish(world.gate, world.store, [TENANT], lambda _: world.actor("system:operator")))


def years(world, number):
    """Time goes on: a day more than so many years."""
    at = world.clock.at
    world.clock.at = at.replace(year=at.year + number) + timedelta(days=1)


def current(world, kind):
    return [one for one in world.current(kind) if one.stamp.subject_id]


@pytest.mark.usefixtures("full")
def test_every_kind_ends_by_its_rule_and_nothing_of_it_is_left(world):
    years(world, 6)
    assert places(scanned(world), [CANARY.encode()])
    due = swept(world)
    assert {one.rule for one in due} == {
        *("CN-L9", "CN-C9", "CN-P15", "CN-P15-STATUTORY", "CN-P2", "CN-L10", "CN-P4-TRADE", "CN-P4"),
    }
    assert not any(one.stays for one in due)
    for rule in RULES:
        if rule.record not in KINDS or sealed_clock(rule.record):
            continue
        for own in world.rows(rule.record):
            assert all(getattr(own, name) == blank(own, name) for name in rule.blanks), own
        for along in rule.along:
            assert all(
                getattr(own, name) == blank(own, name) for own in world.rows(along.record) for name in along.blanks
            )
    assert len(world.rows(ConsentEvent)) == 2
    assert [one.status for one in world.rows(TradeTransaction)] == [RecordStatus.EXPIRED]
    assert world.findings() == []
    done = finished(world)
    assert {one.rule for one in done} == {one.rule for one in due}
    assert all(one.certificate and one.state is ErasureState.ERASED for one in done)
    (file,) = world.current(CreditFile)
    assert (file.state, file.name, file.reference) == (FileState.ERASED, "", file.id)
    assert swept(world) == []
    assert world.findings() == []


@pytest.mark.usefixtures("full")
def test_what_ended_lies_in_no_file_of_the_database(world):
    years(world, 6)
    swept(world)
    finished(world)
    kept = {f"{CANARY} {name}".encode() for name in ("source_row", "collector", "placed_by", "proposed_by")}
    blanked = {
        f"{CANARY} {name}".encode()
        for rule in RULES
        for names in (rule.blanks, *(along.blanks for along in rule.along))
        for name in names
    }
    files = scanned(world)
    assert places(files, [*(blanked - kept), f"{CANARY} Networks".encode(), f"{CANARY} duty".encode()]) == []


@pytest.mark.usefixtures("full")
def test_a_tombstone_keeps_the_digest_of_what_was_there_and_the_rule(world):
    years(world, 6)
    swept(world)
    stones = {row["record_id"]: row for row in rows(world, tombstone)}
    (trade,) = world.current(TradeTransaction)
    assert stones[trade.id]["rule"] == "CN-P4-TRADE"
    assert len(stones[trade.id]["digest"]) == 64
    assert trade.stamp.version == 2


@pytest.mark.usefixtures("full")
def test_nothing_ends_a_day_too_early(world):
    world.clock.at = NOW.replace(year=2029) - timedelta(days=1)
    assert swept(world) == []
    world.clock.move(days=1)
    assert {one.rule for one in swept(world)} == {"CN-L10"}
    world.clock.move(days=1)
    assert {one.rule for one in swept(world, dry=True)} == {"CN-P4", "CN-P4-TRADE"}


@pytest.mark.parametrize(
    ("day", "rule", "last"),
    [
        (date(2020, 2, 29), "CN-P4", date(2023, 2, 28)),
        (date(2020, 2, 28), "CN-P4", date(2023, 2, 28)),
        (date(2021, 3, 1), "CN-P4", date(2024, 3, 1)),
        (date(2026, 8, 31), "CN-S2", date(2027, 2, 28)),
        (date(2026, 12, 31), "CN-S2", date(2027, 6, 30)),
        (date(2023, 8, 31), "CN-S2", date(2024, 2, 29)),
    ],
)
def test_terms_are_counted_by_the_calendar(day, rule, last):
    assert later(day, RULE[rule]) == last


@pytest.mark.usefixtures("full")
def test_a_dry_run_lists_the_same_and_changes_nothing(world):
    years(world, 6)
    before = {name: len(world.rows(shape.cls)) for name, shape in SHAPES.items() if not shape.ledger}
    listed = swept(world, dry=True)
    assert {name: len(world.rows(shape.cls)) for name, shape in SHAPES.items() if not shape.ledger} == before
    assert listed == swept(world)


@pytest.mark.usefixtures("full")
def test_an_entry_names_the_rules_and_how_often_each_applied(world):
    years(world, 6)
    swept(world)
    told = [json.loads(leaf) for leaf in world.leaves()]
    policies = [one["policy"] for one in told if one["action"] == "retention:sweep"]
    assert f"{PACK}: CN-P4-TRADE ended 1" in policies
    assert f"{PACK}: nothing due" in policies
    assert all(one["purpose"] == "RETENTION" for one in told if one["action"] == "retention:sweep")


def test_a_hold_keeps_everything_restricts_the_file_and_is_told(world, full):
    hold = PlaceLegalHold(credit_file=full.id, reason="Case 12", owner="counsel")
    held = world.do(hold, world.actor("legal"))
    years(world, 6)
    before = world.current(TradeTransaction)
    assert all(one.held for one in swept(world))
    assert world.current(TradeTransaction) == before
    assert world.current(Erasure) == []
    (file,) = world.current(CreditFile)
    assert file.state is FileState.RESTRICTED
    assert file.name
    world.do(LiftLegalHold(hold=held.id, reason="it is over"), world.actor("legal"))
    assert not any(one.stays for one in swept(world))
    assert world.current(CreditFile)[0].state is FileState.DESTROYING
    assert world.findings() == []


def test_what_is_under_way_keeps_the_file_and_is_named(world, file):
    claim, consent, measure, contested = put(
        world,
        of(
            file,
            TradeTransaction,
            source=file.source,
            kind=DocumentKind.RECEIVABLE,
            state=DocumentState.OPEN,
            status=RecordStatus.ACTIVE,
        ),
        of(
            file,
            Consent,
            partner=world.partner().id,
            state=ConsentState.GIVEN,
            not_after=NOW + timedelta(days=9_000),
        ),
        of(file, ControlAction, state=ControlState.ACTIVE),
        of(file, Objection, state=ObjectionState.RECEIVED, contested=None),
    )
    end(world, file)
    years(world, 4)
    due = {one.rule: one for one in swept(world)}
    assert due["CN-P4-TRADE"].needed_by == (claim.id,)
    assert set(due["CN-P4"].needed_by) == {claim.id, consent.id, measure.id, contested.id}
    assert world.current(CreditFile)[0].state is FileState.RESTRICTED
    assert world.current(TradeTransaction)[0].status is RecordStatus.ACTIVE
    resumed = world.do(ResumeRelation(credit_file=file.id, reason="it came back"))
    assert (resumed.state, resumed.relation_ended_on) == (FileState.OPEN, None)
    assert swept(world) == []


def test_a_contested_record_stays_until_it_is_answered(world, full):
    (trade,) = world.current(TradeTransaction)
    (objection,) = put(world, of(full, Objection, state=ObjectionState.ANNOTATED, contested=trade.id))
    years(world, 6)
    due = {one.record: one for one in swept(world)}
    assert due[trade.id].needed_by == (objection.id,)
    assert world.current(TradeTransaction)[0].status is RecordStatus.ACTIVE


def test_of_a_natural_person_neither_name_nor_contact_is_left(world):
    opening = OpenCreditFile(
        reference="P-1",
        name="王小明独一无二",
        kind=PartyKind.NATURAL_PERSON,
        origin=world.origin(),
        basic=BasicInformation(phone="+8613800130001"),
    )
    file = world.do(opening)
    end(world, file, date(2022, 1, 1))
    (due,) = swept(world)
    assert (due.rule, due.ending) == ("CN-P4", Ending.SHRED)
    finished(world)
    assert places(scanned(world), ["王小明独一无二".encode()]) == []
    assert world.findings() == []


def test_documents_end_after_what_rests_on_them():
    kinds = [record.shape.name for record in KINDS]
    assert kinds.index("Document") > kinds.index("Consent")
    assert kinds.index("CreditFile") > kinds.index("TradeTransaction")


def test_the_sweep_goes_on_in_steps(world, file, monkeypatch):
    put(
        world,
        *(
            of(file, TradeTransaction, source=file.source, source_row=f"{number}", state=DocumentState.SETTLED)
            for number in range(7)
        ),
    )
    end(world, file)
    years(world, 4)
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    due = [one for one in swept(world) if one.rule == "CN-P4-TRADE"]
    assert len(due) == 7
    assert {one.status for one in world.current(TradeTransaction)} == {RecordStatus.EXPIRED}
    assert len([one for one in world.current(Erasure) if one.rule == "CN-P4-TRADE"]) == 3
    assert world.findings() == []


def test_a_sweep_killed_at_any_step_goes_on_when_it_is_run_again(world):
    origin = world.origin()
    for number in range(12):
        opened = world.file(origin, f"C-{number:02}", BasicInformation(phone=f"+861380013{number:04}"))
        put(
            world,
            of(opened, TradeTransaction, source=opened.source, source_row=f"{number}", state=DocumentState.SETTLED),
        )
        end(world, opened, date(2020, 1, 1 + number))
    process = started(world, "sweep")
    told, wrong = process.communicate(timeout=400)
    assert process.returncode == 0, wrong
    assert int(told) > 3
    assert world.findings() == []
    assert {one.status for one in world.current(TradeTransaction)} == {RecordStatus.EXPIRED}
    ended = [own for one in world.current(Erasure) for own in one.records]
    assert len(ended) == len(set(ended))


def test_a_version_that_was_deleted_without_an_erasure_is_found(world, full):
    assert full
    (assessment,) = world.current(Assessment)
    world.database.insert("tombstone", {"tenant": TENANT, "record_id": assessment.id, "rule": "CN-L9", "digest": "d"})
    world.database.execute("DELETE FROM assessment WHERE superseded_at IS NOT NULL")
    assert {finding.kind for finding in world.findings()} == {"ROW", "UNRECORDED", "TOMBSTONE"}


@pytest.mark.usefixtures("full")
def test_no_certificate_is_given_while_an_earlier_version_is_there(world):
    years(world, 6)
    swept(world)
    (trade,) = world.current(TradeTransaction)
    (before, *_) = [one for one in world.rows(TradeTransaction) if one.id == trade.id]
    own = table(TradeTransaction.shape)
    row = world.look(lambda connection: connection.execute(sa.select(own)).mappings().one())
    at = row["recorded_at"]
    old = dict(row) | {"version": 1, "superseded_at": at}
    if world.database.dialect == "sqlite":
        from vault.store.schema.columns import instant_text

        old = {name: instant_text(value) if name.endswith("_at") and value else value for name, value in old.items()}
        old = {name: value.isoformat() if isinstance(value, date) else value for name, value in old.items()}
    world.database.insert("trade_transaction", old)
    with pytest.raises(Conflict, match="1 keys, values or tokens"):
        finished(world)
    assert before


def test_the_relation_ends_by_today_and_goes_on_only_where_it_ended(world, file):
    with pytest.raises(Malformed, match="future"):
        end(world, file, ENDED + timedelta(days=1))
    with pytest.raises(Conflict, match="did not end"):
        world.do(ResumeRelation(credit_file=file.id, reason="never left"))
    assert end(world, file).relation_ended_on == ENDED
    assert end(world, file, date(2026, 1, 1)).relation_ended_on == date(2026, 1, 1)


def test_the_rules_are_shown_as_they_are_applied_and_earlier_versions_stay(world, monkeypatch):
    shown = {one.name: one for one in world.current(RetentionRule)}
    assert list(shown) == [rule.id for rule in RULES] or set(shown) == set(RULE)
    assert (shown["CN-C5"].years, shown["CN-C5"].ending) == (5, Ending.DELETE)
    assert world.do(AdoptRetentionRules(), job(world)) == 0
    stricter = tuple(replace(rule, years=4) if rule.id == "CN-C5" else rule for rule in RULES)
    monkeypatch.setattr("domain.custody.shown.RULES", stricter)
    assert world.do(AdoptRetentionRules(), job(world)) == 1
    versions = [one.years for one in world.rows(RetentionRule) if one.name == "CN-C5"]
    assert versions == [5, 4]


def test_every_rule_blanks_facts_that_there_are_and_none_that_identifies_a_row():
    for rule in RULES:
        for record, names in ((rule.record, rule.blanks), *((one.record, one.blanks) for one in rule.along)):
            facts = record.shape.facts if record else {}
            assert set(names) <= set(facts), rule.id
    assert {shape.name for shape in BURIED} >= {"TradeTransaction", "Consent", "ConsentEvent", "Recall", "CreditFile"}


def test_no_kind_is_swept_by_two_steps(world):
    for record in KINDS:
        kind = SweepSealed if sealed_clock(record) else SweepRecords
        assert world.do(kind(kind=record.shape.name), job(world)).due == ()
    assert ErasureReason.RETENTION not in {one.reason for one in world.current(Erasure)}
    assert world.current(ContactPerson) == []
