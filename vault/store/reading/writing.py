"""Rows written as JSON text by the database itself, where nothing has to be opened or computed on the way.

A link is written inside its parent's own statement, so that a whole subtree costs no statement more. What is written
here is, letter by letter, what the reader's form would have made of the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from itertools import groupby

import sqlalchemy as sa

from domain.ids import Id
from domain.money import EXPONENTS, Money
from domain.reading import Leaf, Level, Link, Linked, Listed, Page, Part, Portion, Sheet, Total, Word, Wrapped
from domain.records import Children, Shape
from vault.store.reading import queries
from vault.store.reading.columns import Unsupported, held, named, source, spelled
from vault.store.reading.dialects import Dialect, Json
from vault.store.reading.queries import Kind

MOST_ENTRIES = 200
"""A statement that writes more than this is not made: SQLite bounds how deep an expression nests."""
USUAL_DIGITS = 2
"""The minor digits of most currencies."""
ROW = "row_written"
"""What a leaf calls its table before the statement does."""


@dataclass(frozen=True, slots=True)
class Sql:
    """JSON text that a statement puts together, as it is spelled."""

    text: str


Said = Sql | Json
"""JSON text of a row, spelled where that is possible: most of it is, and costs little to put together."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A linked level that is written in its parent's statement, under names that no other level's parameters have."""

    level: Level
    link: Link
    prefix: str
    branches: dict[str, Branch]

    def all(self) -> Iterator[Branch]:
        """This branch and every one beneath it."""
        yield self
        for branch in self.branches.values():
            yield from branch.all()


class Names:
    """Names of levels, each given once."""

    def __init__(self) -> None:
        self._given = 0

    def next(self) -> str:
        """A name that was not given yet."""
        self._given += 1
        return f"n{self._given}"


def branch(link: Link, names: Names, dialect: Dialect) -> Branch | None:
    """The branch of a link; None where it has to be walked.

    Walked are links that report whose rows they met, pages that tell where they stand, and every level with something
    to open or to compute.
    """
    level, page = link.level, link.level.page
    listed = (page.layout is not None and _within(page, len(level.sheets))) if page else len(level.sheets) == 1
    if not link.by.same_subject or not listed:
        return None
    prefix = names.next()
    branches = written(level, names, dialect) if level.sheets else {}
    if branches is None or level.reveals or level.masks or level.computed or level.sought:
        return None
    found = Branch(level, link, prefix, branches)
    return found if _entries(found) <= MOST_ENTRIES else None


def written(level: Level, names: Names, dialect: Dialect) -> dict[str, Branch] | None:
    """The branches of a level whose rows can be written; None where they cannot."""
    if not level.sheets or level.reveals or level.masks or level.computed:
        return None
    if not all(_is_written(level.shape, part, dialect) for sheet in level.sheets for _, part in sheet.entries):
        return None
    branches = {item.label: branch(item.what, names, dialect) for item in level.links}
    found = {label: one for label, one in branches.items() if one is not None}
    if len(found) < len(branches) or sum(map(_entries, found.values())) + _own(level) > MOST_ENTRIES:
        return None
    return found


def sheet(sheet_: Sheet, level: Level, branches: dict[str, Branch], of: str, kind: Kind, dialect: Dialect) -> Said:
    """The text of one row on one sheet."""

    def part(held_: Part) -> Said | str:
        match held_:
            case Word(text=text):
                return f'"{text}"'
            case Leaf(name=name):
                return Sql(_leaf(level.shape, name, dialect).replace(f"{ROW}.", f"{of}."))
            case Portion():
                return Sql(_money(level.shape, held_, dialect).replace(f"{ROW}.", f"{of}."))
            case Linked(label=label):
                return link(branches[label], of, kind, dialect)

    return _object((key, part(one)) for key, one in sheet_.entries)


def link(branch_: Branch, parent: str, kind: Kind, dialect: Dialect) -> Json:
    """The text of what a link leads to; its columns are text, so nothing needs to be correlated."""
    level, page, of = branch_.level, branch_.level.page, branch_.prefix
    conditions = queries.conditions(level, kind, dialect, of, of)
    conditions.append(_leads(branch_.link, of, parent))
    table = source(level.shape, of)

    def row(on: int) -> Said:
        return sheet(level.sheets[on], level, branch_.branches, of, kind, dialect)

    def part(held_: Word | Listed | Wrapped | Total) -> Said | str:
        match held_:
            case Word(text=text):
                return f'"{text}"'
            case Total():
                count = sa.select(sa.func.count()).select_from(table).where(*conditions)
                return sa.cast(count.scalar_subquery(), sa.Text)
            case Listed(sheet=on):
                return _rows(branch_, row(on), conditions, dialect)
            case Wrapped(entries=entries):
                inside = ((key, f'"{one.text}"' if isinstance(one, Word) else row(one.sheet)) for key, one in entries)
                return _rows(branch_, _object(inside), conditions, dialect)

    if page is None or page.layout is None:
        one = sa.select(element(row(0))).select_from(table).where(*conditions).scalar_subquery()
        return sa.func.coalesce(one, NULL)
    return element(_object((key, part(one)) for key, one in page.layout))


def _rows(branch_: Branch, row: Said, conditions: Sequence[queries.Condition], dialect: Dialect) -> Said:
    """The texts of a page's rows, in their order."""
    level, of = branch_.level, branch_.prefix
    limit = sa.bindparam(f"{of}limit", type_=sa.Integer)
    inner = sa.select(element(row).label("text")).select_from(source(level.shape, of))
    rows = inner.where(*conditions).order_by(*queries.ordered(level, of, dialect)).limit(limit).subquery(f"{of}rows")
    text = sa.literal_column(f"{of}rows.text", sa.Text)
    together = sa.select(dialect.joined(text)).select_from(rows).scalar_subquery()
    return _joined(["[", sa.func.coalesce(together, EMPTY), "]"])


def _leads(link_: Link, of: str, parent: str) -> queries.Condition:
    by = link_.by
    own, theirs = (by.by, by.on) if isinstance(by, Children) else ("id", by.name)
    return sa.text(f"{of}.{own} = {parent}.{theirs}")


@cache
def _leaf(shape: Shape, name: str, dialect: Dialect) -> str:
    """The text of a fact of `ROW`, spelled once."""
    wanted = named(shape, name, ROW)
    column, type_ = wanted.columns[0], wanted.typed.type
    text = dialect.id(column) if wanted.fact.type is Id else dialect.written(column, type_)
    if text is None:
        raise Unsupported(f"{shape.name}.{name} cannot be written.")
    return _spelled(sa.func.coalesce(text, NULL) if wanted.typed.optional else text, dialect)


def _money(shape: Shape, part: Portion, dialect: Dialect) -> str:
    """An amount of `ROW` as exact decimal text, and its currency."""
    wanted = named(shape, part.name, ROW)
    minor, currency = (spelled(ROW, column) for column in held(shape, part.name).columns)

    def text(inner: Word | Leaf) -> Said | str:
        if isinstance(inner, Word):
            return f'"{inner.text}"'
        plain = _amount(shape, part.name, dialect) if inner.name == "amount" else currency
        return _joined(['"', Sql(plain), '"'])

    whole = _object((key, text(inner)) for key, inner in part.entries)
    if not isinstance(whole, Sql):
        raise TypeError("An amount is spelled whole.")
    return f"CASE WHEN {minor} IS NULL THEN 'null' ELSE {whole.text} END" if wanted.typed.optional else whole.text


@cache
def _amount(shape: Shape, name: str, dialect: Dialect) -> str:
    minor, currency = named(shape, name, ROW).columns
    by_digits: dict[int, list[str]] = {}
    for code, digits in EXPONENTS.items():
        by_digits.setdefault(digits, []).append(code)
    unusual = [
        (currency.in_([sa.literal_column(f"'{code}'") for code in sorted(codes)]), _decimal(minor, digits))
        for digits, codes in sorted(by_digits.items())
        if digits != USUAL_DIGITS
    ]
    return _spelled(sa.case(*unusual, else_=_decimal(minor, USUAL_DIGITS)), dialect)


def _spelled(text: Json, dialect: Dialect) -> str:
    statement = dialect.compile(text)
    if statement.names:
        raise TypeError("What is spelled once holds no parameters.")
    return statement.sql


def _decimal(minor: sa.ColumnElement[int], digits: int) -> Json:
    """Minor units as major units; a leading one keeps the zeros of the fraction until it is cut off."""
    if digits == 0:
        return sa.cast(minor, sa.Text)
    one = sa.literal_column(str(10**digits), sa.BigInteger)
    size = sa.func.abs(minor, type_=sa.BigInteger)
    sign = sa.case((minor < sa.literal_column("0"), sa.literal_column("'-'", sa.Text)), else_=sa.literal_column("''"))
    fraction = sa.func.substr(sa.cast(one + size % one, sa.Text), sa.literal_column("2"), type_=sa.Text)
    return (
        sa.type_coerce(sign, sa.Text)
        .concat(sa.cast(size // one, sa.Text))
        .concat(sa.literal_column("'.'", sa.Text))
        .concat(fraction)
    )


def _is_written(shape: Shape, part: object, dialect: Dialect) -> bool:
    match part:
        case Leaf():
            return _is_leaf(shape, part.name, dialect)
        case Portion():
            return held(shape, part.name).fact.type is Money
        case _:
            return True


@cache
def _is_leaf(shape: Shape, name: str, dialect: Dialect) -> bool:
    wanted = held(shape, name)
    return len(wanted.columns) == 1 and dialect.written(wanted.columns[0], wanted.typed.type) is not None


def _within(page: Page, sheets: int) -> bool:
    """Whether every sheet that a page lists is there."""
    wanted = [part for _, part in page.layout or ()]
    inside = [inner for part in wanted if isinstance(part, Wrapped) for _, inner in part.entries]
    return all(part.sheet < sheets for part in (*wanted, *inside) if isinstance(part, Listed))


def _own(level: Level) -> int:
    return sum(len(one.entries) for one in level.sheets)


def _entries(branch_: Branch) -> int:
    return sum(_own(one.level) + 1 for one in branch_.all())


def _object(entries: Iterable[tuple[str, Said | str]]) -> Said:
    """An object of texts under their keys; a text of our own is constant."""
    parts: list[Said | str] = []
    for key, text in entries:
        parts += [f'{"," if parts else "{"}"{key}":', text]
    return _joined([*parts, "}" if parts else "{}"])


def _joined(parts: Iterable[Said | str]) -> Said:
    """One text of constant, spelled and selected parts; those that are text side by side are one.

    A constant needs no escapes: keys are names of GraphQL and words are names of types, neither can hold a quote.
    """
    joined: list[Json] = []
    spelled_: list[str] = []
    for constant, run in groupby(parts, lambda part: isinstance(part, str)):
        for part in [f"'{''.join(map(str, run))}'"] if constant else run:
            if isinstance(part, str | Sql):
                spelled_.append(part if isinstance(part, str) else part.text)
                continue
            joined += [*_texts(spelled_), part]
            spelled_.clear()
    if not joined:
        return Sql(" || ".join(spelled_))
    return reduce(lambda whole, part: whole.concat(part), [*joined, *_texts(spelled_)])


def _texts(spelled_: Sequence[str]) -> list[Json]:
    return [element(Sql(" || ".join(spelled_)))] if spelled_ else []


def element(said: Said) -> Json:
    """Text as a part of a statement."""
    return sa.literal_column(said.text, sa.Text) if isinstance(said, Sql) else said


NULL, EMPTY = element(Sql("'null'")), element(Sql("''"))
