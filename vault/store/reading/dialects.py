"""What differs between the two databases in a read: how a list is bound, text is ordered, and parameters stand."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, ClassVar, get_args, get_origin

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.compiler import SQLCompiler

from domain.ports import Fetch

Json = sa.ColumnElement[str]
"""JSON text, as a statement puts it together."""


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
    _naming: ClassVar[sa.Dialect]
    """The same with parameters by name and no casts, as text in a statement holds them."""

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
    def joined(self, texts: sa.ColumnElement[str]) -> Json:
        """The texts of all rows, in the order they come in, with a comma between them."""

    def written(self, column: sa.ColumnElement[Any], type_: Any) -> Json | None:
        """A value as JSON text; null may stay null. None for a type that is not written."""
        if get_origin(type_) is tuple:
            item = get_args(type_)[0]
            # A list is kept as canonical JSON, whose spelling of texts and whole numbers is the answer's own.
            return sa.type_coerce(column, sa.Text) if _is_scalar(item) else None
        if not isinstance(type_, type):
            return None
        if issubclass(type_, bool):
            true, false = (sa.literal_column(f"'{word}'", sa.Text) for word in ("true", "false"))
            return sa.case((column.is_(None), sa.null()), (column, true), else_=false)
        if issubclass(type_, int):
            return sa.cast(column, sa.Text)
        if issubclass(type_, datetime):
            return _quoted(self.instant(column))
        if issubclass(type_, date):
            return _quoted(self.day(column))
        if issubclass(type_, Enum):
            return _quoted(sa.type_coerce(column, sa.Text))  # words of a list need no escapes
        return self.text(column) if issubclass(type_, str) else None

    def id(self, column: sa.ColumnElement[Any]) -> Json:
        """An id in quotes; it needs no escapes."""
        return _quoted(sa.type_coerce(column, sa.Text))

    @abstractmethod
    def text(self, column: sa.ColumnElement[Any]) -> Json:
        """Text in quotes, escaped as JSON asks and no more."""

    @abstractmethod
    def instant(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """RFC 3339 in UTC with microseconds."""

    @abstractmethod
    def day(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """ISO 8601."""

    def spelled(self, part: sa.ColumnElement[Any]) -> sa.TextClause:
        """A part of a statement as text with its parameters: what is said again and again is compiled once."""
        compiled = part.compile(dialect=self._naming)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError("An expression compiles to SQL.")
        return sa.text(str(compiled)).bindparams(*compiled.binds.values())

    @abstractmethod
    def compile(self, select: sa.ClauseElement) -> Statement:
        """The text of a select, or of an expression, its parameters by position."""


class Sqlite(Dialect):
    """SQLite through sqlite3: `?`, lists as JSON, text already ordered by its bytes."""

    name: ClassVar = "sqlite"
    _dialect: ClassVar = SQLiteDialect_pysqlite(paramstyle="qmark")
    _naming: ClassVar = SQLiteDialect_pysqlite(paramstyle="named")

    def among(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """`IN` over the items of one JSON list."""
        items = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value")
        return column.in_(sa.select(items.c.value))

    def listed(self, values: Sequence[Any]) -> Any:
        """A JSON list."""
        return json.dumps(list(values), ensure_ascii=False)

    def contains(self, column: sa.ColumnElement[Any], part: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        """Unlike LIKE, `instr` knows no wildcards and no folding of case."""
        return sa.func.instr(column, part) > sa.literal_column("0")

    def by_code_point(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """UTF-8 bytes order as code points do."""
        return text

    def joined(self, texts: sa.ColumnElement[str]) -> Json:
        """`group_concat` takes rows as they come."""
        return sa.func.group_concat(texts, sa.literal_column("','"), type_=sa.Text)

    def text(self, column: sa.ColumnElement[Any]) -> Json:
        """`json_quote`, which makes the word of null too."""
        return sa.func.json_quote(column, type_=sa.Text)

    def instant(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """It is kept as it is printed."""
        return sa.type_coerce(column, sa.Text)

    def day(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """It is kept as it is printed."""
        return sa.type_coerce(column, sa.Text)

    def compile(self, select: sa.ClauseElement) -> Statement:
        """Question marks: a parameter used twice is given twice."""
        return _statement(select, self._dialect)


class Postgres(Dialect):
    """PostgreSQL through asyncpg: `$1`, lists as arrays, text ordered by the locale unless told otherwise."""

    name: ClassVar = "postgresql"
    _naming: ClassVar = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call] # its constructor is not annotated
    _dialect: ClassVar = PGDialect_asyncpg()  # type: ignore[no-untyped-call] # its constructor is not annotated

    def among(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """`= ANY` of one array."""
        return column == sa.func.any(sa.bindparam(name, type_=ARRAY(column.type)))

    def listed(self, values: Sequence[Any]) -> Any:
        """A list, which asyncpg sends as an array."""
        return list(values)

    def contains(self, column: sa.ColumnElement[Any], part: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        """Unlike LIKE, `strpos` knows no wildcards."""
        return sa.func.strpos(column, part) > sa.literal_column("0")

    def by_code_point(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """The collation "C" compares UTF-8 bytes."""
        return text.collate("C")

    def joined(self, texts: sa.ColumnElement[str]) -> Json:
        """`string_agg` takes rows as they come."""
        return sa.func.string_agg(texts, sa.literal_column("','"), type_=sa.Text)

    def text(self, column: sa.ColumnElement[Any]) -> Json:
        """`to_json` escapes what JSON asks for."""
        return sa.cast(sa.func.to_json(column), sa.Text)

    def instant(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """Its own text would follow the session's time zone, and drop zeros."""
        form: sa.ColumnElement[str] = sa.literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")
        return sa.func.to_char(sa.func.timezone(sa.literal_column("'UTC'"), column), form, type_=sa.Text)

    def day(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """Its text, in the date style that every connection of ours asks for."""
        return sa.cast(column, sa.Text)

    def compile(self, select: sa.ClauseElement) -> Statement:
        """Numbered parameters: one used twice is given once."""
        return _statement(select, self._dialect)


DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in (Sqlite(), Postgres())}
"""Both databases by the name SQLAlchemy knows them by."""


def _quoted(text: sa.ColumnElement[str]) -> Json:
    quote = sa.literal_column("""'"'""", sa.Text)
    return quote.concat(text).concat(quote)


def _is_scalar(type_: Any) -> bool:
    plain = getattr(type_, "__supertype__", type_)
    return isinstance(plain, type) and issubclass(plain, str | Enum)


def _statement(select: sa.ClauseElement, dialect: sa.Dialect) -> Statement:
    compiled = select.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("A select compiles to SQL.")
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Statement(str(compiled), tuple(compiled.positiontup or ()), constants)
