"""How far a member of staff reaches: every customer, those of a department, those it looks after, or one alone.

The same words are a predicate of the store for what is read, and a check of one record for what is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from domain.ids import Id
from domain.records import Shape


class Extent(Enum):
    """Which customers a role reaches; the narrowest of a person's roles holds (Ch.8 §1)."""

    ALL = "ALL"
    """Every customer: what a role reaches where nothing else is in force."""
    DEPARTMENT = "DEPARTMENT"
    """The customers of one's department, and those one looks after."""
    OWN = "OWN"
    """The customers one looks after."""


_WIDEST_FIRST: Final = (Extent.ALL, Extent.DEPARTMENT, Extent.OWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A limit of what one person reaches."""

    owner: str = ""
    """Whose accounts; nobody's where it is empty."""
    department: Id | None = None
    """Also the customers of a department."""
    only: Id | None = None
    """One customer alone, whoever looks after it."""

    def holds(self, customer: Id, owner: str | None, department: Id | None) -> bool:
        """Whether a customer is within it, by who looks after it and the department it is with.

        Chapter: 8.1.
        Shape:   total; the same answer as the predicate by which the store finds rows.
        """
        if self.only is not None:
            return customer == self.only
        return (bool(self.owner) and owner == self.owner) or (
            self.department is not None and department == self.department
        )


class Way(Enum):
    """How a record leads to the customer it is about."""

    CUSTOMER = "CUSTOMER"
    """It names the customer."""
    SUBJECT = "SUBJECT"
    """The customer is its subject."""
    FILE = "FILE"
    """It names the customer's file."""
    NOBODY = "NOBODY"
    """It is about no customer: what a role reads of it is all that it reads."""
    EVERYBODY = "EVERYBODY"
    """It may be about many customers at once: within a limit none of it is found."""


def way_of(shape: Shape) -> tuple[Way, str]:
    """How a kind of record leads to its customer, and along which of its columns.

    Chapter: 8.1.
    """
    for target, way in (("Customer", Way.CUSTOMER), ("CreditFile", Way.FILE)):
        named = next((fact.name for fact in shape.facts.values() if fact.target == target), None)
        if named is not None and (way is Way.CUSTOMER or not shape.subject_reach):
            return way, named
    if shape.subject_reach:
        return Way.SUBJECT, "subject_id"
    return (Way.EVERYBODY if shape.ledger else Way.NOBODY), ""


def extent_of(roles: Iterable[str], extents: Mapping[str, Extent]) -> Extent:
    """How far a combination of roles reaches: as far as its narrowest role.

    Chapter: 8.1.
    Shape:   total; a further role never widens it.
    """
    return max((extents.get(role, Extent.ALL) for role in roles), key=_WIDEST_FIRST.index, default=Extent.ALL)


def reach_of(extent: Extent, person: str, department: Id | None) -> Reach | None:
    """The limit that an extent is for one person; None where there is none.

    Chapter: 8.1.
    """
    if extent is Extent.ALL:
        return None
    return Reach(owner=person, department=department if extent is Extent.DEPARTMENT else None)
