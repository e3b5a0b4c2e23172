"""The columns, indexes and keys that the declared tables are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa


class Instant(sa.types.TypeDecorator[datetime]):
    """A point in time: `timestamptz` on PostgreSQL; on SQLite text that sorts as time does."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Text on SQLite."""
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """An instant without its zone is no instant: it is refused, whatever the database would make of it."""
        if value is None:
            return None
        return instant_text(value) if dialect.name == "sqlite" else value.astimezone(_zone(value))

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """An aware instant, UTC."""
        del dialect
        return datetime.fromisoformat(value) if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def instant_text(value: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ`, the text of an instant on SQLite."""
    return value.astimezone(_zone(value)).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _zone(value: datetime) -> Any:
    if value.tzinfo is None:
        raise ValueError("An instant needs its time zone.")
    return UTC


WORDS: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text is compared by code point on both databases, so that its indexes give the order that pages are read in."""


def text(name: str, *, null: bool = False) -> sa.Column[Any]:
    """Words."""
    return sa.Column(name, WORDS, nullable=null)


def instant(name: str, *, null: bool = False) -> sa.Column[Any]:
    """An instant."""
    return sa.Column(name, Instant(), nullable=null)


def number(name: str) -> sa.Column[Any]:
    """A whole number."""
    return sa.Column(name, sa.BigInteger(), nullable=False)


def octets(name: str) -> sa.Column[Any]:
    """Bytes."""
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def index(name: str, *columns: str, unique: bool = False, current: bool = False) -> sa.Index:
    """An index; of current rows alone where that is said."""
    where = sa.text("superseded_at IS NULL") if current else None
    return sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def key(name: str, *columns: str) -> sa.PrimaryKeyConstraint:
    """The primary key of a table."""
    return sa.PrimaryKeyConstraint(*columns, name=f"{name}_key")
