"""What judges share: their programs, installed once, and a running demo for each module of them."""

from __future__ import annotations

import json

import pytest

from tests.journeys.commands import started
from tests.judges.programs import installed

GRAPHQL = "graphql@16.15.0"
CLIENTS = (
    *(GRAPHQL, "graphql-http@1.23.1"),
    *("@apollo/client@4.3.8", "rxjs@7.8.2"),
    *("@urql/core@6.0.3", "@urql/exchange-graphcache@9.0.2", "@urql/exchange-persisted@5.0.1"),
    *("graphql-ws@6.4.2", "graphql-sse@2.6.1", "ws@8.23.0"),
)
"""Programs that ask a server."""
TOOLS = (
    *(GRAPHQL, "typescript@7.0.2", "@graphql-codegen/cli@7.4.3"),
    *("@graphql-codegen/typescript@6.1.0", "@graphql-codegen/typescript-operations@6.1.9"),
    *("@graphql-codegen/client-preset@6.2.0", "@graphql-typed-document-node/core@3.2.0"),
    *("relay-compiler@21.0.1", "relay-runtime@21.0.1", "eslint@10.15.0", "@graphql-eslint/eslint-plugin@4.4.1"),
)
"""Programs that read a schema and documents."""


@pytest.fixture(scope="session")
def clients(tmp_path_factory):
    """The folder in which the programs that ask a server are installed."""
    return installed(tmp_path_factory.mktemp("clients"), CLIENTS)


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    """The folder in which the programs that read a schema and documents are installed."""
    return installed(tmp_path_factory.mktemp("tools"), TOOLS)


@pytest.fixture(scope="module")
def demo():
    """A running demo, as it tells itself; the judges of one module share it."""
    running = started("demo", "--port", "0", "--json")
    try:
        yield json.loads(running.stdout.readline())
    finally:
        running.terminate()
        running.communicate(timeout=30)
