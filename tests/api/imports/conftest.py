"""A tenant in memory with two customers and registered sources, and the real data where it lies beside the checkout."""

import asyncio
from pathlib import Path

import pytest

from api.imports.mapping import read_map
from api.imports.running import run_import
from domain.files.opening import BasicInformation
from domain.files.sources import LawfulBasis, RegisterSource, SourceType
from tests.world import World

BASIC = BasicInformation()
SHARED = Path(__file__).parents[4] / "shared" / "data"

INVOICES = """
kind = "invoices"
source = "Accounting"
lawful_basis = "CONTRACT"
[columns]
reference = "customer"
number = "no"
issued_on = "issued"
settled_on = "settled"
total = "total"
net = "net"
tax = "tax"
state = "state"
[constants]
kind = "RECEIVABLE"
currency = "CNY"
[values.state]
"valid" = ""
"void*" = "VOID"
"""
HEADER = "customer,no,issued,settled,net,tax,total,state,memo\n"


def line(number, customer="C-1", issued="2026-03-01", settled="", money="100,13,113", state="valid"):
    return f"{customer},{number},{issued},{settled},{money},{state},secret memo\n"


def furnished():
    """A world with two customers and the sources of the maps."""
    made = World()
    origin = made.origin()
    made.file(origin, basic=BASIC)
    made.file(origin, reference="C-2", basic=BASIC)
    own, provided = SourceType.INTERNAL_TRANSACTION, SourceType.SELF_PROVIDED
    for type_, name, basis in (
        (own, "Accounting", LawfulBasis.CONTRACT),
        (own, "Own invoices", LawfulBasis.CONTRACT),
        (provided, "Customers' own statements", LawfulBasis.CONTRACT),
        (provided, "Invoices provided by firms", LawfulBasis.CONSENT),
    ):
        made.do(RegisterSource(type=type_, name=name, lawful_bases=(basis,)))
    return made


class Killed(Exception):
    """The process is gone."""


class Performing:
    """Performs operations in a world; after `stop_after` of them the process is killed."""

    def __init__(self, world):
        self.world, self.operations, self.stop_after = world, [], None

    async def __call__(self, operation):
        """The value of the operation."""
        if self.stop_after is not None and len(self.operations) >= self.stop_after:
            raise Killed
        self.operations.append(operation)
        return (await self.world.gate.perform(operation, self.world.actor())).value


def importer(performing):
    """Imports a file under a map, given as text or ready."""

    def run(path, plan=INVOICES, **more):
        return asyncio.run(run_import(performing, path, read_map(plan) if isinstance(plan, str) else plan, **more))

    return run


@pytest.fixture
def world():
    return furnished()


@pytest.fixture
def performing(world):
    return Performing(world)


@pytest.fixture
def importing(performing):
    return importer(performing)


@pytest.fixture
def shared():
    """The folder of the real data; the test skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real data is not beside this checkout")
    return SHARED
