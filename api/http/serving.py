"""How the server runs the application: it keeps no log of requests of its own, and says nothing about itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from api.graphql.limits import MAX_BODY
from api.http.heads import BoundedHeads

GRACE_SECONDS = 20
"""How long a server that is told to stop waits for requests under way."""
PING_SECONDS = 20
"""How often a socket is asked whether anybody is there, and how long it may take to say so."""
OPTIONS: Final[Mapping[str, Any]] = {
    "http": BoundedHeads,
    "ws": "websockets-sansio",
    "ws_max_size": MAX_BODY,
    "ws_per_message_deflate": False,
    "ws_ping_interval": PING_SECONDS,
    "ws_ping_timeout": PING_SECONDS,
    "access_log": False,
    "log_config": None,
    "server_header": False,
    "date_header": True,
    "proxy_headers": False,
    "timeout_graceful_shutdown": GRACE_SECONDS,
}
"""What holds for every process that serves. No message of a socket is unpacked, so that none grows on its way in; an
access log would repeat paths and addresses of callers."""


def configured(application: ASGIApp, *, host: str = "127.0.0.1", port: int = 8000) -> uvicorn.Config:
    """The configuration of one server process."""
    return uvicorn.Config(application, host=host, port=port, **OPTIONS)
