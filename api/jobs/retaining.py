"""The sweep of retention: kind by kind, some records at a time, each step an operation of `system:retention`."""

from __future__ import annotations

from domain.actors import Actor
from domain.custody.retention import KINDS, Due, SweepRecords
from domain.gate import Gate


async def sweep(gate: Gate, actor: Actor, *, dry: bool) -> list[Due]:
    """Every record of a company that is past its time; it is deleted, unless it is held or nothing is to be deleted."""
    due: list[Due] = []
    for record in KINDS:
        last = ""
        while True:
            operation = SweepRecords(kind=record.shape.name, after=last, dry=dry)
            step = (await gate.perform(operation, actor, request="retention")).value
            due += step.due
            last = step.last
            if not last:
                break
    return due
