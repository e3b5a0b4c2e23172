"""Sending recalls to their partners: whose turn it is, what is said, and what came of it (Ch.4 §4).

At least once: an attempt is claimed in one transaction and told in another, and between them it is sent. Whoever ends
in between leaves a lease that runs out, and another sends it again, under the same id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from domain.actors import Actor, Rights
from domain.consent.consents import Disclosure, Partner
from domain.consent.handover.recalling import (
    UNDELIVERED,
    DeliveryFailure,
    DeliveryState,
    Recall,
    RecallDelivery,
    finished,
)
from domain.errors import Malformed
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Handover, Unit
from domain.reading import Judged, Labelled, Level, Page, Reading, Slot, Where, judge

TYPE: Final = "recall+jwt"
"""The `typ` of what is sent."""
LEASE: Final = timedelta(seconds=90)
"""For so long one process alone sends: longer than an attempt can take."""
ATTEMPTS: Final = 12
"""How often a recall is tried, over about a day and a half."""
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=6)
MOST_PARTNERS: Final = 100
"""How many partners one look finds."""
_HOST: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]"
_ADDRESS: Final = re.compile(rf"https://(?:{_HOST})(?::[0-9]{{1,5}})?(?:/[!-~]*)?", re.ASCII)
_NEAR: Final = re.compile(r"http://(?:127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?(?:/[!-~]*)?", re.ASCII)
"""Without TLS only to this machine, and there only where the operator lets it."""
_MOST: Final = 500


@operation("partner:register", chapter="4.4")
class SetRecallAddress(Operation[Partner]):
    """Says to which address a partner's recalls are sent; without one, none are, and it asks for them (Ch.4 §4)."""

    partner: Id
    """The partner. Ch.4 §4"""
    address: str | None = None
    """The address, such as https://bank.example/recalls; none ends the sending. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Partner]:
        """What waits is tried at once under a new address.

        Chapter: 4.4.
        """
        del actor
        address = self.address
        fits = address is None or _ADDRESS.fullmatch(address) or _NEAR.fullmatch(address)
        if not fits or len(address or "") > _MOST or any(one in (address or "") for one in "@#"):
            raise Malformed(
                "An address for recalls begins with https:// and names no user.",
                advice="Send one like https://bank.example/recalls, of at most 500 characters.",
                path=("address",),
            )
        partner = unit.get(Partner, self.partner, lock=True)
        if partner.recalls_to != address:
            partner = unit.replace(replace(partner, recalls_to=address))
            for delivery in unit.find(RecallDelivery, partner=partner.id, state=DeliveryState.WAITING):
                unit.replace(replace(delivery, due_at=unit.now if address else None))
        return Decided(value=partner, resources=(partner.id,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An attempt that is to be made now, by whoever claimed it."""

    delivery: Id
    attempt: int
    address: str


@operation("recall:deliver", chapter="4.4")
class ClaimDelivery(Operation["Claimed | None"]):
    """Takes the oldest recall of a partner that is due, for this process alone and a while (Ch.4 §4)."""

    partner: Id
    """The partner. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Claimed | None]:
        """Nothing where none is due, another process has it, or there is no address; a suspended partner is told too.

        Chapter: 4.4.
        """
        del actor
        partner = unit.get(Partner, self.partner, lock=True)
        waiting = unit.find(RecallDelivery, lock=True, partner=partner.id, state=DeliveryState.WAITING)
        oldest = min(waiting, key=lambda one: (one.stamp.created_at, one.id), default=None)
        # While one process has it, it is due again only when that one's lease has run out.
        if oldest is None or partner.recalls_to is None or oldest.due_at is None or oldest.due_at > unit.now:
            return Decided(value=None, resources=(partner.id,))
        # Whoever lets the lease run out has failed: the next attempt waits for that, and counts.
        leased = unit.now + LEASE
        taken = unit.replace(replace(oldest, attempts=oldest.attempts + 1, leased_until=leased, due_at=leased))
        recall = unit.get(Recall, taken.recall)
        letter = _letter(unit, taken, recall)
        return Decided(
            value=Claimed(delivery=taken.id, attempt=taken.attempts, address=partner.recalls_to),
            resources=(taken.id, recall.id, recall.disclosure),
            signs=lambda _: letter,
        )


@operation("recall:deliver", chapter="4.4")
class TellAttempt(Operation[RecallDelivery]):
    """Tells what came of an attempt to send a recall (Ch.4 §4)."""

    delivery: Id
    """What was sent. Ch.4 §4"""
    attempt: int
    """Which attempt it was. Ch.4 §4"""
    failure: DeliveryFailure | None = None
    """Why it failed; nothing where the partner's address took it. Ch.4 §4"""
    status: int | None = None
    """The status of the answer, where one came. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[RecallDelivery]:
        """What was taken is over, whoever tells it; a failure counts only while no later attempt was claimed.

        Chapter: 4.4.
        """
        del actor
        found = unit.get(RecallDelivery, self.delivery)
        partner = unit.get(Partner, found.partner, lock=True)
        found = unit.get(RecallDelivery, self.delivery, lock=True)
        resources = (found.id, found.recall)
        if found.state not in UNDELIVERED or (self.failure is not None and found.attempts != self.attempt):
            return Decided(value=found, resources=resources)
        told = replace(found, failure=self.failure, status=self.status, leased_until=None)
        if self.failure is None:
            over = replace(told, state=DeliveryState.DELIVERED, delivered_at=unit.now)
            return Decided(value=finished(unit, over), resources=resources)
        if found.attempts >= ATTEMPTS:
            return Decided(value=finished(unit, replace(told, state=DeliveryState.GIVEN_UP)), resources=resources)
        due_at = None if partner.recalls_to is None else unit.now + wait_after(found.attempts)
        return Decided(value=unit.replace(replace(told, due_at=due_at)), resources=resources)


def wait_after(attempts: int) -> timedelta:
    """How long after so many attempts the next one is made: twice as long each time, six hours at most.

    Chapter: 4.4.
    Shape:   never shorter as the attempts grow.
    """
    return min(FIRST_WAIT * (1 << attempts - 1), LONGEST_WAIT)


def due() -> Judged:
    """The reading of deliveries that are due: slots for the size of the page, the state, and the instant.

    Chapter: 4.4.
    """
    shape = RecallDelivery.shape
    level = Level(
        shape=shape,
        facts=(Labelled("partner", "partner"),),
        where=(Where("state", "=", Slot(1)), Where("due_at", "<=", Slot(2))),
        order=(("due_at", False),),
        page=Page(Slot(0), wants_cursors=False),
    )
    return judge(
        Reading((Labelled("due", level),)), Rights(id=0, version="", allowed={shape.read: "", "partner:read": ""})
    )


def _letter(unit: Unit, delivery: RecallDelivery, recall: Recall) -> Handover:
    """What is sent: which disclosure, which fields, why, and by when it is answered; no value."""
    disclosure = unit.get(Disclosure, recall.disclosure)
    return Handover(
        type=TYPE,
        key=None,
        partner=recall.partner,
        consent=None,
        consent_version=0,
        disclosure=disclosure.id,
        issued_at=unit.now,
        claims={
            "jti": delivery.id,
            "sub": disclosure.pseudonym,
            "recall": recall.id,
            "disclosure": disclosure.id,
            "fields": list(recall.fields),
            "cause": recall.cause.value,
            "answer_by": recall.answer_by.isoformat(),
        },
    )
