from __future__ import annotations

import json
from datetime import timedelta

import pytest
import structlog
from graphql import GraphQLNonNull, GraphQLUnionType, get_named_type

from api.graphql.generation.refusals import KINDS
from api.graphql.generation.wording import camel, remarks
from api.graphql.mutations import MUTATIONS
from api.graphql.schema import print_schema_text
from domain.audit import Outcome
from domain.consent.handover.handing import printed
from domain.errors import AuditUnavailable, Code, KeyUnavailable, Unavailable
from domain.files.history import DefaultEvent, TradeTransaction
from domain.files.parties import ContactPerson, CreditFile
from domain.money import Money
from domain.operations import OPERATIONS
from tests.api.fake import SCHEMA, WorkingHouse
from tests.firms import Desk
from tests.world import EMAIL, NOW, PHONE, USCC

GRAPH = SCHEMA.graph
ERRORS = "errors { __typename ... on UserError { code message advice path } }"


@pytest.fixture
def house():
    return WorkingHouse()


@pytest.fixture
def origin(house):
    made = house.origin()
    return {"source": made.source, "lawfulBasis": "CONTRACT"}


@pytest.fixture
def opened(house, origin):
    del origin
    return house.file(house.origin("another")).id


def change(house, name, given, selection="auditEntry " + ERRORS, **more):
    """The payload of one mutation whose input is a variable."""
    title = name[0].upper() + name[1:]
    query = f"mutation($input: {title}Input!) {{ {name}(input: $input) {{ {selection} }} }}"
    response = house.ask(query, {"input": given}, **more)
    assert response.errors == [], response.errors
    return response.data[name]


def test_a_file_is_opened_in_one_transaction_with_one_entry_and_read_back_under_another(house, origin):
    before = len(house.entries)
    basic = {
        "phone": "138 0013 8000",
        "registeredCapital": {"amount": "1234.50", "currency": "CNY"},
        "sizeClass": "SMALL",
    }
    given = {"reference": "C-7", "name": "Yunfan", "kind": "ENTERPRISE", "origin": origin, "basic": basic}
    given["contacts"] = [{"duty": "buyer", "name": "Li Wei", "email": EMAIL}]
    payload = change(
        house,
        "openCreditFile",
        given,
        """f: creditFile { id name reference registeredCapital { amount currency } sizeClass phoneMasked
        confidential(purpose: CREDIT_REVIEW) { phone } contacts { totalCount } } entry: auditEntry __typename """
        + ERRORS,
    )
    file = house.current(CreditFile)[0]
    assert payload == {
        "f": {
            "id": file.id,
            "name": "Yunfan",
            "reference": "C-7",
            "registeredCapital": {"amount": "1234.50", "currency": "CNY"},
            "sizeClass": "SMALL",
            "phoneMasked": "****8000",
            "confidential": {"phone": PHONE},
            "contacts": {"totalCount": 1},
        },
        "entry": house.entries[before].id,
        "__typename": "OpenCreditFilePayload",
        "errors": [],
    }
    assert [entry.action for entry in house.entries[before:]] == ["credit_file:open", "credit_file:read"]
    assert {entry.request for entry in house.entries[before:]} == {"req-1"}
    assert house.secret(house.current(ContactPerson)[0], "person_email") == EMAIL


def test_a_payload_without_its_record_is_not_read_at_all(house, origin):
    before = len(house.entries)
    change(house, "openCreditFile", {"reference": "C-8", "name": "B", "kind": "ENTERPRISE", "origin": origin})
    assert [entry.action for entry in house.entries[before:]] == ["credit_file:open"]


def test_what_is_left_out_of_an_update_stays_and_what_is_null_too(house, origin, opened):
    given = {"creditFile": opened, "origin": origin, "name": None, "basic": {"staffCount": 7, "email": None}}
    payload = change(house, "updateBasicInformation", given, "creditFile { name staffCount version } " + ERRORS)
    assert payload["creditFile"] == {"name": "Yunfan Networks", "staffCount": 7, "version": 2}
    assert house.secret(house.current(CreditFile)[0], "email") == EMAIL


def test_transactions_are_recorded_all_and_named_in_the_order_sent(house, origin, opened):
    money = {"amount": "10.00", "currency": "CNY"}
    document = {"kind": "SALE", "number": "7", "issuedOn": "2026-01-05", "net": money, "total": money}
    given = {"creditFile": opened, "origin": origin, "documents": [document | {"sourceRow": row} for row in "ba"]}
    payload = change(
        house, "recordTransactions", given, "transactionIds creditFile { transactions { totalCount } } " + ERRORS
    )
    by_row = {record.source_row: record.id for record in house.current(TradeTransaction)}
    assert payload["transactionIds"] == [by_row["b"], by_row["a"]]
    assert house.current(TradeTransaction)[0].state.value == "OPEN"
    again = change(house, "recordTransactions", given, "transactionIds creditFile { id } auditEntry " + ERRORS)
    assert (again["transactionIds"], again["creditFile"], again["auditEntry"]) == (None, None, house.entries[-1].id)
    assert again["errors"][0]["__typename"] == "ConflictError"


@pytest.mark.parametrize(
    ("name", "more", "shows"),
    [
        (
            "recordDefault",
            {"kind": "LATE_PAYMENT", "amount": {"amount": "5", "currency": "CNY"}, "sinceOn": "2026-01-01"},
            "default { status confidential(purpose: CREDIT_REVIEW) { defaultAmount { amount } defaultSince } }",
        ),
        (
            "recordLitigation",
            {"court": "B", "caseNumber": "1", "role": "defendant", "severity": "MINOR", "filedOn": "2026-01-01"},
            "litigation { status }",
        ),
        (
            "recordSanction",
            {
                "authority": "A",
                "kind": "SERIOUS_DISHONESTY",
                "severity": "SEVERE",
                "match": "CONFIRMED",
                "publishedOn": "2026-01-01",
            },
            "sanction { confidential(purpose: CREDIT_REVIEW) { sanctionSeverity } }",
        ),
        (
            "recordRating",
            {"agency": "A", "rating": "AA-", "band": "GOOD", "ratedOn": "2026-01-01", "validUntil": "2027-01-01"},
            "rating { validUntil }",
        ),
        (
            "recordStatement",
            {
                "periodEnd": "2025-12-31",
                "audited": True,
                **{
                    key: {"amount": "1", "currency": "CNY"}
                    for key in (
                        "currentAssets",
                        "currentLiabilities",
                        "totalAssets",
                        "totalLiabilities",
                        "tangibleNetWorth",
                        "netProfit",
                        "operatingCashFlow",
                    )
                },
            },
            "statement { audited periodEnd }",
        ),
    ],
)
def test_every_kind_of_record_is_recorded_and_shown(house, origin, opened, name, more, shows):
    payload = change(house, name, {"creditFile": opened, "origin": origin, **more}, shows + " " + ERRORS)
    assert payload["errors"] == []
    assert all(payload.values()) is False
    assert next(iter(payload.values())) is not None
    if name == "recordDefault":
        assert house.secret(house.current(DefaultEvent)[0], "default_amount") == Money(500, "CNY")
        assert payload["default"]["confidential"] == {"defaultAmount": {"amount": "5.00"}, "defaultSince": "2026-01-01"}


def test_a_refusal_is_data_typed_by_its_code_with_advice_and_the_place_in_the_input(house, origin):
    given = {"reference": "C-7", "name": "Yunfan", "kind": "ENTERPRISE", "origin": origin}
    change(house, "openCreditFile", given)
    twice = change(house, "openCreditFile", given)
    assert twice["auditEntry"] == house.entries[-1].id
    assert twice["errors"] == [
        {
            "__typename": "ConflictError",
            "code": "CONFLICT",
            "message": "A credit file with this reference exists already.",
            "advice": "Update that file instead.",
            "path": ["reference"],
        }
    ]
    unlawful = change(house, "openCreditFile", given | {"origin": origin | {"lawfulBasis": "LEGAL_DUTY"}})
    assert unlawful["errors"][0]["path"] == ["origin", "lawfulBasis"]
    assert (unlawful["errors"][0]["__typename"], unlawful["errors"][0]["code"]) == ("MalformedError", "UNLAWFUL_SOURCE")
    future = change(house, "openCreditFile", given | {"reference": "N", "basic": {"establishedOn": "2030-01-01"}})
    assert future["errors"][0]["path"] == ["basic", "establishedOn"]
    assert [entry.outcome for entry in house.entries[-3:]] == [Outcome.INVALID] * 3
    contacts = [{"duty": "buyer", "name": "Li Wei"}, {"duty": "finance", "name": "Zhao", "phone": "one"}]
    second = change(house, "openCreditFile", given | {"reference": "N", "contacts": contacts})
    assert second["errors"][0]["path"] == ["contacts", "1", "phone"]


def test_an_input_that_names_no_record_at_all_reaches_no_operation_and_has_no_entry(house, origin):
    before = len(house.entries)
    given = {"reference": "C-7", "name": "Yunfan", "kind": "ENTERPRISE", "origin": origin | {"source": "so"}}
    refused = change(house, "openCreditFile", given)
    assert (refused["errors"][0]["path"], refused["auditEntry"]) == (["origin", "source"], None)
    assert len(house.entries) == before


def test_an_action_that_is_not_granted_is_a_typed_refusal_and_recorded(house):
    house.withdrawn = {"source:register"}
    payload = change(house, "registerSource", {"type": "REGISTRY", "name": "R", "lawfulBases": []})
    assert [error["__typename"] for error in payload["errors"]] == ["NotPermittedError"]
    assert house.entries[-1].outcome is Outcome.REFUSED


def test_errors_are_asked_for_by_type_by_interface_and_under_any_alias(house):
    query = """mutation { registerPartner(input: {name: " ", contact: "x", purposes: []}) {
        a: errors { ... on MalformedError { c: code __typename path } ... on ConflictError { message } }
        b: errors { __typename: __typename ... on UserError { code: message } }
        c: errors { __typename } } }"""
    response = house.ask(query)
    assert response.errors == []
    assert response.data["registerPartner"] == {
        "a": [{"c": "MISSING_VALUE", "__typename": "MalformedError", "path": ["name"]}],
        "b": [{"__typename": "MalformedError", "code": "The name is missing."}],
        "c": [{"__typename": "MalformedError"}],
    }


def test_who_may_change_but_not_read_gets_the_outcome_and_why_it_is_not_shown(house):
    house.withdrawn = {"source:read"}
    given = {"type": "REGISTRY", "name": "Registry", "lawfulBases": ["CONTRACT"]}
    payload = change(house, "registerSource", given, "source { name } auditEntry " + ERRORS)
    done, refused = house.entries[-2:]
    assert payload["source"] is None
    assert payload["auditEntry"] == done.id
    assert (done.outcome, refused.outcome) == (Outcome.DONE, Outcome.REFUSED)
    error = payload["errors"][0]
    assert (error["__typename"], error["code"], error["path"]) == ("NotPermittedError", "NOT_PERMITTED", [])
    assert error["message"].startswith("It is done, but its record is not shown.")


def test_a_record_that_cannot_be_opened_is_an_error_beside_what_was_done(house, origin):
    house.vault.fails = KeyUnavailable("The key is destroyed.")
    query = """mutation($o: OriginInput!) { openCreditFile(input: {reference: "K", name: "K", kind: ENTERPRISE,
        origin: $o, basic: {phone: "13800138000"}}) { auditEntry errors { __typename }
        creditFile { confidential(purpose: CREDIT_REVIEW) { phone } } } }"""
    response = house.ask(query, {"o": origin})
    payload = response.data["openCreditFile"]
    assert payload["auditEntry"] is not None
    assert (payload["creditFile"], payload["errors"]) == (None, [])
    assert response.errors[0]["extensions"]["code"] == "KEY_UNAVAILABLE"
    assert response.errors[0]["path"] == ["openCreditFile", "creditFile"]


def test_an_unavailable_store_is_an_error_of_graphql_and_changes_nothing(house):
    house.faults.on, house.faults.error = "commit", AuditUnavailable("The audit log cannot be written.")
    query = 'mutation { registerPartner(input: {name: "B", contact: "x", purposes: [SUPERVISION]}) { auditEntry } }'
    response = house.ask(query)
    assert response.data == {"registerPartner": None}
    assert response.errors[0]["extensions"]["code"] == "AUDIT_UNAVAILABLE"
    assert house.entries == []


def test_a_bug_is_masked_and_the_next_field_still_runs(house):
    house.faults.on, house.faults.error = "find", KeyError("s3cret")
    query = """mutation { a: registerPartner(input: {name: "A", contact: "x", purposes: [SUPERVISION]}) { auditEntry }
        b: registerPartner(input: {name: "B", contact: "x", purposes: [SUPERVISION]}) { partner { name } } }"""
    with structlog.testing.capture_logs() as logs:
        response = house.ask(query)
    assert response.data == {"a": None, "b": {"partner": {"name": "B"}}}
    assert [error["extensions"]["code"] for error in response.errors] == ["INTERNAL"]
    assert "s3cret" not in json.dumps([logs, response.body()])


def test_fragments_variables_conditions_and_aliases_count_in_a_payload_as_in_a_query(house, origin):
    query = """mutation($o: OriginInput!, $n: Int, $no: Boolean = false) {
        x: openCreditFile(input: {reference: "K", name: "K", kind: ENTERPRISE, origin: $o}) { ...P }
        openCreditFile(input: {reference: "L", name: "L", kind: ENTERPRISE, origin: $o}) {
            creditFile { name } creditFile { reference } other: creditFile @include(if: $no) { id } } __typename }
        fragment P on OpenCreditFilePayload { creditFile { ...F __typename } errors { __typename } }
        fragment F on CreditFile { n: name ... on Node { key: id } contacts(first: $n) { totalCount nodes { duty } }
        }"""
    response = house.ask(query, {"o": origin, "n": 1})
    assert response.errors == []
    file = house.current(CreditFile)[0]
    assert response.data == {
        "x": {
            "creditFile": {
                "n": "K",
                "key": file.id,
                "contacts": {"totalCount": 0, "nodes": []},
                "__typename": "CreditFile",
            },
            "errors": [],
        },
        "openCreditFile": {"creditFile": {"name": "L", "reference": "L"}},
        "__typename": "Mutation",
    }


# Assessment and control.


@pytest.fixture
def desk(house):
    found = Desk(house)
    return found, found.example()


def test_an_assessment_is_requested_by_one_person_and_decided_on_by_another(house, desk):
    office, file = desk
    selection = "assessment { id state kind score grade preparedBy approvedBy } auditEntry " + ERRORS
    given = {"creditFile": file.id, "requestedLimit": {"amount": "250000", "currency": "CNY"}}
    requested = change(house, "requestAssessment", given, selection, actor=office.analyst)
    assert requested["errors"] == []
    assert requested["assessment"]["preparedBy"] == "an"
    named = {"assessment": requested["assessment"]["id"]}
    assert requested["assessment"]["state"] == "IN_REVIEW"
    own = change(house, "approveAssessment", named, selection, actor=office.analyst)
    assert (own["errors"][0]["__typename"], own["assessment"]) == ("NotPermittedError", None)
    assert own["auditEntry"] == house.entries[-1].id
    approved = change(house, "approveAssessment", named, selection, actor=office.board)
    assert (approved["errors"], approved["assessment"]["state"]) == ([], "IN_FORCE")
    over = change(house, "rejectAssessment", named | {"reason": "too late"}, selection, actor=office.board)
    assert (over["errors"][0]["__typename"], over["assessment"]) == ("ConflictError", None)


def test_a_measure_is_proposed_approved_by_another_and_lifted(house, desk):
    office, file = desk
    selection = "controlAction { id state kind proposedBy approvedBy } auditEntry " + ERRORS
    given = {
        "creditFile": file.id,
        "kind": "REQUIRE_SECURITY",
        "basis": "CREDIT_POLICY",
        "scope": "new business",
        "exitCondition": "the deposit is held",
        "deadlineOn": "2026-12-31",
    }
    proposed = change(house, "proposeControlAction", given, selection, actor=office.analyst)
    assert (proposed["errors"], proposed["controlAction"]["state"]) == ([], "PROPOSED")
    named = {"controlAction": proposed["controlAction"]["id"]}
    own = change(house, "approveControlAction", named, selection, actor=office.analyst)
    assert own["errors"][0]["code"] == "SEPARATION_OF_DUTY"
    approved = change(house, "approveControlAction", named, selection, actor=office.manager)
    assert (approved["controlAction"]["state"], approved["controlAction"]["approvedBy"]) == ("ACTIVE", "ma")
    lifted = change(house, "liftControlAction", named | {"reason": "it is held"}, selection, actor=office.manager)
    assert (lifted["errors"], lifted["controlAction"]["state"]) == ([], "LIFTED")
    assert house.entries[-2].payload == (("note", "it is held"),)


# Corrections.


def test_a_corrected_record_is_shown_under_the_name_of_its_kind_and_the_others_are_null(house, origin, opened):
    money = {"amount": "5", "currency": "CNY"}
    default = {"creditFile": opened, "origin": origin, "kind": "LATE_PAYMENT", "amount": money, "sinceOn": "2026-01-01"}
    wrong = change(house, "recordDefault", default, "default { id }")["default"]["id"]
    before = len(house.entries)
    right = [{"field": "default.amount", "amount": {"amount": "7.50", "currency": "CNY"}}]
    selection = (
        """default { id status confidential(purpose: DATA_QUALITY) { defaultAmount { amount } } }
        litigation { id } rating { id } statement { id } """
        + ERRORS
    )
    payload = change(house, "correctRecord", {"record": wrong, "values": right, "reason": "typed wrong"}, selection)
    assert (payload["errors"], payload["litigation"], payload["rating"], payload["statement"]) == ([], None, None, None)
    assert payload["default"]["status"] == "ACTIVE"
    assert payload["default"]["confidential"] == {"defaultAmount": {"amount": "7.50"}}
    assert [entry.action for entry in house.entries[before:]] == ["record:correct", "record:correct", "default:read"]
    both = "default { status } transaction { status } " + ERRORS
    withdrawn = change(house, "withdrawRecord", {"record": payload["default"]["id"], "reason": "not theirs"}, both)
    assert withdrawn == {"default": {"status": "WITHDRAWN"}, "transaction": None, "errors": []}
    again = change(house, "withdrawRecord", {"record": wrong, "reason": "not theirs"}, both)
    assert (again["errors"][0]["__typename"], again["errors"][0]["path"]) == ("ConflictError", ["record"])


def test_a_trade_document_is_put_right_field_by_field(house, origin, opened):
    money = {"amount": "10.00", "currency": "CNY"}
    document = {"sourceRow": "1", "kind": "SALE", "number": "7", "issuedOn": "2026-01-05", "net": money, "total": money}
    given = {"creditFile": opened, "origin": origin, "documents": [document | {"dueOn": "2026-02-05"}]}
    wrong = change(house, "recordTransactions", given, "transactionIds")["transactionIds"][0]
    changes = {"number": "8", "cleared": ["DUE_ON"]}
    payload = change(
        house,
        "correctTransaction",
        {"record": wrong, "changes": changes, "reason": "typed wrong"},
        "transaction { id number dueOn issuedOn version } " + ERRORS,
    )
    assert payload["errors"] == []
    assert payload["transaction"] == {"id": wrong, "number": "8", "dueOn": None, "issuedOn": "2026-01-05", "version": 2}


# Consent and disclosure.


@pytest.fixture
def consented(house, opened):
    partner = house.partner()
    given = {
        "creditFile": opened,
        "partner": partner.id,
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["contact.phone", "identity.uscc"],
        "use": "STANDING",
        "notAfter": (NOW + timedelta(days=9)).isoformat(),
        "noticeDigest": "0" * 64,
        "givenBy": "the owner",
    }
    consent = change(house, "grantConsent", given, "consent { id state } " + ERRORS)["consent"]
    return house.actor("bank", "partner_client", partner=partner.id), consent["id"], opened


ASK = "values { field text } withheld { field reason unlock } auditEntry " + ERRORS


def asked(opened, key="key-00001", fields=("contact.phone", "contact.email", "identity.uscc")):
    return {
        "creditFile": opened,
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": list(fields),
        "idempotencyKey": key,
    }


def test_a_partner_gets_exactly_the_consented_values_and_why_the_others_stay_closed(house, consented):
    partner, _, opened = consented
    selection = "disclosure { state fields } v: values { text field __typename } " + ASK
    payload = change(house, "requestDisclosure", asked(opened), selection, actor=partner)
    values = {"contact.phone": PHONE, "identity.uscc": USCC}
    assert {value["field"]: value["text"] for value in payload["values"]} == values
    assert {value["text"] for value in payload["v"]} == set(values.values())
    assert payload["v"][0]["__typename"] == "DisclosedValue"
    assert [(item["field"], item["reason"]) for item in payload["withheld"]] == [("contact.email", "FIELD_NOT_COVERED")]
    assert payload["withheld"][0]["unlock"]
    assert payload["disclosure"] == {"state": "PARTIAL", "fields": ["contact.phone", "identity.uscc"]}
    assert payload["errors"] == []
    assert payload["auditEntry"] == house.entries[-2].id
    assert house.entries[-2].behalf == partner.partner


def test_after_a_withdrawal_the_next_request_is_refused_without_a_word_about_the_customer(house, consented):
    partner, consent, opened = consented
    state = change(house, "withdrawConsent", {"consent": consent}, "consent { state }")
    assert state == {"consent": {"state": "WITHDRAWN"}}
    refused = change(house, "requestDisclosure", asked(opened), ASK, actor=partner)
    unknown = change(house, "requestDisclosure", asked("cf_" + "7" * 26, "key-00002"), ASK, actor=partner)
    assert [one.pop("auditEntry") for one in (refused, unknown)] == [entry.id for entry in house.entries[-2:]]
    assert refused == unknown
    assert (refused["values"], refused["withheld"]) == (None, None)
    assert refused["errors"][0]["__typename"] == "NotConsentedError"
    assert [entry.cause for entry in house.entries[-2:]] == ["WITHDRAWN", "NO_SUCH_FILE"]


def test_a_consent_is_asked_for_and_given_or_refused(house, opened):
    asking = {
        "creditFile": opened,
        "partner": house.partner().id,
        "purpose": "PARTNER_CREDIT_DECISION",
        "use": "COUNTED",
        "maxUses": 2,
        "notAfter": "2026-12-24T00:00:00+08:00",
        "noticeDigest": "0" * 64,
    }
    selection = "consent { id state notAfter maxUses } " + ERRORS
    states = []
    for fields, name, more in (
        (["contact.phone"], "giveRequestedConsent", {"givenBy": "the owner"}),
        (["contact.email"], "refuseConsent", {}),
    ):
        asked_for = change(house, "requestConsent", asking | {"fields": fields}, selection)
        assert (asked_for["errors"], asked_for["consent"]["state"]) == ([], "REQUESTED")
        answered = change(house, name, {"consent": asked_for["consent"]["id"]} | more, selection)
        states.append((answered["consent"]["state"], answered["consent"]["notAfter"], answered["errors"]))
    until = "2026-12-23T16:00:00.000000Z"
    assert states == [("GIVEN", until, []), ("REFUSED", until, [])]


def test_a_suspended_partner_gets_nothing_until_it_is_reinstated(house, consented):
    partner, _, opened = consented
    named, selection = {"partner": partner.partner, "reason": "under review"}, "partner { state } " + ERRORS
    assert change(house, "suspendPartner", named, selection)["partner"] == {"state": "SUSPENDED"}
    assert change(house, "requestDisclosure", asked(opened), ASK, actor=partner)["values"] is None
    assert change(house, "reinstatePartner", named, selection)["partner"] == {"state": "ACTIVE"}
    assert change(house, "requestDisclosure", asked(opened, "key-00003"), ASK, actor=partner)["errors"] == []


def test_a_disclosed_value_is_text_whatever_its_type():
    assert printed(Money(123450, "CNY")) == "1234.50 CNY"
    assert printed(NOW.date()) == "2026-11-24"
    assert printed(7) == "7"
    assert printed("x") == "x"


# Limits.


def test_a_page_beyond_its_bounds_refuses_the_request_before_anything_is_changed(house, origin):
    query = """mutation($o: OriginInput!, $n: Int!) {
        openCreditFile(input: {reference: "K", name: "K", kind: ENTERPRISE, origin: $o}) {
        creditFile { assessments(first: $n) { nodes { creditFile { assessments(first: $n) { nodes { creditFile {
        assessments(first: $n) { totalCount } } } } } } } } } }"""
    before = len(house.entries)
    for size in (0, 101, 100):
        response = house.ask(query, {"o": origin, "n": size})
        assert not response.executed
        assert response.errors[0]["extensions"]["code"] in {"QUERY_TOO_LARGE", "MALFORMED"}
    assert len(house.entries) == before
    assert house.current(CreditFile) == []
    small = house.ask(query, {"o": origin, "n": 2})
    assert small.body()["extensions"]["cost"]["openCreditFile"] > 1


WITHDRAW = "mutation { withdrawConsent(input: {consent: 1}) { consent { creditFile { %s } } } }"
MANY = " ".join(f"a{n}: withdrawConsent(input: {{consent: 1}}) {{ auditEntry }}" for n in range(16))


@pytest.mark.parametrize(
    "query",
    [
        "mutation { " + MANY + " }",
        WITHDRAW % ("assessment { creditFile { " * 6 + "id" + " } }" * 6),
        WITHDRAW % "assessments(first: 101) { totalCount }",
        "mutation { withdrawConsent(input: {consent: " + "[" * 65 + "]" * 65 + "}) { auditEntry } }",
        "mutation { registerPartner(input: {purposes: [" + "SUPERVISION " * 1_000 + "]}) { auditEntry } }",
    ],
)
def test_aliases_depth_brackets_tokens_and_pages_are_bounded_in_mutations(house, query):
    response = house.ask(query)
    assert [error["extensions"]["code"] for error in response.errors] == ["QUERY_TOO_LARGE"]
    assert house.entries == []


def test_a_list_that_is_entered_is_bounded(house, origin, opened):
    given = {"creditFile": opened, "origin": origin, "documents": []}
    money = {"amount": "1", "currency": "CNY"}
    document = {"sourceRow": "r", "kind": "SALE", "number": "7", "issuedOn": "2026-01-05", "net": money, "total": money}
    payload = change(house, "recordTransactions", given | {"documents": [document] * 1_001})
    assert (payload["errors"][0]["code"], payload["errors"][0]["path"]) == ("QUERY_TOO_LARGE", ["documents"])


def test_payload_plans_are_made_once_for_requests_that_differ_in_values(house, monkeypatch):
    made = []
    monkeypatch.setattr(
        WorkingHouse, "prepare", lambda self, judged, _old=WorkingHouse.prepare: made.append(1) or _old(self, judged)
    )
    for name in ("A", "B"):
        change(house, "registerSource", {"type": "REGISTRY", "name": name, "lawfulBases": []}, "source { name }")
    assert len(made) == 1


# The schema.


def test_every_operation_a_person_asks_for_is_a_mutation_of_its_own_name():
    elsewhere = {"import:run", "tenant:administer", "audit:export", "audit:alarm", "audit:prune"}
    elsewhere |= {"sealed_document:store", "sealed_document:sweep", "reveal:documents"}
    elsewhere |= {"key:rotate", "key:destroy", "key:replace", "index:rebuild", "consent:import", "retention:adopt"}
    elsewhere |= {"erasure:finish", "retention:sweep", "objection:escalate", "recall:deliver", "grants:activate"}
    elsewhere |= {"erasure:finish", "retention:sweep", "objection:escalate", "recall:deliver"}
    elsewhere |= {"audit:alarm", "audit:reconcile"}
    elsewhere |= {
        "erasure:finish",
        "retention:sweep",
        "objection:escalate",
        "recall:deliver",
        "grants:activate",
        "grants:read",
        "credit_policy:advance",
        "credit_policy:try",
        "credit_policy:read",
    }
    elsewhere |= {"audit:reconcile", "grants:read", "audit:cover"}
    asked_for = {
        name[0].lower() + name[1:]
        for name, operation in OPERATIONS.items()
        if operation.__module__.startswith("domain.") and not elsewhere & set(operation.actions)
    }
    assert set(MUTATIONS) == asked_for
    assert all(
        name == operation.operation.__name__[0].lower() + operation.operation.__name__[1:]
        for name, operation in MUTATIONS.items()
    )


def test_the_names_of_mutations_inputs_payloads_and_errors_follow_one_rule():
    assert set(GRAPH.mutation_type.fields) == set(MUTATIONS)
    for name, field in GRAPH.mutation_type.fields.items():
        title = name[0].upper() + name[1:]
        assert {key: str(item.type) for key, item in field.args.items()} == {"input": f"{title}Input!"}
        assert str(field.type) == f"{title}Payload"
        payload = get_named_type(field.type).fields
        assert str(payload["errors"].type) == f"[{title}Error!]!"
        assert str(payload["auditEntry"].type) == "ID"
        assert not any(isinstance(item.type, GraphQLNonNull) for key, item in payload.items() if key != "errors")
        union = GRAPH.type_map[f"{title}Error"]
        assert isinstance(union, GraphQLUnionType)
        assert {item.name for item in union.types} == {kind.name for kind in KINDS}


def test_a_mutation_names_its_clauses_and_actions_and_every_entered_field_its_clause():
    for name, mutation in MUTATIONS.items():
        says = GRAPH.mutation_type.fields[name].description
        assert "Ch." in says, name
        assert all(action in says for action in mutation.operation.actions), name
    entered = [type_ for name, type_ in GRAPH.type_map.items() if name.endswith("Input")]
    assert len(entered) > len(MUTATIONS)
    for type_ in entered:
        for key, item in type_.fields.items():
            assert "Ch." in item.description, f"{type_.name}.{key}"


def test_every_field_of_an_operation_has_a_sentence_of_its_own_in_the_source():
    for mutation in MUTATIONS.values():
        held = {camel(name) for name in remarks(mutation.operation)}
        assert set(GRAPH.type_map[f"{mutation.operation.__name__}Input"].fields) <= held


def test_a_field_that_must_be_entered_is_not_null_and_one_with_a_word_of_its_own_shows_it():
    fields = GRAPH.type_map["OpenCreditFileInput"].fields
    assert {key for key, item in fields.items() if isinstance(item.type, GraphQLNonNull)} == {
        "reference",
        "name",
        "kind",
        "origin",
    }
    assert "staleAfterDays: Int! = 365" in print_schema_text(SCHEMA)
    assert "state: DocumentState! = OPEN" in print_schema_text(SCHEMA)


def test_every_error_type_implements_the_interface_and_every_code_has_one_type():
    for kind in KINDS:
        assert [item.name for item in GRAPH.type_map[kind.name].interfaces] == ["UserError"]
    told = [code for kind in KINDS for code in kind.codes]
    assert len(told) == len(set(told))
    unavailable = {type_.code for type_ in (Unavailable, *Unavailable.__subclasses__())}
    assert set(Code) - set(told) == unavailable | {Code.NOT_AUTHENTICATED}
    assert set(GRAPH.type_map["ErrorCode"].values) == {code.value for code in Code}
