"""The form of a credit policy document as a JSON schema, worked out from its declaration (Ch.9)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Union, cast, get_args, get_origin, get_type_hints

from domain import canonical
from domain.assessment.policy import PolicyDocument
from domain.assessment.versions.soundness import MAX_WORDS

Form = dict[str, canonical.Json]

_SCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"
_SCALARS: Final[Mapping[Any, Form]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0, "maximum": canonical.MAX_INTEGER},
    str: {"type": "string", "minLength": 1, "maxLength": MAX_WORDS},
    Decimal: {"type": "string", "pattern": "^(?!-0$)-?(0|[1-9][0-9]*)(\\.[0-9]*[1-9])?$"},
    NoneType: {"type": "null"},
}


def document_schema() -> Form:
    """The JSON schema of a document: what it leaves open, such as the order of bands, is checked when it is drafted.

    Chapter: 9.
    """
    parts: dict[str, canonical.Json] = {}
    whole = _object(PolicyDocument, parts)
    return {"$schema": _SCHEMA, "title": "Credit policy", **whole, "$defs": parts}


def _object(kind: type[Any], parts: dict[str, canonical.Json]) -> Form:
    hints = get_type_hints(kind)
    names: list[canonical.Json] = [field.name for field in dataclasses.fields(kind)]
    return {
        "description": _says(kind),
        "type": "object",
        "properties": {str(name): _form(hints[str(name)], parts) for name in names},
        "required": names,
        "additionalProperties": False,
    }


def _form(kind: Any, parts: dict[str, canonical.Json]) -> Form:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return {"anyOf": [_form(one, parts) for one in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _form(arguments[0], parts)}
    if origin is not None:
        names: canonical.Json = _form(arguments[0], parts)
        return {"type": "object", "propertyNames": names, "additionalProperties": _form(arguments[1], parts)}
    if kind in _SCALARS:
        return dict(_SCALARS[kind])
    if kind.__name__ not in parts:
        parts[kind.__name__] = None
        parts[kind.__name__] = _enum(kind) if issubclass(kind, Enum) else _object(kind, parts)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _enum(kind: type[Enum]) -> Form:
    return {"description": _says(kind), "enum": [cast("str", one.value) for one in kind]}


def _says(kind: type[Any]) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]
