"""Batches of customers: a file is opened once per reference, or updated where the map says so (Ch.3 §1, Ch.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

from domain.actors import Actor
from domain.errors import CreditError
from domain.files.codes import required_text, short_text
from domain.files.days import days
from domain.files.importing import (
    ImportKind,
    ImportRun,
    Known,
    Rejection,
    Tally,
    advanced,
    natural_person,
    opened,
)
from domain.files.opening import (
    BasicInformation,
    Checked,
    Contact,
    add_contact,
    another_file,
    changed_file,
    check,
    check_contact,
    draft_file,
    refuse_birth,
    refuse_double,
    usable,
)
from domain.files.parties import ContactPerson, CreditFile, Customer, PartyKind
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit

NOTHING = BasicInformation()
"""No basic information at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow:
    """One customer of an import."""

    row: int
    """The row of the file, counted from 1 below the header."""
    reference: str
    """The company's own number for the customer."""
    name: str
    """The registered name."""
    kind: PartyKind
    """What the customer is in law."""
    basic: BasicInformation = NOTHING
    """Basic information; what is left out is not on file, or stays as it was."""
    contact: Contact | None = None
    """A person to talk to there."""
    account_owner: str | None = None
    """The member of staff who looks after it."""


@operation("import:run", chapter="4.1, 4.3")
class ImportCustomers(Operation[ImportRun]):
    """Opens or updates one batch of credit files and moves the import on (Ch.3 §1, Ch.4 §1)."""

    run: Id
    """The import it belongs to."""
    position: int
    """How many rows of the file are decided before this batch."""
    rows: tuple[CustomerRow, ...]
    """The customers, in the order of the file."""
    refused: tuple[Rejection, ...] = ()
    """The rows between them that could not be read."""
    rejected_bytes: int = 0
    """How long the file of rejected rows is before this batch."""
    known: Known = Known.KEEP
    """What becomes of a customer that has a credit file already."""
    firms_only: bool = False
    """Whether rows about natural persons are rejected."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ImportRun]:
        """A reference has one file; where one is open already it stays, or is updated where the map says so.

        Chapter: 3.1, 4.1, 4.3.
        """
        kinds = (ImportKind.CUSTOMERS,)
        run, tally = opened(unit, self.run, kinds, self.position, len(self.rows), self.refused)
        references = tuple(dict.fromkeys(item.reference.strip() for item in self.rows))
        updating = self.known is Known.UPDATE
        found = unit.find(CreditFile, lock=updating, reference=references) if references else []
        batch = _Batch(
            unit=unit, actor=actor, run=run, today=days(unit).today, files={file.reference: file for file in found}
        )
        for item in self.rows:
            try:
                if self.firms_only and item.kind.natural:
                    raise natural_person()
                batch.take(item, tally, updating=updating)
            except CreditError as error:
                tally.reject(item.row, error)
        tally.stored = batch.store()
        read = len(self.rows) + len(self.refused)
        return Decided(value=advanced(unit, run, tally, read, self.rejected_bytes), resources=(run.id,))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Newcomer:
    """A customer that has no file yet, checked and ready to be stored."""

    item: CustomerRow
    customer: Customer
    file: CreditFile
    checked: Checked
    contact: Contact | None


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What a batch of customers comes to: newcomers are stored together, files on record one by one."""

    unit: Unit
    actor: Actor
    run: ImportRun
    today: date
    files: dict[str, CreditFile]
    newcomers: dict[str, _Newcomer] = field(default_factory=dict[str, _Newcomer])
    codes: dict[str, str] = field(default_factory=dict[str, str])
    """The unified social credit codes of this batch, each with the reference that has it."""

    def take(self, item: CustomerRow, tally: Tally, *, updating: bool) -> None:
        """Decides one row; whatever it raises, nothing of the row remains."""
        reference = item.reference.strip()
        file, newcomer = self.files.get(reference), self.newcomers.get(reference)
        if (file or newcomer) and not updating:
            tally.known += 1
        elif file:
            self._update(file, item, tally)
        elif newcomer:
            self._draft(_over(newcomer.item, item))
            tally.updated += 1
        else:
            self._draft(item)

    def store(self) -> int:
        """Stores the newcomers with their seals and contacts; returns how many."""
        newcomers = list(self.newcomers.values())
        if newcomers:
            self.unit.add([newcomer.customer for newcomer in newcomers])
            self.unit.add([newcomer.file for newcomer in newcomers])
        for newcomer in newcomers:
            for secret, value in newcomer.checked.secrets:
                self.unit.seal(newcomer.file, secret, value)
            if newcomer.contact:
                add_contact(self.unit, self.actor, newcomer.customer.id, newcomer.contact, self.run.origin)
        return len(newcomers)

    def _draft(self, item: CustomerRow) -> None:
        reference, name = required_text(item.reference, "reference"), required_text(item.name, "name")
        owner = short_text(item.account_owner, "accountOwner")
        checked, contact = self._checked(item, item.kind, None)
        customer, file = draft_file(
            self.unit,
            self.actor,
            reference=reference,
            name=name,
            kind=item.kind,
            account_owner=owner,
            checked=checked,
            origin=self.run.origin,
        )
        self.newcomers[reference] = _Newcomer(item=item, customer=customer, file=file, checked=checked, contact=contact)

    def _update(self, file: CreditFile, item: CustomerRow, tally: Tally) -> None:
        usable(file)
        name = required_text(item.name, "name")
        checked, contact = self._checked(item, self.unit.get(Customer, file.customer).kind, file.id)
        changed = changed_file(self.unit, self.actor, file, name=name, checked=checked, origin=self.run.origin)
        # Sealed values cannot be compared here, so a row that has any is taken for news.
        if not checked.secrets and not contact and _facts(changed) == _facts(file):
            tally.known += 1
            return
        updated = self.unit.replace(changed)
        for secret, value in checked.secrets:
            self.unit.seal(updated, secret, value)
        if contact:
            self._name_contact(updated.customer, contact)
        self.files[file.reference] = updated
        tally.updated += 1

    def _checked(self, item: CustomerRow, kind: PartyKind, own: Id | None) -> tuple[Checked, Contact | None]:
        """The row's values after every check; a unified social credit code belongs to one file, in the batch too."""
        checked = check(item.basic, self.today)
        refuse_birth(item.kind, checked)
        contact = None if item.contact is None else check_contact(item.contact)
        refuse_birth(kind, checked)
        refuse_double(self.unit, checked, own)
        for secret, value in checked.secrets:
            is_code = secret is CreditFile.unified_social_credit_code
            if is_code and self.codes.setdefault(value, item.reference.strip()) != item.reference.strip():
                raise another_file()
        return checked, contact

    def _name_contact(self, customer: Id, contact: Contact) -> None:
        """The contact of a duty: a new person, or the one on file with what the row says of it."""
        on_file = self.unit.find(ContactPerson, customer=customer, duty=contact.duty)
        if not on_file:
            add_contact(self.unit, self.actor, customer, contact, self.run.origin)
            return
        self.unit.seal(on_file[0], ContactPerson.person_name, contact.name)
        if contact.phone is not None:
            self.unit.seal(on_file[0], ContactPerson.person_phone, contact.phone)
        if contact.email is not None:
            self.unit.seal(on_file[0], ContactPerson.person_email, contact.email)


def _over(first: CustomerRow, second: CustomerRow) -> CustomerRow:
    """Two rows about one customer: what the second leaves out is as the first says."""
    said = {item.name: getattr(second.basic, item.name) for item in fields(BasicInformation)}
    basic = replace(first.basic, **{name: value for name, value in said.items() if value is not None})
    return replace(
        second,
        basic=basic,
        contact=second.contact or first.contact,
        account_owner=second.account_owner or first.account_owner,
    )


def _facts(file: CreditFile) -> Mapping[str, Any]:
    """What a file says in clear, apart from how it came in."""
    names = ("name", "registered_address", "registered_capital", "established_on", "industry_code", "size_class")
    return {name: getattr(file, name) for name in (*names, "staff_count", "findings")}
