"""On PostgreSQL a database is migrated by its owner, who need not be the server's superuser."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
import pytest
import sqlalchemy as sa

from domain.errors import Unavailable
from vault.store import engines
from vault.store.schema import migrations

pytestmark = pytest.mark.postgres


@pytest.fixture
def owned(server, migrated_postgresql):
    """The name of a plain user, and the address of an empty database that it owns."""
    del migrated_postgresql  # the role of the application is there, and is the superuser's
    user = f"owner_{uuid.uuid4().hex}"
    name = server.create()
    server.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'made up'")
    server.execute(f"ALTER DATABASE {name} OWNER TO {user}")
    url = sa.make_url(server.url_of(name)).set(username=user, password="made up")
    yield user, url.render_as_string(hide_password=False)
    server.drop(name)
    server.execute(f"DROP ROLE {user}")


def register(connection):
    """A key of one tenant, written by the owner."""
    connection.execute(sa.text(f"SET LOCAL {engines.TENANT} = 'te_1'"))
    connection.execute(sa.text("INSERT INTO vault_key VALUES ('te_1', 'kek', 1, '', 0)"))


def counted(url, *settings):
    """How many keys somebody sees."""

    async def ask():
        connection = await asyncpg.connect(url, server_settings=dict(settings))
        try:
            return await connection.fetchval("SELECT count(*) FROM vault_key")
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_a_user_that_may_not_act_as_the_application_is_told_what_to_ask_for(owned):
    _, url = owned
    with pytest.raises(Unavailable) as refused:
        asyncio.run(migrations.upgrade(url))
    assert f"GRANT {engines.ROLE}" in refused.value.advice
    assert asyncio.run(migrations.revision(url)) is None


def test_a_plain_owner_migrates_serves_and_sees_no_row_without_a_tenant(owned, server):
    user, url = owned
    server.execute(f"GRANT {engines.ROLE} TO {user}")
    assert asyncio.run(migrations.upgrade(url)) == migrations.head()
    asyncio.run(migrations.check(url))
    migrations.within(url, register)
    assert counted(url) == 0
    assert counted(url, (engines.TENANT, "te_2")) == 0
    assert counted(url, (engines.TENANT, "te_1")) == 1
    assert counted(url, (engines.TENANT, "te_1"), ("role", engines.ROLE)) == 1
