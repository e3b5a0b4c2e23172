"""Before anything is measured, every server gives the same answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asked import LITERALS, QUERIES, SHAPES, Subjects
from servers import Server, lines

SAMPLES = 5


def answers(server: Server, query: str) -> list[Any]:
    """Some answers, as a reader compares them: what is no part of the data is left out."""
    asked = server.lines[query]
    chosen = asked[:: max(1, len(asked) // SAMPLES)][:SAMPLES]
    found = []
    for number, line in enumerate(chosen):
        answer = server.ask(line.replace("%d", str(number)))
        found.append({"data": answer["data"]} if isinstance(answer, dict) and "data" in answer else answer)
    return found


def compared(servers: Sequence[Server], subjects: Subjects) -> list[str]:
    """What differs; every server's lines are made on the way."""
    differing: list[str] = []
    for query in (*QUERIES, LITERALS, SHAPES):
        name = query if isinstance(query, str) else query.name
        asked = [server for server in servers if name in server.asks]
        for server in asked:
            server.lines[name] = lines(server, query, subjects)
        expected = answers(asked[0], name) if asked else []
        if any("errors" in str(one)[:2000] or "data" not in one for one in expected):
            differing.append(f"{name}: {asked[0].name} answers {str(expected[0])[:500]}")
        differing += [
            f"{name}: {server.name} differs from {asked[0].name}: {_first(expected, found)}"
            for server in asked[1:]
            if (found := answers(server, name)) != expected
        ]
    return differing


def _first(expected: list[Any], found: list[Any]) -> str:
    for left, right in zip(expected, found, strict=True):
        if left != right:
            return f"{str(left)[:300]} … {str(right)[:300]}"
    return ""
