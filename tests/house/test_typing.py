"""What the type checker refuses: a transaction cannot open what is sealed."""

import subprocess
import sys

import pytest

from tests.house.tree import ROOT

BEFORE = """
from typing import Any
from domain.actors import Actor
from domain.audit import Receipt, Warrant
from domain.files.parties import CreditFile
from domain.operations import Decided, Operation
from domain.ports import Opener, SealedValue, Unit

def decide(unit: Unit, sealed: SealedValue[str], opener: Opener, warrant: Warrant, receipt: Receipt) -> Any:
"""
REFUSED = {
    "a unit has no way to open": ("return unit.open(sealed)", "attr-defined"),
    "a unit is no opener": ("chosen: Opener = unit; return chosen", "assignment"),
    "a sealed value is no text": ("text: str = sealed; return text", "assignment"),
    "a sealed value has no value": ("return sealed.value", "attr-defined"),
    "what it is made of is opaque": ("return sealed.material.envelope", "attr-defined"),
    "a field on the record is no value": ("text: str = CreditFile.phone; return text", "assignment"),
    "an opener asks for a warrant": ("return opener.open(sealed=[sealed])", "call-arg"),
    "a receipt is no warrant": ("return opener.open(receipt, [sealed])", "arg-type"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What mypy says of each snippet, in one run."""
    folder = tmp_path_factory.mktemp("snippets")
    for number, (code, _) in enumerate(REFUSED.values()):
        (folder / f"snippet_{number}.py").write_text(BEFORE + f"    {code}\n", encoding="utf-8")
    (folder / "permitted.py").write_text(BEFORE + "    return unit.sealed, opener.open(warrant, [sealed])\n", "utf-8")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", "", "--cache-dir"]
    run = subprocess.run(
        [*mypy, str(folder / "cache"), *map(str, sorted(folder.glob("*.py")))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return run.stdout


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=list(REFUSED))
def test_what_would_open_a_sealed_value_is_a_type_error(told, number):
    _, code = list(REFUSED.values())[number]
    lines = [line for line in told.splitlines() if f"snippet_{number}.py" in line and ": error:" in line]
    assert len(lines) == 1, told
    assert lines[0].endswith(f"[{code}]")


def test_opening_under_a_warrant_is_well_typed(told):
    assert "permitted.py" not in told
