"""What a version changes, as it is shown before it is approved, is what Casbin decides otherwise: no more, no less."""

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz import adapter
from authz.table import Table
from domain.grants import content
from domain.grants.content import GrantLink, GrantRule, Snapshot
from domain.grants.effects import Effect, difference, digest_of
from tests.authz.test_table import NAMES, VERBS, snapshots


def decided(snapshot, held):
    """The actions that Casbin allows somebody with some roles."""
    enforcer = adapter.enforcer(snapshot, ("te_one",))
    for role in held:
        enforcer.add_grouping_policy("person", role, "te_one")
    return {action for action in VERBS if enforcer.enforce("person", "te_one", *action.split(":"))}


def table(snapshot):
    return Table.compile(snapshot, actions=VERBS, roles=NAMES)


@given(snapshots(), snapshots())
def test_for_each_role_the_difference_is_what_enforce_decides_otherwise(before, after):
    changes = difference(table(before), table(after))
    told = {(c.role, c.action): (c.before, c.after) for c in changes}
    for role in NAMES:
        old, new = decided(before, {role}), decided(after, {role})
        gained = {a for a in VERBS if (r := told.get((role, a))) and r[1] is Effect.ALLOW}
        lost = {a for a in VERBS if (r := told.get((role, a))) and r[0] is Effect.ALLOW}
        assert (gained, lost) == (new - old, old - new)


@given(snapshots(), snapshots(), st.sets(st.sampled_from(NAMES)))
def test_an_action_that_no_difference_names_is_decided_alike_for_every_combination_of_roles(before, after, held):
    named = {change.action for change in difference(table(before), table(after)) if change.role in held}
    assert decided(before, held) ^ decided(after, held) <= named


@given(snapshots(), snapshots())
def test_a_difference_is_the_same_however_the_rules_are_ordered_and_empty_against_itself(before, after):
    turned = Snapshot(rules=after.rules[::-1], links=after.links[::-1])
    plain = lambda changes: [(c.role, c.action, c.before, c.after) for c in changes]  # noqa: E731 - said once
    assert plain(difference(table(before), table(after))) == plain(difference(table(before), table(turned)))
    assert difference(table(before), table(before)) == ()
    assert digest_of(difference(table(before), table(before))) == digest_of(())


def test_a_gain_through_a_link_and_a_loss_through_a_deny_are_shown():
    rules = (GrantRule(role="role_a", object="key", verb="read", effect="allow", id="xx-01", why="?"),)
    linked = Snapshot(rules=rules, links=(GrantLink(role="role_b", inherits="role_a"),))
    deny = GrantRule(role="role_b", object="key", verb="read", effect="deny", id="xx-02", why="?")
    denied = Snapshot(rules=(*rules, deny), links=linked.links)
    first, second = table(Snapshot(rules=rules, links=())), table(linked)
    (gain,) = difference(first, second)
    assert (gain.role, gain.action, gain.before, gain.after, gain.rule) == (
        "role_b", "key:read", Effect.NONE, Effect.ALLOW, "xx-01",
    )  # fmt: skip
    (loss,) = difference(second, table(denied))
    assert (loss.role, loss.before, loss.after, loss.rule) == ("role_b", Effect.ALLOW, Effect.DENY, "xx-02")


def large(count, seed=8):
    """Random grants of many rules over many roles that inherit from each other."""
    chance = random.Random(seed)  # noqa: S311 - a seed makes the grants the same each time
    letters = "abcdefghijklmnopqrstuvwxyz"
    roles = [f"role_{letters[n // 26]}{letters[n % 26]}" for n in range(12)]
    actions = [f"noun_{a}{b}:do" for a in letters for b in letters]
    cells = chance.sample([(role, action) for role in roles for action in actions], count)
    rules = tuple(
        GrantRule(
            role=role, object=action.split(":")[0], verb="do", effect=chance.choice(["allow", "allow", "deny"]),
            id=f"{letters[n // 9000]}{letters[n % 26]}-{n % 9000 + 10}", why="Ch.8",
        )
        for n, (role, action) in enumerate(cells)
    )  # fmt: skip
    pairs = [(low, high) for low, high in combinations(roles, 2) if chance.random() < 0.15]
    links = tuple(GrantLink(role=low, inherits=high) for low, high in pairs)
    return Snapshot(rules=rules, links=links), roles, actions


@pytest.mark.slow
@pytest.mark.whole
def test_every_combination_of_roles_over_many_rules_is_decided_as_enforce_decides_it_at_length():
    compare(*large(2_000), combined=3, share=40)


def test_every_combination_of_roles_over_many_rules_is_decided_as_enforce_decides_it():
    compare(*large(300), combined=2, share=60)


def compare(snapshot, roles, actions, *, combined, share):
    """Every combination of up to so many roles, each with every so-many-th action."""
    compiled = Table.compile(snapshot, actions=actions, roles=roles)
    enforcer = adapter.enforcer(snapshot, ("te_one",))
    differing, count = [], 0
    for size in range(combined + 1):
        for number, held in enumerate(combinations(roles, size)):
            person = "_".join(held) or "nobody"
            for role in held:
                enforcer.add_grouping_policy(person, role, "te_one")
            allowed = compiled.rights(frozenset(held)).allowed
            for action in actions[number % share :: share]:
                count += 1
                if (action in allowed) is not enforcer.enforce(person, "te_one", *action.split(":")):
                    differing.append((held, action))
    assert differing == []
    assert count > len(actions)
    assert compiled.rights(frozenset(roles)).allowed


def test_large_grants_are_valid_and_written_and_read_again():
    snapshot, roles, actions = large(2_000)
    assert content.read(content.written(snapshot), actions=actions, roles=roles) == snapshot
