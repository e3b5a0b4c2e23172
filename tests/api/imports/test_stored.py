"""Imports over both databases, and over a process that is killed."""

import asyncio
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from api.app import job, open_house, prepare
from api.imports.mapping import read_map
from api.imports.running import run_import
from api.imports.synthetic import furnish, portfolio
from api.settings import load
from domain.actors import Actor
from domain.files.history import DocumentState, TradeTransaction
from domain.files.importing import FindingCount, ImportState
from domain.files.opening import OpenCreditFile
from domain.files.parties import CreditFile, PartyKind
from domain.files.sources import LawfulBasis, Origin, RegisterSource, SourceType
from tests.api.imports.conftest import BASIC, HEADER, INVOICES, Killed, Performing, line
from tests.stored import StoredWorld
from tests.world import NOW

ROOT = Path(__file__).parents[3]
ROWS, KILLED_BATCH = 1_500, 50


@pytest.fixture
def stored(database, loop, tmp_path):
    with StoredWorld(database, loop, tmp_path) as world:
        world.open_tenant()
        origin = world.origin()
        world.file(origin, basic=BASIC)
        world.file(origin, reference="C-2", basic=BASIC)
        bases = (LawfulBasis.CONTRACT,)
        world.do(RegisterSource(type=SourceType.INTERNAL_TRANSACTION, name="Accounting", lawful_bases=bases))
        yield world


def bring(world, path, plan=INVOICES, performing=None, **more):
    return world.loop(run_import(performing or Performing(world), path, read_map(plan), **more))


def write(path, *lines):
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return path


def test_an_import_stopped_and_gone_on_with_is_whole_on_both_databases(stored, tmp_path):
    lines = [line(number, customer=f"C-{number % 2 + 1}") for number in range(1, 31)]
    lines[6], lines[7] = line(7, customer="C-404"), line(8, money="100,13,114")
    lines[20] = line(3, customer="C-2")
    path = write(tmp_path / "book.csv", *lines)
    performing = Performing(stored)
    performing.stop_after = 3
    with pytest.raises(Killed):
        bring(stored, path, performing=performing, batch=7)
    done = bring(stored, path, batch=7)
    assert (done.resumed_at, done.run.state, done.run.rows_read) == (14, ImportState.COMPLETE, 30)
    assert (done.run.rows_stored, done.run.rows_known, done.run.rows_rejected) == (29, 0, 1)
    assert done.run.findings == (
        FindingCount(code="NUMBER_REPEATED", count=1),
        FindingCount(code="TOTAL_DOES_NOT_ADD_UP", count=1),
    )
    assert len({item.source_row for item in stored.current(TradeTransaction)}) == 29
    assert [item.rows_read for item in stored.versions(done.run)] == [0, 7, 14, 21, 28, 30, 30]
    assert stored.findings() == []


def test_a_newer_file_supersedes_on_both_databases(stored, tmp_path):
    plan = INVOICES.replace('kind = "invoices"', 'kind = "invoices"\nsource_row = "{no}"\nknown = "UPDATE"', 1)
    bring(stored, write(tmp_path / "march.csv", line(1), line(2)), plan)
    newer = write(tmp_path / "april.csv", line(1, settled="2026-04-02"), line(2), line(3))
    done = bring(stored, newer, plan)
    assert (done.run.rows_stored, done.run.rows_known, done.run.rows_updated) == (1, 1, 1)
    (paid,) = (item for item in stored.current(TradeTransaction) if item.number == "1")
    assert (paid.state, paid.settled_on, paid.stamp.version) == (DocumentState.SETTLED, date(2026, 4, 2), 2)
    assert stored.findings() == []


def test_the_synthetic_portfolio_stands_on_both_databases(stored):
    made = stored.loop(furnish(Performing(stored), portfolio(NOW.date(), customers=6)))
    assert {member.credit_file for member in made.members} <= {file.id for file in stored.current(CreditFile)}
    assert stored.findings() == []


SCRIPT = """
import asyncio, sys
from pathlib import Path
from api.app import job, open_house
from api.imports.mapping import read_map
from api.imports.running import run_import
from api.settings import load

async def main(folder, tenant, path, plan, batch):
    async with open_house(load(data_dir=Path(folder))) as house:
        async def perform(operation):
            return (await house.gate.perform(operation, job(tenant, "import"))).value
        await run_import(perform, Path(path), read_map(Path(plan).read_text(encoding="utf-8")), batch=int(batch),
                         progress=lambda now: print(now.run.rows_read, flush=True))

asyncio.run(main(*sys.argv[1:]))
"""


async def _prepared(settings):
    await prepare(settings)
    async with open_house(settings) as house:
        tenant = await house.open_tenant("Yunfan")
        officer = Actor(tenant=tenant, person="po", roles=frozenset({"privacy_officer"}))
        bases, kind = (LawfulBasis.CONTRACT,), SourceType.INTERNAL_TRANSACTION
        register = RegisterSource(type=kind, name="Accounting", lawful_bases=bases)
        source = (await house.gate.perform(register, officer)).value
        origin = Origin(source=source.id, lawful_basis=LawfulBasis.CONTRACT)
        for reference in ("C-1", "C-2"):
            opening = OpenCreditFile(reference=reference, name="Yunfan", kind=PartyKind.ENTERPRISE, origin=origin)
            await house.gate.perform(opening, job(tenant, "import"))
        return tenant


async def _finished(settings, tenant, path):
    async with open_house(settings) as house:

        async def perform(operation):
            return (await house.gate.perform(operation, job(tenant, "import"))).value

        done = await run_import(perform, path, read_map(INVOICES), batch=KILLED_BATCH)
        return done, await house.check(tenant)


def test_killed_by_the_system_the_same_command_loses_nothing_and_doubles_nothing(tmp_path):
    settings = load(data_dir=tmp_path / "data")
    tenant = asyncio.run(_prepared(settings))
    lines = [line(number, customer="C-404" if number % 97 == 0 else "C-1") for number in range(1, ROWS + 1)]
    path, plan = write(tmp_path / "book.csv", *lines), tmp_path / "map.toml"
    plan.write_text(INVOICES, encoding="utf-8")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "data"), tenant, str(path), str(plan), str(KILLED_BATCH)]
    for batches in (1, 4):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(batches):
                assert process.stdout.readline().strip()
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
    done, findings = asyncio.run(_finished(settings, tenant, path))
    rejected = [number for number in range(1, ROWS + 1) if number % 97 == 0]
    assert 5 * KILLED_BATCH <= done.resumed_at < ROWS
    assert (done.run.rows_read, done.run.rows_stored) == (ROWS, ROWS - len(rejected))
    assert (done.run.rows_known, done.run.rows_rejected) == (0, len(rejected))
    listed = done.rejected.read_text(encoding="utf-8").splitlines()[1:]
    assert [int(entry.split(",")[0]) for entry in listed] == rejected
    assert findings == []
