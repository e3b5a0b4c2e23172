"""Whether every consent of a company stands as its events tell, which are added to and never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar, cast

import sqlalchemy as sa

from domain.consent.consents import Consent, ConsentEvent
from domain.consent.recorded.agreeing import disagreements
from domain.ids import Id
from domain.records import Record
from vault.findings import Finding
from vault.store.codec import record_of
from vault.store.tables import table, tombstone

AT_ONCE: Final = 500
R = TypeVar("R", bound=Record)


def check_consents(connection: sa.Connection, tenant: Id) -> Iterator[Finding]:
    """Each difference between a consent and its events, in every version; what ended by retention tells nothing."""
    buried = sa.select(tombstone.c.record_id).where(tombstone.c.tenant == tenant)
    column, last = table(Consent.shape).c, ""
    while True:
        names = connection.scalars(
            sa.select(column.id)
            .where(column.tenant == tenant, column.id > last, column.id.not_in(buried))
            .distinct()
            .order_by(column.id)
            .limit(AT_ONCE)
        ).all()
        if not names:
            return
        yield from _compared(connection, tenant, names)
        last = names[-1]


def _compared(connection: sa.Connection, tenant: Id, names: Sequence[str]) -> Iterator[Finding]:
    versions: dict[str, list[Consent]] = {name: [] for name in names}
    events: dict[str, list[ConsentEvent]] = {name: [] for name in names}
    for consent in _rows(connection, tenant, Consent, "id", names):
        versions[consent.id].append(consent)
    for event in _rows(connection, tenant, ConsentEvent, "consent", names):
        events[event.consent].append(event)
    for name in names:
        for found in disagreements(versions[name], events[name]):
            yield Finding(found.wrong.value, f"{name} version {found.version}", found.says)


def _rows(connection: sa.Connection, tenant: Id, kind: type[R], by: str, names: Sequence[str]) -> list[R]:
    shape = kind.shape
    columns = table(shape).c
    select = (
        sa.select(table(shape))
        .where(columns.tenant == tenant, columns[by].in_(list(names)))
        .order_by(columns.id, columns.version)
    )
    return [cast("R", record_of(shape, row)) for row in connection.execute(select).mappings()]
