"""A query document becomes a reading, its arguments, and the form of its answer; nothing is read here.

What depends on the values of variables is decided while compiling only where `arguments.deciding` names it, so one
compiled document serves every request that agrees in that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import FieldNode, GraphQLObjectType, OperationDefinitionNode
from graphql.execution.values import VariableValues

from api.graphql.compiling import forms
from api.graphql.compiling.arguments import Given, Slots, Source, fill, given, plain, prefix_of_id
from api.graphql.compiling.forms import Entry, Form
from api.graphql.compiling.levels import TYPENAME, Asked, Levels
from api.graphql.compiling.selections import Selections
from api.graphql.compiling.worked import WORKED
from api.graphql.queries import ROOTS, TOLD, Kind
from domain.errors import CreditError, Malformed
from domain.reading import Labelled, Level, Link, Reading, Slot, Times, Where
from domain.records import PREFIXES, SHAPES, Shape

META = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A document's operation, ready to be judged, prepared and answered."""

    reading: Reading
    sources: tuple[Source, ...]
    answers: tuple[Entry, ...]
    """The roots in document order."""
    told: Mapping[str, str]
    """Roots that are known without looking: by response key, which one."""
    worked: Mapping[str, tuple[str, Mapping[str, Slot]]]
    """Roots that an operation works out: by response key, which one, and the places of its arguments."""
    introspection: Mapping[str, tuple[FieldNode, ...]]
    failures: Mapping[str, CreditError]
    """Roots that cannot be read, such as those with a malformed id: null, with their error."""

    def arguments(self, variables: VariableValues) -> list[Any]:
        """The value of every slot of the reading."""
        return fill(self.sources, variables)

    def rows(self, arguments: Sequence[Any]) -> dict[str, int]:
        """How many rows each root can read at most."""
        return {root.label: _rows(root.what, arguments) for root in self.reading.roots}


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
    return Levels(selections, Slots()).value(Entry(key=key, label=name), type_, nodes, name, optional=True)


class _Compiler:
    """Gathers one reading, root by root."""

    def __init__(self, selections: Selections) -> None:
        self._selections = selections
        self._slots = Slots()
        self._levels = Levels(selections, self._slots)
        self._roots: list[Labelled[Level]] = []
        self._answers: list[Entry] = []
        self._told: dict[str, str] = {}
        self._worked: dict[str, tuple[str, Mapping[str, Slot]]] = {}
        self._introspection: dict[str, tuple[FieldNode, ...]] = {}
        self._failures: dict[str, CreditError] = {}

    def done(self) -> Compiled:
        """What was gathered."""
        return Compiled(
            reading=Reading(tuple(self._roots)),
            sources=self._slots.sources(),
            answers=tuple(self._answers),
            told=self._told,
            worked=self._worked,
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
        self._levels.times = self._times_of(arguments)
        try:
            self._read(name, key, nodes, arguments)
        except CreditError as error:
            self._failures[key] = error
            self._answers.append(Entry(key=key, label=key))

    def _read(self, name: str, key: str, nodes: Sequence[FieldNode], arguments: Given) -> None:
        root = ROOTS[name]
        match root.kind:
            case Kind.TOLD:
                self._told[key] = name
                form = self._levels.object(TOLD[name].type, nodes)
                form = forms.many(form, name) if TOLD[name].many else form
                self._answers.append(Entry(key=key, label=key, form=form))
            case Kind.WORKED:
                worked = WORKED[name]
                slots = {one.name: self._slots.add(arguments, (one.name,), plain) for one in worked.arguments}
                self._worked[key] = (name, slots)
                form = self._levels.object(worked.type, nodes)
                form = forms.many(form, name) if worked.many else form
                self._answers.append(Entry(key=key, label=key, form=form))
            case Kind.ONE:
                _check_id(arguments.values["id"], root.shape.prefix)
                self._by_id(root.shape, key, nodes, arguments)
            case Kind.NODE:
                self._by_id(PREFIXES[_check_id(arguments.values["id"], None)], key, nodes, arguments)
            case Kind.PAGE:
                sought = self._levels.sought(root.shape, arguments)
                level, form = self._levels.page(root.shape, nodes, arguments)
                self._add(key, replace(level, sought=sought), form)
            case Kind.ACCESS:
                self._access(root.shape, key, nodes, arguments)

    def _by_id(self, shape: Shape, key: str, nodes: Sequence[FieldNode], arguments: Given) -> None:
        where = (Where("id", "=", self._slots.add(arguments, ("id",), plain)),)
        asked = Asked()
        form = self._levels.record(asked, shape, nodes, "")
        self._add(key, replace(asked.level(shape, self._levels.times), where=where), form)

    def record(self, shape: Shape, key: str, nodes: Sequence[FieldNode]) -> None:
        """One record whose id is not an argument of the document."""
        field_ = self._selections.object("Query").fields["node"]
        self._by_id(shape, key, nodes, Given(field_, nodes[0], {}, constant=True))

    def _access(self, shape: Shape, key: str, nodes: Sequence[FieldNode], arguments: Given) -> None:
        """The accesses to one file are read through the file, since they are about its subject."""
        file = SHAPES["CreditFile"]
        _check_id(arguments.values["creditFile"], file.prefix)
        level, form = self._levels.page(shape, nodes, arguments)
        way = Labelled("log", Link(file.children["access_log"], level))
        where = (Where("id", "=", self._slots.add(arguments, ("creditFile",), plain)),)
        self._add(key, Level(shape=file, links=(way,), where=where), lambda found: forms.fill(form, found["log"]))

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


def _rows(level: Level, arguments: Sequence[Any]) -> int:
    size: int = arguments[level.page.size.index] if level.page else 1
    return size * (1 + sum(_rows(way.what.level, arguments) for way in level.links))


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
