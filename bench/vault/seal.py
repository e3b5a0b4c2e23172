"""How many times a bare AES-256-GCM call an opened or sealed field costs, measured in turn in one process.

Run from the repository: `python bench/vault/seal.py`. Only the ratios mean anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from statistics import median
from time import perf_counter

from vault import hazmat, seal

FIELDS = 1_000
PER_RECORD = 5
ROUNDS = 61


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
    """Prints the ratios."""
    tenant, subject = os.urandom(16), os.urandom(16)
    dek = seal.Dek(os.urandom(16), hazmat.random_secret())
    records = [os.urandom(16) for _ in range(FIELDS // PER_RECORD)]
    tags = [f"contact.field{number}" for number in range(PER_RECORD)]
    cells = [
        seal.Cell(tenant, subject, "contact", "credit_file", record, 1, tag, 1) for record in records for tag in tags
    ]
    items = [(dek, cell, seal.seal(dek, cell, "+86 10 5555 0100", 32)) for cell in cells]
    bounds = [seal.associated_data(dek.heads[envelope[:20]], cell) for _, cell, envelope in items]
    bare = [(envelope[20:32], envelope[32:], bound) for (_, _, envelope), bound in zip(items, bounds, strict=True)]
    plains = [(nonce, dek.cipher.decrypt(nonce, sealed, bound), bound) for nonce, sealed, bound in bare]
    decrypt, encrypt = dek.cipher.decrypt, dek.cipher.encrypt
    seconds = measured(
        {
            "bare decrypt": lambda: [decrypt(*arguments) for arguments in bare],
            "open_many": lambda: seal.open_many(items),
            "cells and open_many": lambda: seal.open_many(
                [(dek, seal.Cell(*cell), envelope) for _, cell, envelope in items]
            ),
            "associated data alone": lambda: [
                seal.associated_data(dek.heads[env[:20]], cell) for _, cell, env in items
            ],
            "bare encrypt": lambda: [encrypt(*arguments) for arguments in plains],
            "seal": lambda: [seal.seal(dek, cell, "+86 10 5555 0100", 32) for cell in cells],
        }
    )
    floor = seconds["bare decrypt"]
    print(f"{FIELDS} fields of {len(records)} records; one bare decrypt = 1")
    for name, taken in seconds.items():
        print(f"{name:24}{taken / floor:6.2f}")


if __name__ == "__main__":
    main()
