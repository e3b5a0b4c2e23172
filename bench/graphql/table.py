"""What is printed: the table of ratios, who reached what, and what a request cost each server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from asked import QUERIES
from claims import ELSEWHERE, FEW, MANY, Claim, Key, Row
from measure import Slice, middle

BASE = "floor"


def printed(found: Mapping[Key, Sequence[Slice]], absent: Mapping[str, str], chosen: Sequence[Row]) -> Iterator[str]:
    """The lines of the report."""
    for clients in (MANY, FEW):
        yield from _relative(found, clients)
    yield "What has to be reached (requests a second of ours ÷ theirs; medians of the ratios of interleaved rounds):"
    for row in chosen:
        yield f"  {row.name:<4} {row.says}, {row.clients} clients"
        for claim in row.claims():
            yield f"         {_told(claim, found)}"
    for name, why in ELSEWHERE.items():
        yield f"  {name:<4} not here: {why}"
    for name, why in absent.items():
        yield f"  absent: {name}: {why}"


def _told(claim: Claim, found: Mapping[Key, Sequence[Slice]]) -> str:
    ratio = claim.ratio(found)
    if ratio is None:
        return f"{claim.says:<18} not measured"
    if claim.bound is None:
        return f"{claim.says:<18} {ratio:6.2f}"
    sign, verdict = "≤" if claim.p99 else "≥", "reached" if claim.reached(ratio) else "NOT REACHED"
    return f"{claim.says:<18} {ratio:6.2f}  {sign} {claim.bound:<5g} {verdict}"


def _relative(found: Mapping[Key, Sequence[Slice]], clients: int) -> Iterator[str]:
    """Requests a second by server and query; p99 and CPU beside them."""
    names = list(dict.fromkeys(server for server, _, own in found if own == clients))
    queries = [query.name for query in QUERIES if any((name, query.name, clients) in found for name in names)]
    queries += list(dict.fromkeys(q for _, q, own in found if own == clients and q not in queries))
    if not names:
        return
    yield f"{clients} clients: requests/s (÷ {BASE}), p99 in ms, CPU of the server per request in ms, failed if any"
    yield f"{'':<18}" + "".join(f"{query:>34}" for query in queries)
    for name in names:
        cells = []
        for query in queries:
            slices = found.get((name, query, clients))
            if not slices:
                cells.append(f"{'–':>34}")
                continue
            own = middle(slices)
            base = found.get((BASE, query, clients))
            share = f"({own.rate / middle(base).rate:.2f})" if base and middle(base).rate else ""
            failed = f" !{own.failed}" if own.failed else ""
            cells.append(f"{f'{own.rate:.0f} {share} {own.p99:.0f} {own.cpu * 1000:.2f}{failed}':>34}")
        yield f"{name:<18}" + "".join(cells)
    yield ""
