"""CPU of documents made to cost much, refusal included, worst first; and memory under a flood of unique documents.

`--flood N` sends N unique documents of about 280 tokens.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from graphql import parse

from api.graphql.context import Memory
from api.graphql.documents import GraphQLRequest, document_of, operation_of, variables_of
from api.graphql.errors import Refusal
from api.graphql.schema import build_schema
from domain.errors import CreditError

GRAPH = build_schema().graph
README = "query($id: ID!) { creditFile(id: $id) { id name grade score } }"
FILTER = "query($f: CreditFileFilter) { creditFiles(filter: $f) { totalCount } }"
LEAVES = " ".join(list(GRAPH.get_type("CreditFile").fields)[:14])  # type: ignore[union-attr] # it is an object
FIELDS = GRAPH.get_type("CreditFileFilter").fields  # type: ignore[union-attr] # it is an input
TEXTS = [name for name, field in FIELDS.items() if str(field.type) == "TextFilter"][:9]
TRIES = 3
BUDGET = 25.0
PAGE = 4_096


def many(text: str, count: int) -> str:
    """A text again and again; `#` is the number."""
    return " ".join(text.replace("#", str(number)) for number in range(count))


def spreads(count: int, fields: str) -> str:
    """Fragments that all stand at one place."""
    return f"{{ creditFiles {{ nodes {{ {many('...F#', count)} }} }} }} " + many(
        f"fragment F# on CreditFile {{ {fields} }}", count
    )


WORDS = many('""', 90)

DOCUMENTS = {
    "leaves of one name": f"{{ {many('__typename', 990)} }}",
    "fields of one name": f"{{ {many('me { person }', 200)} }}",
    "unknown fields": f"{{ {many('zz#', 990)} }}",
    "unknown arguments": f"{{ creditFiles({many('a#: 1', 320)}) {{ totalCount }} }}",
    "arguments of one name": f"{{ creditFiles({many('first: 1', 320)}) {{ totalCount }} }}",
    "input fields of one name": f"{{ creditFiles(filter: {{ {many('name: {eq: 1}', 140)} }}) {{ totalCount }} }}",
    "variables of one name": f"query({many('$a: Int', 240)}) {{ me {{ person }} }}",
    "unused variables": f"query({many('$a#: Int', 240)}) {{ me {{ person }} }}",
    "variables of unknown types": f"query({many('$a#: T#', 240)}) {{ me {{ person }} }}",
    "undefined variables": f"{{ creditFiles(filter: {{name: {{in: [{many('$a#', 480)}]}}}}) {{ totalCount }} }}",
    "unknown directives": f"{{ me {many('@a', 490)} {{ person }} }}",
    "operations": many("query Q# { me { person } }", 120),
    "operations without a name": many("{ me { person } }", 160),
    "a chain of fragments": "{ me { ...F0 } } " + many("fragment F# on Me { ...F1 }", 120),
    "spreads of one fragment": f"{{ me {{ {many('...F', 480)} }} }} fragment F on Me {{ person }}",
    "unknown fragments": f"{{ me {{ {many('...F#', 480)} }} }}",
    "fragments of one field": spreads(110, "id"),
    "fragments of the same fields": spreads(40, LEAVES),
    "fragments of other fields": spreads(50, "a#: id"),
    "inline fragments": f"{{ me {{ {many('... { person }', 180)} }} }}",
    "selections to merge": f"{{ creditFiles {{ {many('nodes { ' + LEAVES + ' }', 40)} }} }}",
    "arguments to compare": "{ " + many(f"creditFiles(filter: {{name: {{in: [{WORDS}]}}}}) {{ totalCount }}", 9) + " }",
    "a list of texts": f"{{ creditFiles(filter: {{name: {{in: [{many(chr(34) * 2, 970)}]}}}}) {{ totalCount }} }}",
    "a list of no such word": f"{{ creditFiles(filter: {{grade: {{in: [{many('ZZ', 970)}]}}}}) {{ totalCount }} }}",
    "a long text": '{ creditFile(id: "' + "a" * 250_000 + '") { id } }',
    "a block of lines": '{ creditFile(id: """' + "\n" * 16_000 + '""") { id } }',
    "escapes": '{ creditFile(id: "' + "\\u0041" * 2_700 + '") { id } }',
    "a long number": "{ creditFile(id: " + "9" * 16_000 + ") { id } }",
    "a long name": "{ " + "a" * 60_000 + " }",
    "comments": "#\n" * 16_000 + "{ me { person } }",
    "commas": "," * 60_000 + "{ me { person } }",
    "quotes": '"' * 60_000,
}
VARIABLES: dict[str, dict[str, Any]] = {
    "lists that fit": {"f": {name: {"in": ["a"] * 1_990} for name in TEXTS}},
    "a list that does not fit": {"f": {"name": {"in": [1] * 1_990}}},
    "lists that do not fit at their end": {"f": {name: {"in": ["a"] * 1_989 + [1]} for name in TEXTS}},
    "fields no input has": {"f": {str(number): 1 for number in range(19_000)}},
    "many fields no input has": {"f": {str(number): "a" * 2_000 for number in range(99)}},
    "a list that is too long": {"f": {"name": {"in": ["a"] * 60_000}}},
}


def asked(memory: Memory, query: str, variables: dict[str, Any] | None) -> str:
    """What becomes of a request before anything is read."""
    request = GraphQLRequest(query, None, variables, "bench")
    try:
        document = document_of(memory, GRAPH, request, "tenant")
        variables_of(GRAPH, operation_of(document, request), request, document)
    except Refusal as refusal:
        return str(refusal.errors[0]["message"])
    except CreditError as error:
        return error.message
    return "served"


def cost(query: str, variables: dict[str, Any] | None = None) -> tuple[float, str]:
    """Milliseconds of CPU, the best of some tries, and what was said."""
    spent, said = [], ""
    for _ in range(TRIES):
        start = time.process_time()
        said = asked(Memory(), query, variables)
        spent.append((time.process_time() - start) * 1_000)
    return min(spent), said


def resident() -> float:
    """Megabytes that the process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE / 1e6


def flood(count: int) -> None:
    """Prints the memory as unique documents come in, and whether another tenant is still remembered."""
    memory = Memory()
    mine = GraphQLRequest(README, None, {"id": "x"}, "bench")
    known = document_of(memory, GRAPH, mine, "us")
    for number in range(count):
        names = many(f"... on CreditFile @include(if: $v{number}) {{ x#: id }}", 15)
        lines = "creditFiles { nodes { " + names + " } }"
        asked(memory, f"query Q{number}($v{number}: Boolean!) {{ {lines} }}", {f"v{number}": True})
        if number % max(count // 10, 1) == 0:
            print(f"{number:8} documents  {resident():8.1f} MB  {memory.documents.weight} tokens remembered")
    print(f"{count:8} documents  {resident():8.1f} MB; another tenant is "
          f"{'still' if document_of(memory, GRAPH, mine, 'us') is known else 'not'} remembered")  # fmt: skip


def main() -> None:
    """Prints the table, or the flood."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--flood", type=int, default=0)
    count = given.parse_args().flood
    if count:
        flood(count)
        return
    start = time.process_time()
    for _ in range(100):
        parse(README)
    parsing = (time.process_time() - start) * 10
    rows = [(*cost(query), name) for name, query in DOCUMENTS.items()]
    rows += [(*cost(FILTER, variables), f"variables: {name}") for name, variables in VARIABLES.items()]
    for spent, said, name in sorted(rows, reverse=True):
        over = "  OVER" if spent > BUDGET else ""
        print(f"{spent:7.2f} ms {spent / parsing:7.0f}x  {name:46} {said[:60]}{over}")


if __name__ == "__main__":
    main()
