"""What is inside an envelope: one byte that names the type, the value in its only spelling, and padding.

| byte | type | spelling |
|---|---|---|
| 01 | text | UTF-8, NFC |
| 02 | whole number | two's complement, as short as it can be |
| 03 | decimal | plain notation without needless zeros, ASCII |
| 04 | money | three letters of the currency, minor units in 64 bits |
| 05 | date | YYYY-MM-DD |
| 06 | instant | microseconds since 1970 UTC in 64 bits |
| 07 | truth | 00 or 01 |
| 08 | bytes | as they are |
| 09 | structure | RFC 8785 JSON |

A missing value has no spelling: it is a missing row. What is opened was authenticated first, so a plaintext that
breaks these rules was sealed wrongly; it is refused all the same, for one value has one spelling.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import rfc8785

from domain import canonical
from domain.errors import CreditError, Malformed, Tampered
from domain.money import Money

Value = str | int | Decimal | Money | date | datetime | bool | bytes | dict[str, Any] | list[Any]
"""Everything that is ever sealed; exactly these types, never a subclass of one."""

T = TypeVar("T")

BUCKETS = (0, 16, 32, 64)
"""The lengths a plaintext may be padded to a multiple of; 0 is no padding."""

_END = b"\x80"
_PADDING = {bucket: tuple(_END + bytes(-(length + 1) % bucket) for length in range(bucket)) for bucket in BUCKETS[1:]}
"""What follows a plaintext, by bucket and by its length modulo the bucket."""
_BUCKET_OF = {
    _END + bytes(zeros): next(bucket for bucket in BUCKETS if zeros < bucket) for zeros in range(max(BUCKETS))
}
"""Every padding there is, with the smallest bucket that gives it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_I64 = 8
_CURRENCY = 3


def write(value: Value) -> bytes:
    """The typed plaintext of a value.

    Shape:  `read(write(value)) == value` for text in NFC and every other value.
    Raises: Malformed when the value has no spelling; TypeError for a type that is never sealed.
    """
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise TypeError("A value of this type is never sealed.")
    try:
        written = writer(value)
    except (ValueError, ArithmeticError, CreditError):
        written = None
    # Raised outside the handler: an encoding error holds the text it could not encode.
    if written is None:
        raise Malformed("The value cannot be sealed.", advice="Send whole characters, finite numbers and real times.")
    return written


def read(plain: bytes) -> Value:
    """The value of a typed plaintext.

    Raises: Tampered when it is not spelled as `write` spells it.
    """
    try:
        value = _READERS[plain[0]](plain[1:])
    except (LookupError, ValueError, TypeError, ArithmeticError, CreditError):
        value = None
    if value is None:
        raise Tampered("A sealed value is not spelled as its type demands.")
    return value


def pad(plain: bytes, bucket: int) -> bytes:
    """The plaintext, 80, and zeros up to a multiple of the bucket; untouched when the bucket is 0.

    Shape: `strip(pad(plain, bucket)) == plain` for every bucket but 0.
    """
    if bucket not in BUCKETS:
        raise ValueError("A bucket is 0, 16, 32 or 64 bytes.")
    return plain + _PADDING[bucket][len(plain) % bucket] if bucket else plain


def strip(padded: bytes) -> bytes:
    """The plaintext without its padding.

    Raises: Tampered when no bucket gives this padding.
    """
    end = padded.rfind(_END)
    bucket = _BUCKET_OF.get(padded[end:])
    if bucket is None or len(padded) % bucket:
        raise Tampered("A sealed value is not padded as it must be.")
    return padded[:end]


def _write_text(value: str) -> bytes:
    return b"\x01" + (value if value.isascii() else unicodedata.normalize("NFC", value)).encode()


def _write_integer(value: int) -> bytes:
    return b"\x02" + _shortest(value)


def _write_decimal(value: Decimal) -> bytes:
    return b"\x03" + str(canonical.plain(value)).encode()


def _write_money(value: Money) -> bytes:
    return b"\x04" + value.currency.encode() + value.minor.to_bytes(_I64, "big", signed=True)


def _write_date(value: date) -> bytes:
    return b"\x05" + value.isoformat().encode()


def _write_instant(value: datetime) -> bytes:
    if value.tzinfo is None:
        raise TypeError("A time without a zone is never sealed.")
    # Brought to UTC first: a time whose offset leaves the years 1 to 9999 could be sealed and never opened.
    return b"\x06" + ((value.astimezone(UTC) - _EPOCH) // _MICROSECOND).to_bytes(_I64, "big", signed=True)


def _write_truth(value: bool) -> bytes:  # noqa: FBT001 # it is the value itself, no option
    return b"\x07\x01" if value else b"\x07\x00"


def _write_bytes(value: bytes) -> bytes:
    return b"\x08" + value


def _write_structure(value: dict[str, Any] | list[Any]) -> bytes:
    return b"\x09" + rfc8785.dumps(value)


def _read_integer(body: bytes) -> int:
    value = int.from_bytes(body, "big", signed=True)
    return _same(value, _shortest(value), body)


def _read_decimal(body: bytes) -> Decimal:
    value = Decimal(body.decode("ascii"))
    return _same(value, _write_decimal(value)[1:], body)


def _read_money(body: bytes) -> Money:
    if len(body) != _CURRENCY + _I64:
        raise ValueError
    return Money(int.from_bytes(body[_CURRENCY:], "big", signed=True), body[:_CURRENCY].decode("ascii"))


def _read_date(body: bytes) -> date:
    value = date.fromisoformat(body.decode("ascii"))
    return _same(value, value.isoformat().encode(), body)


def _read_instant(body: bytes) -> datetime:
    if len(body) != _I64:
        raise ValueError
    return _EPOCH + timedelta(microseconds=int.from_bytes(body, "big", signed=True))


def _read_structure(body: bytes) -> dict[str, Any] | list[Any]:
    value = json.loads(body)
    if not isinstance(value, dict | list):
        raise TypeError
    return value


def _shortest(value: int) -> bytes:
    magnitude = value if value >= 0 else ~value
    return value.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


def _same(value: T, spelling: bytes, body: bytes) -> T:
    if spelling != body:
        raise ValueError
    return value


_WRITERS: dict[type, Callable[[Any], bytes]] = {
    str: _write_text,
    int: _write_integer,
    Decimal: _write_decimal,
    Money: _write_money,
    date: _write_date,
    datetime: _write_instant,
    bool: _write_truth,
    bytes: _write_bytes,
    dict: _write_structure,
    list: _write_structure,
}

# NFC is not asked for again on reading: a later Unicode would then refuse texts an earlier one composed.
_READERS: dict[int, Callable[[bytes], Value]] = {
    0x01: bytes.decode,
    0x02: _read_integer,
    0x03: _read_decimal,
    0x04: _read_money,
    0x05: _read_date,
    0x06: _read_instant,
    0x07: {b"\x00": False, b"\x01": True}.__getitem__,
    0x08: bytes,
    0x09: _read_structure,
}
