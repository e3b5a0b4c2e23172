"""A company that issues statements, a holder, and everything that can be presented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.ports import Unsigned
from vault import hazmat
from vault.statements import presenting
from vault.statements.compact import sign
from vault.statements.issuing import issue
from vault.statements.publishing import Trusted, issuer_name, issuer_of
from vault.statements.statuslist import sign_list
from vault.statements.verifying import Expected, verify

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
TENANT = "te_00000000000000000000000001"
AUDIENCE, NONCE = "https://supplier.example", "n-7f3a"
CLAIMS = {
    "name": "云帆网络",
    "grade": "BBB",
    "grade_at_least_B": True,
    "grade_at_least_A": False,
    "as_of": "2026-11-20",
}


class Scene:
    """One company, one holder, one statement; every part of it can be taken anew."""

    def __init__(self):
        root = hazmat.random_secret()
        self.issuer = issuer_of(root, bytes(16), issuer_name("https://credence.example", TENANT))
        self.other = issuer_of(hazmat.random_secret(), bytes(16), self.issuer.name)
        self.trusted = Trusted.read({"statements": self.issuer.metadata()})
        self.holder = presenting.new_key()
        self.text = self.issued()

    def unsigned(self, **changed):
        """The statement before it is signed."""
        parts = {
            "holder": {name: self.holder.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")},
            "issued_at": NOW,
            "expires_at": NOW + timedelta(days=30),
            "status_list": 1,
            "status_index": 77,
            "claims": CLAIMS,
            "room": 24,
        }
        return Unsigned(**(parts | changed))

    def issued(self, **changed):
        """A statement with all it can show."""
        return issue(self.issuer, self.unsigned(**changed))

    def shown(self, *names, text=None, key=None, audience=AUDIENCE, nonce=NONCE, now=SECONDS):
        """A presentation."""
        show = names or ("grade_at_least_B", "as_of")
        return presenting.present(
            text or self.text, key or self.holder, show=show, audience=audience, nonce=nonce, now=now
        )

    def listed(self, *revoked, issuer=None, number=1, issued=SECONDS, lifetime=3600, size=1 << 10):
        """A status list."""
        by = issuer or self.issuer
        uri = self.issuer.list_uri(number)
        return sign_list(by.key, by.kid, uri=uri, size=size, revoked=revoked, issued=issued, ttl=60, lifetime=lifetime)

    def signed(self, header=None, **claims):
        """A statement signed by the company with claims of the test's own."""
        return sign(self.issuer.key, {"typ": "dc+sd-jwt", "kid": self.issuer.kid} | (header or {}), claims)

    def verdict(self, text=None, *, at=NOW, status=None, audience=None, nonce=None, trusted=None):
        """What a verifier finds."""
        expected = Expected(audience=audience, nonce=nonce)
        return verify(text or self.text, trusted or self.trusted, at, status=status, expected=expected)

    def reason(self, *words, **named):
        """Why a verifier does not believe it; None where it does."""
        found = self.verdict(*words, **named)
        return None if found.ok else found.reason.value


@pytest.fixture(scope="module")
def scene():
    return Scene()
