"""Both databases, migrated: every test that asks for `database` runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import contextmanager

import pytest
import structlog

from tests import databases
from vault.store.schema import migrations

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


MANY_PROCESSES = ("tests/api/cli/", *(f"tests/journeys/test_{name}.py" for name in (
    "commands", "retention", "consents_moved", "consent_receipts", "recalls", "partners", "sealed", "objection",
    "objection_clocks", "statutory", "customer", "proofs", "trusted", "persons", "grants",
)))  # fmt: skip
"""Journeys that start one program after the other: on every run over PostgreSQL, over SQLite by name (`-m whole`)."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What runs over both databases, and long, is marked on one of them."""
    known = {item.nodeid for item in items}
    for item in items:
        twin = item.nodeid.replace("sqlite", "postgresql")
        if item.nodeid.startswith(MANY_PROCESSES) and twin != item.nodeid and twin in known:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.whole)


@pytest.fixture(autouse=True)
def _log_as_it_was():
    """Commands and servers that run inside a test set the log up; the next test finds it as it was."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory):
    """A migrated file, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "credence.db"
    asyncio.run(migrations.upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def loop():
    """An event loop on a thread of its own: what it runs can be waited for from any test, synchronous or not."""
    with databases.Loop() as running:
        yield running


@pytest.fixture(scope="session")
def server(loop):
    """A real PostgreSQL, with nothing of ours in it yet."""
    with databases.started() as url, databases.Server(loop, url) as found:
        yield found


@pytest.fixture(scope="session")
def migrated_postgresql(server):
    """The name of a migrated database, to be cloned."""
    name = server.create()
    asyncio.run(migrations.upgrade(server.url_of(name)))
    yield name
    server.drop(name)


@pytest.fixture
def empty_url(request, tmp_path):
    """The address of a database that nobody migrated, of the kind a test names by indirection."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("server")
    name = server.create()
    yield server.url_of(name)
    server.drop(name)


@contextmanager
def fresh(kind, request, folder):
    """A migrated database of a kind, gone afterwards."""
    if kind == "sqlite":
        path = folder / "credence.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        with databases.Sqlite(path) as database:
            yield database
        return
    server, loop = request.getfixturevalue("server"), request.getfixturevalue("loop")
    name = server.create(request.getfixturevalue("migrated_postgresql"))
    with databases.Postgres(loop, server.url_of(name)) as database:
        yield database
    server.drop(name)


@pytest.fixture
def sqlite(request, tmp_path):
    """A migrated SQLite database of the test's own."""
    with fresh("sqlite", request, tmp_path) as database:
        yield database


@pytest.fixture
def postgresql(request, tmp_path):
    """A migrated PostgreSQL database of the test's own."""
    with fresh("postgresql", request, tmp_path) as database:
        yield database


@pytest.fixture(params=BOTH)
def database(request, tmp_path):
    """A migrated database of the test's own: one run on SQLite, one on PostgreSQL."""
    with fresh(request.param, request, tmp_path) as found:
        yield found


@pytest.fixture(scope="module", params=BOTH)
def read_database(request, tmp_path_factory):
    """A migrated database that the tests of a module share: they fill it once and only read it."""
    with fresh(request.param, request, tmp_path_factory.mktemp("read")) as found:
        yield found
