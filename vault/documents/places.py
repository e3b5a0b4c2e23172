"""Which store of documents the settings name."""

from __future__ import annotations

from pathlib import Path

from domain.errors import Malformed
from vault.documents.blobs import Blobs
from vault.documents.folder import FolderBlobs


def blobs_at(place: str) -> Blobs:
    """The store at a place: `folder:path`, or `s3:bucket/prefix`.

    Raises: Malformed for any other; Unavailable where what a bucket needs is not installed.
    """
    kind, _, where = place.partition(":")
    if kind == "folder" and where:
        return FolderBlobs(Path(where))
    if kind == "s3" and where:
        from vault.documents.bucket import bucket  # noqa: PLC0415 - an extra, which few install

        return bucket(where)
    raise Malformed(
        "The store of documents is of no known kind.",
        advice="Set CREDENCE_DOCUMENTS to folder:path or s3:bucket/prefix.",
        path=("documents",),
    )
