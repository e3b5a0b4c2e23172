"""Keys turn, company by company, one operation after the other: killed anywhere, it goes on when it is run again.

Nothing is kept of how far it came: every step looks at what is stored and does what is left. Reading and writing go on
meanwhile. Roots belong to all companies together, so the installation's own log leads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from domain.actors import Actor
from domain.custody.epochs import (
    AdvanceKeys,
    BeginRotation,
    CondemnEpoch,
    DestroyEpoch,
    RetireEpochs,
    RewrapKeys,
    VerifyKeys,
)
from domain.gate import Gate
from domain.ids import Id

Told = Callable[[float, str], None]
"""Takes the share that is done, and a word about what is being done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What a rotation did."""

    epoch: int
    moved: int
    verified: int
    opened: int
    retired: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Turning:
    """Turns the keys of all companies of an installation."""

    gate: Gate
    leading: Id
    """The installation itself."""
    companies: Sequence[Id]
    act: Callable[[Id], Actor]
    """Who acts in a company."""

    async def rotate(self, told: Told, *, fresh: bool) -> Rotated:
        """Goes on with the epoch under way until every key lies under it; where none is, a fresh one may begin."""
        begin = BeginRotation(fresh=fresh)
        begun = await self.gate.perform(begin, self.act(self.leading), request="rotate")
        for tenant in self._all():
            await self.gate.perform(AdvanceKeys(epoch=begun.value), self.act(tenant), request="rotate")
        return await self._follow(told)

    async def _follow(self, told: Told) -> Rotated:
        """Everything that lies under older epochs follows; it is verified, and then those epochs are left.

        The installation comes last: while it turns, the rotation is under way.
        """
        epoch = moved = verified = opened = 0
        retired: set[int] = set()
        everybody = tuple(self._all())
        for place, tenant in enumerate(everybody):
            share = place / len(everybody)
            standing, own = await self._rewrapped(tenant, partial(told, share))
            keys, cells = await self._verified(tenant)
            left = await self._left(tenant)
            epoch, moved, verified, opened = standing, moved + own, verified + keys, opened + cells
            retired.update(left)
        told(1.0, "done")
        return Rotated(epoch=epoch, moved=moved, verified=verified, opened=opened, retired=tuple(sorted(retired)))

    async def destroy(self, number: int) -> None:
        """Destroys the root of an epoch that every company has left: first everybody says so, then it is done."""
        for tenant in self._all():
            await self.gate.perform(CondemnEpoch(number=number), self.act(tenant), request="destroy")
        for tenant in self._all():
            await self.gate.perform(DestroyEpoch(number=number), self.act(tenant), request="destroy")

    async def _rewrapped(self, tenant: Id, told: Callable[[str], None]) -> tuple[int, int]:
        moved = 0
        while True:
            step = (await self.gate.perform(RewrapKeys(), self.act(tenant), request="rotate")).value
            moved += step.moved
            told(f"{step.standing.behind} data keys left")
            if not step.moved:
                return step.standing.epoch, moved

    async def _verified(self, tenant: Id) -> tuple[int, int]:
        keys = cells = 0
        last = ""
        while True:
            step = (await self.gate.perform(VerifyKeys(after=last), self.act(tenant), request="rotate")).value
            keys, cells, last = keys + step.keys, cells + step.cells, step.last
            if not last:
                return keys, cells

    async def _left(self, tenant: Id) -> tuple[int, ...]:
        last = ""
        while True:
            step = (await self.gate.perform(RetireEpochs(after=last), self.act(tenant), request="rotate")).value
            last = step.last
            if not last:
                return step.epochs

    def _all(self) -> Iterable[Id]:
        return *(tenant for tenant in self.companies if tenant != self.leading), self.leading
