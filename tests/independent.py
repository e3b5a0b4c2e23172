"""A verifier of logs that shares nothing with the product: RFC 6962 and C2SP read again, over whatever fetches files.

It is what an auditor could write from the specifications in an afternoon, and it has no code of ours to be wrong with.
"""

from __future__ import annotations

import hashlib
import struct
from base64 import b64decode
from itertools import pairwise

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

LOG, WITNESS, QUANTUM_SAFE = 1, 4, 6


class Refused(Exception):
    """The log does not hold, and why."""


def need(holds, why):
    """Goes on only where something holds."""
    if not holds:
        raise Refused(why)


def sha(*parts):
    """SHA-256 of some bytes."""
    return hashlib.sha256(b"".join(parts)).digest()


def root(hashes):
    """MTH of RFC 6962 over leaf hashes, as section 2.1 words it."""
    if not hashes:
        return sha()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha(b"\1", root(hashes[:split]), root(hashes[split:]))


class Key:
    """A key as a vkey has it: name, id, algorithm and the key itself."""

    def __init__(self, text):
        self.text = text
        self.name, known_as, data = text.split("+", 2)
        raw = b64decode(data, validate=True)
        kind = MLDSA44PublicKey if raw[0] == QUANTUM_SAFE else Ed25519PublicKey
        self.kind, self.public = raw[0], kind.from_public_bytes(raw[1:])
        self.id = sha(self.name.encode(), b"\n", raw)[:4]
        need(self.id.hex() == known_as, "the key id is another's")

    def signed(self, body, lines):
        """Whether one of the signature lines is this key's, over the body."""
        for line in lines:
            dash, name, data = line.split(" ")
            raw = b64decode(data, validate=True)
            need(dash == "\u2014", "no signature line")
            if name != self.name or raw[:4] != self.id:
                continue
            signature, message = raw[4:], body.encode()
            if self.kind == QUANTUM_SAFE:
                signature, message = signature[8:], self.subtree(body, signature[:8])
            if self.kind == WITNESS:
                (at,) = struct.unpack(">Q", signature[:8])
                signature, message = signature[8:], f"cosignature/v1\ntime {at}\n{body}".encode()
            try:
                self.public.verify(signature, message)
            except InvalidSignature:
                raise Refused(f"{name} did not sign it") from None
            return True
        return False

    def subtree(self, body, at):
        """What is signed with ML-DSA-44: `cosigned_message` of tlog-cosignature, over the tree from its first leaf."""
        origin, size, encoded = body.split("\n")[:3]
        named = [struct.pack(">B", len(name)) + name for name in (self.name.encode(), origin.encode())]
        tree_ = struct.pack(">QQ", 0, int(size)) + b64decode(encoded, validate=True)
        return b"subtree/v1\n\0" + named[0] + at + named[1] + tree_


def checkpoint(text, *keys):
    """Size and root of a checkpoint that every one of the keys signed."""
    head, _, tail = text.partition("\n\n")
    body, lines = head + "\n", tail.splitlines()
    for key in keys:
        need(key.signed(body, lines), f"{key.name} signed nothing")
    origin, size, encoded = head.split("\n")[:3]
    need(origin == keys[0].name, "it is of another log")
    return int(size), b64decode(encoded, validate=True)


def path(level, index, width):
    """Where a tile lies."""
    digits = f"{index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join(["x" + part for part in parts[:-1]] + parts[-1:])
    return f"tile/{level}/{name}" + (f".p/{width}" if width < 256 else "")


def places(size, level):
    """Index and width of every tile of a level."""
    hashes = size // 256**level
    return [(index, min(256, hashes - index * 256)) for index in range(-(-hashes // 256))]


def tree(fetch, size):
    """The leaf hashes of a log, every tile of it held against the one above it."""
    levels = []
    while size // 256 ** len(levels):
        level, held = len(levels), []
        for index, width in places(size, level):
            data = fetch(path(level, index, width))
            need(len(data) == 32 * width, f"tile {level}/{index} is {len(data)} bytes long")
            held += [data[at : at + 32] for at in range(0, len(data), 32)]
        levels.append(held)
    for below, above in pairwise(levels):
        made = [root(below[at : at + 256]) for at in range(0, len(below) // 256 * 256, 256)]
        need(made == above, "a tile is not what lies below it")
    return levels[0] if levels else []


def entries(fetch, size, first=0):
    """The entries of a log, from one of them on."""
    for index, width in places(size, 0):
        if (index + 1) * 256 <= first:
            continue
        data, found = fetch(path("entries", index, width)), []
        while data:
            (length,) = struct.unpack(">H", data[:2])
            need(len(data) >= 2 + length, "a bundle is cut off")
            found.append(data[2 : 2 + length])
            data = data[2 + length :]
        need(len(found) == width, f"bundle {index} holds {len(found)} entries")
        yield from found


def verified(fetch, *keys, first=0):
    """The entries of a log from one on, once its checkpoint, its tiles and those entries hold together."""
    size, promised = checkpoint(fetch("checkpoint").decode(), *keys)
    leaves = tree(fetch, size)
    need(root(leaves) == promised, "the tiles do not lead to the checkpoint")
    found = list(entries(fetch, size, first))
    start = size - len(found)
    need(start <= max(first, 0), "entries are absent")
    need([sha(b"\0", entry) for entry in found] == leaves[start:], "an entry is not the one that was logged")
    return found


def proven(entry, proof, *keys):
    """The place of an entry in a log, once a tlog-proof shows it under a checkpoint the keys signed."""
    head, _, signed = proof.partition("\n\n")
    title, *lines = head.split("\n")
    need(title == "c2sp.org/tlog-proof@v1", "it is no proof")
    lines = [line for line in lines if not line.startswith("extra ")]
    place = int(lines[0].removeprefix("index "))
    size, promised = checkpoint(signed, *keys)
    made = climbed(sha(b"\0", entry), place, size, [b64decode(line, validate=True) for line in lines[1:]])
    need(made == promised, "the proof does not lead to the checkpoint")
    return place


def climbed(node, place, size, siblings):
    """The root a path leads to: PATH of RFC 6962, from the outside in."""
    if size == 1:
        need(not siblings, "the path is too long")
        return node
    need(bool(siblings) and place < size, "the path is too short")
    split = 1
    while split * 2 < size:
        split *= 2
    if place < split:
        return sha(b"\1", climbed(node, place, split, siblings[:-1]), siblings[-1])
    return sha(b"\1", siblings[-1], climbed(node, place - split, size - split, siblings[:-1]))
