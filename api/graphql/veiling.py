"""Who may not read the schema learns nothing of it from refusals: what it may not ask is not there for it.

A document that does not fit the schema and one that asks for what is not granted are refused alike, and both are
recorded. Whoever runs a trusted document knows it, and is told what is wrong.
"""

from __future__ import annotations

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    InlineFragmentNode,
    TypeInfo,
    TypeInfoVisitor,
    visit,
)

from api.graphql import errors
from api.graphql.context import Document, House
from api.graphql.documents import GraphQLRequest, document_of
from api.graphql.errors import Refusal, Told
from api.graphql.operations import INTROSPECT
from api.graphql.trusting import Disclosable, Gatherer
from domain.actors import Actor
from domain.errors import Malformed, NotPermitted
from domain.files.watching import STREAMS
from domain.records import SHAPES, Shape

_ADVICE = "Compare it with schema.graphql, and with the actions of `me`."


def not_there(cause: str) -> NotPermitted:
    """The one refusal of all that is not there for the caller."""
    return NotPermitted("The document asks for what is not there for your roles.", advice=_ADVICE, cause=cause)


async def visible_document_of(house: House, actor: Actor, request: GraphQLRequest) -> Document:
    """The document of a caller who may not read the schema.

    Raises: NotPermitted, recorded, where it does not fit the schema or asks for what is not granted; Malformed and
    Refusal as for any other, where that tells nothing of the schema.
    """
    missing, cause = INTROSPECT, "NOT_IN_THE_SCHEMA"
    try:
        document = document_of(house.memory, house.schema.graph, request, actor.tenant)
    except Refusal as refusal:
        if not refusal.parsed:
            raise
    else:
        found = next(iter(missing_of(house, actor, document)), None)
        if found is None:
            return document
        missing, cause = found, "NOT_GRANTED"
    error = not_there(cause)
    await house.gate.decline(actor, error, missing, request=request.request_id)
    raise error


def missing_of(house: House, actor: Actor, document: Document) -> list[str]:
    """The actions a document would need whatever its directives and variables say, and its caller does not have."""
    rights = house.rights(actor)
    needed = house.memory.needs.get(document.digest, lambda: needs(house.schema.graph, document), actor.tenant)
    return [action for action in needed if not rights.permits(action)]


def needs(schema: GraphQLSchema, document: Document) -> tuple[str, ...]:
    """The actions that guard what a document names; a confidential field is withheld as data, and needs none here.

    A filter that is a variable names every fact it could hold.
    """
    info, found = TypeInfo(schema), Disclosable()
    visit(document.tree, TypeInfoVisitor(info, _Namer(info, found)))
    return tuple(sorted(found.actions))


def variables_told(refusal: Refusal, request: str) -> list[Told]:
    """What does not fit about variables, told by their names alone: what they lack would tell of their types."""
    places = {error["extensions"].get("inputPath", [""])[0]: None for error in refusal.errors}
    told = []
    for name in places:
        sentence = f"The variable ${name} does not fit." if name else "The variables do not fit the document."
        problem = Malformed(sentence, advice="Compare it with schema.graphql.", path=(name,) if name else ())
        told.append(errors.told(problem, request))
    return told


class _Namer(Gatherer):
    """Notes the actions of everything that is named, also where nothing would be answered there."""

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: object) -> None:
        """A condition names a type."""
        if node.type_condition:
            self._named(node.type_condition.name.value)

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> None:
        """A condition names a type."""
        self._named(node.type_condition.name.value)

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """Notes what a field needs, that of a stream included."""
        parent = self._info.get_parent_type()
        stream = STREAMS.get(node.name.value)
        if parent is not None and parent.name == "Subscription" and stream is not None:
            self._found.actions[stream.action] = None
            self._listed(stream.shape, node)
        super().enter_field(node)

    def _named(self, name: str) -> None:
        if name in SHAPES:
            self._found.actions[SHAPES[name].read] = None

    def _opened(self, shape: Shape, name: str) -> None:
        """A confidential field that is not granted is withheld."""
