"""The local issuer: tokens for development, the demo and small installations."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from authz.claims import SERVICE
from authz.keys import algorithm_of
from authz.private import read_private, write_private
from authz.tokens import AUDIENCE, LOCAL, TYPE, Trusted, Verifier
from domain.errors import Conflict, KeyUnavailable, Malformed, NotAuthenticated


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a token is bound to: a key, and perhaps some consents."""

    key: str
    """The thumbprint (RFC 7638) of the key."""
    consents: tuple[str, ...] = ()

    def claims(self) -> dict[str, Any]:
        """The claims that say so."""
        return {"cnf": {"jkt": self.key}} | ({"consents": list(self.consents)} if self.consents else {})


class LocalIssuer:
    """Issues tokens for development, the demo and small installations, with a key kept in one private file."""

    def __init__(self, key: ECKey) -> None:
        self._key = key
        self._kid = key.thumbprint()

    @classmethod
    def create(cls, path: Path) -> LocalIssuer:
        """A new issuer whose key only the owner of the file can read.

        Raises: Conflict when the file exists already; KeyUnavailable when it cannot be written.
        """
        key = ECKey.generate_key("P-256", private=True)
        try:
            write_private(path, json.dumps(key.as_dict(private=True)).encode())
        except FileExistsError:
            raise Conflict("The issuer has a signing key already.", advice="Load it, or move it away.") from None
        except OSError:
            raise KeyUnavailable("The signing key of the local issuer cannot be written.") from None
        return cls(key)

    @classmethod
    def load(cls, path: Path) -> LocalIssuer:
        """The issuer whose key is in a file.

        Raises: KeyUnavailable when the file is absent, not a key, or readable by others than its owner.
        """
        content = read_private(path)
        try:
            key = ECKey.import_key(json.loads(content))
        except (JoseError, ValueError, TypeError, KeyError):
            key = None
        if key is None or not key.is_private or algorithm_of(key) != "ES256":
            raise KeyUnavailable("The file of the local issuer holds no signing key.")
        return cls(key)

    def issue(
        self,
        tenant: str,
        person: str,
        roles: Collection[str],
        partner: str | None = None,
        subject: str | None = None,
        *,
        lifetime: timedelta,
        now: datetime,
        bound: Bound | None = None,
    ) -> str:
        """A token (RFC 9068) for one person in one tenant, bound to a key where one is given.

        Who is called `service:` and a client id is that program, as if it had come by the client-credentials grant.

        Raises: Malformed when a verifier would refuse it.
        """
        issued = int(now.timestamp())
        program = person.removeprefix(f"{SERVICE}:") if person.startswith(f"{SERVICE}:") else ""
        claims = {
            "iss": LOCAL,
            "aud": AUDIENCE,
            "sub": program or person,
            "client_id": program or LOCAL,
            "tenant": tenant,
            "roles": sorted(roles),
            "iat": issued,
            "exp": issued + int(lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(12),
        }
        claims |= {name: value for name, value in (("partner", partner), ("subject", subject)) if value is not None}
        if bound is not None:
            claims |= bound.claims()
        header = {"alg": "ES256", "kid": self._kid, "typ": TYPE}
        token = jws.serialize_compact(header, json.dumps(claims, separators=(",", ":")), self._key, ["ES256"])
        self._prove(token, tenant, now, "" if bound is None else bound.key)
        return token

    def jwks(self) -> dict[str, Any]:
        """The public key, as a JWK set."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": "ES256"}]}

    def trusted(self) -> Trusted:
        """This issuer as a verifier trusts it."""
        return Trusted(issuer=LOCAL, audience=AUDIENCE, keys=self.jwks())

    def _prove(self, token: str, tenant: str, now: datetime, key: str) -> None:
        try:
            Verifier([self.trusted()], tenant.__eq__).verify(token, now, key)
        except NotAuthenticated as error:
            cause = error.cause
        else:
            return
        advice = "Check roles, partner, subject and key."
        raise Malformed(f"No verifier would accept such a token: {cause}.", advice=advice)
