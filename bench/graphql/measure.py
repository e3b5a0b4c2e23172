"""Interleaved rounds of `wrk`: every server gets a slice in every round, and each round begins with another one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from servers import HERE, Server


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice of one server: requests a second, milliseconds, CPU of the server per request."""

    rate: float
    p50: float
    p99: float
    cpu: float
    failed: int


@dataclass(frozen=True, slots=True)
class Run:
    """What is measured: a server, a query, and how many clients ask at a time."""

    server: Server
    query: str
    clients: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often."""

    rounds: int
    seconds: float
    slow_seconds: float
    warm_seconds: float

    def of(self, run: Run) -> float:
        """The seconds of one slice; tiny is quick on every server."""
        return self.slow_seconds if run.server.slow and run.query != "tiny" else self.seconds


def sliced(run: Run, seconds: float, folder: Path) -> Slice:
    """One slice."""
    sent = folder / f"{run.server.name}-{run.query}.txt".replace(" ", "-")
    if not sent.exists():
        sent.write_text("\n".join(run.server.lines[run.query]) + "\n", encoding="utf-8")
    whole = max(1, round(seconds))
    command = ["wrk", "-t1", f"-c{run.clients}", f"-d{whole}s", "--timeout", "30s", "-s", str(HERE / "rotate.lua")]
    before = run.server.cpu()
    done = subprocess.run(  # noqa: S603 - a fixed command
        [*command, run.server.url, "--", str(sent), run.server.token], capture_output=True, check=True, text=True
    )
    told = json.loads(done.stdout.strip().splitlines()[-1])
    requests = max(1, told["requests"])
    return Slice(
        rate=told["requests"] / told["seconds"],
        p50=told["p50"],
        p99=told["p99"],
        cpu=(run.server.cpu() - before) / requests,
        failed=told["failed"],
    )


def rounds(runs: Sequence[Run], plan: Plan, folder: Path, told: Callable[[str], None]) -> Iterator[tuple[Run, Slice]]:
    """Every slice of every round; one short slice of each comes before and is forgotten."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    groups: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.query, run.clients), []).append(run)
    seen: set[tuple[str, str]] = set()
    for (query, clients), own in groups.items():
        for run in own:
            if (run.server.name, query) not in seen:
                seen.add((run.server.name, query))
                sliced(run, plan.warm_seconds, folder)
        for number in range(plan.rounds):
            turned = own[number % len(own) :] + own[: number % len(own)]
            for run in turned:
                yield run, sliced(run, plan.of(run), folder)
        told(f"{query} at {clients}")


def middle(slices: Sequence[Slice]) -> Slice:
    """The medians."""
    return Slice(
        rate=median(one.rate for one in slices),
        p50=median(one.p50 for one in slices),
        p99=median(one.p99 for one in slices),
        cpu=median(one.cpu for one in slices),
        failed=sum(one.failed for one in slices),
    )
