"""Logs for tests: entries as the product writes them, signed checkpoints, and whole folders."""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from domain import ids
from domain.audit import Entry, Outcome, Written
from vault import hazmat
from vault.audit import files, merkle, note
from vault.audit.note import Checkpoint, Ed25519Signer

TENANT = ids.encode("te", bytes(15) + b"\x01")
OTHER_TENANT = ids.encode("te", bytes(15) + b"\x02")
ORIGIN = note.origin(TENANT)


def signer(name=ORIGIN, seed=b"log"):
    """A key of its own for every name and seed."""
    private = hashlib.sha256(seed).digest()
    return Ed25519Signer(name, hazmat.ed25519_public(private), lambda message: hazmat.ed25519_sign(private, message))


LOG = signer()
KEY = LOG.verifier()


@lru_cache(maxsize=70_000)
def entry(number, tenant=TENANT, reason=""):
    """The leaf of an audit entry."""
    return Entry(
        id=ids.encode("ae", hashlib.sha256(b"%d" % number).digest()[:16]),
        at=datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
        tenant=tenant,
        actor="person:li",
        action="file:read",
        resources=(ids.encode("cf", bytes(15) + bytes([number % 7])),),
        written=(Written(id=ids.encode("cf", bytes(16)), version=number, digest="ab" * 16),) if number % 3 else (),
        purpose=reason,
        outcome=Outcome.DONE,
    ).leaf("")


def entries(size):
    """The entries of a log of a size."""
    return [entry(number) for number in range(size)]


def signed(leaves, key=LOG, origin=ORIGIN):
    """The signed checkpoint of a log of these entries."""
    root = merkle.root_of(map(merkle.leaf_hash, leaves))
    return note.sign_checkpoint(Checkpoint(origin, len(leaves), root), [key])


def written(folder, leaves, **kinds):
    """A folder that holds the log of these entries; gives its checkpoint."""
    checkpoint = signed(leaves, **kinds)
    files.write_log(folder, leaves, checkpoint)
    return checkpoint


def contents(folder):
    """All files of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
