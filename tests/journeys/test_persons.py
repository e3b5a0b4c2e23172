"""What each person may do beside what its roles say: accounts, departments, training, emergencies, other issuers."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from api.settings import Issuer
from tests.journeys.conftest import Installation
from tests.journeys.test_consent import PHONE

OTHER, AUDIENCE = "https://login.example", "urn:credence:api"
KEY = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig", "alg": "ES256"}, private=True)
NAMES = "{ creditFiles(first: 50, orderBy: {field: NAME, direction: ASC}) { totalCount nodes { name } } }"
PHONES = """query($id: ID!) { creditFile(id: $id) { name confidential(purpose: CUSTOMER_CONTACT) {
    phone withheld { field reason unlock } } } }"""


@pytest.fixture
def installation(database, tmp_path):
    """An installation that trusts another issuer, whose claims the companies map to roles."""
    public = {"keys": [KEY.as_dict(private=False)]}
    other = Issuer(issuer=OTHER, audience=AUDIENCE, jwks=public, tenant_claim="org.id", mapped=True)
    running = Installation(database.url, tmp_path / "data", issuers=(other,)).start()
    yield running
    running.stop()


@pytest.fixture
def staff(installation, tenant):
    """Who has a part in it."""
    roles = {
        "an": "credit_analyst",
        "ma": "credit_manager",
        "xia": "sales",
        "bai": "sales",
        "admin": "platform_admin",
        "zhou": "privacy_officer",
        "wu": "management",
        "lin": "auditor",
    }
    return {person: installation.client(tenant, role, person=person) for person, role in roles.items()}


@pytest.fixture
def files(staff):
    """Three customers: one of xia, one of bai, one that nobody looks after."""
    asked = {"type": "SELF_PROVIDED", "name": "the customer", "lawfulBases": ["CONTRACT"]}
    source = staff["zhou"].done("registerSource", asked, "source { id }")["source"]["id"]
    found = {}
    for name, owner in (("Of xia", "xia"), ("Of bai", "bai"), ("Of nobody", None)):
        given = {
            "reference": name,
            "name": name,
            "kind": "ENTERPRISE",
            "origin": {"source": source, "lawfulBasis": "CONTRACT"},
            "basic": {"phone": PHONE},
            "accountOwner": owner,
            "contacts": [{"duty": "buyer", "name": "Ann"}],
        }
        found[name] = staff["an"].done("openCreditFile", given, "creditFile { id }")["creditFile"]["id"]
    return found


def in_force(staff, field, given, shows):
    """A rule that one person proposed and another approved."""
    rule = staff["admin"].done(field, given, f"{shows} {{ id }}")[shows]["id"]
    own = staff["admin"].change("approveAccessRule", {"rule": rule}, f"{shows} {{ id }}")
    assert [error["code"] for error in own["errors"]] == ["SEPARATION_OF_DUTY"]
    staff["zhou"].done("approveAccessRule", {"rule": rule}, f"{shows} {{ state }}")
    return rule


def names(client):
    """The names of the files that somebody finds."""
    page = client.ask(NAMES)["creditFiles"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["name"] for node in page["nodes"]]


def test_a_role_reaches_its_own_accounts_or_its_departments_once_two_persons_say_so(staff, files):
    xia = staff["xia"]
    assert names(xia) == ["Of bai", "Of nobody", "Of xia"]
    in_force(staff, "limitRole", {"role": "sales", "extent": "OWN"}, "roleReach")
    assert (names(xia), names(staff["bai"])) == (["Of xia"], ["Of bai"])
    assert names(staff["an"]) == ["Of bai", "Of nobody", "Of xia"]
    people = (
        "query($id: ID!) { creditFile(id: $id) { name contacts(first: 5) { nodes { duty } } } node(id: $id) { id } }"
    )
    assert xia.ask(people, id=files["Of bai"]) == {"creditFile": None, "node": None}
    assert xia.ask(people, id=files["Of xia"])["creditFile"]["contacts"]["nodes"] == [{"duty": "buyer"}]
    refused = xia.change("requestAssessment", {"creditFile": files["Of bai"]}, "assessment { id }")
    never = xia.change("requestAssessment", {"creditFile": f"cf_{'0' * 26}"}, "assessment { id }")
    told = [(error["code"], error["message"]) for error in refused["errors"]]
    assert told == [(error["code"], error["message"]) for error in never["errors"]]
    assert told[0][0] == "NOT_FOUND"
    causes = staff["lin"].ask('{ auditEntries(first: 5, filter: {cause: {eq: "OUT_OF_REACH"}}) { nodes { actor } } }')
    assert causes["auditEntries"]["nodes"] == [{"actor": "xia"}]

    department = staff["ma"].done("openDepartment", {"name": "South"}, "department { id }")["department"]["id"]
    staff["ma"].done("placeStaff", {"person": "xia", "department": department}, "staffMember { person }")
    given = {"creditFile": files["Of nobody"], "department": department}
    staff["ma"].done("assignAccount", given, "creditFile { customer { accountOwner department { name } } }")
    assert names(xia) == ["Of xia"]
    in_force(staff, "limitRole", {"role": "sales", "extent": "DEPARTMENT"}, "roleReach")
    assert (names(xia), names(staff["bai"])) == (["Of nobody", "Of xia"], ["Of bai"])
    staff["ma"].done("placeStaff", {"person": "xia"}, "staffMember { department { name } }")
    assert names(xia) == ["Of xia"]
    in_force(staff, "limitRole", {"role": "sales", "extent": "ALL"}, "roleReach")
    assert len(names(xia)) == 3


def test_what_needs_a_course_lapses_with_it_and_comes_back_with_it(staff, files):
    an, id_ = staff["an"], files["Of xia"]
    assert an.ask(PHONES, id=id_)["creditFile"]["confidential"]["phone"] == PHONE
    in_force(staff, "requireTraining", {"action": "reveal:contact", "course": "Privacy"}, "trainingRequirement")
    in_force(staff, "requireTraining", {"action": "credit_file:update", "course": "Files"}, "trainingRequirement")
    withheld = an.ask(PHONES, id=id_)["creditFile"]["confidential"]
    assert withheld == {
        "phone": None,
        "withheld": [
            {"field": "phone", "reason": "TRAINING_LAPSED", "unlock": "Completing Privacy, which reveal:contact needs."}
        ],
    }
    update = {"creditFile": id_, "origin": {"source": f"so_{'0' * 26}", "lawfulBasis": "CONTRACT"}}
    refused = an.change("updateBasicInformation", update, "creditFile { id }")
    error = refused["errors"][0]
    assert (error["code"], error["advice"]) == ("TRAINING_LAPSED", "Complete Files, and have it recorded.")

    today = datetime.now(UTC).date() - timedelta(days=1)
    given = {"person": "an", "course": "Privacy", "completedOn": today.isoformat(), "validDays": 90}
    own = staff["zhou"].change("recordTraining", given | {"person": "zhou"}, "trainingRecord { id }")
    assert [one["code"] for one in own["errors"]] == ["SEPARATION_OF_DUTY"]
    held = staff["zhou"].done("recordTraining", given, "trainingRecord { id validUntil }")["trainingRecord"]
    assert an.ask(PHONES, id=id_)["creditFile"]["confidential"]["phone"] == PHONE
    soon = (today + timedelta(days=100)).isoformat() + "T00:00:00Z"
    due = "query($by: DateTime!) { trainingRecords(first: 5, filter: {validUntil: {lte: $by}}) { nodes { person } } }"
    assert staff["ma"].ask(due, by=soon)["trainingRecords"]["nodes"] == [{"person": "an"}]
    staff["zhou"].done(
        "endTraining", {"training": held["id"], "reason": "Another person sat it."}, "trainingRecord { id }"
    )
    assert an.ask(PHONES, id=id_)["creditFile"]["confidential"]["phone"] is None


def broken(client, glass, query, **variables):
    """An answer to what is asked under a broken glass."""
    headers = {"Authorization": f"Bearer {client.token}", "Credence-Break-Glass": glass}
    body = {"query": query, "variables": variables}
    return client._http.post("/graphql", json=body, headers=headers).json()


def test_a_glass_is_broken_for_one_customer_and_a_short_time_is_told_and_reviewed(staff, files):
    xia = staff["xia"]
    in_force(staff, "limitRole", {"role": "sales", "extent": "OWN"}, "roleReach")
    asked = {
        "creditFile": files["Of xia"],
        "needed": ["reveal:contact"],
        "reason": "The line of a hospital is cut.",
        "minutes": 30,
    }
    unruled = xia.change("breakGlass", asked, "brokenGlass { id }")
    assert [error["code"] for error in unruled["errors"]] == ["NOT_PERMITTED"]
    approvals = {"role": "sales", "action": "assessment:approve", "mostMinutes": 60}
    never = staff["admin"].change("allowBreakGlass", approvals, "glassRule { id }")
    assert [error["code"] for error in never["errors"]] == ["MALFORMED"]
    in_force(staff, "allowBreakGlass", approvals | {"action": "reveal:contact"}, "glassRule")
    longer = xia.change("breakGlass", asked | {"minutes": 61}, "brokenGlass { id }")
    assert [error["code"] for error in longer["errors"]] == ["MALFORMED"]
    glass = xia.done("breakGlass", asked, "glass")["glass"]  # sales does not read who broke what
    page = "{ brokenGlasses(first: 5) { nodes { id person actions reason state reviewDueAt } } }"
    (told,) = staff["zhou"].ask(page)["brokenGlasses"]["nodes"]
    assert (told["id"], told["person"], told["state"]) == (glass, "xia", "BROKEN")

    assert xia.ask(PHONES, id=files["Of xia"])["creditFile"]["confidential"]["phone"] is None
    opened = broken(xia, told["id"], PHONES, id=files["Of xia"])
    assert opened["data"]["creditFile"]["confidential"]["phone"] == PHONE
    assert broken(xia, told["id"], NAMES)["data"]["creditFiles"]["totalCount"] == 1
    log = "{ auditEntries(first: 100) { nodes { actor action resources } } }"
    under = [one for one in staff["lin"].ask(log)["auditEntries"]["nodes"] if told["id"] in one["resources"]]
    assert {(one["actor"], one["action"]) for one in under} >= {
        ("xia", "break_glass:open"),
        ("xia", "credit_file:read"),
    }

    assert broken(xia, told["id"], PHONES, id=files["Of bai"])["data"] == {"creditFile": None}
    beyond = xia.done("breakGlass", asked | {"creditFile": files["Of bai"]}, "glass")["glass"]
    reached = broken(xia, beyond, PHONES, id=files["Of bai"])["data"]["creditFile"]
    assert (reached["name"], reached["confidential"]["phone"]) == ("Of bai", PHONE)
    assert [node["name"] for node in broken(xia, beyond, NAMES)["data"]["creditFiles"]["nodes"]] == ["Of bai"]
    assert names(xia) == ["Of xia"]
    xia.done("endBreakGlass", {"brokenGlass": beyond}, "__typename")
    assert broken(xia, beyond, NAMES)["errors"][0]["extensions"]["code"] == "NOT_PERMITTED"

    stolen = broken(staff["bai"], told["id"], PHONES, id=files["Of xia"])
    assert stolen["errors"][0]["extensions"]["code"] == "NOT_PERMITTED"
    given = {"brokenGlass": told["id"], "verdict": "JUSTIFIED", "remarks": "It was one."}
    staff["wu"].done("reviewBreakGlass", given, "brokenGlass { state verdict reviewedBy }")
    over = broken(xia, told["id"], PHONES, id=files["Of xia"])
    assert over["errors"][0]["extensions"]["code"] == "NOT_PERMITTED"


def token(tenant, sub, **claims):
    """A token of the other issuer."""
    now = int(time.time())
    said = {"iss": OTHER, "aud": AUDIENCE, "iat": now, "exp": now + 600, "sub": sub, "org": {"id": tenant}} | claims
    return jws.serialize_compact({"alg": "ES256", "kid": "k1", "typ": "at+jwt"}, json.dumps(said), KEY, ["ES256"])


def test_claims_give_the_roles_that_the_company_says_and_a_program_has_its_own(installation, tenant, staff, files):
    def me(word):
        headers = {"Authorization": f"Bearer {word}"}
        answer = httpx2.post(f"{installation.url}/graphql", json={"query": "{ me { person roles } }"}, headers=headers)
        return answer.json()["data"]["me"] if answer.status_code == 200 else answer.status_code

    chen = token(tenant, "chen", realm_access={"roles": ["analysts", "admins"]}, roles=["platform_admin", "system"])
    assert me(chen) == 401
    rule = {"issuer": OTHER, "claim": "realm_access.roles", "value": "analysts", "role": "credit_analyst"}
    for role in ("system", "partner_client", "customer_self", "root"):
        refused = staff["admin"].change("mapClaim", rule | {"role": role}, "roleClaim { id }")
        assert [error["code"] for error in refused["errors"]] == ["MALFORMED"]
    given = in_force(staff, "mapClaim", rule, "roleClaim")
    assert me(chen) == {"person": "chen", "roles": ["credit_analyst"]}
    elsewhere = installation.open_tenant("Another company")
    assert me(token(elsewhere, "chen", realm_access={"roles": ["analysts"]})) == 401
    staff["zhou"].done("retireAccessRule", {"rule": given}, "roleClaim { state }")
    assert me(chen) == 401

    program = token(tenant, "billing", client_id="billing", realm_access={"roles": ["analysts"]})
    assert me(program) == 401
    asked = {"issuer": OTHER, "client": "billing", "roles": ["credit_manager"], "purpose": "Invoices; ask ar."}
    account = in_force(staff, "registerServiceAccount", asked, "serviceAccount")
    assert me(program) == {"person": "service:billing", "roles": ["credit_manager"]}
    measure = {"creditFile": files["Of bai"], "kind": "FREEZE_NEW_ORDERS", "basis": "CONTRACT_CLAUSE", "scope": "All."}
    measure |= {"exitCondition": "Paid.", "deadlineOn": (datetime.now(UTC).date() + timedelta(days=3)).isoformat()}
    proposed = staff["an"].done("proposeControlAction", measure, "controlAction { id }")["controlAction"]["id"]
    worker = installation.client_of(program)
    refused = worker.change("approveControlAction", {"controlAction": proposed}, "controlAction { id }")
    assert [error["code"] for error in refused["errors"]] == ["SEPARATION_OF_DUTY"]
    accounts = "{ serviceAccounts(first: 5, filter: {state: {eq: IN_FORCE}}) { nodes { client roles decidedBy } } }"
    listed = staff["lin"].ask(accounts)["serviceAccounts"]["nodes"]
    assert listed == [{"client": "billing", "roles": ["credit_manager"], "decidedBy": "zhou"}]
    staff["admin"].done("retireAccessRule", {"rule": account}, "serviceAccount { state }")
    assert me(program) == 401
    entries = staff["lin"].ask(
        '{ auditEntries(first: 20, filter: {action: {eq: "token:verify"}}) { nodes { cause } } }'
    )
    assert {one["cause"] for one in entries["auditEntries"]["nodes"]} == {"NO_ROLE", "UNKNOWN_SERVICE"}
