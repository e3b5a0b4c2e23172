"""A snapshot of the grants enters Casbin as columns, never as text.

The published adapters join columns to a line and parse it again: a value with a comma then becomes other columns,
and somebody gains a role. Here nothing is parsed, nothing is removed and nothing is added later: what enters was
checked as a whole (`domain/grants/content.py`), and new grants are a new snapshot.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from casbin import Enforcer, Model
from casbin.persist import Adapter

from domain.errors import Malformed
from domain.grants.content import Snapshot

RULES = Path(__file__).with_name("rules.csv")
MODEL = Path(__file__).with_name("model.conf")

# Casbin logs what it denies at WARNING; its three child loggers take their level from this one.
logging.getLogger("casbin").setLevel(logging.CRITICAL + 1)


class SnapshotAdapter(Adapter):  # type: ignore[misc]  # casbin ships no types
    """Puts a snapshot into a Casbin model, column by column, once for each domain."""

    def __init__(self, snapshot: Snapshot, domains: Iterable[str]) -> None:
        self._snapshot = snapshot
        self._domains = tuple(domains)

    def load_policy(self, model: Any) -> None:
        """Fills an empty model; the rules of a domain never match in another.

        They are known to differ from each other, so that nobody has to compare each with all before it.
        """
        rules, links = model["p"]["p"], model["g"]["g"]
        for domain in self._domains:
            for rule in self._snapshot.rules:
                rules.policy.append([rule.role, domain, rule.object, rule.verb, rule.effect])
            for link in self._snapshot.links:
                links.policy.append([link.role, link.inherits, domain])


def enforcer(snapshot: Snapshot, domains: Iterable[str]) -> Any:
    """Casbin over a snapshot, for compiling a table and for checking one; requests never reach it.

    Raises: Malformed when there is no domain, since Casbin allows everything to everybody without rules.
    """
    names = tuple(domains)
    if not names or not all(names):
        raise Malformed("Grants are enforced in named domains.")
    model = Model()
    model.load_model(str(MODEL))
    return Enforcer(model, SnapshotAdapter(snapshot, names))
