"""The published vectors of C2SP chunked-encryption, by the second implementation; and the product's cipher by that.

The vectors derive with SHA-256, and Cobblestone-256 with SHA-512: so they judge the implementation of the tests, which
then judges the product's cipher, its hash being all that differs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.vault.documents import chunked
from tests.vault.documents.chunked import AES_128, AES_256, CHACHA, CHUNK, COBBLESTONE_256, Refused
from vault import hazmat

SUITES = {suite.name.decode(): suite for suite in (AES_128, AES_256, CHACHA)}


def _cases():
    try:
        import cryptography_vectors
    except ImportError:
        return []
    path = Path(cryptography_vectors.__file__).parent / "chunked-encryption" / "vectors.json"
    return json.loads(path.read_text(encoding="utf-8"))["vectors"] if path.exists() else []


CASES = _cases()
has_cases = pytest.mark.skipif(not CASES, reason="cryptography_vectors is not installed")
KEY, CONTEXT = bytes(range(32)), b"a context"


def text_of(case):
    """The ciphertext of a case."""
    raw = base64.b64decode(case["ciphertext"] or "")
    return zlib.decompress(raw) if case.get("compressed") else raw


@has_cases
def test_there_are_as_many_published_vectors_as_were_counted():
    assert len(CASES) == 102
    assert {case["aead"] for case in CASES} == set(SUITES)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_second_implementation_agrees_with_every_published_vector(case):
    suite, key = SUITES[case["aead"]], bytes.fromhex(case["key"])
    context, text = case["context"].encode(), text_of(case)
    if case["expect"] == "failure":
        with pytest.raises(Refused):
            chunked.opened(suite, key, context, text)
        return
    plain = chunked.opened(suite, key, context, text)
    assert (len(plain), hashlib.sha256(plain).hexdigest()) == (case["payload_length"], case["payload_sha256"])
    salt = text[: chunked.SALT]
    inner, base, _ = chunked.derived(suite, key, salt, context)
    assert (inner.hex(), base.hex()) == (case["aead_key"], case["base_nonce"])
    assert chunked.sealed(suite, key, salt, context, plain) == text


def product_sealed(plain, key=KEY, context=CONTEXT):
    """What the product's cipher makes."""
    sealer = hazmat.cobblestone_256_sealer(key, context)
    return sealer.update(plain) + sealer.finalize()


def product_opened(text, key=KEY, context=CONTEXT):
    """What the product's cipher reads."""
    opener = hazmat.cobblestone_256_opener(key, context)
    return opener.update(text) + opener.finalize()


@given(st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5]), st.binary(max_size=40))
@example(257 * CHUNK, b"")
@settings(max_examples=30, deadline=None)
def test_the_product_and_the_second_implementation_read_each_other(size, context):
    plain = os.urandom(size)
    assert chunked.opened(COBBLESTONE_256, KEY, context, product_sealed(plain, context=context)) == plain
    theirs = chunked.sealed(COBBLESTONE_256, KEY, os.urandom(chunked.SALT), context, plain)
    assert product_opened(theirs, context=context) == plain
