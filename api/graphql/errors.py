"""What a caller is told when something does not work: a closed code, a sentence, advice, and nothing of its values."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError, ValueNode, VariableNode

from domain.errors import CreditError, Malformed

INTERNAL = "INTERNAL"
"""The code of a bug: the request's id leads to it in the log."""

_LOG = structlog.get_logger("credence.graphql")
_QUOTED = re.compile(r'"[^"]*"')
_ADVICE = "Compare the document with schema.graphql."


class Refusal(Exception):
    """The request is not carried out at all: there are errors and no data."""

    def __init__(self, errors: Sequence[dict[str, Any]]) -> None:
        super().__init__("The request is refused.")
        self.errors = list(errors)


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
    literal = any(isinstance(node, ValueNode) and not isinstance(node, VariableNode) for node in error.nodes or ())
    sentence = (
        "A literal does not have the type that is asked for there." if literal else _QUOTED.sub("…", error.message)
    )
    return _located(told(Malformed(sentence, advice=_ADVICE), request), error)


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


def variable(name: str, path: Sequence[str | int], type_: str, request: str) -> dict[str, Any]:
    """A variable whose value does not fit its type; the value is not repeated."""
    place = "".join(f".{key}" if isinstance(key, str) else f"[{key}]" for key in path)
    return told(
        Malformed(
            f"The variable ${name}{place} does not have the type the document declares.",
            advice=f"Send a value of type {type_}; its description in the schema shows the format.",
            path=(name, *(str(key) for key in path)),
        ),
        request,
    )


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
