"""A customer takes a credit statement along, and takes it back (Ch.3 §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from domain.actors import Actor
from domain.assessment.assessments import Assessment, AssessmentState, CreditPolicy
from domain.consent.giving import own_file
from domain.errors import Code, Malformed, NotFound, NotInForce, NotPermitted
from domain.files.days import Days, days
from domain.files.parties import CreditFile
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import SealedValue, Unit, Unsigned
from domain.reading import Purpose
from domain.statements.claims import CODE, ROOM, names_of, standing_claims
from domain.statements.holders import HolderKey
from domain.statements.places import place_for
from domain.statements.statements import CreditStatement, RevokedBecause, StatementClaim, StatementState

DAYS: Final = 30
MAX_DAYS: Final = 90
MAX_LIVE: Final = 50
"""How many statements of one customer count at a time: nobody fills the lists of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """A statement as it is to be signed, but for what is still sealed."""

    record: CreditStatement
    holder: HolderKey
    claims: dict[str, Any]
    sealed: tuple[SealedValue[Any], ...]

    def unsigned(self, opened: Sequence[Any]) -> Unsigned:
        """The statement with what was opened for it."""
        code = {CODE: opened[0]} if self.sealed else {}
        return Unsigned(
            holder=self.holder.jwk,
            issued_at=self.record.issued_at,
            expires_at=self.record.expires_at,
            status_list=self.record.status_list,
            status_index=self.record.status_index,
            claims=self.claims | code,
            room=ROOM,
        )


@operation("credit_statement:issue", chapter="3.3, 4.4")
class IssueCreditStatement(Operation[CreditStatement]):
    """Issues a signed credit statement to the customer that asks: it shows whom it likes as much as it likes (Ch.3 §3).

    It rests on the assessment in force and ends with it.
    """

    credit_file: Id
    """The customer's own file. Ch.3 §3"""
    claims: tuple[StatementClaim, ...]
    """What the statement can show, at least one; its holder shows less where less will do. Ch.3 §3"""
    holder_key: HolderKey
    """The key that its holder will prove to hold. Ch.3 §3"""
    days: int = DAYS
    """How long it counts: 1 to 90 days, and never beyond the next review. Ch.3 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditStatement]:
        """The customer itself asks, and its grade is in force and not due for review.

        Chapter: 3.3, 5.3.
        Raises:  NotPermitted for everybody else; NotInForce; Malformed.
        """
        if actor.subject is None:
            raise NotPermitted(
                "A credit statement is issued to the customer itself, and to nobody on its behalf.",
                advice="Let the customer ask for it, with a token of its own.",
            )
        chosen = self._chosen()
        self.holder_key.check()
        file = own_file(unit, actor, self.credit_file, lock=True)
        assessment, expires = _standing(unit, file, self.days)
        _check_room(unit, file)
        policy = unit.get(CreditPolicy, assessment.policy)
        stamp = unit.stamp(CreditStatement, subject=file.subject_id)
        number, index = place_for(unit, stamp.id)
        statement = CreditStatement(
            stamp=stamp,
            credit_file=file.id,
            assessment=assessment.id,
            claims=chosen,
            holder=self.holder_key.thumbprint,
            issued_at=unit.now,
            expires_at=expires,
            status_list=number,
            status_index=index,
            state=StatementState.ISSUED,
        )
        unit.add([statement])
        drawn = _Drawn(
            record=statement,
            holder=self.holder_key,
            claims=standing_claims(chosen, file, assessment, policy),
            sealed=_sealed(unit, file, chosen),
        )
        return Decided(
            value=statement,
            reveals=drawn.sealed,
            signs=drawn.unsigned,
            fields=names_of(chosen),
            purpose=Purpose.CUSTOMER_REQUEST.value,
            policy=assessment.policy_digest,
            resources=(statement.id, file.id, assessment.id),
        )

    def _chosen(self) -> tuple[StatementClaim, ...]:
        if not self.claims:
            raise Malformed(
                "A statement shows something.",
                code=Code.MISSING_VALUE,
                advice="Send at least one of " + ", ".join(claim.value for claim in StatementClaim) + ".",
                path=("claims",),
            )
        if not 1 <= self.days <= MAX_DAYS:
            raise Malformed(
                f"A statement counts for 1 to {MAX_DAYS} days.", advice="Send a number of days.", path=("days",)
            )
        return tuple(claim for claim in StatementClaim if claim in self.claims)


@operation("credit_statement:revoke", chapter="3.3")
class RevokeCreditStatement(Operation[CreditStatement]):
    """Takes a credit statement back: whoever looks at its status list from now on learns of it (Ch.3 §3)."""

    statement: Id
    """The statement. Ch.3 §3"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditStatement]:
        """Taking back twice changes nothing; what has expired may be taken back too.

        Chapter: 3.3.
        Raises:  NotFound for whoever it is not of.
        """
        found = unit.find(CreditStatement, lock=True, id=self.statement)
        if not found or actor.subject != found[0].subject_id:
            cause = "NOT_OWN_STATEMENT" if found else "NO_SUCH_STATEMENT"
            raise NotFound("There is no such credit statement.", path=("statement",), cause=cause)
        statement = found[0]
        if statement.state is not StatementState.REVOKED:
            statement = unit.replace(
                replace(statement, state=StatementState.REVOKED, revoked_because=RevokedBecause.CUSTOMER)
            )
        return Decided(value=statement, resources=(statement.id, statement.credit_file))


def _standing(unit: Unit, file: CreditFile, days_: int) -> tuple[Assessment, datetime]:
    """The assessment a statement rests on, and when the statement ends: with the day before the next review."""
    assessment = unit.get(Assessment, file.assessment) if file.assessment is not None else None
    calendar = days(unit)
    if assessment is None or assessment.state is not AssessmentState.IN_FORCE or assessment.grade is None:
        raise _not_in_force("No grade is in force for the customer.", "Ask the company for an assessment first.")
    ends = unit.now + timedelta(days=days_)
    review = _review(calendar, file, assessment)
    if review is None:
        return assessment, ends
    if review <= unit.now:
        raise _not_in_force("The grade is due for review.", "Ask the company for a new assessment first.")
    return assessment, min(ends, review)


def _review(calendar: Days, file: CreditFile, assessment: Assessment) -> datetime | None:
    """The instant from which the grade is due for review; None where that waits for an event."""
    due = [day for day in (file.review_due_on, assessment.review_due_on) if day is not None]
    return calendar.begin(min(due)) if due else None


def _check_room(unit: Unit, file: CreditFile) -> None:
    """Refuses more statements than anybody needs."""
    rows = unit.select(CreditStatement, ("expires_at",), credit_file=file.id, state=StatementState.ISSUED)
    if sum(expires > unit.now for (expires,) in rows) >= MAX_LIVE:
        raise Malformed(
            f"The customer has {MAX_LIVE} statements that count.",
            code=Code.CONFLICT,
            advice="Revoke those that are not used any more.",
            path=("creditFile",),
        )


def _sealed(unit: Unit, file: CreditFile, chosen: Sequence[StatementClaim]) -> tuple[SealedValue[Any], ...]:
    """What is opened for the statement, once the entry that tells of it is durable."""
    if StatementClaim.UNIFIED_SOCIAL_CREDIT_CODE not in chosen:
        return ()
    sealed = unit.sealed([file], [CreditFile.unified_social_credit_code])
    if not sealed:
        raise Malformed(
            "The unified social credit code is not on file.",
            code=Code.MISSING_VALUE,
            advice="Leave it out, or have the file completed.",
            path=("claims",),
        )
    return tuple(sealed)


def _not_in_force(message: str, advice: str) -> NotInForce:
    return NotInForce(message, advice=advice, path=("creditFile",))
