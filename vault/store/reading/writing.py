"""Rows written as JSON text by the database itself, where nothing has to be opened or computed on the way.

A link is written inside its parent's own statement, so that a whole subtree costs no statement more. What is written
here is, letter by letter, what the reader's form would have made of the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import sqlalchemy as sa

from domain.ids import Id
from domain.money import EXPONENTS, Money
from domain.reading import Leaf, Level, Link, Linked, Listed, Page, Part, Portion, Sheet, Total, Word, Wrapped
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

    def part(held_: Part) -> Json | str:
        match held_:
            case Word(text=text):
                return f'"{text}"'
            case Leaf(name=name):
                return _leaf(level, name, of, dialect)
            case Portion():
                return _money(level, held_, of)
            case Linked(label=label):
                return link(branches[label], of, kind, dialect)

    return _object((key, part(one)) for key, one in sheet_.entries)


def link(branch_: Branch, parent: sa.FromClause, kind: Kind, dialect: Dialect) -> Json:
    """The text of what a link leads to."""
    level, page = branch_.level, branch_.level.page
    of = queries.source(level).alias(branch_.prefix)
    conditions = queries.conditions(level, kind, dialect, of, branch_.prefix)
    conditions.append(_leads(branch_.link, of, parent))

    def row(on: int) -> Json:
        return sheet(level.sheets[on], level, branch_.branches, of, kind, dialect)

    def part(held_: Word | Listed | Wrapped | Total) -> Json | str:
        match held_:
            case Word(text=text):
                return f'"{text}"'
            case Total():
                count = sa.select(sa.func.count()).select_from(of).where(*conditions).correlate(parent)
                return sa.cast(count.scalar_subquery(), sa.Text)
            case Listed(sheet=on):
                return _rows(branch_, of, row(on), conditions, parent, dialect)
            case Wrapped(entries=entries):
                inside = ((key, f'"{one.text}"' if isinstance(one, Word) else row(one.sheet)) for key, one in entries)
                return _rows(branch_, of, _object(inside), conditions, parent, dialect)

    if page is None or page.layout is None:
        one = sa.select(row(0)).where(*conditions).correlate(parent).scalar_subquery()
        return sa.func.coalesce(one, _said("null"))
    return _object((key, part(one)) for key, one in page.layout)


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
    together = sa.select(dialect.joined(rows.c.text)).scalar_subquery()
    return _joined(["[", sa.func.coalesce(together, _said("")), "]"])


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
    return sa.func.coalesce(text, _said("null")) if wanted.typed.optional else text


def _money(level: Level, part: Portion, of: sa.FromClause) -> Json:
    """An amount as exact decimal text, and its currency."""
    wanted = held(level.shape, part.name, of)
    minor, currency = wanted.columns

    def text(inner: Word | Leaf) -> Json | str:
        if isinstance(inner, Word):
            return f'"{inner.text}"'
        plain = _amount(minor, currency) if inner.name == "amount" else sa.type_coerce(currency, sa.Text)
        return _joined(['"', plain, '"'])

    whole = _object((key, text(inner)) for key, inner in part.entries)
    return sa.case((minor.is_(None), _said("null")), else_=whole) if wanted.typed.optional else whole


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


def _object(entries: Iterable[tuple[str, Json | str]]) -> Json:
    """An object of texts under their keys; a text of our own is constant."""
    parts: list[Json | str] = []
    for key, text in entries:
        parts += [f'{"," if parts else "{"}"{key}":', text]
    return _joined([*parts, "}" if parts else "{}"])


def _joined(parts: Iterable[Json | str]) -> Json:
    """One text of constant and selected parts; constant ones side by side are one."""
    joined: list[Json] = []
    constant = ""
    for part in parts:
        if isinstance(part, str):
            constant += part
            continue
        joined += [_said(constant), part] if constant else [part]
        constant = ""
    if constant:
        joined.append(_said(constant))
    return reduce(lambda whole, part: whole.concat(part), joined)


def _said(text: str) -> Json:
    """Constant text. Keys are names of GraphQL and words are names of types: neither can hold a quote."""
    return sa.literal_column(f"'{text}'", sa.Text)
