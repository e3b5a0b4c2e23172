"""The port behind which sealed bytes are kept: a folder, or a bucket. It knows names and bytes, and no key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple, Protocol, Self

from domain.errors import Unavailable
from domain.ids import Id

_ID: Final = r"[a-z]{2}_[0-9a-hjkmnp-tv-z]{26}"
_PATH: Final = re.compile(rf"({_ID})/({_ID})/({_ID})\.([1-9][0-9]{{0,18}})")


class Name(NamedTuple):
    """What a blob is called: whose it is, which document it holds, and which version of its content."""

    tenant: Id
    subject: Id
    document: Id
    version: int

    @classmethod
    def read(cls, path: str) -> Self | None:
        """The name that a path spells; None where it spells none."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        tenant, subject, document, version = found.groups()
        return cls(Id(tenant), Id(subject), Id(document), int(version))

    @property
    def path(self) -> str:
        """The name as a path below the root of a store."""
        if not _PATH.fullmatch(path := f"{self.tenant}/{self.subject}/{self.document}.{self.version}"):
            raise ValueError("A blob is named by ids.")
        return path


class Sink(Protocol):
    """A blob on its way into the store: nobody finds it before it is kept."""

    def write(self, piece: bytes) -> None:
        """Takes some more bytes."""
        ...

    def keep(self) -> None:
        """Makes it durable and findable, whole and at once, in place of what had its name."""
        ...

    def drop(self) -> None:
        """Leaves nothing of it. After `keep`, and done twice, it changes nothing."""
        ...


class Source(Protocol):
    """A blob that is read from its beginning to its end, and then perhaps once more: the same bytes both times."""

    @property
    def size(self) -> int:
        """How many bytes it has."""
        ...

    def read(self, length: int) -> bytes:
        """So many of the bytes that follow; fewer at the end alone, where there are none any more."""
        ...

    def rewind(self) -> None:
        """Begins again."""
        ...

    def close(self) -> None:
        """Lets it go."""
        ...


class Blobs(Protocol):
    """Keeps sealed bytes under their names. What goes wrong with the place itself is Unavailable."""

    def create(self, name: Name) -> Sink:
        """A blob to be written."""
        ...

    def open(self, name: Name) -> Source | None:
        """A blob to be read; None where there is none of this name."""
        ...

    def remove(self, name: Name) -> None:
        """Removes a blob; one that is not there is removed already."""
        ...

    def names(self, tenant: Id, subject: Id | None = None) -> Iterator[Name]:
        """The names of all blobs of a company, or of one subject of it."""
        ...

    def sweep(self, before: datetime) -> int:
        """Removes what was begun before an instant, not written to since, and never kept; how many there were.

        A bucket knows only when an upload began.
        """
        ...

    def forget(self, tenant: Id, subject: Id) -> int:
        """Removes every blob of a subject, begun ones too; how many there were."""
        ...


def away(does: str) -> Unavailable:
    """What is said when the place itself cannot do its work; no path and no name stands in it."""
    return Unavailable(
        f"The store of documents cannot be {does} now.",
        advice="Try again shortly; the operator looks at its space, its permissions and whether it is reached.",
    )
