"""The root of what can be asked, as one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from strawberry.types.arguments import StrawberryArgument

from api.graphql.compiling.worked import WORKED
from api.graphql.generation.building import GENERATED, argument, object_type, output
from api.graphql.generation.parts import described
from api.graphql.generation.wording import first_paragraph, guarded
from api.graphql.operations import INTROSPECT
from api.graphql.types import NODE, looking_up, paging, value_type
from domain.actors import Actor, Rights
from domain.ids import Id
from domain.operations import OPERATIONS
from domain.persons.duties import Separation, separations
from domain.records import SHAPES, Shape

ROOT = "Query"


class Kind(Enum):
    """How a root is answered."""

    ONE = "ONE"
    """One record by its id."""
    PAGE = "PAGE"
    """A page of records."""
    NODE = "NODE"
    """One record of the type its id names."""
    ACCESS = "ACCESS"
    """Who looked at one credit file."""
    WORKED = "WORKED"
    """What an operation works out, such as why an action is granted."""
    TOLD = "TOLD"
    """What is known without looking: the caller from its token, the rules from their declaration."""


@dataclass(frozen=True, slots=True)
class Root:
    """One field of the query root."""

    kind: Kind
    record: str = ""
    times: bool = False
    """Whether it can be read as of another day, and as it was known then."""
    needs: str = ""
    """The action that guards what is told; none guards what a caller is told of itself."""

    @property
    def shape(self) -> Shape:
        """The record it answers."""
        return SHAPES[self.record]


ROOTS = {
    "me": Root(Kind.TOLD),
    "separationsOfDuty": Root(Kind.TOLD, needs=INTROSPECT),
    **dict.fromkeys(WORKED, Root(Kind.WORKED)),
    "node": Root(Kind.NODE),
    "creditFile": Root(Kind.ONE, "CreditFile", times=True),
    "creditFiles": Root(Kind.PAGE, "CreditFile", times=True),
    "assessment": Root(Kind.ONE, "Assessment", times=True),
    "assessments": Root(Kind.PAGE, "Assessment", times=True),
    "creditPolicy": Root(Kind.ONE, "CreditPolicy"),
    "creditPolicies": Root(Kind.PAGE, "CreditPolicy"),
    "policySimulation": Root(Kind.ONE, "PolicySimulation"),
    "policySimulations": Root(Kind.PAGE, "PolicySimulation"),
    "interpretations": Root(Kind.PAGE, "Interpretation"),
    "controlActions": Root(Kind.PAGE, "ControlAction", times=True),
    "consent": Root(Kind.ONE, "Consent", times=True),
    "consents": Root(Kind.PAGE, "Consent", times=True),
    "consentNotices": Root(Kind.PAGE, "ConsentNotice"),
    "creditStatement": Root(Kind.ONE, "CreditStatement"),
    "creditStatements": Root(Kind.PAGE, "CreditStatement"),
    "disclosures": Root(Kind.PAGE, "Disclosure"),
    "statutoryDisclosures": Root(Kind.PAGE, "StatutoryDisclosure"),
    "objection": Root(Kind.ONE, "Objection"),
    "objections": Root(Kind.PAGE, "Objection"),
    "escalations": Root(Kind.PAGE, "Escalation"),
    "workCalendars": Root(Kind.PAGE, "WorkCalendar"),
    "recalls": Root(Kind.PAGE, "Recall"),
    "recallDeliveries": Root(Kind.PAGE, "RecallDelivery"),
    "attestations": Root(Kind.PAGE, "Attestation"),
    "document": Root(Kind.ONE, "Document"),
    "documents": Root(Kind.PAGE, "Document"),
    "sources": Root(Kind.PAGE, "Source"),
    "partners": Root(Kind.PAGE, "Partner"),
    "partnerKeys": Root(Kind.PAGE, "PartnerKey"),
    "trustedDocument": Root(Kind.ONE, "TrustedDocument"),
    "trustedDocuments": Root(Kind.PAGE, "TrustedDocument"),
    "legalHolds": Root(Kind.PAGE, "LegalHold"),
    "erasure": Root(Kind.ONE, "Erasure"),
    "erasures": Root(Kind.PAGE, "Erasure"),
    "retentionRules": Root(Kind.PAGE, "RetentionRule"),
    "keyEpochs": Root(Kind.PAGE, "KeyEpoch"),
    "signingKeys": Root(Kind.PAGE, "SigningKey"),
    "grantsSnapshot": Root(Kind.ONE, "GrantsSnapshot"),
    "grantsSnapshots": Root(Kind.PAGE, "GrantsSnapshot"),
    "departments": Root(Kind.PAGE, "Department"),
    "staffMembers": Root(Kind.PAGE, "StaffMember"),
    "roleReaches": Root(Kind.PAGE, "RoleReach"),
    "roleClaims": Root(Kind.PAGE, "RoleClaim"),
    "serviceAccounts": Root(Kind.PAGE, "ServiceAccount"),
    "trainingRequirements": Root(Kind.PAGE, "TrainingRequirement"),
    "trainingRecords": Root(Kind.PAGE, "TrainingRecord"),
    "glassRules": Root(Kind.PAGE, "GlassRule"),
    "brokenGlasses": Root(Kind.PAGE, "BrokenGlass"),
    "auditEntries": Root(Kind.PAGE, "AuditEntry"),
    "auditFindings": Root(Kind.PAGE, "AuditFinding"),
    "auditSearches": Root(Kind.PAGE, "AuditSearch"),
    "honeyFiles": Root(Kind.PAGE, "HoneyFile"),
    "openedCounts": Root(Kind.PAGE, "OpenedCount"),
    "examinations": Root(Kind.PAGE, "Examination"),
    "accessLog": Root(Kind.ACCESS, "AccessEntry"),
}
"""Every root, by its name in the schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The caller as its verified token names it, and what its roles may do (Ch.8 §1)."""

    person: str
    """The stable name of the person or machine. Ch.8 §1"""
    tenant: Id
    """The company it acts in. Ch.2"""
    partner: Id | None
    """The partner it speaks for. Ch.4 §4"""
    subject: Id | None
    """The customer it is. Ch.3 §3"""
    roles: tuple[str, ...]
    """Its roles. Ch.8 §1"""
    actions: tuple[str, ...]
    """What these roles may do, `noun:verb`. Ch.8 §1"""

    @classmethod
    def of(cls, actor: Actor, rights: Rights) -> Me:
        """The caller, with the actions of its rights."""
        return cls(
            person=actor.person,
            tenant=actor.tenant,
            partner=actor.partner,
            subject=actor.subject,
            roles=tuple(sorted(actor.roles)),
            actions=tuple(sorted(rights.allowed)),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """What a root tells without looking: one value, or many, of one type."""

    type: type
    many: bool
    of: Callable[[Actor, Rights], Any]
    says: str


@cache
def _separations() -> tuple[Separation, ...]:
    return separations(OPERATIONS)


TOLD = {
    "me": Told(Me, False, Me.of, first_paragraph(Me.__doc__)),  # noqa: FBT003 - one, as the field is called
    "separationsOfDuty": Told(
        Separation,
        True,  # noqa: FBT003 - many, as the field is called
        lambda _actor, _rights: _separations(),
        guarded("What no one person does alone, operation by operation. Ch.8 §1", INTROSPECT),
    ),
}
"""What each root of that kind tells."""


def build_query() -> type:
    """The query root, made once."""
    if ROOT in GENERATED:
        return GENERATED[ROOT]
    for told in TOLD.values():
        value_type(told.type, first_paragraph(told.type.__doc__))
    for worked in WORKED.values():
        if worked.type.__name__ in GENERATED:
            continue  # records tell it too
        value_type(worked.type, first_paragraph(worked.type.__doc__))
    fields = []
    for name, root in ROOTS.items():
        expression, says, arguments = _root(name, root)
        fields.append(output(name, f"{expression} | None", says, arguments))
    return object_type(ROOT, "What can be asked. Every answer is recorded before it leaves. Ch.8 §1", fields)


def _root(name: str, root: Root) -> tuple[str, str, list[StrawberryArgument]]:
    """The type, the description and the arguments of a root."""
    match root.kind:
        case Kind.TOLD:
            told = TOLD[name]
            return f"list[{told.type.__name__}]" if told.many else told.type.__name__, told.says, []
        case Kind.WORKED:
            worked = WORKED[name]
            type_ = f"list[{worked.type.__name__}]" if worked.many else worked.type.__name__
            arguments = [argument(one.name, one.type, one.says) for one in worked.arguments]
            return type_, guarded(worked.says, ", ".join(worked.actions)), arguments
        case Kind.NODE:
            says = "Any record by its id; null where there is none within reach. Ch.3 §1 (the action of its type)"
            return NODE, says, [_id("node")]
        case Kind.ONE:
            says = f"{described(root.shape)} Null where there is none within reach."
            return root.record, says, [_id(root.record), *_times(root)]
        case Kind.PAGE:
            return (
                f"{root.record}Connection",
                f"A page of {root.record}. {described(root.shape)}",
                [
                    *paging(root.shape),
                    *looking_up(root.shape),
                    *_times(root),
                ],
            )
        case Kind.ACCESS:
            says = guarded(
                "Who looked at a credit file or acted on it. Ch.3 §3", f"credit_file:read, {root.shape.read}"
            )
            of = argument("creditFile", "ID", "The id of the credit file. Ch.3 §3")
            return f"{root.record}Connection", says, [of, *paging(root.shape)]


def _id(what: str) -> StrawberryArgument:
    return argument("id", "ID", f"The id of the {what}, exactly as received.")


def _times(root: Root) -> list[StrawberryArgument]:
    if not root.times:
        return []
    return [
        argument("asOf", "datetime | None", "As it held at this instant; now where nothing is said. Ch.4 §2"),
        argument("knownAt", "datetime | None", "As it was known at this instant; now where nothing is said. Ch.4 §2"),
    ]
