"""Stores of both kinds, with a company in them."""

from __future__ import annotations

import pytest

from tests.stored import StoredWorld


@pytest.fixture
def world(database, loop, tmp_path):
    """The Gate over a database that holds one company."""
    with StoredWorld(database, loop, tmp_path) as found:
        found.open_tenant()
        yield found
