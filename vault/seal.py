"""A value becomes an envelope that opens in its own cell and nowhere else, and back.

`field/1`: CF 01 alg flags ‖ data key id (16) ‖ nonce (12) ‖ ciphertext ‖ tag (16), integers big-endian. The associated
data names the cell, so an envelope moved to another tenant, subject, record, field or version does not verify.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, NoReturn

from domain.errors import Tampered
from vault import hazmat
from vault.opened import OPENED
from vault.plaintext import Value, pad, read, strip, write

ID_BYTES = 16
PREFIX = bytes.fromhex("cf0101")
"""Magic, format 1, AES-256-GCM: the only combination that is opened."""
BARE, PADDED = b"\x00", b"\x01"
"""The flags, without padding and with; there are no others."""

_HEADER = 4 + ID_BYTES
_BODY = _HEADER + hazmat.NONCE_BYTES
_SHORTEST = _BODY + 1 + hazmat.TAG_BYTES
_PARTS = 10
_DOMAIN = b"vault/field/1"
_KEPT = 4096
"""How many starts and ends of associated data are kept: they hold ids and tags, nothing confidential."""


class Cell(NamedTuple):
    """Where one confidential value lives; ids are the 16 bytes inside the public ones."""

    tenant: bytes
    subject: bytes
    data_class: str
    record_type: str
    record_id: bytes
    version: int
    """The version of this cell's value, stored beside it."""
    tag: str
    """The stable tag of the field, from its declaration."""
    schema: int
    """The version of the field's typed form."""


class Dek:
    """A data key ready for use: its id, its cipher, its envelope headers, and the start of the data bound to each."""

    __slots__ = ("cipher", "dek_id", "headers", "heads")

    def __init__(self, dek_id: bytes, key: hazmat.Secret) -> None:
        self.dek_id = sized(dek_id)
        self.cipher = key.use(hazmat.aes_256_gcm)
        self.headers = {flags: PREFIX + flags + dek_id for flags in (BARE, PADDED)}
        self.heads = {header: u32(_PARTS) + _part(_DOMAIN) + _part(header) for header in self.headers.values()}

    def __repr__(self) -> str:
        return f"Dek({self.dek_id.hex()})"


def pae(*parts: bytes) -> bytes:
    """The parts in one string of bytes that no other parts make: u32 count, then u32 length and bytes of each."""
    return u32(len(parts)) + b"".join(map(_part, parts))


def associated_data(head: bytes, cell: Cell) -> bytes:
    """The ten parts an envelope is bound to: domain and header, the record, the cell.

    What names the record and the class is built once for all its fields, which come one after the other.
    """
    tenant, subject, data_class, record_type, record_id, version, tag, schema = cell
    return head + _record(tenant, subject, data_class, record_type, record_id) + _field(version, tag, schema)


def seal(dek: Dek, cell: Cell, value: Value, bucket: int) -> bytes:
    """The envelope of a value, padded to a multiple of 16, 32 or 64 bytes; 0 lets its length be seen.

    Raises: Malformed when the value has no sealed form.
    """
    return _sealed(dek, cell, pad(write(value), bucket), PADDED if bucket else BARE)


def open_envelope(dek: Dek, cell: Cell, envelope: bytes) -> Value:
    """The value of an envelope, when it was sealed under this key for this very cell.

    Raises: Tampered.
    """
    header = envelope[:_HEADER]
    head = dek.heads.get(header)
    if head is None or len(envelope) < _SHORTEST:
        _refuse(envelope)
    try:
        bound = associated_data(head, cell)
        plain = hazmat.decrypt(dek.cipher, envelope[_HEADER:_BODY], envelope[_BODY:], bound)
    except (hazmat.Forged, ValueError, OverflowError):
        # A cell whose parts do not even have their sizes is no cell anything was ever sealed for.
        raise Tampered("A sealed value does not verify in its place.") from None
    return read(strip(plain) if header[3] else plain)


def open_many(items: Iterable[tuple[Dek, Cell, bytes]]) -> list[Value]:
    """The values of many envelopes in their order, fastest with the fields of one record together; they are counted.

    Raises: Tampered, if only one of them does not verify.
    """
    many = tuple(items)
    values = [open_envelope(dek, cell, envelope) for dek, cell, envelope in many]
    OPENED.count((cell.tenant, cell.data_class) for _, cell, _ in many)
    return values


def dek_id_of(envelope: bytes) -> bytes:
    """The id of the data key that an envelope names in its header.

    Raises: Tampered when it is no `field/1` envelope.
    """
    if envelope[:3] != PREFIX or envelope[3:4] not in {BARE, PADDED} or len(envelope) < _SHORTEST:
        raise Tampered("A sealed value is not in a known form.")
    return envelope[4:_HEADER]


def sized(raw: bytes) -> bytes:
    """An id as it is bound: 16 bytes, anything else is a bug."""
    if len(raw) != ID_BYTES:
        raise ValueError("An id is 16 bytes.")
    return raw


def u32(number: int) -> bytes:
    """A count or a version as it is bound: 32 bits, big-endian."""
    return number.to_bytes(4, "big")


def _sealed(dek: Dek, cell: Cell, plain: bytes, flags: bytes, nonce: bytes | None = None) -> bytes:
    """The envelope of a plaintext; only tests of published bytes give the nonce."""
    header = dek.headers[flags]
    nonce = hazmat.random_bytes(hazmat.NONCE_BYTES) if nonce is None else nonce
    return header + nonce + hazmat.encrypt(dek.cipher, nonce, plain, associated_data(dek.heads[header], cell))


def _refuse(envelope: bytes) -> NoReturn:
    dek_id_of(envelope)
    raise Tampered("A sealed value names another data key.")


@lru_cache(_KEPT)
def _record(tenant: bytes, subject: bytes, data_class: str, record_type: str, record_id: bytes) -> bytes:
    """Parts 3 to 7."""
    parts = sized(tenant), sized(subject), data_class.encode("ascii"), record_type.encode("ascii"), sized(record_id)
    return b"".join(map(_part, parts))


@lru_cache(_KEPT)
def _field(version: int, tag: str, schema: int) -> bytes:
    """Parts 8 to 10."""
    return _part(version.to_bytes(8, "big")) + _part(tag.encode("ascii")) + _part(u32(schema))


def _part(part: bytes) -> bytes:
    return u32(len(part)) + part
