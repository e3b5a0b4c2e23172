"""What a partner is handed: signed by the company, sealed to the key of the partner, with what it owes (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final

from domain.consent.consents import Consent, Disclosure
from domain.consent.keys import KeyState, KeyUse, PartnerKey
from domain.ids import Id
from domain.money import Money
from domain.ports import Handover, Unit

TYPE: Final = "disclosure+jwt"
"""The `typ` of what is disclosed."""


def key_of(unit: Unit, partner: Id) -> PartnerKey | None:
    """The key that what is disclosed to a partner is sealed to: the one that was approved last, where there is one.

    Chapter: 4.4.
    """
    approved = unit.find(PartnerKey, partner=partner, use=KeyUse.ENC, state=KeyState.APPROVED)
    return max(approved, key=lambda key: (key.stamp.recorded_at, key.id), default=None)


def handed(
    unit: Unit, disclosure: Disclosure, consent: Consent, key: PartnerKey, tags: Sequence[str]
) -> Callable[[Sequence[Any]], Handover]:
    """Makes what is handed over of the values that are opened for a disclosure, in the order of their tags.

    Chapter: 4.4.
    """
    now = unit.now

    def of(opened: Sequence[Any]) -> Handover:
        values = {tag: printed(value) for tag, value in zip(tags, opened, strict=True)}
        return Handover(
            type=TYPE,
            key=key.jwk,
            partner=disclosure.partner,
            consent=consent.id,
            consent_version=disclosure.consent_version or 0,
            disclosure=disclosure.id,
            issued_at=now,
            claims={
                "sub": disclosure.pseudonym,
                "purpose": disclosure.purpose.value,
                "action": disclosure.action.value,
                "data": values,
                "withheld": [{"field": one.field, "reason": one.reason} for one in disclosure.withheld],
                "contested": disclosure.contested,
                "obligations": [one.value for one in disclosure.obligations],
                "delete_by": None if disclosure.delete_by is None else disclosure.delete_by.isoformat(),
            },
        )

    return of


def printed(value: Any) -> str:
    """A confidential value as the text a partner receives: an amount with its currency, a day as 2026-11-24.

    Chapter: 4.4.
    """
    if isinstance(value, Money):
        return f"{format(value.amount, 'f')} {value.currency}"
    return value.isoformat() if isinstance(value, date) else str(value)
