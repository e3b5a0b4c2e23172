"""Trusted documents at the interface: what one can ever disclose is read off its text, and partners run no others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    FieldNode,
    GraphQLSchema,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    Visitor,
    visit,
)

from api.graphql.compiling.worked import WORKED
from api.graphql.context import House
from api.graphql.documents import GraphQLRequest, checked_document_of
from api.graphql.errors import Refusal
from api.graphql.generation.inputs import looked_up_by, ordering
from api.graphql.generation.parts import Closed, Column, Derived, Masked, ToMany, ToOne, parts
from api.graphql.generation.wording import camel
from api.graphql.queries import ROOTS, Kind
from api.graphql.types import CONFIDENTIAL
from domain.actors import Actor
from domain.consent.trusted import RUN, ProposeTrustedDocument, digest_of, not_approved
from domain.errors import Malformed
from domain.operations import OPERATIONS, Collecting
from domain.records import SHAPES, Shape


@dataclass(slots=True)
class Disclosable:
    """Everything a document can read, change and need at most, whatever its variables."""

    reads: dict[str, None] = field(default_factory=dict)
    changes: dict[str, None] = field(default_factory=dict)
    actions: dict[str, None] = field(default_factory=dict)


def completed(house: House, proposed: ProposeTrustedDocument) -> ProposeTrustedDocument:
    """A proposal with what its document can disclose, read off its text.

    Raises: Malformed where the text is no document that is served here.
    """
    found = disclosable(house.schema.graph, proposed.text)
    return replace(
        proposed,
        reads=tuple(sorted(found.reads)),
        changes=tuple(found.changes),
        actions_of_it=tuple(sorted(found.actions)),
    )


def disclosable(schema: GraphQLSchema, text: str) -> Disclosable:
    """What a document can disclose at most.

    Raises: Malformed where it is none that is served here.
    """
    try:
        tree = checked_document_of(schema, GraphQLRequest(query=text), registered=True).tree
    except Refusal as refusal:
        problem = Malformed(f"The text is no document: {refusal.errors[0]['message']}", path=("text",))
    except Malformed as error:
        problem = Malformed(error.message, code=error.code, advice=error.advice, path=("text",))
    else:
        kinds = {item.operation for item in tree.definitions if isinstance(item, OperationDefinitionNode)}
        if OperationType.SUBSCRIPTION not in kinds:
            info = TypeInfo(schema)
            found = Disclosable()
            visit(tree, TypeInfoVisitor(info, Gatherer(info, found)))
            return found
        problem = Malformed("A stream is no trusted document.", path=("text",))
    raise problem


async def resolved(house: House, actor: Actor, request: GraphQLRequest) -> tuple[Actor, GraphQLRequest]:
    """The request with its text, and its caller with the document it runs; neither names one that is not trusted.

    Raises: NotPermitted, recorded, for a document that is not approved where only those are run.
    """
    bound = actor.partner is not None or house.trusted_only
    if not bound and request.document is None:
        return actor, request
    digest = request.document or digest_of(request.query)
    if request.query and request.document and digest_of(request.query) != request.document:
        raise Malformed("The document is not the one that documentId names.", path=("documentId",))
    text = await house.approved(actor, digest)
    if text is None and request.query and not bound:
        # Who may run any text may also name its digest, as clients do that send it first alone.
        return actor, replace(request, document=None)
    if text is None:
        error, named = not_approved(), replace(actor, document=digest)
        await house.gate.decline(named, error, RUN, request=request.request_id)
        raise error
    return replace(actor, document=digest), replace(request, query=text, document=digest)


class Gatherer(Visitor):
    """Walks a document once; fragments are walked where they are defined."""

    def __init__(self, info: TypeInfo, found: Disclosable) -> None:
        super().__init__()
        self._info = info
        self._found = found

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Notes what a field discloses."""
        parent = self._info.get_parent_type()
        name = node.name.value
        if parent is None or name.startswith("__"):
            if name in {"__schema", "__type"}:
                self._found.reads[name] = None
            return
        if parent.name == "Mutation":
            self._changed(name)
        elif parent.name == "Query" and ROOTS[name].kind is Kind.TOLD:
            self._found.reads[name] = None
            self._found.actions.update(dict.fromkeys(filter(None, (ROOTS[name].needs,))))
        elif parent.name == "Query" and ROOTS[name].kind is Kind.WORKED:
            self._found.reads[name] = None
            given = [argument.name.value for argument in node.arguments or ()]
            self._found.actions.update(dict.fromkeys(WORKED[name].needs(given)))
        elif parent.name == "Query":
            self._listed(SHAPES[ROOTS[name].record] if ROOTS[name].record else None, node)
        elif parent.name in SHAPES:
            self._read(SHAPES[parent.name], name, node)
        elif parent.name.endswith(CONFIDENTIAL) and parent.name.removesuffix(CONFIDENTIAL) in SHAPES:
            self._opened(SHAPES[parent.name.removesuffix(CONFIDENTIAL)], name)

    def _changed(self, name: str) -> None:
        operation = OPERATIONS[name[0].upper() + name[1:]]  # a mutation is called as its operation is
        self._found.changes[name] = None
        self._found.actions.update(dict.fromkeys(operation.actions))
        if issubclass(operation, Collecting):
            self._found.actions[operation.collection] = None

    def _read(self, shape: Shape, name: str, node: FieldNode) -> None:
        found = self._found
        found.actions[shape.read] = None
        match parts(shape)[name]:
            case Column() as column:
                fact = shape.facts.get(column.name)
                found.reads[f"{shape.table}.{column.name}"] = None
                found.actions[(fact.action if fact else None) or shape.read] = None
            case Derived(by=by):
                found.reads[f"{shape.table}.{by.name}"] = None
                found.actions[by.action or shape.read] = None
            case Masked(by=by):
                found.reads[by.tag] = None
                found.actions[f"mask:{by.data_class.value}"] = None
            case ToOne(by=by):
                found.actions[by.action or SHAPES[str(by.target)].read] = None
            case ToMany(by=by):
                found.actions[by.action or SHAPES[by.target].read] = None
                self._listed(SHAPES[by.target], node)
            case Closed():
                pass

    def _opened(self, shape: Shape, name: str) -> None:
        closed = parts(shape)["confidential"]
        sealed = closed.fields.get(name) if isinstance(closed, Closed) else None
        if sealed is not None:
            self._found.reads[sealed.tag] = None
            self._found.actions.update(dict.fromkeys(sealed.actions))

    def _listed(self, shape: Shape | None, node: FieldNode) -> None:
        """Who filters or sorts by a fact learns of it too."""
        if shape is None:
            return
        self._found.actions[shape.read] = None
        for argument in node.arguments or ():
            if argument.name.value == "filter":
                facts = {camel(fact.name): fact.name for fact in shape.facts.values() if fact.filter}
                self._asked(shape, facts, argument.value)
            elif argument.name.value == "lookUp":
                self._sought(shape, argument.value)
            elif argument.name.value == "orderBy":
                self._found.reads.update((f"{shape.table}.{name}", None) for name in ordering(shape))

    def _asked(self, shape: Shape, facts: dict[str, str], value: ValueNode) -> None:
        named = list(_names(value)) if isinstance(value, ObjectValueNode) else list(facts)
        for name in named:
            fact = shape.facts[facts[name]]
            self._found.reads[f"{shape.table}.{fact.name}"] = None
            self._found.actions[fact.action or shape.read] = None

    def _sought(self, shape: Shape, value: ValueNode) -> None:
        """Who finds a row by a confidential value learns that it is the row's."""
        offered = looked_up_by(shape)
        named = set(_names(value)) if isinstance(value, ObjectValueNode) else set(offered)
        for sealed, way in (one for name, one in offered.items() if name in named):
            self._found.reads[sealed.tag] = None
            self._found.actions.update(dict.fromkeys(sealed.actions))
            if way is not None:
                self._found.actions[way.action or SHAPES[way.target].read] = None


def _names(value: ObjectValueNode) -> Iterator[str]:
    fields: tuple[ObjectFieldNode, ...] = tuple(value.fields)
    yield from (one.name.value for one in fields)
