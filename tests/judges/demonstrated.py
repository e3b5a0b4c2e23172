"""A running demo, as it tells itself, and what judges ask of it."""

from __future__ import annotations

import json
from contextlib import contextmanager

import httpx2

from tests.journeys.commands import started
from tests.proofs import Proving, key_of

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"


class Demo:
    """A demo that runs, asked over HTTP."""

    def __init__(self, told, pid):
        self.url = told["url"]
        self.tokens = told["tokens"]
        self.files = told["creditFiles"]
        self.pid = pid
        self.http = httpx2.Client(base_url=self.url, timeout=60)
        self._proving = Proving(key_of(told["partner"]["key"]), self.tokens["partner_client"])

    def send(self, method="POST", path="/graphql", *, role="auditor", headers=(), **more):
        """The response to one request of a role; of nobody where the role is empty."""
        given = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        auth = self._proving if role == "partner_client" else None
        return self.http.request(method, path, headers=given | dict(headers), auth=auth, **more)

    def ask(self, query, *, role="auditor", accept=GRAPHQL, **more):
        """The response to one document."""
        return self.send(role=role, headers={"Accept": accept}, json={"query": query, **more})


@contextmanager
def running_demo(**settings):
    """A demo for as long as the block lasts."""
    process = started("demo", "--port", "0", "--customers", "6", "--json", **settings)
    try:
        demo = Demo(json.loads(process.stdout.readline()), process.pid)
        with demo.http:
            yield demo
    finally:
        process.terminate()
        process.communicate(timeout=60)
