"""Departments, who is in which, and who looks after which customer (Ch.8 §1)."""

from __future__ import annotations

from dataclasses import replace

from domain.actors import Actor
from domain.errors import Conflict
from domain.files.codes import required_text, short_text
from domain.files.opening import usable
from domain.files.parties import CreditFile, Customer
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, link, record


@record("dp", table="department", read="department:read", unique=(("name",),), subject_reach=False)
class Department(Record):
    """A department of the company (Ch.2, Ch.8 §1)."""

    name: str = fact("What it is called. Ch.8 §1", filter=True, order=True)


@record("sm", table="staff_member", read="department:read", unique=(("person",),), subject_reach=False)
class StaffMember(Record):
    """Which department a member of staff is in (Ch.8 §1)."""

    person: str = fact("The person, as its token names it. Ch.8 §1", filter=True, order=True)
    department: Id | None = link("Department", "Its department; none where it left. Ch.8 §1", default=None)


@operation("department:open", chapter="2, 8.1")
class OpenDepartment(Operation[Department]):
    """Opens a department of the company (Ch.2, Ch.8 §1)."""

    name: str
    """What it is called, once in the company. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Department]:
        """A name is one department's.

        Chapter: 2, 8.1.
        """
        del actor
        name = required_text(self.name, "name")
        if unit.find(Department, name=name):
            raise Conflict("There is a department of this name.", path=("name",))
        department = Department(stamp=unit.stamp(Department), name=name)
        unit.add([department])
        return Decided(value=department, resources=(department.id,))


@operation("department:place", chapter="8.1", settles=True)
class PlaceStaff(Operation[StaffMember]):
    """Says which department a member of staff is in; without one it is in none (Ch.8 §1)."""

    person: str
    """The person, exactly as its token names it. Ch.8 §1"""
    department: Id | None = None
    """The department. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[StaffMember]:
        """A person is in one department at a time.

        Chapter: 8.1.
        """
        del actor
        person = required_text(self.person, "person")
        if self.department is not None:
            unit.get(Department, self.department)
        known = unit.find(StaffMember, lock=True, person=person)
        if known:
            placed = unit.replace(replace(known[0], department=self.department))
        else:
            placed = StaffMember(stamp=unit.stamp(StaffMember), person=person, department=self.department)
            unit.add([placed])
        return Decided(value=placed, resources=(placed.id,))


@operation("account:assign", chapter="8.1")
class AssignAccount(Operation[CreditFile]):
    """Says who looks after a customer, and which department it is with (Ch.8 §1)."""

    credit_file: Id
    """The customer's file. Ch.8 §1"""
    owner: str | None = None
    """The member of staff who looks after it from now on; nobody where none is named. Ch.8 §1"""
    department: Id | None = None
    """The department it is with from now on; none where none is named. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditFile]:
        """Both are set together, so that nothing is left of who had it before.

        Chapter: 8.1.
        """
        del actor
        file = unit.get(CreditFile, self.credit_file, lock=True)
        usable(file)
        if self.department is not None:
            unit.get(Department, self.department)
        customer = unit.get(Customer, file.customer, lock=True)
        unit.replace(replace(customer, account_owner=short_text(self.owner, "owner"), department=self.department))
        return Decided(value=file, resources=(file.id, customer.id))
