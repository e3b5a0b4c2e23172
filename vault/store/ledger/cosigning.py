"""The cosignatures of witnesses beside the checkpoints of a log: what each has cosigned, and what it has yet to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from domain.ids import Id
from vault.audit import tiles
from vault.audit.merkle import Proof, consistency_proof
from vault.audit.note import Verifier
from vault.audit.tiles import Tile
from vault.store.ledger import tiling
from vault.store.tables import audit_checkpoint, audit_cosignature

SIGNED = audit_checkpoint.c
COSIGNED = audit_cosignature.c


@dataclass(frozen=True, slots=True)
class Quorum:
    """The witnesses that are asked, and how many of them make a checkpoint one that is shown first."""

    witnesses: tuple[str, ...] = ()
    """Their names, each with the id of its key."""
    needed: int = 0

    def newest(self, tenant: Id) -> sa.Select[tuple[int]]:
        """The size of the newest checkpoint that so many of them cosigned."""
        own = (COSIGNED.tenant == tenant, COSIGNED.witness.in_(self.witnesses))
        enough = sa.func.count() >= max(self.needed, 1)
        return sa.select(COSIGNED.size).where(*own).group_by(COSIGNED.size).having(enough)


def called(key: Verifier) -> str:
    """A witness's name with the id of its key."""
    return f"{key.name}+{key.key_id.hex()}"


@dataclass(frozen=True, slots=True)
class Cosigned:
    """How far a witness has come with a log."""

    size: int
    at: datetime
    line: str
    """What it signed last, as it stands in a note."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest checkpoint of a log, and how far each witness has come."""

    size: int
    checkpoint: str
    witnesses: Mapping[str, Cosigned]


def standing(tenant: Id) -> Callable[[sa.Connection], Standing | None]:
    """Where a log and its witnesses stand; nothing while no checkpoint is signed."""

    def look(connection: sa.Connection) -> Standing | None:
        newest = sa.select(SIGNED.size, SIGNED.text).where(SIGNED.tenant == tenant).order_by(SIGNED.size.desc())
        row = connection.execute(newest.limit(1)).first()
        if row is None:
            return None
        own = COSIGNED.tenant == tenant
        last = sa.select(COSIGNED.witness, sa.func.max(COSIGNED.size)).where(own).group_by(COSIGNED.witness)
        select = sa.select(COSIGNED.witness, COSIGNED.size, COSIGNED.at, COSIGNED.line)
        known = connection.execute(select.where(own, sa.tuple_(COSIGNED.witness, COSIGNED.size).in_(last)))
        return Standing(row.size, row.text, {one.witness: Cosigned(one.size, one.at, one.line) for one in known})

    return look


def grown(tenant: Id, old: int, new: int) -> Callable[[sa.Connection], Proof]:
    """What shows that the log of one size only appended to that of another; nothing where there was nothing to show.

    Raises: Malformed where the old one is the larger.
    """

    def look(connection: sa.Connection) -> Proof:
        if old in {0, new}:
            return ()

        def read(tile: Tile) -> bytes:
            return tiles.encode_hashes(tiling.hashes_of(connection, tenant, tile))

        return consistency_proof(old, new, tiles.nodes_in(new, read))

    return look


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """A cosignature as it is kept."""

    size: int
    key: Verifier
    line: str
    at: datetime


def keep(connection: sa.Connection, *, tenant: Id, one: One) -> None:
    """Keeps the cosignature of a checkpoint; the first of a witness stays."""
    witness = called(one.key)
    own = (COSIGNED.tenant == tenant, COSIGNED.size == one.size, COSIGNED.witness == witness)
    if connection.scalar(sa.select(COSIGNED.size).where(*own)) is None:
        row = {"tenant": tenant, "size": one.size, "witness": witness, "line": one.line, "at": one.at}
        connection.execute(sa.insert(audit_cosignature).values(row))


def with_cosignatures(connection: sa.Connection, tenant: Id, size: int, text: str) -> str:
    """A checkpoint with what witnesses signed under it."""
    lines = sa.select(COSIGNED.line).where(COSIGNED.tenant == tenant, COSIGNED.size == size)
    return text + "".join(connection.scalars(lines.order_by(COSIGNED.witness)))


def newest(connection: sa.Connection, tenant: Id, quorum: Quorum) -> str | None:
    """The newest checkpoint that a quorum cosigned; the newest of all where none has it, or none is asked for."""
    size = None
    if quorum.needed:
        size = connection.scalar(quorum.newest(tenant).order_by(COSIGNED.size.desc()).limit(1))
    own = [SIGNED.tenant == tenant] + ([] if size is None else [SIGNED.size == size])
    row = connection.execute(
        sa.select(SIGNED.size, SIGNED.text).where(*own).order_by(SIGNED.size.desc()).limit(1)
    ).first()
    return None if row is None else with_cosignatures(connection, tenant, row.size, row.text)


def first_over(connection: sa.Connection, tenant: Id, index: int, quorum: Quorum) -> str | None:
    """The first checkpoint over an entry that a quorum cosigned; the first of all where none has it."""
    covering = sa.select(SIGNED.size, SIGNED.text).where(SIGNED.tenant == tenant, SIGNED.size > index)
    covering = covering.order_by(SIGNED.size).limit(1)
    row = None
    if quorum.needed:
        enough = quorum.newest(tenant).where(COSIGNED.size > index)
        row = connection.execute(covering.where(SIGNED.size.in_(enough))).first()
    row = row or connection.execute(covering).first()
    return None if row is None else with_cosignatures(connection, tenant, row.size, row.text)


def quorum_of(keys: Sequence[Verifier], needed: int) -> Quorum:
    """The quorum of some witnesses."""
    return Quorum(tuple(map(called, keys)), needed)
