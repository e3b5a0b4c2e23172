from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.graphql.compiling.entering import enter, placed
from api.graphql.generation.entered import attributes
from api.graphql.limits import MAX_ITEMS
from api.graphql.mutations import MUTATIONS
from domain.consent.giving import WithdrawConsent
from domain.errors import Code, Malformed
from domain.files.history import DocumentKind, DocumentState
from domain.files.opening import BasicInformation, Contact, OpenCreditFile
from domain.files.parties import PartyKind
from domain.files.recording.documents import RecordTransactions
from domain.files.sources import LawfulBasis, Origin, RegisterSource, SourceType
from domain.money import MAX_MINOR, Money
from domain.operations import DERIVED

SOURCE, FILE = "so_" + "0" * 26, "cf_" + "0" * 26
ORIGIN = {"source": SOURCE, "lawfulBasis": LawfulBasis.CONTRACT}
OPEN = {"reference": "C-1", "name": "Yunfan", "kind": PartyKind.ENTERPRISE, "origin": ORIGIN}


def refused(cls, given_):
    with pytest.raises(Malformed) as caught:
        enter(cls, given_)
    return caught.value


def test_what_is_entered_becomes_the_operation_value_by_value():
    at = datetime(2026, 1, 2, tzinfo=UTC)
    made = enter(
        OpenCreditFile,
        OPEN
        | {
            "origin": ORIGIN | {"collectedAt": at},
            "basic": {"registeredCapital": {"amount": Decimal("12.5"), "currency": "CNY"}, "staffCount": 3},
            "contacts": [{"duty": "buyer", "name": "Li"}],
        },
    )
    assert made == OpenCreditFile(
        reference="C-1",
        name="Yunfan",
        kind=PartyKind.ENTERPRISE,
        origin=Origin(source=SOURCE, lawful_basis=LawfulBasis.CONTRACT, collected_at=at),
        basic=BasicInformation(registered_capital=Money(1250, "CNY"), staff_count=3),
        contacts=(Contact(duty="buyer", name="Li"),),
    )


def test_what_is_left_out_or_null_has_the_operations_own_default():
    nulls = {"basic": None, "contacts": None, "accountOwner": None}
    assert enter(OpenCreditFile, OPEN | nulls) == enter(OpenCreditFile, OPEN)
    assert enter(OpenCreditFile, OPEN).basic == BasicInformation()
    source = {"type": SourceType.REGISTRY, "name": "R", "lawfulBases": []}
    assert enter(RegisterSource, source).stale_after_days == 365


@pytest.mark.parametrize("id_", ["", "nonsense", "cf_", "cf_" + "u" * 26, FILE.upper(), "zz_" + "0" * 26, FILE + "0"])
def test_an_id_that_is_none_is_refused_with_its_place(id_):
    error = refused(WithdrawConsent, {"consent": id_})
    assert (error.code, error.path) == (Code.MALFORMED, ("consent",))
    assert id_ == "" or id_ not in error.message


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\x1b[2J", "\x7f", "\ud800", "a\udfff"])
def test_text_that_is_not_written_is_refused_with_its_place(text):
    error = refused(OpenCreditFile, OPEN | {"contacts": [{"duty": "a", "name": "b"}, {"duty": "a", "name": text}]})
    assert error.path == ("contacts", "1", "name")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_every_written_text_is_entered_as_it_is(text):
    assert enter(Contact, {"duty": text, "name": text + "\n\t"}) == Contact(duty=text, name=text + "\n\t")


@pytest.mark.parametrize(
    ("amount", "currency"), [("1.234", "CNY"), ("0.5", "JPY"), (str(MAX_MINOR), "CNY"), ("1" * 30, "CNY")]
)
def test_an_amount_its_currency_cannot_hold_is_refused_with_its_place(amount, currency):
    money = {"amount": Decimal(amount), "currency": currency}
    error = refused(OpenCreditFile, OPEN | {"basic": {"registeredCapital": money}})
    assert (error.code, error.path) == (Code.MALFORMED_AMOUNT, ("basic", "registeredCapital"))


@given(st.integers(-MAX_MINOR, MAX_MINOR))
def test_every_amount_is_entered_exactly(minor):
    money = Money(minor, "CNY")
    basic = enter(BasicInformation, {"registeredCapital": {"amount": money.amount, "currency": "CNY"}})
    assert basic.registered_capital == money


def test_a_list_is_bounded_and_its_items_keep_their_order():
    amount = {"amount": Decimal(1), "currency": "CNY"}
    document = {"kind": DocumentKind.SALE, "number": "7", "issuedOn": date(2026, 1, 2), "net": amount, "total": amount}
    documents = [document | {"sourceRow": str(row), "state": DocumentState.VOID} for row in range(MAX_ITEMS)]
    given_ = {"creditFile": FILE, "origin": ORIGIN, "documents": documents}
    made = enter(RecordTransactions, given_)
    assert [item.source_row for item in made.documents] == [str(row) for row in range(MAX_ITEMS)]
    error = refused(RecordTransactions, given_ | {"documents": [*documents, documents[0]]})
    assert (error.code, error.path) == (Code.QUERY_TOO_LARGE, ("documents",))


def test_an_error_names_its_place_from_the_outermost_input():
    assert placed(OpenCreditFile, ("establishedOn",)) == ["basic", "establishedOn"]
    assert placed(OpenCreditFile, ("lawful_basis",)) == ["origin", "lawfulBasis"]
    assert placed(OpenCreditFile, ("name",)) == ["name"]
    assert placed(OpenCreditFile, ("contacts", "1", "name")) == ["contacts", "1", "name"]
    assert placed(OpenCreditFile, ("phone",)) == ["basic", "phone"]
    assert placed(OpenCreditFile, ("duty",)) == ["contacts", "duty"]
    assert placed(RecordTransactions, ("issuedOn",)) == ["documents", "issuedOn"]
    assert placed(OpenCreditFile, ("elsewhere",)) == ["elsewhere"]
    assert placed(OpenCreditFile, ()) == []


def test_every_operation_of_the_schema_can_be_entered():
    for mutation in MUTATIONS.values():
        known = {item.name for item in attributes(mutation.operation).values()}
        assert known == {item.name for item in fields(mutation.operation) if not item.metadata.get(DERIVED)}
        assert all(item.default_factory is MISSING for item in fields(mutation.operation))
