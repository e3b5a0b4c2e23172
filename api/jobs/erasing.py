"""Erasures are finished: what storage still holds goes, then each is certified. Killed anywhere, it is run again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from domain.actors import Actor
from domain.custody.erasing import CertifyErasure, PendingErasures
from domain.custody.erasures import Erasure
from domain.gate import Gate
from domain.ids import Id


class Storage(Protocol):
    """What erased data lies in besides its keys."""

    async def forget(self, tenant: Id, erasure: Erasure) -> None:
        """Removes what lies beside the database of what was erased: the bytes of documents."""
        ...

    async def scrub(self) -> None:
        """Removes what the database still holds of what was deleted."""
        ...


async def finish(gate: Gate, storage: Storage, tenants: Iterable[Id], act: Callable[[Id], Actor]) -> list[Erasure]:
    """Every erasure whose keys are destroyed, certified; storage is cleaned once for all of them.

    Raises: Overloaded while storage cannot be cleaned: then none is certified.
    """
    pending: list[Erasure] = []
    for tenant in tenants:
        found = await gate.perform(PendingErasures(), act(tenant), request="shred")
        for erasure in found.value:
            await storage.forget(tenant, erasure)
        pending += found.value
    if pending:
        await storage.scrub()
    done: list[Erasure] = []
    for erasure in pending:
        certify = CertifyErasure(erasure=erasure.id)
        done.append((await gate.perform(certify, act(erasure.stamp.tenant), request="shred")).value)
    return done
