"""Several processes write at once and some are killed: nothing acknowledged is lost, nothing stands twice."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from bisect import bisect_right
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.files.parties import CreditFile
from tests.vault.test_store_ends import wait_until_signed
from tests.world import TENANT
from vault.store.tables import audit_outbox

ROOT = Path(__file__).parents[2]
ENOUGH, WAIT = 25, 60.0


class Process:
    """Another process over the same database, and what it has acknowledged."""

    def __init__(self, world, source, name):
        arguments = [world.database.url, str(world.folder / "keys.json"), source, name]
        self.said = []
        self._enough = threading.Event()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.vault.writer", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        for line in self._child.stdout:
            if line.endswith("\n"):
                self.said.append(line.split())
            if len(self.done()) >= ENOUGH:
                self._enough.set()

    def done(self):
        """The references that were acknowledged."""
        return [words[1] for words in self.said if words[0] == "done"]

    def answered(self):
        """When each reference was acknowledged."""
        return {words[1]: words[2] for words in self.said if words[0] == "done"}

    def works(self):
        """Waits until it has written for a while."""
        assert self._enough.wait(WAIT), self.said[-5:]

    def kill(self):
        """As a machine that loses its power does."""
        self._child.kill()
        self._child.wait(WAIT)
        self._thread.join(WAIT)
        self._child.stdout.close()


def assert_order(world, told, answered):
    """What began after something was acknowledged stands behind that in the log."""
    files = {file.id: file.reference for file in world.current(CreditFile)}
    behind, least = [], len(told)
    for place, entry in sorted(enumerate(told), key=lambda one: one[1]["at"], reverse=True):
        least = min(least, place)
        behind.append((entry["at"], least))
    behind.reverse()
    begun = [at for at, _ in behind]
    checked = 0
    for place, entry in enumerate(told):
        named = {files[own] for own in entry["resources"] if own in files} if entry["outcome"] == "DONE" else set()
        for reference in named & answered.keys():
            later = bisect_right(begun, answered[reference])
            assert later == len(behind) or place < behind[later][1], reference
            checked += 1
    assert checked >= len(answered)


@pytest.mark.parametrize(
    "kills", [3, pytest.param(12, marks=[pytest.mark.slow, pytest.mark.whole, pytest.mark.timeout(1_800)])]
)
def test_processes_that_are_killed_while_others_write_lose_nothing_double_nothing_and_keep_the_order(world, kills):
    """Each of them moves entries into the tree too: on PostgreSQL whichever holds the lock is the sequencer."""
    source = world.origin().source
    steady = Process(world, source, "steady")
    acknowledged, answered = [], {}
    try:
        for number in range(kills):
            victim = Process(world, source, f"victim-{number}")
            try:
                victim.works()
            finally:
                victim.kill()
            acknowledged += victim.done()
            answered |= victim.answered()
        steady.works()
    finally:
        steady.kill()
    acknowledged += steady.done()
    answered |= steady.answered()
    world.close()
    world.start()  # what was left in the outbox is taken into the tree

    stored = Counter(file.reference for file in world.current(CreditFile))
    assert set(stored.values()) == {1}
    assert set(acknowledged) <= set(stored)
    told = [json.loads(leaf) for leaf in world.leaves()]
    assert max(Counter(entry["id"] for entry in told).values()) == 1
    assert_order(world, told, answered)
    opened = [entry for entry in told if entry["action"] == "credit_file:open" and entry["outcome"] == "DONE"]
    assert len(opened) == sum(stored.values())
    assert wait_until_signed(world)
    waiting = sa.select(sa.func.count()).select_from(audit_outbox).where(audit_outbox.c.tenant == TENANT)
    assert world.look(lambda connection: connection.scalar(waiting)) == 0
    assert world.findings() == []
    failures = [words for process in (steady, victim) for words in process.said if words[0] == "failed"]
    assert failures == []
