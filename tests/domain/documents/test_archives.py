"""Archives that lie, hide, overlap or explode are refused; what is taken reads the same by its list as by its bytes."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest

from domain.documents import archives
from domain.documents.archives import Archive
from domain.documents.packages import DOCX, OFD, PPTX, XLSX, Package
from domain.errors import Malformed
from tests.packed import office, packed, parts, relations, streamed, types

SMALL = {"a.xml": b"<a/>" * 30, "b/c.bin": bytes(range(256)), "empty": b""}


def taken(content, step=None):
    """What an archive is found to hold."""
    archive = Archive(tuple(SMALL))
    for start in range(0, len(content), step or len(content) or 1):
        archive.take(content[start : start + (step or len(content))])
    archive.end()
    return archive


def kind(content):
    """What kind of document an archive is."""
    package = Package()
    package.look(content)
    return package.end()


def refused(content, says="."):
    with pytest.raises(Malformed, match=says) as told:
        kind(content)
    assert told.value.path == ("contentType",)


def put(content, place, new):
    return content[:place] + new + content[place + len(new) :]


def wide(entries):
    """An archive whose sizes are told in 64 bits."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            with archive.open(name, "w", force_zip64=True) as out:
                out.write(content)
    return held.getvalue()


def ended_wide(content):
    """The same archive with an end that is told in 64 bits."""
    end = content.rindex(b"PK\x05\x06")
    count, length, place = struct.unpack_from("<HII", content, end + 10)
    told = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, length, place)
    told += struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    short = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return content[:end] + told + short


@pytest.mark.parametrize("step", [None, 1, 13])
@pytest.mark.parametrize(
    "made",
    [
        packed(SMALL),
        packed(SMALL, zipfile.ZIP_STORED),
        streamed(SMALL),
        wide(SMALL),
        ended_wide(packed(SMALL)),
        packed({}),
        packed({"folder/": b"", "folder/x": b"1"}),
    ],
    ids=["deflated", "stored", "streamed", "wide", "ended wide", "empty", "folder"],
)
def test_an_archive_reads_the_same_by_its_bytes_as_by_its_list(made, step):
    with zipfile.ZipFile(io.BytesIO(made)) as listed:
        found = taken(made, step)
        assert found.names == {name.lower() for name in listed.namelist()}
        assert {name: found.parts.get(name, b"") for name in SMALL if name in found.names} == {
            name: listed.read(name) for name in listed.namelist() if name in SMALL
        }


@pytest.mark.parametrize("made", [packed(SMALL), streamed(SMALL), ended_wide(packed(SMALL))])
def test_an_archive_that_breaks_off_anywhere_or_goes_on_behind_its_end_is_refused(made):
    for length in range(len(made)):
        with pytest.raises(Malformed):
            taken(made[:length])
    with pytest.raises(Malformed, match="behind its end"):
        taken(made + b"\x00")
    with pytest.raises(Malformed):
        taken(b"%PDF-1.7\n" + made)


@pytest.mark.parametrize("made", [packed(SMALL), streamed(SMALL), ended_wide(packed(SMALL))])
def test_wherever_one_byte_lies_it_is_refused_or_nobody_is_misled(made):
    with zipfile.ZipFile(io.BytesIO(made)) as listed:
        right = {name: listed.read(name) for name in listed.namelist()}
    passed = 0
    for place in range(len(made)):
        for flip in (0x01, 0x08, 0x80, 0xFF):
            changed = put(made, place, bytes([made[place] ^ flip]))
            try:
                found = taken(changed)
            except Malformed:
                continue
            passed += 1
            with zipfile.ZipFile(io.BytesIO(changed)) as listed:
                assert {name.lower() for name in listed.namelist()} == found.names
                assert [listed.read(name) for name in listed.namelist()] == list(right.values())
    # Times, versions and attributes may be anything.
    assert 0 < passed < len(made)


def test_what_unpacks_to_far_more_than_was_sent_is_refused_before_it_did():
    bomb = packed({"[Content_Types].xml": b"", "x": bytes(300 << 20)})
    tracemalloc.start()
    try:
        refused(bomb, "far more")
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_bomb_that_says_it_is_small_is_refused_all_the_same():
    bomb = packed({"x": bytes(60 << 20)})
    size = struct.pack("<I", 60 << 20)
    assert bomb.count(size) == 2
    refused(bomb.replace(size, struct.pack("<I", 100)), "far more")
    small = packed({"x": bytes(5_000)})
    refused(small.replace(struct.pack("<I", 5_000), struct.pack("<I", 100)), "not what its header says")


def test_entries_that_share_their_bytes_are_refused():
    made = packed({"a": b"1" * 50, "b": b"2" * 50})
    second = made.rindex(b"PK\x01\x02")
    refused(put(made, second + 42, struct.pack("<I", 0)), "does not fit its entries")
    # A bomb of this kind names one large entry many times: each name stands before the same bytes.
    inner = packed({"b": b"2" * 50}, zipfile.ZIP_STORED)
    nested = inner[: inner.index(b"PK\x01\x02")]
    quoted = packed({"a": nested}, zipfile.ZIP_STORED)
    end = quoted.index(b"PK\x01\x02")
    line = inner[inner.index(b"PK\x01\x02") : inner.index(b"PK\x05\x06")]
    line = put(line, 42, struct.pack("<I", quoted.index(nested)))
    listed = quoted[end : quoted.index(b"PK\x05\x06")] + line
    closing = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2, 2, len(listed), end, 0)
    overlapping = quoted[:end] + listed + closing
    with zipfile.ZipFile(io.BytesIO(overlapping)) as fooled:
        assert fooled.namelist() == ["a", "b"]
    refused(overlapping, "does not fit its entries")


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../x", "a//x", "..\\x", "C:x", "a/./x", "x\x01", "n" * 1_025, "...", "a|b"]
)
def test_names_that_lead_elsewhere_are_refused(name):
    refused(packed({name: b"1"}), "proper name")


def test_two_entries_of_one_name_are_refused_whatever_their_case():
    refused(packed({"x.xml": b"1", "X.xml": b"2"}), "two entries")


def test_what_is_encrypted_packed_otherwise_or_a_link_is_refused():
    made = packed({"x": b"1"})
    refused(put(made, 6, b"\x01"), "encrypted")
    refused(packed({"x": b"1"}, zipfile.ZIP_BZIP2), "a way that is not taken")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        link = zipfile.ZipInfo("x")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, b"/etc/passwd")
    refused(held.getvalue(), "lies elsewhere")


def test_what_hides_between_entries_or_is_not_listed_is_refused():
    made = packed({"a": b"1" * 50, "b": b"2" * 50})
    second = made.index(b"PK\x03\x04", 4)
    refused(made[:second] + b"hidden" + made[second:])
    only = packed({"a": b"1" * 50})
    entry = only[: only.index(b"PK\x01\x02")]
    listed = only[len(entry) : only.index(b"PK\x05\x06")]
    extra = packed({"b": b"2" * 50})
    extra = extra[: extra.index(b"PK\x01\x02")]
    closing = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(listed), len(entry + extra), 0)
    refused(entry + extra + listed + closing, "does not name")
    assert taken(only).names == {"a"}


def test_a_stored_entry_whose_length_nobody_knows_is_refused():
    held = bytearray(packed({"a": b"1" * 50}, zipfile.ZIP_STORED))
    held[6] |= 0x08
    held[14:26] = bytes(12)
    refused(bytes(held))


def test_there_are_at_most_so_many_entries(monkeypatch):
    monkeypatch.setattr(archives, "MOST_ENTRIES", 3)
    assert len(taken(packed({str(one): b"" for one in range(3)})).names) == 3
    refused(packed({str(one): b"" for one in range(4)}), "more than 3")


def test_a_large_archive_is_looked_at_in_flat_memory():
    name, crc, size = b"word/media/x.png", 0, 48 << 20
    piece = bytes(1 << 16)
    for _ in range(size // len(piece)):
        crc = zlib.crc32(piece, crc)
    fields = struct.pack("<HHHIII", 0, 0, 0, crc, size, size)
    local = struct.pack("<4sHH", b"PK\x03\x04", 20, 0) + fields + struct.pack("<HH", len(name), 0) + name
    line = struct.pack("<4sHHH", b"PK\x01\x02", 20, 20, 0) + fields
    line += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0) + name
    closing = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(line), len(local) + size, 0)
    archive = Archive(())
    tracemalloc.start()
    try:
        archive.take(local)
        for _ in range(size // len(piece)):
            archive.take(piece)
        archive.take(line + closing)
        archive.end()
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
    assert archive.names == {"word/media/x.png"}


@pytest.mark.parametrize("media_type", [DOCX, XLSX, PPTX])
def test_the_kind_is_told_by_the_part_a_document_begins_with(media_type):
    assert kind(office(media_type)) == media_type
    other = next(one for one in (DOCX, XLSX, PPTX) if one != media_type)
    # Another kind's document within changes nothing; nor does where parts lie or in which order they come.
    assert kind(office(media_type, embeddings__inner=office(other))) == media_type
    turned = dict(reversed(parts(media_type, "word/xl/ppt.xml").items()))
    assert kind(packed(turned)) == media_type
    assert kind(streamed(turned)) == media_type


def test_a_type_told_by_ending_is_as_good():
    told = types("x", "y").replace(b"application/xml", f"{DOCX}.main+xml".encode())
    assert kind(packed(parts(DOCX) | {"[Content_Types].xml": told})) == DOCX


BEGINNING = {name: content for name, content in parts(DOCX).items() if name != "[Content_Types].xml"}
AWAY = relations("doc/main.xml").replace(b"/><", b' TargetMode="External"/><')
LAUGHS = b'<!DOCTYPE t [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><Types>&b;</Types>'


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        (BEGINNING, "does not say what it is"),
        (parts(DOCX) | {"_rels/.rels": b"<a/>"}, "begins with"),
        (parts(DOCX) | {"_rels/.rels": relations("elsewhere.xml")}, "begins with"),
        (parts(DOCX) | {"_rels/.rels": AWAY}, "begins with"),
        (parts(DOCX) | {"[Content_Types].xml": types("doc/main.xml", "application/x-other")}, "not taken"),
        (parts(DOCX) | {"[Content_Types].xml": b"no XML"}, "cannot be read"),
        (parts(DOCX) | {"[Content_Types].xml": LAUGHS.decode().encode("utf-16")}, "entities"),
        (parts(DOCX) | {"[Content_Types].xml": b"\xff<a/>"}, "cannot be read"),
        (parts(DOCX) | {"[Content_Types].xml": LAUGHS}, "entities"),
        (parts(DOCX) | {"[Content_Types].xml": b"<Types>" + b"<a/>" * (1 << 18) + b"</Types>"}, "too great a length"),
        (parts(DOCX) | {"word/vbaProject.bin": b"\xd0\xcf"}, "programs"),
        (parts("application/vnd.ms-word.document.macroEnabled"), "programs"),
        ({"OFD.xml": b"<Other/>", "Doc_0/Document.xml": b"<a/>"}, "does not say"),
        ({"OFD.xml": b"", "Doc_0/Document.xml": b"<a/>"}, "cannot be read"),
    ],
)
def test_a_package_that_does_not_say_what_it_is_or_carries_programs_is_refused(entries, says):
    refused(packed(entries), says)


def test_a_part_that_has_two_types_is_refused():
    twice = types("doc/main.xml", f"{DOCX}.main+xml").replace(
        b"</Types>", f'<Override PartName="/doc/MAIN.xml" ContentType="{XLSX}.main+xml"/></Types>'.encode()
    )
    refused(packed(parts(DOCX) | {"[Content_Types].xml": twice}), "two things")


def test_an_invoice_is_told_by_its_own_beginning():
    begin = b'<?xml version="1.0"?><ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016"/>'
    assert kind(packed({"Doc_0/Document.xml": b"<a/>", "OFD.xml": begin})) == OFD
