"""Who acts, and with which rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from domain.ids import Id
from domain.persons.standing import PLAIN, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person, a partner, a customer or a job, as its verified token names it, inside one tenant."""

    tenant: Id
    person: str
    """The stable name of the person or machine (`sub`); a job is `system:<job>`."""
    roles: frozenset[str]
    partner: Id | None = None
    """The partner (`pa_…`) a `partner_client` speaks for."""
    subject: Id | None = None
    """The customer (`cu_…`) a `customer_self` is."""
    document: str = ""
    """The SHA-256 of the trusted document it runs, where it runs one."""
    key: str = ""
    """The thumbprint of the key the token is bound to, where it is."""
    consents: tuple[Id, ...] = ()
    """The consents a partner's token rests on: it gets nothing under others, and nothing once one of them is over."""
    service: bool = False
    """Whether it is a program of the company (`service:<client>`): nobody's second person."""
    issuer: str = ""
    """Who issued its token, where that is not this installation itself."""
    claimed: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """What its token claims, as places and values, where the company's own rules say which roles that gives."""
    glass: str = ""
    """The broken glass it says it acts under; what that gives, and whether it still does, its standing says."""
    standing: Standing = PLAIN
    """What the company has set about it besides its roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What came with a request to say whose it is; nothing of it is verified yet."""

    token: str = field(default="", repr=False)
    bound: bool = False
    """Whether it came as the token of a key (`DPoP`), and not as that of whoever bears it."""
    proofs: tuple[str, ...] = field(default=(), repr=False)
    """The proofs of that key that came along: one is needed."""
    method: str = ""
    url: str = ""
    """What was asked, as the caller must have named it in the proof."""
    glass: str = ""
    """The broken glass it says it acts under."""


@dataclass(frozen=True, slots=True, eq=False)
class Rights:
    """One interned row of the decision table: every action a combination of roles may do, and by which rule."""

    id: int
    """Equal rights have equal ids; new grants make new ids, so old plans age out."""
    version: str
    """The grants snapshot the decision rests on; it goes into every audit entry."""
    allowed: Mapping[str, str]
    """Action (`noun:verb`) → id of the rule that allows it."""
    denied: frozenset[str] = frozenset()
    """The actions that a rule forbids, whatever else would allow them."""
    lapsed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Action → the course that is missing; the roles would allow it."""

    def permits(self, action: str) -> bool:
        """Whether the action is allowed; an unknown action is not.

        Chapter: 8.1.
        """
        return action in self.allowed

    def missing(self, actions: Iterable[str]) -> tuple[str, ...]:
        """The actions that are not allowed, in the order asked.

        Chapter: 8.1.
        """
        return tuple(action for action in actions if action not in self.allowed)


class Grants(Protocol):
    """Who may do what in each tenant."""

    async def notice(self, tenant: Id) -> None:
        """Takes notice of the grants in force in a tenant; what asks for rights does so first.

        Raises: Unavailable where they cannot be looked up.
        """
        ...

    def rights(self, actor: Actor) -> Rights:
        """The rights of an actor's roles in its tenant; interned, a look-up."""
        ...
