"""What an operator sees of the keys, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from api.app import open_house
from api.settings import load
from domain.actors import Actor
from domain.custody.erasing import ApproveErasure
from domain.files.opening import BasicInformation, OpenCreditFile
from domain.files.parties import PartyKind
from domain.files.sources import LawfulBasis, Origin, RegisterSource, SourceType
from domain.ids import Id
from tests.journeys.commands import found, run


@pytest.fixture
def settings(database, tmp_path):
    return {
        "CREDENCE_DATA_DIR": str(tmp_path / "data"),
        "CREDENCE_DATABASE_URL": database.url,
        "CREDENCE_KEYS": f"file:{tmp_path / 'data' / 'keys.json'}",
    }


def test_the_provider_its_roots_and_the_epochs_of_each_company_are_shown(settings, tmp_path):
    found("migrate", **settings)
    tenant = found("tenant", "open", "Yunfan", **settings)["tenant"]
    shown = found("keys", "status", **settings)
    assert shown["provider"] == f"key file {tmp_path / 'data' / 'keys.json'}"
    assert (shown["reachable"], shown["failure"]) == (True, None)
    assert shown["roots"] == [{"version": 1, "state": "standing"}]
    (epoch,) = shown["companies"][tenant]
    assert (epoch["epoch"], epoch["keys"]) == (1, 6)
    assert epoch["data_keys"] >= 0


def test_a_provider_that_is_out_is_told_and_the_companies_are_shown_all_the_same(settings, tmp_path):
    found("migrate", **settings)
    (tmp_path / "data" / "keys.json").unlink()
    shown = found("keys", "status", expected=1, **settings)
    assert (shown["reachable"], shown["roots"]) == (False, [])
    assert "No such file" in shown["failure"]["message"]
    assert shown["failure"]["advice"]
    assert list(shown["companies"]) != []
    assert "out." in run("keys", "status", expected=1, **settings)


def test_before_anything_was_made_that_is_told(tmp_path):
    shown = found("keys", "status", expected=1, CREDENCE_DATA_DIR=str(tmp_path / "none"))
    assert shown["companies"] == {}
    assert not (tmp_path / "none").exists()


def test_keys_turn_and_an_epoch_nobody_needs_is_destroyed(settings):
    settings |= {"CREDENCE_BACKUP_DAYS": "0"}
    found("migrate", **settings)
    tenant = found("tenant", "open", "Yunfan", **settings)["tenant"]
    turned = found("keys", "rotate", **settings)
    assert (turned["epoch"], turned["retired"]) == (2, [1])
    assert turned["verified"] == turned["moved"]
    assert "Epochs left: none." in run("keys", "rewrap", **settings)
    shown = found("keys", "status", **settings)
    assert {epoch["epoch"] for epoch in shown["companies"][tenant]} == {2}
    assert found("keys", "destroy", "1", **settings) == {"destroyed": 1}
    roots = {root["version"]: root["state"] for root in found("keys", "status", **settings)["roots"]}
    assert roots == {1: "destroyed", 2: "standing"}
    found("keys", "destroy", "2", expected=2, **settings)
    found("keys", "destroy", "9", expected=2, **settings)
    assert found("fsck", **settings)["ok"]


def test_a_root_that_backups_need_is_not_destroyed(settings):
    found("migrate", **settings)
    found("keys", "rotate", **settings)
    assert "Backups need this epoch" in found("keys", "destroy", "1", expected=2, **settings)["error"]["message"]


def test_an_erasure_is_proposed_finished_and_its_certificate_verified_by_command(settings, tmp_path):
    found("migrate", **settings)
    tenant = Id(found("tenant", "open", "Yunfan", **settings)["tenant"])
    file = asyncio.run(_filled(settings, tenant))
    assert found("keys", "shred", **settings) == {"erased": []}
    proposed = found("keys", "shred", file, "--class", "contact", "--reason", "request", **settings)
    assert proposed["state"] == "PROPOSED"
    asyncio.run(_approved(settings, tenant, proposed["erasure"]))
    (done,) = found("keys", "shred", **settings)["erased"]
    assert (done["erasure"], done["values"]) == (proposed["erasure"], 1)
    (tmp_path / "certificate.jws").write_text(done["certificate"], encoding="ascii")
    key = found("audit", "export", str(tmp_path / "log"), **settings)["key"]
    said = found("audit", "certificate", str(tmp_path / "certificate.jws"), "--key", key)["certificate"]
    assert (said["creditFile"], said["dataClass"]) == (file, "contact")
    assert "The signature holds." in run("audit", "certificate", str(tmp_path / "certificate.jws"), "--key", key)
    (tmp_path / "certificate.jws").write_text(done["certificate"][:-2], encoding="ascii")
    found("audit", "certificate", str(tmp_path / "certificate.jws"), "--key", key, expected=2)
    assert found("audit", "verify", str(tmp_path / "log"), "--key", key)["ok"]
    assert found("fsck", **settings)["ok"]
    assert found("retention", "sweep", "--dry-run", **settings) == {"dryRun": True, "due": {tenant: []}}
    assert "Nothing is past its time." in run("retention", "sweep", **settings)


async def _filled(settings, tenant):
    async with open_house(load(settings)) as house:
        act = Actor(tenant=tenant, person="wang", roles=frozenset({"credit_analyst", "privacy_officer"}))
        register = RegisterSource(
            type=SourceType.SELF_PROVIDED, name="the customer", lawful_bases=(LawfulBasis.CONTRACT,)
        )
        source = (await house.gate.perform(register, act)).value
        opening = OpenCreditFile(
            reference="C-1",
            name="Yunfan",
            kind=PartyKind.ENTERPRISE,
            origin=Origin(source=source.id, lawful_basis=LawfulBasis.CONTRACT),
            basic=BasicInformation(phone="+8613800138000"),
        )
        return (await house.gate.perform(opening, act)).value.id


async def _approved(settings, tenant, erasure):
    async with open_house(load(settings)) as house:
        officer = Actor(tenant=tenant, person="li", roles=frozenset({"privacy_officer"}))
        await house.gate.perform(ApproveErasure(erasure=Id(erasure)), officer)
