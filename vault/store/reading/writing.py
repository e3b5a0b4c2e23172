"""Rows written as JSON text by the database itself, where nothing has to be opened or computed on the way.

A link is written inside its parent's own statement, so that a whole subtree costs no statement more. What is written
here is, letter by letter, what the reader's form would have made of the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from domain.ids import Id
from domain.money import EXPONENTS, Money
from domain.reading import Leaf, Level, Link, Linked, Listed, Page, Portion, Sheet, Total, Word, Wrapped
from domain.records import Children
from vault.store.reading import queries
from vault.store.reading.columns import Unsupported, held
from vault.store.reading.dialects import Dialect, Json
from vault.store.reading.queries import Kind

MOST_ENTRIES = 200
"""A statement that writes more than this is not made: SQLite bounds how deep an expression nests."""
USUAL_DIGITS = 2
"""The minor digits of most currencies."""


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
    if branches is None or level.reveals or level.masks or level.computed:
        return None
    found = Branch(level, link, prefix, branches)
    return found if _entries(found) <= MOST_ENTRIES else None


def written(level: Level, names: Names, dialect: Dialect) -> dict[str, Branch] | None:
    """The branches of a level whose rows can be written; None where they cannot."""
    if not level.sheets or level.reveals or level.masks or level.computed:
        return None
    if not all(_is_written(level, part, dialect) for sheet in level.sheets for _, part in sheet.entries):
        return None
    branches = {item.label: branch(item.what, names, dialect) for item in level.links}
    found = {label: one for label, one in branches.items() if one is not None}
    if len(found) < len(branches) or sum(map(_entries, found.values())) + _own(level) > MOST_ENTRIES:
        return None
    return found


def sheet(
    sheet_: Sheet, level: Level, branches: dict[str, Branch], of: sa.FromClause, kind: Kind, dialect: Dialect
) -> Json:
    """The text of one row on one sheet."""
    text = _Text(dialect)
    separator = "{"
    for key, part in sheet_.entries:
        text.say(f'{separator}"{key}":')
        separator = ","
        match part:
            case Word():
                text.say(f'"{part.text}"')
            case Leaf():
                text.add(_leaf(level, part.name, of, dialect))
            case Portion():
                text.add(_money(level, part, of, dialect))
            case Linked():
                text.add(link(branches[part.label], of, kind, dialect))
    text.say("{}" if separator == "{" else "}")
    return text.whole()


def link(branch_: Branch, parent: sa.FromClause, kind: Kind, dialect: Dialect) -> Json:
    """The text of what a link leads to."""
    level, page = branch_.level, branch_.level.page
    of = queries.source(level).alias(branch_.prefix)
    conditions = queries.conditions(level, kind, dialect, of, branch_.prefix)
    conditions.append(_leads(branch_.link, of, parent))
    if page is None or page.layout is None:
        text = sheet(level.sheets[0], level, branch_.branches, of, kind, dialect)
        one = sa.select(text).where(*conditions).correlate(parent).scalar_subquery()
        return sa.func.coalesce(one, sa.literal_column("'null'", sa.Text))
    whole = _Text(dialect)
    separator = "{"
    for key, part in page.layout:
        whole.say(f'{separator}"{key}":')
        separator = ","
        match part:
            case Word():
                whole.say(f'"{part.text}"')
            case Total():
                count = sa.select(sa.func.count()).select_from(of).where(*conditions).correlate(parent)
                whole.add(sa.cast(count.scalar_subquery(), sa.Text))
            case Listed():
                row = sheet(level.sheets[part.sheet], level, branch_.branches, of, kind, dialect)
                whole.add(_rows(branch_, of, row, conditions, parent, dialect))
            case Wrapped():
                row = _wrapped(part, branch_, of, kind, dialect)
                whole.add(_rows(branch_, of, row, conditions, parent, dialect))
    whole.say("{}" if separator == "{" else "}")
    return whole.whole()


def _wrapped(part: Wrapped, branch_: Branch, of: sa.FromClause, kind: Kind, dialect: Dialect) -> Json:
    text = _Text(dialect)
    separator = "{"
    for key, inner in part.entries:
        text.say(f'{separator}"{key}":')
        separator = ","
        if isinstance(inner, Word):
            text.say(f'"{inner.text}"')
        else:
            text.add(sheet(branch_.level.sheets[inner.sheet], branch_.level, branch_.branches, of, kind, dialect))
    text.say("{}" if separator == "{" else "}")
    return text.whole()


def _rows(
    branch_: Branch,
    of: sa.FromClause,
    row: Json,
    conditions: Sequence[queries.Condition],
    parent: sa.FromClause,
    dialect: Dialect,
) -> Json:
    """The texts of a page's rows, in their order."""
    ordered = [key.by(dialect, of) for key in queries.orders(branch_.level)]
    limit = sa.bindparam(f"{branch_.prefix}limit", type_=sa.Integer)
    inner = sa.select(row.label("text")).where(*conditions).order_by(*ordered).limit(limit)
    rows = inner.correlate(parent).subquery()
    text = _Text(dialect)
    text.say("[")
    together = sa.select(dialect.joined(rows.c.text)).scalar_subquery()
    text.add(sa.func.coalesce(together, sa.literal_column("''", sa.Text)))
    text.say("]")
    return text.whole()


def _leads(link_: Link, of: sa.FromClause, parent: sa.FromClause) -> queries.Condition:
    by = link_.by
    if isinstance(by, Children):
        return of.c[by.by] == parent.c[by.on]
    return of.c["id"] == parent.c[by.name]


def _leaf(level: Level, name: str, of: sa.FromClause, dialect: Dialect) -> Json:
    wanted = held(level.shape, name, of)
    column, type_ = wanted.columns[0], wanted.typed.type
    text = dialect.id(column) if wanted.fact.type is Id else dialect.written(column, type_)
    if text is None:
        raise Unsupported(f"{level.shape.name}.{name} cannot be written.")
    return sa.func.coalesce(text, sa.literal_column("'null'", sa.Text)) if wanted.typed.optional else text


def _money(level: Level, part: Portion, of: sa.FromClause, dialect: Dialect) -> Json:
    """An amount as exact decimal text, and its currency."""
    wanted = held(level.shape, part.name, of)
    minor, currency = wanted.columns
    text = _Text(dialect)
    separator = "{"
    for key, inner in part.entries:
        text.say(f'{separator}"{key}":"')
        separator = ","
        if isinstance(inner, Word):
            text.say(inner.text)
        else:
            text.add(_amount(minor, currency) if inner.name == "amount" else sa.type_coerce(currency, sa.Text))
        text.say('"')
    text.say("{}" if separator == "{" else "}")
    whole = text.whole()
    if not wanted.typed.optional:
        return whole
    return sa.case((minor.is_(None), sa.literal_column("'null'", sa.Text)), else_=whole)


def _amount(minor: sa.ColumnElement[int], currency: sa.ColumnElement[str]) -> Json:
    by_digits: dict[int, list[str]] = {}
    for code, digits in EXPONENTS.items():
        by_digits.setdefault(digits, []).append(code)
    unusual = [
        (currency.in_([sa.literal_column(f"'{code}'") for code in sorted(codes)]), _decimal(minor, digits))
        for digits, codes in sorted(by_digits.items())
        if digits != USUAL_DIGITS
    ]
    return sa.case(*unusual, else_=_decimal(minor, USUAL_DIGITS))


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


def _is_written(level: Level, part: object, dialect: Dialect) -> bool:
    match part:
        case Leaf():
            wanted = held(level.shape, part.name)
            return len(wanted.columns) == 1 and dialect.written(wanted.columns[0], wanted.typed.type) is not None
        case Portion():
            return held(level.shape, part.name).fact.type is Money
        case _:
            return True


def _within(page: Page, sheets: int) -> bool:
    """Whether every sheet that a page lists is there."""
    wanted = [part for _, part in page.layout or ()]
    inside = [inner for part in wanted if isinstance(part, Wrapped) for _, inner in part.entries]
    return all(part.sheet < sheets for part in (*wanted, *inside) if isinstance(part, Listed))


def _own(level: Level) -> int:
    return sum(len(one.entries) for one in level.sheets)


def _entries(branch_: Branch) -> int:
    return sum(_own(one.level) + 1 for one in branch_.all())


class _Text:
    """A text put together of constant and selected parts."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._parts: list[Json] = []
        self._said = ""

    def say(self, text: str) -> None:
        """Adds constant text."""
        self._said += text

    def add(self, part: Json) -> None:
        """Adds what a row holds."""
        self._flush()
        self._parts.append(part)

    def whole(self) -> Json:
        """All of it."""
        self._flush()
        whole = self._parts[0]
        for part in self._parts[1:]:
            whole = whole.concat(part)
        return whole

    def _flush(self) -> None:
        if self._said:
            # Keys are names of GraphQL and words are names of types: neither can hold a quote.
            self._parts.append(sa.literal_column(f"'{self._said}'", sa.Text))
            self._said = ""
