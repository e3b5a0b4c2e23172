"""The object types of the schema, generated from the declared records: nobody writes a data resolver."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from api.graphql.generation.building import (
    GENERATED,
    NAMES,
    argument,
    enum_type,
    expression,
    interface_type,
    object_type,
    output,
)
from api.graphql.generation.inputs import filter_of, look_up_of, order_of
from api.graphql.generation.parts import (
    Closed,
    Column,
    Derived,
    Masked,
    Part,
    ToMany,
    ToOne,
    described,
    is_value,
    item_of,
    parts,
    values,
    without_none,
)
from api.graphql.generation.wording import first_paragraph, guarded
from api.graphql.limits import DEFAULT_PAGE, MAX_PAGE
from domain.reading import Purpose
from domain.records import SHAPES, Shape

CONFIDENTIAL = "Confidential"
"""The ending of the type that holds a record's confidential fields."""

NODE = "Node"
"""The interface of everything that has an id."""


def build_types() -> list[type]:
    """The generated object types, made once; pages are in the schema where a field answers one.

    Raises: TypeError when a declaration has no place in the schema.
    """
    if NODE not in NAMES:
        _shared()
        for shape in SHAPES.values():
            _record(shape)
    return [made for name, made in GENERATED.items() if not name.endswith(("Connection", "Edge"))]


def looking_up(shape: Shape) -> list[StrawberryArgument]:
    """The argument that finds records by what is sealed in them, where anything is indexed."""
    name = look_up_of(shape)
    says = "Only those with these identifiers, found without opening any."
    return [] if name is None else [argument("lookUp", f"{name} | None", says)]


def paging(shape: Shape) -> list[StrawberryArgument]:
    """The arguments of a connection."""
    found = [
        argument("first", "int | None", f"How many at most, 1 to {MAX_PAGE}.", DEFAULT_PAGE),
        argument("after", "str | None", "The cursor of the row before the first one wanted."),
    ]
    filters, orders = filter_of(shape), order_of(shape)
    if filters:
        found.append(argument("filter", f"{filters} | None", "Only those that meet these conditions."))
    if orders:
        found.append(
            argument("orderBy", f"{orders} | None", f"In which order; {_otherwise(shape)} where nothing is said.")
        )
    return found


def _otherwise(shape: Shape) -> str:
    return "that of the log" if shape.ledger else "by id"


def _shared() -> None:
    interface_type(NODE, "Everything that has an id. Ch.3 §1", [output("id", "ID", "The id, opaque. Ch.3 §1")])
    enum_type(Purpose)
    object_type(
        "PageInfo",
        "Where a page stands in its list.",
        [
            output("hasNextPage", "bool", "Whether more follow."),
            output("hasPreviousPage", "bool", "Whether there are earlier ones."),
            output("startCursor", "str | None", "The cursor of the first row; null on an empty page."),
            output("endCursor", "str | None", "The cursor of the last row; null on an empty page."),
        ],
    )
    object_type(
        "WithheldField",
        "A confidential field that stayed closed, and why. Ch.4 §4",
        [
            output("field", "str", "The field's name. Ch.4 §4"),
            output("reason", "str", "The closed reason code. Ch.4 §4"),
            output("unlock", "str", "What would unlock it. Ch.4 §4"),
        ],
    )


def _record(shape: Shape) -> None:
    fields = [_field(shape, name, part) for name, part in parts(shape).items() if name != "id"]
    own = output("id", "ID", parts(shape)["id"].says)
    if shape.confidential:
        _confidential(shape)
    object_type(shape.name, described(shape), [own, *fields], (NAMES[NODE],))
    _connection(shape)


def _field(shape: Shape, name: str, part: Part) -> StrawberryField:
    match part:
        case Column():
            return output(name, value_expression(part.type, optional=part.optional), part.says)
        case Derived():
            return output(name, value_expression(part.by.type, optional=part.by.optional), part.says)
        case ToOne():
            return output(name, f"{part.by.target} | None", part.says)
        case ToMany():
            target = SHAPES[part.by.target]
            return output(name, f"{target.name}Connection", part.says, paging(target))
        case Masked():
            return output(name, "str | None", part.says)
        case Closed():
            purpose = argument("purpose", "Purpose", "Why they are opened; it is recorded. Ch.4 §4")
            return output(name, f"{shape.name}{CONFIDENTIAL} | None", part.says, [purpose])


def _confidential(shape: Shape) -> None:
    fields = []
    for part in parts(shape).values():
        if isinstance(part, Closed):
            for inner, sealed in part.fields.items():
                type_, _ = without_none(sealed.type)
                says = guarded(f"{sealed.says} Tag: {sealed.tag}.", ", ".join(sealed.actions))
                fields.append(output(inner, value_expression(type_, optional=True), says))
            fields.append(output("withheld", "list[WithheldField]", "What stayed closed, and why. Ch.4 §4"))
            object_type(f"{shape.name}{CONFIDENTIAL}", f"Of {shape.name}: {part.says}", fields)


def _connection(shape: Shape) -> None:
    name, about = shape.name, guarded(first_paragraph(shape.says), shape.read)
    object_type(
        f"{name}Edge",
        f"A row of a page of {name}. {about}",
        [
            output("cursor", "str", "Where this row stands, for `after`."),
            output("node", name, about),
        ],
    )
    object_type(
        f"{name}Connection",
        f"A page of {name}. {about}",
        [
            output("edges", f"list[{name}Edge]", "The rows with their cursors."),
            output("nodes", f"list[{name}]", "The rows without their cursors."),
            output("pageInfo", "PageInfo", "Where this page stands."),
            output("totalCount", "int", "How many there are on all pages together."),
        ],
    )


def value_expression(type_: Any, *, optional: bool = False) -> str:
    """The type expression of a fact; a value object's own type is made when first met."""
    plain = item_of(type_) or type_
    if is_value(plain) and plain.__name__ not in NAMES:
        value_type(plain, first_paragraph(plain.__doc__))
    return expression(type_, optional=optional)


def value_type(cls: type, says: str, extra: Iterable[StrawberryField] = ()) -> type:
    """The object type of a value object such as money or one line of points."""
    fields = [
        output(name, value_expression(column.type, optional=column.optional), column.says)
        for name, column in values(cls).items()
    ]
    return object_type(cls.__name__, says, [*fields, *extra])
