"""Archives as documents come packed in them (ZIP), read once from beginning to end and in flat memory.

Every entry is read where it lies and unpacked to be counted, and the list at the end has to tell the same: whoever
opens the archive by its list then finds what was looked at here. What is told twice in two ways, overlaps, hides
between entries or unpacks to far more than came is refused. Nothing is written anywhere.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Generator
from typing import Final, NamedTuple

from domain.errors import Malformed

PART_BYTES: Final = 1 << 20
"""How large an entry may be that is kept to be read."""
MOST_ENTRIES: Final = 20_000
MOST_NAME_BYTES: Final = 1_024
UNPACKED_BYTES: Final = 4 << 30
"""To how many bytes an archive may unpack."""
FREE_BYTES: Final = 32 << 20
RATIO: Final = 100
"""Beyond `FREE_BYTES` at most so many bytes come out of each that came: what text and tables stay far below."""
CHUNK_BYTES: Final = 1 << 16

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_WIDE_END, _WIDE_PLACE, _DESCRIPTOR = b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"
_LOCAL_FIELDS: Final = struct.Struct("<HHHHHIIIHH")
_CENTRAL_FIELDS: Final = struct.Struct("<HHHHHHIIIHHHHHII")
_END_FIELDS: Final = struct.Struct("<HHHHIIH")
_WIDE_END_FIELDS: Final = struct.Struct("<HHIIQQQQ")
_WIDE_PLACE_FIELDS: Final = struct.Struct("<IQI")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED: Final = 0x2041
"""Flags of entries that are encrypted, or whose headers are."""
_PATCHED: Final = 0x20
_VERSION: Final = 63
"""The newest version of the form that an entry may need, times ten."""
_STREAMED: Final = 0x8
_UTF8: Final = 0x800
_WIDE: Final = 0xFFFFFFFF
"""Stands for a size or a place that is told in 64 bits elsewhere."""
_WIDE_COUNT: Final = 0xFFFF
_WIDE_EXTRA: Final = 1
_LINK: Final = 0o120000

Reading = Generator[tuple[int, int], bytes, None]
"""Asks for at least and at most so many bytes, and is sent them."""


class Entry(NamedTuple):
    """What both places say of an entry, and its bytes bear out."""

    place: int
    method: int
    crc: int
    packed: int
    size: int


class Archive:
    """An archive that is looked at as it comes."""

    def __init__(self, kept: Collection[str]) -> None:
        """The entries of these names are kept, where they are there."""
        self._kept = kept
        self._buffer = bytearray()
        self._at = 0
        self._unpacked = 0
        self._unlisted: dict[bytes, Entry] = {}
        self._ended = False
        self._reading = self._whole()
        self._asked = next(self._reading)
        self.names: set[str] = set()
        """The names of the entries that came, in lower case: no two are the same but for that."""
        self.parts: dict[str, bytes] = {}
        """What was kept."""

    def take(self, piece: bytes) -> None:
        """Looks at some more of it.

        Chapter: 4.3.
        Raises:  Malformed, saying what is wrong.
        """
        self._buffer += piece
        while not self._ended and len(self._buffer) >= self._asked[0]:
            sent = bytes(self._buffer[: self._asked[1]])
            del self._buffer[: len(sent)]
            self._at += len(sent)
            try:
                self._asked = self._reading.send(sent)
            except StopIteration:
                self._ended = True
        if self._ended and self._buffer:
            raise unsafe("has bytes behind its end")

    def end(self) -> None:
        """Nothing more comes.

        Chapter: 4.3.
        Raises:  Malformed.
        """
        if not self._ended:
            raise unsafe("breaks off")

    def _whole(self) -> Reading:
        while (mark := (yield (4, 4))) == _LOCAL:
            yield from self._entry(self._at - len(mark))
        place, count = self._at - len(mark), 0
        while mark == _CENTRAL:
            yield from self._listed()
            count += 1
            mark = yield (4, 4)
        if self._unlisted:
            raise unsafe("has entries that its list does not name")
        yield from self._finish(mark, (count, self._at - len(mark) - place, place))

    def _entry(self, place: int) -> Reading:
        """One entry, from its header to its last byte."""
        version, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL_FIELDS.unpack(
            (yield _exactly(_LOCAL_FIELDS.size))
        )
        raw = (yield _exactly(name_length)) if name_length else b""
        extra = (yield _exactly(extra_length)) if extra_length else b""
        if flags & _ENCRYPTED:
            raise unsafe("is encrypted")
        if method not in {_STORED, _DEFLATED} or flags & _PATCHED or version & 0xFF > _VERSION:
            raise unsafe("is packed in a way that is not taken")
        name = self._named(raw, flags)
        wide = _wide(extra)
        size, packed = _told([size, packed], wide)
        begun, unpacked = self._at, self._unpacked
        counted = [0]
        yield from self._stored(name, packed, counted) if method == _STORED else self._deflated(name, counted)
        found = Entry(place, method, counted[0], self._at - begun, self._unpacked - unpacked)
        told = Entry(place, method, crc, packed, size)
        if flags & _STREAMED:
            told = yield from _described(found, wide=bool(wide))
        if told != found:
            raise unsafe("has an entry that is not what its header says")
        self._unlisted[raw] = found

    def _named(self, raw: bytes, flags: int) -> str:
        """The name of an entry, which is one nobody can mistake for a path elsewhere or for another entry."""
        try:
            name = raw.decode("utf-8" if flags & _UTF8 else "cp437")
        except UnicodeDecodeError:
            raise unsafe("has an entry without a proper name") from None
        steps = name.removesuffix("/").split("/")
        if (
            len(raw) > MOST_NAME_BYTES
            or not all(step.strip(".") for step in steps)
            or any(ord(character) < ord(" ") or character in '\\:"<>|' for character in name)
        ):
            raise unsafe("has an entry without a proper name")
        if name.lower() in self.names:
            raise unsafe("has two entries of one name")
        if len(self.names) == MOST_ENTRIES:
            raise unsafe(f"has more than {MOST_ENTRIES} entries")
        self.names.add(name.lower())
        return name

    def _stored(self, name: str, left: int, crc: list[int]) -> Reading:
        while left:
            piece = yield (1, min(left, CHUNK_BYTES))
            left -= len(piece)
            self._count(name, piece, crc)

    def _deflated(self, name: str, crc: list[int]) -> Reading:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        while not inflater.eof:
            piece = yield (1, CHUNK_BYTES)
            while piece:
                try:
                    out = inflater.decompress(piece, CHUNK_BYTES)
                except zlib.error:
                    raise unsafe("has an entry that does not unpack") from None
                self._count(name, out, crc)
                piece = inflater.unconsumed_tail
        # What lies behind the end of the entry was not part of it.
        self._at -= len(inflater.unused_data)
        self._buffer[:0] = inflater.unused_data

    def _count(self, name: str, out: bytes, crc: list[int]) -> None:
        self._unpacked += len(out)
        if self._unpacked > min(UNPACKED_BYTES, max(FREE_BYTES, RATIO * self._at)):
            raise unsafe("unpacks to far more than was sent")
        crc[0] = zlib.crc32(out, crc[0])
        if name in self._kept:
            part = self.parts.get(name, b"") + out
            if len(part) > PART_BYTES:
                raise unsafe("says what it is at too great a length")
            self.parts[name] = part

    def _listed(self) -> Reading:
        """One line of the list: it says of an entry that came what the entry said."""
        fields = _CENTRAL_FIELDS.unpack((yield _exactly(_CENTRAL_FIELDS.size)))
        _, version, flags, method, _, _, crc, packed, size, name_length, extra_length, length, disk, _, kind, place = (
            fields
        )
        raw = (yield _exactly(name_length)) if name_length else b""
        extra = (yield _exactly(extra_length)) if extra_length else b""
        if length:
            yield _exactly(length)
        size, packed, place = _told([size, packed, place], _wide(extra))
        if disk or flags & _ENCRYPTED or (kind >> 16) & 0o170000 == _LINK:
            raise unsafe("has an entry that lies elsewhere")
        told = Entry(place, method, crc, packed, size)
        if self._unlisted.pop(raw, None) != told or flags & _PATCHED or version & 0xFF > _VERSION:
            raise unsafe("has a list that does not fit its entries")

    def _finish(self, mark: bytes, found: tuple[int, int, int]) -> Reading:
        """The end says how many lines the list has, how long it is, and where it begins."""
        wide: tuple[int, int, int] | None = None
        if mark == _WIDE_END:
            place = self._at - len(mark)
            (length,) = struct.unpack("<Q", (yield _exactly(8)))
            if not _WIDE_END_FIELDS.size <= length <= CHUNK_BYTES:
                raise unsafe("has no proper end")
            _, _, disk, first, own, *said = _WIDE_END_FIELDS.unpack_from((yield _exactly(length)))
            wide = (said[0], said[1], said[2])
            mark = yield _exactly(len(_WIDE_PLACE))
            located = _WIDE_PLACE_FIELDS.unpack((yield _exactly(_WIDE_PLACE_FIELDS.size)))
            if mark != _WIDE_PLACE or located != (0, place, 1) or (disk, first, own) != (0, 0, found[0]):
                raise unsafe("has no proper end")
            mark = yield _exactly(len(_END))
        if mark != _END:
            raise unsafe("has no proper list" if self.names else "is none")
        disk, first, own, count, length, place, comment = _END_FIELDS.unpack((yield _exactly(_END_FIELDS.size)))
        limits = (_WIDE_COUNT, _WIDE, _WIDE)
        short = (count, length, place)
        told = tuple(wide[at] if wide and short[at] == limits[at] else short[at] for at in range(len(short)))
        if disk or first or own != count or told != found or (wide or found) != found:
            raise unsafe("has an end that does not fit its list")
        if comment:
            yield _exactly(comment)


def unsafe(what: str) -> Malformed:
    """Why an archive is not taken.

    Chapter: 4.3.
    """
    return Malformed(
        f"The document is not of the media type it is sent as: as an archive it {what}.",
        advice="Open it in the program it was made with, save it anew, and send that.",
        path=("contentType",),
    )


def _exactly(length: int) -> tuple[int, int]:
    return (length, length)


def _described(found: Entry, *, wide: bool) -> Generator[tuple[int, int], bytes, Entry]:
    """What is told of an entry behind it, where its header could not know yet."""
    crc = yield _exactly(4)
    if crc == _DESCRIPTOR:
        crc = yield _exactly(4)
    form = struct.Struct("<QQ" if wide else "<II")
    packed, size = form.unpack((yield _exactly(form.size)))
    return Entry(found.place, found.method, int.from_bytes(crc, "little"), packed, size)


def _wide(extra: bytes) -> bytes:
    """What extra fields tell in 64 bits; empty where they tell nothing so."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _WIDE_EXTRA:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return b""


def _told(values: list[int], wide: bytes) -> list[int]:
    """The values, those that stand for one in 64 bits replaced by it, in their order."""
    told: list[int] = []
    for value in values:
        if value == _WIDE and len(wide) >= 8:  # noqa: PLR2004 - bytes of 64 bits
            value, wide = int.from_bytes(wide[:8], "little"), wide[8:]  # noqa: PLW2901 - the value it stands for
        told.append(value)
    return told
