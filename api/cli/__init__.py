"""The command line: `credence`. Commands translate; what is decided is decided behind the Gate.

A command ends with 0 when it is done; 1 when it found something wrong, or was cut short; 2 when it cannot be carried
out as it was asked for; 3 when a server could not start; 70 when something failed inside; 130 after Ctrl-C. Whatever
it ends with, it says so in a sentence with advice, and under `--json` as one JSON object.
"""

from __future__ import annotations

import sys

import typer

from api.cli import (
    auditing,
    consenting,
    exploring,
    granting,
    importing,
    installing,
    keeping,
    policies,
    proving,
    retaining,
    serving,
    statements,
    sweeping,
    touring,
)
from api.cli.console import JSON, failed_inside, told, unusable
from api.cli.keys import renewing, sealing, searching
from domain.errors import CreditError, Malformed

REFUSED, INSIDE, INTERRUPTED = 2, 70, 130

app = typer.Typer(
    name="credence",
    help="Customer credit management: one GraphQL API over a privacy vault.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for _room in (serving, touring, importing, installing, exploring, sweeping):
    _room.join(app)
app.add_typer(auditing.audit, name="audit")
app.add_typer(auditing.witness_, name="witness")
app.add_typer(consenting.consents, name="consents")
app.add_typer(granting.grants, name="grants")
app.add_typer(installing.tenants, name="tenant")
searching.join(keeping.keys)
renewing.join(keeping.keys)
keeping.keys.command()(sealing.seal)
app.add_typer(keeping.keys, name="keys")
app.add_typer(retaining.retention, name="retention")
app.add_typer(policies.policy, name="policy")
app.add_typer(proving.partner, name="partner")
app.add_typer(sweeping.recalls, name="recalls")
app.add_typer(statements.statement, name="statement")


def main() -> None:
    """Runs one command; an error ends it with one sentence and advice, never with a traceback."""
    as_json = JSON in sys.argv[1:]
    try:
        # Typer tells people about words it does not know, with a frame around; programs get an object.
        code = app(standalone_mode=not as_json)
    except CreditError as error:
        told(error, as_json=as_json)
        code = REFUSED
    except typer.TyperException as error:
        told(Malformed(error.format_message(), advice="See --help for what the command takes."), as_json=as_json)
        code = REFUSED
    except BrokenPipeError:
        code = 1
    except OSError as failure:
        told(unusable(failure), as_json=as_json)
        code = REFUSED
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as bug:  # noqa: BLE001 - a bug is masked and logged, as it is over HTTP
        failed_inside(bug, as_json=as_json)
        code = INSIDE
    sys.exit(code)
