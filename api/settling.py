"""What is set about persons is looked up before the Gate is passed, and remembered for as long as nothing changes it.

A change of this process forgets at once what is remembered of its company. What another process changes is known within
a second: that is how long anything is remembered.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

from domain.actors import Actor
from domain.consent import standing as partners
from domain.ids import Id
from domain.persons import looking
from domain.persons.looking import Rows, Rules
from domain.persons.standing import Glass
from domain.ports import Readings, Scope, Steps

GOOD_SECONDS: Final = 1.0
"""How long what is looked up is good: another process may change it."""
COMPANIES: Final = 1_000
PERSONS: Final = 10_000
"""Of how many persons of a company something is remembered."""


class Reads(Protocol):
    """What a store offers to whoever looks something up."""

    async def read(self, tenant: Id, steps: Any, *, alone: bool = False, ledger: bool = False) -> Any:
        """Runs the steps of a reading in one snapshot."""
        ...


@dataclass(slots=True)
class _Company:
    """What is remembered of one company."""

    rules: Rules
    good_until: float
    persons: OrderedDict[str, Rows] = field(default_factory=OrderedDict)


class Settler:
    """Puts the standing of each person beside its roles."""

    def __init__(self, store: Reads, readings: Readings, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._rules, self._persons, self._glasses = (
            readings.prepare(judged) for judged in (looking.ruling(), looking.persons(), looking.glasses())
        )
        self._partners = readings.prepare(partners.standing())
        self._known: OrderedDict[Id, _Company] = OrderedDict()
        self._changes: dict[Id, int] = {}
        self._looking: dict[Id, asyncio.Lock] = {}

    async def rules(self, tenant: Id) -> Rules:
        """The rules of a company."""
        return (await self._company(tenant)).rules

    async def settled(self, actor: Actor) -> Actor:
        """The actor with its standing; whoever is no member of staff has none."""
        if actor.partner is not None or actor.subject is not None:
            return actor
        company = await self._company(actor.tenant)
        if actor.service:
            client = actor.person.partition(":")[2]
            actor = replace(actor, roles=company.rules.services.get((actor.issuer, client), frozenset()))
        elif actor.claimed:
            actor = replace(actor, roles=company.rules.given(actor.issuer, actor.claimed))
        rows = await self._person(company, actor) if looking.matters(actor, company.rules) else None
        glass = await self._glass(actor) if actor.glass else None
        standing = looking.standing_of(actor, company.rules, rows, glass)
        return actor if standing is actor.standing else replace(actor, standing=standing)

    async def barred(self, actor: Actor) -> str:
        """Why a partner's token opens nothing, as the store has it now; empty where nothing bars it."""
        rows = await self._looked_up(actor.tenant, self._partners, partners.words_for(actor))
        return partners.bar(actor, rows, self._now())

    def forget(self, tenant: Id) -> None:
        """Looks everything about a company up again when it is next needed."""
        self._changes[tenant] = self._changes.get(tenant, 0) + 1
        self._known.pop(tenant, None)

    async def _company(self, tenant: Id) -> _Company:
        known = self._remembered(tenant)
        if known is not None:
            return known
        # Whoever asks first looks it up; others that come meanwhile wait with it.
        async with self._looking.setdefault(tenant, asyncio.Lock()):
            return self._remembered(tenant) or await self._look_up(tenant)

    def _remembered(self, tenant: Id) -> _Company | None:
        known = self._known.get(tenant)
        return known if known is not None and time.monotonic() < known.good_until else None

    async def _look_up(self, tenant: Id) -> _Company:
        before, good_until = self._changes.get(tenant, 0), time.monotonic() + GOOD_SECONDS
        rows = await self._looked_up(tenant, self._rules, looking.asked_of_rules())
        company = _Company(looking.rules_of(rows), good_until)
        # What was looked up while it changed is used once, and not kept.
        if before == self._changes.get(tenant, 0):
            self._known[tenant] = company
            while len(self._known) > COMPANIES:
                self._known.popitem(last=False)
        return company

    async def _person(self, company: _Company, actor: Actor) -> Rows:
        rows = company.persons.get(actor.person)
        if rows is None:
            rows = await self._looked_up(actor.tenant, self._persons, (looking.MOST, actor.person))
            company.persons[actor.person] = rows
            while len(company.persons) > PERSONS:
                company.persons.popitem(last=False)
        return rows

    async def _glass(self, actor: Actor) -> Glass | None:
        """A broken glass is looked up whenever it is named: it is rare, and over at once when it is ended."""
        rows = await self._looked_up(actor.tenant, self._glasses, (1, actor.glass))
        return looking.glass_of(actor, rows)

    async def _looked_up(self, tenant: Id, steps: Steps, words: Sequence[object]) -> Rows:
        run = steps.run(Scope(tenant=tenant), words, self._now())
        draft = await self._store.read(tenant, run, alone=steps.alone)
        return {label: page["rows"] for label, page in draft.answer.items()}
