"""A query document becomes a reading, its arguments, and the form of its answer; nothing is read here.

What depends on the values of variables is decided while compiling only where `arguments.deciding` names it, so one
compiled document serves every request that agrees in that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import FieldNode, GraphQLObjectType, OperationDefinitionNode
from graphql.execution.values import VariableValues

from api.graphql.compiling import forms
from api.graphql.compiling.arguments import Given, Slots, Source, fill, given, page_size, plain, prefix_of_id
from api.graphql.compiling.forms import Entry, Form
from api.graphql.compiling.selections import Selections
from api.graphql.generation.inputs import OPERATORS, OrderDirection
from api.graphql.generation.parts import (
    Closed,
    Column,
    Derived,
    Masked,
    Part,
    ToMany,
    ToOne,
    is_value,
    item_of,
    parts,
    values,
    without_none,
)
from api.graphql.generation.wording import camel
from api.graphql.queries import ROOTS, Kind, Me, Root
from api.graphql.scalars import print_text, printer
from api.graphql.types import CONFIDENTIAL
from domain.errors import CreditError, Malformed
from domain.reading import Labelled, Level, Link, Page, Reading, Reveal, Times, Where
from domain.records import PREFIXES, SHAPES, Computed, Confidential, Shape

TYPENAME = "__typename"
META = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A document's operation, ready to be judged, prepared and answered."""

    reading: Reading
    sources: tuple[Source, ...]
    answers: tuple[Entry, ...]
    """The roots in document order."""
    mine: tuple[str, ...]
    """Roots that the caller's token answers."""
    introspection: Mapping[str, tuple[FieldNode, ...]]
    failures: Mapping[str, CreditError]
    """Roots that cannot be read, such as those with a malformed id: null, with their error."""

    def arguments(self, variables: VariableValues) -> list[Any]:
        """The value of every slot of the reading."""
        return fill(self.sources, variables)

    def rows(self, arguments: Sequence[Any]) -> dict[str, int]:
        """How many rows each root can read at most."""
        return {root.label: _rows(root.what, arguments) for root in self.reading.roots}


@dataclass(slots=True)
class _Asked:
    """What is asked at one level, while it is gathered."""

    facts: list[Labelled[str]] = field(default_factory=list)
    links: list[Labelled[Link]] = field(default_factory=list)
    reveals: list[Labelled[Reveal]] = field(default_factory=list)
    masks: list[Labelled[Confidential[Any]]] = field(default_factory=list)
    computed: list[Labelled[Computed]] = field(default_factory=list)

    def level(self, shape: Shape, times: Times) -> Level:
        """The level, without conditions."""
        return Level(
            shape=shape,
            facts=tuple(self.facts),
            links=tuple(self.links),
            reveals=tuple(self.reveals),
            masks=tuple(self.masks),
            computed=tuple(self.computed),
            times=Times() if shape.ledger else times,
        )


def compile_query(selections: Selections, operation: OperationDefinitionNode) -> Compiled:
    """The reading of a query operation, with everything needed to fill and to answer it."""
    compiler = _Compiler(selections)
    query = selections.object("Query")
    for key, nodes in selections.of(query, [operation.selection_set]).items():
        compiler.root(query, key, nodes)
    return compiler.done()


def compile_record(selections: Selections, shape: Shape, key: str, nodes: Sequence[FieldNode]) -> Compiled:
    """The reading of one record beneath a field of another answer; its first slot waits for the record's id."""
    compiler = _Compiler(selections)
    compiler.record(shape, key, nodes)
    return compiler.done()


def compile_value(selections: Selections, key: str, name: str, type_: Any, nodes: Sequence[FieldNode]) -> Entry:
    """A value that stands in no reading, such as one that a change disclosed: how it answers under a response key."""
    return _Compiler(selections).value(Entry(key=key, label=name), type_, nodes, name, optional=True)


class _Compiler:
    """Gathers one reading; the walk follows the selection set, the declarations say what each field is."""

    def __init__(self, selections: Selections) -> None:
        self._selections = selections
        self._slots = Slots()
        self._times = Times()
        self._roots: list[Labelled[Level]] = []
        self._answers: list[Entry] = []
        self._mine: list[str] = []
        self._introspection: dict[str, tuple[FieldNode, ...]] = {}
        self._failures: dict[str, CreditError] = {}

    def done(self) -> Compiled:
        """What was gathered."""
        return Compiled(
            reading=Reading(tuple(self._roots)),
            sources=self._slots.sources(),
            answers=tuple(self._answers),
            mine=tuple(self._mine),
            introspection=self._introspection,
            failures=self._failures,
        )

    def root(self, query: GraphQLObjectType, key: str, nodes: Sequence[FieldNode]) -> None:
        """One field of the query root."""
        name = nodes[0].name.value
        if name == TYPENAME:
            self._answers.append(Entry(key=key, word=query.name))
            return
        if name in META:
            self._introspection[key] = tuple(nodes)
            self._answers.append(Entry(key=key, label=key))
            return
        arguments = given(query.fields[name], nodes[0], self._selections.variables)
        self._times = self._times_of(arguments)
        try:
            self._read(ROOTS[name], key, nodes, arguments)
        except CreditError as error:
            self._failures[key] = error
            self._answers.append(Entry(key=key, label=key))

    def _read(self, root: Root, key: str, nodes: Sequence[FieldNode], arguments: Given) -> None:
        match root.kind:
            case Kind.ME:
                self._mine.append(key)
                self._answers.append(Entry(key=key, label=key, form=self._object(Me, nodes)))
            case Kind.ONE:
                _check_id(arguments.values["id"], root.shape.prefix)
                self._by_id(root.shape, key, nodes, arguments)
            case Kind.NODE:
                self._by_id(PREFIXES[_check_id(arguments.values["id"], None)], key, nodes, arguments)
            case Kind.PAGE:
                level, form = self._page(root.shape, nodes, arguments)
                self._add(key, level, form)
            case Kind.ACCESS:
                self._access(root.shape, key, nodes, arguments)

    def _by_id(self, shape: Shape, key: str, nodes: Sequence[FieldNode], arguments: Given) -> None:
        where = (Where("id", "=", self._slots.add(arguments, ("id",), plain)),)
        asked = _Asked()
        form = self._record(asked, shape, nodes, "")
        self._add(key, replace(asked.level(shape, self._times), where=where), form)

    def record(self, shape: Shape, key: str, nodes: Sequence[FieldNode]) -> None:
        """One record whose id is not an argument of the document."""
        field_ = self._selections.object("Query").fields["node"]
        self._by_id(shape, key, nodes, Given(field_, nodes[0], {}, constant=True))

    def _access(self, shape: Shape, key: str, nodes: Sequence[FieldNode], arguments: Given) -> None:
        """The accesses to one file are read through the file, since they are about its subject."""
        file = SHAPES["CreditFile"]
        _check_id(arguments.values["creditFile"], file.prefix)
        level, form = self._page(shape, nodes, arguments)
        way = Labelled("log", Link(file.children["access_log"], level))
        where = (Where("id", "=", self._slots.add(arguments, ("creditFile",), plain)),)
        self._add(key, Level(shape=file, links=(way,), where=where), lambda found: form(found["log"]))

    def _add(self, key: str, level: Level, form: Form) -> None:
        self._roots.append(Labelled(key, level))
        self._answers.append(Entry(key=key, label=key, form=form))

    def _times_of(self, arguments: Given) -> Times:
        slots = {
            name: self._slots.add(arguments, (name,), plain)
            for name in ("asOf", "knownAt")
            if arguments.values.get(name) is not None
        }
        return Times(slots.get("asOf"), slots.get("knownAt"))

    def _record(self, asked: _Asked, shape: Shape, nodes: Sequence[FieldNode], prefix: str) -> Form:
        """Everything selected on a record; the prefix keeps apart what two selections on the same rows ask for."""
        type_ = self._selections.object(shape.name)
        offered = parts(shape)
        entries: list[Entry] = []
        for key, same in self._selections.under(type_, nodes).items():
            name, label = same[0].name.value, prefix + key
            if name == TYPENAME:
                entries.append(Entry(key=key, word=shape.name))
            else:
                entries.append(self._part(asked, type_, offered[name], Entry(key=key, label=label), same))
        return forms.row(entries)

    def _part(
        self, asked: _Asked, type_: GraphQLObjectType, part: Part, entry: Entry, nodes: Sequence[FieldNode]
    ) -> Entry:
        name, label = nodes[0].name.value, entry.label
        place = f"{type_.name}.{name}"
        match part:
            case Column():
                asked.facts.append(Labelled(label, part.name))
                return self.value(entry, part.type, nodes, place, optional=part.optional)
            case Derived():
                asked.computed.append(Labelled(label, part.by))
                return self.value(entry, part.by.type, nodes, place, optional=part.by.optional)
            case Masked():
                asked.masks.append(Labelled(label, part.by))
                return entry
            case ToOne():
                inner = _Asked()
                target = SHAPES[str(part.by.target)]
                form = self._record(inner, target, nodes, "")
                asked.links.append(Labelled(label, Link(part.by, inner.level(target, self._times))))
                return replace(entry, form=form)
            case ToMany():
                arguments = given(type_.fields[name], nodes[0], self._selections.variables)
                level, form = self._page(SHAPES[part.by.target], nodes, arguments)
                asked.links.append(Labelled(label, Link(part.by, level)))
                return replace(entry, form=form, place=place)
            case Closed():
                arguments = given(type_.fields[name], nodes[0], self._selections.variables)
                reveal, form = self._reveal(type_, part, nodes, arguments)
                asked.reveals.append(Labelled(label, reveal))
                return replace(entry, form=form)

    def _page(self, shape: Shape, nodes: Sequence[FieldNode], arguments: Given) -> tuple[Level, Form]:
        """A connection: one level, however many ways its rows are asked for."""
        asked = _Asked()
        wants_total = False
        entries: dict[str, Form | str] = {}
        rows = 0
        form: Form | str
        for key, same in self._selections.under(self._selections.object(f"{shape.name}Connection"), nodes).items():
            prefix = f"{rows}." if rows else ""
            match same[0].name.value:
                case "edges":
                    form, used = self._edges(asked, shape, same, rows)
                    rows += used
                case "nodes":
                    form, rows = forms.nodes(self._record(asked, shape, same, prefix)), rows + 1
                case "pageInfo":
                    form = forms.page_info(self._words("PageInfo", same))
                case "totalCount":
                    form, wants_total = forms.total, True
                case _:
                    form = f"{shape.name}Connection"
            entries[key] = form
        after = arguments.values.get("after") is not None
        page = Page(
            size=self._slots.add(arguments, ("first",), page_size),
            after=self._slots.add(arguments, ("after",), plain) if after else None,
            wants_total=wants_total,
        )
        level = replace(
            asked.level(shape, self._times),
            page=page,
            where=self._where(shape, arguments),
            order=_order(arguments),
        )
        return level, forms.connection(entries)

    def _edges(self, asked: _Asked, shape: Shape, nodes: Sequence[FieldNode], rows: int) -> tuple[Form, int]:
        entries: list[Entry] = []
        used = 0
        for key, same in self._selections.under(self._selections.object(f"{shape.name}Edge"), nodes).items():
            match same[0].name.value:
                case "cursor":
                    entries.append(Entry(key=key, label="cursor"))
                case "node":
                    prefix = f"{rows + used}." if rows + used else ""
                    entries.append(Entry(key=key, label="node", form=self._record(asked, shape, same, prefix)))
                    used += 1
                case _:
                    entries.append(Entry(key=key, word=f"{shape.name}Edge"))
        return forms.edges(entries), used

    def _where(self, shape: Shape, arguments: Given) -> tuple[Where, ...]:
        """The conditions of a filter; one without a value does not count."""
        by_name = {camel(name): name for name in shape.facts}
        return tuple(
            Where(by_name[name], OPERATORS[operator], self._slots.add(arguments, ("filter", name, operator), plain))
            for name, conditions in (arguments.values.get("filter") or {}).items()
            for operator, held in (conditions or {}).items()
            if held is not None
        )

    def _reveal(
        self, type_: GraphQLObjectType, part: Closed, nodes: Sequence[FieldNode], arguments: Given
    ) -> tuple[Reveal, Form]:
        """The confidential fields of one record asked for under one purpose."""
        name = type_.name + CONFIDENTIAL
        fields: list[Labelled[Confidential[Any]]] = []
        closed: list[str] = []
        entries: list[Entry] = []
        for key, same in self._selections.under(self._selections.object(name), nodes).items():
            asked = same[0].name.value
            if asked == TYPENAME:
                entries.append(Entry(key=key, word=name))
            elif asked == "withheld":
                closed.append(key)
                entries.append(Entry(key=key, label=key, form=forms.withheld(self._words("WithheldField", same))))
            else:
                sealed = part.fields[asked]
                fields.append(Labelled(key, sealed))
                plain_type, _ = without_none(sealed.type)
                entries.append(self.value(Entry(key=key, label=key), plain_type, same, asked, optional=True))
        reveal = Reveal(purpose=arguments.values["purpose"], fields=tuple(fields), withheld=tuple(closed))
        return reveal, forms.row(entries)

    def value(self, entry: Entry, type_: Any, nodes: Sequence[FieldNode], place: str, *, optional: bool) -> Entry:
        """The entry of a fact: a leaf prints, a value object and a list follow their selections."""
        item = item_of(type_)
        form = self._form(type_, nodes) if item is None else forms.many(self._form(item, nodes), place)
        return replace(entry, form=form, place="" if optional else place)

    def _form(self, type_: Any, nodes: Sequence[FieldNode]) -> Form | None:
        if is_value(type_):
            return self._object(type_, nodes)
        prints = printer(type_)
        return None if prints is print_text else prints

    def _object(self, cls: type, nodes: Sequence[FieldNode]) -> Form:
        """A value object such as money, or the caller itself."""
        columns = values(cls)
        entries: list[Entry] = []
        for key, same in self._selections.under(self._selections.object(cls.__name__), nodes).items():
            name = same[0].name.value
            if name == TYPENAME:
                entries.append(Entry(key=key, word=cls.__name__))
            else:
                column = columns[name]
                entry = Entry(key=key, label=column.name)
                entries.append(self.value(entry, column.type, same, f"{cls.__name__}.{name}", optional=column.optional))
        return forms.value(entries)

    def _words(self, name: str, nodes: Sequence[FieldNode]) -> list[Entry]:
        """The fields of a type whose values need no printing."""
        return [
            Entry(key=key, word=name) if same[0].name.value == TYPENAME else Entry(key=key, label=same[0].name.value)
            for key, same in self._selections.under(self._selections.object(name), nodes).items()
        ]


def _rows(level: Level, arguments: Sequence[Any]) -> int:
    size: int = arguments[level.page.size.index] if level.page else 1
    return size * (1 + sum(_rows(way.what.level, arguments) for way in level.links))


def _order(arguments: Given) -> tuple[tuple[str, bool], ...]:
    wanted = arguments.values.get("orderBy")
    if wanted is None:
        return ()
    return ((wanted["field"].value, wanted["direction"] is OrderDirection.DESC),)


def _check_id(text: str, prefix: str | None) -> str:
    """The prefix of an id that is well formed and of the expected type.

    Raises: Malformed.
    """
    found = prefix_of_id(text)
    if not found or (prefix is not None and found != prefix):
        raise Malformed(
            "The id is not well formed.", advice="Send ids exactly as received, to the field of their type."
        )
    return found
