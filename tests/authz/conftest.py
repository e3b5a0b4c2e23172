"""The product's own grants, as every test of this floor sees them."""

import csv
from pathlib import Path

import pytest

from authz import adapter
from authz.roles import ROLES
from authz.table import Table
from domain.grants import content

MATRIX = Path(__file__).parents[1] / "matrix" / "matrix.csv"


@pytest.fixture(scope="session")
def actions():
    with MATRIX.open(encoding="utf-8", newline="") as file:
        return tuple(row[0] for row in csv.reader(file))[1:]


@pytest.fixture(scope="session")
def snapshot(actions):
    return content.read(adapter.RULES.read_text(encoding="utf-8"), actions=actions, roles=ROLES)


@pytest.fixture(scope="session")
def table(snapshot, actions):
    return Table.compile(snapshot, actions=actions)
