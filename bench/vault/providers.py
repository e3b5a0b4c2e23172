"""How many times a call to a key file a call to each other provider of root keys costs.

Run from the repository: `PYTHONPATH=. python bench/vault/providers.py`. Only the ratios mean anything. One key is
unwrapped in one call, then a hundred in one call. A provider that is not installed is left out, and said to be.
SoftHSM, OpenBao and the stand-in for AWS run on this machine: a network adds its round trips, a token its own time.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.vault.providers import kept
from vault import hazmat
from vault.providers import chosen
from vault.providers.port import Context, Provider, Purpose

ROUNDS = 30
MANY = 100
TENANT = bytes(15) + b"\x01"


def median(call: Callable[[], Any]) -> float:
    """The median time of a call, after a few that count for nothing."""
    took = []
    for number in range(ROUNDS + 3):
        begun = time.perf_counter()
        call()
        if number >= 3:
            took.append(time.perf_counter() - begun)
    return statistics.median(took)


def measured(provider: Provider) -> tuple[float, float]:
    """How long one key takes, and a hundred."""
    context = Context(TENANT, Purpose.KEK, 1)
    (wrapped,) = provider.wrap([(context, hazmat.random_secret())])
    assert isinstance(wrapped, bytes)
    return median(lambda: provider.unwrap([(context, wrapped)])), median(
        lambda: provider.unwrap([(context, wrapped)] * MANY)
    )


def direct(keeper: kept.Transit | kept.Kms, port: int) -> kept.Kept:
    """A provider without the line that tests let misbehave."""
    keeper.written = keeper.written.replace(f"127.0.0.1:{keeper.proxy.port}", f"127.0.0.1:{port}")
    return keeper


def started(folder: Path, stack: ExitStack) -> dict[str, Callable[[], kept.Kept]]:
    """What makes each provider."""

    def below(name: str) -> Path:
        (folder / name).mkdir()
        return folder / name

    def bao() -> kept.Kept:
        server = kept.Bao(below("bao"))
        stack.callback(server.stop)
        return direct(kept.Transit(below("transit"), server), server.port)

    def kms() -> kept.Kept:
        server = kept.Moto()
        stack.callback(server.stop)
        return direct(kept.Kms(below("kms"), server), server.port)

    return {
        "key file": lambda: kept.File(below("file")),
        "key file, sealed with a passphrase": lambda: kept.SealedFile(below("sealed")),
        "PKCS#11 (SoftHSM)": lambda: kept.Hsm(below("hsm"), kept.Tokens(below("tokens"))),
        "transit (OpenBao)": bao,
        "AWS KMS (stand-in)": kms,
    }


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        floor: tuple[float, float] | None = None
        print(f"| provider | one key | {MANY} keys in one call |\n|---|---|---|")
        for kind, make in started(Path(name), stack).items():
            try:
                keeper = make()
            except pytest.skip.Exception as absent:
                print(f"| {kind} | not here: {absent} | |")
                continue
            stack.callback(keeper.close)
            place = chosen.place(keeper.written)
            place.found(1)
            took = measured(place.provider())
            floor = floor or took
            print(f"| {kind} | {took[0] / floor[0]:.1f} | {took[1] / floor[1]:.1f} |")


if __name__ == "__main__":
    main()
