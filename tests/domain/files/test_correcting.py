"""Wrong records are put right, and what was known before stays as it was known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.audit import Outcome
from domain.errors import Code, Malformed, NotFound, Stale
from domain.files.correcting import (
    Clearable,
    CorrectRecord,
    CorrectTransaction,
    DocumentCorrection,
    WithdrawRecord,
)
from domain.files.history import DefaultEvent, LitigationRecord, RecordStatus, TradeTransaction
from domain.files.parties import FileState
from domain.files.recording.documents import RecordTransactions
from domain.files.recording.events import RecordDefault, RecordLitigation, RecordSanction
from domain.files.recording.reports import RecordRating, RecordStatement
from domain.files.values import SealedCorrection
from domain.money import Money
from tests.domain.files.test_recording import DOCUMENT, FIGURES, given, yuan
from tests.world import OTHER_TENANT, World


@pytest.fixture
def world():
    return World()


@pytest.fixture
def origin(world):
    return world.origin()


@pytest.fixture
def file(world, origin):
    return world.file(origin)


@pytest.fixture
def document(world, file, origin):
    return world.do(given(RecordTransactions, file, origin))[0]


@pytest.fixture
def case(world, file, origin):
    return world.do(given(RecordLitigation, file, replace(origin, source_row="9"), claim=yuan(5)))


def correct(record, *values, **changes):
    return CorrectRecord(**{"record": record.id, "values": values, "reason": "A typing error"} | changes)


def court(text="Chaoyang Court", **changes):
    return SealedCorrection(**{"field": "litigation.court", "text": text} | changes)


def test_a_document_gets_a_new_version_and_the_old_one_stays(world, document):
    world.clock.move(days=3)
    changes = DocumentCorrection(
        issued_on=date(2026, 2, 27), total=yuan(114), due_on=date(2026, 3, 30), counterparty="Gamma"
    )
    right = world.do(
        CorrectTransaction(record=document.id, changes=changes, reason="Misread", evidence_digest="b" * 64),
        world.actor("zhou"),
    )
    old, new = world.versions(document)
    assert new == right
    assert old == replace(document, stamp=replace(document.stamp, superseded_at=world.clock.at))
    assert (new.id, new.source_row, new.source) == (document.id, "1", document.source)
    assert (new.issued_on, new.total, new.net, new.due_on) == (
        date(2026, 2, 27),
        yuan(114),
        yuan(100),
        date(2026, 3, 30),
    )
    assert new.stamp.effective_from == datetime(2026, 2, 27, tzinfo=UTC)
    assert new.findings == ("TOTAL_DOES_NOT_ADD_UP",)
    assert new.counterparty not in {None, old.counterparty, "Gamma"}
    assert (new.collector, new.evidence_digest) == ("zhou", "b" * 64)
    entry = world.entries[-1]
    assert (entry.action, dict(entry.payload)) == ("record:correct", {"note": "Misread"})
    assert b"Misread" not in entry.leaf("")


def test_a_corrected_document_is_known_to_an_import_of_the_same_row(world, file, origin, document):
    changes = DocumentCorrection(number="F-2")
    world.do(CorrectTransaction(record=document.id, changes=changes, reason="Misread"))
    with pytest.raises(Malformed) as refusal:
        world.do(given(RecordTransactions, file, origin, documents=(DOCUMENT,)))
    assert refusal.value.code is Code.CONFLICT


def test_what_a_document_is_without_is_cleared(world, document):
    changes = DocumentCorrection(cleared=(Clearable.TAX, Clearable.COUNTERPARTY))
    right = world.do(CorrectTransaction(record=document.id, changes=changes, reason="No tax"))
    assert (right.tax, right.counterparty) == (None, None)


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"changes": DocumentCorrection()}, Code.MISSING_VALUE, ("changes",)),
        ({"reason": " "}, Code.MISSING_VALUE, ("reason",)),
        ({"evidence_digest": "x"}, Code.MALFORMED_CODE, ("evidenceDigest",)),
        ({"changes": DocumentCorrection(number="")}, Code.MISSING_VALUE, ("changes", "number")),
        ({"changes": DocumentCorrection(issued_on=date(2027, 1, 1))}, Code.MALFORMED_DATE, ("changes", "issuedOn")),
        ({"changes": DocumentCorrection(total=Money(1, "USD"))}, Code.MALFORMED_AMOUNT, ("changes", "total")),
        (
            {"changes": DocumentCorrection(tax=yuan(1), cleared=(Clearable.TAX,))},
            Code.MALFORMED,
            ("changes", "cleared", "0"),
        ),
    ],
)
def test_a_correction_of_a_document_that_is_not_in_order_changes_nothing(world, document, changes, code, path):
    said = {"record": document.id, "changes": DocumentCorrection(number="F-2"), "reason": "Misread"}
    with pytest.raises(Malformed) as refusal:
        world.do(CorrectTransaction(**said | changes))
    assert (refusal.value.code, refusal.value.path) == (code, path)
    assert refusal.value.advice
    assert world.versions(document) == (document,)


def test_a_wrong_sealed_value_is_superseded_by_a_right_record_and_stays_readable(world, case):
    world.clock.move(days=3)
    right = world.do(correct(case, court()), world.actor("zhou"))
    old, corrected = world.versions(case)
    assert old.status is RecordStatus.ACTIVE
    assert (corrected.status, corrected.source_row) == (RecordStatus.CORRECTED, None)
    assert corrected.stamp.effective_from == case.stamp.effective_from
    assert world.secret(case, "court") == "Haidian Court"
    assert (right.supersedes, right.status, right.source_row) == (case.id, RecordStatus.ACTIVE, "9")
    assert right.stamp.effective_from == case.stamp.effective_from
    assert right.stamp.recorded_at == world.clock.at
    assert (right.collector, right.source) == ("zhou", case.source)
    values = {name: world.secret(right, name) for name in LitigationRecord.shape.confidential}
    assert values == {
        "court": "Chaoyang Court",
        "case_number": "(2026) 108",
        "role": "defendant",
        "claim": yuan(5),
        "severity": "MINOR",
    }


def test_what_is_taken_over_is_recorded_before_it_is_opened_and_the_rest_is_not_opened(world, case):
    before, seen = len(world.entries), []
    world.vault.before = lambda: seen.extend(world.entries[before:])
    world.do(correct(case, court()))
    (collected,) = seen
    assert (collected.action, collected.purpose) == ("record:correct", "DATA_QUALITY")
    assert "litigation.court" not in collected.fields
    assert "litigation.role" in collected.fields
    assert [entry.outcome for entry in world.entries[before:]] == [Outcome.DONE] * 2


def test_a_value_that_may_be_absent_is_cleared(world, case):
    right = world.do(correct(case, cleared=("litigation.claim",)))
    assert world.secret(right, "claim") is None
    assert world.secret(right, "court") == "Haidian Court"


def test_every_kind_of_record_is_corrected(world, file, origin):
    default = world.do(given(RecordDefault, file, origin))
    right = world.do(correct(default, SealedCorrection(field="default.since_on", day=date(2026, 1, 1))))
    assert (world.secret(right, "default_since"), world.secret(right, "default_kind")) == (date(2026, 1, 1), "FRAUD")
    rating = world.do(given(RecordRating, file, origin))
    right = world.do(correct(rating, SealedCorrection(field="rating.band", text="WEAK")))
    assert (world.secret(right, "rating_band"), right.valid_until) == ("WEAK", rating.valid_until)
    statement = world.do(given(RecordStatement, file, origin))
    right = world.do(correct(statement, SealedCorrection(field="financial.net_profit", amount=yuan(3))))
    assert {name: world.secret(right, name) for name in FIGURES} == FIGURES | {"net_profit": yuan(3)}
    assert (right.period_end, right.audited) == (statement.period_end, True)


@pytest.mark.parametrize(
    ("values", "changes", "code", "path"),
    [
        ((), {}, Code.MISSING_VALUE, ("values",)),
        ((court(),), {"reason": ""}, Code.MISSING_VALUE, ("reason",)),
        ((court(),), {"evidence_digest": "x"}, Code.MALFORMED_CODE, ("evidenceDigest",)),
        ((court(), court()), {}, Code.MALFORMED, ("values", "1")),
        ((court(field="rating.agency"),), {}, Code.MALFORMED, ("values", "0")),
        ((court(field="person.religion"),), {}, Code.FORBIDDEN_CATEGORY, ("values", "0")),
        ((court(text=None),), {}, Code.MALFORMED, ("values", "0")),
        ((court(amount=yuan(1)),), {}, Code.MALFORMED, ("values", "0")),
        ((court(text=None, day=date(2026, 1, 1)),), {}, Code.MALFORMED, ("values", "0")),
        ((court(text="\0"),), {}, Code.MALFORMED, ("values", "0", "text")),
        ((court(field="litigation.severity", text="Haidian"),), {}, Code.MALFORMED, ("values", "0", "text")),
        (
            (SealedCorrection(field="litigation.claim", amount=yuan(-1)),),
            {},
            Code.MALFORMED_AMOUNT,
            ("claim",),
        ),
        ((), {"cleared": ("litigation.court",)}, Code.MALFORMED, ("cleared", "0")),
        ((), {"cleared": ("default.ended_on",)}, Code.MALFORMED, ("cleared", "0")),
        (
            (SealedCorrection(field="litigation.claim", amount=yuan(1)),),
            {"cleared": ("litigation.claim",)},
            Code.MALFORMED,
            ("cleared", "0"),
        ),
    ],
)
def test_a_correction_that_is_not_in_order_changes_nothing(world, case, values, changes, code, path):
    with pytest.raises(Malformed) as refusal:
        world.do(correct(case, *values, **changes))
    assert (refusal.value.code, refusal.value.path) == (code, path)
    assert refusal.value.advice
    assert world.current(LitigationRecord) == [case]


def test_a_sanction_that_is_repaired_later_is_corrected_and_its_end_fits(world, file, origin):
    sanction = world.do(given(RecordSanction, file, origin))
    repaired = SealedCorrection(field="sanction.repaired_on", day=date(2026, 9, 9))
    right = world.do(correct(sanction, repaired))
    assert world.secret(right, "repaired_on") == date(2026, 9, 9)
    for wrong, path in (
        (SealedCorrection(field="sanction.repaired_on", day=date(2026, 4, 4)), ("repairedOn",)),
        (SealedCorrection(field="sanction.repaired_on", day=date(2027, 4, 4)), ("repairedOn",)),
        (SealedCorrection(field="sanction.kind", text="NONE"), ("severity",)),
        (SealedCorrection(field="sanction.match", text="PERHAPS"), ("values", "0", "text")),
    ):
        with pytest.raises(Malformed) as refusal:
            world.do(correct(right, wrong))
        assert refusal.value.path == path
    still = world.do(correct(right, cleared=("sanction.repaired_on",)))
    assert world.secret(still, "repaired_on") is None


@pytest.mark.parametrize("values", [(court(field="x.y"),), (court(text=None),)])
def test_nothing_is_opened_for_a_correction_that_cannot_be_made(world, case, values):
    with pytest.raises(Malformed):
        world.do(correct(case, *values))
    assert world.vault.warrants == []


def test_right_values_fit_those_that_are_taken_over(world, file, origin):
    statement = world.do(given(RecordStatement, file, origin))
    with pytest.raises(Malformed) as mixed:
        world.do(correct(statement, SealedCorrection(field="financial.net_profit", amount=Money(1, "USD"))))
    assert mixed.value.code is Code.MALFORMED_AMOUNT
    default = world.do(given(RecordDefault, file, origin, ended_on=date(2026, 6, 7)))
    with pytest.raises(Malformed) as ended:
        world.do(correct(default, SealedCorrection(field="default.since_on", day=date(2026, 6, 8))))
    assert ended.value.code is Code.MALFORMED_DATE
    assert len(world.current(DefaultEvent)) == 1


def test_a_record_that_changed_while_its_values_were_opened_is_decided_on_again(world, case):
    def change():
        unit = world.unit()
        unit.seal(unit.get(LitigationRecord, case.id), LitigationRecord.role, "third party")
        world.store.state = unit.state

    world.vault.before = change
    right = world.do(correct(case, court()))
    assert world.secret(right, "role") == "third party"
    assert len(world.current(LitigationRecord)) == 2


def test_two_who_correct_the_same_record_at_once_leave_one_right_record(world, case):
    def other():
        world.do(correct(case, court("Dongcheng Court")))

    world.vault.before = other
    with pytest.raises(Malformed) as refusal:
        world.do(correct(case, court()))
    assert refusal.value.code is Code.INVALID_TRANSITION
    active = [one for one in world.current(LitigationRecord) if one.status is RecordStatus.ACTIVE]
    assert [world.secret(one, "court") for one in active] == ["Dongcheng Court"]


def test_a_withdrawn_record_stays_readable_and_no_import_brings_it_back(world, file, origin, document, case):
    for record in (document, case):
        withdrawn = world.do(WithdrawRecord(record=record.id, reason="Another customer's"))
        assert withdrawn.status is RecordStatus.WITHDRAWN
        assert [one.status for one in world.versions(record)] == [RecordStatus.ACTIVE, RecordStatus.WITHDRAWN]
        assert withdrawn.stamp.effective_from == record.stamp.effective_from
        assert dict(world.entries[-1].payload) == {"note": "Another customer's"}
    for again in (
        given(RecordTransactions, file, origin),
        given(RecordLitigation, file, replace(origin, source_row="9")),
    ):
        with pytest.raises(Malformed) as refusal:
            world.do(again)
        assert refusal.value.code is Code.CONFLICT


@pytest.mark.parametrize("over", ["corrected", "withdrawn"])
def test_what_is_history_is_not_corrected_again(world, case, over):
    world.do(correct(case, court()) if over == "corrected" else WithdrawRecord(record=case.id, reason="Wrong"))
    for operation in (correct(case, court()), WithdrawRecord(record=case.id, reason="Wrong")):
        with pytest.raises(Malformed) as refusal:
            world.do(operation)
        assert (refusal.value.code, refusal.value.path) == (Code.INVALID_TRANSITION, ("record",))


def test_a_right_record_can_turn_out_to_be_wrong_too(world, case):
    right = world.do(correct(case, court()))
    righter = world.do(correct(right, court("Xicheng Court")))
    assert righter.supersedes == right.id
    assert world.secret(right, "court") == "Chaoyang Court"


def test_a_record_of_another_kind_company_or_closed_file_is_not_corrected(world, file, document, case):
    for wrong in (correct(document, court()), correct(file, court()), WithdrawRecord(record=file.id, reason="x")):
        with pytest.raises(NotFound) as refusal:
            world.do(wrong)
        assert refusal.value.path == ("record",)
    with pytest.raises(NotFound):
        world.do(CorrectTransaction(record=case.id, changes=DocumentCorrection(number="2"), reason="x"))
    with pytest.raises(NotFound):
        world.do(WithdrawRecord(record=case.id, reason="x"), world.actor(tenant=OTHER_TENANT))
    world.put(replace(file, state=FileState.RESTRICTED))
    with pytest.raises(Malformed) as closed:
        world.do(correct(case, court()))
    assert closed.value.code is Code.INVALID_TRANSITION


def test_an_earlier_reading_is_not_changed_by_a_correction(world, document, case):
    """What was known at an instant: the versions recorded by then and superseded after, and their sealed values."""

    def known(at):
        rows = [
            version
            for kind in (TradeTransaction, LitigationRecord)
            for record in world.current(kind)
            for version in world.versions(record)
            if version.stamp.recorded_at <= at
            and (version.stamp.superseded_at is None or at < version.stamp.superseded_at)
        ]
        return [
            (
                replace(row, stamp=replace(row.stamp, superseded_at=None)),
                [world.secret(row, name) for name in row.shape.confidential],
            )
            for row in rows
        ]

    then = world.clock.at
    before = known(then)
    world.clock.move(days=1)
    world.do(correct(case, court()))
    world.do(CorrectTransaction(record=document.id, changes=DocumentCorrection(number="F-9"), reason="Misread"))
    world.clock.move(days=1)
    world.do(WithdrawRecord(record=document.id, reason="Wrong"))
    assert known(then) == before
    with pytest.raises(Stale):
        world.put(document)
