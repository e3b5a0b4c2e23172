"""What a change is answered when it cannot be made: typed errors, and a union of them for each mutation."""

from __future__ import annotations

from dataclasses import dataclass

from strawberry.types.field import StrawberryField

from api.graphql.generation.building import NAMES, enum_type, interface_type, object_type, output, union_type
from api.graphql.generation.wording import first_paragraph
from domain.errors import (
    Code,
    Conflict,
    CreditError,
    Malformed,
    NotConsented,
    NotFound,
    NotInForce,
    NotPermitted,
    Refused,
)

USER_ERROR = "UserError"
"""The interface of every typed error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One type of error: what a client does about its codes is the same."""

    name: str
    family: type[CreditError]
    clause: str
    codes: tuple[Code, ...]


KINDS = (
    Kind(
        name="NotPermittedError",
        family=NotPermitted,
        clause="Ch.8 §1",
        codes=(Code.NOT_PERMITTED, Code.SEPARATION_OF_DUTY, Code.TRAINING_LAPSED),
    ),
    Kind(name="NotConsentedError", family=NotConsented, clause="Ch.4 §4", codes=(Code.NOT_CONSENTED,)),
    Kind(
        name="NotFoundError",
        family=NotFound,
        clause="Ch.2",
        codes=(Code.NOT_FOUND, Code.UNKNOWN_CUSTOMER),
    ),
    Kind(
        name="ConflictError",
        family=Conflict,
        clause="Ch.4 §2",
        codes=(Code.CONFLICT, Code.INVALID_TRANSITION),
    ),
    Kind(name="NotInForceError", family=NotInForce, clause="Ch.9", codes=(Code.NOT_IN_FORCE,)),
    Kind(
        name="MalformedError",
        family=Malformed,
        clause="Ch.4 §1",
        codes=(
            Code.MALFORMED,
            Code.MALFORMED_CODE,
            Code.MALFORMED_DATE,
            Code.MALFORMED_AMOUNT,
            Code.UNKNOWN_CURRENCY,
            Code.UNKNOWN_SOURCE,
            Code.UNLAWFUL_SOURCE,
            Code.FORBIDDEN_CATEGORY,
            Code.MISSING_VALUE,
            Code.NO_AUTHORITY,
            Code.QUERY_TOO_LARGE,
        ),
    ),
)
"""Every type of error, each with the codes it tells; a code belongs to one type, whatever class raised it."""

_BY_CODE = {code: kind.name for kind in KINDS for code in kind.codes}


def kind_of(error: CreditError) -> str:
    """The name of the type that tells an error; a code of no type is told by its family."""
    fallback = "NotPermittedError" if isinstance(error, Refused) else "MalformedError"
    return _BY_CODE.get(error.code, fallback)


def errors_of(mutation: str, says: str) -> str:
    """The name of the union of errors of a mutation."""
    if USER_ERROR not in NAMES:
        _shared()
    name = f"{mutation}Error"
    union_type(name, says, [NAMES[kind.name] for kind in KINDS])
    return name


def _shared() -> None:
    enum_type(Code, name="ErrorCode")
    interface_type(USER_ERROR, "Why something was not done, for a person and for a program. Ch.8 §1", _fields())
    for kind in KINDS:
        codes = ", ".join(code.value for code in kind.codes)
        says = f"{first_paragraph(kind.family.__doc__)} {kind.clause}: {codes}."
        object_type(kind.name, says, _fields(), (NAMES[USER_ERROR],))


def _fields() -> list[StrawberryField]:
    return [
        output("code", "ErrorCode", "The closed code. Ch.8 §1"),
        output("message", "str", "What is wrong, in a sentence without any confidential value. Ch.4 §4"),
        output("advice", "str", "What to do next. Ch.3 §3"),
        output("path", "list[str]", "The place in the input, outermost name first; empty where it is none. Ch.8 §1"),
    ]
