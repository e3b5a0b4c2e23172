"""What the roles must and must never do, whatever else the grants say (Ch.2, Ch.8 §1)."""

import itertools

import pytest

from authz.adapter import RULES
from authz.roles import JOB, OUTSIDERS, ROLES, STAFF
from domain.grants.effects import Effect
from domain.grants.separation import READING

DECIDING = ("assessment:approve", "control:approve", "control:lift")


def allowed(table, *roles):
    return set(table.rights(frozenset(roles)).allowed)


def starting(actions, *nouns):
    return {action for action in actions if action.split(":")[0] in nouns}


def writing(actions):
    nouns = starting(actions, "reveal", "mask", "audit")  # to examine the log is what an auditor is for
    return {action for action in actions if action.split(":")[1] not in READING} - nouns


def test_an_auditor_reads_and_is_forbidden_every_writing_action_and_every_clear_value(table, actions):
    may = allowed(table, "auditor")
    assert {"audit:read", "access_log:read", "mask:identity", "mask:contact", "mask:financial"} <= may
    for action in writing(actions) | starting(actions, "reveal"):
        assert table.cell("auditor", action).effect is Effect.DENY, action


@pytest.mark.parametrize("other", [role for role in ROLES if role != "auditor"])
def test_an_auditor_with_another_role_still_writes_nothing(table, actions, other):
    assert not allowed(table, "auditor", other) & (writing(actions) | starting(actions, "reveal"))


@pytest.mark.parametrize("other", STAFF)
def test_who_sells_decides_on_no_credit_with_any_other_role(table, other):
    assert not allowed(table, "sales", other) & set(DECIDING)


def test_sales_sees_masked_values_only(table):
    assert starting(allowed(table, "sales"), "reveal") == set()
    assert starting(allowed(table, "sales"), "mask") == {"mask:identity", "mask:contact"}


@pytest.mark.parametrize("other", STAFF)
def test_who_runs_the_platform_reads_no_customer_data_with_any_other_role(table, other):
    may = allowed(table, "platform_admin", other)
    assert not starting(may, "reveal", "mask")
    assert not may & {"credit_file:read", "contact_person:read", "transaction:read", "statement:read", "rating:read"}


def test_service_operations_sees_measures_and_nothing_else(table):
    assert allowed(table, "service_ops") == {"control:read", "schema:introspect"}


def test_management_opens_no_file_and_no_value(table):
    may = allowed(table, "management")
    assert not starting(may, "reveal", "mask", "credit_file", "contact_person")


def test_a_partner_asks_for_disclosures_and_reads_its_own(table):
    assert allowed(table, "partner_client") == {
        "disclosure:request",
        "disclosure:read",
        "recall:answer",
        "audit:prove",
        "disclosure:attest",
    }


def test_only_a_partner_asks_for_disclosures(table):
    assert [role for role in ROLES if "disclosure:request" in allowed(table, role)] == ["partner_client"]


def test_a_customer_sees_its_file_its_reasons_and_who_looked_and_gives_and_withdraws_consent(table, actions):
    may = allowed(table, "customer_self")
    assert {"credit_file:read", "assessment:read", "consent:read", "access_log:read"} <= may
    taken_along = {"credit_statement:issue", "credit_statement:revoke"}
    assert may & writing(actions) == {"consent:record", "consent:withdraw", "objection:raise", *taken_along}
    assert starting(may, "reveal") == {"reveal:identity", "reveal:contact", "reveal:financial"}
    assert "source:read" not in may


def test_the_committee_never_prepares(table):
    assert not allowed(table, "credit_committee") & {"assessment:request", "assessment:collect", "control:propose"}


def test_who_writes_drafts_of_the_credit_policy_reads_it_and_nothing_of_any_customer(table):
    assert allowed(table, "credit_policy_author") == {
        *(f"credit_policy:{verb}" for verb in ("read", "draft", "simulate", "submit", "withdraw")),
        "schema:introspect",
    }


def test_receivables_changes_no_grade(table):
    assert not {
        action for action in starting(allowed(table, "ar_finance"), "assessment", "record") if "read" not in action
    }
    assert starting(allowed(table, "ar_finance"), "reveal") == {"reveal:financial", "reveal:transactions"}


@pytest.mark.parametrize("role", ["legal", "privacy_officer"])
def test_who_advises_neither_scores_nor_approves(table, role):
    assert not allowed(table, role) & {"assessment:request", "assessment:collect", *DECIDING}


def test_a_job_decides_nothing_and_opens_nothing_for_a_reader(table):
    assert not allowed(table, JOB) & {*DECIDING, "schema:introspect"}
    assert not starting(allowed(table, JOB), "reveal", "mask")


def test_whoever_may_open_a_class_may_see_it_masked_except_the_customer_itself(table):
    for role, data in itertools.product(ROLES, ("identity", "contact", "financial")):
        if f"reveal:{data}" in allowed(table, role) and role not in OUTSIDERS:
            assert f"mask:{data}" in allowed(table, role), (role, data)


def test_only_those_who_answer_for_it_read_the_audit_log(table):
    assert [role for role in ROLES if "audit:read" in allowed(table, role)] == ["privacy_officer", "auditor"]


def test_only_an_auditor_takes_the_audit_log_along(table):
    assert [role for role in ROLES if "audit:export" in allowed(table, role)] == ["auditor"]


def test_every_rule_says_why_by_chapter_and_every_prefix_belongs_to_one_role(snapshot):
    assert all(rule.why.startswith("Ch.") for rule in snapshot.rules)
    assert len({(rule.id[:2], rule.role) for rule in snapshot.rules}) == len({rule.role for rule in snapshot.rules})


def test_the_id_of_a_line_that_is_gone_is_not_used_again(snapshot):
    line = next(line for line in RULES.read_text(encoding="utf-8").splitlines() if line.startswith("# gone: "))
    gone = line.removeprefix("# gone: ").split()
    assert len(gone) == len(set(gone))
    assert not set(gone) & {rule.id for rule in snapshot.rules}
    assert {name[:2] for name in gone} <= {rule.id[:2] for rule in snapshot.rules}


def test_the_schema_tells_itself_to_staff_alone(table):
    assert [role for role in ROLES if "schema:introspect" in allowed(table, role)] == list(STAFF)
