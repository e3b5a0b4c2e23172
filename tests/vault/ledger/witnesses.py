"""Witnesses of a stored world's log, each in this process behind a connection that is none."""

from __future__ import annotations

import http.client
from io import BytesIO

from tests.world import TENANT
from vault.audit.note import COSIGNATURE, ML_DSA_44, Verifier
from vault.store import looks
from vault.store.keeping.witnesses import Cosigning
from vault.witness import folder
from vault.witness.asking import Place
from vault.witness.judging import Witness


class _Wire:
    """A socket that holds one answer."""

    def __init__(self, data):
        self._data = data

    def makefile(self, _mode):
        """The answer, to be read."""
        return BytesIO(self._data)


class Line:
    """What stands for a connection to a witness."""

    def __init__(self, witness):
        self._witness = witness

    def request(self, _method, _path, body, _headers):
        """Sends a request."""
        self._body = body

    def getresponse(self):
        """What the witness answers."""
        answer = self._witness.add(self._body)
        head = f"HTTP/1.1 {int(answer.status)} x\r\nContent-Type: {answer.media}\r\n"
        body = answer.body.encode()
        response = http.client.HTTPResponse(_Wire(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body))
        response.begin()
        return response

    def close(self):
        """Lets it go."""


class Auditor:
    """Whoever runs witnesses of a world's log."""

    def __init__(self, world, place, count=1):
        self.world = world
        self.key = world.look(looks.verifying_key(world.room, TENANT, "operator"))
        self.folders = [place / f"w{number}" for number in range(count)]
        kinds = [ML_DSA_44 if number % 2 else COSIGNATURE for number in range(count)]
        self.verifiers = [
            folder.opened(one, f"auditor.example/{one.name}", kind)
            for one, kind in zip(self.folders, kinds, strict=True)
        ]
        for one in self.folders:
            folder.followed(one, (Verifier.read(self.key),))
        self.states = [folder.State(one) for one in self.folders]
        self.away = set()
        self.alarms = []
        self.asked = 0
        self.places = [Place.read(f"https://w{number}.example", str(one)) for number, one in enumerate(self.verifiers)]
        self.cosigning = Cosigning(
            store=world.store, clock=world.clock, places=self.places, alarm=self._alarm, connect=self._connect
        )

    async def _alarm(self, tenant, witness, size):
        self.alarms.append((tenant, witness, size))

    def _connect(self, url):
        number = int(url.removeprefix("https://w").partition(".")[0])
        self.asked += 1
        if number in self.away:
            raise ConnectionRefusedError
        one = self.folders[number]
        signer = folder.cosigner(one, lambda: int(self.world.clock.now().timestamp()))
        return Line(Witness(signer, folder.logs(one), self.states[number]))

    def ask(self):
        """Asks all that are due."""
        self.world.loop(self.cosigning.ask(TENANT))

    def told(self):
        """State and size of each."""
        return [(one.state.value, one.size, one.behind) for one in self.world.loop(self.cosigning.told(TENANT))]

    def close(self):
        """Lets the states go."""
        for state in self.states:
            state.close()
