"""The command as people run it: a process of its own, with nothing of this one in its environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from api.cli import main

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
    own = environment(**settings)
    waiting = ready(FORKED, tuple(sorted(environment().items())))
    status, out, err = waiting.run([str(word) for word in words], own, 1_500)
    assert status == expected, f"{words}: {status}\n{out}\n{err}"
    return out


def found(*words, expected=0, **settings):
    """What a command found, as JSON."""
    return json.loads(run(*words, "--json", expected=expected, **settings).splitlines()[-1])


def invoked(*words, expected=0, **settings):
    """What a command found, as JSON, run in this process: for many commands that ask little of the machine."""
    out, err = StringIO(), StringIO()
    with (
        patch.dict(os.environ, environment(**settings), clear=True),
        patch.object(sys, "argv", ["credence", *map(str, words), "--json"]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    assert code == expected, f"{words}: {code}\n{out.getvalue()}\n{err.getvalue()}"
    return json.loads((out.getvalue() or err.getvalue()).splitlines()[-1])
