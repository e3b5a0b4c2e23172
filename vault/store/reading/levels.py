"""One level of a reading, compiled: its statements, and how its rows become one part of the answer."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from domain.ports import Fetch, Rows
from domain.reading import Level, Link, Written
from domain.records import SHAPES, Children, Fact
from vault.store.reading import queries
from vault.store.reading.columns import Held, Unsupported, named
from vault.store.reading.dialects import Dialect, Statement
from vault.store.reading.gathering import Gathering
from vault.store.reading.places import INDEX, Places, offered
from vault.store.reading.queries import Kind, Query
from vault.store.reading.rows import Cell, Raw, Row, RowForm, Selection
from vault.store.reading.sealed import SealedCells
from vault.store.reading.texts import Texts
from vault.store.reading.values import Cursors, page_size

Answers = dict[Any, Any]
"""The answer of a level for each of its parents; the one parent of a root is None."""
ROOT: Sequence[Any] = (None,)


@dataclass(frozen=True, slots=True)
class Way:
    """A link of a level: under which label, by which of its columns, to what."""

    label: str
    cell: Cell
    plan: LevelPlan


class LevelPlan:
    """A level that is compiled: it reads the rows of all its parents with the same few statements."""

    def __init__(self, level: Level, dialect: Dialect, link: Link | None = None) -> None:
        self._dialect = dialect
        self._page = level.page
        self._reports = link is None or not link.by.same_subject
        self._root = link is None
        self._sought = level.sought
        if self._sought and link is not None:
            raise Unsupported(f"{level.shape.name} is looked up at a root alone.")
        by = _by(level, link)
        asked = Selection(level)
        self._by = asked.cell(by.fact.name) if by else None
        self._id, self._subject = asked.cell("id"), asked.cell("subject_id")
        keys = queries.orders(level, level.shape.table)
        self._keys = tuple(asked.cell(key.held.fact.name) for key in keys) if level.page else ()
        self._after = tuple((key.name, key.held.placed(dialect)) for key in keys)
        self._cursors = Cursors(tuple(key.held.typed for key in keys), level.shape.prefix)
        self._computed = tuple(
            (item.label, item.what.batch, tuple(asked.cell(need) for need in item.what.needs))
            for item in level.computed
        )
        many = link is not None and isinstance(link.by, Children)
        self._texts = Texts(level, dialect, many=many)
        self._form = None if self._texts.whole else RowForm(level, asked)
        walked = [item for item in level.links if item.label not in self._texts.branches]
        self._ways = tuple(_way(level, item.label, item.what, asked, dialect) for item in walked)
        self._cells = SealedCells(level, dialect)
        self._filled = (*queries.filled(level, dialect), *self._texts.filled)
        self._at = len(asked.columns)
        self._places = Places(level, dialect) if offered(level, root=self._root) else None
        self._query = Query(level, dialect, by, many, asked.columns, self._texts.of, self._places is not None)
        self._statements: dict[Kind, tuple[Statement, Statement | None]] = {}
        # Compiled now, so that what cannot be compiled is known before anything runs.
        self._statement(
            Kind(partner=False, subject=False, after=self._page is not None and self._page.after is not None)
        )

    @property
    def statements(self) -> int:
        """How many statements it takes at least, those of the levels beneath it included."""
        total = self._page is not None and self._page.wants_total
        placed = self._places is not None
        return 1 + placed + total + bool(self._cells.asked) + sum(way.plan.statements for way in self._ways)

    def read(self, run: Gathering, parents: Sequence[Any] = ROOT) -> Generator[Fetch, Rows, Answers]:
        """The answer for every parent, and everything beneath it."""
        size = page_size(run.arguments[self._page.size.index], self._page.maximum) if self._page else 0
        values, kind = self._values(run, parents, size)
        statement, total = self._statement(kind)
        if self._places is None:
            groups = self._grouped((yield statement.fetch(values)))
        else:
            groups = {None: (yield from self._walked(self._places, run, statement, values, size))}
        kept: list[tuple[Raw, Any]] = []
        answers = {parent: self._answer(groups.get(parent, ()), size, kind, kept) for parent in parents}
        if total is not None:
            counted = yield from self._counted(run, values)
            self._count(answers, (yield total.fetch(values)) if counted is None else [(counted,)])
        if self._reports:
            ids = [self._id.of(raw) for raw, _ in kept] if self._root else ()
            run.meet([self._subject.of(raw) for raw, _ in kept], ids)
        if self._cells.asked:
            owners = {self._id.of(raw): (self._subject.of(raw), row) for raw, row in kept}
            yield from self._cells.load(run, owners)
        self._compute(kept, run)
        for way in self._ways:
            theirs = [way.cell.of(raw) for raw, _ in kept]
            found = yield from way.plan.read(run, list(dict.fromkeys(key for key in theirs if key is not None)))
            for (_, row), key in zip(kept, theirs, strict=True):
                row[way.label] = found.get(key)
        return answers

    def _counted(self, run: Gathering, values: Row) -> Generator[Fetch, Rows, int | None]:
        """How many entries of the log there are by their places alone; None where they have to be counted."""
        if self._places is None or run.scope.partner is not None or run.scope.subject is not None:
            return None
        return (yield from self._places.count(run.arguments, values))

    def _walked(
        self, places: Places, run: Gathering, statement: Statement, values: Row, size: int
    ) -> Generator[Fetch, Rows, list[Raw]]:
        """The rows of a page of the log, read at the places its conditions lead to."""
        after = values.get(self._after[0][0])
        ask = partial(_at, statement, values)
        return (yield from places.read(run.arguments, values, after, size, ask))

    def _statement(self, kind: Kind) -> tuple[Statement, Statement | None]:
        """The statements of one kind of run, compiled when first needed."""
        if kind not in self._statements:
            wants_total = self._page is not None and self._page.wants_total
            self._statements[kind] = (self._query.rows(kind), self._query.total(kind) if wants_total else None)
        return self._statements[kind]

    def _values(self, run: Gathering, parents: Sequence[Any], size: int) -> tuple[Row, Kind]:
        """Every parameter by its name, and the kind of statement they are for."""
        scope = run.scope
        values: Row = {"tenant": scope.tenant, "limit": size + 1, "partner": scope.partner, "subject": scope.subject}
        if scope.reach is not None:
            values |= {f"reach_{name}": getattr(scope.reach, name) for name in ("owner", "department", "only")}
        values |= {item.name: item.convert(run.arguments[item.slot]) for item in self._filled}
        values |= {name: page_size(run.arguments[slot], most) for name, slot, most in self._texts.limits}
        values |= self._looked_up(run)
        if not self._root:
            values["parents"] = self._dialect.listed(parents)
        after = run.arguments[self._page.after.index] if self._page and self._page.after else None
        if after is not None:
            cursor = self._cursors.read(after)
            values |= {name: convert(value) for (name, convert), value in zip(self._after, cursor, strict=True)}
        return values, Kind(
            scope.partner is not None, scope.subject is not None, after is not None, queries.Limit.of(scope.reach)
        )

    def _looked_up(self, run: Gathering) -> Row:
        """The versions and tokens of what is looked up."""
        values: Row = {}
        for place, one in enumerate(self._sought):
            if run.finder is None:
                raise TypeError("A reading that looks something up is run with a finder.")
            pairs = run.finder.asked(one.field, run.arguments[one.value.index])
            for names, pair in zip(queries.SOUGHT, pairs, strict=True):
                values |= {f"sought{place}{name}": value for name, value in zip(names, pair, strict=True)}
        return values

    def _grouped(self, rows: Rows) -> dict[Any, list[Raw]]:
        """The rows of each parent, in their order."""
        groups: dict[Any, list[Raw]] = {}
        for raw in rows:
            groups.setdefault(self._by.of(raw) if self._by else None, []).append(raw)
        return groups

    def _answer(self, raws: Sequence[Raw], size: int, kind: Kind, kept: list[tuple[Raw, Any]]) -> Any:
        """A page of rows, or the one record; what is shown is kept for the steps that follow."""
        made = [(raw, self._row(raw)) for raw in raws[: size or 1]]
        kept += made
        if self._page is None:
            return made[0][1] if made else None
        return {
            "rows": [row for _, row in made],
            "cursors": [self._cursors.write([key.of(raw) for key in self._keys]) for raw, _ in made]
            if self._page.wants_cursors
            else [],
            "more": len(raws) > size,
            "earlier": kind.after,
            "total": 0 if self._page.wants_total else None,
        }

    def _row(self, raw: Raw) -> Any:
        """A row of the answer, or its texts where the database has written it."""
        if self._form is None:
            return Written(raw[self._at]) if self._page is None else tuple(raw[self._at :])
        row = self._form.row(raw)
        self._cells.leave_room(row)
        for at, label in enumerate(self._texts.branches, self._at):
            held = raw[at]
            row[label] = None if held == "null" else Written(held)
        return row

    def _count(self, answers: Answers, rows: Rows) -> None:
        for counted in rows:
            answers[counted[0] if self._by else None]["total"] = counted[-1]

    def _compute(self, kept: Sequence[tuple[Raw, Any]], run: Gathering) -> None:
        """Every computed field, once for all rows of the level."""
        for label, batch, needs in self._computed:
            made = batch([tuple(cell.of(raw) for cell in needs) for raw, _ in kept], run.today)
            for (_, row), value in zip(kept, made, strict=True):
                row[label] = value


def _at(statement: Statement, values: Row, places: Any) -> Fetch:
    return statement.fetch({**values, INDEX: places})


def _by(level: Level, link: Link | None) -> Held | None:
    """The column of a level in which its parents are found.

    Raises: Unsupported when the link does not lead there.
    """
    if link is None:
        return None
    if link.by.target is None or SHAPES[link.by.target] is not level.shape:
        raise Unsupported(f"{link.by.name} does not lead to {level.shape.name}.")
    if isinstance(link.by, Children):
        return named(level.shape, link.by.by, level.shape.table)
    if level.page is not None:
        raise Unsupported(f"{link.by.name} leads to one record, which has no pages.")
    return named(level.shape, "id", level.shape.table)


def _way(level: Level, label: str, link: Link, asked: Selection, dialect: Dialect) -> Way:
    own = link.by.on if isinstance(link.by, Children) else link.by.name
    declared: Children | Fact | None = level.shape.children.get(link.by.name) or level.shape.facts.get(link.by.name)
    if declared != link.by:
        raise Unsupported(f"{level.shape.name} declares no link {link.by.name}.")
    return Way(label, asked.cell(own), LevelPlan(link.level, dialect, link))
