"""What a reading means, the slow and obvious way: field by field, over records in a list.

It shares nothing with the compiler. An opened value is a word that names its cell.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime
from enum import Enum
from functools import cmp_to_key

from domain.records import STAMP_FIELDS, Children

INSTANTS = dict.fromkeys(
    ("created_at", "effective_from", "effective_to", "recorded_at", "superseded_at"), datetime
)  # fmt: skip


class Oracle:
    """The interpreter of readings over the records of every tenant and the cells that hold a value."""

    def __init__(self, records, cells, scope, arguments, now):
        self.records, self.cells = records, cells
        self.scope, self.arguments, self.now = scope, arguments, now
        self.subjects, self.resources, self.opened = set(), set(), set()

    def answer(self, reading):
        """The whole answer, opened."""
        return {root.label: self.level(root.what, None, None) for root in reading.roots}

    def level(self, level, link, parent):
        """A page of rows, or one row or none."""
        rows = [row for row in self.records if self.found(level, row) and self.linked(link, parent, row)]
        order = whole(level.order)
        rows.sort(key=cmp_to_key(lambda a, b: compare(order, keys(order, a), keys(order, b))))
        if level.page is None:
            return self.row(level, link, rows[0]) if rows else None
        total = len(rows)
        after = self.argument(level.page.after)
        if after is not None:
            held = uncursor(order, level.shape, after)
            rows = [row for row in rows if compare(order, keys(order, row), held) > 0]
        size = self.argument(level.page.size)
        return {
            "rows": [self.row(level, link, row) for row in rows[:size]],
            "cursors": [cursor(order, row) for row in rows[:size]],
            "more": len(rows) > size,
            "earlier": after is not None,
            "total": total if level.page.wants_total else None,
        }

    def found(self, level, row):
        """Tenant, reach, times and conditions."""
        shape, scope = level.shape, self.scope
        if row.shape is not shape or row.stamp.tenant != scope.tenant:
            return False
        named = row.id if shape.name == "Partner" else row.partner if shape.partner_reach else None
        if scope.partner is not None and named != scope.partner:
            return False
        own = shape.subject_reach and row.subject_id == scope.subject
        if scope.subject is not None and not (own or shape.shown_to_all):
            return False
        there = self.reached(row) and self.current(level.times, row)
        return there and all(self.holds(row, where) for where in level.where)

    def reached(self, row):
        """Whether a member of staff reaches the customer that a row is about, if it is about one."""
        reach, shape = self.scope.reach, row.shape
        if reach is None:
            return True
        if shape.ledger and not shape.subject_reach:
            return False
        customers = {one.id for one in self.now_current("Customer") if self.looked_after(reach, one)}
        if "customer" in shape.facts:
            return row.customer in customers
        if shape.subject_reach:
            return row.subject_id in customers
        if "credit_file" in shape.facts:
            return row.credit_file in {one.id for one in self.now_current("CreditFile") if one.customer in customers}
        return True

    def looked_after(self, reach, customer):
        """Whether a customer is within a limit."""
        if reach.only:
            return customer.id == reach.only
        own = customer.account_owner == reach.owner
        return own or (reach.department is not None and customer.department == reach.department)

    def now_current(self, name):
        """The current rows of a kind, in the tenant."""
        rows = (row for row in self.records if row.shape.name == name and row.stamp.tenant == self.scope.tenant)
        return [row for row in rows if row.stamp.superseded_at is None]

    def current(self, times, row):
        """Whether the version is the one of these times."""
        return current(self.records, row, self.argument(times.as_of), self.argument(times.known_at))

    def holds(self, row, where):
        """One condition; a missing value meets none."""
        value, wanted = ranked(value_of(row, where.column)), self.argument(where.value)
        if value is None or wanted is None:
            return False
        kind = type(value_of(row, where.column))
        wanted = [ranked(member(kind, item)) for item in (wanted if where.operator == "in" else [wanted])]
        match where.operator:
            case ">=":
                return value >= wanted[0]
            case "<=":
                return value <= wanted[0]
            case "!=":
                return value != wanted[0]
            case "contains":
                return wanted[0] in value
            case _:
                return value in wanted

    def linked(self, link, parent, row):
        """Whether a link leads from the parent to the row."""
        if link is None:
            return True
        if isinstance(link.by, Children):
            return value_of(row, link.by.by) == value_of(parent, link.by.on)
        return row.id == value_of(parent, link.by.name)

    def row(self, level, link, row):
        """Everything asked of one row."""
        if link is None:
            self.resources.add(row.id)
        if link is None or not link.by.same_subject:
            self.subjects.add(row.subject_id)
        made = {item.label: item.what for item in level.constants}
        made |= {item.label: value_of(row, item.what) for item in level.facts}
        for item in level.computed:
            needs = tuple(value_of(row, need) for need in item.what.needs)
            made[item.label] = item.what.batch([needs], self.now.date())[0]
        made |= {item.label: self.level(item.what.level, item.what, row) for item in level.links}
        made |= {item.label: self.cell(row, item.what, masked=True) for item in level.masks}
        return made | {item.label: self.reveal(item.what, row) for item in level.reveals}

    def reveal(self, reveal, row):
        """The open fields, and what stayed closed."""
        closed = dict(reveal.closed)
        made = {item.label: item.what for item in reveal.constants}
        for item in reveal.fields:
            made[item.label] = None if item.what.name in closed else self.cell(row, item.what, masked=False)
        return made | {label: sorted(closed.items()) for label in reveal.withheld}

    def cell(self, row, field, *, masked):
        """The value of a cell, where one is stored."""
        if (row.id, field.tag) not in self.cells:
            return None
        self.opened.add((row.id, field.tag, masked))
        return word(row.id, field.tag, masked=masked)

    def argument(self, slot):
        """The argument of a slot."""
        return None if slot is None else self.arguments[slot.index]


def current(records, row, held, known):
    """Whether a version is the one that held at an instant, as known at another; None is now."""
    stamp = row.stamp
    if row.shape.ledger:
        return True
    if held is None and known is None:
        return stamp.superseded_at is None
    if held is None:
        return within(stamp.recorded_at, stamp.superseded_at, known)
    begun = [
        other.stamp.version
        for other in records
        if other.shape is row.shape
        and (other.id, other.stamp.tenant) == (row.id, stamp.tenant)
        and other.stamp.effective_from <= held
        and (known is None or other.stamp.recorded_at <= known)
    ]
    return stamp.version == max(begun, default=None) and (stamp.effective_to is None or held < stamp.effective_to)


def whole(order):
    """An order down to the id, which goes the way of the column before it."""
    names = [name for name, _ in order]
    if "id" in names:
        return [*order[: names.index("id") + 1]]
    return [*order, ("id", order[-1][1] if order else False)]


def word(record, tag, *, masked):
    """The opened value of a cell."""
    return f"{record}/{tag}/{'masked' if masked else 'open'}"


def value_of(row, name):
    """A fact or stamp column."""
    return getattr(row.stamp if name in STAMP_FIELDS else row, name)


def within(start, end, at):
    """Whether an instant is in a span."""
    return start <= at and (end is None or end > at)


def ranked(value):
    """A word of a list counts by its place in it."""
    return list(type(value)).index(value) if isinstance(value, Enum) else value


def member(kind, value):
    """The member behind a word, or the day or instant behind a text."""
    if isinstance(value, str) and hasattr(kind, "fromisoformat"):
        return kind.fromisoformat(value)
    return kind(value) if isinstance(kind, type) and issubclass(kind, Enum) else value


def keys(order, row):
    """What a row is ordered by."""
    return [ranked(value_of(row, name)) for name, _ in order]


def compare(order, a, b):
    """-1, 0 or 1; what is missing comes last, whichever end comes first."""
    for (_, descending), x, y in zip(order, a, b, strict=True):
        if x == y:
            continue
        if x is None or y is None:
            return 1 if x is None else -1
        return -1 if (x < y) != descending else 1
    return 0


def cursor(order, row):
    """The cursor of a row: canonical JSON of its order, in base64."""
    values = [value_of(row, name) for name, _ in order]
    plain = [getattr(item, "value", item.isoformat() if hasattr(item, "isoformat") else item) for item in values]
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def uncursor(order, shape, text):
    """What the row behind a cursor was ordered by."""
    values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    made = []
    for (name, _), value in zip(order, values, strict=True):
        kind = shape.facts[name].type if name in shape.facts else INSTANTS.get(name)
        made.append(None if value is None else ranked(member(kind, value)))
    return made
