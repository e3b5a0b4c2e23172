"""A database file is shared by processes that know nothing of each other."""

from __future__ import annotations

import subprocess
import sys

from vault.store import engines


def test_a_second_engine_in_a_process_ends_no_lock_of_the_first(tmp_path):
    """Otherwise a command that closes last, as it believes, takes the log of the database away from under a server."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    first = engines.sqlite_writer(url)
    with first.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        connection.commit()
        engines.sqlite_writer(url)
        look = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM t'); c.close()"
        subprocess.run([sys.executable, "-c", look, str(tmp_path / "a.db")], check=True)
        assert (tmp_path / "a.db-wal").stat().st_size > 0
    first.dispose()
