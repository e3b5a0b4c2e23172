"""The index tokens of one transaction: staged beside the cells they are of, and looked up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from domain import ids
from domain.ids import Id
from domain.records import Confidential
from vault import index
from vault.providers.port import Purpose
from vault.store.reading.dialects import Dialect
from vault.store.search.states import State, Tokens, first, selected, states_of
from vault.store.tables import blind_index, blind_index_state
from vault.store.tenantkeys import TenantKeys

AT_ONCE = 400
"""How many rows one statement deletes or asks for."""


class IndexTokens:
    """Writes tokens of the version that is written now, and finds records under every version that is asked."""

    def __init__(self, connection: sa.Connection, keys: TenantKeys, tenant: Id, dialect: Dialect) -> None:
        self._connection = connection
        self._keys = keys
        self._tenant = tenant
        self._dialect = dialect
        self._staged: dict[tuple[Id, str], dict[str, Any]] = {}

    def stage(self, field: Confidential[str], record: Id, subject: Id, value: str) -> None:
        """Stages the token of a value that was just sealed.

        Raises: Malformed when the value is no identifier of the field's kind: it could never be found again.
        """
        version = self._state(field, begun=True).written
        self._staged[record, field.tag] = {
            "tenant": self._tenant,
            "field_tag": field.tag,
            "ver": version.number,
            "token": self._tokens.token(field.tag, version, value),
            "subject": subject,
            "record_id": record,
        }

    def flush(self) -> None:
        """Writes what is staged; a cell has a token of one version, also while the next one is built."""
        if not self._staged:
            return
        rows = list(self._staged.values())
        upsert(self._connection, blind_index, rows, ("tenant", "record_id", "field_tag", "ver"))
        for tag, state in self._states.items():
            if state.building is not None:
                self._drop(tag, state.current.number, [row["record_id"] for row in rows if row["field_tag"] == tag])
        self._staged.clear()

    def found(self, field: Confidential[str], value: str) -> list[Id]:
        """The records whose field has this value: one look-up by its token."""
        state, own = self._state(field), blind_index.c
        asked = {one.number: self._tokens.token(field.tag, one, value) for one in state.asked}
        rows = self._connection.execute(
            # While the next version is built a value may have a token of each.
            sa.select(own.record_id)
            .distinct()
            .where(
                own.tenant == self._tenant,
                own.field_tag == field.tag,
                own.ver.in_(list(asked)),
                own.token.in_(list(asked.values())),
            )
            .order_by(own.record_id)
        )
        return [Id(row[0]) for row in rows]

    @cached_property
    def _tokens(self) -> Tokens:
        return Tokens(index.Maker(self._keys.root(Purpose.INDEX), ids.raw(self._tenant)))

    @cached_property
    def _states(self) -> dict[str, State]:
        """The states as they stay until this transaction ends: a new version waits for it."""
        return self._read()

    def _read(self) -> dict[str, State]:
        select = selected().with_for_update(read=True)
        return states_of(self._connection.execute(select, {"tenant": self._tenant}))

    def _state(self, field: Confidential[Any], *, begun: bool = False) -> State:
        state = self._states.get(field.tag)
        if state is not None:
            return state
        state = first(field)
        if begun:
            number, normaliser = state.current
            row = {"tenant": self._tenant, "field_tag": field.tag, "ver": number, "normaliser": normaliser}
            upsert(self._connection, blind_index_state, [row | {"reached": ""}], ("tenant", "field_tag"), change=False)
            # Somebody else may have been first: theirs is what holds.
            self._states.update(self._read())
        return self._states.get(field.tag, state)

    def _drop(self, tag: str, number: int, records: Sequence[Id]) -> None:
        own = blind_index.c
        for start in range(0, len(records), AT_ONCE):
            part = records[start : start + AT_ONCE]
            self._connection.execute(
                sa.delete(blind_index).where(
                    own.tenant == self._tenant, own.field_tag == tag, own.ver == number, own.record_id.in_(part)
                )
            )


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[dict[str, Any]],
    key: Sequence[str],
    *,
    change: bool = True,
) -> None:
    """Inserts rows; one whose key is there changes it, or is left out."""
    from sqlalchemy.dialects import postgresql, sqlite  # noqa: PLC0415 - the one statement both spell their own way

    insert = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    if not change:
        connection.execute(insert.on_conflict_do_nothing(index_elements=list(key)), rows)
        return
    changed = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in key}
    connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=changed), rows)
