"""The root of what can be watched, generated from the streams that are declared."""

from __future__ import annotations

from typing import Any

from graphql import OperationDefinitionNode

from api.graphql.compiler import Compiled
from api.graphql.compiling.arguments import Slots, given, plain
from api.graphql.compiling.forms import Entry
from api.graphql.compiling.levels import Levels
from api.graphql.compiling.selections import Selections
from api.graphql.generation.building import GENERATED, argument, object_type, output
from api.graphql.generation.inputs import filter_of
from api.graphql.generation.parts import described
from api.graphql.limits import DEFAULT_PAGE, MAX_PAGE
from domain.errors import Malformed
from domain.files.watching import STREAMS, Stream, arriving
from domain.reading import Labelled, Reading
from domain.records import SHAPES

ROOT = "Subscription"


def build_subscription() -> type:
    """The subscription root, made once."""
    if ROOT in GENERATED:
        return GENERATED[ROOT]
    says = "What can be watched as it comes. Every delivery is recorded before it leaves. Ch.8 §1"
    fields = [
        output(name, f"{stream.record}Connection | None", _says(stream), _arguments(stream))
        for name, stream in STREAMS.items()
    ]
    return object_type(ROOT, says, fields)


def _says(stream: Stream) -> str:
    shape = SHAPES[stream.record]
    return f"Each {stream.record} as it comes, oldest first ({stream.action}). {described(shape)}"


def _arguments(stream: Stream) -> list[Any]:
    found = [
        argument("first", "int | None", f"How many one delivery holds at most, 1 to {MAX_PAGE}.", DEFAULT_PAGE),
        argument(
            "after",
            "str | None",
            "The last cursor that arrived: nothing behind it is missed. Without one: from now on.",
        ),
    ]
    filters = filter_of(SHAPES[stream.record])
    if filters:
        found.append(argument("filter", f"{filters} | None", "Only those that meet these conditions."))
    return found


def compile_stream(selections: Selections, operation: OperationDefinitionNode) -> Compiled:
    """The reading of one delivery; its last arguments are those of `domain.files.watching.places`.

    Raises: Malformed where conditions leave nothing to watch.
    """
    root, slots = selections.object(ROOT), Slots()
    asked = selections.of(root, [operation.selection_set])
    if len(asked) != 1:
        raise Malformed("The subscription asks for nothing.", advice="Ask for one field of Subscription.")
    ((key, nodes),) = asked.items()
    stream = STREAMS[nodes[0].name.value]
    arguments = given(root.fields[nodes[0].name.value], nodes[0], selections.variables)
    level, form = Levels(selections, slots).page(stream.shape, nodes, arguments)
    after = slots.add(arguments, ("after",), plain)
    sources = slots.sources()
    reading = Reading((Labelled(key, arriving(stream, level, after, len(sources))),), stream.action)
    return Compiled(
        reading=reading,
        sources=sources,
        answers=(Entry(key=key, label=key, form=form),),
        told={},
        worked={},
        introspection={},
        failures={},
    )
