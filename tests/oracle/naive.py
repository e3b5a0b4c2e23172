"""What a document means, the slow and obvious way: graphql-core asks one field at a time of records in a list.

It shares no line with the compiler, with the forms of its answers or with the store: the schema it runs on is the
text of `schema.graphql`, and every value is printed here by itself. An opened value is made up from its cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cmp_to_key
from pathlib import Path

from graphql import GraphQLScalarType, build_schema, execute_sync, get_named_type

from api.graphql import scalars
from domain.errors import Malformed
from domain.files.identifying.identifiers import normalised
from domain.money import EXPONENTS, Money
from domain.operations import OPERATIONS
from domain.persons.duties import separations
from domain.records import SHAPES, STAMP_FIELDS, Record
from tests.vault.corpus import identifier, made_up
from tests.vault.oracle import compare, current, cursor, keys, member, ranked, uncursor, value_of, whole, word

OPERATORS = {"eq": lambda a, b: a == b, "in": lambda a, b: a in b, "contains": lambda a, b: b in a,
             "gte": lambda a, b: a >= b, "lte": lambda a, b: a <= b}  # fmt: skip
READS = {
    "DateTime": scalars.parse_instant,
    "Date": scalars.parse_day,
    "Decimal": scalars.parse_decimal,
    "CurrencyCode": scalars.parse_currency,
}
PRINTS = {
    datetime: lambda value: value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    date: lambda value: value.strftime("%Y-%m-%d"),
    Decimal: lambda value: f"{value:f}",
}
LEAVES = {"ID": "", "String": "", "Int": 0, "Boolean": False, **dict.fromkeys(READS, "")}


def published():
    """The published schema, with the scalars' own ways to read what is sent."""
    schema = build_schema((Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8"))
    for name, reads in READS.items():
        fresh = GraphQLScalarType(name, serialize=lambda value: value, parse_value=reads)
        vars(schema.get_type(name)).update({key: held for key, held in vars(fresh).items() if callable(held)})
    return schema


SCHEMA = published()


@dataclass(frozen=True, slots=True)
class Row:
    """A record, at the times its root was asked for."""

    record: Record
    times: tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Sealed:
    """The confidential fields of a record, and what of them was asked for."""

    record: Record
    asked: list[str]


class Naive:
    """The world of one caller."""

    def __init__(self, corpus, actor, rights, now):
        self.corpus, self.actor, self.rights, self.now = corpus, actor, rights, now
        self.asked = {}
        """Which confidential fields the whole document asks for, by where it does."""
        self.closed = False
        """Whether nothing is read, since somewhere the document may not be read."""

    def run(self, document, variables, name):
        """What graphql-core makes of a document in this world."""
        return execute_sync(
            SCHEMA, document, variable_values=variables, operation_name=name,
            field_resolver=lambda source, info, **given: printed(self.resolve(source, info, given)),
            type_resolver=lambda row, *_: row.record.shape.name,
        )  # fmt: skip

    def resolve(self, source, info, given):
        """One field."""
        name = info.field_name
        match source:
            case None:
                return self.root(name, get_named_type(info.return_type).name, given)
            case Row():
                return self.field(source, name, given, info)
            case Sealed():
                return self.opened(source, name)
            case Money() if name == "amount":
                return Decimal(source.minor).scaleb(-EXPONENTS[source.currency])
            case dict():
                return source[name]
            case _:
                return getattr(source, named(type(source))[name])

    def root(self, name, type_, given):
        """One field of the query."""
        if name == "me":
            mine = self.actor
            return {"person": mine.person, "tenant": mine.tenant, "partner": mine.partner, "subject": mine.subject,
                    "roles": sorted(mine.roles), "actions": sorted(self.rights.allowed)}  # fmt: skip
        if name == "separationsOfDuty":
            return separations(OPERATIONS)
        wanted = SHAPES[type_].prefix if type_ in SHAPES else None
        for key in {"id", "creditFile"} & set(given):
            check_id(given[key], "cf" if key == "creditFile" else wanted)
        check_look_up(given)
        if self.closed:
            return None
        times = given.get("asOf"), given.get("knownAt")
        if name == "accessLog":
            file = self.one(SHAPES["CreditFile"], given["creditFile"], times)
            return file and self.page(
                self.behind(file, SHAPES["CreditFile"].children["access_log"]), given, "AccessEntry"
            )
        if "id" in given:
            shape = next(shape for shape in SHAPES.values() if given["id"].startswith(f"{shape.prefix}_"))
            return self.one(shape, given["id"], times)
        record = type_.removesuffix("Connection")
        rows = self.rows(SHAPES[record], times)
        for sealed, value, way in sought(SHAPES[record], given):
            rows = [row for row in rows if self.is_found(row.record, sealed, value, way)]
        return self.page(rows, given, record)

    def is_found(self, record, sealed, value, way):
        """Whether a record is found by an identifier of its own, or of a child of it as it stands now."""
        if way is None:
            return self.is_it(record, sealed, value)
        children = [row.record for row in self.rows(SHAPES[way.target], (None, None))]
        own = [child for child in children if getattr(child, way.by) == record.subject_id]
        return any(self.is_it(child, sealed, value) for child in own)

    def is_it(self, record, sealed, value):
        """Whether a record is found by an identifier."""
        held = (record.id, sealed.tag) in self.corpus.cells
        return held and written(sealed, identifier(record.id, sealed)) == written(sealed, value)

    def rows(self, shape, times):
        """The rows of a kind that the caller may find, as of its times."""
        return [
            Row(row, times)
            for row in self.corpus.records
            if row.shape is shape and self.reaches(row) and current(self.corpus.records, row, *times)
        ]

    def one(self, shape, id_, times):
        """The row of an id, or none."""
        return next((row for row in self.rows(shape, times) if row.record.id == id_), None)

    def reaches(self, row):
        """Tenant, and a partner's or a customer's reach."""
        shape, actor = row.shape, self.actor
        if row.stamp.tenant != actor.tenant:
            return False
        own = row.id if shape.name == "Partner" else row.partner if shape.partner_reach else None
        if actor.partner is not None and own != actor.partner:
            return False
        own = shape.subject_reach and row.subject_id == actor.subject
        return actor.subject is None or shape.shown_to_all or own

    def behind(self, row, children):
        """The rows that name this one."""
        own = value_of(row.record, children.on)
        return [other for other in self.rows(SHAPES[children.target], row.times)
                if value_of(other.record, children.by) == own]  # fmt: skip

    def page(self, rows, given, record):
        """A page of some rows."""
        shape = SHAPES[record]
        rows = [row for row in rows if meets(row.record, given.get("filter") or {})]
        order = whole(order_of(given, shape))
        rows.sort(key=cmp_to_key(lambda a, b: compare(order, keys(order, a.record), keys(order, b.record))))
        after, size, total = given.get("after"), given.get("first"), len(rows)
        if after is not None:
            held = uncursor(order, shape, after)
            rows = [row for row in rows if compare(order, keys(order, row.record), held) > 0]
        page = rows[: 20 if size is None else size]
        edges = [{"node": row, "cursor": cursor(order, row.record)} for row in page]
        ends = [edge["cursor"] for edge in edges] or [None]
        info = {"hasNextPage": len(rows) > len(page), "hasPreviousPage": after is not None,
                "startCursor": ends[0], "endCursor": ends[-1]}  # fmt: skip
        return {"nodes": page, "edges": edges, "totalCount": total, "pageInfo": info}

    def field(self, row, name, given, info):
        """One field of a record."""
        shape, record = row.record.shape, row.record
        if name == "confidential":
            return Sealed(record, self.asked[place(info)])
        if name.endswith("Masked"):
            sealed = shape.confidential[snake(shape, name.removesuffix("Masked"))]
            return word(record.id, sealed.tag, masked=True) if (record.id, sealed.tag) in self.corpus.cells else None
        name = snake(shape, name)
        if name in shape.children:
            children = shape.children[name]
            return self.page(self.behind(row, children), given, children.target)
        if name in shape.computed:
            derived = shape.computed[name]
            return derived.batch([tuple(value_of(record, need) for need in derived.needs)], self.now.date())[0]
        if name in shape.facts and shape.facts[name].target:
            return self.one(SHAPES[shape.facts[name].target], value_of(record, name), row.times)
        return value_of(record, name)

    def opened(self, sealed, name):
        """A confidential field: open, or among the withheld."""
        shape, allowed = sealed.record.shape, set(self.rights.allowed)
        asked = {key: shape.confidential[snake(shape, key)] for key in sealed.asked}
        lacking = {key: one for key, one in asked.items() if set(one.actions) - allowed}
        if name == "withheld":
            unlock = "A role that is granted {}."
            return [{"field": key, "reason": "NOT_GRANTED", "unlock": unlock.format(one.data_class.action)}
                    for key, one in lacking.items()]  # fmt: skip
        one = asked[name]
        stored = (sealed.record.id, one.tag) in self.corpus.cells
        return made_up(sealed.record.id, one) if stored and name not in lacking else None


def printed(value):
    """A value as its type prints it."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, tuple | list):
        return [printed(item) for item in value]
    return PRINTS[type(value)](value) if type(value) in PRINTS else value


def camel(name):
    """The schema's spelling of a name."""
    first, *more = re.split(r"_(?=[a-z0-9])", name)
    return first + "".join(part[0].upper() + part[1:] for part in more)


def named(cls):
    """The attributes of a value object, by their names in the schema."""
    return {camel(item.name): item.name for item in fields(cls)} if is_dataclass(cls) else {}


def snake(shape, name):
    """The declaration's spelling of a field of a record."""
    offered = (*shape.facts, *shape.children, *shape.computed, *shape.confidential, *STAMP_FIELDS)
    return next(known for known in offered if camel(known) == name)


def order_of(given, shape):
    """The order that the arguments of a page ask for; the log stands in its own order."""
    wanted = given.get("orderBy")
    if wanted:
        return [(wanted["field"].lower(), wanted["direction"] == "DESC")]
    return [("log_index", False)] if shape.ledger else []


def meets(record, conditions):
    """Whether a record meets every condition of a filter; a missing value meets none."""
    for name, wanted in conditions.items():
        column = snake(record.shape, name)
        held = value_of(record, column)
        kind = type(held)
        for operator, value in (wanted or {}).items():
            if value is None:
                continue
            listed = [ranked(member(kind, item)) for item in value] if operator == "in" else ranked(member(kind, value))
            if held is None or not OPERATORS[operator](ranked(held), listed):
                return False
    return True


def sought(shape, given):
    """What a list is looked up by: each field with its value, and the link to who has it, where it is a child's."""
    wanted = given.get("lookUp") or {}
    return [
        (sealed, value, way)
        for name, value in wanted.items()
        if name != "purpose" and value is not None
        for sealed, way in [identifying(shape, name)]
    ]


def identifying(shape, name):
    """The field that a look-up names, and the link to who has it, where it is a child's."""
    persons = {"personPhone": "person_phone", "personEmail": "person_email"}
    if name in persons:
        return SHAPES["ContactPerson"].confidential[persons[name]], shape.children["contacts"]
    return shape.confidential[snake(shape, name)], None


def written(sealed, value):
    """An identifier in its one spelling."""
    return normalised(sealed.index.normaliser, value)


def check_look_up(given):
    """Raises: Malformed where a look-up names nothing to look for."""
    wanted = given.get("lookUp")
    if wanted is not None and not any(value is not None for name, value in wanted.items() if name != "purpose"):
        offered = "unifiedSocialCreditCode, phone, email, bankAccount, personPhone, personEmail"
        advice = f"Give at least one of {offered}, or leave lookUp out."
        raise Malformed("A look-up names what to look for.", advice=advice, path=("lookUp",))


def place(info):
    """Where in the answer a field stands, whatever the row."""
    return tuple(key for key in info.path.as_list() if isinstance(key, str))


def check_id(text, prefix):
    """Raises: Malformed unless it is an id of a known type, and of this one where one is meant."""
    known = {shape.prefix for shape in SHAPES.values()}
    found = re.fullmatch(r"([a-z]{2})_[0-7][0-9a-hjkmnp-tv-z]{25}", text)
    if not found or found.group(1) not in known or (prefix and found.group(1) != prefix):
        advice = "Send ids exactly as received, to the field of their type."
        raise Malformed("The id is not well formed.", advice=advice)
