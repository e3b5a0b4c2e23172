"""The queries of the benchmark, and what a server is sent for each: the subject changes with every request."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

FILE = "id name grade score creditStatus"
ASSESSMENT = "id kind asOf score grade"
ACTION = "id kind state scope deadlineOn"
REVEAL = "confidential(purpose: CREDIT_REVIEW) { phone bankAccount withheld { field reason } }"
KEPT = 500
"""How many different subjects rotate."""


@dataclass(frozen=True, slots=True)
class Query:
    """One of the documents: how many files a page has, and what each file is asked for."""

    name: str
    first: int
    """Files per page; 0 for one file by its id."""
    assessments: int = 0
    actions: int = 0
    reveals: bool = False
    fields: str = FILE

    @property
    def selection(self) -> str:
        """What is asked of a file."""
        parts = [self.fields]
        if self.assessments:
            parts.append(f"assessments(first: {self.assessments}) {{ nodes {{ {ASSESSMENT} }} }}")
        if self.actions:
            parts.append(f"controlActions(first: {self.actions}) {{ nodes {{ {ACTION} }} }}")
        if self.reveals:
            parts.append(REVEAL)
        return " ".join(parts)

    @property
    def document(self) -> str:
        """The document, its subject a variable."""
        if not self.first:
            return f"query Tiny($id: ID!) {{ creditFile(id: $id) {{ {self.selection} }} }}"
        page = f"creditFiles(first: {self.first}, after: $after) {{ nodes {{ {self.selection} }} }}"
        return f"query {self.name.title()}($after: String) {{ {page} }}"

    @property
    def of_postgraphile(self) -> str:
        """The same answer in PostGraphile's spelling: the tenant is a condition, since nothing else knows it."""
        selection = re.sub(r"\bid\b", "id: rowId", self.selection)
        if not self.first:
            return (
                "query Tiny($tenant: String!, $id: String!) "
                f"{{ creditFile: creditFileByTenantAndRowId(tenant: $tenant, rowId: $id) {{ {selection} }} }}"
            )
        page = (
            f"creditFiles: allCreditFiles(first: {self.first}, after: $after, condition: {{tenant: $tenant}}) "
            f"{{ nodes {{ {selection} }} }}"
        )
        return f"query {self.name.title()}($tenant: String!, $after: Cursor) {{ {page} }}"


TINY = Query("tiny", 0)
MEDIUM = Query("medium", 50, assessments=5)
DEEP = Query("deep", 50, assessments=5, actions=10)
BIG = Query("big", 100, assessments=10, fields="id")
CONF = Query("conf", 50, assessments=5, reveals=True)
QUERIES = (TINY, MEDIUM, DEEP, BIG, CONF)
PLAIN = QUERIES[:4]

LITERALS, SHAPES = "literals", "shapes"
"""Documents that were never seen before: tiny with its id written into it, and tiny under an alias of its own."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """What rotates: ids of files, and the ids of the files behind which pages begin."""

    ids: Sequence[str]
    pages: Sequence[str]

    @classmethod
    def of(cls, files: Sequence[str]) -> Subjects:
        """A fixed choice among all files of the company, in their order."""
        chosen = random.Random(7)  # noqa: S311 - the same choice every time, and no secret
        most = max(1, len(files) - 100)
        ids, pages = list(files), list(files[:most])
        chosen.shuffle(ids)
        chosen.shuffle(pages)
        return cls(ids[:KEPT], pages[:KEPT])


def body(document: str, variables: dict[str, str]) -> str:
    """A request as GraphQL over HTTP sends it, on one line."""
    return json.dumps({"query": document, "variables": variables})


def unseen(kind: str, subjects: Subjects) -> list[str]:
    """Bodies whose documents differ with every request; `%d` is a number that wrk never sends twice."""
    alias = "a%d" if kind == SHAPES else ""
    named = f"{alias}: creditFile" if alias else "creditFile"
    # A different id in each is not enough: only some hundred rotate. The number makes the text itself another one.
    mark = "" if alias else " #%d"
    return [json.dumps({"query": f'{{ {named}(id: "{own}") {{ {FILE} }} }}{mark}'}) for own in subjects.ids]
