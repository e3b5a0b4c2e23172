"""A draft of the credit policy over a whole book: page after page through the Gate, in bounded memory.

The pages are read by the product itself, with all data; whoever asks is shown sums, whatever he may read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

from api.granting import House
from domain.actors import Actor
from domain.assessment.versions.simulating import SimulateCreditPolicy
from domain.assessment.versions.tallying import Tally, counted
from domain.assessment.versions.trying import AT_ONCE, TryCreditPolicy
from domain.errors import Conflict, Invalid

T = TypeVar("T")
Told = Callable[[float, str], None]
"""Takes the share that is done, and a word about it."""

AT_A_REQUEST: Final = 1_000
"""The largest book that a request waits for."""


async def simulated(house: House, actor: Actor, asked: SimulateCreditPolicy) -> SimulateCreditPolicy:
    """A simulation with the book counted, where it is small enough for a request; otherwise it says so.

    For who may not do it nothing is counted.
    """
    return await counted_for(house, actor, asked, most=AT_A_REQUEST)


async def counted_for(
    house: House,
    actor: Actor,
    asked: SimulateCreditPolicy,
    *,
    told: Told | None = None,
    most: int | None = None,
    request: str = "simulate",
) -> SimulateCreditPolicy:
    """The same, over a book of any size where no bound is given."""
    if house.rights(actor).missing(asked.actions):
        return asked
    job = Actor(tenant=actor.tenant, person="system:simulate", roles=frozenset({"system"}))
    try:
        tally, began = await _count(house, job, asked, told or _silent, most, request)
    except Invalid as problem:
        return replace(asked, problem=problem)
    return replace(asked, tally=tally, began_at=began)


async def _count(
    house: House, job: Actor, asked: SimulateCreditPolicy, told: Told, most: int | None, request: str
) -> tuple[Tally, datetime]:
    after, total = "", 0
    tally: Tally | None = None
    began: datetime | None = None
    while True:
        page = (await house.gate.perform(TryCreditPolicy(policy=asked.policy, after=after), job, request=request)).value
        began = began or page.at
        total = page.total if page.total is not None else total
        if most is not None and total > most:
            raise Conflict(
                f"The book has more than {most:,} open files, more than a request waits for.",
                advice="Run `credence policy simulate` on the machine.",
                path=("policy",),
            )
        if tally is None:
            tally = Tally(content_digest=page.content_digest, against=page.against)
        if (page.content_digest, page.against) != (tally.content_digest, tally.against):
            raise Conflict("The draft, or what is in force, changed meanwhile.", advice="Simulate it again.")
        tally = counted(tally, page.rows)
        told(min(tally.files / max(total, 1), 1.0), f"{tally.files:,} of {total:,} files")
        if len(page.rows) < AT_ONCE:
            return tally, began
        after = page.rows[-1].file


def _silent(_share: float, _note: str) -> Any:
    """Tells nobody."""
