"""A real server on a free port of this machine, over either database, and clients with real tokens."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import httpx2
import pytest
import uvicorn
from joserfc import jwe

from api.app import open_house, prepare
from api.http.serving import configured
from api.served import Served
from api.settings import Settings
from tests.proofs import Proving, new_key

WAIT_SECONDS = 30


class Client:
    """A program that asks the API with one token."""

    def __init__(self, url, token, key=None):
        self.token = token
        self.key = key
        self._http = httpx2.Client(base_url=url, timeout=30, auth=Proving(key, token) if key else None)

    def post(self, query, variables=None, *, token=None):
        """The whole answer."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        body = {"query": query, "variables": variables or {}}
        return self._http.post("/graphql", json=body, headers=headers)

    def ask(self, query, **variables):
        """The data of an answer without errors."""
        answer = self.post(query, variables).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def change(self, field, input_, shows):
        """The payload of one mutation."""
        return self.ask(mutation(field, shows), input=input_)[field]

    def done(self, field, input_, shows):
        """The payload of a mutation that was carried out."""
        payload = self.change(field, input_, shows)
        assert payload["errors"] == [], payload
        return payload

    def close(self):
        """Lets the connection go."""
        self._http.close()


def mutation(field, shows):
    """The document of one mutation."""
    name = field[0].upper() + field[1:]
    return (
        f"mutation($input: {name}Input!) {{ {field}(input: $input) "
        f"{{ {shows} auditEntry errors {{ ... on UserError {{ code message advice path }} }} }} }}"
    )


class Installation:
    """One installation with a server in a thread of its own."""

    def __init__(self, database_url, folder: Path, keys=None, *, prepared=False, documents=None, **settings):
        self.folder = folder
        self.settings = Settings(
            data_dir=folder,
            database_url=database_url,
            keys=keys or f"file:{folder / 'keys.json'}",
            documents=documents or f"folder:{folder / 'documents'}",
            issuer_key=folder / "issuer.json",
            log="off",
            **settings,
        )
        self._clients = []
        self._keys = {}
        if not prepared:
            asyncio.run(prepare(self.settings))

    def open_tenant(self, name):
        """A company."""

        async def work():
            async with open_house(self.settings) as house:
                return await house.open_tenant(name)

        return asyncio.run(work())

    def token(self, tenant, *roles, person=None, **claims):
        """A real token of the local issuer."""

        async def work():
            async with open_house(self.settings) as house:
                return house.token(tenant, person or roles[0], frozenset(roles), **claims)

        return asyncio.run(work())

    def start(self):
        """The server, once it answers."""
        self.server = uvicorn.Server(configured(Served(self.settings), port=0))
        self._thread = threading.Thread(target=self.server.run, daemon=True)
        self._thread.start()
        for _ in range(WAIT_SECONDS * 100):
            if self.server.started or not self._thread.is_alive():
                break
            threading.Event().wait(0.01)
        assert self.server.started
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def stop(self):
        """Ends everything as a signal would."""
        for client in self._clients:
            client.close()
        self.stop_server()

    def stop_server(self):
        """Ends the server, also where another is to take its place."""
        self.server.should_exit = True
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()

    def client(self, tenant, *roles, **more):
        """A program with a token of its own; a partner's proves the partner's key with every request."""
        if "partner_client" not in roles:
            return self.client_of(self.token(tenant, *roles, **more))
        key = self.key_of(tenant, more["partner"])
        return self.client_of(self.token(tenant, *roles, key=key.thumbprint(), **more), key)

    def key_of(self, tenant, partner):
        """The key of a partner, which one person proposed and another approved."""
        if partner not in self._keys:
            self._keys[partner] = new_key()
            self.register(tenant, partner, self._keys[partner])
        return self._keys[partner]

    def trust(self, tenant, text, *scope, purpose="PARTNER_CREDIT_DECISION", approve=True):
        """A document that one person proposed and another approved."""
        asked = {"name": "of a test", "text": text, "purpose": purpose, "scope": list(scope)}
        proposed = self.client(tenant, "legal").done("proposeTrustedDocument", asked, "trustedDocument { id }")
        id_ = proposed["trustedDocument"]["id"]
        if approve:
            self.client(tenant, "privacy_officer").done(
                "approveTrustedDocument", {"document": id_}, "trustedDocument { state }"
            )
        return id_

    def approve(self, tenant, partner):
        """Lets a partner in that somebody else registered."""
        self.client(tenant, "legal").done("approvePartner", {"partner": partner}, "partner { state }")
        return partner

    def register(self, tenant, partner, key, use="DPOP"):
        """The id of a key of a partner that one person proposed and another approved."""
        asked = {"partner": partner, "use": use, "jwk": json.dumps(key.as_dict(private=False))}
        proposed = self.client(tenant, "legal").done("proposePartnerKey", asked, "challenge partnerKey { id }")
        given = {"key": proposed["partnerKey"]["id"]}
        if proposed["challenge"] is not None:
            read = jwe.decrypt_compact(proposed["challenge"], key, algorithms=["ECDH-ES+A256KW", "A256GCM"])
            given["possession"] = read.plaintext.decode()
        self.client(tenant, "privacy_officer").done("approvePartnerKey", given, "partnerKey { state }")
        return given["key"]

    def client_of(self, token, key=None):
        """A program with a given token, and perhaps a key it proves with it."""
        client = Client(self.url, token, key)
        self._clients.append(client)
        return client

    def house(self, work):
        """What some work in the open house gives, beside the server."""

        async def run():
            async with open_house(self.settings) as house:
                return await work(house)

        return asyncio.run(run())


@pytest.fixture
def installation(database, tmp_path):
    """An installation over a migrated database, its server running."""
    installed = Installation(database.url, tmp_path / "data").start()
    yield installed
    installed.stop()


@pytest.fixture
def tenant(installation):
    """A company."""
    return installation.open_tenant("Yunfan Networks")


def said(entry):
    """An entry of the log as it was written."""
    return json.loads(entry)
