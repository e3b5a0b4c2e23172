"""The audit entry: who did or saw what, for whom, why, and under which rules. It holds no personal value.

What must be kept about a person is a side payload: the entry holds its salted commitment, the payload and the salt
are sealed beside the log. After an erasure the log still verifies and the commitment says nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from domain import canonical
from domain.ids import Id

FORMAT = 1
MAX_LISTED = 256
"""Longer lists of resources, subjects or rows are kept in the side payload; the entry commits to them."""

PRUNING = "audit:prune"
"""The action of the entry that moves the minimum index of its log: by it a reader knows what may be absent."""
MINIMUM = "minimum/"
"""Before the minimum index, among the resources of that entry."""


class Outcome(Enum):
    """How the operation ended."""

    DONE = "DONE"
    REFUSED = "REFUSED"
    """Not allowed: the work was rolled back, this entry alone remains."""
    INVALID = "INVALID"
    """Could not be carried out as asked; rolled back."""
    FAILED = "FAILED"
    """Allowed, but the product could not carry it out or release it: nothing left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One version of a row that an operation wrote, with the keyed digest of its content."""

    id: Id
    version: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a transaction touched, gathered by the store while the operation decided."""

    subjects: tuple[Id, ...] = ()
    resources: tuple[Id, ...] = ()
    fields: tuple[str, ...] = ()
    written: tuple[Written, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a tenant's audit log (format 1)."""

    id: Id
    at: datetime
    tenant: Id
    actor: str
    behalf: str = ""
    """The partner or customer the actor speaks for."""
    action: str
    """What was done, as its first word says it."""
    actions: tuple[str, ...] = ()
    """Every action it rests on, where there are several."""
    resources: tuple[Id, ...] = ()
    subjects: tuple[Id, ...] = ()
    fields: tuple[str, ...] = ()
    """Tags of confidential fields written, loaded or asked for."""
    purpose: str = ""
    consent: str = ""
    """Consent id and version, `co_…/3`."""
    grants: str = ""
    rule: str = ""
    policy: str = ""
    """Digest of the credit policy version used."""
    digest: str = ""
    """Keyed digest of the document that was stored or read; of what was handed over, its SHA-256."""
    outcome: Outcome
    code: str = ""
    """The error code of an outcome that is not DONE."""
    cause: str = ""
    """The true cause, a closed word, where the answer says less."""
    written: tuple[Written, ...] = ()
    request: str = ""
    document: str = ""
    """The SHA-256 of the trusted document that was run."""
    key: str = ""
    """Thumbprint of the key the caller's token is bound to."""
    payload: tuple[tuple[str, Any], ...] = ()
    """Side payload: never in the leaf, committed to by it."""

    def side_payload(self) -> bytes:
        """What is sealed beside the log: notes and lists too long for a leaf; empty when there is nothing.

        Chapter: 4.4, 8.1.
        """
        side = dict(self.payload)
        for name, items in (("resources", self.resources), ("subjects", self.subjects)):
            if len(items) > MAX_LISTED:
                side[name] = list(items)
        if len(self.written) > MAX_LISTED:
            side["written"] = [[row.id, row.version, row.digest] for row in self.written]
        return canonical.encode(side) if side else b""

    def leaf(self, commitment: str) -> bytes:
        """The bytes of the leaf: canonical JSON, the commitment in place of the side payload.

        Chapter: 4.4, 8.1.
        """
        body: dict[str, Any] = {
            "v": FORMAT,
            "id": self.id,
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "tenant": self.tenant,
            "actor": self.actor,
            "action": self.action,
            "outcome": self.outcome.value,
            "resources": _listed(self.resources),
            "subjects": _listed(self.subjects),
            "written": _listed(tuple([row.id, row.version, row.digest] for row in self.written)),
        }
        words = (
            "behalf",
            "purpose",
            "consent",
            "grants",
            "rule",
            "policy",
            "digest",
            "code",
            "cause",
            "request",
            "document",
            "key",
        )
        body |= {name: value for name in words if (value := getattr(self, name))}
        if self.actions:
            body["actions"] = list(self.actions)
        if self.fields:
            body["fields"] = list(self.fields)
        if commitment:
            body["commitment"] = commitment
        return _spelled(body)


def _spelled(body: dict[str, Any]) -> bytes:
    """Canonical JSON. Its keys are ASCII and it holds texts, counts and lists of them: sorting is all it takes."""
    try:
        return _write(body).encode()
    except UnicodeEncodeError:
        return canonical.encode(body)  # it says which part of it has no spelling


_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def commit_to(payload: bytes, salt: bytes) -> str:
    """The salted commitment of a side payload: HMAC-SHA-256 under a random 32-byte salt, in hex.

    Chapter: 4.4.
    """
    return hmac.new(salt, payload, hashlib.sha256).hexdigest() if payload else ""


def _listed(items: tuple[Any, ...]) -> Any:
    if len(items) <= MAX_LISTED:
        return list(items)
    return {"count": len(items), "digest": hashlib.sha256(canonical.encode(list(items))).hexdigest()}


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an entry is durable: without one nothing is opened and no answer leaves."""

    entry: Id
    tenant: Id
    placed: bool = True
    """Whether the entry stands in the tree of the log, and not in its outbox alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryProof:
    """What shows without any network that an entry stands in the audit log (Ch.8 §1)."""

    entry: Id
    """The audit entry. Ch.8 §1"""
    leaf: str
    """The entry itself, letter by letter as the log holds it: canonical JSON in UTF-8. Ch.8 §1"""
    proof: str
    """Its place, the hashes that lead from it to the root, and the signed checkpoint (C2SP tlog-proof). Ch.8 §1"""


@dataclass(frozen=True, slots=True)
class Warrant:
    """The Gate's leave to open what one durable entry names, and nothing else. Only the Gate mints it."""

    receipt: Receipt
    tenant: Id
    subjects: frozenset[Id]
    tags: frozenset[str]

    def covers(self, tenant: Id, subject: Id, tag: str) -> bool:
        """Whether the entry behind this warrant names the value.

        Chapter: 4.4.
        """
        return tenant == self.tenant and subject in self.subjects and tag in self.tags
