"""Asks the witnesses of an installation to cosign each new checkpoint.

No write waits for it: a checkpoint is signed and shown without its witnesses, and they come to it in a moment. A
witness that is slow, away or refuses holds up no other; it is asked again, each time later, up to a bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import sqlalchemy as sa
import structlog

from domain.errors import CreditError, Tampered, Unavailable
from domain.ids import Id
from domain.ports import Clock
from vault.audit.merkle import Proof
from vault.store.ledger import cosigning
from vault.store.ledger.cosigning import Standing, called
from vault.witness.asking import Behind, Connect, Inconsistent, Place, cosignature, submit

T = TypeVar("T")

LONGEST: Final = timedelta(minutes=5)
"""How long a witness that failed is left alone at most."""

_LOG = structlog.get_logger("credence.witness")


class State(Enum):
    """How a witness stands with a log."""

    COSIGNED = "COSIGNED"
    """It cosigned what is newest, or will in a moment."""
    UNREACHABLE = "UNREACHABLE"
    REFUSING = "REFUSING"
    """It does not follow the log, or its key, or answers what does not verify."""
    INCONSISTENT = "INCONSISTENT"
    """It says that the log is not the one it cosigned before."""


_WORST: Final = (State.COSIGNED, State.UNREACHABLE, State.REFUSING, State.INCONSISTENT)


@dataclass(slots=True)
class _Known:
    """What is remembered of one witness and one log."""

    state: State = State.COSIGNED
    said: str = ""
    failures: int = 0
    again_at: datetime | None = None
    alarmed: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """How far one witness is with one log."""

    witness: str
    url: str
    state: State
    size: int
    """How many entries it cosigned."""
    behind: int
    """How many entries the newest checkpoint has beyond that."""
    at: datetime | None
    said: str = ""


class Logs(Protocol):
    """What a store offers for it."""

    async def inspect(self, tenant: Id | None, look: Callable[[sa.Connection], T]) -> T:
        """What a look at one snapshot of the database finds."""
        ...

    async def beside(self, tenant: Id, run: Callable[[sa.Connection], T]) -> T:
        """What a work beside the records gives, durable when it returns."""
        ...


Alarm = Callable[[Id, Id, int], Awaitable[Any]]
"""Records that a witness says of a log, at a size, that it was rewritten. Raises: Unavailable."""


@dataclass(slots=True, kw_only=True)
class Cosigning:
    """The witnesses of an installation, and what is remembered of each."""

    store: Logs
    clock: Clock
    places: Sequence[Place]
    alarm: Alarm
    connect: Connect | None = None
    """Opens a connection to a witness, where its address is judged first."""
    _known: dict[tuple[Id, str], _Known] = field(default_factory=dict)

    async def ask(self, tenant: Id, *, now: bool = False) -> None:
        """Asks every witness that has not cosigned the newest checkpoint of a log; all of them at once.

        `now` asks those too that failed a moment ago.
        """
        standing = await self.store.inspect(tenant, cosigning.standing(tenant))
        if standing is None:
            return
        waiting = [
            self._one(tenant, place, standing)
            for place in self.places
            if not _has(standing, place) and (now or self._is_due(tenant, place))
        ]
        await asyncio.gather(*waiting)

    async def told(self, tenant: Id) -> list[Told]:
        """How far every witness is with a log."""
        standing = await self.store.inspect(tenant, cosigning.standing(tenant))
        newest = 0 if standing is None else standing.size
        found = []
        for place in self.places:
            name = called(place.key)
            known = self._known.get((tenant, name), _Known())
            cosigned = None if standing is None else standing.witnesses.get(name)
            size = 0 if cosigned is None else cosigned.size
            at = None if cosigned is None else cosigned.at
            found.append(Told(name, place.url, known.state, size, newest - size, at, known.said))
        return found

    def worst(self) -> Mapping[str, str]:
        """Of each witness the worst that is remembered, over all logs."""
        found = dict.fromkeys((called(place.key) for place in self.places), State.COSIGNED)
        for (_, name), known in self._known.items():
            found[name] = max(found[name], known.state, key=_WORST.index)
        return {name: state.value for name, state in found.items()}

    async def _one(self, tenant: Id, place: Place, standing: Standing) -> None:
        name = called(place.key)
        known = self._known.setdefault((tenant, name), _Known())
        prove = partial(self._proof, tenant, standing.size)
        try:
            old = _size(standing, place)
            # Where less is there than was cosigned, the witness says so itself.
            believed = old if old <= standing.size else 0
            given = await submit(place, standing.checkpoint, believed, prove, self.connect)
            if isinstance(given, Behind):
                await self._ahead(tenant, given.size)
            else:
                one = cosigning.One(size=standing.size, key=place.key, line=given.line, at=self.clock.now())
                await self.store.beside(tenant, partial(cosigning.keep, tenant=tenant, one=one))
        except Inconsistent as error:
            await self._alarm(tenant, name, known, standing.size)
            self._failed(known, State.INCONSISTENT, error)
        except Unavailable as error:
            refused = isinstance(error, Tampered)
            self._failed(known, State.REFUSING if refused else State.UNREACHABLE, error)
        else:
            self._known[tenant, name] = _Known()

    async def _ahead(self, tenant: Id, size: int) -> None:
        """A witness that cosigned more than is known here: another process signed more, or an older state came back.

        Raises: Inconsistent where no checkpoint of the log is so large.
        """
        newest = await self.store.inspect(tenant, cosigning.standing(tenant))
        if newest is None or newest.size < size:
            raise Inconsistent(
                f"The witness cosigned {size} entries, and the log has fewer.",
                advice="An older state of the database came back, or entries were removed: keep both.",
            )

    async def _alarm(self, tenant: Id, name: str, known: _Known, size: int) -> None:
        """Records it once, until the witness cosigns again."""
        if known.alarmed:
            return
        await self.alarm(tenant, Id(f"witness/{name}"), size)
        known.alarmed = True
        _LOG.error("A witness says that the log was rewritten.", tenant=tenant, witness=name)

    def _failed(self, known: _Known, state: State, error: CreditError) -> None:
        if known.state is not state:
            _LOG.warning("A witness does not cosign.", state=state.value, code=error.code.value)
        known.state, known.said = state, error.message
        known.failures = min(known.failures + 1, 10)
        pause = min(timedelta(seconds=2**known.failures), LONGEST)
        known.again_at = self.clock.now() + pause

    def _is_due(self, tenant: Id, place: Place) -> bool:
        known = self._known.get((tenant, called(place.key)))
        return known is None or known.again_at is None or self.clock.now() >= known.again_at

    async def _proof(self, tenant: Id, new: int, old: int) -> Proof:
        """What shows that a log of one size extends that of another."""
        return await self.store.inspect(tenant, cosigning.grown(tenant, old, new))


def _has(standing: Standing, place: Place) -> bool:
    """Whether a witness cosigned the newest checkpoint, and that one: another of the same size is another history."""
    cosigned = standing.witnesses.get(called(place.key))
    if cosigned is None or cosigned.size != standing.size:
        return False
    try:
        cosignature(place.key, standing.checkpoint, cosigned.line)
    except Tampered:
        return False
    return True


def _size(standing: Standing, place: Place) -> int:
    cosigned = standing.witnesses.get(called(place.key))
    return 0 if cosigned is None else cosigned.size
