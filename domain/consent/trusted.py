"""Trusted documents: what a partner may ask at all, approved for a purpose and a scope before it is ever run (Ch.4 §4).

A document is known by the SHA-256 of its text. What it can disclose at most is worked out from its text when it is
proposed, whatever the values of its variables; an auditor reads it here without running anything.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from hashlib import sha256
from typing import Final

from domain.actors import Actor, Rights
from domain.consent.attesting.predicates import ATTESTABLE
from domain.consent.consents import Partner
from domain.errors import Code, Conflict, Malformed, NotPermitted
from domain.ids import Id
from domain.operations import Decided, Operation, derived, operation
from domain.persons.duties import Apart
from domain.ports import Unit
from domain.reading import Judged, Labelled, Level, Page, Purpose, Reading, Slot, Where, judge
from domain.records import TAGS, Record, fact, link, record

_APART: Final = Apart(record="TrustedDocument", by="document", authors=("proposed_by",))
MAX_TEXT: Final = 64 * 1024
"""Characters of a document."""
MAX_NAME: Final = 100
RUN: Final = "document:run"
"""What is done with a document that is not approved: the refusal is recorded under this action."""


class TrustState(Enum):
    """Where a trusted document stands."""

    PROPOSED = "PROPOSED"
    """It waits for another person, and is not run yet."""
    APPROVED = "APPROVED"
    """It may be run."""
    REJECTED = "REJECTED"
    """It was not approved."""
    RETIRED = "RETIRED"
    """It may not be run any more."""


@record("td", table="trusted_document", read="document:read", unique=(("digest",),), subject_reach=False)
class TrustedDocument(Record):
    """A query document that partners may run, with everything it can ever disclose (Ch.4 §4)."""

    digest: str = fact("SHA-256 of its text, in hex; it is named by this. Ch.4 §4", filter=True)
    name: str = fact("What it is called. Ch.4 §4", filter=True, order=True)
    text: str = fact("The document itself. Ch.4 §4")
    partner: Id | None = link(
        "Partner",
        "The one partner it is for; every partner where none is named. Ch.4 §4",
        default=None,
        same_subject=False,
    )
    purpose: Purpose = fact("The one purpose it may be run for. Ch.4 §4", filter=True)
    scope: tuple[str, ...] = fact("Tags of the confidential fields that may be disclosed through it. Ch.4 §4")
    reads: tuple[str, ...] = fact("Every field it can read at all, whatever its variables. Ch.8 §1")
    changes: tuple[str, ...] = fact("Every change it can make. Ch.8 §1")
    actions: tuple[str, ...] = fact("Every action it needs. Ch.8 §1")
    state: TrustState = fact("Where it stands. Ch.4 §4", default=TrustState.PROPOSED, filter=True)
    proposed_by: str = fact("Who proposed it. Ch.8 §1")
    decided_by: str | None = fact("Who decided on it: another person. Ch.8 §1", default=None)


@operation("document:propose", chapter="4.4, 8.1")
class ProposeTrustedDocument(Operation[TrustedDocument]):
    """Proposes a document that partners may run, for one purpose and within a scope (Ch.4 §4)."""

    name: str
    """What it is called. Ch.4 §4"""
    text: str
    """The whole document. Ch.4 §4"""
    purpose: Purpose
    """The one purpose it may be run for. Ch.4 §4"""
    scope: tuple[str, ...] = ()
    """Tags of the confidential fields that may be disclosed through it. Ch.4 §4"""
    partner: Id | None = None
    """The one partner it is for; every partner where none is named. Ch.4 §4"""
    reads: tuple[str, ...] = derived(default=())
    """Every field it can read, worked out from its text."""
    changes: tuple[str, ...] = derived(default=())
    """Every change it can make, worked out from its text."""
    actions_of_it: tuple[str, ...] = derived(default=())
    """Every action it needs, worked out from its text."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[TrustedDocument]:
        """It opens nothing beyond its scope, and a document is registered once.

        Chapter: 4.4, 8.1.
        """
        self._check()
        if self.partner is not None:
            unit.get(Partner, self.partner)
        digest = digest_of(self.text)
        known = unit.find(TrustedDocument, lock=True, digest=digest)
        if known and known[0].state in {TrustState.PROPOSED, TrustState.APPROVED}:
            raise Conflict("This document is registered already.", advice="Retire it first.", path=("text",))
        proposed = TrustedDocument(
            stamp=known[0].stamp if known else unit.stamp(TrustedDocument),
            digest=digest,
            name=self.name.strip(),
            text=self.text,
            partner=self.partner,
            purpose=self.purpose,
            scope=tuple(dict.fromkeys(self.scope)),
            reads=self.reads,
            changes=self.changes,
            actions=self.actions_of_it,
            proposed_by=actor.person,
        )
        if known:
            proposed = unit.replace(proposed)
        else:
            unit.add([proposed])
        return Decided(value=proposed, resources=(proposed.id,))

    def _check(self) -> None:
        if not 1 <= len(self.name.strip()) <= MAX_NAME:
            raise Malformed(f"A name has 1 to {MAX_NAME} characters.", path=("name",))
        if not 1 <= len(self.text) <= MAX_TEXT:
            raise Malformed(f"A document has 1 to {MAX_TEXT} characters.", path=("text",))
        if not self.reads and not self.changes:
            raise Malformed("The document asks for nothing.", path=("text",))
        for index, tag in enumerate(self.scope):
            if tag not in TAGS and tag not in ATTESTABLE:
                raise Malformed(
                    "A scope names confidential fields.",
                    advice="Use tags such as contact.phone.",
                    path=("scope", str(index)),
                )
        beyond = sorted(set(self.reads) & set(TAGS) - set(self.scope))
        if beyond:
            raise Malformed(
                "The document opens more than its scope: " + ", ".join(beyond) + ".",
                advice="Leave these fields out, or widen the scope.",
                path=("scope",),
            )


@operation("document:approve", chapter="4.4, 8.1", apart=_APART)
class ApproveTrustedDocument(Operation[TrustedDocument]):
    """Approves a document that another person proposed: from now on it may be run (Ch.4 §4)."""

    document: Id
    """The document, which waits for a decision. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[TrustedDocument]:
        """Who proposed it does not approve it.

        Chapter: 4.4, 8.1.
        """
        return _decided(unit, actor, self.document, TrustState.APPROVED)


@operation("document:approve", chapter="4.4, 8.1", apart=_APART)
class RejectTrustedDocument(Operation[TrustedDocument]):
    """Rejects a document that another person proposed (Ch.4 §4)."""

    document: Id
    """The document, which waits for a decision. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[TrustedDocument]:
        """Who could approve it may reject it.

        Chapter: 4.4, 8.1.
        """
        return _decided(unit, actor, self.document, TrustState.REJECTED)


@operation("document:retire", chapter="4.4, 8.1")
class RetireTrustedDocument(Operation[TrustedDocument]):
    """Retires a document: the next request that runs it is refused (Ch.4 §4)."""

    document: Id
    """The document, which is proposed or approved. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[TrustedDocument]:
        """One person is enough to stop it.

        Chapter: 4.4, 8.1.
        """
        found = unit.get(TrustedDocument, self.document, lock=True)
        if found.state not in {TrustState.PROPOSED, TrustState.APPROVED}:
            raise Conflict("The document is not in use.", path=("document",))
        retired = unit.replace(replace(found, state=TrustState.RETIRED, decided_by=actor.person))
        return Decided(value=retired, resources=(retired.id,))


def approving() -> Judged:
    """The reading that looks a document up: slots for the size of the page, the digest, and the state.

    Chapter: 4.4.
    """
    shape = TrustedDocument.shape
    level = Level(
        shape=shape,
        facts=(Labelled("text", "text"), Labelled("partner", "partner")),
        where=(Where("digest", "=", Slot(1)), Where("state", "=", Slot(2))),
        page=Page(Slot(0), wants_cursors=False),
    )
    return judge(Reading((Labelled("documents", level),)), Rights(id=0, version="", allowed={shape.read: ""}))


def digest_of(text: str) -> str:
    """The SHA-256 of a document's text, in hex.

    Chapter: 4.4.
    """
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def not_approved() -> NotPermitted:
    """The refusal of a document that nobody approved for whoever runs it.

    Chapter: 4.4.
    """
    return NotPermitted(
        "This document is not approved for you.",
        advice="Run approved documents only, letter by letter or by documentId; ask the company to approve this one.",
        cause="DOCUMENT_NOT_APPROVED",
    )


def within(unit: Unit, actor: Actor, purpose: Purpose, fields: tuple[str, ...]) -> None:
    """Checks that a partner's document is approved for it, this purpose and these fields, in this very transaction.

    Chapter: 4.4.
    Raises:  NotPermitted.
    """
    if not actor.document:
        return
    found = unit.find(TrustedDocument, digest=actor.document, state=TrustState.APPROVED)
    if not found or found[0].partner not in {None, actor.partner}:
        raise not_approved()
    if purpose is not found[0].purpose or not set(fields) <= set(found[0].scope):
        raise NotPermitted(
            "The document is approved for another purpose, or for fewer fields.",
            code=Code.NOT_PERMITTED,
            advice="Ask within its purpose and scope, or have another document approved.",
            cause="BEYOND_DOCUMENT",
        )


def _decided(unit: Unit, actor: Actor, id_: Id, state: TrustState) -> Decided[TrustedDocument]:
    found = unit.get(TrustedDocument, id_, lock=True)
    if found.state is not TrustState.PROPOSED:
        raise Conflict("The document does not wait for a decision.", path=("document",))
    decided = unit.replace(replace(found, state=state, decided_by=actor.person))
    return Decided(value=decided, resources=(decided.id,))
