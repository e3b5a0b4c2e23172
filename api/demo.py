"""The demo: a company with an invented portfolio, assessed, with a partner, consents and a token for every role."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from api.app import CUSTOMER_ROLE, PARTNER_ROLE, STAFF_ROLES, House, new_key, open_house, prepare, thumbprint_of
from api.graphql.changing.consents import looked_at
from api.graphql.trusting import completed
from api.imports.synthetic import furnish, portfolio
from api.settings import Settings
from api.tour.cast import Cast, customer_self, partner_client
from domain.assessment.approving import ApproveAssessment
from domain.assessment.assessing import RequestAssessment
from domain.assessment.assessments import Assessment, AssessmentKind, AssessmentState
from domain.assessment.policy import Level
from domain.consent.admitting.deciding import ApprovePartner
from domain.consent.consents import ConsentUse
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import GrantConsent, RegisterPartner
from domain.consent.keys import ApprovePartnerKey, KeyUse, ProposePartnerKey
from domain.consent.trusted import ApproveTrustedDocument, ProposeTrustedDocument, digest_of
from domain.errors import NotConsented
from domain.ids import Id
from domain.reading import Purpose

NAME = "Demo Networks (synthetic)"
NOTICE = "0" * 64
DOCUMENTS = {
    "what the customer agreed to": (
        "mutation ($id: ID!) { requestDisclosure(input: {creditFile: $id, purpose: PARTNER_CREDIT_DECISION,"
        ' fields: ["contact.phone", "financial.bank_account"], idempotencyKey: "my-first-request"}) {'
        " values { field text } withheld { field reason unlock } errors { ... on UserError { code message advice } }"
        " auditEntry } }"
    ),
    "what the customer agreed to, sealed": (
        "mutation ($id: ID!) { requestDisclosure(input: {creditFile: $id, purpose: PARTNER_CREDIT_DECISION,"
        ' fields: ["contact.phone", "financial.bank_account"], idempotencyKey: "my-first-sealed-request"}) {'
        " disclosure { id } sealed sealedTo proofs { entry leaf proof } withheld { field reason unlock }"
        " errors { ... on UserError { code message advice } } auditEntry } }"
    ),
    "what was disclosed to us": (
        "query ($first: Int = 20) { disclosures(first: $first, orderBy: {field: RECORDED_AT, direction: DESC}) {"
        " nodes { id idempotencyKey purpose fields state recordedAt } } }"
    ),
}
"""What the partner of the demo may run, by name."""
WAITS = 4
"""Of so many assessments that a manager decides on, one is left to whoever tries the demo."""


async def invent(settings: Settings, customers: int, show: Callable[[float, str], None]) -> dict[str, Any]:
    """A new installation with one company in it; who and what is in there, and a token per role."""
    await prepare(settings)
    async with open_house(settings) as house:
        tenant = await house.open_tenant(NAME)
        cast = Cast.of(house, tenant)
        today = house.clock.now().date()
        made = await furnish(cast.manager.do, portfolio(today, customers=customers))
        for number, member in enumerate(made.members, 1):
            assessed = await cast.analyst.do(RequestAssessment(credit_file=member.credit_file, kind=AssessmentKind.NEW))
            # Some wait for the manager, and all the grave ones for the committee: whoever tries the demo decides.
            if number % WAITS and _left_to_manager(assessed):
                await cast.manager.do(ApproveAssessment(assessment=assessed.id))
            show(number / len(made.members), f"{number} of {len(made.members)} firms")
        first = made.members[0]
        partner = await cast.privacy.do(
            RegisterPartner(
                name="First Bank (synthetic)",
                contact="dpo@bank.example",
                purposes=(Purpose.PARTNER_CREDIT_DECISION,),
            )
        )
        await cast.board.do(ApprovePartner(partner=partner.id))
        key = new_key()
        await _register(house, cast, partner.id, key)
        await _trust(house, cast, partner.id)
        await _consent(house, tenant, first.customer, first.credit_file, partner.id)
        return {
            "tenant": tenant,
            "tokens": _tokens(house, tenant, partner.id, first.customer, thumbprint_of(key)),
            "creditFiles": [member.credit_file for member in made.members],
            "partner": {
                "id": partner.id,
                "key": key,
                "documents": {name: f"sha256:{digest_of(text)}" for name, text in DOCUMENTS.items()},
                "creditFile": first.credit_file,
                "fields": ["contact.phone"],
            },
        }


async def _register(house: House, cast: Cast, partner: Id, key: dict[str, Any]) -> None:
    """The key that speaks for the partner: one person proposed it, another approved it."""
    public = json.dumps({name: value for name, value in key.items() if name != "d"})
    proposing = ProposePartnerKey(partner=partner, use=KeyUse.DPOP, jwk=public)
    proposed = await cast.manager.do(looked_at(house, proposing))
    await cast.privacy.do(ApprovePartnerKey(key=proposed.id))


async def _trust(house: House, cast: Cast, partner: Id) -> None:
    """What the partner may run: one person proposed it, another approved it."""
    for name, text in DOCUMENTS.items():
        proposing = ProposeTrustedDocument(
            name=name,
            text=text,
            purpose=Purpose.PARTNER_CREDIT_DECISION,
            scope=("contact.phone", "financial.bank_account"),
            partner=partner,
        )
        proposed = await cast.manager.do(completed(house, proposing))
        await cast.privacy.do(ApproveTrustedDocument(document=proposed.id))


def _left_to_manager(assessed: Assessment) -> bool:
    return assessed.state is AssessmentState.IN_REVIEW and assessed.approver_level == Level.MANAGER.value


async def _consent(house: House, tenant: Id, customer: Id, file: Id, partner: Id) -> None:
    """The first customer agreed that the partner gets its phone; the partner asked before that, and was refused."""
    bank = partner_client(house, tenant, partner)
    request = RequestDisclosure(
        credit_file=file,
        purpose=Purpose.PARTNER_CREDIT_DECISION,
        fields=("contact.phone",),
        idempotency_key="demo-before-consent",
    )
    with suppress(NotConsented):  # it stands in the audit log, for auditors to find
        await bank.do(request)
    await customer_self(house, tenant, customer).do(
        GrantConsent(
            credit_file=file,
            partner=partner,
            purpose=Purpose.PARTNER_CREDIT_DECISION,
            fields=("contact.phone",),
            use=ConsentUse.STANDING,
            not_after=house.clock.now() + timedelta(days=30),
            notice_digest=NOTICE,
            given_by="the customer",
        )
    )


def _tokens(house: House, tenant: Id, partner: Id, customer: Id, key: str) -> dict[str, str]:
    tokens = {role: house.token(tenant, role.replace("_", "-"), frozenset({role})) for role in STAFF_ROLES}
    tokens[PARTNER_ROLE] = house.token(tenant, "partner-system", frozenset({PARTNER_ROLE}), partner=partner, key=key)
    tokens[CUSTOMER_ROLE] = house.token(tenant, "customer", frozenset({CUSTOMER_ROLE}), subject=customer)
    return tokens
