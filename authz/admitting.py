"""Who is let in: a token and, where it is bound to a key, a proof of that key become an actor, or nothing.

What is refused is told one of three things, none of which depends on more than it need: that the proof is wrong, which
its sender made; that a nonce is wanted, which anybody may have; or that the token is not valid, whatever is the matter
with it, its key, its partner or its consents. The cause is recorded.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import structlog

from authz.jwks import RemoteKeys
from authz.keys import PROVING
from authz.nonces import Nonces
from authz.proofs import FLAWS, WANTS_NONCE, check_proof
from authz.tokens import Cause, Trusted, Verifier, claimed_issuer, claimed_tenant
from domain.actors import Actor, Credentials
from domain.errors import NotAuthenticated, Overloaded
from domain.ids import Id
from domain.ports import Clock

REFUSALS: Final = 120
"""How many refused tokens a minute are recorded one by one in a log; a flood of more cannot fill it."""
PROOFS: Final = 3_000
"""How many proofs of one key a process takes in a minute: what is written down of them stays bounded."""
KEYS: Final = 10_000
"""Of how many keys the pace is remembered."""
MINUTE: Final = 60.0
ALGS: Final = f'algs="{" ".join(PROVING)}"'

_LOG = structlog.get_logger("credence.admission")


class Refusing(Protocol):
    """Records that a caller could not be authenticated."""

    async def refuse(self, tenant: Id, error: NotAuthenticated, *, request: str = "") -> None:
        """Records it in the log of one company."""
        ...


class Remembering(Protocol):
    """What is known of companies, and of what was used."""

    async def tenants(self) -> list[Id]:
        """The companies that are served here, the installation itself among them."""
        ...

    async def spend(self, tenant: Id, once: str, until: int) -> bool:
        """Whether what may be used once is used for the first time now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the door needs from the rest of the house."""

    installation: Id
    """Whose log takes what belongs to no company."""
    gate: Refusing
    store: Remembering
    clock: Clock
    noticed: Callable[[Id], Awaitable[None]]
    """Takes notice of the grants in force in a company, before anything is judged by them."""
    barred: Callable[[Actor], Awaitable[str]]
    """Why a partner's token opens nothing now, in one word; empty where nothing bars it."""
    settled: Callable[[Actor], Awaitable[Actor]]
    """The actor with the roles and the standing that its company's rules give it; without a role where none does."""
    secret: Callable[[], Awaitable[bytes]]
    """The secret of nonces, the same in every process."""


class Authenticator:
    """Turns what came with a request into an actor, and records what was refused, with the cause nobody is told."""

    def __init__(
        self, issuers: Iterable[Trusted], around: Surroundings, remote: Mapping[str, RemoteKeys] | None = None
    ) -> None:
        self._remote = remote or {}
        self._renewed: dict[str, Mapping[str, Any]] = {}
        self._around = around
        self._served: set[str] = set()
        self._verifier = Verifier(issuers, self._served.__contains__)
        self._recorded: dict[str, deque[float]] = {}
        self._taken: dict[str, deque[float]] = {}
        self._nonces: Nonces | None = None

    async def __call__(self, given: Credentials) -> Actor:
        """The actor a token names, where what came along proves what it must; a proof is then used up.

        Raises: NotAuthenticated; Unavailable where it cannot be told whether a proof was used before.
        """
        if not given.bound:
            return await self._standing(given, "")
        proof = check_proof(given, await self._known_nonces(), self._around.clock.now())
        actor = await self._standing(given, proof.key)
        self._keep_pace(proof.key)
        # Last, so that strangers write nothing: what is written down was proven by a key that a token is bound to.
        if not await self._around.store.spend(actor.tenant, proof.once, proof.until):
            raise NotAuthenticated("The proof was used before.", cause=Cause.PROOF_REPLAYED.value)
        return actor

    def _keep_pace(self, key: str) -> None:
        """Takes no more proofs of a key than fit into a minute; it is one that a partner or a token has.

        Raises: Overloaded.
        """
        taken, now = self._taken.setdefault(key, deque(maxlen=PROOFS)), time.monotonic()
        if len(taken) == taken.maxlen and now - taken[0] < MINUTE:
            raise Overloaded(
                f"A key proves at most {taken.maxlen} requests in a minute.",
                advice="Wait a little, and ask for more at once.",
            )
        taken.append(now)
        while len(self._taken) > KEYS:
            del self._taken[next(iter(self._taken))]

    async def again(self, given: Credentials, actor: Actor) -> Actor:
        """The actor of a token that was let in before, verified now; what proved it then is not asked for again.

        Raises: NotAuthenticated once it is over.
        """
        return await self._standing(given, actor.key)

    async def nonce(self) -> str:
        """The nonce that proofs are to hold from now on."""
        return (await self._known_nonces()).current(self._around.clock.now())

    async def refused(self, error: NotAuthenticated, given: Credentials, *, request: str = "") -> Mapping[str, str]:
        """Records a refusal in the log of the company that is named, or in the installation's own; how to do better.

        A flood is recorded up to a bound and then only logged, so that strangers cannot fill a company's log; each
        log has its own bound, so that a flood hides nothing of what happens to others. That a nonce is wanted is no
        refusal yet.
        """
        if error.cause in WANTS_NONCE:
            _LOG.info("A proof needs a nonce.", cause=error.cause, request=request)
        else:
            await self._record(error, given.token, request)
        return await self._challenge(error, given)

    async def _record(self, error: NotAuthenticated, token: str, request: str) -> None:
        claimed = claimed_tenant(token, self._verifier.issuers) if token else None
        installation = self._around.installation
        log = claimed if claimed is not None and claimed in self._served else installation
        recorded, now = self._recorded.setdefault(log, deque(maxlen=REFUSALS)), time.monotonic()
        if len(recorded) == recorded.maxlen and now - recorded[0] < MINUTE:
            _LOG.warning("Many tokens are refused; this one is not recorded.", cause=error.cause, request=request)
            return
        recorded.append(now)
        tenant = Id(claimed) if claimed is not None and await self._serves(claimed) else installation
        await self._around.gate.refuse(tenant, error, request=request)

    async def _challenge(self, error: NotAuthenticated, given: Credentials) -> Mapping[str, str]:
        """The headers of the answer (RFC 6750, section 3; RFC 9449, sections 7.1 and 9)."""
        if not given.bound:
            bearer = 'Bearer error="invalid_token"' if given.token else "Bearer"
            return {"WWW-Authenticate": f"{bearer}, DPoP {ALGS}"}
        code = "invalid_token"
        if error.cause in WANTS_NONCE:
            code = "use_dpop_nonce"
        elif error.cause in FLAWS:
            code = "invalid_dpop_proof"
        return {"WWW-Authenticate": f'DPoP error="{code}", {ALGS}', "DPoP-Nonce": await self.nonce()}

    async def _standing(self, given: Credentials, key: str) -> Actor:
        """The actor of a token that is valid and, where it is a partner's, whose partner, key and consents stand."""
        actor = await self._verified(given.token, key)
        if given.glass and actor.partner is None and actor.subject is None:
            actor = replace(actor, glass=given.glass)
        actor = await self._around.settled(actor)
        if not actor.roles:
            cause = Cause.UNKNOWN_SERVICE if actor.service else Cause.NO_ROLE
            raise NotAuthenticated("The token gives no role.", cause=cause.value)
        if actor.partner is not None and (bar := await self._around.barred(actor)):
            raise NotAuthenticated("The token opens nothing any more.", cause=bar)
        await self._around.noticed(actor.tenant)
        return actor

    async def _verified(self, token: str, key: str) -> Actor:
        now, issuer = self._around.clock.now(), await self._prepared(token)
        try:
            return self._verifier.verify(token, now, key)
        except NotAuthenticated as error:
            if error.cause == Cause.UNKNOWN_KEY.value and await self._knows_more(issuer):
                return self._verifier.verify(token, now, key)
            # Only a token that a trusted issuer signed is worth a look at who is served meanwhile.
            if error.cause != Cause.WRONG_TENANT.value or not await self._serves(
                claimed_tenant(token, self._verifier.issuers)
            ):
                raise
        return self._verifier.verify(token, now, key)

    async def _prepared(self, token: str) -> str:
        """The issuer a token names, its keys as they are known now where they are fetched.

        Raises: KeyUnavailable where there are none.
        """
        issuer = claimed_issuer(token) if self._remote else ""
        if issuer in self._remote:
            self._renew(issuer, await self._remote[issuer].current())
        return issuer

    async def _knows_more(self, issuer: str) -> bool:
        """Whether an issuer that was asked again has other keys now."""
        keys = await self._remote[issuer].renewed() if issuer in self._remote else None
        if keys is not None:
            self._renew(issuer, keys)
        return keys is not None

    def _renew(self, issuer: str, keys: Mapping[str, Any]) -> None:
        if self._renewed.get(issuer) is not keys:
            self._renewed[issuer] = keys
            self._verifier.renew(issuer, keys)

    async def _known_nonces(self) -> Nonces:
        if self._nonces is None:
            self._nonces = Nonces(await self._around.secret())
        return self._nonces

    async def _serves(self, tenant: str | None) -> bool:
        """Whether a company is served here; one that is not known yet may have been opened meanwhile."""
        if tenant is not None and tenant not in self._served:
            self._served.update(await self._around.store.tenants())
            self._served.discard(self._around.installation)
        return tenant in self._served
