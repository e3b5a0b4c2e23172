"""Credit records are recorded from lawful sources, checked, with what is confidential sealed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.errors import Code, Malformed, NotFound
from domain.files.history import (
    DefaultEvent,
    DefaultKind,
    DocumentKind,
    ExternalRating,
    FinancialStatement,
    LitigationRecord,
    LitigationSeverity,
    PublicSanction,
    RatingBand,
    RecordStatus,
    SanctionKind,
    SanctionMatch,
    SanctionSeverity,
    TradeTransaction,
)
from domain.files.opening import BasicInformation, OpenCreditFile
from domain.files.parties import FileState, PartyKind
from domain.files.recording.documents import Document, RecordTransactions
from domain.files.recording.events import RecordDefault, RecordLitigation, RecordSanction
from domain.files.recording.reports import RecordRating, RecordStatement
from domain.files.sources import LawfulBasis, RegisterSource, SourceType
from domain.ids import Id
from domain.money import Money
from tests.world import NOW, OTHER_TENANT, World

TODAY = NOW.date()
TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)


def yuan(amount):
    return Money(amount * 100, "CNY")


DOCUMENT = Document(
    source_row="1",
    kind=DocumentKind.RECEIVABLE,
    number="F-1",
    issued_on=date(2026, 3, 1),
    net=yuan(100),
    total=yuan(113),
    tax=yuan(13),
    counterparty="Beta Ltd",
)
FIGURES = {
    "current_assets": yuan(10),
    "current_liabilities": yuan(5),
    "total_assets": yuan(20),
    "total_liabilities": yuan(9),
    "tangible_net_worth": yuan(-11),
    "net_profit": yuan(-2),
    "operating_cash_flow": yuan(-1),
}


@pytest.fixture
def world():
    return World()


@pytest.fixture
def origin(world):
    return world.origin()


@pytest.fixture
def file(world, origin):
    return world.file(origin)


def given(kind, file, origin, /, **changes):
    """A recording that is in order, but for the changes."""
    said = {
        RecordTransactions: {"documents": (DOCUMENT,)},
        RecordDefault: {"kind": DefaultKind.FRAUD, "amount": yuan(7), "since_on": date(2026, 2, 3)},
        RecordLitigation: {
            "court": "Haidian Court",
            "case_number": "(2026) 108",
            "role": "defendant",
            "severity": LitigationSeverity.MINOR,
            "filed_on": date(2026, 4, 5),
        },
        RecordSanction: {
            "authority": "Market regulator",
            "kind": SanctionKind.ADMINISTRATIVE_PENALTY,
            "severity": SanctionSeverity.ORDINARY,
            "match": SanctionMatch.CONFIRMED,
            "published_on": date(2026, 4, 5),
        },
        RecordRating: {
            "agency": "Lianhe",
            "rating": "AA+",
            "band": RatingBand.GOOD,
            "rated_on": date(2026, 5, 6),
            "valid_until": date(2027, 5, 6),
        },
        RecordStatement: {"period_end": date(2025, 12, 31), "audited": True, **FIGURES},
    }[kind]
    return kind(**{"credit_file": file.id, "origin": origin} | said | changes)


KINDS = (RecordTransactions, RecordDefault, RecordLitigation, RecordSanction, RecordRating, RecordStatement)
RECORDS = (TradeTransaction, DefaultEvent, LitigationRecord, PublicSanction, ExternalRating, FinancialStatement)


@pytest.mark.parametrize(
    ("kind", "changes", "code", "path"),
    [
        (RecordTransactions, {"documents": ()}, Code.MALFORMED, ("documents",)),
        (RecordTransactions, {"documents": (DOCUMENT,) * 1001}, Code.MALFORMED, ("documents",)),
        (
            RecordTransactions,
            {"documents": (DOCUMENT, replace(DOCUMENT, source_row="2", issued_on=TOMORROW))},
            Code.MALFORMED_DATE,
            ("documents", "1", "issuedOn"),
        ),
        (
            RecordTransactions,
            {"documents": (replace(DOCUMENT, number=" "),)},
            Code.MISSING_VALUE,
            ("documents", "0", "number"),
        ),
        (
            RecordTransactions,
            {"documents": (replace(DOCUMENT, source_row=""),)},
            Code.MISSING_VALUE,
            ("documents", "0", "sourceRow"),
        ),
        (
            RecordTransactions,
            {"documents": (replace(DOCUMENT, tax=Money(1, "USD")),)},
            Code.MALFORMED_AMOUNT,
            ("documents", "0", "total"),
        ),
        (RecordTransactions, {"documents": (DOCUMENT, DOCUMENT)}, Code.CONFLICT, ("documents",)),
        (RecordDefault, {"since_on": TOMORROW}, Code.MALFORMED_DATE, ("sinceOn",)),
        (RecordDefault, {"ended_on": date(2026, 2, 2)}, Code.MALFORMED_DATE, ("endedOn",)),
        (RecordDefault, {"ended_on": TOMORROW}, Code.MALFORMED_DATE, ("endedOn",)),
        (RecordDefault, {"amount": yuan(-1)}, Code.MALFORMED_AMOUNT, ("amount",)),
        (RecordLitigation, {"filed_on": TOMORROW}, Code.MALFORMED_DATE, ("filedOn",)),
        (RecordLitigation, {"court": " "}, Code.MISSING_VALUE, ("court",)),
        (RecordLitigation, {"case_number": "a\nb"}, Code.MALFORMED, ("caseNumber",)),
        (RecordLitigation, {"role": "x" * 401}, Code.MALFORMED, ("role",)),
        (RecordLitigation, {"claim": yuan(-1)}, Code.MALFORMED_AMOUNT, ("claim",)),
        (RecordSanction, {"published_on": TOMORROW}, Code.MALFORMED_DATE, ("publishedOn",)),
        (RecordSanction, {"repaired_on": TOMORROW}, Code.MALFORMED_DATE, ("repairedOn",)),
        (RecordSanction, {"repaired_on": date(2026, 4, 4)}, Code.MALFORMED_DATE, ("repairedOn",)),
        (RecordSanction, {"publish_until": date(2026, 4, 4)}, Code.MALFORMED_DATE, ("publishUntil",)),
        (RecordSanction, {"severity": SanctionSeverity.NONE}, Code.MALFORMED, ("severity",)),
        (RecordSanction, {"kind": SanctionKind.NONE}, Code.MALFORMED, ("severity",)),
        (
            RecordSanction,
            {"kind": SanctionKind.NONE, "severity": SanctionSeverity.NONE, "publish_until": TODAY},
            Code.MALFORMED_DATE,
            ("publishUntil",),
        ),
        (RecordSanction, {"authority": " "}, Code.MISSING_VALUE, ("authority",)),
        (RecordRating, {"rated_on": TOMORROW}, Code.MALFORMED_DATE, ("ratedOn",)),
        (RecordRating, {"valid_until": date(2026, 5, 5)}, Code.MALFORMED_DATE, ("validUntil",)),
        (RecordRating, {"agency": ""}, Code.MISSING_VALUE, ("agency",)),
        (RecordRating, {"rating": ""}, Code.MISSING_VALUE, ("rating",)),
        (RecordStatement, {"period_end": TOMORROW}, Code.MALFORMED_DATE, ("periodEnd",)),
        (RecordStatement, {"net_profit": Money(1, "USD")}, Code.MALFORMED_AMOUNT, ()),
        (RecordStatement, {"total_assets": yuan(-1)}, Code.MALFORMED_AMOUNT, ("totalAssets",)),
        (RecordStatement, {"current_liabilities": yuan(-1)}, Code.MALFORMED_AMOUNT, ("currentLiabilities",)),
    ],
)
def test_what_is_not_well_formed_is_not_recorded(world, file, origin, kind, changes, code, path):
    with pytest.raises(Malformed) as refusal:
        world.do(given(kind, file, origin, **changes))
    assert (refusal.value.code, refusal.value.path) == (code, path)
    assert refusal.value.advice
    assert [world.current(record) for record in RECORDS] == [[]] * len(RECORDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_day_that_is_today_has_come(world, file, origin, kind):
    name = {
        RecordDefault: "since_on",
        RecordLitigation: "filed_on",
        RecordSanction: "published_on",
        RecordRating: "rated_on",
        RecordStatement: "period_end",
    }.get(kind)
    changes = {name: TODAY} if name else {"documents": (replace(DOCUMENT, issued_on=TODAY),)}
    world.do(given(kind, file, origin, **changes))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_recorded_from_a_source_or_on_a_basis_that_is_not_lawful(world, file, origin, kind):
    with pytest.raises(Malformed) as unknown:
        world.do(given(kind, file, replace(origin, source=Id("so_" + "z" * 26))))
    assert unknown.value.code is Code.UNKNOWN_SOURCE
    with pytest.raises(Malformed) as unlawful:
        world.do(given(kind, file, replace(origin, lawful_basis=LawfulBasis.LEGAL_DUTY)))
    assert unlawful.value.code is Code.UNLAWFUL_SOURCE


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_not_open_or_not_there_takes_no_records(world, file, origin, kind):
    other = world.origin(tenant=OTHER_TENANT)
    with pytest.raises(NotFound):
        world.do(given(kind, file, other), world.actor(tenant=OTHER_TENANT))
    world.put(replace(file, state=FileState.RESTRICTED))
    with pytest.raises(Malformed) as refusal:
        world.do(given(kind, file, origin))
    assert refusal.value.code is Code.INVALID_TRANSITION


def test_what_is_confidential_is_sealed_and_the_row_does_not_tell_it(world, file, origin):
    event = world.do(given(RecordDefault, file, origin, ended_on=date(2026, 6, 7)))
    assert world.secret(event, "default_kind") == "FRAUD"
    assert world.secret(event, "default_amount") == yuan(7)
    assert world.secret(event, "default_since") == date(2026, 2, 3)
    assert world.secret(event, "default_ended") == date(2026, 6, 7)
    assert "FRAUD" not in repr(event)
    assert "2026, 2, 3" not in repr(event)
    assert event.stamp.effective_from == NOW
    case = world.do(given(RecordLitigation, file, origin, claim=yuan(5)))
    assert (world.secret(case, "court"), world.secret(case, "claim")) == ("Haidian Court", yuan(5))
    assert "Haidian" not in repr(case)
    assert case.stamp.effective_from == datetime(2026, 4, 5, tzinfo=UTC)
    until, repaired = date(2027, 4, 4), date(2026, 9, 9)
    sanction = world.do(given(RecordSanction, file, origin, publish_until=until, repaired_on=repaired))
    assert {name: world.secret(sanction, name) for name in PublicSanction.shape.confidential} == {
        "authority": "Market regulator",
        "sanction_kind": "ADMINISTRATIVE_PENALTY",
        "sanction_severity": "ORDINARY",
        "sanction_match": "CONFIRMED",
        "publish_until": until,
        "repaired_on": repaired,
    }
    assert "regulator" not in repr(sanction)
    assert sanction.stamp.effective_from == datetime(2026, 4, 5, tzinfo=UTC)
    rating = world.do(given(RecordRating, file, origin))
    assert (world.secret(rating, "rating"), world.secret(rating, "rating_band")) == ("AA+", "GOOD")
    statement = world.do(given(RecordStatement, file, origin))
    assert {name: world.secret(statement, name) for name in FIGURES} == FIGURES
    assert all(record.subject_id == file.subject_id for record in (event, case, sanction, rating, statement))


def test_a_counterparty_stands_in_a_document_as_a_pseudonym_of_its_customer(world, file, origin):
    other = world.file(origin, "C-2", BasicInformation())
    first, again = world.do(
        given(RecordTransactions, file, origin, documents=(DOCUMENT, replace(DOCUMENT, source_row="2")))
    )
    (elsewhere,) = world.do(given(RecordTransactions, other, origin, documents=(replace(DOCUMENT, source_row="3"),)))
    assert first.counterparty == again.counterparty != elsewhere.counterparty
    assert "Beta" not in repr((first, elsewhere))
    assert first.stamp.effective_from == datetime(2026, 3, 1, tzinfo=UTC)


def test_real_books_hold_odd_documents_which_are_kept_with_findings(world, file, origin):
    odd = replace(
        DOCUMENT, total=yuan(114), due_on=date(2026, 2, 1), settled_on=date(2026, 2, 2), net=yuan(-5), tax=yuan(1)
    )
    (record,) = world.do(given(RecordTransactions, file, origin, documents=(odd,)))
    assert record.findings == ("TOTAL_DOES_NOT_ADD_UP", "DUE_BEFORE_ISSUED", "SETTLED_BEFORE_ISSUED")
    assert record.status is RecordStatus.ACTIVE


def test_all_documents_are_recorded_or_none(world, file, origin):
    world.do(given(RecordTransactions, file, origin))
    with pytest.raises(Malformed) as refusal:
        world.do(given(RecordTransactions, file, origin, documents=(replace(DOCUMENT, source_row="2"), DOCUMENT)))
    assert refusal.value.code is Code.CONFLICT
    assert [one.source_row for one in world.current(TradeTransaction)] == ["1"]


@pytest.mark.parametrize("kind", KINDS[1:])
def test_one_row_of_a_source_is_recorded_once(world, file, origin, kind):
    row = replace(origin, source_row="17")
    world.do(given(kind, file, row))
    with pytest.raises(Malformed) as refusal:
        world.do(given(kind, file, row))
    assert (refusal.value.code, refusal.value.path) == (Code.CONFLICT, ("sourceRow",))
    world.do(given(kind, file, replace(row, source=world.origin("another").source)))
    world.do(given(kind, file, origin))
    world.do(given(kind, file, origin))


@pytest.mark.parametrize("party", [PartyKind.NATURAL_PERSON, PartyKind.SOLE_TRADER])
def test_CN_C3_what_a_person_earns_and_owns_needs_its_written_consent(world, party):  # noqa: N802 - the rule's own id
    bases = (LawfulBasis.CONTRACT, LawfulBasis.WRITTEN_CONSENT)
    source = world.do(RegisterSource(type=SourceType.SELF_PROVIDED, name="s", lawful_bases=bases))
    origin = replace(world.origin(), source=source.id)
    person = world.do(OpenCreditFile(reference="P-1", name="Qian", kind=party, origin=origin))
    with pytest.raises(Malformed) as refusal:
        world.do(given(RecordStatement, person, origin))
    assert (refusal.value.code, refusal.value.path) == (Code.FORBIDDEN_CATEGORY, ("lawfulBasis",))
    consented = replace(origin, lawful_basis=LawfulBasis.WRITTEN_CONSENT)
    world.do(given(RecordStatement, person, consented))
    for kind in (DocumentKind.SALE, DocumentKind.PURCHASE):
        books = {"documents": (replace(DOCUMENT, kind=kind, source_row=kind.value),)}
        with pytest.raises(Malformed) as refusal:
            world.do(given(RecordTransactions, person, origin, **books))
        assert (refusal.value.code, refusal.value.path) == (Code.FORBIDDEN_CATEGORY, ("lawfulBasis",))
        world.do(given(RecordTransactions, person, consented, **books))
    world.do(given(RecordTransactions, person, origin))
