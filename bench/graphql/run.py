"""Credence against the fastest GraphQL servers, on the same rows of the same PostgreSQL, with every rule on.

    python bench/graphql/run.py [--quick] [--only R1,R4] [--keep FOLDER] [--files N] [--out FILE]
    python bench/graphql/run.py --check

All servers give equal answers first; then `wrk` asks them in interleaved rounds. Figures are ratios of one run on one
machine, where servers, PostgreSQL and wrk share the processors. `--check` compares answers and measures nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import measure
from asked import Subjects
from claims import ROWS, Key, Row
from equal import compared
from places import Place, files_of, kept, on_postgresql, on_sqlite, postgresql
from portfolio import Size
from servers import Server, floor, installed, node, ours, running, strawberry, ungoverned
from table import printed

FULL, QUICK = measure.Plan(3, 4, 20, 3), measure.Plan(2, 1, 4, 1)
FILES, QUICK_FILES, CHECKED_FILES = 2_000, 500, 110


def arguments() -> argparse.Namespace:
    """What the command was told."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few minutes: short slices, fewer files")
    parser.add_argument("--check", action="store_true", help="only compare the answers of ours, floor and Strawberry")
    parser.add_argument("--only", default="", help="rows, such as R1,R4")
    parser.add_argument("--files", type=int, default=0, help="files per company")
    parser.add_argument("--keep", type=Path, help="a folder for the data, used again by the next run")
    parser.add_argument("--port", type=int, default=8200, help="the first of about fifteen ports; 0 for free ones")
    parser.add_argument("--out", type=Path, help="a file that gets what is printed")
    return parser.parse_args()


def candidates(post: Place, lite: Place, *, check: bool) -> tuple[list[Server], dict[str, str]]:
    """The servers that can be started here, and why others cannot."""
    own = [ours(post), floor(post, "floor"), strawberry(post), ours(lite, "credence sqlite")]
    own += [floor(post, "floor json", "json"), floor(lite, "floor sqlite")]
    own += [ungoverned(place, name, rules) for place, name, rules in _rules(post, lite)]
    if check:
        return own, {}
    missing = installed()
    peers = {"postgraphile": True, "apollo": True, "mercurius": False}
    if missing:
        return own, dict.fromkeys(peers, missing)
    return own + [node(post, name, slow=slow) for name, slow in peers.items()], {}


def _rules(post: Place, lite: Place) -> list[tuple[Place, str, str]]:
    found = [(post, "unaudited", "unaudited"), (lite, "unaudited sqlite", "unaudited")]
    return [*found, (post, "bare", "bare"), (lite, "bare sqlite", "bare")]


def runs_of(rows: Sequence[Row], servers: Sequence[Server]) -> list[measure.Run]:
    """What the rows need measured, each once, query by query."""
    by_name = {server.name: server for server in servers}
    keys: dict[Key, None] = {}
    for row in rows:
        for claim in row.claims():
            keys.update({claim.over: None, claim.under: None})
    wanted = sorted(keys, key=lambda key: (key[2], key[1]))
    return [measure.Run(by_name[name], query, clients) for name, query, clients in wanted if name in by_name]


def told(text: str) -> None:
    """Says how far it is, on the other stream."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Prepares, compares, measures, prints."""
    given = arguments()
    if not given.check and shutil.which("wrk") is None:
        print("wrk is not installed: nothing can be measured.", file=sys.stderr)
        return 2
    files = given.files or (CHECKED_FILES if given.check else QUICK_FILES if given.quick else FILES)
    names = set(filter(None, given.only.split(",")))
    rows = [row for row in ROWS if not names or row.name in names]
    with ExitStack() as open_:
        folder = open_.enter_context(kept(given.keep))
        server = open_.enter_context(postgresql(folder))
        lite = on_sqlite(folder, Size(files), told)
        post = on_postgresql(folder, server, Size(files), told)
        servers, absent = candidates(post, lite, check=given.check)
        if names:
            needed = {key[0] for row in rows for claim in row.claims() for key in (claim.over, claim.under)}
            servers = [one for one in servers if one.name in needed | {"credence"}]
        failed = open_.enter_context(running(servers, given.port))
        absent |= {name: said.strip().splitlines()[-1] for name, said in failed.items()}
        servers = [one for one in servers if one.name not in failed]
        told(f"{len(servers)} servers run")
        subjects = Subjects.of(asyncio.run(files_of(post)))
        differing = compared(servers, subjects)
        if differing or given.check:
            print("\n".join(differing) or f"{len(servers)} servers give equal answers.")
            return 1 if differing or absent else 0
        told("answers are equal")
        found: dict[Key, list[measure.Slice]] = {}
        plan = QUICK if given.quick else FULL
        for run, one in measure.rounds(runs_of(rows, servers), plan, folder / "sent", told):
            found.setdefault((run.server.name, run.query, run.clients), []).append(one)
        report = "\n".join([_head(plan, files), *printed(found, absent, rows)])
    print(report)
    if given.out:
        given.out.write_text(report + "\n", encoding="utf-8")
    return 0


def _head(plan: measure.Plan, files: int) -> str:
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"{at}, Python {platform.python_version()}; 2 companies × {files} files, {plan.rounds} rounds, slices of "
        f"{plan.seconds:g} s ({plan.slow_seconds:g} s for slow rivals); "
        "servers, PostgreSQL and wrk share the machine.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
