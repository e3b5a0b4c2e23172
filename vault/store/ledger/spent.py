"""What may be used once is used once, whichever process is asked: the first to write it down has used it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from domain.ids import Id
from vault.store.tables import spent

FORGET_SECONDS: Final = 30
"""How often what nobody could use again is forgotten."""
_INSERT: Final = sa.text(
    "INSERT INTO spent (tenant, once, until) VALUES (:tenant, :once, :until) ON CONFLICT DO NOTHING"
)


class Spending:
    """Writes down what is used, and forgets in time what nobody could use again."""

    def __init__(self) -> None:
        self._forgotten: dict[Id, int] = {}

    def spend(self, connection: sa.Connection, tenant: Id, once: str, until: int, now: int) -> bool:
        """Whether it is used for the first time, until it could not be used anyway; the caller makes that durable."""
        if now - self._forgotten.get(tenant, 0) >= FORGET_SECONDS:
            self._forgotten[tenant] = now
            _forget(connection, tenant, now)
        return connection.execute(_INSERT, {"tenant": tenant, "once": once, "until": until}).rowcount == 1


def _forget(connection: sa.Connection, tenant: Id, now: int) -> None:
    # Rows that another process is forgetting at this moment are left to it.
    over = (
        sa.select(spent.c.once).where(spent.c.tenant == tenant, spent.c.until < now).with_for_update(skip_locked=True)
    )
    connection.execute(sa.delete(spent).where(spent.c.tenant == tenant, spent.c.once.in_(over)))
