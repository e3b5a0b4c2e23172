"""Archives for tests: documents of an office, and whatever somebody might send in their place."""

from __future__ import annotations

import io
import zipfile

TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"


def packed(entries, method=zipfile.ZIP_DEFLATED):
    """An archive with some entries."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return held.getvalue()


class Unseekable(io.RawIOBase):
    """Takes bytes, and can go back to none: sizes are then told behind an entry."""

    def __init__(self):
        super().__init__()
        self.held = bytearray()

    def writable(self):
        """It is written to."""
        return True

    def write(self, piece):
        """Keeps some more."""
        self.held += piece
        return len(piece)


def streamed(entries):
    """An archive that was written without going back."""
    out = Unseekable()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return bytes(out.held)


def types(main, kind):
    """What the parts of a document are."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Types xmlns="{TYPES}">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main}" ContentType="{kind}"/></Types>'
    ).encode()


def relations(main):
    """What a document begins with."""
    return (
        f'<?xml version="1.0"?><Relationships xmlns="{RELATIONS}">'
        f'<Relationship Id="r1" Type="{MAIN}" Target="{main}"/></Relationships>'
    ).encode()


def parts(media_type, main="doc/main.xml"):
    """The parts of a document of an office."""
    return {
        "[Content_Types].xml": types(main, f"{media_type}.main+xml"),
        "_rels/.rels": relations(main),
        main: b"<text>" + b"words of a contract. " * 200 + b"</text>",
    }


def office(media_type, **more):
    """A document of an office, with more parts where told."""
    return packed(parts(media_type) | {name.replace("__", "/"): content for name, content in more.items()})


def ofd():
    """An electronic invoice."""
    begin = b'<?xml version="1.0"?><ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016" Version="1.0"/>'
    return packed({"OFD.xml": begin, "Doc_0/Document.xml": b"<xml/>" * 100})
