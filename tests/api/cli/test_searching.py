"""An operator gives indexes their next version, on both databases."""

from __future__ import annotations

import pytest

from tests.journeys.commands import found, run


@pytest.fixture
def settings(database, tmp_path):
    return {"CREDENCE_DATA_DIR": str(tmp_path / "data"), "CREDENCE_DATABASE_URL": database.url}


def test_indexes_get_their_next_version_by_a_command_and_the_log_tells_of_it(settings):
    found("migrate", **settings)
    tenant = found("tenant", "open", "Yunfan", **settings)["tenant"]
    (one,) = found("keys", "reindex", "contact.phone", **settings)["indexes"]
    assert one == {"company": tenant, "field": "contact.phone", "version": 2, "looked_at": 0, "dropped": 0}
    every = found("keys", "reindex", "--tenant", tenant, **settings)["indexes"]
    assert {(one["field"], one["version"]) for one in every} == {
        ("contact.email", 2),
        ("contact.person_email", 2),
        ("contact.person_phone", 2),
        ("contact.phone", 3),
        ("financial.bank_account", 2),
        ("identity.uscc", 2),
    }
    assert "contact.phone: version 4, 0 values, 0 old tokens." in run("keys", "reindex", "contact.phone", **settings)
    assert found("fsck", **settings)["ok"] is True


def test_what_has_no_index_is_refused_with_what_has_one(settings):
    found("migrate", **settings)
    found("tenant", "open", "Yunfan", **settings)
    error = found("keys", "reindex", "rating.band", expected=2, **settings)["error"]
    assert (error["code"], error["path"]) == ("MALFORMED", ["field"])
    assert "contact.phone" in error["advice"]
