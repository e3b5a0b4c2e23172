"""A customer sees its own file whole: score, reasons, the path on, consents, what was disclosed, who looked and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.imports.synthetic import furnish, portfolio
from api.tour.cast import Cast
from domain.assessment.assessing import RequestAssessment
from domain.assessment.assessments import AssessmentKind, AssessmentState
from domain.assessment.scale import Grade
from tests.journeys.conftest import mutation

SHOWN = "disclosure { id state } values { field text }"
VIEW = """query($id: ID!) {
  creditFile(id: $id) {
    name score grade tier creditLimit { amount currency } netDays reviewDueOn basicCompleteness
    confidential(purpose: CUSTOMER_REQUEST) { phone bankAccount withheld { field reason } }
    assessment { score grade calibration reasons { code sentence pointsLost }
      nextGrade pathBarredBy pathFrom path { characteristic sentence pointsGained effort waits } }
    consents(first: 10) { totalCount nodes { state purpose fields notAfter partner { name contact }
      events(first: 10) { nodes { act at person } } } }
    disclosures(first: 10) { nodes { state purpose fields obligations deleteBy } }
    objections(first: 10) { nodes { state kind answerBy } }
    transactions(first: 3) { totalCount nodes { number } }
  }
  accessLog(creditFile: $id, first: 100) { nodes { actor behalf action purpose fields outcome at } }
}"""


@pytest.fixture
def graded(installation, tenant):
    """Customers with a grade in force for whom there is a better one, each with its path as staff sees it."""

    async def work(house):
        cast = Cast.of(house, tenant)
        made = await furnish(cast.manager.do, portfolio(house.clock.now().date(), customers=8))
        found = []
        for member in made.members:
            asked = RequestAssessment(credit_file=member.credit_file, kind=AssessmentKind.NEW)
            assessed = await cast.analyst.do(asked)
            if assessed.state is AssessmentState.IN_FORCE and assessed.grade not in {None, Grade.AAA}:
                found.append((member.credit_file, member.customer, assessed))
        assert found
        return found

    return installation.house(work)


@pytest.fixture
def consented(installation, tenant, graded):
    """The first of them, with a program of its own and a bank that got its phone with its consent."""
    file, subject, assessed = graded[0]
    customer = installation.client(tenant, "customer_self", person="li", subject=subject)
    privacy = installation.client(tenant, "privacy_officer")
    asked = {"name": "First Bank", "contact": "dpo@bank.example", "purposes": ["PARTNER_CREDIT_DECISION"]}
    partner = privacy.done("registerPartner", asked, "partner { id }")["partner"]["id"]
    installation.approve(tenant, partner)
    (seen,) = customer.ask("{ partners(first: 5) { nodes { id name contact purposes } } }")["partners"]["nodes"]
    assert seen == asked | {"id": partner}
    terms = {
        "creditFile": file,
        "partner": seen["id"],
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["contact.phone"],
        "use": "STANDING",
        "notAfter": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        "noticeDigest": "ab" * 32,
        "givenBy": "Li",
    }
    customer.done("grantConsent", terms, "consent { id }")
    installation.trust(tenant, mutation("requestDisclosure", SHOWN), "contact.phone")
    bank = installation.client(tenant, "partner_client", person="bank-system", partner=partner)
    request = {
        "creditFile": file,
        "purpose": "PARTNER_CREDIT_DECISION",
        "fields": ["contact.phone"],
        "idempotencyKey": "request-1",
    }
    bank.done("requestDisclosure", request, SHOWN)
    return customer, file, assessed, partner


def test_a_customer_sees_its_file_its_standing_the_way_on_and_who_looked(installation, tenant, consented):
    customer, file, assessed, partner = consented
    analyst = installation.client(tenant, "credit_analyst", person="chen")
    look = "query($id: ID!) { creditFile(id: $id) { confidential(purpose: CREDIT_REVIEW) { phone } } }"
    phone = analyst.ask(look, id=file)["creditFile"]["confidential"]["phone"]
    objection = {"creditFile": file, "kind": "GRADE", "contested": assessed.id, "statement": "We pay on time."}
    customer.done("raiseObjection", objection, "objection { id }")

    seen = customer.ask(VIEW, id=file)
    own = seen["creditFile"]
    assert own["confidential"]["phone"] == phone
    assert own["grade"] == own["assessment"]["grade"] == assessed.grade.value
    assert own["assessment"]["calibration"] == "EXPERT_UNCALIBRATED"
    assert [one["code"] for one in own["assessment"]["reasons"]] == [one.code for one in assessed.reasons]

    # The way on: exactly as the assessment found it, or why nothing is promised.
    assert own["assessment"]["nextGrade"] == assessed.next_grade.value
    assert bool(own["assessment"]["path"]) is not bool(own["assessment"]["pathBarredBy"])
    assert [(one["characteristic"], one["pointsGained"]) for one in own["assessment"]["path"]] == [
        (step.characteristic, step.points_gained) for step in assessed.path
    ]
    assert "B7" not in {one["characteristic"] for one in own["assessment"]["path"]}
    assert own["assessment"]["pathFrom"] == (assessed.path_from and assessed.path_from.isoformat())

    (consent,) = own["consents"]["nodes"]
    assert consent["partner"] == {"name": "First Bank", "contact": "dpo@bank.example"}
    assert [event["act"] for event in consent["events"]["nodes"]] == ["GIVEN"]
    (disclosure,) = own["disclosures"]["nodes"]
    assert (disclosure["state"], disclosure["fields"]) == ("RELEASED", ["contact.phone"])
    assert [(one["kind"], one["state"]) for one in own["objections"]["nodes"]] == [("GRADE", "RECEIVED")]
    assert own["transactions"]["totalCount"] > 0

    log = [(one["actor"], one["behalf"], one["purpose"]) for one in seen["accessLog"]["nodes"]]
    assert ("chen", "", "CREDIT_REVIEW") in log
    assert any(behalf == partner and purpose == "PARTNER_CREDIT_DECISION" for _, behalf, purpose in log)


def test_a_customer_sees_nothing_of_others_and_nothing_of_how_the_company_judges(installation, tenant, consented):
    customer, file, _, _ = consented
    others = installation.client(tenant, "credit_analyst").ask("{ creditFiles(first: 50) { nodes { id } } }")
    names = [one["id"] for one in others["creditFiles"]["nodes"]]
    assert len(names) > 1
    assert customer.ask("{ creditFiles(first: 50) { nodes { id } } }") == {"creditFiles": {"nodes": [{"id": file}]}}
    for other in (one for one in names if one != file):
        assert customer.ask("query($id: ID!) { creditFile(id: $id) { name } }", id=other) == {"creditFile": None}
    for hidden in ("points { band }", "confidential(purpose: CUSTOMER_REQUEST) { receipt }"):
        query = f"query($id: ID!) {{ creditFile(id: $id) {{ assessment {{ {hidden} }} }} }}"
        told = customer.post(query, {"id": file}).json()
        if "errors" in told:
            assert [one["extensions"]["code"] for one in told["errors"]] == ["NOT_PERMITTED"]
        else:
            assert told["data"]["creditFile"]["assessment"]["confidential"] == {"receipt": None}
    assert customer.ask("{ partnerKeys(first: 5) { nodes { id } } }") == {"partnerKeys": {"nodes": []}}
    (refused,) = customer.post("{ escalations(first: 5) { nodes { id } } }").json()["errors"]
    assert refused["extensions"]["code"] == "NOT_PERMITTED"
