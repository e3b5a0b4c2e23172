"""How many times one pass of SHA-256 over the same entries the check of an exported log costs.

Run from the repository: `python bench/audit/verify.py`. Only the ratios mean anything.
"""

from __future__ import annotations

import hashlib
import tempfile
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from domain import ids
from domain.audit import Entry, Outcome, Written
from vault import hazmat
from vault.audit import files, leaf, merkle, note, verify
from vault.audit.note import Checkpoint, Ed25519Signer

ENTRIES = 100_000
ROUNDS = 3
TENANT = ids.encode("te", bytes(16))


def entry(number: int) -> bytes:
    """An entry as long as a usual one."""
    file = ids.encode("cf", hashlib.sha256(b"file %d" % number).digest()[:16])
    return Entry(
        id=ids.encode("ae", number.to_bytes(16, "big")),
        at=datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
        tenant=TENANT,
        actor="person:0123456789",
        action="assessment:record",
        resources=(file,),
        subjects=(ids.encode("cu", hashlib.sha256(b"subject %d" % number).digest()[:16]),),
        written=(Written(id=file, version=1, digest="ab" * 16),),
        purpose="CREDIT_REVIEW",
        grants="7",
        policy="cd" * 32,
        request="0123456789abcdef0123456789abcdef",
        outcome=Outcome.DONE,
    ).leaf("")


def measured(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median seconds of each work; every round runs them all, so that noise meets them alike."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = perf_counter()
            work()
            taken[name].append(perf_counter() - start)
    return {name: median(seconds) for name, seconds in taken.items()}


def main() -> None:
    """Prints the ratios, and the memory that writing and checking take at their peak."""
    seed = bytes(32)
    key = Ed25519Signer(note.origin(TENANT), hazmat.ed25519_public(seed), lambda text: hazmat.ed25519_sign(seed, text))
    leaves = [entry(number) for number in range(ENTRIES)]
    total = sum(map(len, leaves))
    root = merkle.root_of(map(merkle.leaf_hash, leaves))
    checkpoint = note.sign_checkpoint(Checkpoint(key.name, ENTRIES, root), [key])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "log"
        files.write_log(folder, leaves, checkpoint)
        pinned = key.verifier()
        assert verify.verify_folder(folder, pinned).ok
        seconds = measured(
            {
                "SHA-256 of each entry": lambda: [hashlib.sha256(data).digest() for data in leaves],
                "leaf hashes and root": lambda: merkle.root_of(map(merkle.leaf_hash, leaves)),
                "reading each entry": lambda: [leaf.read_leaf(data) for data in leaves],
                "verify_folder": lambda: verify.verify_folder(folder, pinned),
                "write_log again": lambda: files.write_log(folder, leaves, checkpoint),
            }
        )
        tracemalloc.start()
        files.write_log(folder, leaves, checkpoint)
        writing = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        verify.verify_folder(folder, pinned)
        checking = tracemalloc.get_traced_memory()[1]
    floor = seconds["SHA-256 of each entry"]
    print(f"{ENTRIES} entries of {total // ENTRIES} bytes; one SHA-256 over each of them = 1")
    for name, taken in seconds.items():
        print(f"{name:24}{taken / floor:6.2f}")
    print(
        f"memory at its peak, as a share of the entries: writing {writing / total:.3f}, checking {checking / total:.3f}"
    )


if __name__ == "__main__":
    main()
