"""Data keys of one tenant get their next version inside one transaction, and a bounded number of values follows.

Whoever seals holds the newest data key of the class locked until its transaction ends; a step locks every data key of
a class before it looks at its values. So neither overwrites what the other wrote, and a data key is destroyed only
when nothing is sealed under it. Readers find each value with the data key it names, in one snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from domain.custody.keeping import Choice, Renewed
from domain.ids import Id
from domain.records import AUDIT_CLASS
from vault.store.cells import Cells
from vault.store.tables import DESTROYED, ERASED, audit_payload, sealed_field, vault_dek
from vault.store.tenantkeys import FIELDS_ALG, TenantKeys

KEYS_AT_ONCE: Final = 100
"""How many classes of subjects one step looks at: each may cost a new data key."""
_MILLISECONDS: Final = 1_000
_TIME_BYTES: Final = 6
_ID_BYTES: Final = 16


class DataKeyRenewal:
    """Renews the data keys of one tenant, in the transaction of a unit."""

    def __init__(self, connection: sa.Connection, keys: TenantKeys, cells: Cells) -> None:
        self._connection = connection
        self._keys = keys
        self._cells = cells
        self._tenant = keys.tenant
        self._minted = self._sealed = 0
        self._ended: list[bytes] = []

    def worn(self, seals: int) -> tuple[str, ...]:
        """The ids of data keys under which at least so many values were sealed, in hexadecimal digits."""
        return tuple(dek.hex() for dek in worn(self._connection, self._tenant, seals))

    def step(self, choice: Choice, after: str, limit: int) -> Renewed:
        """Goes on behind a data key with those that are chosen or were begun: at most so many values.

        Raises: ValueError for what names no data key; Tampered for a value that does not open.
        """
        self._minted, self._sealed, self._ended = 0, 0, list[bytes]()
        rows = self._chosen(choice, bytes.fromhex(after))
        last = after
        for row in rows:
            if self._sealed >= limit or not self._class(Id(row.subject), row.data_class, choice, limit):
                last = last or _BEGINNING
                break
            last = bytes(row.dek_id).hex()
        else:
            last = last if len(rows) == KEYS_AT_ONCE else ""
        self._cells.flush()
        if self._ended:
            self._keys.destroy(self._ended)
        return Renewed(minted=self._minted, sealed=self._sealed, ended=len(self._ended), last=last)

    def _chosen(self, choice: Choice, after: bytes) -> Sequence[Any]:
        """The next data keys that are due, or that have a newer version already and wait for their values to follow."""
        dek, newer = vault_dek.c, vault_dek.alias("newer").c
        later = sa.exists().where(
            newer.tenant == dek.tenant,
            newer.subject == dek.subject,
            newer.data_class == dek.data_class,
            newer.alg == dek.alg,
            newer.version > dek.version,
        )
        due = sa.or_(dek.dek_id < _made_at(choice.before), dek.dek_id.in_(_raw(choice.worn)))
        # What the log sealed stays under its data key, so that one with a newer version is done with.
        wanted = sa.or_(sa.and_(due, ~later), sa.and_(later, dek.data_class != AUDIT_CLASS))
        select = sa.select(dek.dek_id, dek.subject, dek.data_class).where(
            dek.tenant == self._tenant, dek.alg == FIELDS_ALG, dek.kek_epoch != DESTROYED, dek.dek_id > after, wanted
        )
        if choice.subject is not None:
            select = select.where(dek.subject == choice.subject)
        if choice.data_class is not None:
            select = select.where(dek.data_class == choice.data_class)
        return self._connection.execute(select.order_by(dek.dek_id).limit(KEYS_AT_ONCE)).all()

    def _class(self, subject: Id, data_class: str, choice: Choice, limit: int) -> bool:
        """One class of a subject's data: its next version where that is due, then values, then the end of the old.

        Whether nothing is left to do.
        """
        older = [row for row in self._keys.living(subject, data_class) if row.alg == FIELDS_ALG]
        if not older:
            return True  # it was erased meanwhile
        newest = bytes(older[-1].dek_id)
        if newest < _made_at(choice.before) or newest.hex() in choice.worn:
            self._keys.renew(subject, data_class)
            self._minted += 1
        else:
            older.pop()
        if data_class == AUDIT_CLASS:
            return True
        for row, kek in self._keys.whole(older):
            self._sealed += self._cells.reseal(row.dek_id, self._keys.ring.dek(row, kek), limit - self._sealed)
        self._cells.flush()
        used = self._used([bytes(row.dek_id) for row in older])
        self._ended += [bytes(row.dek_id) for row in older if bytes(row.dek_id) not in used]
        return not used

    def _used(self, deks: Sequence[bytes]) -> frozenset[bytes]:
        """Of some data keys those under which something is sealed; what was erased is nothing."""
        cell = sealed_field.c
        own = sa.and_(cell.tenant == self._tenant, cell.dek_id.in_(deks), cell.envelope != ERASED)
        return frozenset(bytes(dek) for dek in self._connection.scalars(sa.select(cell.dek_id).where(own).distinct()))


def worn(connection: sa.Connection, tenant: Id, seals: int) -> list[bytes]:
    """The data keys of a tenant under which at least so many values were sealed: every version of each counts."""
    counts = ((sealed_field, sa.func.sum(sealed_field.c.value_version)), (audit_payload, sa.func.count()))
    found: list[bytes] = []
    for table, count in counts:
        select = sa.select(table.c.dek_id).where(table.c.tenant == tenant).group_by(table.c.dek_id)
        found += [bytes(dek) for dek in connection.scalars(select.having(count >= seals))]
    return sorted(found)


_BEGINNING: Final = "00"
"""Stands before every data key."""


def _made_at(before: datetime) -> bytes:
    """The smallest id that a data key made at an instant may have: ids begin with the time they were made at."""
    moment = max(0, int(before.timestamp() * _MILLISECONDS))
    return moment.to_bytes(_TIME_BYTES, "big") + bytes(_ID_BYTES - _TIME_BYTES)


def _raw(worn: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in worn]
