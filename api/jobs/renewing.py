"""Keys of companies are replaced, one operation after the other: killed anywhere, it goes on when it is run again.

Nothing is kept of how far it came: an instant says which keys are due, and a key that was replaced is younger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from domain.actors import Actor
from domain.custody.keeping import SigningUse
from domain.custody.renewing import FindWornKeys, RenewDataKeys
from domain.custody.signing import ReplaceSigningKey, SigningKey
from domain.gate import Gate
from domain.ids import Id

Told = Callable[[float, str], None]
"""Takes the share that is done, and a word about what is being done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which data keys are renewed."""

    before: datetime
    """Those made before this instant."""
    seals: int
    """Besides, those that sealed so many values."""
    subject: Id | None = None
    data_class: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a renewal did in one company."""

    company: Id
    minted: int
    """How many data keys got a next version."""
    sealed: int
    """How many values were sealed anew."""
    ended: int
    """How many older data keys were destroyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a key that signs ends."""

    before: datetime
    """One that was made at this instant or later stays."""
    compromised: bool = False
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Renewing:
    """Replaces keys of companies."""

    gate: Gate
    act: Callable[[Id], Actor]
    """Who acts in a company."""

    async def data_keys(self, companies: Sequence[Id], wanted: Wanted, told: Told) -> list[Tally]:
        """Every data key that is due gets its next version, and what older ones sealed follows."""
        done: list[Tally] = []
        for place, company in enumerate(companies):
            done.append(await self._renewed(company, wanted, partial(told, place / len(companies))))
        told(1.0, "done")
        return done

    async def signing_keys(self, companies: Sequence[Id], use: SigningUse, ended: Ended) -> list[SigningKey]:
        """Every key of a use that is due is replaced; the new ones."""
        replacing = ReplaceSigningKey(use=use, before=ended.before, compromised=ended.compromised, since=ended.since)
        done = [await self.gate.perform(replacing, self.act(company), request="replace") for company in companies]
        return [one.value for one in done if one.value is not None]

    async def _renewed(self, company: Id, wanted: Wanted, told: Callable[[str], None]) -> Tally:
        actor = self.act(company)
        found = await self.gate.perform(FindWornKeys(seals=wanted.seals), actor, request="renew")
        minted = sealed = ended = 0
        last = ""
        while True:
            step = RenewDataKeys(
                before=wanted.before,
                worn=found.value,
                subject=wanted.subject,
                data_class=wanted.data_class,
                after=last,
            )
            done = (await self.gate.perform(step, actor, request="renew")).value
            minted, sealed, ended, last = minted + done.minted, sealed + done.sealed, ended + done.ended, done.last
            told(f"{ended} data keys ended, {sealed} values sealed anew")
            if not last:
                return Tally(company=company, minted=minted, sealed=sealed, ended=ended)
