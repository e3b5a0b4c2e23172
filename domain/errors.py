"""Every way the product says no.

    CreditError
    ├── Refused            the caller may not
    │   ├── NotAuthenticated   401, the cause only in the audit log
    │   ├── NotPermitted       the grants, or a separation of duty, forbid it
    │   └── NotConsented       the customer's consent does not cover it
    ├── Invalid            the request cannot be carried out as it is
    │   ├── NotFound           also what a reader gets for what it may not know exists
    │   ├── Malformed          a value breaks a format or a rule of the standard
    │   ├── Conflict           it exists already, or it contradicts what is on file
    │   │   └── Stale              somebody else was faster; the Gate decides again by itself
    │   └── NotInForce         no credit policy, consent or source is in force for it
    └── Unavailable        nothing is wrong with the request; try again or call the operator
        ├── AuditUnavailable   no record, no answer
        ├── KeyUnavailable     a key cannot be reached or is destroyed
        ├── Tampered           a sealed value, link or log does not verify
        └── Overloaded         a limit of the service is reached

A message never holds a confidential value: it names the field and the rule. `advice` says what to do next.
Anything that is not a `CreditError` is a bug: it is masked, and logged with the request's id.
"""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """The closed set of error codes, published in the schema; codes are added, never renamed."""

    NOT_AUTHENTICATED = "NOT_AUTHENTICATED"
    """The caller is not known."""
    NOT_PERMITTED = "NOT_PERMITTED"
    """The caller's roles do not allow it."""
    SEPARATION_OF_DUTY = "SEPARATION_OF_DUTY"
    """Another person has to do it than the one who prepared it."""
    TRAINING_LAPSED = "TRAINING_LAPSED"
    """The roles allow it, and the training it needs has lapsed."""
    NOT_CONSENTED = "NOT_CONSENTED"
    """The customer's consent does not cover it."""
    NOT_FOUND = "NOT_FOUND"
    """There is no such record within reach."""
    MALFORMED = "MALFORMED"
    """A value breaks a format, or a rule of the standard."""
    MALFORMED_CODE = "MALFORMED_CODE"
    """A code, number, address or digest does not have its form."""
    MALFORMED_DATE = "MALFORMED_DATE"
    """A date does not exist, or lies where it cannot."""
    MALFORMED_AMOUNT = "MALFORMED_AMOUNT"
    """An amount is not one its currency or its place can hold."""
    UNKNOWN_CURRENCY = "UNKNOWN_CURRENCY"
    """The currency is not one the product knows."""
    UNKNOWN_SOURCE = "UNKNOWN_SOURCE"
    """The source is not registered."""
    UNLAWFUL_SOURCE = "UNLAWFUL_SOURCE"
    """The source may not be used on this lawful basis."""
    FORBIDDEN_CATEGORY = "FORBIDDEN_CATEGORY"
    """The data is of a category that must not be collected."""
    MISSING_VALUE = "MISSING_VALUE"
    """A value that is needed was left out or is empty."""
    UNKNOWN_CUSTOMER = "UNKNOWN_CUSTOMER"
    """No credit file belongs to the customer that is named."""
    CONFLICT = "CONFLICT"
    """It exists already, or it contradicts what is on file."""
    NOT_IN_FORCE = "NOT_IN_FORCE"
    """No credit policy, consent or source is in force for it."""
    NO_AUTHORITY = "NO_AUTHORITY"
    """Who gave the consent of another shows no authority to do so."""
    INVALID_TRANSITION = "INVALID_TRANSITION"
    """The record is not in a state from which this can be done."""
    QUERY_TOO_LARGE = "QUERY_TOO_LARGE"
    """The request asks for more than a limit allows."""
    AUDIT_UNAVAILABLE = "AUDIT_UNAVAILABLE"
    """The audit log cannot be written: no record, no answer."""
    KEY_UNAVAILABLE = "KEY_UNAVAILABLE"
    """A key cannot be reached, or is destroyed."""
    TAMPERED = "TAMPERED"
    """A sealed value, a link or the log does not verify."""
    OVERLOADED = "OVERLOADED"
    """A limit of the service is reached."""


class CreditError(Exception):
    """The root: a closed code, a sentence without any confidential value, advice, and the input's path."""

    code = Code.MALFORMED
    advice = "Correct the request and send it again."

    def __init__(
        self,
        message: str,
        *,
        code: Code | None = None,
        advice: str | None = None,
        path: tuple[str, ...] = (),
        cause: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.advice = advice or type(self).advice
        self.path = path
        self.cause = cause
        """The true cause, for the audit log alone: it never leaves with the answer."""
        self.entry = ""
        """The audit entry that tells of it, once the Gate has recorded one."""


class Refused(CreditError):
    """The caller may not."""

    code = Code.NOT_PERMITTED
    advice = "Ask a person whose role allows it."


class NotAuthenticated(Refused):
    """The caller is not known; the answer says no more than that."""

    code = Code.NOT_AUTHENTICATED
    advice = "Send a valid token: as Bearer, or, where it is bound to a key, as DPoP with a fresh proof."


class NotPermitted(Refused):
    """The grants, or a separation of duty, forbid it."""

    code = Code.NOT_PERMITTED


class NotConsented(Refused):
    """The customer's consent does not cover it (Ch.4 §4)."""

    code = Code.NOT_CONSENTED
    advice = "Ask the customer for a consent that names you, the purpose and the fields."


class Invalid(CreditError):
    """The request cannot be carried out as it is."""


class NotFound(Invalid):
    """No such record, or none that the caller may know of."""

    code = Code.NOT_FOUND
    advice = "Check the id; it must belong to your company."


class Malformed(Invalid):
    """A value breaks a format, or a rule of the standard."""

    code = Code.MALFORMED


class Conflict(Invalid):
    """The record changed meanwhile, or it exists already."""

    code = Code.CONFLICT
    advice = "Read it again and decide on what it says now."


class Stale(Conflict):
    """Somebody else changed the record while this operation decided."""


class NotInForce(Invalid):
    """No credit policy, consent or source is in force for it."""

    code = Code.NOT_IN_FORCE
    advice = "Put a version in force first."


class Unavailable(CreditError):
    """Nothing is wrong with the request; the product cannot serve it safely now."""

    code = Code.OVERLOADED
    advice = "Try again shortly; if it stays, call the operator."


class AuditUnavailable(Unavailable):
    """The audit log cannot be written: no record, no answer."""

    code = Code.AUDIT_UNAVAILABLE


class KeyUnavailable(Unavailable):
    """A key cannot be reached, or is destroyed."""

    code = Code.KEY_UNAVAILABLE


class Tampered(Unavailable):
    """A sealed value, a link or the log does not verify."""

    code = Code.TAMPERED
    advice = "Call the operator: `credence fsck` and `credence audit verify` say what is damaged."


class Overloaded(Unavailable):
    """A limit of the service is reached."""

    code = Code.OVERLOADED
