"""The rights of one person: what its roles give, less what its training withdraws, more what a broken glass adds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from domain.actors import Actor, Grants, Rights
from domain.ids import Id
from domain.persons.standing import PLAIN, Standing
from domain.ports import Clock

KEPT: Final = 4_096
"""How many adjusted rights are kept at hand."""

_Key = tuple[int, tuple[tuple[str, str], ...], str, tuple[str, ...]]


class Adjusting:
    """Grants of roles, adjusted by what is set about each person. Whoever has nothing set about it is not slowed."""

    def __init__(self, grants: Grants, clock: Clock) -> None:
        self._grants = grants
        self._clock = clock
        self._made: OrderedDict[_Key, Rights] = OrderedDict()

    async def notice(self, tenant: Id) -> None:
        """Takes notice of the grants in force in a company.

        Chapter: 8.1.
        """
        await self._grants.notice(tenant)

    def rights(self, actor: Actor) -> Rights:
        """The rights of an actor as they are at this instant; interned.

        Chapter: 8.1, 8.4.
        """
        base, standing = self._grants.rights(actor), actor.standing
        return base if standing is PLAIN else self._adjusted(base, standing)

    def _adjusted(self, base: Rights, standing: Standing) -> Rights:
        now = self._clock.now()
        lapsed = lapsed_at(standing, base, now)
        glass = standing.glass if standing.glass is not None and now < standing.glass.ends_at else None
        if not lapsed and glass is None:
            return base
        # A deny of any role outweighs every allow, also that of an emergency.
        added = () if glass is None else tuple(one for one in glass.actions if one not in base.denied)
        key = (base.id, tuple(lapsed.items()), "" if glass is None else glass.id, added)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = _made(base, key)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        return made


def lapsed_at(standing: Standing, base: Rights, now: datetime) -> dict[str, str]:
    """The actions that roles allow and training does not at an instant, each with the course that is missing.

    Chapter: 8.4.
    """
    return {
        one.action: one.course
        for one in standing.lapses
        if one.action in base.allowed and (one.until is None or one.until <= now)
    }


def _made(base: Rights, key: _Key) -> Rights:
    _, withdrawn, glass, added = key
    lapsed = {action: course for action, course in withdrawn if action not in added}
    allowed = {action: rule for action, rule in base.allowed.items() if action not in lapsed}
    allowed |= {action: glass for action in added if action not in base.allowed or action in dict(withdrawn)}
    number = int.from_bytes(sha256(repr(key).encode()).digest()[:8], "big")
    return replace(base, id=number, allowed=MappingProxyType(allowed), lapsed=MappingProxyType(lapsed))
