"""Recalling what was disclosed: each recipient is told, names no value, and answers what it did (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Final

from domain.actors import Actor
from domain.consent.consents import Consent, Disclosure, DisclosureState, Partner
from domain.errors import Code, Malformed, NotFound
from domain.files.codes import required_text
from domain.files.days import days
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, link, record

ANSWER_IN: Final = timedelta(days=15)
"""By when a recipient says what it did; our choice, as agreed with partners."""


RELEASED: Final = (DisclosureState.RELEASED, DisclosureState.PARTIAL)
"""In these states a disclosure told something."""


class RecallCause(Enum):
    """Why something that was disclosed is recalled."""

    CORRECTION = "CORRECTION"
    """It was wrong."""
    REPAIR = "REPAIR"
    """It was repaired or is over, and must not be used any more."""
    WITHDRAWAL = "WITHDRAWAL"
    """The customer took its consent back."""
    ERASURE = "ERASURE"
    """It is erased here."""


class RecallState(Enum):
    """SENT → ACKNOWLEDGED."""

    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"


class Compliance(Enum):
    """What a recipient did."""

    DELETED = "DELETED"
    CORRECTED = "CORRECTED"
    NEVER_KEPT = "NEVER_KEPT"


@record("rc", table="recall", read="disclosure:read", partner_reach=True)
class Recall(Record):
    """What one partner is told to put right or delete of what it got (Ch.4 §4)."""

    credit_file: Id = link("CreditFile", "The file it is about. Ch.4 §4", action="credit_file:read")
    disclosure: Id = link("Disclosure", "What it got. Ch.4 §4")
    partner: Id = link("Partner", "Who got it. Ch.4 §4", same_subject=False, action="partner:read")
    fields: tuple[str, ...] = fact("Tags of the fields that are recalled. Ch.4 §4")
    cause: RecallCause = fact("Why. Ch.4 §4", filter=True)
    state: RecallState = fact("Whether the partner answered. Ch.4 §4", filter=True)
    answer_by: date = fact("By when it answers. Ch.4 §4", order=True, filter=True)
    compliance: Compliance | None = fact("What it did. Ch.4 §4", default=None)
    answered_at: datetime | None = fact("When it said so. Ch.4 §4", default=None)


class DeliveryState(Enum):
    """QUEUED → WAITING → DELIVERED, GIVEN_UP or ANSWERED; of a partner one is WAITING at a time, the oldest."""

    QUEUED = "QUEUED"
    """An earlier one of the same partner comes first."""
    WAITING = "WAITING"
    """It is sent as soon as it is due and the partner has an address."""
    DELIVERED = "DELIVERED"
    """The partner's address took it; what was done about the recall, the partner answers itself."""
    GIVEN_UP = "GIVEN_UP"
    """It was tried as often as is tried; the recall stands, and the partner finds it under recalls."""
    ANSWERED = "ANSWERED"
    """The partner answered the recall before it was delivered."""


class DeliveryFailure(Enum):
    """Why an attempt failed."""

    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    """The address is of a network that nothing is sent to: private, local, or of this machine."""
    UNREACHABLE = "UNREACHABLE"
    """Nobody was found there, the connection was refused or broken off, or its certificate was not good."""
    TOO_LATE = "TOO_LATE"
    """No answer came in time."""
    REDIRECTED = "REDIRECTED"
    """It was sent elsewhere; nothing is sent there."""
    NOT_TAKEN = "NOT_TAKEN"
    """The answer was another than 2xx."""


@record("rd", table="recall_delivery", read="disclosure:read", partner_reach=True)
class RecallDelivery(Record):
    """The sending of one recall to the address of its partner: signed, in order, again until it is taken (Ch.4 §4)."""

    recall: Id = link("Recall", "What is sent. Ch.4 §4")
    partner: Id = link("Partner", "To whom. Ch.4 §4", same_subject=False, action="partner:read")
    state: DeliveryState = fact("Where it stands. Ch.4 §4", filter=True)
    due_at: datetime | None = fact(
        "When it is tried next; null while the partner has no address. Ch.4 §4", default=None, order=True, filter=True
    )
    attempts: int = fact("How often it was tried. Ch.4 §4", default=0)
    leased_until: datetime | None = fact("Until when one process alone is sending it. Ch.4 §4", default=None)
    failure: DeliveryFailure | None = fact("Why the last attempt failed. Ch.4 §4", default=None, filter=True)
    status: int | None = fact("The status of the last answer, where one came. Ch.4 §4", default=None)
    delivered_at: datetime | None = fact("When it was taken. Ch.4 §4", default=None)


UNDELIVERED: Final = (DeliveryState.QUEUED, DeliveryState.WAITING)


def finished(unit: Unit, delivery: RecallDelivery) -> RecallDelivery:
    """Keeps a delivery that is over, and lets the next one of the same partner come; the partner's row is locked.

    Chapter: 4.4.
    """
    delivery = unit.replace(delivery)
    queued = unit.find(RecallDelivery, lock=True, partner=delivery.partner, state=UNDELIVERED)
    if queued and all(one.state is DeliveryState.QUEUED for one in queued):
        following = min(queued, key=lambda one: (one.stamp.created_at, one.id))
        due = None if unit.get(Partner, delivery.partner).recalls_to is None else unit.now
        unit.replace(replace(following, state=DeliveryState.WAITING, due_at=due))
    return delivery


def _queue(unit: Unit, recall: Recall) -> None:
    """Has a recall sent after the earlier ones of its partner, whose row is locked: none comes in between unseen."""
    partner = unit.get(Partner, recall.partner, lock=True)
    first = not unit.find(RecallDelivery, partner=recall.partner, state=UNDELIVERED)
    delivery = RecallDelivery(
        stamp=unit.stamp(RecallDelivery, subject=recall.subject_id),
        recall=recall.id,
        partner=recall.partner,
        state=DeliveryState.WAITING if first else DeliveryState.QUEUED,
        due_at=unit.now if first and partner.recalls_to else None,
    )
    unit.add([delivery])


@operation("disclosure:recall", chapter="4.4")
class RecallDisclosure(Operation[Recall]):
    """Recalls what one partner got of a customer (Ch.4 §4)."""

    disclosure: Id
    """What it got. Ch.4 §4"""
    cause: RecallCause
    """Why. Ch.4 §4"""
    reason: str
    """What happened; it is kept sealed beside the audit entry. Ch.8 §1"""
    fields: tuple[str, ...] = ()
    """Tags of the fields; all that were disclosed where none is named. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Recall]:
        """What is recalled already, and not answered, is not recalled twice.

        Chapter: 4.4.
        """
        del actor
        reason = required_text(self.reason, "reason")
        disclosure = unit.get(Disclosure, self.disclosure, lock=True)
        if disclosure.state not in RELEASED:
            raise Malformed(
                "Nothing was disclosed.",
                code=Code.INVALID_TRANSITION,
                advice="Nothing is recalled.",
                path=("disclosure",),
            )
        fields = self.fields or disclosure.fields
        for index, tag in enumerate(self.fields):
            if tag not in disclosure.fields:
                raise Malformed(
                    "This field was not disclosed.",
                    advice="Use these tags: " + ", ".join(disclosure.fields) + ".",
                    path=("fields", str(index)),
                )
        return _told(issue(unit, disclosure, fields, self.cause), reason)


@operation("recall:answer", chapter="4.4")
class AcknowledgeRecall(Operation[Recall]):
    """Says, as the partner that got it, what was done about a recall (Ch.4 §4)."""

    recall: Id
    """The recall. Ch.4 §4"""
    compliance: Compliance
    """What was done. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Recall]:
        """A partner answers its own only, and once.

        Chapter: 4.4.
        """
        found = unit.find(Recall, lock=True, id=self.recall)
        if not found or found[0].partner != actor.partner:
            raise NotFound("There is no such recall.", path=("recall",))
        recall = found[0]
        if recall.state is RecallState.ACKNOWLEDGED:
            if recall.compliance is self.compliance:
                return _told(recall)
            raise Malformed(
                "The recall is answered already.",
                code=Code.INVALID_TRANSITION,
                advice="Tell the company what changed since.",
                path=("recall",),
            )
        unit.get(Partner, recall.partner, lock=True)
        for delivery in unit.find(RecallDelivery, lock=True, recall=recall.id, state=UNDELIVERED):
            finished(unit, replace(delivery, state=DeliveryState.ANSWERED, leased_until=None))
        answered = replace(recall, state=RecallState.ACKNOWLEDGED, compliance=self.compliance, answered_at=unit.now)
        return _told(unit.replace(answered))


def issue(unit: Unit, disclosure: Disclosure, fields: Sequence[str], cause: RecallCause) -> Recall:
    """The recall of fields of a disclosure for a cause, made now unless one that covers them waits for its answer.

    Chapter: 4.4.
    """
    waiting = unit.find(Recall, disclosure=disclosure.id, cause=cause, state=RecallState.SENT)
    covering = [recall for recall in waiting if set(fields) <= set(recall.fields)]
    if covering:
        return covering[0]
    recall = Recall(
        stamp=unit.stamp(Recall, subject=disclosure.subject_id),
        credit_file=disclosure.credit_file,
        disclosure=disclosure.id,
        partner=disclosure.partner,
        fields=tuple(fields),
        cause=cause,
        state=RecallState.SENT,
        answer_by=days(unit).today + ANSWER_IN,
    )
    unit.add([recall])
    _queue(unit, recall)
    return recall


def recall_under(unit: Unit, consent: Consent) -> None:
    """Recalls everything that was disclosed under a consent that does not hold any more.

    Chapter: 4.4.
    """
    for disclosure in unit.find(Disclosure, consent=consent.id, state=RELEASED):
        issue(unit, disclosure, disclosure.fields, RecallCause.WITHDRAWAL)


def _told(recall: Recall, reason: str = "") -> Decided[Recall]:
    return Decided(value=recall, note=reason, resources=(recall.id, recall.disclosure, recall.credit_file))
