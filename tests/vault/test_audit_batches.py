import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Malformed
from vault.audit import batches, tiles


@given(st.lists(st.binary(max_size=40), max_size=600))
@settings(max_examples=60, deadline=None)
def test_a_batch_gives_its_entries_back_and_no_shorter_or_longer_one_does(entries):
    data = batches.pack(entries)
    assert batches.unpack(data) == tuple(entries)
    for damaged in (data + b"\x00", data[:-1] if data else b"\x00"):
        with pytest.raises(Malformed, match="ends inside"):
            batches.unpack(damaged)


@given(st.binary(max_size=60))
def test_bytes_that_are_a_batch_are_the_batch_of_its_entries(data):
    entries, end = batches.read(data)
    assert batches.pack(entries) == data[:end]
    if end == len(data):
        assert batches.unpack(data) == entries


def test_a_batch_of_up_to_256_entries_is_a_bundle_and_a_longer_one_is_still_a_batch():
    entries = [b"%d" % number for number in range(256)]
    assert batches.pack(entries) == tiles.encode_bundle(entries)
    assert batches.unpack(batches.pack(entries * 300)) == tuple(entries * 300)


def test_an_entry_is_at_most_65535_bytes():
    longest = bytes(65_535)
    assert batches.unpack(batches.pack([longest, b"", longest])) == (longest, b"", longest)
    with pytest.raises(Malformed, match="65,535"):
        batches.pack([b"", longest + b"\x00"])
