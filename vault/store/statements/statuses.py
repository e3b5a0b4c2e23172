"""Looks at what statements are signed with and at which of them are revoked; they change nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import sqlalchemy as sa

from domain import ids
from domain.custody.keeping import SigningUse
from domain.custody.signing import SigningKey, SigningState
from domain.ids import Id
from domain.statements.statements import CreditStatement, StatementState, StatusList
from vault.providers.port import Purpose
from vault.statements.publishing import Issuer, former_key, issuer_name, issuer_of
from vault.store.ledger.logbook import signing_keys
from vault.store.tables import table
from vault.store.transaction import Room


class Marked(NamedTuple):
    """A status list: how many statements it has room for, and which of them are revoked."""

    size: int
    revoked: tuple[int, ...]


def issuer(room: Room, tenant: Id, person: str, public_url: str) -> Callable[[sa.Connection], Issuer | None]:
    """The company as it signs statements; None where it never issued one and has no key for that."""

    def look(connection: sa.Connection) -> Issuer | None:
        keys = room.keys(connection, room.hand(tenant, person))
        if Purpose.STATEMENT not in keys.rows:
            return None
        signs = issuer_of(keys.root(Purpose.STATEMENT), ids.raw(tenant), issuer_name(public_url, tenant))
        ended = [one for one in signing_keys(connection, tenant, SigningUse.STATEMENT) if one.ended_at is not None]
        told = {state: tuple(_told(one) for one in ended if one.state is state) for state in SigningState}
        return replace(signs, former=told[SigningState.RETIRED], compromised=told[SigningState.COMPROMISED])

    return look


def _told(one: SigningKey) -> Mapping[str, Any]:
    ended = one.ended_at or one.began_at
    return former_key(one.public, ended, compromised=one.state is SigningState.COMPROMISED)


def marked(tenant: Id, number: int) -> Callable[[sa.Connection], Marked | None]:
    """One status list of a company; None where there is none of this number."""

    def look(connection: sa.Connection) -> Marked | None:
        lists, statements = table(StatusList.shape).c, table(CreditStatement.shape).c
        size = connection.scalar(
            sa.select(lists.size).where(lists.tenant == tenant, lists.number == number, lists.superseded_at.is_(None))
        )
        if size is None:
            return None
        revoked = connection.scalars(
            sa.select(statements.status_index).where(
                statements.tenant == tenant,
                statements.status_list == number,
                statements.superseded_at.is_(None),
                statements.state == StatementState.REVOKED.value,
            )
        )
        return Marked(size, tuple(revoked))

    return look
