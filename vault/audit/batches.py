"""Many entries in one value, as a batch of the store holds them: each behind its length in two bytes.

The encoding is that of a tlog-tiles entry bundle, without the bundle's limit of 256 entries.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import Malformed

MAX_ENTRY_BYTES = 65_535
_LENGTH_BYTES = 2


def pack(entries: Sequence[bytes]) -> bytes:
    """The bytes of a batch of entries; none for no entries.

    Raises: Malformed when an entry is too long.
    """
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise Malformed("An audit entry is at most 65,535 bytes.")
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries)


def unpack(data: bytes) -> tuple[bytes, ...]:
    """The entries of a batch.

    Shape:  gives back what was packed; no other bytes give the same entries.
    Raises: Malformed when it ends inside an entry.
    """
    entries, end = read(data)
    if end != len(data):
        raise Malformed("The batch ends inside an entry.")
    return entries


def read(data: bytes, most: int | None = None) -> tuple[tuple[bytes, ...], int]:
    """The entries that can be read from damaged bytes, as many as asked for, and where reading ended."""
    entries: list[bytes] = []
    at = 0
    while at + _LENGTH_BYTES <= len(data) and (most is None or len(entries) < most):
        start = at + _LENGTH_BYTES
        end = start + int.from_bytes(data[at:start], "big")
        if end > len(data):
            break
        entries.append(data[start:end])
        at = end
    return tuple(entries), at
