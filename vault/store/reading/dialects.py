"""What differs between the two databases in a read: how a list is bound, text is ordered, and parameters stand."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.compiler import SQLCompiler

from domain.ports import Fetch


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement compiled once: its text, and the names of its own parameters in their order."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    def fetch(self, values: Mapping[str, Any]) -> Fetch:
        """The statement with the parameters it uses, and no others: asyncpg refuses an unused one."""
        known = {**self.constants, **values}
        return Fetch(self.sql, tuple(known[name] for name in self.names))


class Dialect(ABC):
    """One of the two databases, as reads need to know it."""

    name: ClassVar[str]

    @abstractmethod
    def among(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """The column is one of a list that is bound as one parameter, however long it is."""

    @abstractmethod
    def listed(self, values: Sequence[Any]) -> Any:
        """That one parameter."""

    @abstractmethod
    def contains(self, column: sa.ColumnElement[Any], part: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        """The text holds this part, letter by letter."""

    @abstractmethod
    def by_code_point(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """The text as it is ordered here and in Python alike, whatever the locale of the database."""

    @abstractmethod
    def compile(self, select: sa.Select[Any]) -> Statement:
        """The text of a select, its parameters by position."""


class Sqlite(Dialect):
    """SQLite through sqlite3: `?`, lists as JSON, text already ordered by its bytes."""

    name: ClassVar = "sqlite"
    _dialect: ClassVar = SQLiteDialect_pysqlite(paramstyle="qmark")

    def among(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """`IN` over the items of one JSON list."""
        items = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value")
        return column.in_(sa.select(items.c.value))

    def listed(self, values: Sequence[Any]) -> Any:
        """A JSON list."""
        return json.dumps(list(values), ensure_ascii=False)

    def contains(self, column: sa.ColumnElement[Any], part: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        """Unlike LIKE, `instr` knows no wildcards and no folding of case."""
        return sa.func.instr(column, part) > 0

    def by_code_point(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """UTF-8 bytes order as code points do."""
        return text

    def compile(self, select: sa.Select[Any]) -> Statement:
        """Question marks: a parameter used twice is given twice."""
        return _statement(select, self._dialect)


class Postgres(Dialect):
    """PostgreSQL through asyncpg: `$1`, lists as arrays, text ordered by the locale unless told otherwise."""

    name: ClassVar = "postgresql"
    _dialect: ClassVar = PGDialect_asyncpg()  # type: ignore[no-untyped-call] # its constructor is not annotated

    def among(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """`= ANY` of one array."""
        return column == sa.func.any(sa.bindparam(name, type_=ARRAY(column.type)))

    def listed(self, values: Sequence[Any]) -> Any:
        """A list, which asyncpg sends as an array."""
        return list(values)

    def contains(self, column: sa.ColumnElement[Any], part: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        """Unlike LIKE, `strpos` knows no wildcards."""
        return sa.func.strpos(column, part) > 0

    def by_code_point(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """The collation "C" compares UTF-8 bytes."""
        return text.collate("C")

    def compile(self, select: sa.Select[Any]) -> Statement:
        """Numbered parameters: one used twice is given once."""
        return _statement(select, self._dialect)


DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in (Sqlite(), Postgres())}
"""Both databases by the name SQLAlchemy knows them by."""


def _statement(select: sa.Select[Any], dialect: sa.Dialect) -> Statement:
    compiled = select.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("A select compiles to SQL.")
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Statement(str(compiled), tuple(compiled.positiontup or ()), constants)
