"""What no one person does alone: each operation declares whom it keeps apart, and one place enforces all of it.

A refusal has the code `SEPARATION_OF_DUTY` and, as its cause in the audit log, the duty that was broken; so attempts
can be counted, by whom and at what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Final, Protocol

from domain.actors import Actor
from domain.errors import Code, NotPermitted
from domain.ids import Id
from domain.persons.roles import AUDITOR
from domain.ports import Unit
from domain.records import SHAPES

EXAMINED: Final = "audit"
"""What an auditor's own actions are about."""
READ: Final = "read"
"""What changes nothing, whatever it is about."""


class Duty(Enum):
    """A duty that is separated from another (Ch.8 §1); a refusal names it as its cause."""

    PREPARER_NOT_APPROVER = "PREPARER_NOT_APPROVER"
    """Who prepared, proposed or recorded something does not decide on it."""
    ACCOUNT_OWNER_NOT_APPROVER = "ACCOUNT_OWNER_NOT_APPROVER"
    """Who looks after a customer's account does not decide on its credit."""
    AUTHOR_NOT_APPROVER = "AUTHOR_NOT_APPROVER"
    """Who wrote rules that others are bound by does not put them in force."""
    SERVICE_NOT_APPROVER = "SERVICE_NOT_APPROVER"
    """A program is nobody's second person."""
    AUDITOR_NOT_WRITER = "AUDITOR_NOT_WRITER"
    """Who examines changes nothing, whatever other roles he has."""
    PERSON_NOT_RECORDER = "PERSON_NOT_RECORDER"
    """Nobody records of himself what gives him rights."""


REFUSALS: Final[Mapping[Duty, str]] = {
    Duty.PREPARER_NOT_APPROVER: "Who prepared it, or had a hand in it, does not decide on it.",
    Duty.ACCOUNT_OWNER_NOT_APPROVER: "Who looks after the customer's account does not decide on it.",
    Duty.AUTHOR_NOT_APPROVER: "Who wrote it does not put it in force.",
    Duty.SERVICE_NOT_APPROVER: "A person decides on it, not a program.",
    Duty.AUDITOR_NOT_WRITER: "Who examines changes nothing.",
    Duty.PERSON_NOT_RECORDER: "Nobody records it of himself.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Whom an operation keeps apart: the record it decides on, and who had a hand in that."""

    record: str = ""
    """The record that is decided on; none where the operation alone knows who had a hand in it."""
    by: str = ""
    """What names it in the operation."""
    authors: tuple[str, ...] = ()
    """The facts of the record that name those persons."""
    owner: bool = False
    """Whether who looks after the customer's account is kept apart too."""
    person: str = ""
    """What names in the operation the person it is about, who does not do it."""
    duty: Duty = Duty.PREPARER_NOT_APPROVER

    @property
    def duties(self) -> tuple[Duty, ...]:
        """Every duty it separates."""
        named = (
            (self.duty, bool(self.authors) or not (self.owner or self.person)),
            (Duty.ACCOUNT_OWNER_NOT_APPROVER, self.owner),
            (Duty.PERSON_NOT_RECORDER, bool(self.person)),
            (Duty.SERVICE_NOT_APPROVER, not self.person),
        )
        return tuple(duty for duty, told in named if told)


class Kept(Protocol):
    """An operation, as far as it keeps people apart."""

    actions: ClassVar[tuple[str, ...]]
    apart: ClassVar[Apart | None]

    def hands(self, unit: Unit) -> Iterable[str]:
        """Who else had a hand in what it decides on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """One duty that one operation separates (Ch.8 §1)."""

    duty: Duty
    """What is kept apart. Ch.8 §1"""
    operation: str
    """The operation that is refused, called as its mutation is. Ch.8 §1"""
    actions: tuple[str, ...]
    """The actions of that operation. Ch.8 §1"""
    record: str
    """The record it decides on; empty where the operation works out who had a hand in it. Ch.8 §1"""
    authors: tuple[str, ...]
    """The facts of that record which name who is kept apart. Ch.8 §1"""
    says: str
    """The rule in a sentence, as a refusal tells it. Ch.8 §1"""


def keep_apart(operation: Kept, unit: Unit, actor: Actor) -> None:
    """Refuses what somebody may not do alone, or at all beside what else he does.

    Chapter: 6.4, 8.1.
    Raises:  NotPermitted (SEPARATION_OF_DUTY), its cause the duty; NotFound where there is no such record.
    """
    if AUDITOR in actor.roles and not examines(operation.actions):
        raise refusal(Duty.AUDITOR_NOT_WRITER)
    apart = operation.apart
    if apart is None:
        return
    if actor.service and not apart.person:
        raise refusal(Duty.SERVICE_NOT_APPROVER)
    for duty, person, place in _persons(operation, apart, unit):
        if person == actor.person:
            raise refusal(duty, place)


def refusal(duty: Duty, path: tuple[str, ...] = ()) -> NotPermitted:
    """The refusal of whoever breaks a duty.

    Chapter: 8.1.
    """
    return NotPermitted(
        REFUSALS[duty],
        code=Code.SEPARATION_OF_DUTY,
        advice="Ask another person whose role allows it.",
        path=path,
        cause=duty.value,
    )


def examines(actions: Sequence[str]) -> bool:
    """Whether actions only examine the log, or only read, which is all an auditor does.

    Chapter: 8.1.
    """
    parts = (action.partition(":") for action in actions)
    return all(noun.split("_")[0] == EXAMINED or verb == READ for noun, _, verb in parts)


def separations(operations: Mapping[str, Any]) -> tuple[Separation, ...]:
    """Every duty that is separated, by operation: what is enforced and what is told are one declaration.

    Chapter: 8.1.
    """
    found: list[Separation] = []
    for name, one in sorted(operations.items()):
        apart: Apart | None = one.apart
        kept = apart.duties if apart else ()
        if not examines(one.actions):
            kept = (*kept, Duty.AUDITOR_NOT_WRITER)
        found += [
            Separation(
                duty=duty,
                operation=name[0].lower() + name[1:],
                actions=one.actions,
                record=apart.record if apart else "",
                authors=apart.authors if apart and duty is apart.duty else (),
                says=REFUSALS[duty],
            )
            for duty in kept
        ]
    return tuple(found)


def _persons(operation: Kept, apart: Apart, unit: Unit) -> Iterator[tuple[Duty, str, tuple[str, ...]]]:
    """Everybody who is kept apart, each with the duty he would break and the place that names why."""
    if apart.person:
        yield Duty.PERSON_NOT_RECORDER, getattr(operation, apart.person), (apart.person,)
    # Held from here on: who had a hand in it is told by the version that is decided on.
    found = unit.get(SHAPES[apart.record].cls, Id(getattr(operation, apart.by)), lock=True) if apart.record else None
    for person in operation.hands(unit):
        yield apart.duty, person, (apart.by,) if apart.by else ()
    if found is None:
        return
    for author in apart.authors:
        yield apart.duty, getattr(found, author) or "", (apart.by,)
    if apart.owner:
        for customer in unit.find(SHAPES["Customer"].cls, id=found.subject_id):
            yield Duty.ACCOUNT_OWNER_NOT_APPROVER, getattr(customer, "account_owner", None) or "", (apart.by,)
