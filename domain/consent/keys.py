"""The keys of partners: which ones speak for a partner, registered by one person and approved by another (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from hmac import compare_digest
from typing import Any, Final

from domain.actors import Actor
from domain.consent.consents import Partner
from domain.errors import Code, Conflict, Malformed
from domain.ids import Id
from domain.operations import Decided, Operation, derived, operation
from domain.persons.duties import Apart
from domain.ports import Challenge, Unit
from domain.records import Record, fact, link, record

_APART: Final = Apart(record="PartnerKey", by="key", authors=("proposed_by",))
MAX_KEYS: Final = 10
"""How many keys of one use a partner may have proposed or approved: enough to change them, too few to lose count."""


class KeyUse(Enum):
    """What a key of a partner is for; one key is never for two."""

    DPOP = "DPOP"
    """Its tokens are bound to it, and each of its requests proves it."""
    ENC = "ENC"
    """What is disclosed to it is sealed to this key."""
    CLIENT = "CLIENT"
    """It signs what it says to issuers of tokens; it is kept here so that they can ask which ones are its own."""


class KeyState(Enum):
    """PROPOSED → APPROVED or REJECTED; PROPOSED or APPROVED → RETIRED. A key never comes back."""

    PROPOSED = "PROPOSED"
    """It waits for another person, and serves nothing yet."""
    APPROVED = "APPROVED"
    """It serves its use."""
    REJECTED = "REJECTED"
    """It was not approved."""
    RETIRED = "RETIRED"
    """It serves no more: tokens that are bound to it are dead."""


@record("pk", table="partner_jwk", read="partner:read", unique=(("jkt",),), subject_reach=False)
class PartnerKey(Record):
    """A public key of a partner (Ch.4 §4)."""

    partner: Id = link("Partner", "Whose key it is. Ch.4 §4", same_subject=False)
    use: KeyUse = fact("What it is for. Ch.4 §4", filter=True)
    jkt: str = fact("The SHA-256 thumbprint (RFC 7638) that names it. Ch.4 §4", filter=True)
    jwk: str = fact("The public key itself, as a JWK. Ch.4 §4")
    state: KeyState = fact("Where it stands. Ch.4 §4", default=KeyState.PROPOSED, filter=True)
    proposed_by: str = fact("Who proposed it. Ch.8 §1")
    decided_by: str | None = fact("Who decided on it: another person, unless it was retired. Ch.8 §1", default=None)


@operation("partner_key:propose", chapter="4.4, 8.1")
class ProposePartnerKey(Operation[PartnerKey]):
    """Proposes a public key of a partner for one use; another person approves it (Ch.4 §4)."""

    partner: Id
    """The partner whose key it is. Ch.4 §4"""
    use: KeyUse
    """What it is for; one key is never for two. Ch.4 §4"""
    jwk: str
    """The public key as a JWK, as text: P-256 or Ed25519; for ENC P-256, X25519 or a hybrid with ML-KEM. Ch.4 §4"""
    public: str = derived(default="")
    """The key bare of everything else, worked out from the JWK."""
    jkt: str = derived(default="")
    """Its thumbprint, worked out from the JWK."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[PartnerKey]:
        """A key is one partner's, for one use, once; also one that was retired is not taken again.

        Chapter: 4.4, 8.1.
        """
        if not self.public or not self.jkt:
            raise Malformed("The JWK was not looked at.", path=("jwk",))
        partner = unit.get(Partner, self.partner, lock=True)
        if unit.find(PartnerKey, jkt=self.jkt):
            raise Conflict(
                "This key was registered before.",
                advice="Make a new key: one key is one partner's, for one use, and never comes back.",
                path=("jwk",),
            )
        standing = (KeyState.PROPOSED, KeyState.APPROVED)
        if len(unit.find(PartnerKey, partner=partner.id, use=self.use, state=standing)) >= MAX_KEYS:
            raise Conflict(f"The partner has {MAX_KEYS} keys for this use.", advice="Retire one first.", path=("use",))
        proposed = PartnerKey(
            stamp=unit.stamp(PartnerKey),
            partner=partner.id,
            use=self.use,
            jkt=self.jkt,
            jwk=self.public,
            proposed_by=actor.person,
        )
        unit.add([proposed])
        if self.use is not KeyUse.ENC:
            return _told(proposed)
        asked = Challenge(key=self.public, partner=partner.id, text=_secret(unit, proposed))

        def signs(_: Sequence[Any]) -> Challenge:
            return asked

        return replace(_told(proposed), signs=signs)


@operation("partner_key:approve", chapter="4.4, 8.1", apart=_APART)
class ApprovePartnerKey(Operation[PartnerKey]):
    """Approves a key that another person proposed: from now on it serves its use (Ch.4 §4)."""

    key: Id
    """The key, which waits for a decision. Ch.4 §4"""
    possession: str | None = None
    """What the partner read in the challenge that came with the proposal; with ENC only. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[PartnerKey]:
        """Who proposed it does not approve it, and nothing is ever sealed to a key that its partner may not hold.

        Keys that sign prove themselves with each thing they sign.

        Chapter: 4.4, 8.1.
        """
        self._check(unit, unit.get(PartnerKey, self.key))
        return _decided(unit, actor, self.key, KeyState.APPROVED)

    def _check(self, unit: Unit, key: PartnerKey) -> None:
        if key.use is not KeyUse.ENC or key.state is not KeyState.PROPOSED:
            return
        if self.possession is None:
            raise Malformed(
                "The partner has not shown that it holds the key.",
                code=Code.MISSING_VALUE,
                advice="Hand it the challenge of proposePartnerKey, and send what it reads in it.",
                path=("possession",),
            )
        if not compare_digest(_secret(unit, key).encode(), self.possession.strip().encode()):
            raise Malformed(
                "This is not what the challenge says.",
                advice="Ask the partner again; if it cannot read it, it does not hold the key: have another proposed.",
                path=("possession",),
            )


@operation("partner_key:approve", chapter="4.4, 8.1", apart=_APART)
class RejectPartnerKey(Operation[PartnerKey]):
    """Rejects a key that another person proposed (Ch.4 §4)."""

    key: Id
    """The key, which waits for a decision. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[PartnerKey]:
        """Who could approve it may reject it.

        Chapter: 4.4, 8.1.
        """
        return _decided(unit, actor, self.key, KeyState.REJECTED)


@operation("partner_key:retire", chapter="4.4, 8.1")
class RetirePartnerKey(Operation[PartnerKey]):
    """Retires a key: the next request that proves it is refused (Ch.4 §4)."""

    key: Id
    """The key, which is proposed or approved. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[PartnerKey]:
        """One person is enough to stop it.

        Chapter: 4.4, 8.1.
        """
        found = unit.get(PartnerKey, self.key, lock=True)
        if found.state not in {KeyState.PROPOSED, KeyState.APPROVED}:
            raise Conflict("The key is not in use.", advice="Nothing is left to do.", path=("key",))
        return _told(unit.replace(replace(found, state=KeyState.RETIRED, decided_by=actor.person)))


def _decided(unit: Unit, actor: Actor, id_: Id, state: KeyState) -> Decided[PartnerKey]:
    found = unit.get(PartnerKey, id_, lock=True)
    if found.state is not KeyState.PROPOSED:
        raise Conflict("The key does not wait for a decision.", path=("key",))
    return _told(unit.replace(replace(found, state=state, decided_by=actor.person)))


def _secret(unit: Unit, key: PartnerKey) -> str:
    """What the challenge of a key says: the same whenever it is asked for, and known to nobody who cannot read it."""
    return unit.pseudonym(key.id, "possession")


def _told(key: PartnerKey) -> Decided[PartnerKey]:
    return Decided(value=key, resources=(key.id, key.partner))
