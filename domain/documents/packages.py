"""Documents that are archives of parts: which kind one is, its own parts say (ISO/IEC 29500-2, GB/T 33190)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

from domain.documents.archives import Archive, unsafe

DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
OFD: Final = "application/ofd"
"""GB/T 33190, the form of Chinese electronic invoices."""
PACKED: Final = (DOCX, XLSX, PPTX, OFD)
"""Every media type whose documents are archives."""

_TYPES, _RELATIONS, _OFD = "[Content_Types].xml", "_rels/.rels", "OFD.xml"
_MAIN: Final = "officeDocument"
_RELATION_SPACES: Final = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships/",
    "http://purl.oclc.org/ooxml/officeDocument/relationships/",
)
_KINDS: Final = {f"{kind}.main+xml": kind for kind in (DOCX, XLSX, PPTX)}
_PROGRAMS: Final = ("macroenabled", "vbaproject", "activex")
"""Parts whose types or names have one of these words carry programs."""

Element = tuple[str, Mapping[str, str]]


class Package:
    """A document made of parts, looked at as it comes."""

    def __init__(self) -> None:
        self._archive = Archive((_TYPES, _RELATIONS, _OFD))

    def look(self, piece: bytes) -> None:
        """Looks at some more of it.

        Chapter: 4.3.
        Raises:  Malformed.
        """
        self._archive.take(piece)

    def end(self) -> str:
        """Nothing more comes: the media type that its parts tell.

        Chapter: 4.3.
        Raises:  Malformed when they tell none that is taken.
        """
        self._archive.end()
        parts = self._archive.parts
        if _TYPES in parts:
            return self._office(_types(parts[_TYPES]), parts.get(_RELATIONS, b""))
        if _OFD in parts and _elements(parts[_OFD])[0][0].rpartition(" ")[2] == "OFD":
            return OFD
        raise unsafe("does not say what it is")

    def _office(self, types: Mapping[str, str], relations: bytes) -> str:
        """The kind of the one part that the whole begins with."""
        for name in self._archive.names:
            told = f"{name} {_type_of(types, name)}".lower()
            if any(word in told for word in _PROGRAMS):
                raise unsafe("carries programs")
        begins = [
            attributes.get("Target", "").lstrip("/").lower()
            for name, attributes in _elements(relations)
            if name.endswith(" Relationship")
            and attributes.get("Type") in {f"{space}{_MAIN}" for space in _RELATION_SPACES}
            and attributes.get("TargetMode", "Internal") == "Internal"
        ]
        if len(begins) != 1 or begins[0] not in self._archive.names:
            raise unsafe("does not say what it begins with")
        kind = _KINDS.get(_type_of(types, begins[0]))
        if kind is None:
            raise unsafe("is of a kind that is not taken")
        return kind


def _types(xml: bytes) -> dict[str, str]:
    """The types of parts by name in lower case; of all parts with an ending, by `.ending`."""
    types: dict[str, str] = {}
    for name, attributes in _elements(xml):
        kind = attributes.get("ContentType", "")
        if name.endswith(" Override"):
            key = attributes.get("PartName", "").lstrip("/").lower()
        elif name.endswith(" Default"):
            key = f".{attributes.get('Extension', '').lower()}"
        else:
            continue
        if types.setdefault(key, kind) != kind:
            raise unsafe("says two things of one part")
    return types


def _type_of(types: Mapping[str, str], part: str) -> str:
    return types.get(part) or types.get(f".{part.rpartition('.')[2]}", "")


def _elements(xml: bytes) -> list[Element]:
    """The elements of a small XML text, at least one, each as `space name`; one with a document type is refused."""
    found: list[Element] = []
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        found.append((name, attributes))

    def declared(*_: object) -> None:
        raise unsafe("declares entities")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = declared
    try:
        parser.Parse(xml, True)  # noqa: FBT003 - there is no other way to say that nothing follows
    except expat.ExpatError:
        raise unsafe("has a part that cannot be read") from None
    return found
