"""The command line: `credence`. Commands translate; what is decided is decided behind the Gate."""

from __future__ import annotations

import sys

import typer

from api.cli import auditing, importing, installing, serving, touring
from api.cli.console import told
from domain.errors import CreditError

app = typer.Typer(
    name="credence",
    help="Customer credit management: one GraphQL API over a privacy vault.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for _room in (serving, touring, importing, installing):
    _room.join(app)
app.add_typer(auditing.audit, name="audit")
app.add_typer(installing.tenants, name="tenant")


def main() -> None:
    """Runs one command; an error of the product ends it with one sentence, advice, and exit code 2."""
    try:
        app()
    except CreditError as error:
        told(error)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)
