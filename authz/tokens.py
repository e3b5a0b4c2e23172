"""A token names an actor only after its issuer, key, signature, times, tenant and binding were checked.

The answer to a token that fails is one constant sentence; the true cause is for the audit log. No token is kept,
logged or put into an error: of one that was checked, what it says is remembered under its digest, and its times are
checked again whenever it comes.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.util import urlsafe_b64decode

from authz.claims import SERVICE, at, claimed, client_of
from authz.keys import algorithm_of, public_keys
from authz.roles import CUSTOMER, JOB, OUTSIDERS, PARTNER, ROLES
from domain import ids
from domain.actors import Actor
from domain.errors import Malformed, NotAuthenticated
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
TENANT_CLAIM = "tenant"
TENANT = "te"
"""The prefix of the id of a tenant."""

_TYPES = frozenset({TYPE, f"application/{TYPE}"})
_HEADER = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
"""Members a header may have: none of them brings a key along or changes what is signed."""
_BEARERS = frozenset(ROLES) - {JOB}
_SEGMENTS = 3
_LONGEST_NAME = 256
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
MAX_CONSENTS = 20
"""How many consents a token may rest on."""


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
    NO_ROLE = "NO_ROLE"
    """No rule of the company gives a role for what the token claims."""
    UNKNOWN_SERVICE = "UNKNOWN_SERVICE"
    """The token is of a program that has no service account in force."""
    WRONG_KEY = "WRONG_KEY"
    """The token is bound to another key than the one that was proven."""
    NOT_BOUND = "NOT_BOUND"
    """The token is bound to no key, and its role or the way it came asks for one."""
    PROOF_REPLAYED = "PROOF_REPLAYED"
    """The proof of the key was used before: whoever sends it again has seen it on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """An issuer whose tokens are accepted, with its public keys."""

    issuer: str
    audience: str
    keys: Mapping[str, Any] | None = field(repr=False)
    """A JWK set of public keys, each with its own `kid`; None where they are fetched before its tokens are verified."""
    tenants: frozenset[str] | None = None
    """The tenants it may speak for; None means each that is served here."""
    tenant_claim: str = TENANT_CLAIM
    """Where its tokens name the tenant; where they name none it speaks for one tenant alone."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What it calls the tenants, where that is not their id."""
    mapped: bool = False
    """Whether its tokens give the roles that the company's rules make of their claims, and never those they name."""

    def tenant_of(self, claims: Mapping[str, Any]) -> str:
        """The tenant that a token is for, as it says; empty where it says none."""
        if not self.tenant_claim:
            return next(iter(self.tenants or ()), "") if len(self.tenants or ()) == 1 else ""
        named = at(claims, self.tenant_claim)
        return self.names.get(named, named) if isinstance(named, str) else ""


class Verifier:
    """Turns bearer tokens into actors."""

    def __init__(self, issuers: Iterable[Trusted], tenants: Callable[[str], bool]) -> None:
        trusted = tuple(issuers)
        self.issuers: Mapping[str, Trusted] = {one.issuer: one for one in trusted}
        if len(self.issuers) != len(trusted):
            raise Malformed("An issuer is trusted once.")
        self._keys: dict[str, dict[str, Key]] = {}
        for one in trusted:
            self._keys[one.issuer] = {} if one.keys is None else dict(public_keys(one.keys))
        self._tenants = tenants
        self._known: OrderedDict[bytes, tuple[Mapping[str, Any], Actor]] = OrderedDict()

    def verify(self, bearer: str, now: datetime, key: str = "") -> Actor:
        """The actor a token names; the token is what follows `Bearer ` or `DPoP ` in the header.

        `key` is the thumbprint of the key whose possession came proven with it, where one did: a token that is bound
        to a key is good with that one alone, and one that is not bound is good with none.

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
        if actor.key != key:
            raise _refused(_unproven(actor.key, key))
        return actor

    def renew(self, issuer: str, keys: Mapping[str, Any]) -> None:
        """From now on an issuer has these keys and no others; what was verified with others is verified again."""
        self._keys[issuer] = dict(public_keys(keys))
        self._known.clear()

    def _checked(self, bearer: str) -> tuple[Mapping[str, Any], Actor]:
        """What a token says and whom it names, whatever the time."""
        header, claims = _parse(bearer)
        issuer = self.issuers.get(_text(claims, "iss", Cause.MISSING_CLAIM))
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
        key = self._keys[issuer.issuer].get(kid) if isinstance(kid, str) else None
        if key is None:
            raise _refused(Cause.UNKNOWN_KEY)
        if header["alg"] != algorithm_of(key):
            raise _refused(Cause.ALG_NOT_ALLOWED)
        if not _is_signed(bearer, key, header["alg"]):
            raise _refused(Cause.BAD_SIGNATURE)

    def _actor(self, claims: Mapping[str, Any], issuer: Trusted) -> Actor:
        tenant = issuer.tenant_of(claims)
        if not tenant or (issuer.tenants is not None and tenant not in issuer.tenants) or not self._tenants(tenant):
            raise _refused(Cause.WRONG_TENANT)
        client = client_of(claims) if issuer.mapped or not _is_outside(claims) else ""
        roles, key = frozenset[str]() if issuer.mapped or client else _roles(claims), _bound(claims)
        actor = Actor(
            tenant=Id(tenant),
            person=f"{SERVICE}:{client}" if client else _person(claims),
            roles=roles,
            service=bool(client),
            issuer=issuer.issuer,
            claimed=claimed(claims) if issuer.mapped and not client else (),
            partner=_spoken_for(claims, "partner", "pa", needed=PARTNER in roles),
            subject=_spoken_for(claims, "subject", "cu", needed=CUSTOMER in roles),
            key=key,
            consents=_consents(claims, PARTNER in roles),
        )
        if PARTNER in roles and not key:
            raise _refused(Cause.NOT_BOUND)
        return actor


def claimed_tenant(bearer: str, issuers: Mapping[str, Trusted] = MappingProxyType({})) -> str | None:
    """The tenant a token says it is for, unverified; None where it names none that is well formed.

    It only chooses whose log records a refusal: whatever stands in a token that failed is a claim of a stranger.
    """
    try:
        _, claims = _parse(bearer)
        issuer = issuers.get(str(claims.get("iss")))
        named = _text(claims, TENANT_CLAIM, Cause.WRONG_TENANT) if issuer is None else issuer.tenant_of(claims)
        return ids.check(named, TENANT)
    except (NotAuthenticated, Malformed):
        return None


def claimed_issuer(bearer: str) -> str:
    """The issuer a token says it is of, unverified: it only chooses whose keys are looked at."""
    try:
        return _text(_parse(bearer)[1], "iss", Cause.MISSING_CLAIM)
    except NotAuthenticated:
        return ""


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
    if len(person) > _LONGEST_NAME or not person.isprintable() or person.startswith((f"{JOB}:", f"{SERVICE}:")):
        raise _refused(Cause.MALFORMED)
    return person


def _is_outside(claims: Mapping[str, Any]) -> bool:
    """Whether a token names the role of somebody from outside the company, whose program is no account of it."""
    named = claims.get("roles")
    return isinstance(named, list) and any(role in OUTSIDERS for role in named if isinstance(role, str))


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
    return _id(_text(claims, name, Cause.MISSING_CLAIM), prefix)


def _id(text: Any, prefix: str) -> Id:
    if not isinstance(text, str):
        raise _refused(Cause.MALFORMED)
    try:
        return ids.check(text, prefix)
    except Malformed:
        refusal = _refused(Cause.MALFORMED)
    raise refusal


def _bound(claims: Mapping[str, Any]) -> str:
    """The thumbprint of the key a token is bound to (RFC 9449); empty where it is bound to none."""
    if "cnf" not in claims:
        return ""
    bound = claims["cnf"]
    key = bound.get("jkt") if isinstance(bound, dict) and len(bound) == 1 else None
    if not isinstance(key, str) or not _THUMBPRINT.fullmatch(key):
        raise _refused(Cause.KEY_NOT_PROVEN)  # bound in a way that nobody can prove here
    return key


def _consents(claims: Mapping[str, Any], allowed: bool) -> tuple[Id, ...]:  # noqa: FBT001 - an answer, no switch
    """The consents a partner's token rests on; none where it names none."""
    if "consents" not in claims:
        return ()
    named = claims["consents"]
    if not allowed:
        raise _refused(Cause.MISPLACED_CLAIM)
    if not isinstance(named, list) or not 1 <= len(named) <= MAX_CONSENTS:
        raise _refused(Cause.MALFORMED)
    found = [_id(one, "co") for one in named]
    return tuple(dict.fromkeys(found))


def _unproven(bound: str, proven: str) -> Cause:
    if not proven:
        return Cause.KEY_NOT_PROVEN
    return Cause.WRONG_KEY if bound else Cause.NOT_BOUND
