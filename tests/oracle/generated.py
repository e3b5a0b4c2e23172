"""Documents that hypothesis-graphql makes from the schema, with sizes, ids and cursors that lead somewhere."""

from __future__ import annotations

from graphql import ArgumentNode, IntValueNode, NullValueNode, StringValueNode, Visitor, print_ast, visit
from graphql.language import ast
from hypothesis import strategies as st
from hypothesis_graphql import queries

from api.graphql.queries import ROOTS as READABLE
from api.graphql.queries import Kind
from domain.records import SHAPES
from tests.oracle.naive import SCHEMA
from tests.vault.corpus import DAYS, INSTANTS
from tests.vault.oracle import cursor

ROOTS = {"creditFile": "CreditFile", "assessment": "Assessment", "creditPolicy": "CreditPolicy",
         "trustedDocument": "TrustedDocument", "accessLog": "CreditFile"}  # fmt: skip
READ = [name for name, root in READABLE.items() if root.kind is not Kind.WORKED]
"""The roots that an interpreter of rows and declarations answers: what is worked out rests on more than those."""
SCALARS = {
    "DateTime": st.sampled_from(INSTANTS).map(lambda at: StringValueNode(value=at.isoformat().replace("+00:00", "Z"))),
    "Date": st.sampled_from(DAYS).map(lambda day: StringValueNode(value=day.isoformat())),
    "Decimal": st.decimals(0, 1000, places=2).map(lambda value: StringValueNode(value=str(value))),
    "CurrencyCode": st.just(StringValueNode(value="CNY")),
}


class Leading(Visitor):
    """Makes arguments lead somewhere, most of the time."""

    def __init__(self, corpus, tenant, choose):
        super().__init__()
        self.corpus, self.tenant, self.choose = corpus, tenant, choose

    def leave_field(self, node, *_):
        """A root that is found by an id finds one."""
        if {one.name.value for one in node.arguments or ()} & {"id", "creditFile"}:
            return _with(node, self.lead(node))
        return None

    def lead(self, node):
        """The arguments of a root that is found by an id."""
        record = ROOTS.get(node.name.value) or list(SHAPES)[self.choose(len(SHAPES))]
        known = self.corpus.ids[self.tenant, record]
        id_ = known[self.choose(len(known))] if self.choose(10) else ""
        return [
            _argument(one.name.value, StringValueNode(value=id_)) if one.name.value in {"id", "creditFile"} else one
            for one in node.arguments
        ]

    def leave_argument(self, node, *_):
        """A page size within its bounds, a cursor of some row."""
        if node.name.value == "first":
            return _argument("first", IntValueNode(value=str(1 + self.choose(4))))
        if node.name.value == "after" and self.choose(10):
            rows = self.corpus.records
            text = cursor([("id", False)], rows[self.choose(len(rows))])
            return _argument("after", StringValueNode(value=text) if self.choose(4) == 0 else NullValueNode())
        return None


def _argument(name, value):
    return ArgumentNode(name=ast.NameNode(value=name), value=value)


def _with(node, arguments):
    return ast.FieldNode(
        alias=node.alias, name=node.name, arguments=tuple(arguments), directives=node.directives,
        selection_set=node.selection_set,
    )  # fmt: skip


@st.composite
def generated(draw, corpus, tenant):
    """One document."""
    made = draw(queries(SCHEMA, fields=READ, custom_scalars=SCALARS, print_ast=lambda tree: tree, allow_x00=False))
    stream = draw(st.randoms(use_true_random=False))
    return print_ast(visit(made, Leading(corpus, tenant, stream.randrange)))
