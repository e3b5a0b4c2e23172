"""Which version of each blind index a company's rows are under: what is written, and what is asked.

    one version             written and asked
    while v + 1 is built    v + 1 is written, both are asked: each row has a token of one of them at every moment
    once all rows have one  v + 1 alone; the tokens of v are deleted in the background

The state of an index is one row. A writer reads it locked, so that a new version begins only when everybody who writes
the old one has ended, and whoever writes after that sees it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from domain import ids
from domain.errors import KeyUnavailable
from domain.files.identifying.identifiers import normalised, version_of
from domain.ids import Id
from domain.ports import Fetch, Rows
from domain.records import Confidential
from vault import index
from vault.keys import Keyring, WrappedKey
from vault.providers.port import Purpose
from vault.store.tables import blind_index_state, vault_key

if TYPE_CHECKING:
    from vault.store.reading.dialects import Dialect, Statement

FIRST = 1


class Version(NamedTuple):
    """One version of an index, and the normaliser its tokens are made with."""

    number: int
    normaliser: str


@dataclass(frozen=True, slots=True)
class State:
    """Where one index of a company stands."""

    current: Version
    building: Version | None = None

    @property
    def written(self) -> Version:
        """The version that new tokens are of."""
        return self.building or self.current

    @property
    def asked(self) -> tuple[Version, Version]:
        """The versions a search asks for: always two, so that its statement is always the same."""
        return self.current, self.written


class Tokens:
    """Makes tokens of one company's identifiers."""

    def __init__(self, maker: index.Maker) -> None:
        self._maker = maker

    def token(self, tag: str, version: Version, value: str) -> bytes:
        """The token of an identifier in one version of an index.

        Raises: Malformed when the value is no identifier of that kind.
        """
        written = normalised(version.normaliser, value)
        return self._maker.token(tag, version.number, version_of(version.normaliser), written)


class Finder:
    """Turns what a reading looks up into what its statement asks for."""

    def __init__(self, tokens: Tokens, states: Mapping[str, State]) -> None:
        self._tokens = tokens
        self._states = states

    def asked(self, field: Confidential[str], value: str) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
        """The versions of a field's index, each with the token of a value.

        Raises: Malformed when the value is no identifier of that kind.
        """
        state = self._states.get(field.tag) or first(field)
        old, new = ((one.number, self._tokens.token(field.tag, one, value)) for one in state.asked)
        return old, new


def first(field: Confidential[Any]) -> State:
    """An index that nobody has written yet."""
    if field.index is None:
        raise TypeError(f"{field.tag} declares no blind index.")
    return State(Version(FIRST, field.index.normaliser))


def finder(ring: Keyring, tenant: Id, dialect: Dialect) -> Generator[Fetch, Rows, Finder]:
    """A finder, made of what a reading's own snapshot holds.

    Raises: KeyUnavailable; Tampered.
    """
    rows = yield _keys(dialect).fetch({"tenant": tenant})
    found = {Purpose(purpose): (epoch, bytes(wrapped)) for purpose, epoch, wrapped in rows}
    if not found:
        raise KeyUnavailable("The company has no keys here.", advice="Open the company first.")
    raw = ids.raw(tenant)
    root, kek = (WrappedKey(raw, purpose, *found[purpose]) for purpose in (Purpose.INDEX, Purpose.KEK))
    states = states_of((yield _states(dialect).fetch({"tenant": tenant})))
    return Finder(Tokens(index.Maker(ring.root(root, kek), raw)), states)


def states_of(rows: Iterable[Any]) -> dict[str, State]:
    """The states of a company's indexes by tag, out of their rows."""
    found: dict[str, State] = {}
    for tag, number, normaliser, building, building_normaliser in rows:
        new = None if building is None else Version(building, building_normaliser)
        found[tag] = State(Version(number, normaliser), new)
    return found


@cache
def _keys(dialect: Dialect) -> Statement:
    """The index root and the key that wraps it, of every epoch, the newest last."""
    own = vault_key.c
    select = sa.select(own.purpose, own.epoch, own.wrapped).where(
        own.tenant == sa.bindparam("tenant", type_=sa.Text),
        sa.or_(*(own.purpose == sa.literal_column(f"'{one.value}'") for one in (Purpose.INDEX, Purpose.KEK))),
    )
    return dialect.compile(select.order_by(own.epoch))


def selected() -> sa.Select[Any]:
    """The states of a company's indexes."""
    own = blind_index_state.c
    return sa.select(own.field_tag, own.ver, own.normaliser, own.building, own.building_normaliser).where(
        own.tenant == sa.bindparam("tenant", type_=sa.Text)
    )


@cache
def _states(dialect: Dialect) -> Statement:
    return dialect.compile(selected())
