"""The logs of an installation as they are served to whoever verifies them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from api.app import INSTALLATION, log_files
from api.http.ports import PublicLog
from domain import ids
from domain.errors import Malformed
from domain.ids import Id

if TYPE_CHECKING:
    from api.app import House


def public(house: House) -> PublicLog:
    """The logs of a house, one per company; who is not served here has none."""

    async def found(company: str, look: Callable[[Id], Any]) -> bytes | None:
        tenant = _tenant(company)
        if tenant is None or tenant not in await house.store.tenants():
            return None
        read: bytes | None = await house.store.inspect(tenant, look(tenant))
        return read

    async def checkpoint(company: str) -> bytes | None:
        return await found(company, lambda tenant: log_files.checkpoint_of(tenant, house.room.quorum))

    async def file(company: str, path: str) -> bytes | None:
        return await found(company, lambda tenant: log_files.file_of(tenant, path))

    return PublicLog(
        tenant=_tenant,
        checkpoint=checkpoint,
        file=file,
        is_bundle=log_files.is_bundle,
        is_full=log_files.is_full,
    )


def _tenant(company: str) -> Id | None:
    """The tenant that is named, the installation where none is."""
    try:
        return ids.check(company, "te") if company else INSTALLATION
    except Malformed:
        return None
