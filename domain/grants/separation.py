"""What no version of the grants may ever say, and what each must: the separation of duty between roles, as data.

It is checked on the compiled grants, so that no way through other roles leads around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from domain.errors import Code, Malformed
from domain.grants.effects import Compiled, Effect

READING: Final = ("read", "examine", "introspect", "export", "prove", "receipt", "watch")
"""The verbs that change nothing."""
DECIDING: Final = ("approve", "decide", "lift", "release", "conceal")
"""The verbs by which somebody decides on what another prepared."""
_CLEAR = ("reveal",)
_CUSTOMERS = (
    "credit_file",
    "contact_person",
    "transaction",
    "default",
    "litigation",
    "sanction",
    "rating",
    "statement",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """A role never does some actions."""

    role: str
    says: str
    nouns: tuple[str, ...] = ()
    """What is acted on; everything where none is named."""
    verbs: tuple[str, ...] = ()
    """What is done with it; everything where none is named."""
    but: tuple[str, ...] = ()
    """Verbs, nouns and whole actions that are no part of it."""
    forbidden: bool = False
    """Whether a rule has to forbid it, so that no other role of the same person allows it."""

    def speaks_of(self, action: str) -> bool:
        """Whether an action is one of those it never does.

        Chapter: 8.1.
        """
        noun, _, verb = action.partition(":")
        if {noun, verb, action} & set(self.but):
            return False
        return (not self.nouns or noun in self.nouns) and (not self.verbs or verb in self.verbs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Somebody of the company can do an action under every version."""

    action: str
    says: str


NEVER: Final = (
    Never(
        role="auditor",
        says="Who examines does not write",
        but=(*READING, "audit", "reveal", "mask", "consent:export", "consent:receipt"),
        forbidden=True,
    ),
    Never(role="auditor", says="Who examines sees no value in clear", nouns=_CLEAR, forbidden=True),
    Never(role="system", says="A job decides nothing: a person does", verbs=DECIDING),
    Never(role="system", says="A job is no reader", nouns=("reveal", "mask", "schema")),
    Never(role="system", says="A job changes no grants", nouns=("grants",), but=("read", "activate")),
    Never(
        role="platform_admin",
        says="Who runs the platform reads no customer data",
        nouns=("reveal", "mask"),
        forbidden=True,
    ),
    Never(
        role="platform_admin",
        says="Who runs the platform reads no customer data",
        nouns=_CUSTOMERS,
        verbs=("read",),
        forbidden=True,
    ),
    Never(
        role="sales",
        says="Who sells does not decide on credit",
        nouns=("assessment", "control"),
        verbs=DECIDING,
        forbidden=True,
    ),
    Never(
        role="credit_policy_author",
        says="Who drafts the credit policy does not approve it",
        nouns=("credit_policy",),
        verbs=DECIDING,
    ),
    Never(
        role="partner_client",
        says="A partner asks for disclosures, reads its own and answers recalls",
        but=("disclosure:request", "disclosure:read", "disclosure:attest", "recall:answer", "audit:prove"),
    ),
    Never(role="customer_self", says="A customer decides nothing of the company", verbs=(*DECIDING, "propose")),
    Never(
        role="customer_self",
        says="A customer sees and runs nothing of how the company is run",
        nouns=("grants", "key", "audit", "import", "tenant"),
        but=("tenant:read",),
    ),
)
"""What no version of the grants may say."""

KEPT: Final = (
    Kept(action="grants:read", says="somebody reads the grants"),
    Kept(action="grants:propose", says="somebody proposes grants"),
    Kept(action="grants:approve", says="somebody approves grants"),
)
"""What every version keeps possible, so that no company locks itself out."""
OUTSIDE: Final = frozenset({"partner_client", "customer_self", "system"})
"""Roles that count for nothing there: they are nobody of the company."""


def check_separation(compiled: Compiled) -> None:
    """Checks that compiled grants say nothing that they may not.

    Chapter: 8.1.
    Raises:  Malformed naming the role, the action and the rule.
    """
    broken = next(breaches(compiled), None)
    if broken is not None:
        raise Malformed(
            broken,
            code=Code.SEPARATION_OF_DUTY,
            advice="Take the rule out, or forbid it by a rule of its own; nobody can approve grants that say this.",
            path=("rules",),
        )


def breaches(compiled: Compiled) -> Iterator[str]:
    """Everything that compiled grants say and may not, each in a sentence that names its place.

    Chapter: 8.1.
    """
    for never in NEVER:
        for action in compiled.actions:
            if never.speaks_of(action):
                yield from _broken(never, compiled, action)
    for kept in KEPT:
        if not any(
            compiled.cell(role, kept.action).effect is Effect.ALLOW for role in compiled.roles if role not in OUTSIDE
        ):
            yield f"Under these grants nobody may do {kept.action}, and it must stay possible that {kept.says}."


def _broken(never: Never, compiled: Compiled, action: str) -> Iterator[str]:
    cell = compiled.cell(never.role, action)
    if cell.effect is Effect.ALLOW and cell.rule is not None:
        yield f"{never.says}: rule {cell.rule.id} gives {never.role} the action {action}."
    elif never.forbidden and cell.effect is Effect.NONE:
        yield f"{never.says}, whatever other role a person has: no rule forbids {never.role} the action {action}."
