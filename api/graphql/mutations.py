"""The root of what can be changed, as one table: one field is one operation, one transaction, one audit entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any

from graphql import GraphQLResolveInfo, GraphQLSchema

from api.consents.writing import written
from api.graphql.compiling.entering import enter, placed
from api.graphql.compiling.forms import row
from api.graphql.context import Context, House, Prepared
from api.graphql.generation.building import GENERATED, Typed, argument, object_type, output
from api.graphql.generation.entered import entered
from api.graphql.generation.parts import described
from api.graphql.generation.refusals import errors_of, kind_of
from api.graphql.generation.wording import first_paragraph, guarded
from api.graphql.payloads import AUDIT_ENTRY, ERRORS, ROOT, read_record
from api.graphql.trusting import completed
from api.graphql.types import value_expression
from domain.assessment.approving import ApproveAssessment, RejectAssessment
from domain.assessment.assessing import RequestAssessment
from domain.consent.changing import InvalidateConsent, ReconfirmConsent
from domain.consent.consents import Withheld
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import GrantConsent, RegisterPartner, ReinstatePartner, SuspendPartner, WithdrawConsent
from domain.consent.handover.handing import printed
from domain.consent.handover.recalling import AcknowledgeRecall, RecallDisclosure
from domain.consent.keys import ApprovePartnerKey, ProposePartnerKey, RejectPartnerKey, RetirePartnerKey
from domain.consent.moving import ExportConsents
from domain.consent.notices import PublishConsentNotice
from domain.consent.requesting import GiveRequestedConsent, RefuseConsent, RequestConsent
from domain.consent.statutory import (
    ApproveStatutoryDisclosure,
    ProposeStatutoryDisclosure,
    RejectStatutoryDisclosure,
    ReleaseConcealedDisclosure,
    ReleaseStatutoryDisclosure,
)
from domain.consent.trusted import (
    ApproveTrustedDocument,
    ProposeTrustedDocument,
    RejectTrustedDocument,
    RetireTrustedDocument,
)
from domain.controls import ApproveControlAction, LiftControlAction, ProposeControlAction
from domain.custody.erasing import ApproveErasure, ProposeErasure, RejectErasure
from domain.custody.holds import LiftLegalHold, PlaceLegalHold
from domain.documents.filing import RegisterDocument
from domain.errors import CreditError, Invalid, Refused
from domain.files.correcting import CorrectRecord, CorrectTransaction, WithdrawRecord
from domain.files.opening import OpenCreditFile, UpdateBasicInformation
from domain.files.recording.documents import RecordTransactions
from domain.files.recording.events import RecordDefault, RecordLitigation, RecordSanction
from domain.files.recording.reports import RecordRating, RecordStatement
from domain.files.sources import RegisterSource
from domain.gate import Performed
from domain.ids import Id, prefix_of
from domain.objections.handling import AnnotateObjection, DecideObjection, InvestigateObjection, NotifyRecipients
from domain.objections.raising import RaiseObjection, WithdrawObjection
from domain.operations import Collecting, Operation
from domain.records import SHAPES
from domain.statements.issuing import IssueCreditStatement, RevokeCreditStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedValue:
    """One confidential value that was disclosed to a partner (Ch.4 §4)."""

    field: str
    """The field's tag. Ch.4 §4"""
    text: str
    """The value as text: an amount with its currency, a day as `2026-11-24`. Ch.4 §4"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What a payload shows beside its record: it comes from the change itself and is read nowhere."""

    name: str
    type: Any
    says: str
    of: Callable[[Performed[Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One field of the mutation root."""

    operation: type[Operation[Any]]
    shows: Mapping[str, str]
    """The record in the payload: its field there, and its name; one field for each kind it can be of."""
    id: Callable[[Any], Id] = attrgetter("id")
    """The record's id, out of what the operation decided."""
    extras: tuple[Extra, ...] = ()
    complete: Callable[[House, Any], Any] | None = None
    """Works out what nobody enters, before the operation is performed."""

    @property
    def values(self) -> dict[str, Any]:
        """The type of each field of the payload that the change itself answers."""
        return {AUDIT_ENTRY: Id} | {extra.name: extra.type for extra in self.extras}

    @property
    def says(self) -> str:
        """What it does, the clauses it serves, and the actions that guard it."""
        actions = list(self.operation.actions)
        if issubclass(self.operation, Collecting):
            actions.append(self.operation.collection)
        return guarded(first_paragraph(self.operation.__doc__), ", ".join(dict.fromkeys(actions)))


def looked_at(house: House, proposed: ProposePartnerKey) -> ProposePartnerKey:
    """A proposal with the key that its JWK holds, and what names it.

    Raises: Malformed where it holds no public key for this use.
    """
    public, jkt = house.public_key(proposed.jwk, proposed.use.value)
    return replace(proposed, public=public, jkt=jkt)


def _disclosed(ended: Performed[Any]) -> tuple[DisclosedValue, ...]:
    pairs = zip(ended.value.tags, ended.opened, strict=True)
    return tuple(DisclosedValue(field=tag, text=printed(value)) for tag, value in pairs)


_ENTRY = "The audit entry of the change, or of its refusal. Ch.8 §1"

FILE = {"creditFile": "CreditFile"}
SEALED = {
    "default": "DefaultEvent",
    "litigation": "LitigationRecord",
    "sanction": "PublicSanction",
    "rating": "ExternalRating",
    "statement": "FinancialStatement",
}
TRANSACTION = {"transaction": "TradeTransaction"}
ASSESSMENT = {"assessment": "Assessment"}
CONTROL = {"controlAction": "ControlAction"}
PARTNER = {"partner": "Partner"}
PARTNER_KEY = {"partnerKey": "PartnerKey"}
CONSENT = {"consent": "Consent"}
ERASURE = {"erasure": "Erasure"}
HOLD = {"legalHold": "LegalHold"}
DOCUMENT = {"trustedDocument": "TrustedDocument"}
OBJECTION = {"objection": "Objection"}
RECALL = {"recall": "Recall"}
STATEMENT = {"creditStatement": "CreditStatement"}

STATUTORY = {"statutoryDisclosure": "StatutoryDisclosure"}
VALUES = Extra(
    name="values",
    type=tuple[DisclosedValue, ...],
    says="The disclosed values themselves; they stand nowhere else. Ch.4 §4",
    of=_disclosed,
)


def _release(operation: type[Operation[Any]]) -> Mutation:
    return Mutation(operation=operation, shows=STATUTORY, id=attrgetter("disclosure.id"), extras=(VALUES,))


MUTATIONS = {
    "openCreditFile": Mutation(operation=OpenCreditFile, shows=FILE),
    "updateBasicInformation": Mutation(operation=UpdateBasicInformation, shows=FILE),
    "recordTransactions": Mutation(
        operation=RecordTransactions,
        shows=FILE,
        id=lambda records: records[0].credit_file,
        extras=(
            Extra(
                name="transactionIds",
                type=tuple[Id, ...],
                says="The ids of the recorded documents, in the order sent. Ch.4 §2",
                of=lambda ended: tuple(record.id for record in ended.value),
            ),
        ),
    ),
    "recordDefault": Mutation(operation=RecordDefault, shows={"default": "DefaultEvent"}),
    "recordLitigation": Mutation(operation=RecordLitigation, shows={"litigation": "LitigationRecord"}),
    "recordSanction": Mutation(operation=RecordSanction, shows={"sanction": "PublicSanction"}),
    "recordRating": Mutation(operation=RecordRating, shows={"rating": "ExternalRating"}),
    "recordStatement": Mutation(operation=RecordStatement, shows={"statement": "FinancialStatement"}),
    "correctRecord": Mutation(operation=CorrectRecord, shows=SEALED),
    "correctTransaction": Mutation(operation=CorrectTransaction, shows=TRANSACTION),
    "withdrawRecord": Mutation(operation=WithdrawRecord, shows=TRANSACTION | SEALED),
    "registerDocument": Mutation(operation=RegisterDocument, shows={"document": "Document"}),
    "registerSource": Mutation(operation=RegisterSource, shows={"source": "Source"}),
    "requestAssessment": Mutation(operation=RequestAssessment, shows=ASSESSMENT),
    "approveAssessment": Mutation(operation=ApproveAssessment, shows=ASSESSMENT),
    "rejectAssessment": Mutation(operation=RejectAssessment, shows=ASSESSMENT),
    "proposeControlAction": Mutation(operation=ProposeControlAction, shows=CONTROL),
    "approveControlAction": Mutation(operation=ApproveControlAction, shows=CONTROL),
    "liftControlAction": Mutation(operation=LiftControlAction, shows=CONTROL),
    "registerPartner": Mutation(operation=RegisterPartner, shows=PARTNER),
    "suspendPartner": Mutation(operation=SuspendPartner, shows=PARTNER),
    "reinstatePartner": Mutation(operation=ReinstatePartner, shows=PARTNER),
    "proposePartnerKey": Mutation(operation=ProposePartnerKey, shows=PARTNER_KEY, complete=looked_at),
    "approvePartnerKey": Mutation(operation=ApprovePartnerKey, shows=PARTNER_KEY),
    "rejectPartnerKey": Mutation(operation=RejectPartnerKey, shows=PARTNER_KEY),
    "retirePartnerKey": Mutation(operation=RetirePartnerKey, shows=PARTNER_KEY),
    "proposeTrustedDocument": Mutation(operation=ProposeTrustedDocument, shows=DOCUMENT, complete=completed),
    "approveTrustedDocument": Mutation(operation=ApproveTrustedDocument, shows=DOCUMENT),
    "rejectTrustedDocument": Mutation(operation=RejectTrustedDocument, shows=DOCUMENT),
    "retireTrustedDocument": Mutation(operation=RetireTrustedDocument, shows=DOCUMENT),
    "placeLegalHold": Mutation(operation=PlaceLegalHold, shows=HOLD),
    "liftLegalHold": Mutation(operation=LiftLegalHold, shows=HOLD),
    "proposeErasure": Mutation(operation=ProposeErasure, shows=ERASURE),
    "approveErasure": Mutation(operation=ApproveErasure, shows=ERASURE),
    "rejectErasure": Mutation(operation=RejectErasure, shows=ERASURE),
    "requestConsent": Mutation(operation=RequestConsent, shows=CONSENT),
    "grantConsent": Mutation(operation=GrantConsent, shows=CONSENT),
    "giveRequestedConsent": Mutation(operation=GiveRequestedConsent, shows=CONSENT),
    "refuseConsent": Mutation(operation=RefuseConsent, shows=CONSENT),
    "reconfirmConsent": Mutation(operation=ReconfirmConsent, shows=CONSENT),
    "withdrawConsent": Mutation(operation=WithdrawConsent, shows=CONSENT),
    "invalidateConsent": Mutation(operation=InvalidateConsent, shows=CONSENT),
    "exportConsents": Mutation(
        operation=ExportConsents,
        shows=FILE,
        id=attrgetter("credit_file"),
        extras=(
            Extra(
                name="records",
                type=tuple[str, ...],
                says="The consents as JSON-LD, each in the form of ISO/IEC TS 27560. Ch.3 §3",
                of=lambda ended: tuple(written(whole) for whole in ended.value.consents),
            ),
        ),
    ),
    "publishConsentNotice": Mutation(operation=PublishConsentNotice, shows={"consentNotice": "ConsentNotice"}),
    "proposeStatutoryDisclosure": Mutation(operation=ProposeStatutoryDisclosure, shows=STATUTORY),
    "approveStatutoryDisclosure": Mutation(operation=ApproveStatutoryDisclosure, shows=STATUTORY),
    "rejectStatutoryDisclosure": Mutation(operation=RejectStatutoryDisclosure, shows=STATUTORY),
    "releaseStatutoryDisclosure": _release(ReleaseStatutoryDisclosure),
    "releaseConcealedDisclosure": _release(ReleaseConcealedDisclosure),
    "raiseObjection": Mutation(operation=RaiseObjection, shows=OBJECTION),
    "withdrawObjection": Mutation(operation=WithdrawObjection, shows=OBJECTION),
    "annotateObjection": Mutation(operation=AnnotateObjection, shows=OBJECTION),
    "investigateObjection": Mutation(operation=InvestigateObjection, shows=OBJECTION),
    "decideObjection": Mutation(operation=DecideObjection, shows=OBJECTION),
    "notifyRecipients": Mutation(operation=NotifyRecipients, shows=OBJECTION),
    "recallDisclosure": Mutation(operation=RecallDisclosure, shows=RECALL),
    "acknowledgeRecall": Mutation(operation=AcknowledgeRecall, shows=RECALL),
    "issueCreditStatement": Mutation(
        operation=IssueCreditStatement,
        shows=STATEMENT,
        extras=(
            Extra(
                name="sdJwt",
                type=str,
                says="The statement itself, signed, with all it can show; it stands nowhere else: keep it. Ch.3 §3",
                of=attrgetter("signed"),
            ),
        ),
    ),
    "revokeCreditStatement": Mutation(operation=RevokeCreditStatement, shows=STATEMENT),
    "requestDisclosure": Mutation(
        operation=RequestDisclosure,
        shows={"disclosure": "Disclosure"},
        id=attrgetter("disclosure.id"),
        extras=(
            replace(
                VALUES,
                says="The disclosed values, where the partner has no key to seal them to. Ch.4 §4",
                of=lambda ended: () if ended.value.sealed_to else _disclosed(ended),
            ),
            Extra(
                name="sealed",
                type=str,
                says="The values signed by the company and sealed to the partner's own key, where it has one. Ch.4 §4",
                of=lambda ended: ended.signed or None,
            ),
            Extra(
                name="sealedTo",
                type=str,
                says="The thumbprint of that key. Ch.4 §4",
                of=lambda ended: ended.value.sealed_to,
            ),
            Extra(
                name="withheld",
                type=tuple[Withheld, ...],
                says="The fields that stayed closed, each with its reason. Ch.4 §4",
                of=lambda ended: ended.value.disclosure.withheld,
            ),
        ),
    ),
}
"""Every mutation, by its name in the schema."""


def build_mutation() -> type:
    """The mutation root, made once."""
    if ROOT in GENERATED:
        return GENERATED[ROOT]
    fields = []
    for name, mutation in MUTATIONS.items():
        title, says = name[0].upper() + name[1:], mutation.says
        takes = argument("input", entered(mutation.operation, title, f"What {name} takes. {says}"), says)
        fields.append(output(name, f"{_payload(name, title, mutation)} | None", says, [takes]))
    return object_type(ROOT, "What can be changed. Each field is one transaction, recorded. Ch.8 §1", fields)


def _payload(name: str, title: str, mutation: Mutation) -> str:
    """The name of the type of a payload."""
    why = f"Why {name} was not done, or its record is not shown. {mutation.says}"
    fields = [
        *(output(shown, f"{record} | None", _shown(mutation, record)) for shown, record in mutation.shows.items()),
        *(output(extra.name, value_expression(extra.type, optional=True), extra.says) for extra in mutation.extras),
        output(ERRORS, f"list[{errors_of(title, why)}]", f"{why} Empty otherwise."),
        output(AUDIT_ENTRY, "ID | None", _ENTRY),
    ]
    object_type(f"{title}Payload", f"What {name} answers. {mutation.says}", fields)
    return f"{title}Payload"


def _shown(mutation: Mutation, record: str) -> str:
    """What is said of the record in a payload."""
    absent = "nothing was done, or it may not be read"
    if len(mutation.shows) > 1:
        absent = f"it is of another kind, {absent}"
    return f"The record as it stands now; null where {absent}. {described(SHAPES[record])}"


def answer_by_operation(schema: GraphQLSchema) -> None:
    """Gives every field of the mutation root its operation."""
    root = schema.mutation_type
    for name, mutation in MUTATIONS.items():
        if root is not None:
            root.fields[name].resolve = partial(_changed, mutation)


async def _changed(mutation: Mutation, _root: Any, info: GraphQLResolveInfo[Context], **given: Any) -> dict[str, Any]:
    """Performs the operation, then answers the payload; what was decided stands, whatever can be shown of it.

    Raises: Unavailable, and every bug, before or while it is performed.
    """
    context, payload = info.context, info.context.payloads[str(info.path.key)]
    refusals: list[CreditError] = []
    known: dict[str, Any] = dict.fromkeys(mutation.values)
    records: dict[str, Any] = dict.fromkeys(payload.records)
    try:
        operation = enter(mutation.operation, given["input"])
        if mutation.complete is not None:
            operation = mutation.complete(context.house, operation)
        ended = await context.house.gate.perform(operation, context.actor, request=context.request_id)
    except (Refused, Invalid) as error:
        refusals.append(error)
        known[AUDIT_ENTRY] = error.entry or None
    else:
        known |= {AUDIT_ENTRY: ended.receipt.entry} | {extra.name: extra.of(ended) for extra in mutation.extras}
        for key, prepared in payload.records.items():
            records[key] = await _read(context, prepared, key, mutation.id(ended.value), refusals)
    told = [(kind_of(error), _told(mutation, error)) for error in refusals]
    errors = {key: [Typed(kind, forms[kind](values)) for kind, values in told] for key, forms in payload.errors.items()}
    answer: dict[str, Any] = row(payload.values)(known)
    return answer | records | errors


async def _read(context: Context, prepared: Prepared, key: str, id: Id, refusals: list[CreditError]) -> Any:  # noqa: A002 - the word of the ports
    """The record, or null and why not; a fault is handed over, to stand as an error beside what was done."""
    if prefix_of(id) != prepared.compiled.reading.roots[0].what.shape.prefix:
        return None
    try:
        return await read_record(context, key, prepared, id)
    except (Refused, Invalid) as error:
        sentence = f"It is done, but its record is not shown. {error.message}"
        refusals.append(CreditError(sentence, code=error.code, advice=error.advice))
        return None
    except Exception as error:  # noqa: BLE001 - graphql-core tells it at its place; the change itself stands
        return error


def _told(mutation: Mutation, error: CreditError) -> dict[str, Any]:
    """An error as its typed form shows it; its true cause stays in the audit log."""
    return {
        "code": error.code.value,
        "message": error.message,
        "advice": error.advice,
        "path": placed(mutation.operation, error.path),
    }
