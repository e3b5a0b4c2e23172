"""Which credit policy is in force, as its record and as the document it holds (Ch.9)."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from domain import canonical
from domain.assessment.assessments import CreditPolicy, PolicyState
from domain.assessment.policy import PolicyDocument, from_json
from domain.errors import NotInForce, Tampered
from domain.ids import Id
from domain.ports import Unit

KEPT = 16
"""How many documents are kept read; a company has one in force at any instant."""


_COUNTS: Final = (PolicyState.IN_FORCE, PolicyState.SCHEDULED)
_COUNTED: Final = (*_COUNTS, PolicyState.SUPERSEDED)
"""The states of versions that were once in force, or will be."""


class Placed(NamedTuple):
    """A version that has its time, without its document."""

    in_force_from: datetime
    number: int
    id: Id
    state: PolicyState


def in_force(unit: Unit, at: datetime) -> tuple[CreditPolicy, PolicyDocument]:
    """The credit policy in force at an instant, and its document.

    Chapter: 9.
    Shape:   a version is in force from its time on, whether or not its state was moved on; before now, also one that
             was superseded since.
    Raises:  NotInForce; Tampered when the document is not the one its digest names.
    """
    # Of what was superseded nothing is in force now: it is looked for where an earlier instant is asked for alone.
    states = _COUNTED if at < unit.now else _COUNTS
    found = [one for one in placed(unit, states) if one.in_force_from <= at]
    if not found:
        raise NotInForce("No credit policy is in force.", path=("creditPolicy",))
    policy = unit.get(CreditPolicy, found[-1].id)
    return policy, document_of(policy)


def placed(unit: Unit, states: tuple[PolicyState, ...] = _COUNTS) -> list[Placed]:
    """The versions in force or scheduled, in the order they come into force; their documents are not loaded.

    Chapter: 9.
    """
    rows = unit.select(CreditPolicy, ("in_force_from", "number", "id", "state"), state=states)
    return sorted(Placed(*row) for row in rows if row[0] is not None)


def document_of(policy: CreditPolicy) -> PolicyDocument:
    """The document of a credit policy, whatever its state.

    Chapter: 9.
    Raises:  Tampered when the document is not the one its digest names.
    """
    return _read(policy.document, policy.content_digest)


def first(unit: Unit, document: PolicyDocument) -> CreditPolicy:
    """The version a company begins with, in force from now: its canonical text and its digest.

    Chapter: 9.
    """
    return CreditPolicy(
        stamp=unit.stamp(CreditPolicy),
        number=document.number,
        content_digest=document.digest,
        document=text_of(document),
        state=PolicyState.IN_FORCE,
        in_force_from=unit.now,
    )


def text_of(document: PolicyDocument) -> str:
    """The text of a document as it is kept: its digest is that of these bytes.

    Chapter: 9.
    """
    return canonical.encode(document.to_json()).decode()


@lru_cache(maxsize=KEPT)
def _read(text: str, digest: str) -> PolicyDocument:
    if sha256(text.encode()).hexdigest() != digest:
        raise Tampered("The credit policy's document is not the one its digest names.")
    return from_json(json.loads(text))
