"""What a check of a store finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what kind, where, and what it means."""

    kind: str
    place: str
    says: str
