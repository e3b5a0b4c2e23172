"""A map is checked whole before any value is read."""

import pytest

from api.imports.mapping import find_map, read_map, shipped
from domain.errors import Code, Malformed
from domain.files.importing import ImportKind, Known
from tests.api.imports.conftest import INVOICES

CUSTOMERS = """
kind = "customers"
source = "Accounting"
lawful_basis = "CONTRACT"
[columns]
reference = "no"
name = "name"
[constants]
kind = "ENTERPRISE"
"""


def refusal(text):
    with pytest.raises(Malformed) as refused:
        read_map(text)
    return refused.value


def test_every_shipped_map_is_a_map():
    kinds = {name: find_map(name).kind for name in shipped()}
    assert set(kinds) == {
        *("cumcm2020c_firms", "cumcm2020c_purchases", "cumcm2020c_sales"),
        *("customers", "ibm_customers", "ibm_receivables", "invoices"),
    }
    assert kinds["invoices"] is ImportKind.INVOICES


def test_a_map_is_found_by_path_before_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "invoices").write_text(CUSTOMERS, encoding="utf-8")
    assert find_map("invoices").kind is ImportKind.CUSTOMERS
    with pytest.raises(Malformed, match="cannot be read"):
        find_map("nowhere")


def test_equal_maps_have_equal_digests_whatever_their_comments():
    assert read_map(INVOICES).digest == read_map("# a comment\n" + INVOICES).digest
    assert read_map(INVOICES).digest != read_map(INVOICES.replace('"no"', '"nr"')).digest


@pytest.mark.parametrize(
    ("was", "becomes", "named"),
    [
        ('source = "Accounting"', 'sauce = "Accounting"', "sauce"),
        ("[columns]", "[colums]", "colums"),
        ('number = "no"', 'nummer = "no"', "nummer"),
        ('kind = "RECEIVABLE"', 'kind = "BILL"', "BILL"),
        ('"void*" = "VOID"', '"void*" = "GONE"', "GONE"),
        ('kind = "invoices"', 'kind = "bills"', "BILLS"),
        ('lawful_basis = "CONTRACT"', 'lawful_basis = "GOSSIP"', "GOSSIP"),
        ('lawful_basis = "CONTRACT"', "", "lawful_basis"),
        ('number = "no"', "", "number"),
        ('currency = "CNY"', "", "currency"),
        ('currency = "CNY"', 'currency = "CNY"\nnumber = "1"', "number"),
        ("[values.state]", '[dates]\nnumber = "ISO"\n[values.state]', "number"),
        ("[values.state]", '[dates]\nissued_on = "SOMEHOW"\n[values.state]', "SOMEHOW"),
        ("[values.state]", '[values.number]\n"a" = "b"\n[values.state]', "number"),
        ('kind = "invoices"', 'kind = "invoices"\nsource_row = "same"', "source_row"),
        ('kind = "invoices"', 'kind = "invoices"\nencoding = "klingon"', "encoding"),
        ('kind = "invoices"', 'kind = "invoices"\ndelimiter = ";;"', "delimiter"),
        ('kind = "invoices"', 'kind = "invoices"\npersons = "no"', "persons"),
        ('kind = "invoices"', 'kind = "invoices"\noutcomes = "grade"', "outcomes"),
        ('kind = "invoices"', 'kind = "invoices"\nknown = "MAYBE"', "MAYBE"),
        ('reference = "customer"', "reference = 7", "columns"),
        ('kind = "invoices"', "kind = ", "TOML"),
    ],
)
def test_what_is_unknown_missing_or_wrong_is_refused_by_name(was, becomes, named):
    assert was in INVOICES
    assert named in refusal(INVOICES.replace(was, becomes, 1)).message


def test_an_unknown_currency_is_refused():
    assert refusal(INVOICES.replace("CNY", "XXX")).code is Code.UNKNOWN_CURRENCY


def test_an_amount_needs_a_currency():
    text = CUSTOMERS.replace("[constants]", 'registered_capital = "capital"\n[constants]')
    assert "currency" in refusal(text).message


def test_a_total_may_follow_from_the_net_but_one_of_them_is_needed():
    assert read_map(INVOICES.replace('total = "total"\n', ""))
    assert "total" in refusal(INVOICES.replace('total = "total"\nnet = "net"\n', "")).message


@pytest.mark.parametrize("column", ["religion", "血型", "GenderCode", "date of birth", "medical history"])
def test_a_column_of_a_forbidden_category_is_refused_by_its_name(column):
    found = refusal(CUSTOMERS.replace("[constants]", f'account_owner = "{column}"\n[constants]'))
    assert found.code is Code.FORBIDDEN_CATEGORY
    assert column in found.message


def test_a_forbidden_column_cannot_hide_in_the_template_of_a_row():
    found = refusal(INVOICES.replace('kind = "invoices"', 'kind = "invoices"\nsource_row = "{religion}"', 1))
    assert found.code is Code.FORBIDDEN_CATEGORY


def test_what_a_person_owns_opens_with_written_consent_or_where_no_person_is():
    owned = CUSTOMERS.replace("[constants]", 'account_owner = "monthly income"\n[constants]')
    persons = owned.replace('kind = "ENTERPRISE"', 'kind = "NATURAL_PERSON"')
    assert refusal(persons).code is Code.FORBIDDEN_CATEGORY
    assert read_map(persons.replace('"CONTRACT"', '"WRITTEN_CONSENT"'))
    assert read_map(owned)
    assert read_map("persons = false\n" + owned).firms_only


@pytest.mark.parametrize("column", ["grade", "Default", "isDefaulted", "是否违约", "信誉评级", "loan_outcome"])
def test_a_column_that_tells_how_it_ended_is_never_an_input(column):
    found = refusal(CUSTOMERS.replace("[constants]", f'industry_code = "{column}"\n[constants]'))
    assert column in found.message
    assert "outcome" in found.message


def test_a_declared_outcome_is_never_an_input_whatever_its_name():
    text = 'outcomes = ["flag"]\n' + CUSTOMERS
    assert read_map(text)
    assert "flag" in refusal(text.replace('name = "name"', 'name = "flag"')).message


def test_the_maps_of_the_graded_firms_do_not_read_grade_or_default():
    plan = find_map("cumcm2020c_firms")
    assert not {"grade", "default"} & set(plan.read)


def test_a_file_without_a_mapped_column_is_refused_by_name():
    plan = read_map(INVOICES)
    with pytest.raises(Malformed, match="no column settled, tax") as refused:
        plan.check_file(["customer", "no", "issued", "net", "total", "state"])
    assert refused.value.code is Code.MISSING_VALUE


CONTACTS = """
kind = "customers"
source = "Accounting"
lawful_basis = "CONTRACT"
[columns]
reference = "customer"
name = "firm"
contact_phone = "phone of the contact"
[constants]
kind = "ENTERPRISE"
"""


def test_an_error_of_a_field_finds_the_column_behind_it():
    plan = read_map(INVOICES)
    assert (plan.column_of("issuedOn"), plan.column_of("issued_on"), plan.column_of("creditFile")) == (
        *("issued", "issued"),
        "",
    )
    assert plan.column_of("customer") == "customer"
    contacts = read_map(CONTACTS)
    assert contacts.column_of("contact.phone") == "phone of the contact"


def test_what_is_left_out_has_its_default():
    plan = read_map(INVOICES)
    assert (plan.source_row, plan.known, plan.persons, plan.delimiter) == ("{file}:{row}", Known.KEEP, True, ",")
