"""Documents in a bucket of an S3-compatible store: an upload in parts is found by nobody before it is completed.

Where the store is and who may use it, boto3 reads from its own settings, such as AWS_ENDPOINT_URL_S3 and AWS_PROFILE.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from typing import Any, Final

from domain.errors import Malformed, Tampered, Unavailable
from domain.ids import Id
from vault.documents.blobs import Name, away

PART_BYTES: Final = 8 << 20
"""How large a part is; the last one alone may be smaller. The store takes no more than 10,000 of them."""
AT_ONCE: Final = 1000
"""How many objects one request removes at most."""
TIMEOUT_SECONDS: Final = 30
_GONE: Final = frozenset({"404", "NoSuchKey", "NoSuchUpload", "NotFound"})
_CHANGED: Final = frozenset({"412", "PreconditionFailed"})


def bucket(where: str) -> BucketBlobs:
    """The bucket of `name/prefix`, through a client with bounded waits.

    Raises: Unavailable where boto3 is not installed; Malformed where no region or endpoint is set for it.
    """
    try:
        import boto3  # noqa: PLC0415 - an extra, which few install
        from botocore.config import Config  # noqa: PLC0415 - the same
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - the same
    except ImportError:
        raise Unavailable(
            "What a bucket needs is not installed.", advice="Install credence-vault[s3], or use folder:path."
        ) from None
    name, _, prefix = where.partition("/")
    config = Config(
        connect_timeout=TIMEOUT_SECONDS, read_timeout=TIMEOUT_SECONDS, retries={"mode": "standard", "max_attempts": 4}
    )
    try:
        client = boto3.client("s3", config=config)
    except (BotoCoreError, ValueError):
        raise Malformed(
            "The S3-compatible store is not set up.",
            advice="Set AWS_DEFAULT_REGION, and AWS_ENDPOINT_URL_S3 where it is not Amazon's.",
            path=("documents",),
        ) from None
    return BucketBlobs(client, name, f"{prefix}/" if prefix else "")


class BucketBlobs:
    """Blobs as objects of one bucket, below a prefix."""

    def __init__(self, client: Any, name: str, prefix: str) -> None:
        self._client = client
        self._bucket = name
        self._prefix = prefix

    def create(self, name: Name) -> ObjectSink:
        """An object that is sent in parts."""
        return ObjectSink(self._client, self._bucket, self._prefix + name.path)

    def open(self, name: Name) -> ObjectSource | None:
        """The object, as it is now: whatever takes its name meanwhile is not read."""
        source = ObjectSource(self._client, self._bucket, self._prefix + name.path)
        return source if source.begin() else None

    def remove(self, name: Name) -> None:
        """Removes the object."""
        with _answering("written"):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name.path)

    def names(self, tenant: Id, subject: Id | None = None) -> Iterator[Name]:
        """The names of the objects."""
        for key in self._keys(self._below(tenant, subject)):
            name = Name.read(key.removeprefix(self._prefix))
            if name is not None:
                yield name

    def sweep(self, before: datetime) -> int:
        """Ends uploads that began before an instant and were not completed."""
        late = [one for one in self._uploads(self._prefix) if one["Initiated"] < before]
        self._abort(late)
        return len(late)

    def forget(self, tenant: Id, subject: Id) -> int:
        """Removes every object of a subject, with every version the bucket keeps, and ends its uploads."""
        below = self._below(tenant, subject)
        begun = list(self._uploads(below))
        self._abort(begun)
        removed = list(self._versions(below))
        with _answering("written"):
            for start in range(0, len(removed), AT_ONCE):
                part = removed[start : start + AT_ONCE]
                told = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": part, "Quiet": True})
                if told.get("Errors"):
                    raise away("written")
        return len(begun) + len({one["Key"] for one in removed})

    def _below(self, tenant: Id, subject: Id | None) -> str:
        return f"{self._prefix}{tenant}/" + (f"{subject}/" if subject else "")

    def _keys(self, below: str) -> Iterator[str]:
        for page in self._pages("list_objects_v2", below):
            yield from (one["Key"] for one in page.get("Contents", ()))

    def _uploads(self, below: str) -> Iterator[dict[str, Any]]:
        for page in self._pages("list_multipart_uploads", below):
            yield from page.get("Uploads", ())

    def _versions(self, below: str) -> Iterator[dict[str, str]]:
        for page in self._pages("list_object_versions", below):
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                yield {"Key": one["Key"], "VersionId": one["VersionId"]}

    def _pages(self, what: str, below: str) -> Iterator[dict[str, Any]]:
        with _answering("read"):
            yield from self._client.get_paginator(what).paginate(Bucket=self._bucket, Prefix=below)

    def _abort(self, uploads: list[dict[str, Any]]) -> None:
        for one in uploads:
            with _answering("written", gone=True):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=one["Key"], UploadId=one["UploadId"])


class ObjectSink:
    """An object that is sent in parts; a small one in a single request."""

    def __init__(self, client: Any, bucket_name: str, key: str) -> None:
        self._client = client
        self._place = {"Bucket": bucket_name, "Key": key}
        self._gathered = bytearray()
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []

    def write(self, piece: bytes) -> None:
        """Takes some more bytes."""
        self._gathered += piece
        while len(self._gathered) >= PART_BYTES:
            part = bytes(self._gathered[:PART_BYTES])
            del self._gathered[:PART_BYTES]
            self._send(part)

    def keep(self) -> None:
        """The object is whole and durable when the store answers."""
        rest = bytes(self._gathered)
        if self._upload is None:
            with _answering("written"):
                self._client.put_object(**self._place, Body=rest)
            return
        if rest:
            self._send(rest)
        with _answering("written"):
            self._client.complete_multipart_upload(
                **self._place, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
            )
        self._upload = None

    def drop(self) -> None:
        """Leaves nothing of it."""
        self._gathered.clear()
        upload, self._upload = self._upload, None
        if upload is not None:
            with suppress(Unavailable), _answering("written", gone=True):  # else it is swept later
                self._client.abort_multipart_upload(**self._place, UploadId=upload)

    def _send(self, part: bytes) -> None:
        with _answering("written"):
            if self._upload is None:
                self._upload = self._client.create_multipart_upload(**self._place)["UploadId"]
            number = len(self._parts) + 1
            told = self._client.upload_part(**self._place, UploadId=self._upload, PartNumber=number, Body=part)
        self._parts.append({"PartNumber": number, "ETag": told["ETag"]})


class ObjectSource:
    """An object that is read: twice the same one, or the second reading says that it changed."""

    def __init__(self, client: Any, bucket_name: str, key: str) -> None:
        self._client = client
        self._place = {"Bucket": bucket_name, "Key": key}
        self._same: dict[str, str] = {}
        self._size = 0
        self._body: Any = None
        self._fresh = False

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self._size

    def begin(self) -> bool:
        """Begins to read; False where there is no such object."""
        self.close()
        try:
            with _answering("read"):
                told = self._client.get_object(**self._place, **self._same)
        except _Missing:
            if self._same:
                raise _changed() from None
            return False
        self._body, self._size = told["Body"], told["ContentLength"]
        self._same, self._fresh = {"IfMatch": told["ETag"]}, True
        return True

    def read(self, length: int) -> bytes:
        """So many of the bytes that follow."""
        self._fresh = False
        with _answering("read"):
            found: bytes = self._body.read(length)
        return found

    def rewind(self) -> None:
        """Begins again, with the same object."""
        if not self._fresh:
            self.begin()

    def close(self) -> None:
        """Lets it go."""
        body, self._body = self._body, None
        if body is not None:
            with closing(body):
                pass


class _Missing(Exception):
    """There is no such object."""


def _changed() -> Tampered:
    return Tampered("A sealed document changed while it was read.")


@contextmanager
def _answering(does: str, *, gone: bool = False) -> Iterator[None]:
    """What the store refuses is told without its words; what is gone may be what was wanted."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra, which few install

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _CHANGED:
            raise _changed() from None
        if code not in _GONE:
            raise away(does) from None
        if not gone:
            raise _Missing from None
    except (BotoCoreError, OSError):
        raise away(does) from None
