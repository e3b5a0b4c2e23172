"""The people of the tour, and what they read: each acts through the Gate with the rights of its roles alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, TypeVar

from api.granting import House, planned
from domain.actors import Actor
from domain.ids import Id
from domain.operations import Operation, Performed
from domain.reading import Labelled, Level, Page, Reading, Slot, Where
from domain.records import Record

T = TypeVar("T")

PAGE = 100


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the tour."""

    house: House
    actor: Actor

    async def do(self, operation: Operation[T]) -> T:
        """The value of an operation."""
        return (await self.perform(operation)).value

    async def perform(self, operation: Operation[T]) -> Performed[T]:
        """The end of an operation, with what was opened for it."""
        return await self.house.gate.perform(operation, self.actor, request="tour")

    async def rows(
        self,
        record: type[Record],
        *facts: str,
        where: tuple[tuple[str, Any], ...] = (),
        order: tuple[tuple[str, bool], ...] = (),
        most: int | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Some facts of the records in reach, page by page; each page is a reading with its own entry."""
        level = Level(
            shape=record.shape,
            facts=tuple(Labelled(name, name) for name in facts),
            where=tuple(Where(name, "=", Slot(2 + place)) for place, (name, _) in enumerate(where)),
            order=order,
            page=Page(size=Slot(0), after=Slot(1), maximum=PAGE),
        )
        plan = await planned(self.house, self.actor, Reading((Labelled("page", level),)))
        after, left = None, most
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            arguments = [size, after, *(value for _, value in where)]
            page = (await self.house.gate.read(plan, self.actor, arguments, request="tour"))["page"]
            for row in page["rows"]:
                yield row
            if not page["more"]:
                return
            after = page["cursors"][-1]
            left = None if left is None else left - len(page["rows"])


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody who appears, each a person of its own."""

    analyst: Person
    manager: Person
    committee: Person
    board: Person
    privacy: Person
    auditor: Person
    importer: Person

    @classmethod
    def of(cls, house: House, tenant: Id) -> Cast:
        """The people of one company."""

        def person(name: str, *roles: str) -> Person:
            return Person(house, Actor(tenant=tenant, person=name, roles=frozenset(roles)))

        return cls(
            analyst=person("an-li", "credit_analyst"),
            manager=person("ma-wang", "credit_manager"),
            committee=person("co-zhao", "credit_committee"),
            board=person("bo-sun", "credit_committee", "legal"),
            privacy=person("po-chen", "privacy_officer"),
            auditor=person("au-zhou", "auditor"),
            importer=person("system:import", "system"),
        )


def customer_self(house: House, tenant: Id, customer: Id) -> Person:
    """A customer, who acts for itself."""
    actor = Actor(tenant=tenant, person="customer", roles=frozenset({"customer_self"}), subject=customer)
    return Person(house, actor)


def partner_client(house: House, tenant: Id, partner: Id) -> Person:
    """A partner's system."""
    actor = Actor(tenant=tenant, person="partner-system", roles=frozenset({"partner_client"}), partner=partner)
    return Person(house, actor)
