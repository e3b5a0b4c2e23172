"""How a Strawberry type is made from a declaration: the only place that knows Strawberry's own classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import reduce
from operator import or_
from typing import Annotated, Any, TypeVar, cast

import strawberry
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, GraphQLUnionType
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.unset import UNSET

from api.graphql.generation.parts import is_enum, is_value, item_of
from api.graphql.generation.wording import first_paragraph, remark
from api.graphql.scalars import CurrencyCode
from domain.ids import Id

NAMES: dict[str, Any] = {
    "ID": strawberry.ID,
    "str": str,
    "int": int,
    "bool": bool,
    "date": date,
    "datetime": datetime,
    "Decimal": Decimal,
    "CurrencyCode": CurrencyCode,
}
"""What a type expression of the schema may name; every generated type adds itself."""

T = TypeVar("T", bound=type)

GENERATED: dict[str, type] = {}
"""Every generated object type by its name: its fields have one resolver, and no other."""


def argument(name: str, expression: str, says: str, default: object = UNSET) -> StrawberryArgument:
    """An argument of a field, optional where its expression allows None."""
    return StrawberryArgument(
        python_name=name,
        graphql_name=name,
        type_annotation=StrawberryAnnotation(expression, namespace=NAMES),
        description=says,
        default=default,
    )


def output(name: str, expression: str, says: str, arguments: Iterable[StrawberryArgument] = ()) -> StrawberryField:
    """A field of an object type; its answer stands in its parent's answer under the response key."""
    field = StrawberryField(
        python_name=name,
        graphql_name=name,
        type_annotation=StrawberryAnnotation(expression, namespace=NAMES),
        description=says,
    )
    field.arguments = list(arguments)
    return field


def entry(name: str, expression: str, says: str, default: object = UNSET) -> StrawberryField:
    """A field of an input object, optional where its expression allows None."""
    return StrawberryField(
        python_name=f"{name}_",
        graphql_name=name,
        type_annotation=StrawberryAnnotation(expression, namespace=NAMES),
        description=says,
        default=default,
    )


def object_type(name: str, says: str, fields: Iterable[StrawberryField], interfaces: tuple[type, ...] = ()) -> type:
    """An object type that is answered by plans alone."""
    bare, scopes = _bare(name, fields, interfaces)
    made = _scoped(strawberry.type(bare, name=name, description=says), scopes)
    NAMES[name] = GENERATED[name] = made
    return made


def interface_type(name: str, says: str, fields: Iterable[StrawberryField]) -> type:
    """An interface of generated object types."""
    bare, scopes = _bare(name, fields, ())
    made = _scoped(strawberry.interface(bare, name=name, description=says), scopes)
    NAMES[name] = GENERATED[name] = made
    return made


def input_type(name: str, says: str, fields: Iterable[StrawberryField]) -> type:
    """An input object."""
    bare, scopes = _bare(name, fields, ())
    made = _scoped(strawberry.input(bare, name=name, description=says), scopes)
    NAMES[name] = made
    return made


def union_type(name: str, says: str, members: Iterable[type]) -> None:
    """One of several generated object types; its answer says which by itself, see `Typed`."""
    NAMES[name] = Annotated[reduce(or_, members), strawberry.union(name, description=says)]


def enum_type(
    cls: type[Enum], says: str | None = None, *, words: Mapping[str, str] | None = None, name: str | None = None
) -> type[Enum]:
    """A closed list of words, each described.

    Raises: TypeError when a member's value is not its name: one spelling in the store, the schema and the answer.
    """
    if words is None and any(member.value != member.name for member in cls):
        raise TypeError(f"{cls.__name__} is published, so each member's value is its name.")
    made = strawberry.enum(cls, name=name, description=says or first_paragraph(cls.__doc__))
    definition = cast("StrawberryEnumDefinition", cast("Any", made).__strawberry_definition__)
    for value in definition.values:
        value.description = words[value.name] if words else remark(cls, value.name)
    NAMES[name or cls.__name__] = made
    return made


def expression(type_: Any, *, optional: bool = False) -> str:
    """The type expression of a fact."""
    suffix = " | None" if optional else ""
    item = item_of(type_)
    if item is not None:
        return f"list[{expression(item)}]{suffix}"
    if type_ is Id:
        return "ID" + suffix
    if is_enum(type_) and type_.__name__ not in NAMES:
        enum_type(type_)
    name: str = type_.__name__
    if is_enum(type_) and NAMES[name] is not type_:
        raise TypeError(f"Two lists of words are called {name}.")
    if name not in NAMES and not is_value(type_):
        raise TypeError(f"{type_!r} has no place in the schema.")
    return name + suffix


def answered(root: Any, info: GraphQLResolveInfo[Any], **_arguments: Any) -> Any:
    """The answer that already stands under the response key: the one resolver of every generated field."""
    return root[info.path.key]


class Typed(dict[str, Any]):
    """The answer of an object behind a union: its fields under their response keys, and the name of its type."""

    __slots__ = ("of",)

    def __init__(self, of: str, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)
        self.of = of


def its_type(value: Any, _info: GraphQLResolveInfo[Any], _union: Any) -> str:
    """The type that an answer behind a union says it is."""
    return cast("Typed", value).of


def answer_by_key(schema: GraphQLSchema) -> None:
    """Gives every field of every generated type the one resolver; nothing asks Python objects for attributes."""
    for named in schema.type_map.values():
        if isinstance(named, GraphQLUnionType):
            named.resolve_type = its_type
        if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            continue
        definition = named.extensions.get("strawberry-definition")
        if isinstance(definition, StrawberryObjectDefinition) and GENERATED.get(named.name) is definition.origin:
            for field in named.fields.values():
                field.resolve = answered
            if isinstance(named, GraphQLObjectType):
                named.is_type_of = None


Scopes = Mapping[str, StrawberryAnnotation | None]


def _bare(name: str, fields: Iterable[StrawberryField], bases: tuple[type, ...]) -> tuple[type, Scopes]:
    """A class with these fields, and the type expression of each."""
    members = {field.python_name: field for field in fields}
    scopes = {key: field.type_annotation for key, field in members.items()}
    return type(name, bases, {"__module__": __name__, **members}), scopes


def _scoped(made: T, scopes: Scopes) -> T:
    """Gives the fields their type expressions back, which a dataclass reduces to bare text without its scope."""
    for field in cast("Any", made).__strawberry_definition__.fields:
        if field.python_name in scopes:
            field.type_annotation = scopes[field.python_name]
    return made
