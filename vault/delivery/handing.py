"""A disclosure as it leaves for its partner: signed with ES256, what is owed inside, sealed to the partner's key."""

from __future__ import annotations

import json

from domain import ids
from domain.audit import Warrant
from domain.errors import KeyUnavailable, Malformed
from domain.ports import Challenge, Handover
from vault.delivery.sealing import About, Possession, RecipientKey, recipient_key, seal
from vault.statements.compact import sign
from vault.statements.publishing import Issuer


def hand_over(issuer: Issuer, warrant: Warrant, handover: Handover) -> str:
    """The disclosure in the one form its partner can read.

    Raises: KeyUnavailable where its key is none that something can be sealed to.
    """
    key = None if handover.key is None else _key(handover.key)
    claims = {
        "iss": issuer.name,
        "aud": handover.partner,
        "jti": handover.disclosure,
        "iat": int(handover.issued_at.timestamp()),
        "entry": warrant.receipt.entry,
        **handover.claims,
    }
    if handover.consent is not None:
        claims["consent"] = f"{handover.consent}/{handover.consent_version}"
    if handover.proof is not None:
        claims |= {"leaf": handover.proof.leaf, "proof": handover.proof.proof}
    signed = sign(issuer.key, {"typ": handover.type, "kid": issuer.kid}, claims)
    return signed if key is None else seal(key, signed, about(warrant, handover))


def challenge(warrant: Warrant, asked: Challenge) -> str:
    """What only the holder of a partner's key can read, sealed in the way of what is disclosed to it.

    Raises: KeyUnavailable where its key is none that something can be sealed to.
    """
    tenant, partner = ids.raw(warrant.tenant), ids.raw(asked.partner)
    return seal(_key(asked.key), asked.text, Possession(tenant, partner))


def about(warrant: Warrant, handover: Handover) -> About:
    """What the sealing is bound to."""
    tenant, partner, consent = map(ids.raw, (warrant.tenant, handover.partner, handover.consent or ""))
    return About(tenant, partner, consent, handover.consent_version, ids.raw(handover.disclosure))


def _key(text: str) -> RecipientKey:
    try:
        return recipient_key(json.loads(text))
    except (Malformed, ValueError):
        raise KeyUnavailable(
            "Nothing can be sealed to the partner's key.", advice="Have the partner register another one."
        ) from None
