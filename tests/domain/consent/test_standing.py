"""Whether a partner's token stands, against every combination of what its partner, its key and its consents can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from domain.actors import Actor
from domain.consent.consents import ConsentState, PartnerState
from domain.consent.keys import KeyState, KeyUse
from domain.consent.standing import CONSENTS, KEYS, PARTNERS, bar, standing, words_for
from domain.ids import encode

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MINE, OTHER = (encode("pa", bytes([number] * 16)) for number in (1, 2))
FIRST, SECOND = (encode("co", bytes([number] * 16)) for number in (1, 2))


def actor(*consents):
    return Actor(
        tenant=encode("te", bytes(16)),
        person="bank",
        roles=frozenset({"partner_client"}),
        partner=MINE,
        key="k" * 43,
        consents=consents,
    )


def consent(partner=MINE, state=ConsentState.GIVEN, begins=-DAY, ends=DAY):
    """A row of a consent, with instants as SQLite has them."""
    instants = {"not_before": (NOW + begins).isoformat(), "not_after": (NOW + ends).isoformat()}
    return {"partner": partner, "state": state.value} | instants


def rows(partner=PartnerState.ACTIVE, keys=((MINE, KeyUse.DPOP, KeyState.APPROVED),), consents=()):
    return {
        PARTNERS: [] if partner is None else [{"state": partner.value}],
        KEYS: [{"partner": owner, "use": use.value, "state": state.value} for owner, use, state in keys],
        CONSENTS: list(consents),
    }


def test_a_token_stands_only_where_partner_and_key_and_every_consent_do():
    consents = [None, *(consent(owner, state) for owner, state in product((MINE, OTHER), ConsentState))]
    consents += [consent(begins=DAY, ends=2 * DAY), consent(begins=-2 * DAY, ends=timedelta(0))]
    keys = [(), *(((owner, use, state),) for owner, use, state in product((MINE, OTHER), KeyUse, KeyState))]
    stood = 0
    for partner, key, first, second in product((None, *PartnerState), keys, consents, consents):
        found = rows(partner, key, [one for one in (first, second) if one is not None])
        good = consent()
        stands = (
            partner is PartnerState.ACTIVE
            and key == ((MINE, KeyUse.DPOP, KeyState.APPROVED),)
            and first == good
            and second == good
        )
        assert (bar(actor(FIRST, SECOND), found, NOW) == "") is stands
        stood += stands
    assert stood == 1


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (rows(None), "NO_SUCH_PARTNER"),
        (rows(PartnerState.SUSPENDED), "PARTNER_SUSPENDED"),
        (rows(keys=()), "KEY_NOT_REGISTERED"),
        (rows(keys=((OTHER, KeyUse.DPOP, KeyState.APPROVED),)), "KEY_NOT_REGISTERED"),
        (rows(keys=((MINE, KeyUse.ENC, KeyState.APPROVED),)), "KEY_NOT_REGISTERED"),
        (rows(keys=((MINE, KeyUse.DPOP, KeyState.RETIRED),)), "KEY_RETIRED"),
        (rows(), "NO_SUCH_CONSENT"),
        (rows(consents=[consent(OTHER)]), "NO_SUCH_CONSENT"),
        (rows(consents=[consent(state=ConsentState.INVALIDATED)]), "CONSENT_INVALIDATED"),
        (rows(consents=[consent(begins=DAY, ends=2 * DAY)]), "CONSENT_NOT_YET_VALID"),
        (rows(consents=[consent(ends=timedelta(0))]), "CONSENT_EXPIRED"),
        (rows(consents=[consent(ends=timedelta(microseconds=1))]), ""),
    ],
)
def test_what_bars_a_token_is_one_word(found, word):
    assert bar(actor(FIRST), found, NOW) == word


def test_a_token_that_names_no_consent_stands_without_one():
    assert bar(actor(), rows(), NOW) == ""
    assert words_for(actor(FIRST))[-1] == (FIRST,)
    assert not standing().refused
