"""What the rights of an actor say of an operation or a reading: permitted, or refused with what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.actors import Actor, Rights
from domain.errors import Code, Conflict, CreditError, NotPermitted
from domain.persons.duties import Duty, examines
from domain.persons.roles import AUDITOR
from domain.persons.within import Within
from domain.ports import Unit
from domain.reading import Judged

GLASS_OVER: Final = "BREAK_GLASS_OVER"
"""The cause of a refusal under a broken glass that gives nothing: it ended, or is another person's."""


def permit(actor: Actor, actions: Sequence[str], rights: Rights, now: datetime) -> None:
    """Refuses actions that the rights do not hold.

    Chapter: 8.1.
    Raises:  NotPermitted, naming them.
    """
    error = over(actor, now)
    if error is not None:
        raise error
    missing = rights.missing(actions)
    if not missing:
        return
    writes = AUDITOR in actor.roles and not examines(missing)
    raise untrained(rights, missing) or NotPermitted(
        "Your roles do not allow " + ", ".join(missing) + ".",
        advice="Ask a person whose role allows it; the role × action matrix shows which.",
        cause=Duty.AUDITOR_NOT_WRITER.value if writes else "",
    )


def unreadable(judged: Judged, rights: Rights, actor: Actor, now: datetime) -> CreditError | None:
    """Why a judged reading is not carried out, if it is not.

    Chapter: 8.1.
    """
    if judged.rights.id != rights.id:
        return Conflict("Your rights changed meanwhile.", advice="Ask again.")
    error = over(actor, now)
    if error is not None or not judged.refused:
        return error
    return untrained(rights, judged.actions) or NotPermitted(
        "Your roles do not read " + ", ".join(judged.unread) + ".",
        advice="Leave these fields out, or ask for " + ", ".join(judged.actions) + ".",
    )


def untrained(rights: Rights, missing: Sequence[str]) -> NotPermitted | None:
    """The refusal of actions that training alone withdraws; None where anything else is missing as well.

    Chapter: 8.4.
    """
    courses = [rights.lapsed.get(action, "") for action in missing]
    if not courses or not all(courses):
        return None
    return NotPermitted(
        "Your training for " + ", ".join(missing) + " has lapsed.",
        code=Code.TRAINING_LAPSED,
        advice="Complete " + ", ".join(dict.fromkeys(courses)) + ", and have it recorded.",
    )


def over(actor: Actor, now: datetime) -> NotPermitted | None:
    """The refusal of whoever acts under a broken glass that gives nothing now; None of everybody else.

    Chapter: 8.1.
    """
    glass = actor.standing.glass
    if not actor.glass or (glass is not None and glass.id == actor.glass and now < glass.ends_at):
        return None
    return NotPermitted(
        "The broken glass gives nothing: it is over, or not yours.",
        advice="Break the glass again where it is needed, or leave it out.",
        cause=GLASS_OVER,
    )


def within_reach(unit: Unit, actor: Actor) -> Unit:
    """The unit as far as an actor reaches.

    Chapter: 8.1.
    """
    limit = actor.standing.limit
    return unit if limit is None else Within(unit, limit)


def rules_of(actor: Actor, actions: Sequence[str], rights: Rights) -> str:
    """The rules that allow all of it, behind the broken glass it is done under; none where one is not allowed.

    Chapter: 8.1.
    """
    allowed = rights.allowed
    if len(actions) == 1 and not actor.glass:
        return allowed.get(actions[0], "")
    rules = [allowed.get(action, "") for action in actions]
    named = [actor.glass] if actor.glass else []
    return ",".join(dict.fromkeys([*named, *(rules if all(rules) else ())]))
