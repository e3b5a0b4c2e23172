"""What is asked at one level of a document: its parts, how they are put in form, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import FieldNode, GraphQLObjectType

from api.graphql.compiling import forms
from api.graphql.compiling.arguments import Given, Slots, given, page_size, plain
from api.graphql.compiling.forms import Entry, Form
from api.graphql.compiling.selections import Selections
from api.graphql.generation.inputs import LOOK_UP_PURPOSE, OPERATORS, OrderDirection, looked_up_by
from api.graphql.generation.parts import (
    Closed,
    Column,
    Derived,
    Masked,
    ToMany,
    ToOne,
    is_value,
    item_of,
    parts,
    values,
    without_none,
)
from api.graphql.generation.parts import Part as Offered
from api.graphql.generation.wording import camel
from api.graphql.scalars import print_text, printer
from api.graphql.types import CONFIDENTIAL
from domain.errors import Malformed
from domain.reading import (
    Labelled,
    Leaf,
    Level,
    Link,
    Linked,
    Listed,
    Page,
    Part,
    Portion,
    Reveal,
    Sheet,
    Sought,
    Times,
    Total,
    Where,
    Word,
    Wrapped,
)
from domain.records import SHAPES, Computed, Confidential, Shape

TYPENAME = "__typename"


@dataclass(slots=True)
class Asked:
    """What is asked at one level, while it is gathered."""

    facts: list[Labelled[str]] = field(default_factory=list)
    links: list[Labelled[Link]] = field(default_factory=list)
    reveals: list[Labelled[Reveal]] = field(default_factory=list)
    masks: list[Labelled[Confidential[Any]]] = field(default_factory=list)
    computed: list[Labelled[Computed]] = field(default_factory=list)
    sheets: list[Sheet | None] = field(default_factory=list)
    """One for each selection of the rows; None where a part of it is only known in rows."""

    def level(self, shape: Shape, times: Times) -> Level:
        """The level, without conditions."""
        written = [sheet for sheet in self.sheets if sheet is not None]
        return Level(
            shape=shape,
            facts=tuple(self.facts),
            links=tuple(self.links),
            reveals=tuple(self.reveals),
            masks=tuple(self.masks),
            computed=tuple(self.computed),
            times=Times() if shape.ledger else times,
            sheets=tuple(written) if len(written) == len(self.sheets) else (),
        )


class Levels:
    """Gathers levels; the walk follows the selection set, the declarations say what each field is."""

    def __init__(self, selections: Selections, slots: Slots) -> None:
        self._selections = selections
        self._slots = slots
        self.times = Times()

    def record(self, asked: Asked, shape: Shape, nodes: Sequence[FieldNode], prefix: str) -> Form:
        """Everything selected on a record; the prefix keeps apart what two selections on the same rows ask for."""
        type_ = self._selections.object(shape.name)
        offered = parts(shape)
        entries: list[Entry] = []
        written: list[tuple[str, Part | None]] = []
        for key, same in self._selections.under(type_, nodes).items():
            name, label = same[0].name.value, prefix + key
            if name == TYPENAME:
                entry: Entry = Entry(key=key, word=shape.name)
                part: Part | None = Word(shape.name)
            else:
                entry, part = self._part(asked, type_, offered[name], Entry(key=key, label=label), same)
            entries.append(entry)
            written.append((key, part))
        whole = tuple((key, part) for key, part in written if part is not None)
        asked.sheets.append(Sheet(whole) if len(whole) == len(written) else None)
        return forms.row(entries)

    def _part(
        self, asked: Asked, type_: GraphQLObjectType, part: Offered, entry: Entry, nodes: Sequence[FieldNode]
    ) -> tuple[Entry, Part | None]:
        """How one field is put in form, and how it is written; None where that is known in rows only."""
        name, label = nodes[0].name.value, entry.label
        place = f"{type_.name}.{name}"
        match part:
            case Column():
                asked.facts.append(Labelled(label, part.name))
                entry = self.value(entry, part.type, nodes, place, optional=part.optional)
                return entry, self._written(part, nodes)
            case Derived():
                asked.computed.append(Labelled(label, part.by))
                return self.value(entry, part.by.type, nodes, place, optional=part.by.optional), None
            case Masked():
                asked.masks.append(Labelled(label, part.by))
                return entry, None
            case ToOne():
                inner = Asked()
                target = SHAPES[str(part.by.target)]
                form = self.record(inner, target, nodes, "")
                asked.links.append(Labelled(label, Link(part.by, inner.level(target, self.times))))
                return replace(entry, form=form), Linked(label)
            case ToMany():
                arguments = given(type_.fields[name], nodes[0], self._selections.variables)
                level, form = self.page(SHAPES[part.by.target], nodes, arguments)
                asked.links.append(Labelled(label, Link(part.by, level)))
                return replace(entry, form=form, place=place), Linked(label)
            case Closed():
                arguments = given(type_.fields[name], nodes[0], self._selections.variables)
                reveal, form = self._reveal(type_, part, nodes, arguments)
                asked.reveals.append(Labelled(label, reveal))
                return replace(entry, form=form), None

    def page(self, shape: Shape, nodes: Sequence[FieldNode], arguments: Given) -> tuple[Level, Form]:
        """A connection: one level, however many ways its rows are asked for."""
        asked, edge = Asked(), f"{shape.name}Edge"
        entries: dict[str, Form | str] = {}
        layout: list[tuple[str, Word | Listed | Wrapped | Total]] = []
        wants_total = wants_cursors = rows_alone = False
        for key, same in self._selections.under(self._selections.object(f"{shape.name}Connection"), nodes).items():
            match same[0].name.value:
                case "edges":
                    entries[key], inside = self._edges(asked, shape, edge, same)
                    wants_cursors |= inside is None
                    layout += [] if inside is None else [(key, Wrapped(inside))]
                case "nodes":
                    sheet = len(asked.sheets)
                    entries[key] = forms.nodes(self.record(asked, shape, same, _prefix(sheet)), sheet)
                    layout.append((key, Listed(sheet)))
                case "pageInfo":
                    words = self._words("PageInfo", same)
                    entries[key], rows_alone = forms.page_info(words), True
                    wants_cursors |= any(word.label.endswith("Cursor") for word in words)
                case "totalCount":
                    entries[key], wants_total = forms.total, True
                    layout.append((key, Total()))
                case _:
                    entries[key] = f"{shape.name}Connection"
                    layout.append((key, Word(f"{shape.name}Connection")))
        after = arguments.values.get("after") is not None
        page = Page(
            size=self._slots.add(arguments, ("first",), page_size),
            after=self._slots.add(arguments, ("after",), plain) if after else None,
            wants_total=wants_total,
            wants_cursors=wants_cursors,
            layout=None if after or wants_cursors or rows_alone else tuple(layout),
        )
        level = replace(
            asked.level(shape, self.times),
            page=page,
            where=self._where(shape, arguments),
            order=_order(shape, arguments),
        )
        return level, forms.connection(entries)

    def _edges(
        self, asked: Asked, shape: Shape, edge: str, nodes: Sequence[FieldNode]
    ) -> tuple[Form, tuple[tuple[str, Word | Listed], ...] | None]:
        """The edges of a page, and how they are written: not in texts where a cursor is among what is asked."""
        entries: list[Entry] = []
        inside: list[tuple[str, Word | Listed]] = []
        cursors = False
        for key, same in self._selections.under(self._selections.object(edge), nodes).items():
            match same[0].name.value:
                case "cursor":
                    entries.append(Entry(key=key, label="cursor"))
                    cursors = True
                case "node":
                    sheet = len(asked.sheets)
                    form = forms.on_sheet(self.record(asked, shape, same, _prefix(sheet)), sheet)
                    entries.append(Entry(key=key, label="node", form=form))
                    inside.append((key, Listed(sheet)))
                case _:
                    entries.append(Entry(key=key, word=edge))
                    inside.append((key, Word(edge)))
        return forms.edges(entries), None if cursors else tuple(inside)

    def _written(self, column: Column, nodes: Sequence[FieldNode]) -> Part | None:
        """How a fact is written; a list of objects is only known in rows."""
        if not is_value(column.type):
            item = item_of(column.type)
            return None if item is not None and is_value(item) else Leaf(column.name)
        entries: list[tuple[str, Word | Leaf]] = []
        name, attributes = column.type.__name__, values(column.type)
        for key, same in self._selections.under(self._selections.object(name), nodes).items():
            asked = same[0].name.value
            entries.append((key, Word(name) if asked == TYPENAME else Leaf(attributes[asked].name)))
        return Portion(column.name, tuple(entries))

    def _where(self, shape: Shape, arguments: Given) -> tuple[Where, ...]:
        """The conditions of a filter; one without a value does not count."""
        by_name = {camel(name): name for name in shape.facts}
        return tuple(
            Where(by_name[name], OPERATORS[operator], self._slots.add(arguments, ("filter", name, operator), plain))
            for name, conditions in (arguments.values.get("filter") or {}).items()
            for operator, held in (conditions or {}).items()
            if held is not None
        )

    def sought(self, shape: Shape, arguments: Given) -> tuple[Sought, ...]:
        """What a list is looked up by.

        Raises: Malformed when only a purpose is given: it would list everything.
        """
        wanted = arguments.values.get("lookUp")
        if wanted is None:
            return ()
        purpose, offered = wanted[LOOK_UP_PURPOSE], looked_up_by(shape)
        names = [name for name in offered if wanted.get(name) is not None]
        if not names:
            raise Malformed(
                "A look-up names what to look for.",
                advice=f"Give at least one of {', '.join(offered)}, or leave lookUp out.",
                path=("lookUp",),
            )
        return tuple(
            Sought(field, self._slots.add(arguments, ("lookUp", name), plain), purpose, by)
            for name, (field, by) in ((name, offered[name]) for name in names)
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
            return self.object(type_, nodes)
        prints = printer(type_)
        return None if prints is print_text else prints

    def object(self, cls: type, nodes: Sequence[FieldNode]) -> Form:
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


def _prefix(sheet: int) -> str:
    """What keeps apart the labels of several selections on the same rows."""
    return f"{sheet}." if sheet else ""


def _order(shape: Shape, arguments: Given) -> tuple[tuple[str, bool], ...]:
    wanted = arguments.values.get("orderBy")
    if wanted is None:
        return (("log_index", False),) if shape.ledger else ()
    return ((wanted["field"].value, wanted["direction"] is OrderDirection.DESC),)
