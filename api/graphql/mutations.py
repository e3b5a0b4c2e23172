"""The root of what can be changed, as one table: one field is one operation, one transaction, one audit entry."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import Any

from graphql import GraphQLResolveInfo, GraphQLSchema

from api.graphql.changing.consents import CONSENTS
from api.graphql.changing.declaring import Extra, Mutation
from api.graphql.changing.grants import GRANTS
from api.graphql.changing.persons import PERSONS
from api.graphql.changing.policies import POLICIES
from api.graphql.changing.supervision import SUPERVISION
from api.graphql.compiling.entering import enter, placed
from api.graphql.compiling.forms import row
from api.graphql.context import Context, Prepared
from api.graphql.generation.building import GENERATED, Typed, argument, object_type, output
from api.graphql.generation.entered import entered
from api.graphql.generation.parts import described
from api.graphql.generation.refusals import errors_of, kind_of
from api.graphql.payloads import AUDIT_ENTRY, ERRORS, ROOT, read_record
from api.graphql.types import value_expression
from domain.assessment.approving import ApproveAssessment, RejectAssessment
from domain.assessment.assessing import RequestAssessment
from domain.controls import ApproveControlAction, LiftControlAction, ProposeControlAction
from domain.custody.erasing import ApproveErasure, ProposeErasure, RejectErasure
from domain.custody.holds import LiftLegalHold, PlaceLegalHold
from domain.custody.relation import EndRelation, ResumeRelation
from domain.documents.deleting import DeleteDocument
from domain.documents.filing import RegisterDocument
from domain.errors import CreditError, Invalid, Refused
from domain.files.correcting import CorrectRecord, CorrectTransaction, WithdrawRecord
from domain.files.opening import OpenCreditFile, UpdateBasicInformation
from domain.files.recording.documents import RecordTransactions
from domain.files.recording.events import RecordDefault, RecordLitigation, RecordSanction
from domain.files.recording.reports import RecordRating, RecordStatement
from domain.files.sources import RegisterSource
from domain.ids import Id, prefix_of
from domain.objections.handling import AnnotateObjection, DecideObjection, InvestigateObjection, NotifyRecipients
from domain.objections.holidays import PublishWorkCalendar
from domain.objections.raising import RaiseObjection, WithdrawObjection
from domain.records import SHAPES
from domain.statements.issuing import IssueCreditStatement, RevokeCreditStatement

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
ERASURE = {"erasure": "Erasure"}
HOLD = {"legalHold": "LegalHold"}
OBJECTION = {"objection": "Objection"}
STATEMENT = {"creditStatement": "CreditStatement"}


MUTATIONS = (
    {
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
        "deleteDocument": Mutation(operation=DeleteDocument, shows=ERASURE),
        "registerSource": Mutation(operation=RegisterSource, shows={"source": "Source"}),
        "requestAssessment": Mutation(operation=RequestAssessment, shows=ASSESSMENT),
        "approveAssessment": Mutation(operation=ApproveAssessment, shows=ASSESSMENT),
        "rejectAssessment": Mutation(operation=RejectAssessment, shows=ASSESSMENT),
        "proposeControlAction": Mutation(operation=ProposeControlAction, shows=CONTROL),
        "approveControlAction": Mutation(operation=ApproveControlAction, shows=CONTROL),
        "liftControlAction": Mutation(operation=LiftControlAction, shows=CONTROL),
        "placeLegalHold": Mutation(operation=PlaceLegalHold, shows=HOLD),
        "liftLegalHold": Mutation(operation=LiftLegalHold, shows=HOLD),
        "endRelation": Mutation(operation=EndRelation, shows=FILE),
        "resumeRelation": Mutation(operation=ResumeRelation, shows=FILE),
        "proposeErasure": Mutation(operation=ProposeErasure, shows=ERASURE),
        "approveErasure": Mutation(operation=ApproveErasure, shows=ERASURE),
        "rejectErasure": Mutation(operation=RejectErasure, shows=ERASURE),
        "publishWorkCalendar": Mutation(operation=PublishWorkCalendar, shows={"workCalendar": "WorkCalendar"}),
        "raiseObjection": Mutation(operation=RaiseObjection, shows=OBJECTION),
        "withdrawObjection": Mutation(operation=WithdrawObjection, shows=OBJECTION),
        "annotateObjection": Mutation(operation=AnnotateObjection, shows=OBJECTION),
        "investigateObjection": Mutation(operation=InvestigateObjection, shows=OBJECTION),
        "decideObjection": Mutation(operation=DecideObjection, shows=OBJECTION),
        "notifyRecipients": Mutation(operation=NotifyRecipients, shows=OBJECTION),
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
    }
    | CONSENTS
    | SUPERVISION
    | GRANTS
    | POLICIES
    | PERSONS
)
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
        if mutation.prepare is not None:
            operation = await mutation.prepare(context.house, context.actor, operation)
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
