"""What can be looked up in a store beside its records: each is a function that `inspect` runs over one snapshot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from domain.ids import Id
from vault.audit.files import write_log
from vault.store.fsck import Finding, check_store
from vault.store.ledger.logbook import entries_of, verifier
from vault.store.schema.migrations import within
from vault.store.tables import tenant_register
from vault.store.transaction import Room


def exported(tenant: Id, checkpoint: str, folder: Path) -> Callable[[sa.Connection], int]:
    """Writes a company's log as files under a signed checkpoint; how many are new."""
    return lambda connection: write_log(folder, entries_of(connection, tenant, checkpoint), checkpoint)


def verifying_key(room: Room, tenant: Id, person: str) -> Callable[[sa.Connection], str]:
    """What an auditor pins to verify a company's log: `name+id+base64`."""
    return lambda connection: str(verifier(room.keys(connection, room.hand(tenant, person)), tenant))


def findings(room: Room, tenant: Id) -> Callable[[sa.Connection], list[Finding]]:
    """What is wrong with a company's records, seals and log."""
    return lambda connection: list(check_store(connection, room.ring, tenant))


def holds_tenants(url: str) -> bool:
    """Whether a database holds companies; for a thread without an event loop."""
    return within(url, lambda connection: connection.scalar(sa.select(tenant_register.c.tenant).limit(1)) is not None)
