"""A document is taken when its bytes are of the form it is sent as, and that form is on the list."""

from __future__ import annotations

import pytest

from domain.documents import media
from domain.documents.media import CSV, JPEG, PDF, PNG, TEXT, TIFF, Inspection
from domain.documents.packages import DOCX, OFD, PACKED, PPTX, XLSX
from domain.errors import Malformed
from tests.packed import ofd, office, packed

TAKEN = {
    PDF: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    PNG: b"\x89PNG\r\n\x1a\n" + bytes(100),
    JPEG: b"\xff\xd8\xff\xe0" + bytes(100),
    TIFF: b"II*\x00" + bytes(100),
    DOCX: office(DOCX),
    XLSX: office(XLSX),
    PPTX: office(PPTX),
    OFD: ofd(),
    TEXT: "判决书\r\n\tone line\f".encode(),
    CSV: b"a,b\n1,2\n",
}
FOREIGN = {
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a program": b"MZ\x90\x00" + bytes(100),
    "an ELF program": b"\x7fELF\x02" + bytes(100),
    "another archive": packed({"evil.exe": b"MZ"}),
    "a jar": packed({"META-INF/MANIFEST.MF": b"", "A.class": b""}),
    "an empty archive": packed({}),
    "a short beginning": b"%PD",
    "a beginning that is late": b" %PDF-1.7\n",
}


def look(media_type, content, step=None):
    """Inspects a document, in steps where told."""
    inspection = Inspection.of(media_type)
    for start in range(0, len(content), step or len(content) or 1):
        inspection.look(content[start : start + (step or len(content))])
    inspection.end()


def refused(media_type, content, step=None):
    with pytest.raises(Malformed) as told:
        look(media_type, content, step)
    assert told.value.path == ("contentType",)


def test_every_type_on_the_list_has_an_example_here():
    assert set(TAKEN) == set(media.TAKEN)


@pytest.mark.parametrize("media_type", TAKEN)
@pytest.mark.parametrize("step", [None, 1, 7])
def test_what_is_of_the_form_it_is_sent_as_is_taken(media_type, step):
    look(media_type, TAKEN[media_type], step)


@pytest.mark.parametrize("media_type", TAKEN)
@pytest.mark.parametrize("other", TAKEN)
def test_what_is_of_another_form_on_the_list_is_refused(media_type, other):
    if media_type != other and not {media_type, other} <= {TEXT, CSV}:
        refused(media_type, TAKEN[other])


@pytest.mark.parametrize("media_type", [PDF, PNG, JPEG, TIFF, *PACKED])
@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_what_is_of_a_form_that_is_not_on_the_list_is_refused(media_type, content):
    refused(media_type, content)


@pytest.mark.parametrize(
    "media_type",
    [
        *("", "text/html", "image/svg+xml", "application/javascript", "application/octet-stream", "application/zip"),
        *("application/x-msdownload", "pdf", "application/pdf; charset=utf-8", "text/plain; charset=gbk"),
        "multipart/form-data; boundary=x",
    ],
)
def test_a_type_that_is_not_on_the_list_is_refused_before_any_byte(media_type):
    with pytest.raises(Malformed) as told:
        Inspection.of(media_type)
    assert told.value.path == ("contentType",)


@pytest.mark.parametrize(
    "written", ["TEXT/PLAIN", " text/plain ", "text/plain; charset=UTF-8", 'text/plain;charset="utf-8"']
)
def test_a_type_is_read_as_headers_write_it(written):
    assert Inspection.of(written).media_type == TEXT


@pytest.mark.parametrize("place", [0, 10, 5_000, 70_000])
@pytest.mark.parametrize("wrong", [b"\x00", b"\xff", b"\x1b", b"\x7f", "é".encode("latin-1")])
def test_a_text_is_a_text_to_its_end(place, wrong):
    content = b"a" * place + wrong + b"a" * 10
    refused(TEXT, content)
    refused(TEXT, content, 1_000)


def test_a_character_that_is_cut_off_by_a_step_is_whole_and_one_cut_off_by_the_end_is_not():
    content = "合同".encode()
    look(TEXT, content, 1)
    refused(TEXT, content[:-1], 1)
    refused(TEXT, content[:-1])


def test_what_follows_the_first_bytes_is_not_looked_at_again():
    look(PDF, TAKEN[PDF] + bytes(10_000), 100)
