"""Which credit policy is in force, as its record and as the document it holds (Ch.9)."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from domain import canonical
from domain.assessment.assessments import CreditPolicy, PolicyState
from domain.assessment.policy import PolicyDocument, from_json
from domain.errors import NotInForce, Tampered
from domain.ports import Unit

KEPT = 16
"""How many documents are kept read; a company has one in force at any instant."""


def in_force(unit: Unit, at: datetime) -> tuple[CreditPolicy, PolicyDocument]:
    """The credit policy in force at an instant, and its document.

    Chapter: 9.
    Raises:  NotInForce; Tampered when the document is not the one its digest names.
    """
    found = [policy for policy in unit.find(CreditPolicy, state=PolicyState.IN_FORCE) if policy.in_force_from <= at]
    policy = max(found, key=lambda policy: (policy.in_force_from, policy.number), default=None)
    if policy is None:
        raise NotInForce("No credit policy is in force.", path=("creditPolicy",))
    return policy, document_of(policy)


def document_of(policy: CreditPolicy) -> PolicyDocument:
    """The document of a credit policy, whatever its state.

    Chapter: 9.
    Raises:  Tampered when the document is not the one its digest names.
    """
    return _read(policy.document, policy.content_digest)


def version(unit: Unit, document: PolicyDocument, *, state: PolicyState, in_force_from: datetime) -> CreditPolicy:
    """The record of a document: its canonical text and its digest.

    Chapter: 9.
    """
    return CreditPolicy(
        stamp=unit.stamp(CreditPolicy, effective_from=in_force_from),
        number=document.number,
        content_digest=document.digest,
        document=canonical.encode(document.to_json()).decode(),
        state=state,
        in_force_from=in_force_from,
    )


@lru_cache(maxsize=KEPT)
def _read(text: str, digest: str) -> PolicyDocument:
    if sha256(text.encode()).hexdigest() != digest:
        raise Tampered("The credit policy's document is not the one its digest names.")
    return from_json(json.loads(text))
