"""Imports: one run per file, moved on in the transaction of its rows; rejected rows say why and never what."""

from dataclasses import replace
from datetime import date

import pytest

from domain.errors import AuditUnavailable, Code, Conflict, Malformed
from domain.files.batches.customers import CustomerRow, ImportCustomers
from domain.files.batches.documents import NUMBER_REPEATED, DocumentRow, ImportDocuments
from domain.files.batches.records import ImportRecords, RecordRow
from domain.files.history import (
    DefaultEvent,
    DefaultKind,
    DocumentKind,
    DocumentState,
    ExternalRating,
    RatingBand,
    RecordStatus,
    TradeTransaction,
)
from domain.files.importing import (
    MAX_ROWS,
    BeginImport,
    FindingCount,
    FinishImport,
    ImportKind,
    ImportRun,
    ImportState,
    Known,
    Rejection,
)
from domain.files.opening import BasicInformation, Contact
from domain.files.parties import ContactPerson, CreditFile, FileState, PartyKind
from domain.files.recording.documents import Document, RecordTransactions
from domain.files.recording.events import RecordDefault
from domain.files.recording.reports import RecordRating
from domain.files.sources import LawfulBasis, Origin, RegisterSource, Source, SourceState, SourceType
from domain.ids import Id
from domain.money import Money
from tests.world import OTHER_TENANT, World

SOURCE = "Accounting"
FILE, MAP = "a" * 64, "b" * 64
CODE, OTHER_CODE = "91110000600037341L", "911101085923662400"
NOWHERE = Origin(source=Id(""), lawful_basis=LawfulBasis.CONTRACT)


@pytest.fixture
def world():
    made = World()
    bases = (LawfulBasis.CONTRACT,)
    made.do(RegisterSource(type=SourceType.INTERNAL_TRANSACTION, name=SOURCE, lawful_bases=bases))
    return made


def beginning(kind=ImportKind.INVOICES, **changes):
    said = {"kind": kind, "source": SOURCE, "lawful_basis": LawfulBasis.CONTRACT, "file_name": "book.csv"}
    return BeginImport(**{**said, "file_digest": FILE, "map_digest": MAP, **changes})


@pytest.fixture
def files(world):
    """Two credit files, C-1 and C-2."""
    origin = world.origin()
    return world.file(origin), world.file(origin, reference="C-2", basic=BasicInformation())


def document(number, row=None, net=100_00, tax=13_00, total=113_00, **more):
    said = {"source_row": row or f"book.csv:{number}", "kind": DocumentKind.RECEIVABLE, "number": str(number)}
    said |= {"issued_on": date(2026, 3, 1), "due_on": date(2026, 3, 31)}
    money = {"net": Money(net, "CNY"), "tax": Money(tax, "CNY"), "total": Money(total, "CNY")}
    return Document(**{**said, **money, **more})


def rows(*documents, reference="C-1", first=1):
    return tuple(
        DocumentRow(row=number, reference=reference, document=item) for number, item in enumerate(documents, first)
    )


def batch(run, documents, **more):
    return ImportDocuments(run=run.id, position=run.rows_read, rows=tuple(documents), **more)


def reasons(run):
    return [(item.row, item.code) for item in run.rejected]


def customer(row, reference, name="Yunfan", kind=PartyKind.ENTERPRISE, contact=None, **basic):
    return CustomerRow(
        row=row, reference=reference, name=name, kind=kind, contact=contact, basic=BasicInformation(**basic)
    )


def customers(run, *items, **more):
    return ImportCustomers(run=run.id, position=run.rows_read, rows=items, **more)


# One run per source, file and map.


@pytest.mark.usefixtures("files")
def test_the_same_file_and_map_find_the_run_where_it_stands(world):
    run = world.do(batch(world.do(beginning()), rows(document(1), document(2))))
    found = world.do(beginning(file_name="renamed.csv"))
    assert (found.id, found.rows_read, found.file_name) == (run.id, 2, "book.csv")


@pytest.mark.parametrize("change", [{"file_digest": "c" * 64}, {"map_digest": "c" * 64}])
def test_another_file_or_map_is_another_run(world, change):
    assert world.do(beginning()).id != world.do(beginning(**change)).id


def test_an_unknown_source_is_refused(world):
    with pytest.raises(Malformed) as refused:
        world.do(beginning(source="Hearsay"))
    assert refused.value.code is Code.UNKNOWN_SOURCE


def test_a_basis_the_source_does_not_rest_on_is_refused(world):
    with pytest.raises(Malformed) as refused:
        world.do(beginning(lawful_basis=LawfulBasis.LEGALLY_PUBLIC))
    assert refused.value.code is Code.UNLAWFUL_SOURCE
    assert world.current(ImportRun) == []


def test_a_source_without_a_lawful_basis_is_refused(world):
    world.do(RegisterSource(type=SourceType.PARTNER, name="Friend", lawful_bases=()))
    with pytest.raises(Malformed) as refused:
        world.do(beginning(source="Friend"))
    assert refused.value.code is Code.UNLAWFUL_SOURCE


@pytest.mark.parametrize("name", ["", "  ", "../book.csv", "a\\b", "a\nb"])
def test_a_file_name_is_a_plain_name(world, name):
    with pytest.raises(Malformed):
        world.do(beginning(file_name=name))


def test_another_tenant_finds_neither_source_nor_run(world):
    world.do(beginning())
    with pytest.raises(Malformed):
        world.do(beginning(), world.actor(tenant=OTHER_TENANT))


@pytest.mark.usefixtures("files")
def test_an_import_ends_where_its_last_batch_stopped(world):
    run = world.do(batch(world.do(beginning()), rows(document(1))))
    with pytest.raises(Conflict):
        world.do(FinishImport(run=run.id, position=2, rejected_bytes=0))
    over = world.do(FinishImport(run=run.id, position=1, rejected_bytes=0))
    assert over.state is ImportState.COMPLETE
    with pytest.raises(Conflict):
        world.do(FinishImport(run=run.id, position=1, rejected_bytes=0))


@pytest.mark.usefixtures("files")
def test_a_file_that_is_through_is_read_again_only_when_asked(world):
    run = world.do(batch(world.do(beginning()), rows(document(1))))
    world.do(FinishImport(run=run.id, position=1, rejected_bytes=0))
    assert world.do(beginning()).state is ImportState.COMPLETE
    again = world.do(beginning(again=True))
    assert (again.id, again.state, again.rows_read, again.rows_stored) == (run.id, ImportState.RUNNING, 0, 0)
    done = world.do(batch(again, rows(document(1))))
    assert (done.rows_stored, done.rows_known) == (0, 1)
    assert len(world.current(TradeTransaction)) == 1


# Batches.


@pytest.mark.usefixtures("files")
def test_a_batch_moves_the_run_on_in_the_transaction_of_its_rows(world):
    run = world.do(beginning())
    for step in range(60):
        world.faults.steps.clear()
        world.faults.at = step
        broken = False
        try:
            world.do(batch(run, rows(document(1), document(2))))
        except AuditUnavailable:
            broken = True
        (after,) = world.current(ImportRun)
        assert len(world.current(TradeTransaction)) == after.rows_stored == after.rows_read
        assert after.rows_read == 2 or broken
        if after.rows_read:
            break
    assert after.rows_read == 2
    assert step > 5


@pytest.mark.usefixtures("files")
def test_a_batch_that_was_recorded_cannot_be_recorded_again(world):
    run = world.do(beginning())
    world.do(batch(run, rows(document(1))))
    with pytest.raises(Conflict):
        world.do(batch(run, rows(document(1))))
    assert len(world.current(TradeTransaction)) == 1


def test_a_batch_is_one_audit_entry_that_names_the_run(world, files):
    run = world.do(beginning())
    before = len(world.entries)
    world.do(batch(run, [*rows(document(1)), *rows(document(2), reference="C-2", first=2)]))
    (entry,) = world.entries[before:]
    assert entry.action == "import:run"
    assert run.id in entry.resources
    assert {file.subject_id for file in files} <= set(entry.subjects)


@pytest.mark.usefixtures("files")
def test_a_batch_has_a_bounded_number_of_rows(world):
    run = world.do(beginning())
    for documents in ([], rows(*(document(number) for number in range(MAX_ROWS + 1)))):
        with pytest.raises(Malformed):
            world.do(batch(run, documents))


def test_a_batch_of_another_kind_is_refused(world):
    run = world.do(beginning())
    with pytest.raises(Malformed):
        world.do(customers(run, customer(1, "C-9")))


@pytest.mark.usefixtures("files")
def test_rows_that_could_not_be_read_count_as_read_and_rejected(world):
    refused = Rejection(row=2, field="total", code=Code.MALFORMED_AMOUNT, message="No.", advice="Do.")
    run = world.do(batch(world.do(beginning()), rows(document(1)), refused=(refused,), rejected_bytes=7))
    assert (run.rows_read, run.rows_stored, run.rows_rejected, run.rejected_bytes) == (2, 1, 1, 7)
    assert run.rejected == (refused,)


@pytest.mark.usefixtures("files")
def test_a_suspended_source_stops_an_import_between_two_batches(world):
    run = world.do(beginning())
    (source,) = (item for item in world.current(Source) if item.name == SOURCE)
    suspended = replace(source, state=SourceState.SUSPENDED)
    world.store.state.rows[source.stamp.tenant, "Source"][source.id] = (suspended,)
    with pytest.raises(Malformed) as refused:
        world.do(batch(run, rows(document(1))))
    assert refused.value.code is Code.UNLAWFUL_SOURCE


# Documents.


def test_a_document_carries_its_source_file_and_basis(world, files):
    run = world.do(batch(world.do(beginning()), rows(document(1))))
    (stored,) = world.current(TradeTransaction)
    assert (stored.source, stored.lawful_basis, stored.evidence_digest) == (run.source, run.lawful_basis, FILE)
    assert (stored.credit_file, stored.subject_id) == (files[0].id, files[0].subject_id)


@pytest.mark.usefixtures("files")
def test_a_row_of_an_unknown_customer_is_rejected_and_the_rest_goes_on(world):
    items = [*rows(document(1)), *rows(document(2), reference="C-77", first=2), *rows(document(3), first=3)]
    run = world.do(batch(world.do(beginning()), items))
    assert reasons(run) == [(2, Code.UNKNOWN_CUSTOMER)]
    assert run.rows_stored == 2
    assert "C-77" not in repr(run.rejected)


def test_a_row_of_a_file_that_is_not_open_is_rejected(world, files):
    world.store.state.rows[files[0].stamp.tenant, "CreditFile"][files[0].id] = (
        replace(files[0], state=FileState.RESTRICTED),
    )
    run = world.do(batch(world.do(beginning()), rows(document(1))))
    assert reasons(run) == [(1, Code.INVALID_TRANSITION)]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"issued_on": date(2027, 1, 1)}, Code.MALFORMED_DATE),
        ({"number": " "}, Code.MISSING_VALUE),
        ({"tax": Money(1, "USD")}, Code.MALFORMED_AMOUNT),
    ],
)
def test_what_cannot_be_a_document_is_rejected_with_its_code(world, change, code):
    run = world.do(batch(world.do(beginning()), rows(replace(document(1), **change), document(2))))
    assert reasons(run) == [(1, code)]
    assert run.rows_stored == 1


@pytest.mark.usefixtures("files")
def test_a_total_that_does_not_add_up_is_kept_with_a_finding(world):
    run = world.do(batch(world.do(beginning()), rows(document(1, total=113_01), document(2))))
    assert run.findings == (FindingCount(code="TOTAL_DOES_NOT_ADD_UP", count=1),)
    assert [item.findings for item in world.current(TradeTransaction)] == [("TOTAL_DOES_NOT_ADD_UP",), ()]


@pytest.mark.usefixtures("files")
def test_repeated_numbers_are_kept_and_the_later_ones_reported_across_batches(world):
    run = world.do(batch(world.do(beginning()), rows(document(7, row="1"), document(7, row="2"))))
    run = world.do(batch(run, [*rows(document(7, row="3")), *rows(document(7, row="4"), reference="C-2")]))
    assert run.findings == (FindingCount(code=NUMBER_REPEATED, count=2),)
    marked = {item.source_row: item.findings for item in world.current(TradeTransaction)}
    assert marked == {"1": (), "2": (NUMBER_REPEATED,), "3": (NUMBER_REPEATED,), "4": ()}


@pytest.mark.usefixtures("files")
def test_void_and_red_documents_are_kept_as_they_are(world):
    void = document(1, state=DocumentState.VOID)
    red = document(2, net=-100_00, tax=-13_00, total=-113_00)
    world.do(batch(world.do(beginning()), rows(void, red)))
    stored = {item.number: item for item in world.current(TradeTransaction)}
    assert stored["1"].state is DocumentState.VOID
    assert stored["2"].total == Money(-113_00, "CNY")
    assert stored["2"].findings == ()


@pytest.mark.usefixtures("files")
def test_a_counterparty_stands_in_a_document_as_a_pseudonym_alone(world):
    world.do(batch(world.do(beginning()), rows(document(1, counterparty="Shanhai Trading"))))
    (stored,) = world.current(TradeTransaction)
    assert stored.counterparty
    assert "Shanhai" not in repr(stored)


@pytest.mark.usefixtures("files")
def test_a_row_recorded_already_is_known_whatever_file_brings_it(world):
    world.do(batch(world.do(beginning()), rows(document(1), document(2))))
    run = world.do(batch(world.do(beginning(file_digest="c" * 64)), rows(document(1), document(2), document(3))))
    assert (run.rows_stored, run.rows_known, run.rows_rejected) == (1, 2, 0)
    assert len(world.current(TradeTransaction)) == 3


@pytest.mark.usefixtures("files")
def test_a_row_that_now_says_something_else_is_rejected_unless_the_map_says_update(world):
    world.do(batch(world.do(beginning()), rows(document(1))))
    paid = document(1, settled_on=date(2026, 4, 2), state=DocumentState.SETTLED)
    kept = world.do(batch(world.do(beginning(file_digest="c" * 64)), rows(paid)))
    assert reasons(kept) == [(1, Code.CONFLICT)]
    changed = world.do(batch(world.do(beginning(file_digest="d" * 64)), rows(paid), known=Known.UPDATE))
    assert (changed.rows_updated, changed.rows_rejected) == (1, 0)
    (current,) = world.current(TradeTransaction)
    first, second = world.versions(current)
    assert (first.settled_on, second.settled_on) == (None, date(2026, 4, 2))
    assert second.stamp.effective_from == first.stamp.effective_from
    assert second.evidence_digest == "d" * 64


@pytest.mark.usefixtures("files")
def test_an_update_leaves_a_disputed_record_alone(world):
    world.do(batch(world.do(beginning()), rows(document(1))))
    (stored,) = world.current(TradeTransaction)
    world.store.state.rows[stored.stamp.tenant, "TradeTransaction"][stored.id] = (
        replace(stored, status=RecordStatus.DISPUTED),
    )
    again = beginning(file_digest="c" * 64)
    run = world.do(batch(world.do(again), rows(document(1, net=1_00)), known=Known.UPDATE))
    assert reasons(run) == [(1, Code.CONFLICT)]


def test_an_update_does_not_undo_what_another_person_entered(world, files):
    run = world.do(beginning())
    origin = Origin(source=run.source, lawful_basis=LawfulBasis.CONTRACT)
    entered = document(1, settled_on=date(2026, 4, 2))
    world.do(RecordTransactions(credit_file=files[0].id, origin=origin, documents=(entered,)), world.actor("chen"))
    done = world.do(batch(run, rows(document(1)), known=Known.UPDATE), world.actor("system:import"))
    assert reasons(done) == [(1, Code.CONFLICT)]
    assert world.current(TradeTransaction)[0].settled_on == date(2026, 4, 2)


@pytest.mark.usefixtures("files")
def test_two_rows_of_one_place_in_the_source_are_one_document(world):
    same, other = document(1, row="x"), document(1, row="x", net=99_00)
    run = world.do(batch(world.do(beginning()), rows(same, same, other)))
    assert (run.rows_stored, run.rows_known) == (1, 1)
    assert reasons(run) == [(3, Code.CONFLICT)]


@pytest.mark.usefixtures("files")
def test_where_the_file_holds_firms_only_a_natural_person_is_rejected(world):
    run = world.do(beginning(kind=ImportKind.CUSTOMERS))
    world.do(customers(run, customer(1, "P-1", kind=PartyKind.SOLE_TRADER)))
    items = [*rows(document(1)), *rows(document(2), reference="P-1", first=2)]
    done = world.do(batch(world.do(beginning(map_digest="c" * 64)), items, firms_only=True))
    assert reasons(done) == [(2, Code.FORBIDDEN_CATEGORY)]


# Customers.


def test_customers_are_opened_with_their_values_sealed(world):
    contact = Contact(duty="Finance", name="Li Na", phone="13912345678")
    run = world.do(beginning(kind=ImportKind.CUSTOMERS))
    row = customer(1, "C-1", contact=contact, unified_social_credit_code=CODE, phone="010-62345678", staff_count=12)
    done = world.do(customers(run, row))
    (file,) = world.current(CreditFile)
    (person,) = world.current(ContactPerson)
    assert (done.rows_stored, file.staff_count, file.evidence_digest) == (1, 12, FILE)
    assert world.secret(file, "unified_social_credit_code") == CODE
    assert world.secret(file, "phone") == "+861062345678"
    assert world.secret(person, "person_name") == "Li Na"


def test_a_malformed_code_rejects_its_row_alone_and_is_not_repeated(world):
    run = world.do(beginning(kind=ImportKind.CUSTOMERS))
    wrong = customer(1, "C-1", unified_social_credit_code="91110000600037342L")
    done = world.do(customers(run, wrong, customer(2, "C-2", phone="12"), customer(3, "C-3")))
    assert [(item.row, item.code, item.field) for item in done.rejected] == [
        (1, Code.MALFORMED_CODE, "unifiedSocialCreditCode"),
        (2, Code.MALFORMED_CODE, "phone"),
    ]
    assert "91110000600037342L" not in repr(done)
    assert [file.reference for file in world.current(CreditFile)] == ["C-3"]


def test_a_malformed_contact_rejects_its_row_whole(world):
    run = world.do(beginning(kind=ImportKind.CUSTOMERS))
    done = world.do(customers(run, customer(1, "C-1", contact=Contact(duty="Boss", name="Li", email="nowhere"))))
    assert [item.field for item in done.rejected] == ["contact.email"]
    assert world.current(CreditFile) == world.current(ContactPerson) == []


def test_one_credit_code_belongs_to_one_file_also_within_a_batch(world):
    run = world.do(beginning(kind=ImportKind.CUSTOMERS))
    twice = [customer(row, f"C-{row}", unified_social_credit_code=CODE) for row in (1, 2)]
    run = world.do(customers(run, *twice))
    assert reasons(run) == [(2, Code.CONFLICT)]
    run = world.do(customers(run, customer(3, "C-3", unified_social_credit_code=CODE)))
    assert reasons(run) == [(3, Code.CONFLICT)]


def test_a_customer_on_file_is_known_and_stays_as_it_is(world, files):
    run = world.do(beginning(kind=ImportKind.CUSTOMERS))
    done = world.do(customers(run, customer(1, "C-1", name="Other"), customer(2, "C-5"), customer(3, "C-5")))
    assert (done.rows_stored, done.rows_known, done.rows_updated) == (1, 2, 0)
    assert {file.reference: file.name for file in world.current(CreditFile)}["C-1"] == files[0].name


def test_where_the_map_says_update_what_a_row_leaves_out_stays(world):
    run = world.do(beginning(kind=ImportKind.CUSTOMERS))
    contact = Contact(duty="Finance", name="Li Na")
    run = world.do(customers(run, customer(1, "C-1", staff_count=12, phone="13912345678", contact=contact)))
    newer = Contact(duty="Finance", name="Zhao Min", phone="13912345679")
    done = world.do(customers(run, customer(2, "C-1", name="Yunfan Cloud", contact=newer), known=Known.UPDATE))
    (file,) = world.current(CreditFile)
    (person,) = world.current(ContactPerson)
    assert (done.rows_updated, file.name, file.staff_count) == (1, "Yunfan Cloud", 12)
    assert world.secret(file, "phone") == "+8613912345678"
    assert world.secret(person, "person_name") == "Zhao Min"


def test_an_update_that_says_nothing_new_makes_no_version(world):
    run = world.do(beginning(kind=ImportKind.CUSTOMERS))
    run = world.do(customers(run, customer(1, "C-1", staff_count=12)))
    done = world.do(customers(run, customer(2, "C-1", staff_count=12), known=Known.UPDATE))
    assert (done.rows_known, done.rows_updated) == (1, 0)
    assert world.current(CreditFile)[0].stamp.version == 1


def test_within_a_batch_a_later_row_of_a_customer_completes_the_earlier_one(world):
    run = world.do(beginning(kind=ImportKind.CUSTOMERS))
    pair = [customer(1, "C-1", staff_count=12), customer(2, " C-1 ", name="Yunfan Cloud", industry_code="I65")]
    done = world.do(customers(run, *pair, known=Known.UPDATE))
    (file,) = world.current(CreditFile)
    assert (file.name, file.staff_count, file.industry_code) == ("Yunfan Cloud", 12, "I65")
    assert (done.rows_stored, done.rows_updated) == (1, 1)


def test_a_rejected_row_does_not_keep_its_credit_code_for_itself(world):
    run = world.do(beginning(kind=ImportKind.CUSTOMERS))
    wrong = customer(1, "C-1", name=" ", unified_social_credit_code=CODE)
    done = world.do(customers(run, wrong, customer(2, "C-2", unified_social_credit_code=CODE)))
    assert reasons(done) == [(1, Code.MISSING_VALUE)]
    assert done.rows_stored == 1


# Records.


def recording(row, reference="C-1", place=None, amount=500_00, since=date(2026, 2, 1)):
    said = RecordDefault(
        credit_file=Id(""),
        origin=NOWHERE,
        kind=DefaultKind.LATE_PAYMENT,
        amount=Money(amount, "CNY"),
        since_on=since,
    )
    return RecordRow(row=row, reference=reference, source_row=place or f"book.csv:{row}", recording=said)


def records(run, *items, **more):
    return ImportRecords(run=run.id, position=run.rows_read, rows=items, **more)


@pytest.mark.usefixtures("files")
def test_defaults_are_recorded_once_with_what_they_say_sealed(world):
    run = world.do(beginning(kind=ImportKind.DEFAULTS))
    done = world.do(records(run, recording(1), recording(2, place="book.csv:1"), recording(3, reference="C-9")))
    assert (done.rows_stored, done.rows_known) == (1, 1)
    assert reasons(done) == [(3, Code.UNKNOWN_CUSTOMER)]
    (event,) = world.current(DefaultEvent)
    assert (event.source_row, event.evidence_digest) == ("book.csv:1", FILE)
    assert world.secret(event, "default_amount") == Money(500_00, "CNY")


@pytest.mark.usefixtures("files")
def test_a_default_that_begins_in_the_future_is_rejected(world):
    run = world.do(beginning(kind=ImportKind.DEFAULTS))
    done = world.do(records(run, recording(1, since=date(2027, 1, 1)), recording(2)))
    assert reasons(done) == [(1, Code.MALFORMED_DATE)]
    assert len(world.current(DefaultEvent)) == 1


@pytest.mark.usefixtures("files")
def test_the_rows_of_an_import_are_of_its_kind(world):
    run = world.do(beginning(kind=ImportKind.RATINGS))
    rating = RecordRating(
        credit_file=Id(""),
        origin=NOWHERE,
        agency="Agency",
        rating="AA",
        band=RatingBand.GOOD,
        rated_on=date(2026, 1, 1),
    )
    rated = RecordRow(row=2, reference="C-1", source_row="r", recording=rating)
    done = world.do(records(run, recording(1), rated))
    assert reasons(done) == [(1, Code.MALFORMED)]
    assert len(world.current(ExternalRating)) == 1


def test_CN_C3_an_import_keeps_a_persons_own_books_on_written_consent_only(world):  # noqa: N802 - the rule's own id
    run = world.do(beginning(ImportKind.CUSTOMERS))
    firm, person = customer(1, "C-1"), customer(2, "P-1", kind=PartyKind.SOLE_TRADER)
    world.do(customers(run, firm, person))
    items = (
        *rows(document(1, kind=DocumentKind.SALE)),
        *rows(document(2, kind=DocumentKind.SALE), reference="P-1", first=2),
        *rows(document(3, kind=DocumentKind.PURCHASE), reference="P-1", first=3),
        *rows(document(4), reference="P-1", first=4),
    )
    done = world.do(batch(world.do(beginning(map_digest="c" * 64)), items))
    assert (done.rows_stored, reasons(done)) == (2, [(2, Code.FORBIDDEN_CATEGORY), (3, Code.FORBIDDEN_CATEGORY)])
    bases = (LawfulBasis.WRITTEN_CONSENT,)
    world.do(RegisterSource(type=SourceType.SELF_PROVIDED, name="The persons", lawful_bases=bases))
    own = beginning(source="The persons", lawful_basis=LawfulBasis.WRITTEN_CONSENT)
    assert world.do(batch(world.do(own), items)).rows_stored == 4
