"""The sweep of retention: kind by kind, some records at a time, each step an operation of `system:retention`."""

from __future__ import annotations

from collections.abc import Callable

from domain.actors import Actor
from domain.custody.retention import Due, SweepRecords, SweepSealed
from domain.custody.rules import KINDS, sealed_clock
from domain.custody.shown import AdoptRetentionRules
from domain.gate import Gate

Told = Callable[[float, str], None]
"""Takes the share that is done, and a word about what is being done."""


def untold(_share: float, _what: str) -> None:
    """Tells nobody."""


async def sweep(gate: Gate, actor: Actor, *, dry: bool, told: Told = untold) -> list[Due]:
    """Every record of a company that is past its time; it ends, unless it stays or nothing is to be ended.

    Killed anywhere, it is run again: what ended is not looked at twice.
    """
    due: list[Due] = []
    if not dry:
        await gate.perform(AdoptRetentionRules(), actor, request="retention")
    for number, record in enumerate(KINDS):
        last, looked_at = "", 0
        while True:
            told(number / len(KINDS), f"{record.shape.name}: {looked_at}")
            kind = SweepSealed if sealed_clock(record) else SweepRecords
            operation = kind(kind=record.shape.name, after=last, dry=dry)
            step = (await gate.perform(operation, actor, request="retention")).value
            due += step.due
            last, looked_at = step.last, looked_at + step.looked_at
            if not last:
                break
    told(1.0, "done")
    return due
