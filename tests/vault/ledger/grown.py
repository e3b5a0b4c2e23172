"""Logs that grow, in a store: entries of a kind, and what is signed over them."""

import asyncio

from domain.audit import Entry, Outcome
from domain.ids import encode
from tests.world import TENANT


def subject(number):
    """A customer."""
    return encode("cu", number.to_bytes(16, "big"))


def entry(world, *subjects, action="credit_file:read", actor="li", **more):
    """An entry of now."""
    now = world.clock.now()
    return Entry(
        id=world.ids.make("ae", int(now.timestamp() * 1000)),
        at=now,
        tenant=TENANT,
        actor=actor,
        action=action,
        subjects=tuple(map(subject, subjects)),
        outcome=Outcome.DONE,
        **more,
    )


def grow(world, count, *subjects, **more):
    """Entries that are durable, together; and the signed checkpoint over them."""

    async def put(made):
        await asyncio.gather(*map(world.store.put, made))

    made = [entry(world, *subjects, **more) for _ in range(count)]
    world.loop(put(made))
    return made, checkpoint(world)


def checkpoint(world):
    """The log's head, signed now."""
    return world.loop(world.store.checkpoint(TENANT))
