"""The next version of a blind index, built inside transactions that are short: nobody who reads or writes waits long.

From the moment a version begins, whoever writes a value writes a token of that version. So one pass over what was there
before is enough, in the order of records, and how far it came stands in the row of the index.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from domain import ids
from domain.errors import Conflict, KeyUnavailable, Malformed
from domain.files.identifying.reindexing import IndexStanding
from domain.ids import Id
from domain.records import TAGS, Confidential
from vault import index
from vault.keys import DekRow, WrappedKey
from vault.providers.port import Purpose
from vault.seal import Cell, open_envelope
from vault.store.search.states import State, Tokens, Version, first, selected, states_of
from vault.store.search.tokens import upsert
from vault.store.tables import (
    ERASED,
    blind_index,
    blind_index_state,
    sealed_field,
    vault_dek,
    vault_dek_wrap,
    vault_key,
)
from vault.store.tenantkeys import TenantKeys

PARTS: Final = 400
"""How many records one statement names."""
_KEY: Final = ("tenant", "record_id", "field_tag", "ver")


class IndexBuilding:
    """The blind indexes of one tenant, in the transaction of a unit; what it opens stands in the unit's entry."""

    def __init__(
        self, connection: sa.Connection, keys: TenantKeys, tenant: Id, opened: MutableMapping[str, None]
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._tenant = tenant
        self._opened = opened

    def fields(self) -> Sequence[str]:
        """The tags of every indexed field."""
        return tuple(tag for tag, field in TAGS.items() if field.index is not None)

    def standing(self, field: str) -> IndexStanding:
        """Where the index of a field stands."""
        state = self._state(field)
        leftover = self._connection.scalar(self._old(field, state).limit(1)) is not None
        return IndexStanding(
            field=field,
            version=state.current.number,
            normaliser=state.current.normaliser,
            building=state.building.number if state.building else None,
            leftover=leftover,
        )

    def begin(self, field: str) -> int:
        """Makes a next version stand beside the one that is asked, unless one does; its number.

        The row is locked by whoever writes tokens: this waits for them, and they see it afterwards.
        """
        state = self._state(field, lock=True)
        if state.building is None:
            number, declared = state.current.number + 1, _declared(field)
            state = State(state.current, Version(number, declared.index.normaliser if declared.index else ""))
            self._change(field, building=number, building_normaliser=state.written.normaliser, reached="")
        elif self._connection.execute(self._unbuilt(field, 1)).first() is None:
            # The pass came to its end and was not taken: it is gone once more, for whatever was missing.
            self._change(field, reached="")
        return state.written.number

    def build(self, field: str, limit: int) -> int:
        """Makes the tokens of at most so many values that have none of the next version yet; how many it looked at."""
        state = self._state(field, lock=True)
        if state.building is None:
            return 0
        cells = self._connection.execute(self._unbuilt(field, limit)).all()
        tokens = Tokens(index.Maker(self._keys.root(Purpose.INDEX), ids.raw(self._tenant)))
        rows = [self._row(row, state.building, tokens) for row in cells if bytes(row.envelope) != ERASED]
        if rows:
            self._opened[field] = None
            # What somebody wrote meanwhile is newer, and of this version already.
            upsert(self._connection, blind_index, rows, _KEY, change=False)
        if cells:
            self._change(field, reached=cells[-1].record_id)
        return len(cells)

    def take(self, field: str) -> int:
        """Makes the next version the one that is asked; its number."""
        state = self._state(field, lock=True)
        if state.building is None:
            return state.current.number
        cell, own = sealed_field.c, blind_index.c
        there = sa.exists().where(
            own.tenant == cell.tenant,
            own.record_id == cell.record_id,
            own.field_tag == cell.field_tag,
            own.ver == state.building.number,
        )
        missing = self._connection.scalar(
            sa.select(sa.func.count()).select_from(sealed_field).where(self._cells(field), ~there)
        )
        if missing:
            raise Conflict(
                f"{missing} values have no token of the next version yet.", advice="Begin again: it goes on."
            )
        number, normaliser = state.building
        self._change(field, ver=number, normaliser=normaliser, building=None, building_normaliser=None, reached="")
        return number

    def drop(self, field: str, limit: int) -> int:
        """Deletes at most so many tokens of versions that nobody asks; how many."""
        old = self._connection.execute(self._old(field, self._state(field)).limit(limit)).all()
        own = blind_index.c
        for number in {row.ver for row in old}:
            records = [row.record_id for row in old if row.ver == number]
            for start in range(0, len(records), PARTS):
                part = own.record_id.in_(records[start : start + PARTS])
                same = sa.and_(own.tenant == self._tenant, own.field_tag == field, own.ver == number)
                self._connection.execute(sa.delete(blind_index).where(same, part))
        return len(old)

    def _state(self, field: str, *, lock: bool = False) -> State:
        """The state of an index; where nobody has written it yet its row is made, so that it can be locked."""
        declared = first(_declared(field))
        if lock:
            number, normaliser = declared.current
            row = {"tenant": self._tenant, "field_tag": field, "ver": number, "normaliser": normaliser, "reached": ""}
            upsert(self._connection, blind_index_state, [row], ("tenant", "field_tag"), change=False)
        select = selected().where(blind_index_state.c.field_tag == field)
        select = select.with_for_update() if lock else select
        return states_of(self._connection.execute(select, {"tenant": self._tenant})).get(field, declared)

    def _change(self, field: str, **values: Any) -> None:
        own = blind_index_state.c
        changed = sa.update(blind_index_state).where(own.tenant == self._tenant, own.field_tag == field)
        self._connection.execute(changed.values(**values))

    def _old(self, field: str, state: State) -> sa.Select[Any]:
        """The tokens of versions that nobody asks."""
        own = blind_index.c
        return sa.select(own.record_id, own.ver).where(
            own.tenant == self._tenant, own.field_tag == field, own.ver < state.current.number
        )

    def _cells(self, field: str) -> sa.ColumnElement[bool]:
        cell = sealed_field.c
        return sa.and_(cell.tenant == self._tenant, cell.field_tag == field, cell.envelope != ERASED)

    def _unbuilt(self, field: str, limit: int) -> sa.Select[Any]:
        """The next cells that the pass has not come to, with their wrapped keys; locked against being erased."""
        cell, dek, wrap, kek, own = sealed_field.c, vault_dek.c, vault_dek_wrap.c, vault_key.c, blind_index_state.c
        reached = sa.select(own.reached).where(own.tenant == self._tenant, own.field_tag == field).scalar_subquery()
        wrapped = sa.and_(wrap.tenant == dek.tenant, wrap.dek_id == dek.dek_id, wrap.kek_epoch == dek.kek_epoch)
        wraps = sa.and_(kek.tenant == dek.tenant, kek.epoch == dek.kek_epoch, kek.purpose == Purpose.KEK.value)
        return (
            sa.select(
                sealed_field,
                dek.version.label("dek_version"),
                dek.kek_epoch,
                wrap.wrapped,
                kek.wrapped.label("kek_wrapped"),
            )
            .outerjoin(vault_dek, sa.and_(dek.tenant == cell.tenant, dek.dek_id == cell.dek_id))
            .outerjoin(vault_dek_wrap, wrapped)
            .outerjoin(vault_key, wraps)
            .where(cell.tenant == self._tenant, cell.field_tag == field, cell.record_id > reached)
            .order_by(cell.record_id)
            .limit(limit)
            .with_for_update(read=True, of=sealed_field)
        )

    def _row(self, row: Any, version: Version, tokens: Tokens) -> dict[str, Any]:
        """The token of one cell; its value is opened for that and dropped.

        Raises: Conflict when it is no identifier for the version's normaliser.
        """
        value = self._open(row)
        try:
            token = tokens.token(row.field_tag, version, value)
        except Malformed:
            token = None
        # Raised outside the handler, so that no error carries the value along.
        if token is None:
            raise Conflict(
                f"{row.record_id} holds a value that {version.normaliser} does not take.",
                advice="Correct it in the file, and begin again: it goes on here.",
            )
        return {
            "tenant": self._tenant,
            "field_tag": row.field_tag,
            "ver": version.number,
            "token": token,
            "subject": row.subject,
            "record_id": row.record_id,
        }

    def _open(self, row: Any) -> str:
        if row.wrapped is None or row.kek_wrapped is None:
            raise KeyUnavailable("A data key is not there.", advice="Run `credence fsck`: it tells which.")
        tenant, subject = ids.raw(self._tenant), ids.raw(row.subject)
        kek = WrappedKey(tenant, Purpose.KEK, row.kek_epoch, bytes(row.kek_wrapped))
        own = bytes(row.dek_id), tenant, subject, row.data_class, row.dek_version, row.kek_epoch
        dek = self._keys.ring.dek(DekRow(*own, bytes(row.wrapped)), kek)
        place = tenant, subject, row.data_class, row.record_type, ids.raw(row.record_id)
        cell = Cell(*place, row.value_version, row.field_tag, row.schema_version)
        return str(open_envelope(dek, cell, bytes(row.envelope)))


def _declared(field: str) -> Confidential[Any]:
    return TAGS[field]
