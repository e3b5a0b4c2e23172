"""The schema: object types from the declared records, queries and mutations from their tables."""

from __future__ import annotations

from typing import Any

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from api.graphql.generation.building import answer_by_key
from api.graphql.mutations import answer_by_operation, build_mutation
from api.graphql.queries import build_query
from api.graphql.scalars import SCALARS
from api.graphql.subscriptions.roots import build_subscription
from api.graphql.types import build_types


class Schema(strawberry.Schema):
    """A Strawberry schema that logs nothing by itself: its log would repeat query text and values."""

    def process_errors(self, errors: list[Any], execution_context: Any = None) -> None:
        """Errors are told to the caller by `api.graphql.errors`, and logged there without any value."""

    @property
    def graph(self) -> GraphQLSchema:
        """The schema as graphql-core validates and executes it."""
        return self._schema


def build_schema() -> Schema:
    """The whole schema.

    Raises: TypeError when a declaration has no place in the schema.
    """
    types = build_types()
    schema = Schema(
        query=build_query(),
        mutation=build_mutation(),
        subscription=build_subscription(),
        types=types,
        config=StrawberryConfig(scalar_map=dict(SCALARS), disable_field_suggestions=True),
    )
    answer_by_key(schema.graph)
    answer_by_operation(schema.graph)
    return schema


def print_schema_text(schema: Schema | None = None) -> str:
    """The text of `schema.graphql`."""
    return (schema or build_schema()).as_str().rstrip() + "\n"
