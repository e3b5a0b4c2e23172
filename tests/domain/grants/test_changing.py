"""Grants change by a version that one person proposes and another approves, and every process notices."""

import pytest

from authz.holding import LEASE
from domain.errors import CreditError
from domain.grants.effects import Effect
from tests.domain.grants.desk import PRODUCT, Process, staff, without
from tests.stored import StoredWorld

SALES_OBJECT = "p, sales, objection, read, allow, sa-40, Ch.3 §3 hears what customers object to"


@pytest.fixture
def world(database, loop, tmp_path):
    with StoredWorld(database, loop, tmp_path) as world:
        world.open_tenant()
        yield world


@pytest.fixture
def desk(world):
    return Process(world)


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


def test_other_companies_keep_theirs(desk, world):
    from tests.world import OTHER_TENANT

    world.open_tenant(OTHER_TENANT, "Haiyun")
    desk.approve(desk.propose(without(more=SALES_OBJECT)))
    desk.moment += LEASE
    assert desk.rights(staff("li", "sales")).permits("objection:read")
    assert desk.rights(staff("li", "sales", tenant=OTHER_TENANT)).version == PRODUCT.version
