"""A partner that one person registered is let in, or turned away, by another (Ch.4 §4, Ch.8 §1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from domain.actors import Actor
from domain.consent.consents import Partner, PartnerState
from domain.errors import Conflict
from domain.ids import Id
from domain.operations import Decided, Operation, operation
from domain.persons.duties import Apart
from domain.ports import Unit

_APART: Final = Apart(record="Partner", by="partner", authors=("registered_by",))


@operation("partner:approve", chapter="4.4, 8.1", apart=_APART)
class ApprovePartner(Operation[Partner]):
    """Lets a partner in that another person registered: from now on customers may consent to it (Ch.4 §4)."""

    partner: Id
    """The partner, which waits for a decision. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[Partner]:
        """Who registered it does not approve it.

        Chapter: 4.4, 8.1.
        """
        return _decided(unit, actor, self.partner, PartnerState.ACTIVE)


@operation("partner:approve", chapter="4.4, 8.1", apart=_APART)
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
    decided = unit.replace(replace(found, state=state, decided_by=actor.person))
    return Decided(value=decided, resources=(decided.id,))
