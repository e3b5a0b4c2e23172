"""What reading the generation of keys before every opening costs: it comes with the statement that is sent anyway.

Run from the repository: `PYTHONPATH=. python bench/vault/generation.py`. Only the ratio means anything.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from pathlib import Path

from bench.vault.stored import Stored
from tests.databases import Loop

ROUNDS = 101


def took(call: object) -> float:
    """The seconds of one call."""
    begun = time.perf_counter()
    call()  # type: ignore[operator] # a function of ours
    return time.perf_counter() - begun


def main() -> None:
    """Measures both in turn, each round in the other order."""
    with tempfile.TemporaryDirectory() as folder, Loop() as loop:
        stored = Stored(Path(folder), loop)
        sql, (tenant, *own) = stored.statement.sql, stored.statement.parameters
        without, found = re.subn(r", \(SELECT max\(vault_key\.generation\).*?\) AS \w+", "", sql, flags=re.DOTALL)
        assert found == 1, sql
        reads = [
            lambda text=text, given=given: stored.reader.execute(text, given).fetchall()
            for text, given in ((sql, (tenant, *own)), (without, tuple(own)))
        ]
        times: list[list[float]] = [[], []]
        for number in range(ROUNDS + 5):
            for which in (0, 1) if number % 2 else (1, 0):
                spent = took(reads[which])
                if number >= 5:
                    times[which].append(spent)
        page = statistics.median([took(lambda: stored.page(stored.world.ring)) for _ in range(ROUNDS)])
        new, old = map(statistics.median, times)
        print(f"rows with the generation / rows without it: {new / old:.3f}")
        print(f"the difference / a page opened: {(new - old) / page:.3f}")
        stored.world.close()


if __name__ == "__main__":
    main()
