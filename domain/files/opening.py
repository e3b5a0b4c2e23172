"""Opening and updating a credit file: basic information, checked and from a lawful source (Ch.3 §1, Ch.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

from domain.actors import Actor
from domain.documents.evidence import check_evidence
from domain.errors import Code, Malformed
from domain.files import codes
from domain.files.codes import required_text, short_text
from domain.files.days import days
from domain.files.parties import ContactPerson, CreditFile, Customer, FileState, PartyKind, SizeClass
from domain.files.sources import Origin, lawful
from domain.ids import Id
from domain.money import Money
from domain.objections.following import put_right
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Confidential

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicInformation:
    """Ch.4 §1 as it is entered; what is None is not on file, or stays as it was in an update."""

    registered_address: str | None = None
    """The registered address. Ch.4 §1"""
    registered_capital: Money | None = None
    """The registered capital; not negative. Ch.4 §1"""
    established_on: date | None = None
    """The day it was established; not in the future. Ch.4 §1"""
    industry_code: str | None = None
    """Its industry (GB/T 4754). Ch.4 §1"""
    size_class: SizeClass | None = None
    """Its size. Ch.4 §1"""
    staff_count: int | None = None
    """How many people it employs; not negative. Ch.4 §1"""
    unified_social_credit_code: str | None = None
    """The unified social credit code (GB 32100), of one file only; sealed. Ch.4 §1"""
    legal_representative: str | None = None
    """The legal representative; sealed. Ch.4 §1"""
    phone: str | None = None
    """The main phone; it is sealed as E.164. Ch.4 §1"""
    email: str | None = None
    """The main e-mail address; sealed. Ch.4 §1"""
    bank_account: str | None = None
    """The bank account; sealed. Ch.4 §1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact person as entered."""

    duty: str
    """What the person does there. Ch.4 §1"""
    name: str
    """The person's name; sealed. Ch.4 §1"""
    phone: str | None = None
    """The person's phone; it is sealed as E.164. Ch.4 §1"""
    email: str | None = None
    """The person's e-mail address; sealed. Ch.4 §1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Basic information after every check: clear facts, values to seal, and findings that only warn."""

    facts: dict[str, Any]
    secrets: tuple[tuple[Confidential[str], str], ...]
    findings: tuple[str, ...]


def check(basic: BasicInformation, today: date) -> Checked:
    """Basic information with every value checked and normalised; a retired region only warns.

    Chapter: 4.1.
    Raises:  Malformed, naming the field and never its value.
    """
    if basic.established_on and basic.established_on > today:
        raise Malformed(
            "The day of establishment lies in the future.", code=Code.MALFORMED_DATE, path=("establishedOn",)
        )
    if basic.staff_count is not None and basic.staff_count < 0:
        raise Malformed("The staff count is negative.", code=Code.MALFORMED_AMOUNT, path=("staffCount",))
    if basic.registered_capital and basic.registered_capital.minor < 0:
        raise Malformed("The registered capital is negative.", code=Code.MALFORMED_AMOUNT, path=("registeredCapital",))
    facts = {
        "registered_address": short_text(basic.registered_address, "registeredAddress"),
        "registered_capital": basic.registered_capital,
        "established_on": basic.established_on,
        "industry_code": short_text(basic.industry_code, "industryCode"),
        "size_class": basic.size_class,
        "staff_count": basic.staff_count,
    }
    found: list[str] = []
    secrets = tuple(_secrets(basic, found))
    return Checked(
        facts={name: value for name, value in facts.items() if value is not None},
        secrets=secrets,
        findings=tuple(found),
    )


def _secrets(basic: BasicInformation, findings: list[str]) -> Iterator[tuple[Confidential[str], str]]:
    if basic.unified_social_credit_code is not None:
        code = _read(codes.unified_social_credit_code, basic.unified_social_credit_code, "unifiedSocialCreditCode")
        findings.extend(code.findings)
        yield CreditFile.unified_social_credit_code, code.code
    representative = short_text(basic.legal_representative, "legalRepresentative")
    if representative is not None:
        yield CreditFile.legal_representative, representative
    if basic.phone is not None:
        yield CreditFile.phone, _read(codes.phone, basic.phone, "phone")
    if basic.email is not None:
        yield CreditFile.email, _read(codes.email, basic.email, "email")
    if basic.bank_account is not None:
        yield CreditFile.bank_account, _read(codes.bank_account, basic.bank_account, "bankAccount")


def _read(reader: Callable[[str], T], value: str, name: str) -> T:
    """A value as its reader takes it; what is refused names the field."""
    try:
        return reader(value)
    except Malformed as error:
        error.path = (name,)
        raise


def refuse_double(unit: Unit, checked: Checked, own: Id | None) -> None:
    """Refuses a unified social credit code that another file of the company has: one blind-index look-up.

    Chapter: 4.1.
    Raises:  Malformed (CONFLICT).
    """
    for field, value in checked.secrets:
        if field is CreditFile.unified_social_credit_code and set(unit.look_up(field, value)) - {own}:
            raise another_file()


def another_file() -> Malformed:
    """Why a unified social credit code is refused that another file has.

    Chapter: 4.1.
    """
    return Malformed(
        "Another credit file has this unified social credit code.",
        code=Code.CONFLICT,
        advice="Find that file by the code and update it instead of opening a second one.",
        path=("unifiedSocialCreditCode",),
    )


def refuse_birth(kind: PartyKind, checked: Checked) -> None:
    """Refuses the day of establishment of a natural person: it would be the day of birth, which is never collected.

    Chapter: 4.3.
    Raises:  Malformed (FORBIDDEN_CATEGORY).
    """
    if kind is PartyKind.NATURAL_PERSON and "established_on" in checked.facts:
        raise Malformed(
            "A natural person has no day of establishment, and a day of birth must not be collected.",
            code=Code.FORBIDDEN_CATEGORY,
            advice="Leave it out.",
            path=("establishedOn",),
        )


def draft_file(
    unit: Unit,
    actor: Actor,
    *,
    reference: str,
    name: str,
    kind: PartyKind,
    account_owner: str | None,
    checked: Checked,
    origin: Origin,
) -> tuple[Customer, CreditFile]:
    """A customer with its file, not staged yet; the caller has checked source and doubles.

    Chapter: 3.1, 4.1.
    Raises:  Malformed (FORBIDDEN_CATEGORY).
    """
    refuse_birth(kind, checked)
    customer = Customer(stamp=unit.stamp(Customer), kind=kind, account_owner=account_owner)
    file = CreditFile(
        stamp=unit.stamp(CreditFile, subject=customer.id),
        customer=customer.id,
        reference=reference,
        name=name,
        source=origin.source,
        lawful_basis=origin.lawful_basis,
        collector=actor.person,
        collected_at=origin.collected_at or unit.now,
        evidence_digest=origin.evidence_digest,
        evidence=origin.evidence,
        findings=checked.findings,
        **checked.facts,
    )
    return customer, file


@operation("credit_file:open", chapter="3.1, 4.1")
class OpenCreditFile(Operation[CreditFile]):
    """Opens the credit file of a customer from a lawful source (Ch.3 §1, Ch.4 §1)."""

    reference: str
    """The company's own number for this customer, unique. Ch.3 §1"""
    name: str
    """The registered name. Ch.4 §1"""
    kind: PartyKind
    """What the customer is in law. Ch.4 §1"""
    origin: Origin
    """Where the information comes from. Ch.4 §3"""
    basic: BasicInformation = BasicInformation()
    """The basic information; what is left out is not on file. Ch.4 §1"""
    contacts: tuple[Contact, ...] = ()
    """People to talk to there; each is a subject of its own. Ch.4 §1"""
    account_owner: str | None = None
    """The member of staff who looks after it. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditFile]:
        """A reference and a unified social credit code belong to one file; contacts are subjects of their own.

        Chapter: 3.1, 4.1, 4.3.
        """
        lawful(unit, self.origin)
        check_evidence(unit, self.origin.evidence, None)
        reference, name = required_text(self.reference, "reference"), required_text(self.name, "name")
        if unit.find(CreditFile, reference=reference):
            raise Malformed(
                "A credit file with this reference exists already.",
                code=Code.CONFLICT,
                advice="Update that file instead.",
                path=("reference",),
            )
        checked = check(self.basic, days(unit).today)
        refuse_double(unit, checked, None)
        customer, file = draft_file(
            unit,
            actor,
            reference=reference,
            name=name,
            kind=self.kind,
            account_owner=short_text(self.account_owner, "accountOwner"),
            checked=checked,
            origin=self.origin,
        )
        unit.add([customer])
        unit.add([file])
        for field, value in checked.secrets:
            unit.seal(file, field, value)
        for number, contact in enumerate(self.contacts):
            add_contact(unit, actor, customer.id, check_contact(contact, ("contacts", str(number))), self.origin)
        return Decided(value=file, resources=(file.id,))


def check_contact(contact: Contact, place: tuple[str, ...] = ("contact",)) -> Contact:
    """A contact with every value checked and normalised; its place is where it stands among what was entered.

    Chapter: 4.1.
    Raises:  Malformed, naming the field and never its value.
    """
    try:
        return Contact(
            duty=required_text(contact.duty, "duty"),
            name=required_text(contact.name, "name"),
            phone=None if contact.phone is None else _read(codes.phone, contact.phone, "phone"),
            email=None if contact.email is None else _read(codes.email, contact.email, "email"),
        )
    except Malformed as error:
        error.path = (*place, *error.path)
        raise


def add_contact(unit: Unit, actor: Actor, customer: Id, checked: Contact, origin: Origin) -> ContactPerson:
    """Stages a checked contact person as a subject of its own, so that it can be erased without the firm.

    Chapter: 4.1.
    """
    person = ContactPerson(
        stamp=unit.stamp(ContactPerson),
        customer=customer,
        duty=checked.duty,
        source=origin.source,
        lawful_basis=origin.lawful_basis,
        collector=actor.person,
        collected_at=origin.collected_at or unit.now,
        evidence_digest=origin.evidence_digest,
        evidence=origin.evidence,
    )
    unit.add([person])
    unit.seal(person, ContactPerson.person_name, checked.name)
    if checked.phone is not None:
        unit.seal(person, ContactPerson.person_phone, checked.phone)
    if checked.email is not None:
        unit.seal(person, ContactPerson.person_email, checked.email)
    return person


def changed_file(
    unit: Unit, actor: Actor, file: CreditFile, *, name: str | None, checked: Checked, origin: Origin
) -> CreditFile:
    """The file with new basic information, not staged yet; what the new information leaves out stays.

    Chapter: 4.1, 4.3.
    """
    return replace(
        file,
        name=name or file.name,
        source=origin.source,
        lawful_basis=origin.lawful_basis,
        collector=actor.person,
        collected_at=origin.collected_at or unit.now,
        evidence_digest=origin.evidence_digest,
        evidence=origin.evidence,
        findings=tuple(dict.fromkeys((*file.findings, *checked.findings))),
        **checked.facts,
    )


@operation("credit_file:update", chapter="4.1")
class UpdateBasicInformation(Operation[CreditFile]):
    """Supersedes what is named by new basic information from a lawful source; the rest stays (Ch.4 §1)."""

    credit_file: Id
    """The file to update; it must be open. Ch.4 §1"""
    origin: Origin
    """Where the new information comes from. Ch.4 §3"""
    name: str | None = None
    """The new registered name; it stays where nothing is said. Ch.4 §1"""
    basic: BasicInformation = BasicInformation()
    """The new basic information; what is left out stays as it is. Ch.4 §1"""
    contacts: tuple[Contact, ...] = ()
    """People to add to its contacts. Ch.4 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[CreditFile]:
        """The old version stays readable at its own time; a file that is not open takes nothing.

        Chapter: 4.1, 4.3.
        """
        lawful(unit, self.origin)
        file = unit.get(CreditFile, self.credit_file, lock=True)
        usable(file)
        check_evidence(unit, self.origin.evidence, file.id)
        checked = check(self.basic, days(unit).today)
        refuse_birth(unit.get(Customer, file.customer).kind, checked)
        refuse_double(unit, checked, file.id)
        name = short_text(self.name, "name")
        changed = changed_file(unit, actor, file, name=name, checked=checked, origin=self.origin)
        updated = unit.replace(changed)
        for field, value in checked.secrets:
            unit.seal(updated, field, value)
        for number, contact in enumerate(self.contacts):
            add_contact(unit, actor, updated.customer, check_contact(contact, ("contacts", str(number))), self.origin)
        put_right(unit, updated.id)
        return Decided(value=updated, resources=(updated.id,))


def usable(file: CreditFile) -> None:
    """Refuses work on a file that is restricted or erased.

    Chapter: 4.4.
    Raises:  Malformed (INVALID_TRANSITION).
    """
    if file.state is not FileState.OPEN:
        raise Malformed(
            "The credit file is not open.",
            code=Code.INVALID_TRANSITION,
            advice="A restricted file is stored only; ask the privacy officer.",
            path=("creditFile",),
        )
