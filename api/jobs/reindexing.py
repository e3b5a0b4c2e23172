"""Blind indexes get their next version, company by company: killed anywhere, it goes on when it is run again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from domain.actors import Actor
from domain.files.identifying.reindexing import BeginIndex, BuildIndex, DropIndex, TakeIndex
from domain.gate import Gate
from domain.ids import Id

Told = Callable[[float, str], None]
"""Takes the share that is done, and a word about what is being done."""
_REQUEST = "reindex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindexed:
    """What became of one index of one company."""

    company: Id
    field: str
    version: int
    looked_at: int = 0
    """How many values were looked at for the new version."""
    dropped: int = 0
    """How many tokens of older versions were deleted."""


@dataclass(frozen=True, slots=True)
class Reindexing:
    """Brings indexes to their next version, and says how far it is."""

    gate: Gate
    act: Callable[[Id], Actor]
    """Who acts in a company."""

    async def run(self, companies: Sequence[Id], fields: Sequence[str], told: Told) -> list[Reindexed]:
        """Every index that is named, in every company: begun or gone on with, and brought to its end."""
        done: list[Reindexed] = []
        total = len(companies) * len(fields)
        for company in companies:
            for field in fields:
                told(len(done) / total, f"{field} of {company}")
                done.append(await self._one(company, field))
        told(1.0, "done")
        return done

    async def _one(self, company: Id, field: str) -> Reindexed:
        actor = self.act(company)
        begun = (await self.gate.perform(BeginIndex(field=field), actor, request=_REQUEST)).value
        ended = Reindexed(company=company, field=field, version=begun.version)
        if begun.building is not None:
            while looked := (await self.gate.perform(BuildIndex(field=field), actor, request=_REQUEST)).value:
                ended = replace(ended, looked_at=ended.looked_at + looked)
            taken = await self.gate.perform(TakeIndex(field=field), actor, request=_REQUEST)
            ended = replace(ended, version=taken.value)
        while dropped := (await self.gate.perform(DropIndex(field=field), actor, request=_REQUEST)).value:
            ended = replace(ended, dropped=ended.dropped + dropped)
        return ended
