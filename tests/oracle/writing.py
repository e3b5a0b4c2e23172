"""Random documents over the whole query, as readers write them: each with its variables and the name to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, timedelta, timezone
from typing import Any

from graphql import GraphQLEnumType, GraphQLList, GraphQLObjectType, get_named_type, get_nullable_type, parse
from hypothesis import assume
from hypothesis import strategies as st

from api.graphql.limits import check_document, check_text, followed
from domain.errors import Malformed
from domain.ids import encode
from domain.records import SHAPES
from tests.oracle.generated import READ
from tests.oracle.naive import SCHEMA, identifying, snake
from tests.vault.corpus import DAYS, IDENTIFIERS, INSTANTS, NUMBERS, TEXTS
from tests.vault.oracle import cursor, value_of, whole

ALIASES, FIELDS, LISTS = 12, 60, 3
ZONES = (UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3, minutes=-30)))
UNSHOWN = set("\b\f\x01\x1f\x7f")
SHORT = 100


@dataclass(frozen=True)
class Document:
    """A document, what it is given, and the operation that is asked for."""

    text: str
    variables: dict[str, Any]
    name: str | None


@dataclass
class Writing:
    """A document that grows."""

    draw: Any
    corpus: Any
    tenant: Any
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    heads: dict[tuple[str, ...], str] = field(default_factory=dict)
    """A field with its arguments under a response key: the same wherever the key stands again."""
    aliases: int = 0
    fields: int = 0

    def chance(self, of):
        """Once in so many times."""
        return self.draw(st.integers(1, of)) == of

    def one(self, items):
        """One of some items."""
        return self.draw(st.sampled_from(list(items)))

    def some(self, items, most):
        """A few different ones, at least one."""
        return self.draw(st.lists(st.sampled_from(list(items)), min_size=1, max_size=most, unique=True))

    def document(self):
        """The whole document."""
        roots = self.some(READ, 3)
        body = " ".join(self.field(SCHEMA.query_type, name, (), LISTS) for name in roots)
        body += self.one(["", "", "", " __typename", ' __type(name: "Money") { name kind }'])
        declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in self.variables.items())
        head = f"query Q({declared})" if declared else self.one(["", "query Q "])
        text = "\n".join([f"{head}{{ {body} }}", *self.fragments])
        if "Q" in head and self.chance(8):
            return Document(f"{text} query R {{ me {{ person }} }}", self.values(), self.one(["Q", "R"]))
        return Document(text, self.values(), None)

    def values(self):
        """The variables; one that has a default may be left out."""
        return {name: value for name, (type_, value) in self.variables.items() if value is not None or "=" not in type_}

    def field(self, type_, name, path, lists):
        """A field with its arguments and its selections, at times twice."""
        offered = type_.fields[name]
        key, label = name, ""
        if self.aliases < ALIASES and self.chance(6):
            self.aliases += 1
            key = f"{name[:3]}{self.aliases}"
            label = f"{key}: "
        self.fields += 1
        path = (*path, key)
        if path not in self.heads:
            self.heads[path] = f"{label}{name}{self.arguments(offered, path)}"
        text = self.heads[path] + self.directive()
        inner = get_named_type(offered.type)
        if not isinstance(inner, GraphQLObjectType):
            return text if inner.name != "Node" else f"{text} {self.node(path, lists)}"
        text = f"{text} {self.under(inner, path, lists)}"
        if self.chance(12) and self.fields < FIELDS:
            text += f" {self.heads[path]} {self.under(inner, path, lists)}"
        return text

    def directive(self):
        """Now and then a condition, mostly with a variable."""
        if not self.chance(14):
            return ""
        value = self.variable("Boolean!", self.draw(st.booleans())) if self.chance(2) else self.one(["true", "false"])
        return f" @{self.one(['skip', 'include'])}(if: {value})"

    def under(self, type_, path, lists):
        """The selections on a type."""
        names = list(type_.fields)
        if type_.name.endswith("Confidential"):
            return self.braced(type_, [*self.some(names, 4), self.one(["withheld", names[0]])], path, lists)
        if type_.name.endswith("Connection"):
            names = self.one([["nodes"], ["nodes"], ["edges"], ["nodes", "totalCount"], ["pageInfo", "edges"], names])
            return self.braced(type_, names, path, lists - 1)
        leaves = [name for name in names if not isinstance(get_named_type(type_.fields[name].type), GraphQLObjectType)]
        deeper = self.fields < FIELDS and len(path) < 9
        lists_ = [name for name in names if get_named_type(type_.fields[name].type).name.endswith("Connection")]
        links = [name for name in names if name not in leaves and (lists > 0 or name not in lists_)]
        chosen = self.some(leaves, 4) if leaves else []
        if links and (not leaves or (deeper and self.chance(2))):
            chosen += self.some(links, 2)
        return self.braced(type_, self.draw(st.permutations(chosen)), path, lists)

    def braced(self, type_, names, path, lists):
        """Fields in braces, some of them inside fragments."""
        parts = [self.field(type_, name, path, lists) for name in dict.fromkeys(names)]
        if self.chance(8):
            parts.append("__typename")
        if self.chance(10):
            name = f"F{len(self.fragments)}"
            self.fragments.append(f"fragment {name} on {type_.name} {{ {' '.join(parts)} }}")
            return f"{{ ...{name}{self.directive()} }}"
        if self.chance(10) and len(parts) > 1:
            on = self.one([f" on {type_.name}", "", *(["  on Node"] if parts[0] == "id" else [])])
            parts = [*parts[1:], f"...{on}{self.directive()} {{ {parts[0]} }}"]
        return "{ " + " ".join(parts) + " }"

    def node(self, path, lists):
        """The selections on any record: some fragments, one of which may fit."""
        shapes = self.some(SHAPES, 2)
        parts = [f"... on {name} {self.under(SCHEMA.get_type(name), (*path, name), lists)}" for name in shapes]
        return "{ " + " ".join(self.some(["id", "__typename", *parts], 4)) + " }"

    def arguments(self, offered, path):
        """The arguments of a field."""
        record = get_named_type(offered.type).name.removesuffix("Connection")
        column = None
        if "orderBy" in offered.args and self.chance(2):
            column = self.one(SCHEMA.get_type(f"{record}OrderField").values)
        made = {key: self.argument(key, str(one.type), record, column, path) for key, one in offered.args.items()}
        return f"({', '.join(said)})" if (said := [f"{key}: {value}" for key, value in made.items() if value]) else ""

    def argument(self, key, type_, record, column, path):
        """One argument; an empty text leaves it out."""
        match key:
            case "id" | "creditFile":
                return self.value(type_, self.id("CreditFile" if key == "creditFile" else record))
            case "purpose":
                return self.value(type_, self.one(SCHEMA.get_type("Purpose").values))
            case "first":
                return self.value(type_, self.one([1, 2, 3, 5, *([None, 8, 8] if len(path) == 1 else [])]))
            case "orderBy" if column:
                return self.order(type_, column)
            case "after" if self.chance(4):
                return self.value(type_, self.cursor(record, column))
            case "lookUp" | "filter" if self.chance(3):
                return (self.look_up if key == "lookUp" else self.filter)(record, type_)
            case "asOf" | "knownAt" if self.chance(6):
                return self.value(type_, instant(self.one(INSTANTS), self.one(ZONES)))
            case _:
                return ""

    def value(self, type_, value):
        """A literal, or a variable that holds the value."""
        if self.chance(3):
            return self.variable(type_, value)
        enum = isinstance(SCHEMA.get_type(type_.strip("!")), GraphQLEnumType)
        return value if enum and value else literal(value)

    def variable(self, type_, value):
        """A new variable."""
        name = f"v{len(self.variables)}"
        default = " = null" if not type_.endswith("!") and self.chance(6) else ""
        self.variables[name] = (type_ + default, value)
        return f"${name}"

    def order(self, type_, column):
        """An order; its direction at times left to the schema, and now and then a variable."""
        direction = self.one(["ASC", "DESC", None])
        wanted = {"field": column} | ({"direction": direction} if direction else {})
        if self.chance(4):
            return self.variable(type_, wanted)
        return "{" + ", ".join(f"{key}: {value}" for key, value in wanted.items()) + "}"

    def id(self, record):
        """Mostly the id of a record of the company; at times another's, nobody's or none at all."""
        shape = SHAPES[record] if record in SHAPES else self.one(SHAPES.values())
        tenant = self.one([self.tenant] * 4 + list(self.corpus.tenants))
        known = self.one(self.corpus.ids[tenant, shape.name])
        return self.one([known] * 12 + [encode(shape.prefix, bytes(16)), known[:-1], encode("cu", bytes(16)), ""])

    def cursor(self, record, column):
        """Mostly the cursor of a row under the order that is asked for; at times of another order or kind."""
        if self.chance(20):
            return self.one(["", "%", "bnVsbA", "W10", "WyJhIl0", "e30"])
        shape = self.one(SHAPES.values()) if self.chance(30) else SHAPES[record]
        rows = [row for row in self.corpus.records if row.shape is shape and row.stamp.tenant == self.tenant]
        column = None if self.chance(20) or shape.name != record else column
        return cursor(whole([(column.lower(), False)] if column else []), self.one(rows))

    def filter(self, record, type_):
        """Conditions that some row mostly meets."""
        offered = SCHEMA.get_type(f"{record}Filter").fields
        made = {}
        for name in self.some(offered, 2):
            inner = get_nullable_type(offered[name].type)
            made[name] = {word: self.wanted(record, name, inner.fields[word]) for word in self.some(inner.fields, 2)}
        if self.chance(4):
            return self.variable(type_, made)
        return literal(made, SCHEMA.get_type(f"{record}Filter"))

    def look_up(self, record, type_):
        """Identifiers, mostly of some row, in one spelling or another."""
        names = [name for name in SCHEMA.get_type(f"{record}LookUp").fields if name != "purpose"]
        made = {"purpose": self.one(SCHEMA.get_type("Purpose").values)}
        for name in self.some(names, 2) if not self.chance(12) else ():
            field, _ = identifying(SHAPES[record], name)
            text = self.one(IDENTIFIERS[field.index.normaliser])
            made[name] = self.one([text, text, text, f" {text} ", text.replace("1", "１"), None, "x", "\x01"])
        if self.chance(4):
            return self.variable(type_, made)
        return literal(made, SCHEMA.get_type(f"{record}LookUp"))

    def wanted(self, record, name, offered):
        """The value of a condition."""
        if self.chance(12):
            return None
        type_ = get_nullable_type(offered.type)
        leaf = get_named_type(type_)
        column = snake(SHAPES[record], name)
        if isinstance(leaf, GraphQLEnumType):
            values = list(leaf.values)
        else:
            rows = [value_of(row, column) for row in self.corpus.records if row.shape is SHAPES[record]]
            held = [one for value in rows for one in (value if isinstance(value, tuple) else (value,))]
            held += {"String": TEXTS, "Int": NUMBERS, "Date": DAYS, "DateTime": INSTANTS, "Boolean": (True, False)}.get(
                leaf.name, ()
            )
            values = [plain(value) for value in held if value is not None and shown(value)]
        if isinstance(type_, GraphQLList):
            return self.draw(st.lists(st.sampled_from(values), max_size=3))
        return self.one(values)


def shown(value):
    """Whether a request may hold the value, and need not be long for it."""
    return not isinstance(value, str) or (len(value) < SHORT and not set(value) & UNSHOWN)


def plain(value):
    """A value as a request holds it."""
    if hasattr(value, "tzinfo"):
        return instant(value, UTC)
    return value.isoformat() if hasattr(value, "isoformat") else value


def instant(value, zone):
    """An instant with an offset."""
    return value.astimezone(zone).isoformat().replace("+00:00", "Z")


def literal(value, type_=None):
    """A value as a document has it; objects and words of lists need their type."""
    type_ = get_nullable_type(type_)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {literal(one, type_.fields[key].type)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(literal(one, type_.of_type) for one in value)}]"
    if isinstance(value, str) and not isinstance(get_named_type(type_), GraphQLEnumType):
        return quoted(value)
    return {"None": "null", "True": "true", "False": "false"}.get(str(value), str(value))


def quoted(text):
    """A text in quotes; half of what can be escaped is."""
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f'"{escaped}"'


@st.composite
def documents(draw, corpus, tenant):
    """A random document for somebody of a company, within the limits."""
    document = Writing(draw, corpus, tenant).document()
    assume(light(document.text))
    return document


def light(text):
    """Whether a document follows no more than it may; the limit has tests of its own."""
    try:
        check_document(parse(text), check_text(text), followed(SCHEMA))
    except Malformed:
        return False
    return True
