"""Days are counted where the company is, at both edges of the day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import Code, Malformed
from domain.files.batches import documents
from domain.files.batches.records import ImportRecords, RecordRow
from domain.files.correcting import CorrectTransaction, DocumentCorrection
from domain.files.days import Days, days
from domain.files.history import DefaultKind, LitigationRecord, TradeTransaction
from domain.files.importing import ImportKind
from domain.files.opening import BasicInformation, UpdateBasicInformation
from domain.files.recording.documents import RecordTransactions
from domain.files.recording.events import RecordDefault, RecordLitigation, RecordSanction
from domain.files.recording.reports import RecordRating, RecordStatement
from domain.files.sources import LawfulBasis, RegisterSource, SourceType
from domain.ids import Id
from domain.money import Money
from domain.tenancy import OpenTenant
from tests.domain import test_importing as importing
from tests.domain.files.test_recording import DOCUMENT, replace
from tests.domain.files.test_recording import given as recorded
from tests.world import World

MORNING = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
"""Half past six in the morning of the 25th in Shanghai; half past two in the afternoon of the 24th in Los Angeles."""
THE_25TH, THE_24TH = date(2026, 11, 25), date(2026, 11, 24)
ZONES = ("UTC", "Asia/Shanghai", "America/Los_Angeles", "Pacific/Apia", "Africa/Monrovia")


@pytest.fixture
def world():
    return World()


def opened(world, zone):
    world.clock.at = MORNING
    world.do(OpenTenant(name="Cloud Ltd", time_zone=zone))
    origin = world.origin()
    return world.file(origin), origin


def of_day(kind, day):
    name = {
        RecordDefault: "since_on",
        RecordLitigation: "filed_on",
        RecordSanction: "published_on",
        RecordRating: "rated_on",
        RecordStatement: "period_end",
    }.get(kind)
    return {name: day} if name else {"documents": (replace(DOCUMENT, issued_on=day),)}


KINDS = (RecordTransactions, RecordDefault, RecordLitigation, RecordSanction, RecordRating, RecordStatement)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_of_this_morning_in_shanghai_is_not_of_the_future(world, kind):
    file, origin = opened(world, "Asia/Shanghai")
    world.do(recorded(kind, file, origin, **of_day(kind, THE_25TH)))
    with pytest.raises(Malformed) as refusal:
        world.do(recorded(kind, file, origin, **of_day(kind, THE_25TH + timedelta(days=1))))
    assert refusal.value.code is Code.MALFORMED_DATE


@pytest.mark.parametrize("kind", KINDS)
def test_the_day_ends_where_the_company_is(world, kind):
    file, origin = opened(world, "America/Los_Angeles")
    world.clock.move(hours=3)
    with pytest.raises(Malformed) as refusal:
        world.do(recorded(kind, file, origin, **of_day(kind, THE_25TH)))
    assert refusal.value.code is Code.MALFORMED_DATE
    world.do(recorded(kind, file, origin, **of_day(kind, THE_24TH)))


def test_a_correction_and_basic_information_of_this_morning_are_taken(world):
    file, origin = opened(world, "Asia/Shanghai")
    world.do(
        UpdateBasicInformation(credit_file=file.id, origin=origin, basic=BasicInformation(established_on=THE_25TH))
    )
    (document,) = world.do(recorded(RecordTransactions, file, origin))
    changes = DocumentCorrection(issued_on=THE_25TH)
    right = world.do(CorrectTransaction(record=document.id, changes=changes, reason="A typing error."))
    assert right.issued_on == THE_25TH


def test_what_is_recorded_this_morning_holds_already(world):
    file, origin = opened(world, "Asia/Shanghai")
    world.do(recorded(RecordTransactions, file, origin, **of_day(RecordTransactions, THE_25TH)))
    world.do(recorded(RecordLitigation, file, origin, **of_day(RecordLitigation, THE_25TH)))
    (document,), (case,) = world.current(TradeTransaction), world.current(LitigationRecord)
    assert document.stamp.effective_from == case.stamp.effective_from == datetime(2026, 11, 24, 16, tzinfo=UTC)
    assert document.stamp.effective_from <= world.clock.at


def test_without_a_company_days_are_those_of_utc(world):
    world.clock.at = MORNING
    assert days(world.unit()) == Days(zone=UTC, today=THE_24TH)


@given(st.dates(min_value=date(1, 1, 2), max_value=date(9999, 12, 30)), st.sampled_from(ZONES))
@example(date(2011, 12, 31), "Pacific/Apia")
def test_the_instant_a_day_begins_falls_on_that_day(day, zone):
    calendar = Days(zone=ZoneInfo(zone), today=day)
    begins = calendar.begin(day)
    assert calendar.of(begins) == day
    assert calendar.of(begins - timedelta(microseconds=1)) < day


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [date.min, date.max])
def test_every_day_has_a_beginning(day, zone):
    assert abs(Days(zone=ZoneInfo(zone), today=day).begin(day).date() - day) <= timedelta(days=1)


def test_an_import_of_this_morning_looks_the_day_up_once(world, monkeypatch):
    opened(world, "Asia/Shanghai")
    contract = (LawfulBasis.CONTRACT,)
    world.do(RegisterSource(type=SourceType.INTERNAL_TRANSACTION, name=importing.SOURCE, lawful_bases=contract))
    asked = []
    monkeypatch.setattr(documents, "days", lambda unit: asked.append(unit) or days(unit))
    run = world.do(importing.beginning())
    of_the_25th = [importing.document(number, issued_on=THE_25TH, due_on=None) for number in range(3)]
    of_the_26th = importing.document(9, issued_on=THE_25TH + timedelta(days=1), due_on=None)
    run = world.do(importing.batch(run, importing.rows(*of_the_25th, of_the_26th)))
    assert (run.rows_stored, importing.reasons(run)) == (3, [(4, Code.MALFORMED_DATE)])
    assert len(asked) == 1


def test_an_import_of_records_and_customers_goes_by_the_companys_day(world):
    opened(world, "Asia/Shanghai")
    contract = (LawfulBasis.CONTRACT,)
    world.do(RegisterSource(type=SourceType.INTERNAL_TRANSACTION, name=importing.SOURCE, lawful_bases=contract))
    run = world.do(importing.beginning(ImportKind.DEFAULTS))
    row = {"kind": DefaultKind.LATE_PAYMENT, "amount": Money(1, "CNY"), "origin": importing.NOWHERE}
    told = [
        RecordRow(
            row=number,
            reference="C-1",
            source_row=str(number),
            recording=RecordDefault(credit_file=Id(""), since_on=THE_25TH + timedelta(days=number), **row),
        )
        for number in range(2)
    ]
    run = world.do(ImportRecords(run=run.id, position=0, rows=tuple(told)))
    assert (run.rows_stored, importing.reasons(run)) == (1, [(1, Code.MALFORMED_DATE)])
    run = world.do(importing.beginning(ImportKind.CUSTOMERS, file_digest="c" * 64))
    young = importing.customer(1, "C-8", established_on=THE_25TH)
    unborn = importing.customer(2, "C-9", established_on=THE_25TH + timedelta(days=1))
    run = world.do(importing.customers(run, young, unborn))
    assert (run.rows_stored, importing.reasons(run)) == (1, [(2, Code.MALFORMED_DATE)])
