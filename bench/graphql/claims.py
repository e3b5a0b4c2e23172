"""What has to be reached, as ratios of two runs: R1 to R8 and R11."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from asked import LITERALS, SHAPES
from measure import Slice

MANY, FEW = 64, 8
"""Clients."""

Key = tuple[str, str, int]
"""A server, a query, clients."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One ratio: requests a second of one run over those of another, at least; or their p99, at most."""

    row: str
    says: str
    over: Key
    under: Key
    bound: float | None
    """None where nothing has to be reached and the figure is printed for honesty."""
    p99: bool = False

    def ratio(self, found: Mapping[Key, Sequence[Slice]]) -> float | None:
        """The median of the ratios of every round; None where one of both is absent."""
        over, under = found.get(self.over), found.get(self.under)
        if not over or not under:
            return None
        if self.p99:
            return median(a.p99 / max(b.p99, 0.001) for a, b in zip(over, under, strict=True))
        return median(a.rate / max(b.rate, 0.001) for a, b in zip(over, under, strict=True))

    def reached(self, ratio: float) -> bool:
        """Whether the ratio is what was promised."""
        assert self.bound is not None
        return ratio <= self.bound if self.p99 else ratio >= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: two servers, and a bound per query."""

    name: str
    says: str
    over: str
    under: str
    bounds: Mapping[str, float | None]
    clients: int = MANY
    p99: float | None = None
    extra: Sequence[Claim] = field(default_factory=tuple)

    def claims(self) -> Iterator[Claim]:
        """Its claims, one per query."""
        for query, bound in self.bounds.items():
            keys = (self.over, query, self.clients), (self.under, query, self.clients)
            yield Claim(self.name, f"{query}", *keys, bound)
            if self.p99 is not None:
                yield Claim(self.name, f"p99 {query}", *keys, self.p99, p99=True)
        yield from self.extra


def _bounds(tiny: float | None, medium: float | None, deep: float | None, big: float | None) -> dict[str, float | None]:
    return {"tiny": tiny, "medium": medium, "deep": deep, "big": big}


def _three(tiny: float | None, medium: float | None, big: float | None) -> dict[str, float | None]:
    return {"tiny": tiny, "medium": medium, "big": big}


ROWS = (
    Row("R1", "PostGraphile 5", "credence", "postgraphile", _bounds(2.5, 3.5, 3.5, 4.0), p99=0.3),
    Row("R2", "Apollo Server 5 + DataLoader", "credence", "apollo", _bounds(1.3, 5.0, 8.0, 6.5)),
    Row("R3", "Mercurius + graphql-jit", "credence", "mercurius", _bounds(1.0, 1.5, 1.5, 1.5)),
    Row("R4", "hand-written Starlette + SQL", "credence", "floor", _bounds(1.0, 1.2, 1.2, 1.2)),
    Row("R4", "the same, PostgreSQL prints the JSON", "credence", "floor json", _bounds(None, None, None, None)),
    Row("R4", "hand-written on SQLite", "credence sqlite", "floor sqlite", _bounds(1.0, 1.2, 1.2, 1.2)),
    Row("R5", "Strawberry, the same rules per field", "credence", "strawberry", _bounds(4, 30, 30, 40), clients=FEW),
    Row("R6", "Strawberry, documents never seen", "credence", "strawberry", {LITERALS: 20, SHAPES: None}, clients=FEW),
    Row("R7", "grants and tenant rules on ÷ off", "unaudited", "bare", _three(0.9, 0.95, 0.9)),
    Row("R7", "the same on SQLite", "unaudited sqlite", "bare sqlite", _three(0.9, 0.95, 0.9)),
    Row("R8", "durable audit on ÷ off", "credence", "unaudited", _three(0.85, 0.95, 0.95)),
    Row("R8", "the same on SQLite", "credence sqlite", "unaudited sqlite", _three(0.6, 0.95, 0.95)),
    Row(
        "R11",
        "100 opened values ÷ Strawberry",
        "credence",
        "strawberry",
        {"conf": 25.0},
        clients=FEW,
        extra=(
            Claim("R11", "÷ medium", ("credence", "conf", FEW), ("credence", "medium", FEW), 0.55),
            Claim("R11", "÷ medium at 64", ("credence", "conf", MANY), ("credence", "medium", MANY), None),
            Claim(
                "R11", "÷ medium, SQLite", ("credence sqlite", "conf", FEW), ("credence sqlite", "medium", FEW), 0.55
            ),
        ),
    ),
)
ELSEWHERE = {
    "R9": "bench/graphql/hostile.py shows the CPU of hostile documents",
    "R10": "tests/vault/test_reading_written.py compares random documents with graphql-core",
}
"""Rows that are no race."""
