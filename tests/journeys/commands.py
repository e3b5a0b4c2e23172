"""The command as people run it: a process of its own, with nothing of this one in its environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.journeys.ready import ready

CODE = "import sys; from api.cli import main; sys.argv[0] = 'credence'; main()"
FORKED = """
import sys
import api.app, api.cli, api.graphql.schema, api.http.serving
from typer.testing import CliRunner
from tests.journeys.ready import wait

CliRunner().invoke(api.cli.app, ["token", "--help"])  # what the words of a command need is imported with the first
wait(sys.argv[1])
api.cli.main()
"""
ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"


def environment(**settings):
    """The environment of a command: these settings and no others."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CREDENCE_")}
    return clean | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "CREDENCE_LOG": "off"} | settings


def started(*words, **settings):
    """A command that runs."""
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *map(str, words)],
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*words, expected=0, **settings):
    """What a command printed, once it has ended as expected."""
    return _ended(words, expected, settings)[0]


def found(*words, expected=0, **settings):
    """What a command found, or why it was refused, as JSON."""
    out, err = _ended((*words, "--json"), expected, settings)
    return json.loads((out or err).splitlines()[-1])


def _ended(words, expected, settings):
    waiting = ready(FORKED, tuple(sorted(environment().items())))
    status, out, err = waiting.run([str(word) for word in words], environment(**settings), 1_500)
    assert status == expected, f"{words}: {status}\n{out}\n{err}"
    return out, err
