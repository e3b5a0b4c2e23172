"""The program of a witness: an auditor runs it on another machine, without the house, its database or its keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from domain.errors import CreditError
from vault.audit.note import COSIGNATURE, ML_DSA_44, Verifier
from vault.witness import exported, folder
from vault.witness.asking import Place
from vault.witness.judging import MOST_BYTES, Answer, Witness

_LOG: Final = structlog.get_logger("credence.witness")
_LATER: Final = "The witness cannot answer now.\n"


ALGORITHMS: Final = {"ed25519": COSIGNATURE, "ml-dsa-44": ML_DSA_44}
"""What a witness may cosign with."""


def open_witness(place: Path, name: str, algorithm: str = "ed25519") -> str:
    """Makes the folder of a new witness, with a key of an algorithm; the key to pin.

    Raises: Malformed.
    """
    return str(folder.opened(place, name, ALGORITHMS[algorithm]))


def follow(place: Path, keys: Sequence[str]) -> Sequence[str]:
    """Follows the logs of some keys too; the keys of all logs that are followed.

    Raises: Malformed; NotFound.
    """
    return [str(key) for key in folder.followed(place, tuple(map(Verifier.read, keys)))]


def show(place: Path) -> tuple[str, Mapping[str, int]]:
    """The key to pin, and how many entries of each log were cosigned.

    Raises: NotFound; Malformed; Tampered.
    """
    return str(folder.cosigner(place, _now).verifier()), folder.standing(place)


async def cosign(log: Path, url: str, key: str) -> tuple[str, int]:
    """Gets the cosignature of a witness for an exported log; its origin and how many entries it has.

    Raises: NotFound; Malformed; Tampered; Unavailable.
    """
    checkpoint = await exported.cosign(log, Place.read(url, key))
    return checkpoint.origin, checkpoint.size


class Serving:
    """What serves a witness, and lets its state go at the end."""

    def __init__(self, place: Path) -> None:
        """Takes the state of the witness.

        Raises: NotFound; Malformed; Tampered; Overloaded.
        """
        self.key = folder.cosigner(place, _now)
        logs = folder.logs(place)
        self._state = folder.State(place)
        self._witness = Witness(self.key, logs, self._state)
        self.application = Starlette(
            routes=[Route("/add-checkpoint", self._add, methods=["POST"]), Route("/", self._told, methods=["GET"])]
        )

    def close(self) -> None:
        """Lets the state go."""
        self._state.close()

    async def _told(self, _: Request) -> Response:
        return PlainTextResponse(f"{self.key.verifier()}\n")

    async def _add(self, request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return PlainTextResponse(f"A request has at most {MOST_BYTES} bytes.\n", 413)
        try:
            answer = await asyncio.to_thread(self._witness.add, body)
        except (CreditError, OSError) as error:
            _LOG.error("A checkpoint was not judged.", type=type(error).__qualname__)
            return PlainTextResponse(_LATER, 500)
        _LOG.info("A checkpoint was judged.", status=int(answer.status))
        return _response(answer)


def _response(answer: Answer) -> Response:
    return Response(answer.body, int(answer.status), media_type=answer.media)


def _now() -> int:
    return int(time.time())
