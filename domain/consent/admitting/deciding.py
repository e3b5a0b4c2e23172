"""A partner that one person registered is let in, or turned away, by another (Ch.4 §4, Ch.8 §1)."""

from __future__ import annotations

from dataclasses import replace

from domain.actors import Actor
from domain.consent.consents import Partner, PartnerState
from domain.errors import Code, Conflict, NotPermitted
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.ports import Unit


@operation("partner:approve", chapter="4.4, 8.1")
class ApprovePartner(Operation[Partner]):
    """Lets a partner in that another person registered: from now on customers may consent to it (Ch.4 §4)."""

    partner: Id
    """The partner, which waits for a decision. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Partner]:
        """Who registered it does not approve it.

        Chapter: 4.4, 8.1.
        """
        return _decided(unit, actor, self.partner, PartnerState.ACTIVE)


@operation("partner:approve", chapter="4.4, 8.1")
class RejectPartner(Operation[Partner]):
    """Turns a partner away that another person registered (Ch.4 §4)."""

    partner: Id
    """The partner, which waits for a decision. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Partner]:
        """Who could approve it may reject it.

        Chapter: 4.4, 8.1.
        """
        return _decided(unit, actor, self.partner, PartnerState.REJECTED)


def _decided(unit: Unit, actor: Actor, id_: Id, state: PartnerState) -> Decided[Partner]:
    found = unit.get(Partner, id_, lock=True)
    if found.state is not PartnerState.PROPOSED:
        raise Conflict("The partner does not wait for a decision.", path=("partner",))
    if actor.person == found.registered_by:
        raise NotPermitted(
            "Who registered it does not decide on it.",
            code=Code.SEPARATION_OF_DUTY,
            advice="Ask another person whose role allows it.",
        )
    decided = unit.replace(replace(found, state=state, decided_by=actor.person))
    return Decided(value=decided, resources=(decided.id,))
