"""Grants change by a version that one person proposes and another approves, and every process notices."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from api.granting import weighed
from authz.holding import LEASE
from domain.errors import Code, CreditError, Overloaded
from domain.grants.changing import ActivateGrants, ApproveGrants, ProposeGrants, RejectGrants, WithdrawGrants
from domain.grants.effects import Effect
from domain.grants.explaining import ExplainGrants
from domain.grants.snapshots import GrantsSnapshot
from tests.domain.grants.desk import FEW, PRODUCT, RULES, House, Process, staff, without
from tests.stored import StoredWorld
from tests.world import OTHER_TENANT, TENANT

SALES_OBJECT = "p, sales, objection, read, allow, sa-40, Ch.3 §3 hears what customers object to"


@pytest.fixture
def world(database, loop, tmp_path):
    with StoredWorld(database, loop, tmp_path) as world:
        world.open_tenant()
        yield world


@pytest.fixture
def desk(world):
    return Process(world)


@pytest.fixture
def light(sqlite, loop, tmp_path):
    """A company over SQLite: what is refused before anything is stored needs no other database."""
    with StoredWorld(sqlite, loop, tmp_path) as world:
        world.open_tenant()
        yield Process(world)


def unguarded(database):
    """Whoever owns the database takes away what keeps rows as they are."""
    if database.dialect == "postgresql":
        database.execute("ALTER TABLE grants_snapshot DISABLE TRIGGER ALL")
        return
    names = database.fetch("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'grants_snapshot'")
    for (name,) in names:
        database.execute(f"DROP TRIGGER {name}")


def refused(do, *arguments, **options):
    """The error that something ends with."""
    with pytest.raises(CreditError) as raised:
        do(*arguments, **options)
    return raised.value


def test_a_company_holds_the_grants_of_the_product_until_it_has_its_own(desk):
    assert desk.rights(staff("li", "sales")).version == PRODUCT.version
    draft = desk.propose(without(more=SALES_OBJECT))
    assert [(c.role, c.action, c.before, c.after, c.rule) for c in draft.changes] == [
        ("sales", "objection:read", Effect.NONE, Effect.ALLOW, "sa-40")
    ]
    assert not desk.rights(staff("li", "sales")).permits("objection:read")
    approved = desk.approve(draft)
    assert approved.content_digest == draft.content_digest
    desk.moment += LEASE
    rights = desk.rights(staff("li", "sales"))
    assert rights.permits("objection:read")
    assert rights.version == approved.content_digest != PRODUCT.version
    assert desk.states() == ["ACTIVE"]


def test_entries_name_the_version_that_decided_and_its_rule(desk, world):
    admin, asked = staff("chen", "platform_admin"), ExplainGrants(action="key:read", roles=("sales",))
    explanation = PRODUCT.explain({"sales"}, "key:read")
    desk.do(replace(asked, explanation=explanation), admin)
    before = world.leaves()[-1]
    approved = desk.approve(
        desk.propose(without("ad-80", more="p, platform_admin, grants, read, allow, ad-90, Ch.8 b"))
    )
    desk.moment += LEASE
    desk.do(replace(asked, explanation=explanation), admin)
    named = {before: (PRODUCT.version, b"ad-80"), world.leaves()[-1]: (approved.content_digest, b"ad-90")}
    for leaf, (version, rule) in named.items():
        assert version.encode() in leaf
        assert rule in leaf


def test_other_companies_keep_theirs(desk, world):
    world.open_tenant(OTHER_TENANT, "Haiyun")
    desk.approve(desk.propose(without(more=SALES_OBJECT)))
    desk.moment += LEASE
    assert desk.rights(staff("li", "sales")).permits("objection:read")
    assert desk.rights(staff("li", "sales", tenant=OTHER_TENANT)).version == PRODUCT.version


def test_another_process_goes_by_new_grants_no_later_than_its_lease_and_a_request_keeps_those_it_began_with(
    desk, world
):
    other, li = Process(world), staff("li", "sales")
    begun = other.rights(li)
    desk.approve(desk.propose(without(more=SALES_OBJECT)))
    other.moment += LEASE * 0.99
    assert other.rights(li) is begun
    other.moment += LEASE * 0.01
    assert other.rights(li).permits("objection:read")
    assert not begun.permits("objection:read")


def test_a_version_is_in_force_from_its_time_on_whether_or_not_a_job_moved_it_on(desk, world):
    at = world.clock.now() + timedelta(days=2)
    approved = desk.approve(desk.propose(without(more=SALES_OBJECT), effective_at=at))
    assert (approved.state.value, approved.effective_at) == ("APPROVED", at)
    for days, permitted in ((1, False), (1, True)):
        world.clock.move(days=days)
        desk.moment += LEASE
        assert desk.rights(staff("li", "sales")).permits("objection:read") is permitted
    job = staff("system:grants", "system")
    assert [desk.do(ActivateGrants(), job) for _ in range(2)] == [1, 0]
    assert desk.states() == ["ACTIVE"]
    assert desk.rights(staff("li", "sales")).permits("objection:read")


def test_the_version_before_is_superseded_and_one_may_go_back_to_it(desk):
    first = desk.approve(desk.propose(without(more=SALES_OBJECT)))
    desk.world.clock.move(seconds=1)
    desk.approve(desk.propose(without("sa-30")))
    desk.world.clock.move(seconds=1)
    desk.approve(desk.propose(without(more=SALES_OBJECT)))
    desk.moment += LEASE
    assert desk.states() == ["SUPERSEDED", "SUPERSEDED", "ACTIVE"]
    assert desk.rights(staff("li", "sales")).version == first.content_digest


def test_who_proposed_grants_does_not_decide_on_them_whatever_roles_he_has(desk):
    draft = desk.propose(without(more=SALES_OBJECT), person="zhou")
    assert refused(desk.approve, draft, person="zhou").code is Code.SEPARATION_OF_DUTY
    rejecting = RejectGrants(snapshot=draft.id)
    assert refused(desk.do, rejecting, staff("zhou", "management")).code is Code.SEPARATION_OF_DUTY
    assert desk.do(rejecting, staff("sun", "management")).state.value == "REJECTED"
    assert refused(desk.approve, draft, person="sun").code is Code.INVALID_TRANSITION


def test_who_may_not_propose_compiles_nothing_and_the_refusal_is_recorded(desk, world):
    asked = ProposeGrants(rules=RULES, tests=FEW, reason="mine")
    assert refused(desk.do, asked, staff("li", "sales")).code is Code.NOT_PERMITTED
    assert desk.states() == []
    assert world.leaves()


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        (without(more="p, sales, credit_file"), "line"),
        (without(more="p, nobody, credit_file, read, allow, zz-01, Ch.8 none"), "'nobody' is not a role: rule 'zz-01'"),
        (without(more="p, sales, credit_file, eat, allow, zz-01, Ch.8 none"), "'credit_file:eat': rule 'zz-01'"),
        (without("ad-81"), "nobody may do grants:propose"),
        (without("mg-81", "po-231"), "nobody may do grants:approve"),
        (without("au-18"), "no rule forbids auditor the action credit_file:open"),
        (without("au-18", more="p, auditor, credit_file, open, allow, au-900, Ch.8 none"), "rule au-900 gives auditor"),
        (without("sy-26", more="p, system, assessment, approve, allow, sy-900, Ch.8 none"), "rule sy-900 gives system"),
        (without(more="g, system, credit_manager"), "gives system the action"),
        (
            without(more="p, partner_client, credit_file, read, allow, pc-900, Ch.8 none"),
            "rule pc-900 gives partner_client",
        ),
    ],
)
def test_what_no_version_may_say_is_refused_with_its_place(light, rules, place):
    error = refused(light.propose, rules)
    assert place in error.message, error.message
    assert error.path == ("rules",)
    assert light.states() == []


@pytest.mark.parametrize(
    "tests",
    [
        "",
        "- name: Sales opens files\n  roles: [sales]\n  may: {credit_file: [open]}\n",
        "- name: Sales reads no file\n  roles: [sales]\n  may_not: {credit_file: [read]}\n",
        "- name: A role that is none\n  roles: [seller]\n  may_not: {credit_file: [read]}\n",
        "- name: An action that is none\n  roles: [sales]\n  may_not: {credit_file: [eat]}\n",
    ],
)
def test_a_version_whose_tests_do_not_hold_is_shown_and_never_approved(light, tests):
    draft = light.propose(without(more=SALES_OBJECT), tests or "[]")
    assert draft.failures or not tests
    assert "do not hold" in refused(light.approve, draft).message
    assert light.states() == ["DRAFT"]


@pytest.mark.parametrize("tests", ["{", "a: b", "- name: x", "- &a {name: x, roles: [sales]}\n- *a", "[[[["])
def test_tests_that_cannot_be_read_are_refused_with_their_place(light, tests):
    error = refused(light.propose, without(more=SALES_OBJECT), tests)
    assert error.path == ("tests",)


def test_who_approves_names_the_changes_and_others_than_those_are_not_approved(desk):
    draft = desk.propose(without(more=SALES_OBJECT))
    asked = ApproveGrants(snapshot=draft.id, changes_digest="0" * 64)
    assert refused(desk.do, asked, staff("zhou", "management")).path == ("changes_digest",)


def test_what_was_compared_with_other_grants_is_proposed_again(desk):
    late = desk.propose(without(more=SALES_OBJECT))
    desk.approve(desk.propose(without("sa-30")))
    desk.world.clock.move(seconds=1)
    assert "compared with other grants" in refused(desk.approve, late).message


def test_an_approved_version_is_taken_back_before_its_time_and_not_from_under_another(desk, world):
    at = world.clock.now()
    admin = staff("chen", "platform_admin")
    first = desk.approve(desk.propose(without(more=SALES_OBJECT), effective_at=at + timedelta(days=1)))
    second = desk.approve(desk.propose(without("sa-30"), effective_at=at + timedelta(days=2)))
    assert (first.base, second.base) == (PRODUCT.version, first.content_digest)
    early = desk.propose(RULES.replace("Ch.2 knows", "Ch.2 still knows"), effective_at=at + timedelta(hours=1))
    assert "later than this one" in refused(desk.approve, early).message
    assert "builds on it" in refused(desk.do, WithdrawGrants(snapshot=first.id), admin).message
    for one in (early, second, first):
        assert desk.do(WithdrawGrants(snapshot=one.id), admin).state.value == "WITHDRAWN"
    world.clock.move(days=3)
    desk.moment += LEASE
    assert desk.rights(staff("li", "sales")).version == PRODUCT.version
    assert refused(desk.do, WithdrawGrants(snapshot=first.id), admin).code is Code.INVALID_TRANSITION


def test_what_is_in_force_is_not_withdrawn(desk):
    active = desk.approve(desk.propose(without(more=SALES_OBJECT)))
    withdrawing = WithdrawGrants(snapshot=active.id)
    assert refused(desk.do, withdrawing, staff("chen", "platform_admin")).code is Code.INVALID_TRANSITION


def test_grants_that_are_in_force_already_are_not_proposed(desk):
    assert refused(desk.propose, RULES).path == ("rules",)
    assert refused(
        desk.propose, without(more=SALES_OBJECT), effective_at=desk.world.clock.now() - timedelta(1)
    ).path == ("effective_at",)


def test_grants_that_somebody_changed_in_the_database_decide_nothing(desk, world):
    active = desk.approve(desk.propose(without(more=SALES_OBJECT)))
    unguarded(world.database)
    changed = "UPDATE grants_snapshot SET rules = replace(rules, 'sa-40', 'sa-41') WHERE superseded_at IS NULL"
    world.database.execute(changed)
    assert active.content_digest in {one.content_digest for one in world.current(GrantsSnapshot)}
    fresh = Process(world)
    assert refused(fresh.rights, staff("li", "sales")).code is Code.TAMPERED


def test_while_nobody_knows_which_grants_are_in_force_nobody_is_decided_on(desk, monkeypatch):
    li = staff("li", "sales")
    assert desk.rights(li).permits("credit_file:read")

    async def out(_tenant):
        raise Overloaded("The database is out.")

    monkeypatch.setattr(desk.grants._kept, "standing", out)
    assert desk.rights(li).permits("credit_file:read")
    desk.moment += LEASE
    assert refused(desk.rights, li).code is Code.OVERLOADED


def test_many_that_ask_at_once_look_up_once(desk, monkeypatch):
    asked, looks = desk.grants._kept.standing, []

    async def counted(tenant):
        looks.append(tenant)
        await asyncio.sleep(0)
        return await asked(tenant)

    monkeypatch.setattr(desk.grants._kept, "standing", counted)

    async def together():
        await asyncio.gather(*(desk.grants.notice(TENANT) for _ in range(50)))

    desk.moment += LEASE
    desk.world.loop(together())
    assert looks == [TENANT]


def test_of_two_versions_that_are_approved_at_once_one_comes_in_and_the_other_is_proposed_again(desk):
    drafts = [desk.propose(without(more=SALES_OBJECT)), desk.propose(without("sa-30"))]

    async def together():
        await desk.grants.notice(TENANT)
        ready = []
        for draft, person in zip(drafts, ("zhou", "sun"), strict=True):
            asked = ApproveGrants(snapshot=draft.id, changes_digest=draft.changes_digest)
            actor = staff(person, "management")
            ready.append((await weighed(House(desk.grants), actor, asked), actor))
        works = [desk.gate.perform(asked, actor) for asked, actor in ready]
        return await asyncio.gather(*works, return_exceptions=True)

    ended = desk.world.loop(together())
    assert sorted(type(one).__name__ for one in ended) == ["Conflict", "Performed"]
    assert sorted(desk.states()) == ["ACTIVE", "DRAFT"]
