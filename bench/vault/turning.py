"""What turning keys costs beside sealing anew what lies under them: `PYTHONPATH=. python bench/vault/turning.py`.

Both go through the store and are durable, on both databases, for the same data keys in the same run. Turning: the keys
of an epoch are made, every data key is wrapped under it, and the older wraps are removed. Sealing anew: every value is
opened, sealed under a new data key and written, and the old data keys end. Only the ratios mean anything.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from bench.vault.peers import taken
from domain.files.history import FinancialStatement
from domain.files.opening import BasicInformation
from domain.files.recording.reports import RecordStatement
from domain.money import Money
from domain.operations import OPERATIONS
from tests import databases
from tests.stored import StoredWorld
from tests.vault.trying import Try
from vault.store.schema import migrations

CUSTOMERS = 400
"""Each has a data key of financial data, and one of contacts, which turns with the others and is not sealed anew."""
STATEMENTS = (1, 3)
"""How many financial statements of a customer lie under each of them, seven values in every one."""
MONEY = Money(minor=12_345_600, currency="CNY")
ROUNDS = 5
EVERY = 10_000


class Turned:
    """A company whose customers have so many financial statements each."""

    def __init__(self, world: StoredWorld, statements: int) -> None:
        self.world = world
        world.open_tenant()
        origin = world.origin()
        self.files = [
            world.file(origin, f"C-{number}", BasicInformation(phone=f"+861380013{number:04}"))
            for number in range(CUSTOMERS)
        ]
        for file in self.files:
            for year in range(statements):
                figures = dict.fromkeys(FinancialStatement.shape.confidential, MONEY)
                told = RecordStatement(
                    credit_file=file.id, origin=origin, period_end=date(2025 - year, 12, 31), audited=False, **figures
                )
                world.do(told)

    def turn(self) -> None:
        """Every data key is wrapped under the keys of a new epoch, and the epoch before is left."""
        epoch = self.world.ring.following()
        self.world.ring.make_root(epoch)

        def work(unit: Any) -> None:
            unit.rotation.advance(epoch)
            assert unit.rotation.rewrap(EVERY) >= CUSTOMERS
            unit.rotation.retire("", EVERY)

        self.world.do(Try(how=work))

    def seal_anew(self) -> int:
        """Every financial value is sealed under a new data key, and the old one ends."""

        def work(unit: Any) -> int:
            return sum(unit.rotation.renew(file.subject_id, "financial") for file in self.files)

        return self.world.do(Try(how=work))  # type: ignore[no-any-return] # whatever the test's operation returns


def ratio(database: Any, loop: databases.Loop, folder: Path, statements: int) -> float:
    """How many times the one takes the other."""
    folder.mkdir()
    loop(migrations.upgrade(database.url))
    with database, StoredWorld(database, loop, folder) as world:
        turned = Turned(world, statements)
        took = [(taken(turned.turn), taken(turned.seal_anew)) for _ in range(ROUNDS)]
        assert world.findings() == []
    return median(anew for _, anew in took) / median(turn for turn, _ in took)


def main() -> None:
    """Prints the table."""
    OPERATIONS["Try"] = Try
    print("| values under a data key | SQLite | PostgreSQL |\n|---|---|---|")
    with ExitStack() as stack:
        folder, loop = Path(stack.enter_context(tempfile.TemporaryDirectory())), stack.enter_context(databases.Loop())
        server = stack.enter_context(databases.Server(loop, stack.enter_context(databases.started())))
        server.execute("ALTER SYSTEM RESET ALL")  # the server of the tests waits for no disk; this one does
        server.execute("SELECT pg_reload_conf()")
        for statements in STATEMENTS:
            own = folder / str(statements)
            own.mkdir()
            sqlite = ratio(databases.Sqlite(own / "credence.db"), loop, own / "sqlite", statements)
            postgres = databases.Postgres(loop, server.url_of(server.create()))
            print(f"| {7 * statements} | {sqlite:.1f} | {ratio(postgres, loop, own / 'postgresql', statements):.1f} |")


if __name__ == "__main__":
    main()
