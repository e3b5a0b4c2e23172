"""The keys of one tenant turn inside one transaction: epochs advance, data keys follow, older epochs are left.

Data is not touched by any of it, and every statement leaves a state from which reading goes on: a data key is found by
the epoch its own row names, and that epoch's wraps and keys go only when no row names it any more. A data key that is
destroyed has the epoch 0: nothing wraps it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from domain import ids
from domain.custody.keeping import Left, Standing, Verified
from domain.errors import Conflict, CreditError, Stale
from domain.ids import Id
from domain.records import AUDIT_CLASS
from vault.keys import DekRow, WrappedKey
from vault.providers.port import Purpose
from vault.seal import Cell, open_envelope
from vault.store.cells import Cells
from vault.store.ledger.logbook import payload_cell
from vault.store.tables import DESTROYED, audit_payload, sealed_field, vault_dek, vault_dek_wrap, vault_key
from vault.store.tenantkeys import FIELDS_ALG, TenantKeys

_ADVICE: Final = "Run `credence keys rewrap`; it goes on where it stopped."


class KeyRotation:
    """Turns the keys of one tenant, in the transaction of a unit."""

    def __init__(self, connection: sa.Connection, keys: TenantKeys, cells: Cells) -> None:
        self._connection = connection
        self._keys = keys
        self._cells = cells
        self._tenant = keys.tenant

    @property
    def backup_days(self) -> int:
        """How many days backups and archived logs of the database are kept."""
        return self._keys.ring.backup_days

    def newest_root(self) -> int:
        """The newest epoch whose root stands in the provider. Raises KeyUnavailable."""
        return self._keys.ring.newest()

    def next_root(self) -> int:
        """The epoch that never had a root and comes next. Raises KeyUnavailable."""
        return self._keys.ring.following()

    def make_root(self, epoch: int) -> None:
        """Makes the root of an epoch in the provider, unless it stands there already. Raises KeyUnavailable."""
        self._keys.ring.make_root(epoch)

    def destroy_root(self, epoch: int) -> None:
        """Ends the root of an epoch in the provider, for ever and for every tenant. Raises KeyUnavailable."""
        self._keys.ring.destroy_root(epoch)

    def standing(self) -> Standing:
        """Which keys stand."""
        every = sorted({epoch for _, epoch in self._keys.every()})
        counted = (
            sa.select(vault_dek.c.kek_epoch, sa.func.count())
            .where(vault_dek.c.tenant == self._tenant, vault_dek.c.kek_epoch != DESTROYED)
            .group_by(vault_dek.c.kek_epoch)
        )
        under = {row[0]: row[1] for row in self._connection.execute(counted)}
        return Standing(epoch=every[-1], epochs=tuple(every), data_keys=under)

    def advance(self, epoch: int) -> bool:
        """Makes the keys of a newer epoch, of which data keys are new from now on; whether that was still to do."""
        self._keys.alone()
        rows = self._keys.rows
        if rows[Purpose.KEK].epoch >= epoch:
            return False
        self._keys.store(self._keys.ring.advance_tenant(rows.values(), epoch))
        self._keys.raise_generation()
        return True

    def rewrap(self, limit: int) -> int:
        """Wraps at most so many data keys under the newest epoch that are not yet; how many.

        The rows are locked: a key that is destroyed meanwhile is not wrapped again.
        """
        new = self._keys.rows[Purpose.KEK]
        dek = vault_dek.c
        rows = self._connection.execute(
            sa.select(vault_dek)
            .where(dek.tenant == self._tenant, dek.kek_epoch != DESTROYED, dek.kek_epoch < new.epoch)
            .order_by(dek.dek_id)
            .limit(limit)
            .with_for_update()
        ).all()
        moved = [self._keys.ring.rewrap_dek(row, kek, new) for row, kek in self._keys.wrapped(rows)]
        if moved:
            self._follow(moved)
        return len(rows)

    def verify(self, after: str, limit: int) -> Verified:
        """Unwraps the data keys that come behind one, and opens a cell of each; first of all the tenant's own keys."""
        dek = vault_dek.c
        rows = self._connection.execute(
            sa.select(vault_dek)
            .where(dek.tenant == self._tenant, dek.kek_epoch != DESTROYED, dek.dek_id > bytes.fromhex(after))
            .order_by(dek.dek_id)
            .limit(limit)
        ).all()
        failed = [] if after else list(self._own_failures())
        wrapped = self._keys.wrapped(rows)
        fields = {bytes(row.dek_id) for row in rows if row.alg == FIELDS_ALG}
        cells = self._sample(list(fields))
        failed += [row.dek_id.hex() for row in rows if row.dek_id not in {found.dek_id for found, _ in wrapped}]
        for row, kek in wrapped:
            opens = self._opens(row, kek, cells.get(row.dek_id)) if row.dek_id in fields else self._unwraps(row, kek)
            failed += [] if opens else [row.dek_id.hex()]
        last = rows[-1].dek_id.hex() if len(rows) == limit else ""
        return Verified(keys=len(rows), cells=len(cells), failed=tuple(failed), last=last)

    def retire(self, after: str, limit: int) -> Left:
        """Removes the wraps of older epochs of the data keys that come behind one; at last the keys of those epochs.

        Whoever mints a data key holds a lock on its epoch's key: here it is waited for, and what was minted is counted.

        Raises: Conflict while a data key needs an older epoch.
        """
        newest = self._keys.rows[Purpose.KEK].epoch
        key, wrap = vault_key.c, vault_dek_wrap.c
        older = sa.and_(key.tenant == self._tenant, key.epoch < newest)
        locked = self._connection.execute(sa.select(key.epoch).where(older).with_for_update()).all()
        left = self.standing().behind
        if left:
            raise Conflict(f"{left} data keys are still wrapped under an older epoch.", advice=_ADVICE)
        unneeded = sa.and_(wrap.tenant == self._tenant, wrap.kek_epoch < newest)
        behind = sa.select(wrap.dek_id).where(unneeded, wrap.dek_id > bytes.fromhex(after)).order_by(wrap.dek_id)
        some = [bytes(dek) for dek in self._connection.scalars(behind.limit(limit))]
        if len(some) == limit:
            part = wrap.dek_id.between(some[0], some[-1])
            self._connection.execute(sa.delete(vault_dek_wrap).where(unneeded, part))
            return Left(last=some[-1].hex())
        self._connection.execute(sa.delete(vault_dek_wrap).where(unneeded))
        self._connection.execute(sa.delete(vault_key).where(older))
        if locked:
            self._keys.raise_generation()
        return Left(epochs=tuple(sorted({epoch for (epoch,) in locked})))

    def renew(self, subject: Id, data_class: str) -> int:
        """Seals the cells of a subject's class anew under a new data key and removes the old one; how many cells."""
        if data_class == AUDIT_CLASS:
            raise TypeError("Side payloads are never sealed anew: the log would not know them.")
        old = [row for row in self._keys.living(subject, data_class) if row.alg == FIELDS_ALG]
        if not old:
            return 0
        self._keys.renew(subject, data_class)
        sealed = sum(
            self._cells.reseal(row.dek_id, self._keys.ring.dek(row, kek)) for row, kek in self._keys.wrapped(old)
        )
        self._cells.flush()
        self._keys.destroy([row.dek_id for row in old])
        return sealed

    def _follow(self, moved: Sequence[DekRow]) -> None:
        """The rows of data keys name the epoch of their new wraps."""
        self._connection.execute(
            sa.insert(vault_dek_wrap),
            [
                {"tenant": self._tenant, "dek_id": row.dek_id, "kek_epoch": row.kek_epoch, "wrapped": row.wrapped}
                for row in moved
            ],
        )
        changed = self._connection.execute(
            sa.update(vault_dek)
            .where(vault_dek.c.tenant == self._tenant, vault_dek.c.dek_id.in_([row.dek_id for row in moved]))
            .values(kek_epoch=moved[0].kek_epoch)
        )
        if changed.rowcount != len(moved):
            raise Stale("Data keys changed meanwhile.")

    def _own_failures(self) -> Iterator[str]:
        """The purposes of the tenant's own keys, of its newest epoch, that do not unwrap."""
        for purpose in self._keys.rows.keys() - {Purpose.KEK}:
            try:
                with self._keys.signing_key() if purpose is Purpose.SIGN else self._keys.root_anew(purpose):
                    pass
            except CreditError:
                yield purpose.value

    def _sample(self, deks: Sequence[bytes]) -> Mapping[bytes, tuple[Cell, bytes]]:
        """Of each data key one sealed cell, or one side payload."""
        sample: dict[bytes, tuple[Cell, bytes]] = {}
        for row in self._firsts(sealed_field, "record_id", deks):
            tag_and_schema = row.value_version, row.field_tag, row.schema_version
            own = ids.raw(row.tenant), ids.raw(row.subject), row.data_class, row.record_type, ids.raw(row.record_id)
            sample[bytes(row.dek_id)] = Cell(*own, *tag_and_schema), bytes(row.envelope)
        for row in self._firsts(audit_payload, "entry", deks):
            sample[bytes(row.dek_id)] = payload_cell(self._tenant, row.subject, row.entry), bytes(row.envelope)
        return sample

    def _firsts(self, table: sa.Table, order: str, deks: Sequence[bytes]) -> Sequence[Any]:
        """Of each data key the first row of a table that is sealed under it."""
        place = sa.func.row_number().over(partition_by=table.c.dek_id, order_by=table.c[order]).label("place")
        own = sa.select(table, place).where(table.c.tenant == self._tenant, table.c.dek_id.in_(deks)).subquery()
        return self._connection.execute(sa.select(own).where(own.c.place == 1)).all()

    def _unwraps(self, row: DekRow, kek: WrappedKey) -> bool:
        """Whether the data key of documents unwraps; what is sealed under it lies beside the database."""
        try:
            self._keys.ring.content_key(row, kek).wipe()
        except CreditError:
            return False
        return True

    def _opens(self, row: DekRow, kek: WrappedKey, sealed: tuple[Cell, bytes] | None) -> bool:
        """Whether a data key unwraps, and what is sealed under it opens."""
        try:
            dek = self._keys.ring.dek(row, kek)
            if sealed is not None:
                open_envelope(dek, *sealed)
        except CreditError:
            return False
        return True
