"""Every revision upgrades, on both databases; what is not at head is refused with advice."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from domain.errors import Unavailable
from vault.store.schema import guards, migrations

ROOT = Path(__file__).parents[2]
BOTH = pytest.mark.parametrize(
    "empty_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


def tables(url):
    """The tables of a database."""
    return set(migrations.within(url, lambda connection: sa.inspect(connection).get_table_names()))


def upgrade(url, to):
    """Upgrades by Alembic's own means."""

    def work(connection):
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)

    migrations.within(url, work)


@BOTH
def test_every_revision_upgrades_from_the_one_before(empty_url):
    scripts = ScriptDirectory.from_config(migrations._config())
    steps = [script.revision for script in reversed(list(scripts.walk_revisions()))]
    assert steps
    assert steps[-1] == migrations.head()
    for step in steps:
        upgrade(empty_url, step)
        assert asyncio.run(migrations.revision(empty_url)) == step
    asyncio.run(migrations.check(empty_url))


def test_the_revisions_are_one_line_without_branches():
    scripts = ScriptDirectory.from_config(migrations._config())
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1


@BOTH
def test_migrating_twice_is_harmless(empty_url):
    assert asyncio.run(migrations.upgrade(empty_url)) == migrations.head()
    before = tables(empty_url)
    assert asyncio.run(migrations.upgrade(empty_url)) == migrations.head()
    assert tables(empty_url) == before


@BOTH
def test_processes_that_migrate_at_once_all_end_well(empty_url):
    code = (
        "import asyncio, sys\nfrom vault.store.schema import migrations\n"
        "print(asyncio.run(migrations.upgrade(sys.argv[1])))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, empty_url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [process.communicate(timeout=120)[0].strip() for process in running] == [migrations.head()] * 3
    assert [process.returncode for process in running] == [0, 0, 0]
    asyncio.run(migrations.check(empty_url))


@BOTH
def test_tasks_of_one_process_that_migrate_at_once_all_end_well(empty_url):
    async def both():
        return await asyncio.gather(migrations.upgrade(empty_url), migrations.upgrade(empty_url))

    assert asyncio.run(both()) == [migrations.head()] * 2


@BOTH
def test_a_migration_that_fails_leaves_nothing_behind(empty_url, monkeypatch):
    def fail(*_):
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(guards, "guard_append_only", fail)
        with pytest.raises(RuntimeError, match="power"):
            asyncio.run(migrations.upgrade(empty_url))
    assert asyncio.run(migrations.revision(empty_url)) is None
    assert tables(empty_url) == set()
    assert asyncio.run(migrations.upgrade(empty_url)) == migrations.head()


@BOTH
def test_a_database_that_was_never_migrated_is_refused(empty_url):
    assert asyncio.run(migrations.revision(empty_url)) is None
    with pytest.raises(Unavailable) as refused:
        asyncio.run(migrations.check(empty_url))
    assert "credence migrate" in refused.value.advice


def test_asking_makes_no_file(tmp_path):
    with pytest.raises(Unavailable):
        asyncio.run(migrations.check(f"sqlite:///{tmp_path / 'none.db'}"))
    assert list(tmp_path.iterdir()) == []


def test_a_migrated_database_passes(database):
    assert asyncio.run(migrations.revision(database.url)) == migrations.head()
    asyncio.run(migrations.check(database.url))


def test_a_database_of_an_older_head_is_told_to_migrate(database, monkeypatch):
    monkeypatch.setattr(migrations, "head", lambda: "0999")
    with pytest.raises(Unavailable) as refused:
        asyncio.run(migrations.check(database.url))
    assert refused.value.advice == "Run `credence migrate`."
    assert "0999" in refused.value.message


def test_a_database_of_an_unknown_head_is_neither_served_nor_migrated(database):
    database.execute("UPDATE alembic_version SET version_num = 'f00d'")
    for refusing in (migrations.check, migrations.upgrade):
        with pytest.raises(Unavailable) as refused:
            asyncio.run(refusing(database.url))
        assert "f00d" in refused.value.message
        assert "credence migrate" not in refused.value.advice


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "letter.db"
    path.write_text("Dear Sir or Madam, " * 400)
    for refusing in (migrations.check, migrations.upgrade):
        with pytest.raises(Unavailable) as refused:
            asyncio.run(refusing(f"sqlite:///{path}"))
        assert str(tmp_path) not in refused.value.message
    assert path.read_text().startswith("Dear")


@pytest.mark.postgres
def test_a_server_that_does_not_answer_is_refused_without_its_password():
    with pytest.raises(Unavailable) as refused:
        asyncio.run(migrations.check("postgresql://anna:s3cret@127.0.0.1:1/credence"))
    assert "s3cret" not in f"{refused.value.message} {refused.value.advice} {refused.value!r}"


@BOTH
def test_the_alembic_command_works_on_the_database_that_the_environment_names(empty_url):
    def alembic(*arguments, **environment):
        told = subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return told.returncode, told.stdout + told.stderr

    named = {"CREDENCE_DATABASE_URL": empty_url}
    assert alembic("upgrade", "head", **named)[0] == 0
    code, told = alembic("check", **named)
    assert code == 0, told
    code, told = alembic("downgrade", "base", **named)
    assert code != 0
    assert "restore a backup" in told
    assert asyncio.run(migrations.revision(empty_url)) == migrations.head()
    code, told = alembic("current", CREDENCE_DATABASE_URL="")
    assert code != 0
    assert "CREDENCE_DATABASE_URL" in told
