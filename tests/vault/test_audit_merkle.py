import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Malformed
from vault.audit import merkle
from vault.audit.merkle import CompactRange


def leaves_of(count):
    return [merkle.leaf_hash(b"entry %d" % number) for number in range(count)]


def naive_root(leaves):
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = naive_root(leaves[:split]), naive_root(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


LEAVES = leaves_of(600)
NODES = merkle.nodes_over(LEAVES)
ROOTS = {size: naive_root(LEAVES[:size]) for size in range(301)}


@pytest.mark.parametrize("size", range(70))
def test_the_root_of_the_compact_range_is_that_of_the_naive_recursion(size):
    grown = CompactRange()
    for leaf in LEAVES[:size]:
        grown = grown.append(leaf)
    assert grown.root() == ROOTS[size]
    assert grown == CompactRange().extend(LEAVES[:size])


@given(st.integers(0, 600), st.integers(0, 600))
@settings(max_examples=60, deadline=None)
def test_appending_in_any_portions_gives_the_same_range(one, other):
    first, size = sorted((one, other))
    grown = CompactRange().extend(LEAVES[:first]).extend(LEAVES[first:size])
    assert grown.root() == naive_root(LEAVES[:size])
    assert CompactRange.unpack(size, grown.pack()) == grown


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_an_inclusion_proof_verifies_and_no_altered_one_does(data):
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    proof, root = merkle.inclusion_proof(index, size, NODES), ROOTS[size]
    assert merkle.verify_inclusion(index, size, LEAVES[index], proof, root)
    wrong = data.draw(st.integers(0, size).filter(lambda other: other != index))
    assert not merkle.verify_inclusion(wrong, size, LEAVES[index], proof, root)
    assert not merkle.verify_inclusion(index, size, LEAVES[index - 1] if size > 1 else root[::-1], proof, root)
    assert not merkle.verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size - 1])
    for altered in alterations(data, proof):
        assert not merkle.verify_inclusion(index, size, LEAVES[index], altered, root)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_consistency_proof_verifies_and_no_altered_one_does(data):
    new = data.draw(st.integers(1, 300))
    old = data.draw(st.integers(1, new))
    proof = merkle.consistency_proof(old, new, NODES)
    assert merkle.verify_consistency(old, new, proof, ROOTS[old], ROOTS[new])
    assert not merkle.verify_consistency(old, new, proof, ROOTS[old - 1], ROOTS[new])
    assert not merkle.verify_consistency(old, new, proof, ROOTS[old], ROOTS[new - 1])
    for altered in alterations(data, proof):
        assert not merkle.verify_consistency(old, new, altered, ROOTS[old], ROOTS[new])


def alterations(data, proof):
    yield (*proof, ROOTS[1])
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        yield proof[:at] + proof[at + 1 :]
        bit = data.draw(st.integers(0, 255))
        flipped = (int.from_bytes(proof[at], "big") ^ 1 << bit).to_bytes(32, "big")
        yield (*proof[:at], flipped, *proof[at + 1 :])
    if len(set(proof)) > 1:
        yield tuple(reversed(proof))


def test_the_empty_tree_proves_nothing():
    empty = merkle.EMPTY_ROOT
    assert CompactRange().root() == empty
    assert not merkle.verify_consistency(0, 0, (), empty, empty)
    assert not merkle.verify_consistency(0, 5, (), empty, ROOTS[5])
    assert not merkle.verify_inclusion(0, 0, empty, (), empty)
    with pytest.raises(Malformed, match="no consistency proof"):
        merkle.consistency_proof(0, 5, NODES)


@pytest.mark.parametrize(("index", "size"), [(5, 5), (-1, 5), (0, 0)])
def test_a_leaf_that_is_not_there_has_no_proof(index, size):
    with pytest.raises(Malformed, match="has no leaf"):
        merkle.inclusion_proof(index, size, NODES)


def test_a_tree_does_not_shrink_into_consistency():
    with pytest.raises(Malformed):
        merkle.consistency_proof(6, 5, NODES)


def test_hashes_of_other_lengths_are_not_joined_into_a_valid_node():
    left, right = LEAVES[:2]
    root = merkle.node_hash(left, right)
    assert merkle.verify_inclusion(0, 2, left, [right], root)
    assert not merkle.verify_inclusion(0, 2, (left + right)[:31], [(left + right)[31:]], root)


@pytest.mark.parametrize(("size", "peaks"), [(1, ()), (3, LEAVES[:1]), (0, LEAVES[:1]), (-1, ()), (1, (b"short",))])
def test_a_range_whose_peaks_do_not_fit_its_size_is_refused(size, peaks):
    with pytest.raises(Malformed):
        CompactRange(size, tuple(peaks))
