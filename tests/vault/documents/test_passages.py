"""No byte of a document leaves that was cut off or altered, however large it is."""

from __future__ import annotations

import asyncio
import gc
import os
from functools import partial
from pathlib import Path

import pytest

from domain.errors import Tampered, Unavailable
from tests.vault.documents.test_blobs import NAME, held, kept
from tests.vault.documents.test_format import DEK_ID, SEALED_CHUNK, seal, secret
from vault.documents import handing
from vault.documents.format import HEAD_BYTES, Unsealing
from vault.documents.handing import WHOLE_BYTES, BlobPassage, Held
from vault.documents.opening import place_of

PLACE = place_of(NAME)


def passage(blobs, head, held=None):
    """The passage of the blob under the name."""
    source, begin = blobs.open(NAME), partial(Unsealing, head, secret(), PLACE)
    return asyncio.run(BlobPassage.verified(source, head, begin, held or Held()))


async def _pieces(way):
    try:
        return [piece async for piece in way.pieces()]
    finally:
        await way.close()


def read(way):
    """Everything a passage gives."""
    return asyncio.run(_pieces(way))


def stored(blobs, plain):
    """The sealed bytes of a document, kept."""
    sealed = seal(plain, PLACE, DEK_ID)
    kept(blobs, NAME, sealed)
    return sealed


SMALL, LARGE = 3 * 16_384 + 5, WHOLE_BYTES + 5


@pytest.mark.parametrize("size", [1, SMALL, WHOLE_BYTES - 16_400, LARGE])
def test_a_document_leaves_as_it_was_sealed(blobs, size):
    plain = os.urandom(size)
    way = passage(blobs, stored(blobs, plain)[:HEAD_BYTES])
    assert way.size == size
    assert b"".join(read(way)) == plain


@pytest.mark.parametrize("limit", [WHOLE_BYTES, 1000], ids=["opened whole", "opened twice"])
def test_there_is_no_passage_for_a_document_that_was_cut_off_at_any_chunk(blobs, monkeypatch, limit):
    monkeypatch.setattr(handing, "WHOLE_BYTES", limit)
    sealed = stored(blobs, os.urandom(SMALL))
    for end in (*range(HEAD_BYTES, len(sealed), SEALED_CHUNK), len(sealed) - 1, 0, 5):
        kept(blobs, NAME, sealed[:end])
        with pytest.raises(Tampered):
            passage(blobs, sealed[:HEAD_BYTES])


@pytest.mark.parametrize("limit", [WHOLE_BYTES, 1000], ids=["opened whole", "opened twice"])
def test_there_is_no_passage_for_a_document_that_was_altered_in_any_chunk(blobs, monkeypatch, limit):
    monkeypatch.setattr(handing, "WHOLE_BYTES", limit)
    sealed = stored(blobs, os.urandom(SMALL))
    for place in (0, 5, 30, 60, *range(HEAD_BYTES, len(sealed), SEALED_CHUNK), len(sealed) - 1):
        kept(blobs, NAME, sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])
        with pytest.raises(Tampered):
            passage(blobs, sealed[:HEAD_BYTES])


def test_there_is_no_passage_for_another_sealing_of_the_same_document(blobs):
    plain = os.urandom(100)
    first = stored(blobs, plain)
    stored(blobs, plain)
    with pytest.raises(Tampered, match="Other bytes"):
        passage(blobs, first[:HEAD_BYTES])


def test_what_is_altered_after_it_verified_does_not_leave(tmp_path, monkeypatch):
    """Only a folder lets bytes be altered in place; a large document is then cut off where it was altered."""
    from vault.documents.folder import FolderBlobs

    monkeypatch.setattr(handing, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(handing, "PIECE_BYTES", SEALED_CHUNK)
    blobs, plain = FolderBlobs(tmp_path), os.urandom(SMALL)
    way = passage(blobs, stored(blobs, plain)[:HEAD_BYTES])
    with (tmp_path / NAME.path).open("r+b") as file:
        file.seek(HEAD_BYTES + 2 * SEALED_CHUNK + 100)
        file.write(b"altered")

    got, pieces = [], way.pieces()

    async def until_refused():
        while True:
            got.append(await anext(pieces))

    with pytest.raises(Tampered):
        asyncio.run(until_refused())
    asyncio.run(way.close())
    assert b"".join(got) == plain[: 2 * 16_384]


def test_what_is_cut_off_after_it_verified_does_not_end_well(tmp_path, monkeypatch):
    from vault.documents.folder import FolderBlobs

    monkeypatch.setattr(handing, "WHOLE_BYTES", 1000)
    blobs = FolderBlobs(tmp_path)
    for end in (0, HEAD_BYTES, HEAD_BYTES + SEALED_CHUNK, HEAD_BYTES + 3 * SEALED_CHUNK):
        way = passage(blobs, stored(blobs, os.urandom(SMALL))[:HEAD_BYTES])
        os.truncate(tmp_path / NAME.path, end)
        with pytest.raises(Tampered):
            read(way)


def test_an_object_that_is_replaced_after_it_verified_does_not_leave(bucket_server, monkeypatch):
    from tests.bucket import emptied
    from vault.documents.bucket import BucketBlobs

    monkeypatch.setattr(handing, "WHOLE_BYTES", 1000)
    with emptied(bucket_server) as name:
        blobs = BucketBlobs(bucket_server, name, "")
        way = passage(blobs, stored(blobs, os.urandom(SMALL))[:HEAD_BYTES])
        stored(blobs, os.urandom(SMALL))
        with pytest.raises(Tampered):
            read(way)


def opened_files():
    """How many files this process holds open, beside what other tests have left to the collector."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_passage_that_nobody_reads_lets_its_blob_go(tmp_path):
    from vault.documents.folder import FolderBlobs

    blobs = FolderBlobs(tmp_path)
    head = stored(blobs, b"some bytes")[:HEAD_BYTES]
    before = opened_files()
    for _ in range(20):
        asyncio.run(passage(blobs, head).close())
        kept(blobs, NAME, b"not sealed at all")
        with pytest.raises(Tampered):
            passage(blobs, head)
        head = stored(blobs, b"some bytes")[:HEAD_BYTES]
    assert opened_files() == before


def test_a_store_that_cannot_be_read_is_told_as_that_and_not_as_altered(tmp_path, monkeypatch):
    from vault.documents.folder import FolderBlobs

    blobs = FolderBlobs(tmp_path)
    head = stored(blobs, b"some bytes")[:HEAD_BYTES]

    def broken(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", broken)
    with pytest.raises(Unavailable) as told:
        passage(blobs, head)
    assert not isinstance(told.value, Tampered)
    monkeypatch.undo()
    assert held(blobs)


def test_what_is_held_of_all_documents_together_is_bounded_and_let_go(tmp_path):
    from vault.documents.folder import FolderBlobs

    blobs, plain = FolderBlobs(tmp_path), os.urandom(SMALL)
    head = stored(blobs, plain)[:HEAD_BYTES]
    held = Held(most=2 * SMALL + 1000)
    first, second, third = (passage(blobs, head, held) for _ in range(3))
    assert [way._whole is None for way in (first, second, third)] == [False, False, True]
    assert b"".join(read(third)) == plain
    assert b"".join(read(first)) == plain
    fourth = passage(blobs, head, held)
    assert fourth._whole is not None
    for way in (first, second, fourth):
        asyncio.run(way.close())
    kept(blobs, NAME, b"not sealed at all")
    with pytest.raises(Tampered):
        passage(blobs, head, held)
    assert held.take(2 * SMALL + 1000) == 2 * SMALL + 1000
