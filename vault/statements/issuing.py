"""A statement becomes an SD-JWT VC: every claim hidden under a salt of its own, and as many digests in each of them."""

from __future__ import annotations

from typing import Final

from domain.ports import Unsigned
from vault import hazmat
from vault.statements.compact import sign
from vault.statements.publishing import Issuer
from vault.statements.sdjwt import Compact, Concealing, Hidden
from vault.statements.verifying import TYPE, VCT

MEDIA_TYPE: Final = "application/dc+sd-jwt"


def issue(issuer: Issuer, statement: Unsigned) -> str:
    """The statement in compact form, with all its disclosures: what its holder keeps."""
    concealing = Concealing(hazmat.random_bytes)
    issued = int(statement.issued_at.timestamp())
    signed_alone = {
        "iss": issuer.name,
        "vct": VCT,
        "iat": issued,
        "nbf": issued,
        "exp": int(statement.expires_at.timestamp()),
        "cnf": {"jwk": dict(statement.holder)},
        "status": {
            "status_list": {"idx": statement.status_index, "uri": issuer.list_uri(statement.status_list)},
        },
    }
    hidden = {name: Hidden(value) for name, value in statement.claims.items()}
    decoys = max(0, statement.room - len(hidden))
    claims = concealing.conceal(signed_alone | hidden, decoys=decoys)
    signed = sign(issuer.key, {"typ": TYPE, "kid": issuer.kid}, claims)
    return Compact(signed, tuple(concealing.disclosures)).presented
