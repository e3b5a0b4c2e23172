import random
from itertools import combinations, islice

import casbin
import pytest
from casbin.rbac.default_role_manager import DomainManager
from hypothesis import given
from hypothesis import strategies as st

from authz import adapter
from authz.release import Release
from authz.roles import ROLES
from authz.table import COMBINATIONS, Table
from domain.errors import Malformed
from domain.grants.content import GrantLink as Link
from domain.grants.content import GrantRule as Rule
from domain.grants.content import Snapshot
from domain.grants.effects import Effect
from domain.ids import Id

TENANT = Id("te_00000000000000000000000001")


def test_the_table_equals_enforce_for_every_role_and_action(snapshot, table, actions):
    enforcer = adapter.enforcer(snapshot, (TENANT,))
    differing = [
        (role, action)
        for role in ROLES
        for action in actions
        if (table.cell(role, action).effect is Effect.ALLOW) != enforcer.enforce(role, TENANT, *action.split(":"))
    ]
    assert differing == []


def test_the_table_equals_enforce_for_combinations_of_roles(snapshot, table, actions):
    chance = random.Random(8)  # noqa: S311 - a seed makes the combinations the same each time
    enforcer = adapter.enforcer(snapshot, (TENANT,))
    for number in range(20):
        roles = chance.sample(ROLES, chance.randint(0, 4))
        person = f"person_{number}"
        for role in roles:
            enforcer.add_grouping_policy(person, role, TENANT)
        rights = table.rights(frozenset(roles))
        allowed = {action for action in actions if enforcer.enforce(person, TENANT, *action.split(":"))}
        assert set(rights.allowed) == allowed, roles


NAMES = ("role_a", "role_b", "role_c", "role_d", "role_e")
VERBS = ("file:read", "file:write", "key:read")


@st.composite
def snapshots(draw):
    cells = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VERBS)), min_size=1, unique=True))
    effects = draw(st.lists(st.sampled_from(["allow", "deny"]), min_size=len(cells), max_size=len(cells)))
    rules = tuple(
        Rule(
            role=role, object=action.split(":")[0], verb=action.split(":")[1], effect=effect, id=f"xx-{n:02d}", why="?"
        )
        for n, ((role, action), effect) in enumerate(zip(cells, effects, strict=True))
    )
    pairs = [(low, high) for index, low in enumerate(NAMES) for high in NAMES[index + 1 :]]
    links = tuple(Link(role=low, inherits=high) for low, high in draw(st.lists(st.sampled_from(pairs), unique=True)))
    return Snapshot(rules=rules, links=links)


@given(snapshots(), st.sets(st.sampled_from(NAMES)))
def test_the_table_equals_enforce_for_any_grants(snapshot, held):
    table = Table.compile(snapshot, actions=VERBS, roles=NAMES)
    enforcer = adapter.enforcer(snapshot, ("te_one", "te_two"))
    for role in held:
        enforcer.add_grouping_policy("person", role, "te_two")
    for action in VERBS:
        explained = table.explain(held, action)
        assert (explained.effect is Effect.ALLOW) == enforcer.enforce("person", "te_two", *action.split(":"))
        assert not enforcer.enforce("person", "te_one", *action.split(":"))
        if explained.rule:
            assert explained.path[0] in held
            assert explained.path[-1] == explained.rule.role
            steps = [
                Link(role=low, inherits=high) for low, high in zip(explained.path, explained.path[1:], strict=False)
            ]
            assert set(steps) <= set(snapshot.links)


def test_a_deny_of_one_role_outweighs_the_allow_of_another(table):
    assert table.rights(frozenset({"credit_analyst"})).permits("reveal:financial")
    assert not table.rights(frozenset({"credit_analyst", "auditor"})).permits("reveal:financial")


def test_what_no_rule_speaks_of_is_denied(table):
    rights = table.rights(frozenset({"management"}))
    assert not rights.permits("credit_file:read")
    assert not rights.permits("no_such:action")
    assert table.cell("management", "credit_file:read").effect is Effect.NONE


@pytest.mark.parametrize("roles", [(), ("",), ("nobody",), ("nobody", "somebody"), ("te_1",), ("*",)])
def test_roles_that_do_not_exist_have_no_rights(table, roles):
    assert not table.rights(frozenset(roles)).allowed


def test_an_unknown_role_beside_a_known_one_changes_nothing(table):
    assert table.rights(frozenset({"sales", "nobody"})) is table.rights(frozenset({"sales"}))


def test_rights_name_the_rule_that_allows(table, snapshot):
    rules = {rule.id: rule for rule in snapshot.rules}
    for action, rule_id in table.rights(frozenset({"credit_manager"})).allowed.items():
        assert rules[rule_id].action == action
        assert rules[rule_id].effect == "allow"
        assert rules[rule_id].role in {"credit_manager", "credit_analyst"}


def test_rights_are_interned_and_cannot_be_changed(table):
    rights = table.rights(frozenset({"sales", "legal"}))
    assert table.rights(frozenset({"legal", "sales"})) is rights
    assert rights.version == table.version
    with pytest.raises(TypeError):
        rights.allowed["reveal:financial"] = "xx-01"


def test_equal_rights_have_equal_ids_and_new_grants_new_ones(snapshot, table, actions):
    again = Table.compile(snapshot, actions=actions)
    newer = Table.compile(Snapshot(rules=snapshot.rules[1:], links=snapshot.links), actions=actions)
    sales = frozenset({"sales"})
    assert again.rights(sales).id == table.rights(sales).id
    assert newer.rights(sales).id != table.rights(sales).id
    assert newer.version != table.version
    ids = {table.rights(frozenset({role})).id for role in ROLES}
    assert len(ids) == len(ROLES)
    assert 0 not in ids


def test_the_memory_of_combinations_is_bounded(table):
    for roles in islice(combinations(ROLES, 5), COMBINATIONS + 100):
        table.rights(frozenset(roles))
    for number in range(50):
        table.rights(frozenset({f"invented_{number}"}))
    assert table._rights.cache_info().currsize == COMBINATIONS


def test_a_decision_is_a_look_up_that_casbin_takes_no_part_in(table, monkeypatch):
    def refuse(*_arguments, **_options):
        raise AssertionError("Casbin was asked")

    monkeypatch.setattr(casbin.Enforcer, "enforce_ex", refuse)
    monkeypatch.setattr(DomainManager, "has_link", refuse)
    first = table.rights(frozenset({"ar_finance", "canary"}))
    assert table.rights(frozenset({"ar_finance"})) is first
    assert table.explain({"ar_finance"}, "canary:read").effect is Effect.NONE


def test_an_allowed_action_is_explained_by_its_rule_and_the_way_to_it(table):
    explained = table.explain({"credit_manager"}, "reveal:financial")
    assert explained.effect is Effect.ALLOW
    assert explained.rule.role == "credit_analyst"
    assert explained.path == ("credit_manager", "credit_analyst")
    assert explained.nearest is None
    assert explained.version == table.version


def test_a_forbidden_action_is_explained_by_the_rule_that_forbids_it(table):
    explained = table.explain({"credit_manager", "auditor"}, "control:approve")
    assert explained.effect is Effect.DENY
    assert (explained.rule.role, explained.rule.effect) == ("auditor", "deny")
    assert explained.path == ("auditor",)


def test_a_denial_without_a_rule_names_the_nearest_rule(table):
    explained = table.explain({"sales"}, "reveal:financial")
    assert (explained.effect, explained.rule, explained.path) == (Effect.NONE, None, ())
    assert (explained.nearest.action, explained.nearest.effect) == ("reveal:financial", "allow")
    assert table.explain({"sales"}, "no_such:action").nearest is None


def test_the_matrix_shows_every_action_for_every_role(table, actions):
    matrix = table.matrix()
    assert tuple(matrix) == actions
    assert all(tuple(row) == ROLES for row in matrix.values())


def test_grants_for_an_action_that_nothing_asks_for_do_not_load(actions):
    with pytest.raises(Malformed, match="record:correct"):
        Release(action for action in actions if action != "record:correct").table()
