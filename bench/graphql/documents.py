"""What a document costs before it is read: one never seen that differs in literals, one that is known, one that is new.

The floor is what a server without templates does with a document it never saw: parse and validate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from graphql import parse, validate

from api.graphql.compiling.arguments import deciding
from api.graphql.context import Memory
from api.graphql.documents import GraphQLRequest, document_of, operation_of, variables_of
from api.graphql.schema import build_schema

GRAPH = build_schema().graph
ID = "cf_" + "0" * 22
LITERAL = '{{ creditFile(id: "' + ID + '{:04}") {{ id name grade score assessment {{ grade score }} }} }}'
VARIABLE = "query($id: ID!) { creditFile(id: $id) { id name grade score assessment { grade score } } }"
TIMES = 400


def spent(work: Callable[[int], object], times: int = TIMES) -> float:
    """Microseconds of CPU for one piece of work: the median of many."""
    found = []
    for number in range(times):
        start = time.process_time_ns()
        work(number)
        found.append((time.process_time_ns() - start) / 1_000)
    return median(found)


def planned(memory: Memory, query: str, variables: dict[str, object] | None = None) -> tuple[object, ...]:
    """Everything from a text to the key of its plan."""
    request = GraphQLRequest(query, None, variables, "bench")
    document = document_of(memory, GRAPH, request, "tenant")
    operation = operation_of(document, request)
    return (document.digest, deciding(variables_of(GRAPH, operation, request, document)))


def main() -> None:
    """Prints the costs, relative to the first."""
    memory = Memory()
    planned(memory, LITERAL.format(9_999))
    planned(memory, VARIABLE, {"id": ID + "0000"})
    rows = {
        "parse and validate": spent(lambda number: validate(GRAPH, parse(LITERAL.format(number))), 100),
        "new": spent(lambda number: planned(Memory(), LITERAL.format(number)), 100),
        "never seen, differs in literals": spent(lambda number: planned(memory, LITERAL.format(number))),
        "known, with a variable": spent(lambda number: planned(memory, VARIABLE, {"id": f"{ID}{number:04}"})),
    }
    floor = rows["parse and validate"]
    for name, cost in rows.items():
        print(f"{name:34} {cost:8.1f} us  {floor / cost:7.1f}x")


if __name__ == "__main__":
    main()
