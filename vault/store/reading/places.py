"""The places of the log at which conditions hold, found by the rows of `ledger.terms` before any entry is read.

What is found is never too little; that it is not too much the entries themselves say, which are read by these places
under all conditions. So a long value, a bound in time or an entry that is gone needs no care here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import sqlalchemy as sa

from domain.files.trail import AuditEntry
from domain.ports import Fetch, Rows
from domain.reading import Level, Where
from vault.store.ledger import terms
from vault.store.ledger.terms import STRETCH
from vault.store.reading.columns import Convert, held
from vault.store.reading.dialects import Dialect, Statement
from vault.store.tables import audit_batch, audit_posting, audit_stretch, audit_term

INDEX: Final = "log_index"
"""The fact that the places of the log are in, and the order in which they are walked."""
WINDOWS: Final = (4, 32, 256)
"""How many stretches are looked at first, then, and from then on."""
MOST: Final = 500
"""How many places one statement reads at most."""
_LAST: Final = 2**50
"""No log has as many stretches."""
_FOUND_BY: Final = frozenset({"=", "in", "contains"})

Ask = Callable[[Any], Fetch]
"""The statement that reads the entries at some places."""


@dataclass(frozen=True, slots=True)
class _Term:
    """A condition on a fact that is found by its value."""

    name: str
    operator: str
    fact: str
    slot: int
    convert: Convert
    values: Statement | None
    """Which values hold a part, where only a part of them is asked for."""
    rows: Statement
    """Its places in some stretches."""

    def wanted(self, arguments: Sequence[Any]) -> list[str]:
        """The values asked for, or the one part of them."""
        given = arguments[self.slot]
        many = (given or ()) if self.operator == "in" else (given,)
        return [terms.kept(self.convert(one)) for one in many]


class Places:
    """One level's walk along the log."""

    def __init__(self, level: Level, dialect: Dialect) -> None:
        self._dialect = dialect
        self._descending = level.order[0][1]
        wheres = list(enumerate(level.where))
        self._terms = [_term(at, one, dialect) for at, one in wheres if _is_term(one)]
        self._named = [(f"named{at}", one.value.index) for at, one in wheres if one.operator == "has"]
        self._least = [one.value.index for _, one in wheres if (one.column, one.operator) == (INDEX, ">=")]
        self._postings = _postings(dialect)
        times = [(at, one) for at, one in wheres if one.column == "at"]
        self._span = dialect.compile(_span(times)) if times else None
        self._stretches = dialect.compile(self._select())
        self._exact = all(_is_term(one) or one.operator == "has" for one in level.where)
        first = sa.select(sa.func.min(audit_batch.c.first_index)).where(_tenant(audit_batch.c))
        self._first = dialect.compile(first)

    def read(
        self, arguments: Sequence[Any], values: Mapping[str, Any], after: int | None, size: int, ask: Ask
    ) -> Generator[Fetch, Rows, list[Any]]:
        """The rows at the places found, behind a place, until there are so many or no more."""
        known, named = yield from self._known(arguments, values)
        if known is None:
            return []
        start, least, most = self._start(arguments, after), 0, _LAST
        if self._span is not None:
            ((first, last),) = yield self._span.fetch(known)
            if first is None:
                return []
            least, most = first, last
        start = min(start, (most + 1) * STRETCH - 1) if self._descending else max(start, least * STRETCH)
        known["end"] = least if self._descending else most
        found: list[Any] = []
        for window in _windows():
            known |= {"position": start // STRETCH, "window": window}
            stretches = [row[0] for row in (yield self._stretches.fetch(known))]
            places = yield from self._places(stretches, known, named)
            for part in _parts(self._behind(places, start)):
                found += yield ask(self._dialect.listed(part))
                if len(found) > size:
                    return found
            if len(stretches) < window:
                return found
            start = (stretches[-1] * STRETCH - 1) if self._descending else (stretches[-1] + 1) * STRETCH
            if start < 0:
                return found
        return found

    def count(self, arguments: Sequence[Any], values: Mapping[str, Any]) -> Generator[Fetch, Rows, int | None]:
        """How many places there are, where the terms alone decide it: no time, and no value that was cut."""
        if not self._exact:
            return None
        known, named = yield from self._known(arguments, values)
        if known is None:
            return 0
        if any(len(one) >= terms.LONGEST for term in self._terms for one in _each(known[term.name])):
            return None
        ((first,),) = yield self._first.fetch(known)
        start, found = _LAST * STRETCH if self._descending else 0, 0
        known["end"] = 0 if self._descending else _LAST
        for window in _windows():
            known |= {"position": start // STRETCH, "window": window}
            stretches = [row[0] for row in (yield self._stretches.fetch(known))]
            places = yield from self._places(stretches, known, named)
            for stretch, there in places.items():
                gone = max(0, (first or 0) - stretch * STRETCH)
                found += (there >> gone).bit_count()
            if len(stretches) < window:
                return found
            start = (stretches[-1] - 1 if self._descending else stretches[-1] + 1) * STRETCH
            if start < 0:
                return found
        return found

    def _known(
        self, arguments: Sequence[Any], values: Mapping[str, Any]
    ) -> Generator[Fetch, Rows, tuple[dict[str, Any] | None, dict[int, int] | None]]:
        """The parameters of the walk, and where the subjects asked for are named; None where nothing can be found."""
        known = dict(values)
        for term in self._terms:
            wanted = term.wanted(arguments)
            if term.values is not None:
                wanted = [row[0] for row in (yield term.values.fetch({**known, "part": wanted[0]}))]
            if not wanted:
                return None, None
            known[term.name] = wanted[0] if term.operator == "=" else self._dialect.listed(wanted)
        named = yield from self._subjects(arguments, known)
        known["named"] = self._dialect.listed(sorted(named) if named is not None else [])
        return known, named

    def _start(self, arguments: Sequence[Any], after: int | None) -> int:
        """From which place on; of an order that falls, down from there."""
        if self._descending:
            return _LAST * STRETCH if after is None else max(after, 0)
        least: list[int] = [0, after or 0, *(arguments[slot] for slot in self._least)]
        return max(least)

    def _behind(self, places: Mapping[int, int], start: int) -> Iterator[int]:
        for stretch in sorted(places, reverse=self._descending):
            own = [stretch * STRETCH + place for place in terms.each(places[stretch])]
            if self._descending:
                yield from (place for place in reversed(own) if place <= start)
            else:
                yield from (place for place in own if place >= start)

    def _places(
        self, stretches: Sequence[int], known: Mapping[str, Any], named: Mapping[int, int] | None
    ) -> Generator[Fetch, Rows, dict[int, int]]:
        """The places of some stretches at which every condition holds."""
        whole = (1 << STRETCH) - 1
        places = {stretch: whole if named is None else named.get(stretch, 0) for stretch in stretches}
        for term in self._terms if stretches else ():
            own = dict.fromkeys(stretches, 0)
            for stretch, packed in (yield term.rows.fetch({**known, "among": self._dialect.listed(stretches)})):
                own[stretch] |= terms.unpack(bytes(packed))
            for stretch in stretches:
                places[stretch] &= own[stretch]
        return places

    def _subjects(
        self, arguments: Sequence[Any], known: Mapping[str, Any]
    ) -> Generator[Fetch, Rows, dict[int, int] | None]:
        """Where all the subjects asked for are named; None where none is asked for."""
        found: dict[int, int] | None = None
        for _, slot in self._named:
            own: dict[int, int] = {}
            for (places,) in (yield self._postings.fetch({**known, "subject": arguments[slot]})):
                for index in json.loads(places):
                    stretch, place = divmod(index, STRETCH)
                    own[stretch] = own.get(stretch, 0) | 1 << place
            found = own if found is None else {at: found[at] & own[at] for at in found.keys() & own.keys()}
        return found

    def _select(self) -> sa.Select[Any]:
        """The next stretches in which every condition may hold."""
        equal = [(term, audit_term.alias(f"of_{term.name}")) for term in self._terms if term.operator == "="]
        # The rows of a value are in the order of the stretches; without a value their own are asked.
        first, *others = [one for _, one in equal] or [audit_stretch]
        select = sa.select(first.c.stretch).select_from(first).where(_tenant(first.c))
        for one in others:
            select = select.join(one, sa.and_(_tenant(one.c), one.c.stretch == first.c.stretch))
        for term, one in equal:
            value = sa.bindparam(term.name, type_=sa.Text)
            select = select.where(one.c.fact == _word(term.fact), one.c.value == value)
        for term in (term for term in self._terms if term.operator != "="):
            one = audit_term.alias(f"of_{term.name}")
            there = (_tenant(one.c), one.c.fact == _word(term.fact), one.c.stretch == first.c.stretch)
            select = select.where(
                sa.exists().where(*there, self._dialect.among(one.c.value, term.name)).correlate(first)
            )
        if self._named:
            select = select.where(self._dialect.among(first.c.stretch, "named"))
        bounds = [sa.bindparam(name, type_=sa.BigInteger) for name in ("position", "end")]
        least, most = bounds[::-1] if self._descending else bounds
        select = select.where(first.c.stretch >= least, first.c.stretch <= most)
        order = first.c.stretch.desc() if self._descending else first.c.stretch
        return select.order_by(order).limit(sa.bindparam("window", type_=sa.Integer))


def _span(times: Sequence[tuple[int, Where]]) -> sa.Select[Any]:
    """The first and the last stretch that may hold entries of a time."""
    own = audit_stretch.c
    select = sa.select(sa.func.min(own.stretch), sa.func.max(own.stretch)).where(_tenant(own))
    for at, where in times:
        bound = sa.bindparam(f"where{at}", type_=own.latest.type)
        select = select.where(own.latest >= bound if where.operator == ">=" else own.earliest <= bound)
    return select


def offered(level: Level, *, root: bool) -> bool:
    """Whether the conditions of a level lead to places of the log."""
    if level.shape is not AuditEntry.shape or not root or level.page is None:
        return False
    found = any(_is_term(one) or one.operator == "has" or one.column == "at" for one in level.where)
    return found and bool(level.order) and level.order[0][0] == INDEX


def _is_term(one: Where) -> bool:
    return one.column in terms.FACTS and one.operator in _FOUND_BY


def _term(at: int, one: Where, dialect: Dialect) -> _Term:
    own, name = audit_term.c, f"term{at}"
    fact = _word(one.column)
    conditions = [_tenant(own), own.fact == fact, dialect.among(own.stretch, "among")]
    equal = own.value == sa.bindparam(name, type_=sa.Text) if one.operator == "=" else dialect.among(own.value, name)
    return _Term(
        name=name,
        operator=one.operator,
        fact=one.column,
        slot=one.value.index,
        convert=held(AuditEntry.shape, one.column).raw(dialect),
        values=_values(fact, dialect) if one.operator == "contains" else None,
        rows=dialect.compile(sa.select(own.stretch, own.places).where(*conditions, equal)),
    )


def _values(fact: sa.ColumnElement[Any], dialect: Dialect) -> Statement:
    """The values of a fact that hold a part: each is stepped to from the one before it, however often it stands."""
    own = audit_term.c
    least = sa.select(sa.func.min(own.value).label("value")).where(_tenant(own), own.fact == fact)
    step = least.cte("step", recursive=True)
    later = sa.select(sa.func.min(own.value)).where(_tenant(own), own.fact == fact, own.value > step.c.value)
    step = step.union_all(sa.select(later.correlate(step).scalar_subquery()).where(step.c.value.is_not(None)))
    holds = dialect.contains(step.c.value, sa.bindparam("part", type_=sa.Text))
    cut = sa.func.length(step.c.value) >= sa.literal_column(str(terms.LONGEST))
    return dialect.compile(sa.select(step.c.value).where(step.c.value.is_not(None), sa.or_(holds, cut)))


def _postings(dialect: Dialect) -> Statement:
    own = audit_posting.c
    subject = sa.bindparam("subject", type_=sa.Text)
    return dialect.compile(sa.select(own.places).where(_tenant(own), own.subject == subject))


def _word(fact: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{fact}'")


def _tenant(columns: Any) -> sa.ColumnElement[bool]:
    condition: sa.ColumnElement[bool] = columns.tenant == sa.bindparam("tenant", type_=sa.Text)
    return condition


def _each(bound: Any) -> Sequence[str]:
    """The values in a parameter: one, or a list as its database takes it."""
    if isinstance(bound, list):
        return cast("list[str]", bound)
    return [bound]  # a list in JSON is longer than any of its values: at worst the entries are counted one by one


def _windows() -> Iterator[int]:
    yield from WINDOWS
    while True:
        yield WINDOWS[-1]


def _parts(places: Iterable[int]) -> Iterator[list[int]]:
    part: list[int] = []
    most = MOST // 4
    for place in places:
        part.append(place)
        if len(part) == most:
            yield part
            part, most = [], MOST
    if part:
        yield part
