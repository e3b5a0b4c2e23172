"""Why somebody may do something, or may not: by roles, by training, and in an emergency."""

from types import MappingProxyType

import pytest

from domain.actors import Rights
from domain.grants.effects import Effect
from domain.grants.explaining import for_person
from tests.domain.grants.desk import PRODUCT


def said(*roles, action="credit_file:read"):
    return PRODUCT.explain(roles, action)


def rights(*roles, lapsed=None, added=None):
    base = PRODUCT.rights(frozenset(roles))
    allowed = {action: rule for action, rule in base.allowed.items() if action not in (lapsed or {})} | (added or {})
    return Rights(id=1, version=base.version, allowed=MappingProxyType(allowed), lapsed=lapsed or {})


def test_an_allowed_action_names_its_rule_its_reason_and_the_way_to_it():
    told = said("credit_manager")
    assert (told.effect, told.path) == (Effect.ALLOW, ("credit_manager", "credit_analyst"))
    way = "credit_manager → credit_analyst"
    assert told.sentence == f"credit_file:read is allowed by rule an-03 to {way}: Ch.4 §1 builds and keeps the file."


def test_a_forbidden_action_names_the_rule_that_forbids_it():
    told = said("credit_manager", "platform_admin")
    assert told.sentence.startswith(
        "credit_file:read is forbidden by rule ad-03 to platform_admin, whatever other roles"
    )


def test_what_nobody_may_is_said_so():
    assert said("sales", action="no:such").sentence == "No rule allows no:such to anybody."


def test_training_that_lapsed_is_what_is_missing():
    told = for_person(said("sales"), rights("sales", lapsed={"credit_file:read": "privacy"}), insider=True)
    assert (told.effect, told.missing, told.rule.id) == (Effect.NONE, "privacy", "sa-01")
    assert "until the training privacy is done again" in told.sentence


def test_in_an_emergency_the_broken_glass_is_what_allows_it():
    held = rights("service_ops", added={"credit_file:read": "bg_1"})
    told = for_person(said("service_ops"), held, insider=True)
    assert (told.effect, told.sentence) == (Effect.ALLOW, "credit_file:read is allowed by bg_1.")


@pytest.mark.parametrize("role", ["partner_client", "customer_self"])
def test_whoever_is_not_of_the_company_is_told_of_no_other_role(role):
    told = for_person(said(role, action="audit:read"), rights(role), insider=False)
    assert (told.effect, told.nearest) == (Effect.NONE, None)
    assert "privacy" not in told.sentence
    assert "auditor" not in told.sentence
