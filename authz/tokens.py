"""A bearer token names an actor only after its issuer, key, signature, times and tenant were checked.

The answer to a token that fails is one constant sentence; the true cause is for the audit log. No token is kept,
logged or put into an error: of one that was checked, what it says is remembered under its digest, and its times are
checked again whenever it comes.
"""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

from authz.private import read_private, write_private
from authz.roles import CUSTOMER, JOB, OUTSIDERS, PARTNER, ROLES
from domain import ids
from domain.actors import Actor
from domain.errors import Conflict, KeyUnavailable, Malformed, NotAuthenticated
from domain.ids import Id

ALGORITHMS = ("ES256", "Ed25519", "RS256")
"""Signatures that are accepted; each key verifies exactly one of them, so no token chooses its own check."""

MAX_BYTES = 8 * 1024
REMEMBERED = 4_096
"""How many checked tokens are remembered."""
LEEWAY = timedelta(seconds=60)
"""How far an issuer's clock may be ahead of ours. A token is never used after it expired."""

LOCAL = "urn:credence:local"
AUDIENCE = "urn:credence:api"
TYPE = "at+jwt"
TENANT = "te"
"""The prefix of the id of a tenant."""

_TYPES = frozenset({TYPE, f"application/{TYPE}"})
_HEADER = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
"""Members a header may have: none of them brings a key along or changes what is signed."""
_BEARERS = frozenset(ROLES) - {JOB}
_SEGMENTS = 3
_LONGEST_NAME = 256
_RSA_BITS = 2048


class Cause(Enum):
    """Why a token was refused; only the audit log learns it."""

    TOO_LARGE = "TOO_LARGE"
    MALFORMED = "MALFORMED"
    WRONG_TYPE = "WRONG_TYPE"
    ALG_NOT_ALLOWED = "ALG_NOT_ALLOWED"
    UNKNOWN_ISSUER = "UNKNOWN_ISSUER"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    WRONG_AUDIENCE = "WRONG_AUDIENCE"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    MISSING_CLAIM = "MISSING_CLAIM"
    MISPLACED_CLAIM = "MISPLACED_CLAIM"
    WRONG_TENANT = "WRONG_TENANT"
    UNKNOWN_ROLE = "UNKNOWN_ROLE"
    KEY_NOT_PROVEN = "KEY_NOT_PROVEN"
    """The token is bound to a key (`cnf`) and may not be used as a bearer token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """An issuer whose tokens are accepted, with its public keys."""

    issuer: str
    audience: str
    keys: Mapping[str, Any] = field(repr=False)
    """A JWK set of public keys, each with its own `kid`."""
    tenants: frozenset[str] | None = None
    """The tenants it may speak for; None means each that is served here."""


class Verifier:
    """Turns bearer tokens into actors."""

    def __init__(self, issuers: Iterable[Trusted], tenants: Callable[[str], bool]) -> None:
        trusted = tuple(issuers)
        self._issuers = {one.issuer: one for one in trusted}
        if len(self._issuers) != len(trusted):
            raise Malformed("An issuer is trusted once.")
        self._keys = {(one.issuer, kid): key for one in trusted for kid, key in _public_keys(one.keys)}
        self._tenants = tenants
        self._known: OrderedDict[bytes, tuple[Mapping[str, Any], Actor]] = OrderedDict()

    def verify(self, bearer: str, now: datetime) -> Actor:
        """The actor a token names; the token is what follows `Bearer ` in the header.

        Raises: NotAuthenticated, always with the same message.
        """
        digest = sha256(bearer.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is None:
            known = self._checked(bearer)
            self._known[digest] = known
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(digest)
        claims, actor = known
        _check_times(claims, int(now.timestamp()))
        return actor

    def _checked(self, bearer: str) -> tuple[Mapping[str, Any], Actor]:
        """What a token says and whom it names, whatever the time."""
        header, claims = _parse(bearer)
        issuer = self._issuers.get(_text(claims, "iss", Cause.MISSING_CLAIM))
        if issuer is None:
            raise _refused(Cause.UNKNOWN_ISSUER)
        self._check_signature(bearer, header, issuer)
        _check_audience(claims, issuer)
        return claims, self._actor(claims, issuer)

    def _check_signature(self, bearer: str, header: Mapping[str, Any], issuer: Trusted) -> None:
        if not isinstance(header.get("typ"), str) or header["typ"].lower() not in _TYPES:
            raise _refused(Cause.WRONG_TYPE)
        if header.get("alg") not in ALGORITHMS:
            raise _refused(Cause.ALG_NOT_ALLOWED)
        kid = header.get("kid")
        key = self._keys.get((issuer.issuer, kid)) if isinstance(kid, str) else None
        if key is None:
            raise _refused(Cause.UNKNOWN_KEY)
        if header["alg"] != _algorithm(key):
            raise _refused(Cause.ALG_NOT_ALLOWED)
        if not _is_signed(bearer, key, header["alg"]):
            raise _refused(Cause.BAD_SIGNATURE)

    def _actor(self, claims: Mapping[str, Any], issuer: Trusted) -> Actor:
        tenant = _text(claims, "tenant", Cause.WRONG_TENANT)
        if (issuer.tenants is not None and tenant not in issuer.tenants) or not self._tenants(tenant):
            raise _refused(Cause.WRONG_TENANT)
        if "cnf" in claims:
            raise _refused(Cause.KEY_NOT_PROVEN)
        roles = _roles(claims)
        return Actor(
            tenant=Id(tenant),
            person=_person(claims),
            roles=roles,
            partner=_spoken_for(claims, "partner", "pa", needed=PARTNER in roles),
            subject=_spoken_for(claims, "subject", "cu", needed=CUSTOMER in roles),
        )


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
        if key is None or not key.is_private or _algorithm(key) != "ES256":
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
    ) -> str:
        """A token (RFC 9068) for one person in one tenant.

        Raises: Malformed when a verifier would refuse it.
        """
        issued = int(now.timestamp())
        claims = {
            "iss": LOCAL,
            "aud": AUDIENCE,
            "sub": person,
            "client_id": LOCAL,
            "tenant": tenant,
            "roles": sorted(roles),
            "iat": issued,
            "exp": issued + int(lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(12),
        }
        claims |= {name: value for name, value in (("partner", partner), ("subject", subject)) if value is not None}
        header = {"alg": "ES256", "kid": self._kid, "typ": TYPE}
        token = jws.serialize_compact(header, json.dumps(claims, separators=(",", ":")), self._key, ["ES256"])
        self._prove(token, tenant, now)
        return token

    def jwks(self) -> dict[str, Any]:
        """The public key, as a JWK set."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": "ES256"}]}

    def trusted(self) -> Trusted:
        """This issuer as a verifier trusts it."""
        return Trusted(issuer=LOCAL, audience=AUDIENCE, keys=self.jwks())

    def _prove(self, token: str, tenant: str, now: datetime) -> None:
        try:
            Verifier([self.trusted()], tenant.__eq__).verify(token, now)
        except NotAuthenticated as error:
            cause = error.cause
        else:
            return
        raise Malformed(f"No verifier would accept such a token: {cause}.", advice="Check roles, partner and subject.")


def claimed_tenant(bearer: str) -> str | None:
    """The tenant a token says it is for, unverified; None where it names none that is well formed.

    It only chooses whose log records a refusal: whatever stands in a token that failed is a claim of a stranger.
    """
    try:
        _, claims = _parse(bearer)
        return ids.check(_text(claims, "tenant", Cause.WRONG_TENANT), TENANT)
    except (NotAuthenticated, Malformed):
        return None


def _refused(cause: Cause) -> NotAuthenticated:
    return NotAuthenticated("The bearer token is not valid.", cause=cause.value)


def _parse(bearer: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The header and the claims, still unverified."""
    if len(bearer) > MAX_BYTES:
        raise _refused(Cause.TOO_LARGE)
    segments = bearer.split(".")
    if len(segments) != _SEGMENTS:
        raise _refused(Cause.MALFORMED)
    header, claims = _object(segments[0]), _object(segments[1])
    if header is None or claims is None or not header.keys() <= _HEADER:
        raise _refused(Cause.MALFORMED)
    return header, claims


def _object(segment: str) -> dict[str, Any] | None:
    """A JSON object from a segment; None where there is none, so that no error carries a part of the token."""
    try:
        value = json.loads(urlsafe_b64decode(segment.encode()))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_signed(bearer: str, key: Key, algorithm: str) -> bool:
    try:
        jws.deserialize_compact(bearer, key, [algorithm])
    except (JoseError, ValueError):
        return False
    return True


def _check_audience(claims: Mapping[str, Any], issuer: Trusted) -> None:
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if issuer.audience not in named:
        raise _refused(Cause.WRONG_AUDIENCE)


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    latest = now + int(LEEWAY.total_seconds())
    if _instant(claims, "exp") <= now:
        raise _refused(Cause.EXPIRED)
    if _instant(claims, "iat") > latest or ("nbf" in claims and _instant(claims, "nbf") > latest):
        raise _refused(Cause.NOT_YET_VALID)


def _instant(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if value is None:
        raise _refused(Cause.MISSING_CLAIM)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _refused(Cause.MALFORMED)
    return value


def _text(claims: Mapping[str, Any], name: str, missing: Cause) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise _refused(missing)
    return value


def _person(claims: Mapping[str, Any]) -> str:
    """The subject of the token; it goes into the audit log, and no person is called like a job."""
    person = _text(claims, "sub", Cause.MISSING_CLAIM)
    if len(person) > _LONGEST_NAME or not person.isprintable() or person.startswith(f"{JOB}:"):
        raise _refused(Cause.MALFORMED)
    return person


def _roles(claims: Mapping[str, Any]) -> frozenset[str]:
    """The roles, all of them known; somebody from outside the company has no other role."""
    named = claims.get("roles")
    if not isinstance(named, list) or not named:
        raise _refused(Cause.MISSING_CLAIM)
    if not all(isinstance(role, str) and role in _BEARERS for role in named):
        raise _refused(Cause.UNKNOWN_ROLE)
    roles = frozenset(named)
    if roles & OUTSIDERS and len(roles) > 1:
        raise _refused(Cause.MISPLACED_CLAIM)
    return roles


def _spoken_for(claims: Mapping[str, Any], name: str, prefix: str, *, needed: bool) -> Id | None:
    """The partner or customer the token speaks for: named exactly when its role asks for one."""
    if needed != (name in claims):
        raise _refused(Cause.MISSING_CLAIM if needed else Cause.MISPLACED_CLAIM)
    if not needed:
        return None
    text = _text(claims, name, Cause.MISSING_CLAIM)
    try:
        return ids.check(text, prefix)
    except Malformed:
        refusal = _refused(Cause.MALFORMED)
    raise refusal


def _public_keys(jwks: Mapping[str, Any]) -> Iterable[tuple[str, Key]]:
    """The keys of a set that sign in a way accepted here; sets also list keys for other uses."""
    seen = set()
    for jwk in jwks.get("keys", ()):
        key = _imported(jwk)
        if key is None or jwk.get("use", "sig") != "sig" or jwk.get("alg", _algorithm(key)) != _algorithm(key):
            continue
        if key.is_private:
            raise Malformed("An issuer is trusted with its public keys alone.")
        kid = jwk.get("kid")
        if not isinstance(kid, str) or not kid or kid in seen:
            raise Malformed("Each key of an issuer has a kid of its own.")
        seen.add(kid)
        yield kid, key
    if not seen:
        raise Malformed("An issuer has no public signing key: P-256, Ed25519, or RSA of at least 2048 bits.")


def _imported(jwk: Mapping[str, Any]) -> Key | None:
    try:
        key = JWKRegistry.import_key(dict(jwk))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if _algorithm(key) else None


def _algorithm(key: Key) -> str | None:
    """The one algorithm a key verifies; None for keys that are not accepted, above all symmetric ones."""
    if isinstance(key, ECKey) and key.curve_name == "P-256":
        return "ES256"
    if isinstance(key, OKPKey) and key.curve_name == "Ed25519":
        return "Ed25519"
    if isinstance(key, RSAKey) and key.public_key.key_size >= _RSA_BITS:
        return "RS256"
    return None
