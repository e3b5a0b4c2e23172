"""The audit log as readers find it: entries, and per customer who looked or acted (Ch.3 §3, Ch.8)."""

from __future__ import annotations

from datetime import datetime

from domain.actors import Actor
from domain.audit import Outcome
from domain.errors import NotFound
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, record


@record("ae", table="audit_entry", read="audit:read", subject_reach=False, ledger=True)
class AuditEntry(Record):
    """One entry of the audit log (Ch.8 §1); the log's own bytes are verified by `credence audit verify`."""

    log_index: int = fact("Its place in the log, counted from 0. Ch.8 §1", order=True)
    at: datetime = fact("When it happened. Ch.8 §1", filter=True)
    actor: str = fact("Who acted. Ch.8 §1", filter=True)
    behalf: str = fact("The partner or customer acted for; empty otherwise. Ch.8 §1", filter=True)
    action: str = fact("What was done, `noun:verb`. Ch.8 §1", filter=True)
    actions: str = fact("Every action it rests on, with a comma between them. Ch.8 §1", filter=True)
    outcome: Outcome = fact("How it ended. Ch.8 §1", filter=True)
    code: str = fact("The error code where it was not done; empty otherwise. Ch.8 §1", filter=True)
    cause: str = fact("The true cause where the answer said less; empty otherwise. Ch.8 §1", filter=True)
    purpose: str = fact("The purpose stated; empty where none is asked. Ch.4 §4", filter=True)
    consent: str = fact("The consent and its version; empty where none is needed. Ch.4 §4", filter=True)
    rule: str = fact("The rules of the grants that allowed it; empty where it was not allowed. Ch.8 §1", filter=True)
    subjects: tuple[str, ...] = fact("Whose data was touched. Ch.8 §1", filter=True)
    resources: tuple[str, ...] = fact("Which records were touched. Ch.8 §1")
    fields: tuple[str, ...] = fact("Which fields were read, opened or written. Ch.8 §1")
    request: str = fact("The request's id. Ch.8 §1")
    document: str = fact("SHA-256 of the trusted document that was run; empty where none was. Ch.4 §4", filter=True)
    leaf_hash: str = fact("The entry's leaf hash in the log (RFC 6962), in hex. Ch.8 §1")


NOT_FOR_SUBJECTS = ("statutory:propose", "statutory:approve", "statutory:conceal")
"""Actions a customer does not find in its own access log: steps before data is handed to an authority, and handing it
over where the law forbids to tell. Staff who may read the log find them all."""


@record("al", table="audit_access", read="access_log:read", ledger=True)
class AccessEntry(Record):
    """Who looked at a customer's file or acted on it, when and why (Ch.3 §3)."""

    entry: Id = fact("The audit entry. Ch.8 §1")
    log_index: int = fact("Its place in the log. Ch.8 §1", order=True)
    at: datetime = fact("When it happened. Ch.3 §3", order=True, filter=True)
    actor: str = fact("Who acted. Ch.3 §3", filter=True)
    behalf: str = fact("The partner or customer acted for; empty otherwise. Ch.3 §3", filter=True)
    action: str = fact("What was done. Ch.3 §3", filter=True)
    actions: str = fact("Every action it rests on, with a comma between them. Ch.3 §3", filter=True)
    outcome: Outcome = fact("How it ended. Ch.3 §3", filter=True)
    purpose: str = fact("The purpose stated. Ch.3 §3", filter=True)
    fields: tuple[str, ...] = fact("Which fields were read, opened or written. Ch.3 §3")


@operation("audit:prove", chapter="4.4, 8.1")
class ProveAuditEntry(Operation[Id]):
    """Gives the proof that an audit entry stands in the log: a partner of its own, an auditor of any (Ch.8 §1)."""

    entry: Id
    """The audit entry. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Id]:
        """To a partner there are no entries but those that were made on its behalf.

        Chapter: 4.4, 8.1.
        """
        found = unit.find(AuditEntry, id=self.entry)
        if not found or (actor.partner is not None and found[0].behalf != actor.partner):
            raise NotFound(
                "There is no such audit entry, or it has no place in the log yet.",
                advice="An entry gets its place within a second or two: ask again then.",
                path=("entry",),
            )
        return Decided(value=self.entry, proves=(self.entry,), resources=(self.entry,))


@operation("audit:export", chapter="8.1")
class ExportAuditLog(Operation[None]):
    """Lets the company's audit log leave, whole as files or listed; its entry is the last these are sure to hold."""

    form: str = "tiles"
    """As what it leaves: the log's own files, or a list of its entries. Ch.8 §1"""
    subject: Id | None = None
    """Whose entries alone leave, where the list is about one customer. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[None]:
        """The grants decide alone; the files are written after the entry is durable.

        Chapter: 8.1.
        """
        del unit
        about = () if self.subject is None else (self.subject,)
        return Decided(value=None, resources=(actor.tenant, *about), fields=(f"audit_entry:{self.form}",))


@operation("audit:export", chapter="8.1")
class FetchAuditEntries(Operation[None]):
    """Lets one bundle of the log's entries leave over HTTP, as the log's own files have it (Ch.8 §1)."""

    path: Id
    """Where the bundle lies in the log, as the entry names it. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[None]:
        """The grants decide alone; the entry says which bundle was taken.

        Chapter: 8.1.
        """
        del unit
        return Decided(value=None, resources=(actor.tenant, self.path))


@operation("audit:alarm", chapter="8.1")
class RaiseLogAlarm(Operation[None]):
    """Records that a witness says of the log that it is not the one it cosigned before (Ch.8 §1)."""

    witness: Id
    """The witness, by its name and the id of its key. Ch.8 §1"""
    size: int
    """How many entries the checkpoint had that it was shown. Ch.8 §1"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[None]:
        """It is recorded as it is told: whether the log or the witness is wrong, people find out.

        Chapter: 8.1.
        """
        del unit
        return Decided(value=None, resources=(actor.tenant, self.witness, Id(f"checkpoint/{self.size}")))


@operation("tenant:administer", chapter="8.1")
class CheckStore(Operation[None]):
    """Lets everything that is stored of the company be checked: seals are opened, and their values dropped at once."""

    def decide(self, unit: Unit, actor: Actor) -> Decided[None]:
        """The grants decide alone; the check follows after the entry is durable.

        Chapter: 8.1.
        """
        del unit
        return Decided(value=None, resources=(actor.tenant,))
