"""A document is measured before it is understood: every check here is linear in its text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from api.graphql.sharing.literals import scan
from domain.errors import Code, Malformed
from domain.records import SHAPES

MAX_BODY = 256 * 1024
"""Bytes of a request body; the HTTP layer refuses more."""
MAX_TOKENS = 1_000
FOLLOWED = 30
"""How many tokens a list or record weighs that is followed: each becomes a statement, or a part of one. Documents that
are registered are compiled seldom, and may follow as many as they like."""
MAX_NESTING = 64
"""Open brackets of any kind at one place of the text."""
MAX_DEPTH = 12
MAX_INTROSPECTION_DEPTH = 20
MAX_LIST_DEPTH = 3
MAX_ALIASES = 15
MAX_REPEATS = 30
"""Fields that stand again under the same name in one selection set with its fragments, over the document: validation
compares each with each."""
MAX_FRAGMENTS = 50
"""Fragments that a document defines; validation compares each with each."""
MAX_TEXT = 64 * 1024
"""Characters of a document."""
MAX_ASIDE = 16 * 1024
"""Characters of a document that are literals or comments; the lexer looks at each of them by itself."""
MAX_FIELDS = 2_000
"""Fields of an operation with every fragment written out."""
MAX_PAGE = 100
DEFAULT_PAGE = 20
MAX_ROWS = 50_000
"""Rows that the pages of one request can hold together at most."""
MAX_CHOICES = 100
"""Values of one `in` condition."""
MAX_ITEMS = 1_000
"""Items of one list inside an input."""
MAX_VALUES = 20_000
"""Values inside the variables of one request, at every depth together."""
MAX_LISTED = 2 * MAX_ITEMS
"""Items of one list inside the variables before its place is known."""
MAX_NAMES = 100
"""Fields of one object inside the variables; no input has so many."""

LISTS = frozenset({"edges", "nodes", "fields", "args", "types", "inputFields", "possibleTypes", "enumValues"})
"""Fields that answer a list of objects which can be followed further: a page's rows, and introspection's lists."""

# Of a text whose literals are marks: names, spreads, and every other sign by itself.
_TOKEN = re.compile(r"\w+|\.\.\.|[^\s,\ufeff]")
_BRACKET = re.compile(r"[][(){}]")


def too_large(sentence: str, advice: str, path: tuple[str, ...] = ()) -> Malformed:
    """The refusal of a document or value that is larger than a limit."""
    return Malformed(sentence, code=Code.QUERY_TOO_LARGE, advice=advice, path=path)


def check_size(query: str) -> None:
    """Refuses a text that is long, before anything looks at it.

    Raises: Malformed (QUERY_TOO_LARGE).
    """
    if len(query) > MAX_TEXT:
        raise too_large(f"The document has more than {MAX_TEXT} characters.", "Send long values as variables.")


def check_aside(characters: int) -> None:
    """Refuses a text with so many characters in literals and comments.

    Raises: Malformed (QUERY_TOO_LARGE).
    """
    if characters > MAX_ASIDE:
        sentence = f"The document has more than {MAX_ASIDE} characters of literals and comments."
        raise too_large(sentence, "Send long values as variables.")


def check_text(query: str) -> int:
    """How many tokens a text has; too many of them or of open brackets are refused. The parser judges the rest.

    Raises: Malformed (QUERY_TOO_LARGE).
    """
    skeleton, _ = scan(query)
    tokens = _TOKEN.findall(skeleton)
    if len(tokens) > MAX_TOKENS:
        raise too_large(f"The document has more than {MAX_TOKENS} tokens.", "Ask for less, or in several documents.")
    nesting = 0
    for bracket in _BRACKET.findall(skeleton):
        nesting += 1 if bracket in "{[(" else -1
        if nesting > MAX_NESTING:
            raise too_large(f"More than {MAX_NESTING} brackets are open at once.", "Nest less deeply.")
    return len(tokens)


def check_variables(variables: Mapping[str, Any]) -> None:
    """Refuses variables of too many values or too deep ones, before any is compared with its type.

    Raises: Malformed (QUERY_TOO_LARGE).
    """
    level: list[Any] = [variables]
    values = depth = 0
    while level:
        inner: list[Any] = []
        for held in level:
            if isinstance(held, dict | list):
                values += len(held)
                if isinstance(held, list) and len(held) > MAX_LISTED:
                    raise too_large(
                        f"A list of the variables has more than {MAX_LISTED} items.", "Send several requests."
                    )
                if isinstance(held, dict) and len(held) > MAX_NAMES and held is not variables:
                    raise too_large(f"An object of the variables has more than {MAX_NAMES} fields.", "Send its fields.")
                if values > MAX_VALUES:
                    raise too_large(f"The variables hold more than {MAX_VALUES} values.", "Send several requests.")
                inner.extend(held.values() if isinstance(held, dict) else held)
        level = inner
        depth += 1
        if depth > MAX_NESTING and level:
            raise too_large(f"The variables nest more than {MAX_NESTING} levels.", "Nest less deeply.")


@dataclass(frozen=True, slots=True)
class Extent:
    """How large a selection set is with every fragment written out."""

    depth: int = 0
    lists: int = 0
    aliases: int = 0
    fields: int = 0
    followed: int = 0

    def beside(self, other: Extent) -> Extent:
        """Both, next to each other."""
        return Extent(
            max(self.depth, other.depth),
            max(self.lists, other.lists),
            self.aliases + other.aliases,
            self.fields + other.fields,
            self.followed + other.followed,
        )


@lru_cache(4)
def followed(schema: GraphQLSchema) -> frozenset[str]:
    """The names of fields that lead to records: a field of a type of its own, but not the parts of a page."""
    found: set[str] = set()
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.endswith(("Connection", "Edge")):
            inner = ((name, get_named_type(field.type).name) for name, field in kind.fields.items())
            found |= {name for name, leads in inner if leads in SHAPES or leads.endswith("Connection")}
    return frozenset(found)


def check_document(
    document: DocumentNode, tokens: int = 0, follows: frozenset[str] = frozenset(), *, registered: bool = False
) -> None:
    """Refuses a document whose operations are too deep, too wide or ask for too large pages.

    Raises: Malformed (QUERY_TOO_LARGE).
    """
    measure = _Measure(document, follows)
    if len(measure.fragments) > MAX_FRAGMENTS:
        raise too_large(f"The document has more than {MAX_FRAGMENTS} fragments.", "Send several documents.")
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            extent = measure.of(definition.selection_set)
            _check(extent, introspective=_introspective(definition.selection_set))
            if not registered and tokens + FOLLOWED * extent.followed > MAX_TOKENS:
                sentence = f"The document follows {extent.followed} lists and records with {tokens} tokens."
                advice = f"Each weighs {FOLLOWED} tokens of {MAX_TOKENS}: send several documents, or register this one."
                raise too_large(sentence, advice)
    for name in measure.fragments:
        measure.fragment(name)
    if measure.repeats > MAX_REPEATS:
        raise too_large("Too many fields stand twice in one selection set.", "Ask for each field once.")


def check_page(size: int) -> int:
    """A page size within its bounds.

    Raises: Malformed, QUERY_TOO_LARGE above the maximum.
    """
    if size > MAX_PAGE:
        advice = f"Ask for first: {MAX_PAGE} and follow endCursor."
        raise too_large(f"A page has at most {MAX_PAGE} rows.", advice, ("first",))
    if size < 1:
        raise Malformed("A page has at least one row.", advice=f"Ask for first: 1 to {MAX_PAGE}.", path=("first",))
    return size


def check_rows(rows: int) -> None:
    """Refuses a request whose pages multiply to too many rows.

    Raises: Malformed (QUERY_TOO_LARGE).
    """
    if rows > MAX_ROWS:
        raise too_large(f"The pages can hold {rows} rows together; {MAX_ROWS} are allowed.", "Ask for smaller pages.")


def _check(extent: Extent, *, introspective: bool) -> None:
    bounds = (
        (extent.depth, MAX_INTROSPECTION_DEPTH if introspective else MAX_DEPTH, "levels deep", "Nest less deeply."),
        (extent.lists, MAX_LIST_DEPTH, "lists inside one another", "Follow inner lists in a second document."),
        (extent.aliases, MAX_ALIASES, "aliases", "Send several documents, or one filter with `in`."),
        (extent.fields, MAX_FIELDS, "fields", "Ask for less, or in several documents."),
    )
    for size, maximum, what, advice in bounds:
        if size > maximum:
            raise too_large(f"The document has more than {maximum} {what}.", advice)


def _introspective(selections: SelectionSetNode) -> bool:
    """Whether nothing but introspection stands at the root."""
    return all(
        isinstance(item, FieldNode) and item.name.value in {"__schema", "__type", "__typename"}
        for item in selections.selections
    )


class _Measure:
    """Measures each fragment once, so that the work is linear even where fragments multiply."""

    def __init__(self, document: DocumentNode, follows: frozenset[str]) -> None:
        self._follows = follows
        self.fragments = {
            item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)
        }
        self.repeats = 0
        self._known: dict[str, tuple[Extent, frozenset[str]]] = {}

    def of(self, selections: SelectionSetNode | None) -> Extent:
        """The extent of a selection set. A fragment inside itself adds nothing here: validation refuses it."""
        return self._of(selections, set())

    def _of(self, selections: SelectionSetNode | None, seen: set[str]) -> Extent:
        """The extent of selections; what they answer joins what was seen beside them."""
        extent = Extent()
        if selections is None:
            return extent
        for item in selections.selections:
            match item:
                case FieldNode():
                    key = (item.alias or item.name).value
                    self.repeats += key in seen
                    seen.add(key)
                    extent = extent.beside(self._field(item))
                case InlineFragmentNode():
                    extent = extent.beside(self._of(item.selection_set, seen))
                case FragmentSpreadNode():
                    inner, keys = self.fragment(item.name.value)
                    self.repeats += len(seen & keys)
                    seen |= keys
                    extent = extent.beside(inner)
        return extent

    def _field(self, field: FieldNode) -> Extent:
        for given in field.arguments or ():
            if given.name.value == "first" and isinstance(given.value, IntValueNode):
                check_page(int(given.value.value[:10]))
        inner = self.of(field.selection_set)
        return Extent(
            inner.depth + 1,
            inner.lists + (field.name.value in LISTS and field.selection_set is not None),
            inner.aliases + (field.alias is not None),
            inner.fields + 1,
            inner.followed + (field.name.value in self._follows and field.selection_set is not None),
        )

    def fragment(self, name: str) -> tuple[Extent, frozenset[str]]:
        """The extent of a fragment, and the response keys it answers."""
        if name not in self._known:
            self._known[name] = (Extent(), frozenset())
            fragment = self.fragments.get(name)
            if fragment:
                seen: set[str] = set()
                extent = self._of(fragment.selection_set, seen)
                self._known[name] = (extent, frozenset(seen))
        return self._known[name]
