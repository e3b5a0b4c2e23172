"""How the server runs the application: it keeps no log of requests of its own, and says nothing about itself."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS = 20
"""How long a server that is told to stop waits for requests under way."""


def configured(application: ASGIApp, *, host: str = "127.0.0.1", port: int = 8000) -> uvicorn.Config:
    """The configuration of one server process; its access log would repeat paths and addresses of callers."""
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
