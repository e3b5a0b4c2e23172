"""What sealing costs, as ratios: `PYTHONPATH=. python bench/vault/table.py`. Everything is measured in turn in one run.

Tink and sqlalchemy-utils come with `pip install '.[bench]'`; what is not installed is named at the end.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from api.garbage import settle
from bench.vault.peers import FIELDS, Work, openssl, taken, works
from bench.vault.stored import Stored
from tests.databases import Loop

ROUNDS = 21
CALM = 3
"""How often OpenSSL's own measure is taken: each takes a second."""
RIVALS = ("Tink", "sqlalchemy-utils")


def main() -> None:
    """Prints the tables."""
    rivals = list(works())
    with tempfile.TemporaryDirectory() as folder, Loop() as loop:
        stored = Stored(Path(folder), loop)
        every: dict[str, Work] = {f"{name}|seal": sealing for name, sealing, _ in rivals}
        every |= {f"{name}|open": opening for name, _, opening in rivals}
        every |= stored.works()
        seconds: dict[str, list[float]] = {name: [] for name in every}
        settle()  # garbage is looked for as it is in a server
        floors = [openssl() for _ in range(CALM)]
        for _ in range(ROUNDS):
            for name, work in every.items():
                if "|" in name:
                    work()  # what came before it left the caches of the processor to itself
                seconds[name].append(taken(work))
        floors += [openssl() for _ in range(CALM)]
        stored.world.close()
    took = {name: median(some) for name, some in seconds.items()}
    known = [floor for floor in floors if floor]
    fields(took, median(known) * FIELDS if known else None)
    pages(took)
    absent = [name for name in RIVALS if not any(rival.startswith(name) for rival, _, _ in rivals)]
    print(f"\nNot installed: {', '.join(absent) or 'none'}." + ("" if known else " openssl is not here either."))


def fields(took: dict[str, float], floor: float | None) -> None:
    """One field: times one AES-256-GCM of OpenSSL, and times ours."""
    print("| one field | seal | open | seal ÷ ours | open ÷ ours |\n|---|---|---|---|---|")
    ours = {kind: took[f"Credence|{kind}"] for kind in ("seal", "open")}
    for name in dict.fromkeys(one.partition("|")[0] for one in took if "|" in one):
        own = {kind: took[f"{name}|{kind}"] for kind in ours}
        bare = [f"{own[kind] / floor:.1f}" if floor else "–" for kind in ours]
        print("|", " | ".join([name, *bare, *(f"{own[kind] / ours[kind]:.2f}" for kind in ours)]), "|")


def pages(took: dict[str, float]) -> None:
    """What is read and imported, times the same without it."""
    print("\n| what | times | of what |\n|---|---|---|")
    for name, base in (
        ("page: what was loaded opened", "page: the sealed rows alone"),
        ("page: opened, keys ready", "page: the sealed rows alone"),
        ("page: opened, keys unwrapped first", "page: the sealed rows alone"),
        ("import: sealed and indexed", "import: the same files, nothing sealed"),
        ("import: the same files, nothing sealed", "import: plain rows"),
    ):
        print(f"| {name} | {took[name] / took[base]:.2f} | {base} |")


if __name__ == "__main__":
    main()
