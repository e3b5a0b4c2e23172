"""What a caller is told when something does not work: a closed code, a sentence, advice, and nothing of its values."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from typing import Any, cast

import structlog
from graphql import (
    GraphQLError,
    GraphQLInputType,
    GraphQLList,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_required_input_field,
)

from api.graphql.scalars import Unreadable
from domain.errors import Code, CreditError, Malformed

Told = dict[str, Any]
"""An error as GraphQL prints it."""

INTERNAL = "INTERNAL"
"""The code of a bug: the request's id leads to it in the log."""

_LOG = structlog.get_logger("credence.graphql")
_QUOTED = re.compile(r'"[^"]*"')
_ASIDE = re.compile(r"( Did you mean |\.? Found: |,? found: ).*", re.DOTALL)
"""Where graphql-core begins to guess what was meant, or to repeat a value."""
_LACKING = re.compile(r"Expected value of type '(\w+)' to include required field '(\w+)'", re.ASCII)
_ASKED = re.compile(
    r"Expected value of (?:non-null )?type '([\w!\[\]]+)'"
    r"|Value '\w+' does not exist in '(\w+)' enum"
    r"|Enum '(\w+)' cannot represent "
    r"|(\w+) cannot represent ",
    re.ASCII,
)
"""Where graphql-core names the type of a place, before it repeats what stands there."""
_ADVICE = "Compare the document with schema.graphql."
_CODES = {
    "Date": Code.MALFORMED_DATE,
    "DateTime": Code.MALFORMED_DATE,
    "Decimal": Code.MALFORMED_AMOUNT,
    "CurrencyCode": Code.UNKNOWN_CURRENCY,
}
"""The codes of values that do not have the form of their scalar; its description shows the form."""


class Refusal(Exception):
    """The request is not carried out at all: there are errors and no data."""

    def __init__(self, errors: Sequence[dict[str, Any]], *, in_document: bool = True, parsed: bool = True) -> None:
        super().__init__("The request is refused.")
        self.errors = list(errors)
        self.in_document = in_document
        self.parsed = parsed


def located(error: Refusal | GraphQLError) -> bool:
    """Whether an error may name a place in the document; what does not fit about variables names none."""
    return isinstance(error, GraphQLError) or error.in_document


def told(error: CreditError, request: str, path: Sequence[str | int] = ()) -> dict[str, Any]:
    """An error of the domain as the caller sees it; its true cause stays in the audit log."""
    return _formed(error.message, error.code.value, error.advice, request, path, inputs=error.path)


def masked(error: BaseException, request: str, path: Sequence[str | int] = ()) -> dict[str, Any]:
    """A bug as the caller sees it. The log gets its type and where it stands, never a value, a query or a message."""
    frames = [f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    _LOG.error("A request failed inside.", request=request, type=type(error).__qualname__, frames=frames[-20:])
    return _formed(
        "Something failed inside; it is logged under this request's id.",
        INTERNAL,
        "Try again; if it stays, give the operator the request's id.",
        request,
        path,
    )


def syntax(error: GraphQLError, request: str) -> dict[str, Any]:
    """A document that is no GraphQL; the text itself is not repeated."""
    formed = told(Malformed("The document is not GraphQL; see the location.", advice=_ADVICE), request)
    return _located(formed, error)


def invalid(error: GraphQLError, request: str) -> dict[str, Any]:
    """A document that does not fit the schema; names of the schema are repeated, values are not."""
    if any(isinstance(node, ValueNode) and not isinstance(node, VariableNode) for node in error.nodes or ()):
        return _located(told(_literal(error), request), error)
    sentence = _QUOTED.sub("…", _ASIDE.sub("", error.message).removesuffix(".") + ".")
    return _located(told(Malformed(sentence, advice=_ADVICE), request), error)


def _literal(error: GraphQLError) -> Malformed:
    """What does not fit about a literal, told by the type that is asked for there and never by the value."""
    lacking = _LACKING.match(error.message)
    if lacking:
        return Malformed(f"{lacking[2]} of {lacking[1]} is missing.", code=Code.MISSING_VALUE, advice=_ADVICE)
    asked = _ASKED.match(error.message)
    name = next(filter(None, asked.groups())) if asked else ""
    if isinstance(error.original_error, Unreadable):
        return Malformed(str(error.original_error), code=_CODES.get(name.strip("[]!"), Code.MALFORMED), advice=_ADVICE)
    return Malformed(f"A literal is no {name}." if name else "A literal does not fit its place.", advice=_ADVICE)


def unfit(error: GraphQLError, request: str) -> dict[str, Any]:
    """An argument that validation could not judge, such as null from a variable that has a default."""
    sentence = "An argument does not have the type that is asked for there."
    return _located(told(Malformed(sentence, advice=_ADVICE), request), error)


def raised(error: GraphQLError, request: str) -> dict[str, Any]:
    """An error of an execution by graphql-core: one of ours, or a bug."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        if cause.original_error is None:
            return _located(invalid(cause, request) | {"path": list(error.path or ())}, error)
        cause = cause.original_error
    if isinstance(cause, CreditError):
        return _located(told(cause, request, error.path or ()), error)
    return masked(cause or error, request, error.path or ())


def variable(name: str, type_: GraphQLInputType, value: Any, path: Sequence[str | int], request: str) -> list[Told]:
    """What does not fit at one place of a variable, told by the type that is asked for there and never by the value."""
    for key in path:
        holder = _plain(type_, value)
        type_ = (
            holder.fields[str(key)].type if is_input_object_type(holder) else cast("GraphQLList[Any]", holder).of_type
        )
        value = value[key]
    inner = _plain(type_, value)
    place: tuple[str | int, ...] = (name, *path)
    if value is None:
        return [_missing(place, type_, request)]
    if is_input_object_type(inner) and isinstance(value, dict):
        needed = {key: item.type for key, item in inner.fields.items() if is_required_input_field(item)}
        found = [_missing((*place, key), asked, request) for key, asked in needed.items() if key not in value]
        if not set(value) <= set(inner.fields):
            sentence = f"{_spoken(place)} has a field that {inner.name} does not have."
            found.append(_unfit(place, sentence, f"Its fields are {', '.join(inner.fields)}.", request))
        return found
    if is_enum_type(inner):
        sentence, advice = f"{_spoken(place)} is no {inner.name}.", f"Send one of {', '.join(inner.values)}."
        return [_unfit(place, sentence, advice, request)]
    leaf = get_named_type(inner)
    says = leaf.description if leaf.name in _CODES else None
    sentence, advice = f"{_spoken(place)} is no {leaf.name}.", says or f"Send a value of type {inner}."
    return [_unfit(place, sentence, advice, request, _CODES.get(leaf.name, Code.MALFORMED))]


def _plain(type_: GraphQLInputType, value: Any) -> GraphQLInputType:
    """The type that judges a value: nullable, and that of an item where one value stands for a list of itself."""
    inner = get_nullable_type(type_)
    while is_list_type(inner) and value is not None and not isinstance(value, list):
        inner = get_nullable_type(inner.of_type)
    return cast("GraphQLInputType", inner)


def _missing(place: Sequence[str | int], type_: GraphQLInputType, request: str) -> Told:
    return _unfit(place, f"{_spoken(place)} is missing.", f"Send a value of type {type_}.", request, Code.MISSING_VALUE)


def _spoken(place: Sequence[str | int]) -> str:
    return f"The variable ${'.'.join(map(str, place))}"


def _unfit(place: Sequence[str | int], sentence: str, advice: str, request: str, code: Code = Code.MALFORMED) -> Told:
    return told(Malformed(sentence, code=code, advice=advice, path=tuple(map(str, place))), request)


def _formed(
    message: str, code: str, advice: str, request: str, path: Sequence[str | int], *, inputs: Sequence[str] = ()
) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": code, "advice": advice, "requestId": request}
    if inputs:
        extensions["inputPath"] = list(inputs)
    formed: dict[str, Any] = {"message": message}
    if path:
        formed["path"] = list(path)
    return formed | {"extensions": extensions}


def _located(formed: dict[str, Any], error: GraphQLError) -> dict[str, Any]:
    if error.locations:
        formed["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    return formed
