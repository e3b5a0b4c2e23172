import itertools
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata

import pytest

from authz import adapter
from authz.table import Table
from domain.errors import Malformed
from domain.grants import content
from domain.grants.content import GrantLink as Link
from domain.grants.content import GrantRule as Rule
from domain.grants.content import Snapshot
from domain.grants.effects import Effect

ROLES = ("user", "viewer", "admin")
ACTIONS = ("file:read", "file:write")
GOOD = "p, viewer, file, read, allow, vi-01, reads\ng, user, viewer\n"


def rule(role="viewer", verb="read", effect="allow", number=1):
    return Rule(role=role, object="file", verb=verb, effect=effect, id=f"xx-{number:02d}", why="a reason")


def read(text):
    return content.read(text, actions=ACTIONS, roles=ROLES)


def test_comments_and_blank_lines_are_skipped():
    assert read("# a comment, with commas\n\n  # another\n" + GOOD) == read(GOOD)


def test_the_version_follows_from_the_content_alone():
    assert read(GOOD).version == read("#\n" + GOOD.replace(", ", ",")).version
    assert read(GOOD).version != read(GOOD.replace("reads", "looks")).version
    assert read(GOOD).version != read(GOOD.replace("g, user", "g, admin")).version
    assert len(read(GOOD).version) == 64


@pytest.mark.parametrize("text", ["", "\n# nothing but a comment\n", "g, user, viewer\n"])
def test_an_empty_snapshot_is_refused(text):
    with pytest.raises(Malformed, match="empty"):
        read(text)


def test_without_rules_casbin_itself_would_allow_everything():
    enforcer = adapter.enforcer(Snapshot(rules=(), links=()), ("tenant",))
    assert enforcer.enforce("", "", "", "")
    with pytest.raises(Malformed):
        Table.compile(Snapshot(rules=(), links=()), actions=ACTIONS, roles=ROLES)


@pytest.mark.parametrize("domains", [(), ("",), ("tenant", "")])
def test_an_enforcer_needs_named_domains(domains):
    with pytest.raises(Malformed):
        adapter.enforcer(read(GOOD), domains)


@pytest.mark.parametrize(
    "line",
    [
        "p, viewer, file, read, allow, vi-01",
        "p, viewer, file, read, allow, vi-01, a reason, and more",
        "p, viewer, file, read, maybe, vi-01, reads",
        "p, viewer, file, read, , vi-01, reads",
        "p, viewer, file, read, allow, vi-01, ",
        "p, viewer, file, read, allow, , reads",
        "p, viewer, file, read, allow, VI-1, reads",
        "p, , file, read, allow, vi-01, reads",
        "p, nobody, file, read, allow, vi-01, reads",
        "p, viewer, , read, allow, vi-01, reads",
        "p, viewer, file, , allow, vi-01, reads",
        "p, viewer, file, erase, allow, vi-01, reads",
        "p, viewer, File, read, allow, vi-01, reads",
        "p, viewer, file, re ad, allow, vi-01, reads",
        "p2, viewer, file, read, allow, vi-01, reads",
        "viewer, file, read",
        "g, user",
        "g, user, nobody",
        "g, , viewer",
        "g, user, viewer, tenant",
    ],
)
def test_a_line_that_is_not_well_formed_refuses_the_whole_file(line):
    with pytest.raises(Malformed):
        read("p, admin, file, write, allow, ad-01, writes\n" + line)


@pytest.mark.parametrize(
    "line",
    [
        "p, viewer, file, read, allow, vi-02, reads",
        "p, viewer, file, read, deny, vi-02, contradicts itself",
        "p, admin, file, read, allow, vi-01, the id is taken",
        "g, user, viewer",
    ],
)
def test_a_duplicate_is_refused(line):
    with pytest.raises(Malformed, match="twice"):
        read(GOOD + line)


def test_a_value_with_a_comma_never_becomes_other_columns():
    with pytest.raises(Malformed):
        read(GOOD + 'g, "user, admin", viewer\n')
    snapshot = Snapshot(rules=(rule(),), links=(Link(role="user, admin", inherits="viewer"),))
    with pytest.raises(Malformed):
        content.check(snapshot, actions=ACTIONS, roles=(*ROLES, "user, admin"))


def test_columns_enter_casbin_as_they_are_and_are_never_parsed_again():
    # Not reachable through `check`: this is what the published adapters turn into g(user, admin, viewer).
    snapshot = Snapshot(rules=(rule("admin"),), links=(Link(role="user, admin", inherits="viewer"),))
    enforcer = adapter.enforcer(snapshot, ("tenant",))
    assert enforcer.get_grouping_policy() == [["user, admin", "viewer", "tenant"]]
    assert not enforcer.get_role_manager().has_link("user", "admin", "tenant")


def chain(links):
    names = [f"role_{chr(97 + index)}" for index in range(links + 1)]
    linked = tuple(Link(role=low, inherits=high) for low, high in itertools.pairwise(names))
    return names, Snapshot(rules=(rule(names[-1], effect="deny"), rule(names[0], number=2)), links=linked)


def test_the_longest_path_that_casbin_follows_is_followed():
    names, snapshot = chain(content.LONGEST_PATH)
    table = Table.compile(snapshot, actions=ACTIONS, roles=names)
    enforcer = adapter.enforcer(snapshot, ("tenant",))
    assert table.cell(names[0], "file:read").effect is Effect.DENY
    assert not enforcer.enforce(names[0], "tenant", "file", "read")


def test_a_path_beyond_it_is_refused_since_casbin_would_forget_the_deny():
    names, snapshot = chain(content.LONGEST_PATH + 1)
    assert adapter.enforcer(snapshot, ("tenant",)).enforce(names[0], "tenant", "file", "read")
    with pytest.raises(Malformed, match="more than 9 links"):
        Table.compile(snapshot, actions=ACTIONS, roles=names)


@pytest.mark.parametrize("links", [["user", "user"], ["user", "viewer", "user"], ["user", "viewer", "admin", "user"]])
def test_a_circle_of_roles_is_refused(links):
    linked = tuple(Link(role=low, inherits=high) for low, high in itertools.pairwise(links))
    with pytest.raises(Malformed, match="circle"):
        content.check(Snapshot(rules=(rule(),), links=linked), actions=ACTIONS, roles=ROLES)


def test_rules_of_one_tenant_say_nothing_in_another():
    snapshot = read(GOOD)
    enforcer = adapter.enforcer(snapshot, ("te_one", "te_two"))
    for tenant in ("te_one", "te_two"):
        assert enforcer.enforce("user", tenant, "file", "read")
        assert not enforcer.enforce("user", tenant, "file", "write")
    assert not enforcer.enforce("user", "te_three", "file", "read")
    assert not enforcer.enforce("viewer", "te_three", "file", "read")


def test_taking_two_rules_away_leaves_the_other_two_of_their_cross_product():
    # Removing [viewer read] and [user write] deletes all four rows in the published adapters; here there is no
    # removal, only another snapshot.
    four = tuple(
        rule(role, verb, number=number)
        for number, (role, verb) in enumerate((role, verb) for role in ("viewer", "user") for verb in ("read", "write"))
    )
    left = Snapshot(rules=four[1:3], links=())
    table = Table.compile(left, actions=ACTIONS, roles=ROLES)
    allowed = {(role, action) for role in ROLES for action in ACTIONS if table.cell(role, action).rule}
    assert allowed == {("viewer", "file:write"), ("user", "file:read")}
    assert not any(hasattr(adapter.SnapshotAdapter, name) for name in ("remove_policies", "add_policies"))


def test_a_denied_request_leaves_no_trace_in_the_log(caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        enforcer = adapter.enforcer(read(GOOD), ("tenant",))
        for name in ("casbin.enforcer", "casbin.policy", "casbin.role"):
            logging.getLogger(name).disabled = False  # as a later logging configuration may do
        assert not enforcer.enforce("canary_subject", "tenant", "file", "write")
    assert "canary" not in caplog.text
    assert "canary" not in "".join(capfd.readouterr())


def test_the_other_distribution_of_the_same_module_is_not_installed():
    assert metadata.version("pycasbin")
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.version("casbin")


def test_the_cheap_comparisons_come_before_the_role_graph():
    (matcher,) = (line for line in adapter.MODEL.read_text(encoding="utf-8").splitlines() if line.startswith("m = "))
    assert matcher == "m = r.dom == p.dom && r.obj == p.obj && r.act == p.act && g(r.sub, p.sub, r.dom)"


def test_threads_that_decide_at_once_get_what_one_alone_gets():
    # The library's own fast enforcer keeps its filter in shared state and denies wrongly here.
    table = Table.compile(read(GOOD), actions=ACTIONS, roles=ROLES)
    wanted = {role: "file:read" in table.rights(frozenset({role})).allowed for role in ROLES}
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            fresh = Table.compile(read(GOOD), actions=ACTIONS, roles=ROLES)
            asked = [*ROLES] * 400
            told = list(pool.map(lambda role: fresh.rights(frozenset({role})).permits("file:read"), asked))
    finally:
        sys.setswitchinterval(before)
    assert told == [wanted[role] for role in asked]


def test_the_enforcer_holds_every_rule_and_link_of_a_snapshot_once_and_no_other():
    snapshot = read(GOOD + "p, admin, file, write, deny, ad-01, no")
    enforcer = adapter.enforcer(snapshot, ("te_one", "te_two"))
    assert len(enforcer.get_policy()) == 2 * len(snapshot.rules)
    assert enforcer.get_policy()[0] == ["viewer", "te_one", "file", "read", "allow"]
    assert enforcer.get_grouping_policy() == [["user", "viewer", "te_one"], ["user", "viewer", "te_two"]]


def test_the_model_evaluates_no_rule_text():
    assert "eval" not in adapter.MODEL.read_text(encoding="utf-8")
