"""Media types: which of the two forms a caller accepts, and whether a body is JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from api.http.answers import EVENTS, GRAPHQL, JSON

KEPT = 256
"""How many spellings of a header are remembered: clients always send the same."""
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a token of HTTP, no secret
_RANGE = re.compile(rf"\s*({_TOKEN}/{_TOKEN})\s*(?:;(.*))?", re.ASCII)
_PARAMETER = re.compile(rf'\s*({_TOKEN})=({_TOKEN}|"[^"\\]*")\s*', re.ASCII)
_WEIGHT = re.compile(r"(0(\.[0-9]{0,3})?|1(\.0{0,3})?)", re.ASCII)

_ORDER = {JSON: (JSON, "application/*", "*/*"), GRAPHQL: (GRAPHQL, "application/*", "*/*")}
"""The ranges that cover each form, the most specific first."""


@dataclass(frozen=True, slots=True)
class _Range:
    """One media range a caller accepts."""

    name: str
    weight: float


@lru_cache(KEPT)
def answer_type(accept: tuple[str, ...]) -> str | None:
    """The form of the answer; None where neither is accepted.

    Who names the newer form gets it. Who says nothing, or accepts anything, gets plain JSON.
    """
    if not any(value.strip() for value in accept):
        return JSON
    ranges = {one.name: one.weight for one in reversed(list(_ranges(accept)))}
    weights = {media: _weight(ranges, media) for media in (JSON, GRAPHQL)}
    best = max(weights.values())
    if best <= 0:
        return None
    wanted = [media for media, weight in weights.items() if weight == best]
    return GRAPHQL if wanted == [GRAPHQL] or (GRAPHQL in wanted and GRAPHQL in ranges) else JSON


@lru_cache(KEPT)
def takes_events(accept: tuple[str, ...]) -> bool:
    """Whether a stream of events is accepted by its name."""
    return any(one.name == EVENTS and one.weight > 0 for one in _ranges(accept))


@lru_cache(KEPT)
def is_json(content_types: tuple[str, ...]) -> bool:
    """Whether a body says it is JSON in UTF-8, and nothing else besides."""
    if len(content_types) != 1:
        return False
    found = _parse(content_types[0])
    if found is None:
        return False
    name, parameters = found
    return name == JSON and all(key == "charset" and value in {"utf-8", "utf8"} for key, value in parameters)


def _weight(ranges: dict[str, float], media: str) -> float:
    return next((ranges[name] for name in _ORDER[media] if name in ranges), 0.0)


def _ranges(accept: Iterable[str]) -> Iterable[_Range]:
    """The ranges that are well formed and take UTF-8; others accept nothing."""
    for item in ",".join(accept).split(","):
        found = _parse(item)
        if found is None:
            continue
        name, parameters = found
        given = dict(parameters)
        weight = given.get("q", "1")
        if given.get("charset", "utf-8") in {"utf-8", "utf8"} and _WEIGHT.fullmatch(weight):
            yield _Range(name, float(weight))


def _parse(text: str) -> tuple[str, list[tuple[str, str]]] | None:
    """A media type or range with its parameters, all in lower case; None where it is not well formed."""
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    parameters = []
    for part in (match[2] or "").split(";"):
        if part.strip():
            pair = _PARAMETER.fullmatch(part)
            if pair is None:
                return None
            parameters.append((pair[1].lower(), pair[2].strip('"').lower()))
    return match[1].lower(), parameters
