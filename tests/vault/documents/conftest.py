"""Both stores of documents: a folder, and a bucket of a store that speaks S3."""

from __future__ import annotations

import pytest

from tests import bucket
from tests.vault.documents import stores


@pytest.fixture(scope="session")
def bucket_server():
    """A client of a server on this machine that speaks S3."""
    with bucket.served() as client:
        yield client


@pytest.fixture(params=["folder", "bucket"])
def blobs(request, tmp_path):
    """An empty store: one run in a folder, one in a bucket."""
    with stores.emptied(request.param, request, tmp_path) as found:
        yield found
