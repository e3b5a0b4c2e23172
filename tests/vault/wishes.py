"""Random readings over the declared records, as a reader might wish for them, with fitting arguments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, get_type_hints

from hypothesis import strategies as st

from domain.actors import Rights
from domain.ids import Id
from domain.persons.reach import Reach
from domain.ports import Scope
from domain.reading import Judged, Labelled, Level, Link, Page, Purpose, Reading, Reveal, Slot, Times, Where, judge
from domain.records import SHAPES, STAMP_FIELDS, DataClass, Stamp
from tests.vault.corpus import DAYS, INSTANTS, NUMBERS, TEXTS, Corpus
from tests.vault.oracle import cursor, whole

STAMP_TYPES = get_type_hints(Stamp)
OPERATORS = {str: ("=", "!=", "in", ">=", "<=", "contains"), Id: ("=", "in")}
MORE_OPERATORS = ("=", "in", ">=", "<=")


class Everything(dict):
    """Rights to every action but a few."""

    def __init__(self, but=()):
        super().__init__()
        self.but = but

    def __contains__(self, action):
        return action not in self.but


def limits(corpus, tenant):
    """How far a member of staff may reach: by who looks after customers, by departments, or one customer alone."""
    owners = [row.account_owner for row in corpus.records if row.shape.name == "Customer" and row.account_owner]
    owner = st.sampled_from([*owners, "nobody"])
    departments = st.sampled_from(corpus.ids[tenant, "Department"][:4])
    return st.one_of(
        st.builds(Reach, owner=owner),
        st.builds(Reach, owner=owner, department=departments),
        st.builds(Reach, only=st.sampled_from(corpus.ids[tenant, "Customer"][:4])),
    )


@dataclass
class Wish:
    """A judged reading, with whose rows it may find and its arguments."""

    judged: Judged
    scope: Scope
    arguments: list[Any]


@dataclass
class Wishing:
    """A reading that grows; every value it depends on becomes an argument."""

    draw: Any
    corpus: Corpus
    tenant: Id
    arguments: list[Any] = field(default_factory=list)
    count: int = 0

    def slot(self, value):
        """The slot of a new argument."""
        self.arguments.append(value)
        return Slot(len(self.arguments) - 1)

    def label(self, name):
        """A label no other part of the reading has."""
        self.count += 1
        return f"{name}{self.count}"

    def some(self, items, most):
        """A few of the items, in any order, some of them twice."""
        items = list(items)
        return self.draw(st.lists(st.sampled_from(items), max_size=most)) if items else []

    def level(self, shape, depth, *, many):
        """A level with something of everything a record offers."""
        columns = [*shape.facts, *(STAMP_FIELDS[:3] if shape.ledger else STAMP_FIELDS)]
        order = tuple((name, self.draw(st.booleans())) for name in dict.fromkeys(self.some(self.comparable(shape), 2)))
        return Level(
            shape=shape,
            facts=self.labelled(self.some(columns, 6)),
            constants=self.labelled(self.some([shape.name], 1)),
            links=tuple(self.link(item, depth - 1) for item in (self.some(self.ways(shape), 3) if depth else [])),
            reveals=tuple(self.reveal(shape) for _ in self.some(list(shape.confidential)[:1], 2)),
            masks=self.labelled(self.some([item for item in shape.confidential.values() if item.mask], 2)),
            computed=self.labelled(self.some(shape.computed.values(), 2)),
            where=tuple(self.where(shape, name) for name in self.some(self.comparable(shape), 1)),
            order=order,
            page=self.page(shape, order) if many else None,
            times=Times() if shape.ledger else self.times(),
        )

    def labelled(self, items):
        """Each under a label of its own."""
        return tuple(Labelled(self.label("x"), item) for item in items)

    @staticmethod
    def comparable(shape):
        """The columns conditions and orders can name."""
        stamps = (
            ("id", "subject_id") if shape.ledger else ("id", "subject_id", "recorded_at", "effective_to", "version")
        )
        facts = [fact.name for fact in shape.facts.values() if type_of(shape, fact.name) is not None]
        return [*facts, *stamps]

    def ways(self, shape):
        """The links a record declares."""
        return [*(fact for fact in shape.facts.values() if fact.target), *shape.children.values()]

    def link(self, by, depth):
        """A link with a level behind it."""
        many = by.name in {name for shape in SHAPES.values() for name in shape.children}
        return Labelled(self.label("way"), Link(by, self.level(SHAPES[by.target], depth, many=many)))

    def reveal(self, shape):
        """Some confidential fields under a purpose."""
        return Labelled(
            self.label("reveal"),
            Reveal(
                purpose=self.draw(st.sampled_from(Purpose)),
                fields=self.labelled(self.some(shape.confidential.values(), 4)),
                withheld=tuple(self.label("withheld") for _ in self.some([1], 2)),
                constants=self.labelled(self.some(["Confidential"], 1)),
            ),
        )

    def where(self, shape, name):
        """A condition on one column, mostly one that some row meets."""
        type_ = type_of(shape, name)
        operator = self.draw(st.sampled_from(OPERATORS.get(type_, MORE_OPERATORS)))
        value = st.sampled_from(self.values(shape, name, type_))
        values = st.lists(value, max_size=3).map(tuple) if operator == "in" else value
        return Where(name, operator, self.slot(self.draw(values)))

    def values(self, shape, name, type_):
        """Values a condition can name: words for the members of a list."""
        if isinstance(type_, type) and issubclass(type_, Enum):
            return [member.value for member in type_]
        rows = [row for row in self.corpus.records if row.shape is shape]
        held = [getattr(row.stamp if name in STAMP_FIELDS else row, name) for row in rows]
        usual = {str: TEXTS, int: NUMBERS, date: DAYS, datetime: INSTANTS, bool: (True, False)}.get(type_, ())
        return [*(value for value in held if value is not None), *usual]

    def page(self, shape, order):
        """A page, at times behind some row."""
        rows = [row for row in self.corpus.records if row.shape is shape and row.stamp.tenant == self.tenant]
        row = self.draw(st.none() | st.sampled_from(rows))
        after = st.booleans() if row is None else st.just(value=True)
        return Page(
            size=self.slot(self.draw(st.integers(1, 5))),
            after=self.slot(None if row is None else cursor(whole(order), row)) if self.draw(after) else None,
            wants_total=self.draw(st.booleans()),
        )

    def times(self):
        """Mostly now; at times another."""
        instant = st.sampled_from(INSTANTS)
        return Times(
            as_of=self.slot(self.draw(instant)) if self.draw(st.integers(0, 3)) == 3 else None,
            known_at=self.slot(self.draw(instant)) if self.draw(st.integers(0, 3)) == 3 else None,
        )


def type_of(shape, name):
    """The type of a column that can be compared; None for money, lists and value objects."""
    known = {"id": Id, "subject_id": Id, "version": int, "recorded_at": datetime, "effective_to": datetime}
    type_ = known.get(name) or shape.facts[name].type
    plain = getattr(type_, "__supertype__", type_)
    return type_ if isinstance(plain, type) and issubclass(plain, str | int | date | Enum) else None


@st.composite
def wishes(draw, corpus, *, reach=True):
    """A reading of up to three roots, two links deep, with its arguments and whose rows it may find."""
    tenant = draw(st.sampled_from(corpus.tenants))
    wishing = Wishing(draw, corpus, tenant)
    shapes = draw(st.lists(st.sampled_from(list(SHAPES.values())), min_size=1, max_size=2))
    roots = tuple(
        Labelled(wishing.label("root"), wishing.level(shape, 2, many=draw(st.booleans()))) for shape in shapes
    )
    closed = draw(st.lists(st.sampled_from(DataClass), max_size=3))
    rights = Rights(id=1, version="v", allowed=Everything([item.action for item in closed]))
    partner = draw(st.none() | st.sampled_from(corpus.ids[tenant, "Partner"][:3])) if reach else None
    subject = draw(st.none() | st.sampled_from(corpus.ids[tenant, "Customer"][:3])) if reach else None
    limit = draw(st.none() | limits(corpus, tenant)) if reach and partner is None and subject is None else None
    scope = Scope(tenant=tenant, partner=partner, subject=subject, reach=limit)
    return Wish(judge(Reading(roots), rights), scope, wishing.arguments)
