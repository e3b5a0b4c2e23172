"""Which documents are taken: a short list of forms, told by their own bytes and not by what they are called.

Forms that a browser would run or that carry programs, such as pages, scripts and other archives, are not on the list.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

from domain.documents.packages import PACKED, Package
from domain.errors import Malformed

HEAD_BYTES: Final = 4096
"""How many of its first bytes tell the form of a document."""

PDF, PNG, JPEG, TIFF = "application/pdf", "image/png", "image/jpeg", "image/tiff"
TEXT, CSV = "text/plain", "text/csv"

TAKEN: Final = (PDF, PNG, JPEG, TIFF, *PACKED, TEXT, CSV)
"""Every media type that is taken."""

_BEGINNINGS: Final = {
    PDF: (b"%PDF-1.", b"%PDF-2."),
    PNG: (b"\x89PNG\r\n\x1a\n",),
    JPEG: (b"\xff\xd8\xff",),
    TIFF: (b"II*\x00", b"MM\x00*"),
}
_TEXTS: Final = frozenset({TEXT, CSV})
_CONTROLS: Final = frozenset(range(32)) - {9, 10, 12, 13} | {127}
"""Bytes that no text has."""


@dataclass(slots=True)
class Inspection:
    """Looks at a document as it comes, and refuses it at the first byte that is not of the form it is sent as."""

    media_type: str
    _head: bytearray
    _text: codecs.IncrementalDecoder | None
    _package: Package | None
    _known: bool = False

    @classmethod
    def of(cls, media_type: str) -> Inspection:
        """The inspection of a document that is sent as of a media type.

        Chapter: 4.3.
        Raises:  Malformed for a type that is not taken.
        """
        plain, _, rest = media_type.partition(";")
        plain, rest = plain.strip().lower(), rest.replace(" ", "").lower()
        if plain not in TAKEN or (rest and not (plain in _TEXTS and rest in {"charset=utf-8", 'charset="utf-8"'})):
            raise Malformed(
                "Documents of this media type are not taken.",
                advice="Send Content-Type with one of: " + ", ".join(TAKEN) + "; texts in UTF-8.",
                path=("contentType",),
            )
        decoder = codecs.getincrementaldecoder("utf-8")() if plain in _TEXTS else None
        package = Package() if plain in PACKED else None
        return cls(media_type=plain, _head=bytearray(), _text=decoder, _package=package)

    @property
    def lasting(self) -> bool:
        """Whether a look takes so long that it is done beside the event loop: an archive is unpacked to be counted."""
        return self._package is not None

    def look(self, piece: bytes) -> None:
        """Looks at some more of it.

        Chapter: 4.3.
        Raises:  Malformed.
        """
        if self._text is not None:
            self._read(piece)
        elif self._package is not None:
            self._package.look(piece)
        elif not self._known:
            self._head += piece[: HEAD_BYTES - len(self._head)]
            if len(self._head) == HEAD_BYTES:
                self._recognise()

    def end(self) -> None:
        """Nothing more comes.

        Chapter: 4.3.
        Raises:  Malformed.
        """
        if self._text is not None:
            self._read(b"", final=True)
        elif self._package is not None:
            found = self._package.end()
            if found != self.media_type:
                raise _other(f"Send it with Content-Type: {found}.")
        elif not self._known:
            self._recognise()

    def _recognise(self) -> None:
        if not bytes(self._head).startswith(_BEGINNINGS[self.media_type]):
            raise _other()
        self._known = True

    def _read(self, piece: bytes, *, final: bool = False) -> None:
        if self._text is None:
            raise AssertionError("only texts are read")
        try:
            self._text.decode(piece, final)
        except UnicodeDecodeError:
            raise _other() from None
        if not _CONTROLS.isdisjoint(piece):
            raise _other()


def _other(
    advice: str = "Send it with the Content-Type that it has; texts are in UTF-8, without control characters.",
) -> Malformed:
    return Malformed("The document is not of the media type it is sent as.", advice=advice, path=("contentType",))
