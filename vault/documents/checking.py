"""Whether the bytes of documents lie where they should, open, and are all there is; nothing is repaired."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from domain.errors import CreditError
from vault import hazmat
from vault.documents.blobs import Blobs, Name
from vault.documents.format import Unsealing
from vault.documents.handing import stand_behind, step
from vault.documents.opening import keyed_digest, place_of


class Found(NamedTuple):
    """What a stored document turned out to be."""

    size: int
    sha256: bytes


def read_whole(blobs: Blobs, key: hazmat.Secret, name: Name, head: bytes) -> Found | None:
    """The size and the plain digest of a stored document; None where its bytes are not there.

    Raises: Tampered where they do not verify; Unavailable where they cannot be read now.
    """
    source = blobs.open(name)
    if source is None:
        return None
    try:
        stand_behind(source, head)
        unsealing, digest, size, ended = Unsealing(head, key, place_of(name)), hashlib.sha256(), 0, False
        while not ended:
            piece, ended = step(source, unsealing)
            digest.update(piece)
            size += len(piece)
    finally:
        source.close()
    return Found(size, digest.digest())


def wrong_with(
    blobs: Blobs, key: hazmat.Secret, root: hazmat.Secret, name: Name, head: bytes, told: tuple[int | None, str | None]
) -> tuple[str, str] | None:
    """What is wrong with a document of which its record told the size and the digest; None where nothing is."""
    try:
        found = read_whole(blobs, key, name, head)
    except CreditError as error:
        return error.code.value, error.message
    if found is None:
        return "CONTENT_MISSING", "The bytes of a document are not there."
    place = place_of(name)
    digest = keyed_digest(root, place.tenant, place.subject, found.sha256)
    if (found.size, digest) != told:
        return "CONTENT_RECORD", "A document has another size or digest than its record says."
    return None
