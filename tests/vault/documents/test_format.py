"""`document/1`: bytes open in their own place, whole or not at all; the published ones for ever."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from pathlib import Path

import pytest

from domain.errors import Tampered
from tests.vault.documents import chunked
from tests.vault.documents.chunked import CHUNK, COBBLESTONE_256
from vault import hazmat
from vault.documents import format as document
from vault.documents.format import HEAD_BYTES, HEADER_BYTES, Place, Sealing, Unsealing

CASES = json.loads((Path(__file__).parents[3] / "vault/testdata/document_1.json").read_text(encoding="utf-8"))
by_case = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
PLACE = Place(b"t" * 16, b"s" * 16, b"d" * 16, 2)
OTHER = Place(b"\x09" * 16, b"\x09" * 16, b"\x09" * 16, 3)
DEK_ID, KEY = b"k" * 16, bytes(range(32))
SEALED_CHUNK = document.SEALED_CHUNK_BYTES


def secret(key=KEY):
    return hazmat.Secret(bytearray(key))


def seal(plain, place=PLACE, dek_id=DEK_ID, key=KEY, step=None):
    """The whole sealed bytes; in steps where told."""
    sealing = Sealing(dek_id, secret(key), place)
    step = step or len(plain) or 1
    pieces = [sealing.step(plain[start : start + step]) for start in range(0, len(plain), step)]
    return sealing.head + b"".join(pieces) + sealing.end()


def unseal(sealed, place=PLACE, key=KEY, step=None):
    """The whole plaintext; in steps where told."""
    unsealing, body = Unsealing(sealed[:HEAD_BYTES], secret(key), place), sealed[HEAD_BYTES:]
    step = step or len(body) or 1
    pieces = [unsealing.step(body[start : start + step]) for start in range(0, len(body), step)]
    return b"".join(pieces) + unsealing.end()


def refused(sealed, **more):
    with pytest.raises(Tampered) as told:
        unseal(sealed, **more)
    assert told.value.__cause__ is None


def plain_of(case):
    """The plaintext of a published case."""
    repeat, size = bytes.fromhex(case["plain"]["repeat"]), case["plain"]["size"]
    return (repeat * (size // len(repeat) + 1))[:size]


def rebuilt(case):
    """The sealed bytes of a published case, as the second implementation makes them."""
    header = document.PREFIX + bytes.fromhex(case["dek_id"])
    salt, context = bytes.fromhex(case["salt"]), bytes.fromhex(case["context"])
    return header + chunked.sealed(COBBLESTONE_256, bytes.fromhex(case["dek"]), salt, context, plain_of(case))


def place_of(case):
    ids = (bytes.fromhex(case["place"][name]) for name in ("tenant", "subject", "document"))
    return Place(*ids, case["place"]["version"])


# Published bytes.


@by_case
def test_a_second_implementation_makes_the_published_bytes(case):
    sealed = rebuilt(case)
    assert (len(sealed), hashlib.sha256(sealed).hexdigest()) == (case["size"], case["sha256"])
    assert sealed[:HEAD_BYTES].hex() == case["head"]
    assert case.get("sealed", sealed.hex()) == sealed.hex()


@by_case
def test_published_bytes_open(case):
    assert unseal(rebuilt(case), place_of(case), bytes.fromhex(case["dek"])) == plain_of(case)


@by_case
def test_published_contexts_are_what_bytes_are_bound_to(case):
    header = document.PREFIX + bytes.fromhex(case["dek_id"])
    assert document.context(header, place_of(case)).hex() == case["context"]
    assert document.sealed_size(case["plain"]["size"]) == case["size"]


# Sealing.

SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [None, 1000, CHUNK, CHUNK + 1])
def test_what_is_sealed_opens_whatever_the_steps_are(size, step):
    plain = os.urandom(size)
    sealed = seal(plain, step=step)
    assert len(sealed) == document.sealed_size(size)
    assert unseal(sealed, step=step) == unseal(sealed) == plain


@pytest.mark.parametrize("size", SIZES)
def test_a_second_implementation_opens_what_is_sealed(size):
    plain = os.urandom(size)
    sealed = seal(plain)
    context = document.context(sealed[:HEADER_BYTES], PLACE)
    assert chunked.opened(COBBLESTONE_256, KEY, context, sealed[HEADER_BYTES:]) == plain


def test_the_same_document_is_never_sealed_twice_into_the_same_bytes():
    heads = {seal(b"the same")[:HEAD_BYTES] for _ in range(1000)}
    assert len(heads) == 1000


# Moved bytes.


@pytest.mark.parametrize("part", Place._fields)
def test_bytes_that_were_moved_to_another_place_are_refused(part):
    there = PLACE._replace(**{part: getattr(OTHER, part)})
    refused(seal(b"some bytes"), place=there)
    refused(seal(b"some bytes", there))
    assert unseal(seal(b"some bytes", there), place=there) == b"some bytes"


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(("tenant", "subject", "document"), 2)))
def test_parts_of_one_form_cannot_change_places(first, second):
    swapped = PLACE._replace(**{first: getattr(PLACE, second), second: getattr(PLACE, first)})
    refused(seal(b"some bytes"), place=swapped)


def test_bytes_under_another_key_or_the_id_of_another_are_refused():
    refused(seal(b"some bytes"), key=bytes(32))
    sealed = seal(b"some bytes")
    refused(document.PREFIX + b"o" * 16 + sealed[HEADER_BYTES:])


def test_a_head_on_the_bytes_of_another_document_is_refused():
    first, second = seal(os.urandom(100)), seal(os.urandom(100))
    refused(first[:HEAD_BYTES] + second[HEAD_BYTES:])


def test_chunks_cannot_change_places_or_stand_twice():
    sealed = seal(os.urandom(3 * CHUNK + 5))
    body = sealed[HEAD_BYTES:]
    chunks = [body[start : start + SEALED_CHUNK] for start in range(0, len(body), SEALED_CHUNK)]
    for order in itertools.permutations(range(4)):
        if order != (0, 1, 2, 3):
            refused(sealed[:HEAD_BYTES] + b"".join(chunks[number] for number in order))
    for number in range(3):
        refused(sealed[:HEAD_BYTES] + b"".join([*chunks[: number + 1], chunks[number], *chunks[number + 1 :]]))


# Altered, cut off, extended.


def test_every_flipped_byte_is_refused():
    sealed = seal(os.urandom(100))
    for place, bit in itertools.product(range(len(sealed)), (0x01, 0x80)):
        refused(sealed[:place] + bytes([sealed[place] ^ bit]) + sealed[place + 1 :])


def test_a_flipped_byte_of_any_chunk_is_refused():
    sealed = seal(os.urandom(5 * CHUNK))
    for place in range(HEAD_BYTES, len(sealed), 4099):
        refused(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])


@pytest.mark.parametrize("size", [1, CHUNK, 4 * CHUNK, 4 * CHUNK + 5])
def test_what_is_cut_off_at_any_border_of_a_chunk_or_beside_it_is_refused(size):
    sealed = seal(os.urandom(size))
    borders = {*range(HEAD_BYTES, len(sealed) + 1, SEALED_CHUNK), len(sealed)}
    for place in sorted({border + beside for border in borders for beside in (-17, -16, -1, 0, 1, 16)}):
        if HEAD_BYTES <= place < len(sealed):
            refused(sealed[:place])


def test_what_is_cut_off_anywhere_is_refused():
    sealed = seal(b"a short document")
    for end in range(len(sealed)):
        refused(sealed[:end])


@pytest.mark.parametrize("size", [0, 5, CHUNK - 1, CHUNK])
@pytest.mark.parametrize("more", [1, 16, 17, SEALED_CHUNK])
def test_what_is_extended_is_refused(size, more):
    refused(seal(os.urandom(size)) + bytes(more))


@pytest.mark.parametrize("head", [b"", b"\xcd", bytes(76), bytes.fromhex("cf011000") + bytes(72), bytes(75), bytes(77)])
def test_a_head_of_another_form_is_refused_before_any_cipher(head, monkeypatch):
    monkeypatch.setattr(hazmat, "cobblestone_256_opener", None)
    with pytest.raises(Tampered, match="known form"):
        Unsealing(head, secret(), PLACE)


@pytest.mark.parametrize("prefix", ["cd021000", "cd010100", "cd011001", "cd011100", "ce011000"])
def test_another_format_algorithm_or_flag_is_refused_before_any_cipher(prefix, monkeypatch):
    sealed = seal(b"x")
    monkeypatch.setattr(hazmat, "cobblestone_256_opener", None)
    with pytest.raises(Tampered, match="known form"):
        unseal(bytes.fromhex(prefix) + sealed[4:])


def test_ids_of_other_sizes_are_a_bug():
    for wrong in (PLACE._replace(tenant=b"x"), PLACE._replace(subject=b""), PLACE._replace(document=bytes(17))):
        with pytest.raises(ValueError, match="16 bytes"):
            Sealing(DEK_ID, secret(), wrong)
    with pytest.raises(ValueError, match="16 bytes"):
        Sealing(b"x", secret(), PLACE)
