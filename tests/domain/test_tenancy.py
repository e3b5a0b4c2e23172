import json
from datetime import UTC, datetime

import pytest

from domain import canonical
from domain.assessment.assessments import CreditPolicy, PolicyState
from domain.assessment.policies import document_of, in_force
from domain.assessment.version_one import VERSION_ONE
from domain.errors import Conflict, Malformed, NotInForce, NotPermitted, Tampered
from domain.files.days import days
from domain.files.parties import Tenant
from domain.tenancy import OpenTenant
from tests.world import NOW, OTHER_TENANT, TENANT, World

COMPANY = OpenTenant(name=" Cloud Ltd ", time_zone="Asia/Shanghai")


@pytest.fixture
def world():
    return World()


def test_a_company_is_its_own_subject_and_bears_the_id_of_its_token(world):
    tenant = world.do(COMPANY)
    assert (tenant.id, tenant.subject_id, tenant.stamp.tenant) == (TENANT, TENANT, TENANT)
    assert (tenant.name, tenant.time_zone) == ("Cloud Ltd", "Asia/Shanghai")
    assert world.current(Tenant) == [tenant]


def test_version_one_of_the_credit_policy_is_in_force_from_that_instant(world):
    world.do(COMPANY)
    record, document = in_force(world.unit(), NOW)
    assert (record.number, record.state, record.in_force_from) == (1, PolicyState.IN_FORCE, NOW)
    assert document == VERSION_ONE
    assert record.document == canonical.encode(json.loads(record.document)).decode()
    assert record.content_digest == VERSION_ONE.digest
    assert world.entries[-1].policy == VERSION_ONE.digest


def test_before_a_policy_is_in_force_there_is_none(world):
    with pytest.raises(NotInForce):
        in_force(world.unit(), NOW)
    world.do(COMPANY)
    with pytest.raises(NotInForce):
        in_force(world.unit(), datetime(2020, 1, 1, tzinfo=UTC))


def test_a_company_is_opened_once(world):
    world.do(COMPANY)
    with pytest.raises(Conflict):
        world.do(COMPANY)
    assert len(world.current(CreditPolicy)) == 1
    world.do(COMPANY, world.actor(tenant=OTHER_TENANT))
    assert world.current(Tenant, OTHER_TENANT)[0].id == OTHER_TENANT


def test_only_who_administers_tenants_opens_one(world):
    world.grants.denied.add("tenant:administer")
    with pytest.raises(NotPermitted):
        world.do(COMPANY)
    assert world.current(Tenant) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "  "},
        {"name": "x" * 201},
        {"name": "a\nb"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc/passwd"},
        {"time_zone": ""},
    ],
)
def test_a_company_needs_a_name_and_a_known_time_zone(world, wrong):
    with pytest.raises(Malformed):
        world.do(OpenTenant(**{"name": "Cloud Ltd"} | wrong))


def test_the_day_is_the_companys_own(world):
    world.clock.at = datetime(2026, 1, 1, 17, tzinfo=UTC)
    assert days(world.unit()).today.isoformat() == "2026-01-01"
    world.do(COMPANY)
    assert days(world.unit()).today.isoformat() == "2026-01-02"


def test_a_document_that_is_not_the_one_its_digest_names_is_tampered(world):
    world.do(COMPANY)
    record = world.current(CreditPolicy)[0]
    with pytest.raises(Tampered):
        document_of(CreditPolicy(**{**_facts(record), "document": record.document.replace("CNY", "USD")}))


def _facts(record):
    return {name: getattr(record, name) for name in ("stamp", *record.shape.facts)}


def test_a_document_is_read_once(world):
    world.do(COMPANY)
    record = world.current(CreditPolicy)[0]
    assert document_of(record) is document_of(record)
