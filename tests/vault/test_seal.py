import copy
import pickle
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Malformed, Tampered
from domain.money import EXPONENTS, MAX_MINOR, Money
from vault import hazmat, seal
from vault.plaintext import BUCKETS, pad, read, strip, write

TENANT, SUBJECT, RECORD = (bytes([number]) * 16 for number in (1, 2, 3))
CELL = seal.Cell(TENANT, SUBJECT, "contact", "credit_file", RECORD, 1, "contact.phone", 1)
KEY = bytes(range(0x20, 0x40))
DEK = seal.Dek(b"\x0a" * 16, hazmat.Secret(bytearray(KEY)))
VALUE = "+86 10 5555 0100"

OTHER = {
    "tenant": b"\x09" * 16,
    "subject": b"\x09" * 16,
    "data_class": "identity",
    "record_type": "credit_fil",
    "record_id": b"\x09" * 16,
    "version": 2,
    "tag": "contact.phon",
    "schema": 2,
}


def as_it_opens(text):
    return write(text)[1:].decode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
values = st.one_of(
    st.text().map(as_it_opens),
    st.integers(-(2**200), 2**200),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12),
    st.builds(Money, st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(sorted(EXPONENTS))),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.booleans(),
    st.binary(max_size=200),
    st.lists(json_values, max_size=3),
    st.dictionaries(st.text(), json_values, max_size=3),
)


def raised(what, function, *arguments):
    with pytest.raises(what) as caught:
        function(*arguments)
    return caught.value


@given(values, st.sampled_from(BUCKETS))
@settings(max_examples=300, deadline=None)
def test_what_is_sealed_opens_as_the_same_value_of_the_same_type(value, bucket):
    opened = seal.open_envelope(DEK, CELL, seal.seal(DEK, CELL, value, bucket))
    assert (type(opened), opened) == (type(value), value)


@given(st.binary(min_size=1, max_size=200), st.sampled_from(BUCKETS[1:]))
@settings(max_examples=200)
def test_padding_fills_the_bucket_and_comes_off_again(plain, bucket):
    padded = pad(plain, bucket)
    assert len(padded) % bucket == 0
    assert 1 <= len(padded) - len(plain) <= bucket
    assert strip(padded) == plain


@given(st.binary(max_size=130))
@settings(max_examples=300)
def test_only_what_padding_makes_is_accepted_as_padded(padded):
    try:
        plain = strip(padded)
    except Tampered:
        assert all(pad(padded[:end], bucket) != padded for end in range(len(padded)) for bucket in BUCKETS[1:])
    else:
        assert padded in {pad(plain, bucket) for bucket in BUCKETS[1:]}


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        bytes(16),  # no mark
        b"\x01" + b"a" * 15,  # no mark
        b"\x01" + b"a" * 14 + b"\x81",  # a wrong mark
        b"\x01a\x80" + bytes(12),  # no multiple of 16
        b"\x01a\x80" + bytes(12) + b"\x01",  # something after the mark
        b"\x80".ljust(48, b"\0"),  # so many zeros come of 64 only, and 48 is none
        b"\x80".ljust(128, b"\0"),  # more than any bucket
    ],
)
def test_padding_that_no_bucket_gives_is_refused(padded):
    raised(Tampered, strip, padded)


def test_buckets_nobody_declared_are_a_bug():
    for bucket in (1, 8, 48, 128, -16):
        raised(ValueError, seal.seal, DEK, CELL, VALUE, bucket)


@given(st.lists(st.binary(max_size=8), max_size=5), st.lists(st.binary(max_size=8), max_size=5))
@settings(max_examples=200)
def test_two_lists_of_parts_have_the_same_bytes_only_when_they_are_the_same(left, right):
    assert (seal.pae(*left) == seal.pae(*right)) is (left == right)


def test_parts_are_not_simply_joined():
    assert seal.pae(b"ab", b"c") != seal.pae(b"a", b"bc")
    assert seal.pae() == bytes(4)
    assert seal.pae(b"ab", b"") == bytes.fromhex("00000002 00000002 6162 00000000")


@pytest.mark.parametrize("part", OTHER)
def test_an_envelope_moved_to_another_cell_is_refused(part):
    assert CELL._asdict()[part] != OTHER[part]
    there = CELL._replace(**{part: OTHER[part]})
    raised(Tampered, seal.open_envelope, DEK, there, seal.seal(DEK, CELL, VALUE, 32))
    raised(Tampered, seal.open_envelope, DEK, CELL, seal.seal(DEK, there, VALUE, 32))
    assert seal.open_envelope(DEK, there, seal.seal(DEK, there, VALUE, 32)) == VALUE


@pytest.mark.parametrize("first", OTHER)
@pytest.mark.parametrize("second", OTHER)
def test_two_parts_of_a_cell_never_make_up_for_each_other(first, second):
    there = CELL._replace(**{first: OTHER[first], second: OTHER[second]})
    raised(Tampered, seal.open_envelope, DEK, there, seal.seal(DEK, CELL, VALUE, 32))


@pytest.mark.parametrize(("first", "second"), [("tenant", "subject"), ("subject", "record_id"), ("version", "schema")])
def test_parts_of_one_form_cannot_change_places(first, second):
    cell = CELL._replace(version=5, schema=6)
    swapped = cell._replace(**{first: getattr(cell, second), second: getattr(cell, first)})
    raised(Tampered, seal.open_envelope, DEK, swapped, seal.seal(DEK, cell, VALUE, 32))


@pytest.mark.parametrize(
    "wrong",
    [
        {"tenant": b"\x01" * 15},
        {"record_id": b""},
        {"version": -1},
        {"version": 2**64},
        {"schema": 2**32},
        {"tag": "é"},
    ],
)
def test_a_cell_that_cannot_exist_opens_nothing(wrong):
    envelope = seal.seal(DEK, CELL, VALUE, 32)
    raised(Tampered, seal.open_envelope, DEK, CELL._replace(**wrong), envelope)
    raised((ValueError, OverflowError), seal.seal, DEK, CELL._replace(**wrong), VALUE, 32)


def test_another_key_opens_nothing_whatever_id_it_carries():
    envelope = seal.seal(DEK, CELL, VALUE, 32)
    same_key = seal.Dek(b"\x0b" * 16, hazmat.Secret(bytearray(KEY)))
    same_id = seal.Dek(DEK.dek_id, hazmat.Secret(bytearray(32)))
    assert "another data key" in str(raised(Tampered, seal.open_envelope, same_key, CELL, envelope))
    raised(Tampered, seal.open_envelope, same_id, CELL, envelope)
    raised(Tampered, seal.open_envelope, same_key, CELL, envelope[:4] + same_key.dek_id + envelope[20:])


@pytest.mark.parametrize(("value", "bucket"), [(VALUE, 32), (True, 16), (b"x", 0)])
def test_every_flipped_bit_of_an_envelope_is_refused(value, bucket):
    envelope = seal.seal(DEK, CELL, value, bucket)
    for place in range(len(envelope)):
        for bit in range(8):
            flipped = bytearray(envelope)
            flipped[place] ^= 1 << bit
            raised(Tampered, seal.open_envelope, DEK, CELL, bytes(flipped))


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_shorter_or_a_longer_envelope_is_refused(bucket):
    envelope = seal.seal(DEK, CELL, VALUE, bucket)
    for end in range(len(envelope)):
        raised(Tampered, seal.open_envelope, DEK, CELL, envelope[:end])
    for start in range(1, len(envelope)):
        raised(Tampered, seal.open_envelope, DEK, CELL, envelope[start:])
    for more in (b"\0", b"\x80", bytes(16), envelope):
        raised(Tampered, seal.open_envelope, DEK, CELL, envelope + more)


class NoCipher:
    """Fails when it is asked."""

    def decrypt(self, *_):
        """Never reached."""
        raise AssertionError("the cipher was asked")


@pytest.mark.parametrize("place", range(4))
def test_an_unknown_magic_format_algorithm_or_flag_never_reaches_the_cipher(place):
    envelope = seal.seal(DEK, CELL, VALUE, 32)
    unarmed = copy.copy(DEK)
    unarmed.cipher = NoCipher()
    for byte in set(range(256)) - ({envelope[place]} if place < 3 else {0, 1}):
        other = envelope[:place] + bytes([byte]) + envelope[place + 1 :]
        assert "known form" in str(raised(Tampered, seal.open_envelope, unarmed, CELL, other))
    with pytest.raises(AssertionError):
        seal.open_envelope(unarmed, CELL, envelope)


def test_a_padding_flag_that_lies_is_refused():
    envelope = seal.seal(DEK, CELL, VALUE, 32)
    raised(Tampered, seal.open_envelope, DEK, CELL, envelope[:3] + b"\x00" + envelope[4:])


def test_the_header_alone_tells_the_data_key():
    envelope = seal.seal(DEK, CELL, VALUE, 32)
    assert seal.dek_id_of(envelope) == DEK.dek_id
    for wrong in (b"", envelope[:48], b"\xce" + envelope[1:], envelope[:3] + b"\x02" + envelope[4:]):
        raised(Tampered, seal.dek_id_of, wrong)


def test_many_envelopes_open_in_their_order_and_one_bad_one_refuses_all():
    cells = [CELL._replace(tag=f"contact.{number}") for number in range(20)]
    items = [(DEK, cell, seal.seal(DEK, cell, number, 16)) for number, cell in enumerate(cells)]
    assert seal.open_many(items) == list(range(20))
    items[7] = (DEK, cells[8], items[7][2])
    raised(Tampered, seal.open_many, items)
    assert seal.open_many([]) == []


@pytest.mark.slow
def test_a_million_seals_of_one_value_have_a_million_nonces():
    assert len({seal.seal(DEK, CELL, "A", 16)[20:32] for _ in range(1_000_000)}) == 1_000_000


def test_padding_hides_the_length_within_the_bucket():
    assert {len(seal.seal(DEK, CELL, "x" * length, 64)) for length in range(63)} == {48 + 64}
    assert len(seal.seal(DEK, CELL, "x" * 63, 64)) == 48 + 128
    assert len(seal.seal(DEK, CELL, "xyz", 0)) == 48 + 1 + 3


class Grade(StrEnum):
    """A text of another type."""

    A = "A"


@dataclass
class Anything:
    """No sealed type."""


@pytest.mark.parametrize("value", [None, 1.5, Grade.A, (1, 2), Anything(), {1}, bytearray(b"x"), datetime(2026, 1, 1)])  # noqa: DTZ001 # a time without a zone is what is refused
def test_types_that_are_never_sealed_are_a_bug(value):
    raised(TypeError, seal.seal, DEK, CELL, value, 32)


@pytest.mark.parametrize(
    "value",
    [
        "canary\ud800",
        Decimal("NaN"),
        Decimal("Infinity"),
        {"canary": 2**53},
        {"canary": float("nan")},
        {"canary\udfff": 1},
        [object()],
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))),
    ],
)
def test_a_value_without_a_spelling_is_refused_without_being_shown(value):
    error = raised(Malformed, seal.seal, DEK, CELL, value, 32)
    assert "canary" not in repr(error)
    assert error.__context__ is None
    assert error.__cause__ is None


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\x00a",
        b"\x0aa",
        b"\xff",
        b"\x01\xff",
        b"\x02",
        b"\x02\x00\x01",
        b"\x02\xff\xff",
        b"\x03",
        b"\x031.50",
        b"\x03-0",
        b"\x03NaN",
        b"\x031e5",
        b"\x03 1",
        b"\x031_0",
        b"\x03\xef\xbc\x91",
        b"\x04CNY",
        b"\x04CNY" + bytes(7),
        b"\x04XXX" + bytes(8),
        b"\x04cny" + bytes(8),
        b"\x04CNY\x80" + bytes(7),
        b"\x0520260101",
        b"\x052026-13-01",
        b"\x052026-01-01T00:00:00",
        b"\x06" + bytes(7),
        b"\x06\x7f" + b"\xff" * 7,
        b"\x07",
        b"\x07\x02",
        b"\x07\x00\x00",
        b'\x09"text"',
        b"\x09null",
        b"\x09{",
        b"\x09\xff",
    ],
)
def test_a_plaintext_with_another_spelling_is_refused_without_being_shown(plain):
    error = raised(Tampered, read, plain)
    assert error.__context__ is None
    envelope = seal._sealed(DEK, CELL, pad(plain, 32), seal.PADDED)
    raised(Tampered, seal.open_envelope, DEK, CELL, envelope)


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("e\u0301", "01c3a9"),
        (0, "0200"),
        (127, "027f"),
        (128, "020080"),
        (-1, "02ff"),
        (-128, "0280"),
        (-129, "02ff7f"),
        (Decimal("1.50"), "03312e35"),
        (Decimal("-0.0"), "0330"),
        (Decimal("1E+3"), "0331303030"),
        (Money(-1, "JPY"), "044a5059ffffffffffffffff"),
        (date(7, 1, 2), "05303030372d30312d3032"),
        (datetime(1970, 1, 1, 8, 0, 0, 1, tzinfo=timezone(timedelta(hours=8))), "060000000000000001"),
        (True, "0701"),
        ({"b": 1, "a": []}, "097b2261223a5b5d2c2262223a317d"),
    ],
)
def test_one_value_has_one_spelling(value, spelling):
    assert write(value).hex() == spelling
    assert read(bytes.fromhex(spelling)) == (value if value != "e\u0301" else "\u00e9")


def test_a_data_key_shows_its_id_and_nothing_of_the_key():
    for shown in (repr(DEK), str(DEK), f"{DEK}"):
        assert shown == f"Dek({DEK.dek_id.hex()})"
    raised((TypeError, pickle.PicklingError), pickle.dumps, DEK)
    raised(ValueError, seal.Dek, b"short", hazmat.Secret(bytearray(32)))
