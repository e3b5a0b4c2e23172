"""A company gives itself another credit policy over HTTP: one person writes it, another decides."""

from __future__ import annotations

import json

from domain.assessment.version_one import VERSION_ONE

SHOWN = (
    "creditPolicy { id number state contentDigest inForceFrom changes { section place before after } "
    "simulation { files } }"
)
RUN = """policySimulation { id files winners losers limitBefore { amount currency } contentDigest
  migrations { before after files limitBefore limitAfter } segments { kind segment files newlyBlocked } }"""
COMPARED = """query($policy: ID!, $against: ID) {
  creditPolicyChanges(policy: $policy, against: $against) { section place before after }
  same: creditPolicyChanges(policy: $policy) { place } }"""
READ = """query($id: ID!) { creditPolicy(id: $id) { number state document legalReferences { law article says }
  simulations(first: 5) { edges { node { files failed migrations { before after } } } }
  interpretations(first: 5) { edges { node { clause text writtenBy } } } }
  creditPolicies(first: 10) { edges { node { number state } } } }"""


def test_one_person_writes_a_credit_policy_tries_it_on_the_book_and_another_puts_it_in_force(installation, tenant):
    author = installation.client(tenant, "credit_policy_author")
    chair = installation.client(tenant, "credit_committee")
    document = {**VERSION_ONE.to_json(), "number": 2}
    document["limit_rules"] = {**document["limit_rules"], "stop_days": 15}

    broken = {**document, "grade_scale": document["grade_scale"][::-1]}
    (error,) = author.change("draftCreditPolicy", {"document": json.dumps(broken), "reason": "r"}, SHOWN)["errors"]
    assert (error["code"], error["path"]) == ("MALFORMED", ["document", "grade_scale", "0", "grade"])
    assert "$.grade_scale[0].grade" in error["message"]

    asked = {
        "document": json.dumps(document),
        "reason": "Service stops sooner",
        "legalReferences": [{"law": "Civil Code", "article": "526", "says": "Performance may be refused."}],
    }
    draft = author.done("draftCreditPolicy", asked, SHOWN)["creditPolicy"]
    (change,) = draft["changes"]
    assert change == {"section": "limit_rules", "place": "stop_days", "before": "30", "after": "15"}
    (first,) = author.ask("{ creditPolicies(first: 10, filter: {state: {eq: IN_FORCE}}) { edges { node { id } } } }")[
        "creditPolicies"
    ]["edges"]
    first = first["node"]["id"]
    run = author.done("simulateCreditPolicy", {"policy": draft["id"]}, RUN)["policySimulation"]
    assert (run["contentDigest"], run["limitBefore"]["currency"]) == (draft["contentDigest"], "CNY")
    assert run["files"] == sum(one["files"] for one in run["migrations"])

    found = author.done("submitCreditPolicy", {"policy": draft["id"]}, SHOWN)["creditPolicy"]
    assert (found["state"], found["simulation"]["files"]) == ("IN_REVIEW", run["files"])
    decided = {"policy": draft["id"], "contentDigest": draft["contentDigest"]}
    both = installation.client(tenant, "credit_policy_author", "credit_committee", person="credit_policy_author")
    (error,) = both.change("approveCreditPolicy", decided, SHOWN)["errors"]
    assert error["code"] == "SEPARATION_OF_DUTY"
    (error,) = author.change("approveCreditPolicy", decided, SHOWN)["errors"]
    assert error["code"] == "NOT_PERMITTED"
    assert chair.done("approveCreditPolicy", decided, SHOWN)["creditPolicy"]["state"] == "APPROVED"
    active = chair.done("activateCreditPolicy", {"policy": draft["id"]}, SHOWN)["creditPolicy"]
    assert (active["state"], bool(active["inForceFrom"])) == ("IN_FORCE", True)
    said = {"policy": draft["id"], "clause": "$.limit_rules.stop_days", "text": "Calendar days."}
    chair.done("interpretCreditPolicy", said, "interpretation { id }")

    read = author.ask(READ, id=draft["id"])
    assert json.loads(read["creditPolicy"]["document"]) == document
    assert read["creditPolicy"]["legalReferences"] == asked["legalReferences"]
    (note,) = read["creditPolicy"]["interpretations"]["edges"]
    assert note["node"] == {"clause": said["clause"], "text": said["text"], "writtenBy": "credit_committee"}
    (simulated,) = read["creditPolicy"]["simulations"]["edges"]
    assert (simulated["node"]["files"], simulated["node"]["failed"]) == (run["files"], 0)
    told = chair.ask(COMPARED, policy=draft["id"], against=first)
    assert told == {"creditPolicyChanges": [change], "same": []}
    states = {one["node"]["number"]: one["node"]["state"] for one in read["creditPolicies"]["edges"]}
    assert states == {1: "SUPERSEDED", 2: "IN_FORCE"}
