"""The Merkle tree of RFC 6962 (SHA-256): leaves, roots, and proofs that a log holds an entry and only grew.

Entries are opaque bytes here. A tree that grows is kept as its compact range: the size and the roots of the perfect
subtrees it consists of, largest first; nothing more is needed to append or to know the root.
The empty tree proves nothing: every tree extends it, so consistency with it is refused, even with itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from domain.errors import Malformed

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of the tree without leaves."""

Nodes = Callable[[int, int], bytes]
"""The hash of a perfect subtree, by its level (0 = leaves) and its index within the level."""

Proof = tuple[bytes, ...]


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf of the tree."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class CompactRange:
    """A tree reduced to its size and the roots of its perfect subtrees, largest first.

    Shape: appending leaves one by one or together gives the same range; its root is that of the whole tree.
    """

    size: int = 0
    peaks: Proof = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise Malformed(f"A tree of {self.size} leaves does not have {len(self.peaks)} peaks.")
        if not _are_hashes(self.peaks):
            raise Malformed("A peak of a tree is 32 bytes.")

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> CompactRange:
        """The range whose peaks were packed.

        Raises: Malformed.
        """
        return cls(size, split_hashes(packed))

    def pack(self) -> bytes:
        """The peaks joined, largest first."""
        return b"".join(self.peaks)

    def append(self, leaf: bytes) -> CompactRange:
        """The range after one more leaf hash."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> CompactRange:
        """The range after more leaf hashes, in their order."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            node, carry = leaf, size
            while carry & 1:
                node = node_hash(peaks.pop(), node)
                carry >>= 1
            peaks.append(node)
            size += 1
        return CompactRange(size, tuple(peaks))

    def root(self) -> bytes:
        """The root of the tree."""
        if not self.peaks:
            return EMPTY_ROOT
        *rest, root = self.peaks
        for peak in reversed(rest):
            root = node_hash(peak, root)
        return root


def split_hashes(packed: bytes) -> Proof:
    """Hashes that were joined.

    Raises: Malformed when the length is not a multiple of 32.
    """
    if len(packed) % HASH_BYTES:
        raise Malformed("Joined hashes have a length that is a multiple of 32 bytes.")
    return tuple(packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES))


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root of the tree over leaf hashes."""
    return CompactRange().extend(leaves).root()


def nodes_over(leaves: Sequence[bytes]) -> Nodes:
    """Nodes computed from the leaf hashes of a small tree."""

    def node(level: int, index: int) -> bytes:
        start, end = index << level, (index + 1) << level
        if start < 0 or end > len(leaves):
            raise Malformed(f"The tree has no whole subtree {index} at level {level}.")
        return root_of(leaves[start:end])

    return node


def nodes_beyond(before: CompactRange, leaves: Sequence[bytes]) -> Nodes:
    """Nodes of a tree whose first leaves are known by their compact range alone, and those after it by their hashes.

    Shape: enough for the inclusion of every leaf after the range: what stands left of its path are peaks of the range.
    """

    def node(level: int, index: int) -> bytes:
        start, end = (index << level) - before.size, ((index + 1) << level) - before.size
        if start >= 0 and end <= len(leaves):
            return root_of(leaves[start:end])
        # Of the range, the peaks below this level are all that a subtree which begins in it can consist of.
        within = before.size & ((1 << level) - 1)
        lower = before.peaks[len(before.peaks) - within.bit_count() :]
        if start == -within and 0 < end <= len(leaves):
            return CompactRange(within, lower).extend(leaves[:end]).root()
        if end == -within and before.size >> level & 1:
            return before.peaks[len(before.peaks) - within.bit_count() - 1]
        raise Malformed(f"Of the tree, subtree {index} at level {level} is not known.")

    return node


def inclusion_proof(index: int, size: int, nodes: Nodes) -> Proof:
    """The hashes that lead from a leaf to the root of the tree of a size, lowest first.

    Raises: Malformed when the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise Malformed(f"A tree of {size} leaves has no leaf {index}.")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_subtree(middle, end, nodes))
            end = middle
        else:
            proof.append(_subtree(start, middle, nodes))
            start = middle
    return tuple(reversed(proof))


def consistency_proof(old: int, new: int, nodes: Nodes) -> Proof:
    """The hashes that show that the tree of the new size only appended to the tree of the old size.

    Raises: Malformed when the old size is 0, which proves nothing, or more than the new one.
    """
    if not 0 < old <= new:
        raise Malformed(f"There is no consistency proof from {old} to {new} leaves.")
    proof: list[bytes] = []
    start, end = 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_subtree(middle, end, nodes))
            end = middle
        else:
            proof.append(_subtree(start, middle, nodes))
            start = middle
    if start:
        proof.append(_subtree(start, end, nodes))
    return tuple(reversed(proof))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows the leaf hash at its index in the tree of this size and root.

    Shape: accepts what `inclusion_proof` makes; rejects it for any other index, leaf, root, and after any change.
    """
    if not 0 <= index < size or not _are_hashes((leaf, root, *proof)):
        return False
    here, last, node = index, size - 1, leaf
    for sibling in proof:
        if not last:
            return False
        if here & 1 or here == last:
            node = node_hash(sibling, node)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        here, last = here >> 1, last >> 1
    return not last and node == root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the proof shows that the tree of the new size and root only appended to the old one.

    Shape: accepts what `consistency_proof` makes; rejects it for any other root and after any change.
    """
    return old > 0 and verify_subtree_consistency(0, old, new, proof, old_root, new_root)


def verify_subtree_inclusion(
    index: int, start: int, end: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the proof shows the leaf hash at its index in a subtree: what a cosignature over a subtree covers."""
    return _is_subtree(start, end) and verify_inclusion(index - start, end - start, leaf, proof, root)


def verify_subtree_consistency(
    start: int, end: int, size: int, proof: Sequence[bytes], node: bytes, root: bytes
) -> bool:
    """Whether the proof shows that the leaves from start to end, under their hash, stand so in the tree of a size.

    Shape: with start 0 it is the consistency of two trees; a subtree without leaves proves nothing of the tree.
    """
    if start == end <= size:
        return not proof and node == EMPTY_ROOT
    if start == 0 and end == size:
        return not proof and node == root
    if not _is_subtree(start, end) or end > size or not _are_hashes((*proof, node, root)):
        return False
    first, here, last = start, end - 1, size - 1
    edge = here == last
    while first != here and (edge or here & 1):
        first, here, last = first >> 1, here >> 1, last >> 1
    path = list(proof)
    if first == here:
        # A perfect subtree is itself the first node, and the proof leaves it out.
        older = newer = node
    elif path:
        older = newer = path.pop(0)
    else:
        return False
    for sibling in path:
        if not last:
            return False
        if here & 1 or here == last:
            older, newer = node_hash(sibling, older) if first < here else older, node_hash(sibling, newer)
            while not here & 1 and here:
                first, here, last = first >> 1, here >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        first, here, last = first >> 1, here >> 1, last >> 1
    return not last and older == node and newer == root


def _is_subtree(start: int, end: int) -> bool:
    """Whether leaves form a subtree: they begin at a multiple of the least power of two that holds them."""
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0


def _split(count: int) -> int:
    """The largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1


def _subtree(start: int, end: int, nodes: Nodes) -> bytes:
    """The root over the leaves from start to end; start is a multiple of the first perfect subtree's size."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + _split(count)
    return node_hash(_subtree(start, middle, nodes), _subtree(middle, end, nodes))


def _are_hashes(items: Iterable[bytes]) -> bool:
    # Two joined hashes of other lengths could pass for two different ones.
    return all(len(item) == HASH_BYTES for item in items)
