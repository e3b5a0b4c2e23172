"""Empty stores of documents of either kind."""

from __future__ import annotations

from contextlib import contextmanager

from tests import bucket
from vault.documents.bucket import BucketBlobs
from vault.documents.folder import FolderBlobs


@contextmanager
def emptied(kind, request, folder):
    """A store of a kind with nothing in it."""
    if kind == "folder":
        yield FolderBlobs(folder / "documents")
        return
    client = request.getfixturevalue("bucket_server")
    with bucket.emptied(client) as name:
        yield BucketBlobs(client, name, "vault/")
