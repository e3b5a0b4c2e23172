"""What an operator sees of the keys, on both databases."""

from __future__ import annotations

import pytest

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
