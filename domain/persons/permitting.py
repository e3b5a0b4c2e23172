"""What the rights of an actor say of an operation or a reading: permitted, or refused with what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from domain.actors import Actor, Rights
from domain.errors import Conflict, CreditError, NotPermitted
from domain.persons.duties import AUDITOR, Duty, examines
from domain.reading import Judged


def permit(actor: Actor, actions: Sequence[str], rights: Rights) -> None:
    """Refuses actions that the rights do not hold.

    Chapter: 8.1.
    Raises:  NotPermitted, naming them.
    """
    missing = rights.missing(actions)
    if not missing:
        return
    writes = AUDITOR in actor.roles and not examines(missing)
    raise NotPermitted(
        "Your roles do not allow " + ", ".join(missing) + ".",
        advice="Ask a person whose role allows it; the role × action matrix shows which.",
        cause=Duty.AUDITOR_NOT_WRITER.value if writes else "",
    )


def unreadable(judged: Judged, rights: Rights) -> CreditError | None:
    """Why a judged reading is not carried out, if it is not.

    Chapter: 8.1.
    """
    if judged.rights.id != rights.id:
        return Conflict("Your rights changed meanwhile.", advice="Ask again.")
    if judged.refused:
        return NotPermitted(
            "Your roles do not read " + ", ".join(judged.unread) + ".",
            advice="Leave these fields out, or ask for " + ", ".join(judged.actions) + ".",
        )
    return None


def rules_of(actions: Sequence[str], rights: Rights) -> str:
    """The rules that allow all of it; none where one action is not allowed.

    Chapter: 8.1.
    """
    allowed = rights.allowed
    if len(actions) == 1:
        return allowed.get(actions[0], "")
    rules = [allowed.get(action, "") for action in actions]
    return ",".join(dict.fromkeys(rules)) if all(rules) else ""
