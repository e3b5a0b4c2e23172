"""What a document asks for, whatever there is: graphql-core runs it in a world where everything exists once.

From that follows what depends on no row: which fields the caller may not read, which cursors are of another list,
which arguments are out of bounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    execute_sync,
    get_named_type,
)

from domain.errors import Malformed
from domain.records import SHAPES
from tests.oracle.naive import LEAVES, SCHEMA, check_id, check_look_up, order_of, place, snake, sought, written
from tests.vault.oracle import uncursor, whole

PAGE = "A page has at most 100 rows.", "A page has at least one row."
UNWRITTEN = "A text of a condition holds characters that are not written."
CHOICES = "A condition names at most 100 values."
CURSOR = Malformed("The cursor is not one of this list.", advice="Send cursors exactly as received, same order.")
TYPES = "Send a value of the type the schema names."
FACT, WHERE, ORDER, COMPUTED, LINK, MASK, SOUGHT = range(7)


@dataclass
class Level:
    """One place of the answer with rows of one kind."""

    shape: object
    depth: int
    root: str
    asked: list = field(default_factory=list)
    """Rank, field and action."""


@dataclass
class Phantom:
    """The one object there is of a type."""

    level: Level | None
    type: str


@dataclass
class Asking:
    """Everything a document asks of the world."""

    levels: list[Level] = field(default_factory=list)
    asked: dict = field(default_factory=dict)
    """The confidential fields, by the place of the object they stand in."""
    bounds: set[str] = field(default_factory=set)
    """What is told of arguments out of bounds: any of it, since nothing is read."""
    strange: dict[str, Malformed] = field(default_factory=dict)
    """What is told of cursors, and of what is no identifier of its kind."""
    unknown: dict[str, Malformed] = field(default_factory=dict)
    """Roots that no id leads to."""
    roots: set[str] = field(default_factory=set)
    """The keys of all roots but those that tell of the schema."""
    introspects: bool = False
    core: tuple = ()
    """What graphql-core itself says of arguments."""

    @classmethod
    def of(cls, document, variables, name):
        """What a valid document asks for."""
        found = cls()
        result = execute_sync(
            SCHEMA, document, variable_values=variables, operation_name=name, field_resolver=found.resolve,
            type_resolver=lambda phantom, *_: phantom.type,
        )  # fmt: skip
        answered = {key: value for key, value in (result.data or {}).items() if value != "Query"}
        found.introspects = bool(set(answered) - found.roots)
        found.core = tuple(error for error in result.errors or () if not isinstance(error.original_error, Malformed))
        return found

    def resolve(self, source, info, **given):
        """One field of the one object."""
        name, type_ = info.field_name, get_named_type(info.return_type).name
        if source is None:
            return self.root(name, type_, info, given)
        inner = source.level
        if source.type in SHAPES:
            inner = self.of_record(source.level, name, type_, info, given)
        elif source.type.endswith("Confidential") and name != "withheld":
            self.asked[place(info)[:-1]].append(name)
        return dummy(info.return_type, inner)

    def root(self, name, type_, info, given):
        """A root: a level of its own, or none."""
        self.roots.add(info.path.key)
        if name == "me":
            return Phantom(None, type_)
        if name == "separationsOfDuty":
            return ()
        times = [value for key, value in given.items() if key in {"asOf", "knownAt"}]
        assert all(value is None or isinstance(value, datetime) for value in times)
        level = Level(None, 0, info.path.key)
        wanted = SHAPES[type_].prefix if type_ in SHAPES else None
        for key in {"id", "creditFile"} & set(given):
            try:
                check_id(given[key], "cf" if key == "creditFile" else wanted)
            except Malformed as error:
                self.unknown[info.path.key] = error
                raise
        try:
            check_look_up(given)
        except Malformed as error:
            self.unknown[info.path.key] = error
            raise
        self.levels.append(level)
        if name == "accessLog":
            level.shape = SHAPES["CreditFile"]
            level.asked.append((WHERE, "CreditFile.id", level.shape.read))
            return Phantom(self.link(level, level.shape.children["access_log"], given), type_)
        if "id" in given:
            level.shape = next(shape for shape in SHAPES.values() if given["id"].startswith(f"{shape.prefix}_"))
            level.asked.append((WHERE, f"{level.shape.name}.id", level.shape.read))
            return Phantom(level, level.shape.name)
        level.shape = SHAPES[type_.removesuffix("Connection")]
        self.listed(level, given)
        return Phantom(level, type_)

    def of_record(self, level, name, type_, info, given):
        """A field of a record; the level it leads to, where it leads to another."""
        shape = level.shape
        if name == "confidential":
            self.asked.setdefault(place(info), [])
            return level
        if name.endswith("Masked"):
            masked = shape.confidential[snake(shape, name.removesuffix("Masked"))]
            level.asked.append((MASK, f"{shape.name}.{masked.name}Masked", f"mask:{masked.data_class.value}"))
            return level
        column = snake(shape, name)
        declared = shape.children.get(column) or shape.facts.get(column) or shape.computed.get(column)
        if type_ in SHAPES or type_.endswith("Connection"):
            return self.link(level, declared, given)
        rank = COMPUTED if column in shape.computed else FACT
        action = (declared.action if declared else None) or shape.read
        level.asked.append((rank, f"{shape.name}.{column}", action))
        return level

    def link(self, level, way, given):
        """The level behind a link."""
        shape = SHAPES[way.target]
        level.asked.append((LINK, f"{level.shape.name}.{way.name}", way.action or shape.read))
        inner = Level(shape, level.depth + 1, level.root)
        self.levels.append(inner)
        if "first" in given:
            self.listed(inner, given)
        return inner

    def listed(self, level, given):
        """The arguments of a page."""
        shape, size, after = level.shape, given.get("first"), given.get("after")
        if size is not None and not 1 <= size <= 100:
            self.bounds.add(PAGE[size < 1])
        texts = [] if after is None else [after]
        for key, conditions in (given.get("filter") or {}).items():
            for value in (conditions or {}).values():
                if value is None:
                    continue
                column = snake(shape, key)
                level.asked.append((WHERE, f"{shape.name}.{column}", shape.facts[column].action or shape.read))
                texts += value if isinstance(value, list) else [value]
                if isinstance(value, list) and len(value) > 100:
                    self.bounds.add(CHOICES)
        for sealed, value, way in sought(shape, given):
            if way is not None:
                level.asked.append((SOUGHT, f"{shape.name}.{way.name}", way.action or SHAPES[way.target].read))
            level.asked += [(SOUGHT, f"{shape.name}.{sealed.name}", action) for action in sealed.actions]
            texts.append(value)
            self.strange |= unwritten(sealed, value)
        if any(isinstance(text, str) and strange(text) for text in texts):
            self.bounds.add(UNWRITTEN)
        order = order_of(given, shape)
        for column, _ in order:
            fact = shape.facts.get(column)
            level.asked.append((ORDER, f"{shape.name}.{column}", (fact.action if fact else None) or shape.read))
        if after is not None:
            self.strange |= {sentence: told_of(sentence) for sentence in unfit(shape, whole(order), after)}

    def refused(self, allowed):
        """The fields that are not granted and the actions they lack, as a refusal names them."""
        found = {}
        for level in sorted(self.levels, key=lambda level: level.depth):
            named_ = sorted(level.asked, key=lambda item: item[0])
            for _, name, action in [(None, level.shape.name, level.shape.read), *named_]:
                if action not in allowed:
                    found.setdefault(name, action)
        whole_ = {name for name in found if "." not in name}
        told = [name for name in found if name in whole_ or name.split(".")[0] not in whole_]
        spoken = [re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name) for name in told]
        return spoken, list(dict.fromkeys(found.values()))


def dummy(type_, level):
    """Something that fits a type."""
    if isinstance(type_, GraphQLNonNull):
        return dummy(type_.of_type, level)
    if isinstance(type_, GraphQLList):
        return [dummy(type_.of_type, level)]
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if isinstance(type_, GraphQLScalarType):
        return LEAVES[type_.name]
    return Phantom(level, type_.name)


def strange(text):
    """Whether a text holds characters that no text of a request holds."""
    return any(ord(one) in {*range(9), 11, 12, *range(14, 32), 127, *range(0xD800, 0xE000)} for one in text)


def unfit(shape, order, text):
    """What is told of a cursor that no row of this list has, in this order."""
    if strange(text):
        return set()  # it is out of bounds
    try:
        values = uncursor(order, shape, text)
    except (ValueError, TypeError, KeyError):
        return {CURSOR.message, "The word is not one of its list.", "The value does not fit its place."}
    kinds = [shape.facts[name].type if name in shape.facts else None for name, _ in order]
    fits = values[-1].startswith(f"{shape.prefix}_") if isinstance(values[-1], str) else False
    for (name, _), kind, value in zip(order, kinds, values, strict=True):
        optional = name in shape.facts and shape.facts[name].optional
        fits &= optional if value is None else isinstance(value, plain(kind))
    return set() if fits else {CURSOR.message, "The value does not fit its place."}


def told_of(sentence):
    """What is told of a cursor, as an error."""
    return CURSOR if sentence == CURSOR.message else Malformed(sentence, advice=TYPES)


def unwritten(sealed, value):
    """What is told of a text that is no identifier of its kind."""
    try:
        written(sealed, value)
    except Malformed as error:
        return {error.message + error.advice: error}
    return {}


def plain(kind):
    """What a value of a column is compared as."""
    if kind is None:
        return str | datetime
    kind = getattr(kind, "__supertype__", kind)
    return int if issubclass(kind, Enum) else kind
