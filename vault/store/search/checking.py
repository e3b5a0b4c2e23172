"""Whether blind indexes find what is on file: each value by its own token, no token without a value, and no crowd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from domain.errors import Malformed
from domain.ids import Id
from domain.records import TAGS
from vault.findings import Finding
from vault.store.search.states import State, Tokens, first, selected, states_of
from vault.store.tables import blind_index, sealed_field

JUDGED_FROM: Final = 100
"""So many values tell whether they are as different as their field declares."""
_ADVICE: Final = "Run `credence keys reindex {}`."


class IndexCheck:
    """Compares the tokens of one company with its values, which are opened by whoever checks them."""

    def __init__(self, connection: sa.Connection, tenant: Id, tokens: Tokens) -> None:
        self._connection = connection
        self._tenant = tenant
        self._tokens = tokens
        self._states = states_of(connection.execute(selected(), {"tenant": tenant}))
        self._opened: list[tuple[Id, str, str]] = []

    def note(self, record: Id, tag: str, value: Any) -> None:
        """A value that was opened; what is not indexed is not kept."""
        field = TAGS.get(tag)
        if field is not None and field.index is not None and isinstance(value, str):
            self._opened.append((record, tag, value))

    def compare(self) -> Iterator[Finding]:
        """What is wrong with the tokens of the values noted since the last time, which are then forgotten."""
        opened, self._opened = self._opened, []
        stored = self._stored([record for record, _, _ in opened])
        for record, tag, value in opened:
            own = {number: token for (one, field, number), token in stored.items() if (one, field) == (record, tag)}
            yield from self._one(record, tag, value, own)

    def whole(self) -> Iterator[Finding]:
        """Tokens of no value, and indexes whose values are less different than was declared."""
        cell, own = sealed_field.c, blind_index.c
        there = sa.exists().where(
            cell.tenant == own.tenant, cell.record_id == own.record_id, cell.field_tag == own.field_tag
        )
        mine = sa.select(own.record_id, own.field_tag).where(own.tenant == self._tenant, ~there)
        for record, tag in self._connection.execute(mine):
            yield Finding("INDEX_ORPHAN", f"{record}/{tag}", "A token is there, and no value.")
        for tag, state in self._states.items():
            yield from self._crowded(tag, state)

    def _one(self, record: Id, tag: str, value: str, stored: dict[int, bytes]) -> Iterator[Finding]:
        place, state = f"{record}/{tag}", self._states.get(tag) or first(TAGS[tag])
        asked = {version.number: version for version in state.asked}
        known = [version for number, version in asked.items() if number in stored]
        if not known:
            yield Finding("INDEX_MISSING", place, f"The value cannot be found by its index. {_ADVICE.format(tag)}")
        for version in known:
            try:
                right = self._tokens.token(tag, version, value)
            except Malformed:
                right = None
            if stored[version.number] != right:
                yield Finding("INDEX_WRONG", place, f"The token is not that of the value. {_ADVICE.format(tag)}")

    def _stored(self, records: Sequence[Id]) -> dict[tuple[Id, str, int], bytes]:
        own = blind_index.c
        select = sa.select(own.record_id, own.field_tag, own.ver, own.token)
        wanted = list(dict.fromkeys(records))
        rows = self._connection.execute(select.where(own.tenant == self._tenant, own.record_id.in_(wanted)))
        return {(record, tag, number): bytes(token) for record, tag, number, token in rows}

    def _crowded(self, tag: str, state: State) -> Iterator[Finding]:
        field, own = TAGS.get(tag), blind_index.c
        if field is None or field.index is None:
            yield Finding("INDEX_UNKNOWN", tag, "No record declares this index.")
            return
        counts = sa.select(sa.func.count(), sa.func.count(own.token.distinct())).where(
            own.tenant == self._tenant, own.field_tag == tag, own.ver == state.current.number
        )
        every, different = self._connection.execute(counts).one()
        if every >= JUDGED_FROM and different * 100 < field.index.distinct_percent * every:
            yield Finding(
                "INDEX_CROWDED",
                tag,
                f"Of {every} values {different} are different, and {field.index.distinct_percent} of 100 are declared "
                "to be: how often a token occurs tells its value. Look for made-up values, or take the index away.",
            )
