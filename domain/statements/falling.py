"""A statement that is not true any more stops counting, whether or not anybody thinks of it (Ch.3 §3, Ch.5 §3)."""

from __future__ import annotations

from dataclasses import replace

from domain.ids import Id
from domain.ports import Unit
from domain.statements.statements import CreditStatement, RevokedBecause, StatementState


def statements_fall(unit: Unit, credit_file: Id, because: RevokedBecause) -> None:
    """Revokes every statement of a file that still counts.

    Chapter: 3.3, 5.3.
    """
    for statement in unit.find(CreditStatement, lock=True, credit_file=credit_file, state=StatementState.ISSUED):
        if statement.expires_at > unit.now:
            unit.replace(replace(statement, state=StatementState.REVOKED, revoked_because=because))
