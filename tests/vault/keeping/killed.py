"""A process that carries out steps of keeping and is killed at the n-th of them, for n from 1 until it survives.

python -m tests.vault.keeping.killed WHAT URL KEYS FOLDER STRIDE TENANT …

Each round is two children: the first is killed by itself, without a word, before or after a statement, a commit or a
call of the provider; the second runs to its end. The parent holds no connection and no thread, so that it may fork.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import sqlalchemy as sa

from api.jobs.erasing import finish
from api.jobs.renewing import Ended, Renewing, Wanted
from api.jobs.retaining import sweep
from api.jobs.rotating import Turning
from domain.custody import retention
from domain.custody.erasing import ApproveErasure, ProposeErasure
from domain.custody.erasures import Erasure, ErasureReason, ErasureState
from domain.custody.keeping import SigningUse
from domain.custody.renewing import MOST_SEALS
from domain.files.parties import CreditFile, FileState
from domain.gate import Gate
from domain.ids import Id, RandomIds
from domain.records import Record
from tests.world import Granted, World
from vault.documents.folder import FolderBlobs
from vault.keys import Keyring
from vault.opening import VaultOpener
from vault.providers import chosen
from vault.providers.port import Provider
from vault.store.postgres import PostgresStore
from vault.store.sqlite import SqliteStore
from vault.store.tables import table
from vault.store.transaction import Room

MOST = 2_000
Steps = Callable[[Gate, "Store", tuple[Id, ...]], Coroutine[None, None, None]]
Store = SqliteStore | PostgresStore


class Now:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)


class Death:
    """Counts steps, and ends the process at one of them as a power failure would."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self, *_: object) -> None:
        """One step."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, store: Store, provider: Provider) -> None:
        """Every statement, every commit, and every change at the provider, before and after it."""
        engine = store._engine.sync_engine if isinstance(store, PostgresStore) else store._engine
        sa.event.listen(engine, "before_cursor_execute", self.step)
        sa.event.listen(engine, "commit", self.step)
        for name in ("generate", "destroy"):
            setattr(provider, name, self._around(getattr(provider, name)))

    def _around(self, call: Callable[[int], None]) -> Callable[[int], None]:
        def around(epoch: int) -> None:
            self.step()
            call(epoch)
            self.step()

        return around


async def rotate(gate: Gate, _store: Store, tenants: tuple[Id, ...]) -> None:
    """One rotation, or the rest of one; the last tenant leads."""
    turning = Turning(
        gate=gate,
        leading=tenants[-1],
        companies=tenants,
        act=lambda tenant: World().actor("system:operator", tenant=tenant),
    )
    await turning.rotate(lambda *_: None, fresh=True)


async def shred(gate: Gate, store: Store, tenants: tuple[Id, ...]) -> None:
    """The next file is erased whole, or the rest of one that was begun."""
    tenant, actor = tenants[0], World().actor
    waiting = await _stands(store, tenant, Erasure, ErasureState.PROPOSED)
    if not waiting and not await _stands(store, tenant, Erasure, ErasureState.DESTROYING):
        (file, *_) = await _stands(store, tenant, CreditFile, FileState.OPEN)
        proposal = ProposeErasure(target=file, reason=ErasureReason.REQUEST)
        waiting = [(await gate.perform(proposal, actor("first"))).value.id]
    for erasure in waiting:
        await gate.perform(ApproveErasure(erasure=erasure), actor("second"))
    await finish(gate, store, [tenant], lambda _: actor("system:operator"))


async def _stands(store: Store, tenant: Id, record: type[Record], state: Enum) -> list[Id]:
    """The records of a kind that are in a state, the oldest first."""
    own = table(record.shape).c
    select = sa.select(own.id).where(own.tenant == tenant, own.superseded_at.is_(None), own.state == state.value)
    return await store.inspect(tenant, lambda connection: list(connection.scalars(select.order_by(own.id))))


async def retain(gate: Gate, _store: Store, tenants: tuple[Id, ...]) -> None:
    """One sweep of retention, a few records at a time, or the rest of one."""
    retention.AT_ONCE = 2  # type: ignore[misc] # many steps, to be killed in many places
    await sweep(gate, World().actor("system:retention", tenant=tenants[0]), dry=False)


async def replace(gate: Gate, _store: Store, tenants: tuple[Id, ...]) -> None:
    """The keys of every log are replaced."""
    now = datetime.now(UTC)
    await _renewing(gate).signing_keys(tenants, SigningUse.LOG, Ended(before=now))


async def renew(gate: Gate, _store: Store, tenants: tuple[Id, ...]) -> None:
    """Every data key of the first tenant gets its next version, or the rest of those that wait for it."""
    wanted = Wanted(before=datetime.now(UTC), seals=MOST_SEALS)
    await _renewing(gate).data_keys(tenants[:1], wanted, lambda *_: None)


def _renewing(gate: Gate) -> Renewing:
    return Renewing(gate, lambda tenant: World().actor("system:operator", tenant=tenant))


KINDS: dict[str, Steps] = {"rotate": rotate, "shred": shred, "sweep": retain, "replace": replace, "renew": renew}


async def carry_out(steps: Steps, url: str, keys: str, folder: str, tenants: tuple[Id, ...], at: int) -> None:
    """The steps over a store of their own, killed at one of them; 0 lets them live."""
    provider = chosen.place(keys).provider()
    ring, make = Keyring(provider, time.monotonic), RandomIds()
    room = Room(ring=ring, clock=Now(), make=make, blobs=FolderBlobs(Path(folder) / "documents"))
    store: Store = (SqliteStore if url.startswith("sqlite") else PostgresStore)(url, room)
    await store.start()
    if at:
        Death(at).watch(store, provider)
    gate = Gate(grants=Granted(), store=store, opener=VaultOpener(room), clock=Now(), make=make)
    await steps(gate, store, tenants)
    await store.close()


def child(run: Callable[[], None]) -> int:
    """How a child that runs something ended: 0, the signal that killed it, or 1 after an error."""
    pid = os.fork()
    if pid == 0:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - the child ends here, whatever it was
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def main(kind: str, url: str, keys: str, folder: str, stride: str, *tenants: str) -> None:
    """Kills at every step, or at every so many; says at how many it did."""
    steps, own = KINDS[kind], tuple(Id(tenant) for tenant in tenants)

    def run(at: int) -> int:
        return child(lambda: asyncio.run(carry_out(steps, url, keys, folder, own, at)))

    killed = 0
    for at in range(1, MOST, int(stride)):
        ended = run(at)
        if ended == 0:
            break
        if ended != -signal.SIGKILL:
            sys.exit(f"step {at} ended with {ended}")
        killed += 1
        if run(0) != 0:
            sys.exit(f"after step {at} it did not go on")
    sys.stdout.write(f"{killed}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
