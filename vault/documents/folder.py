"""Documents in a folder: written aside, brought to the disk, then named in one step, for their owner alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from domain.ids import Id
from vault.documents.blobs import Name, away

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
PART: Final = ".part"
"""How the names of files end that were begun and not kept."""


class FolderBlobs:
    """Blobs as files: a folder for each company, in it one for each subject."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def create(self, name: Name) -> FileSink:
        """A file aside, made for its owner alone."""
        with _answering("written"):
            return FileSink(self._root, name)

    def open(self, name: Name) -> FileSource | None:
        """The file; it is held open, so that whatever takes its name meanwhile is not read."""
        with _answering("read"):
            try:
                return FileSource(os.open(self._root / name.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW))
            except FileNotFoundError:
                return None

    def remove(self, name: Name) -> None:
        """Removes the file."""
        with _answering("written"):
            path = self._root / name.path
            with suppress(FileNotFoundError):
                path.unlink()
                _to_disk(path.parent)

    def names(self, tenant: Id, subject: Id | None = None) -> Iterator[Name]:
        """The names of the files that were kept."""
        for path in self._files(tenant, subject):
            name = Name.read(path.relative_to(self._root).as_posix())
            if name is not None:
                yield name

    def sweep(self, before: datetime) -> int:
        """Removes files that were begun and not written to since."""
        count = 0
        with _answering("written"):
            for path in self._root.glob(f"*/*/.*{PART}"):
                with suppress(FileNotFoundError):
                    if path.stat(follow_symlinks=False).st_mtime < before.timestamp():
                        path.unlink()
                        count += 1
        return count

    def forget(self, tenant: Id, subject: Id) -> int:
        """Removes the folder of a subject with everything in it."""
        count = 0
        with _answering("written"):
            folder = self._root / tenant / subject
            for path in self._files(tenant, subject):
                with suppress(FileNotFoundError):
                    path.unlink()
                    count += 1
            with suppress(FileNotFoundError):
                _to_disk(folder)
            with suppress(OSError):  # an upload that begins now has its file there
                folder.rmdir()
        return count

    def _files(self, tenant: Id, subject: Id | None) -> list[Path]:
        with _answering("read"):
            return sorted(path for path in self._root.glob(f"{tenant}/{subject or '*'}/*") if not path.is_dir())


class FileSink:
    """A file that is written aside."""

    def __init__(self, root: Path, name: Name) -> None:
        self._final = root / name.path
        self._aside = self._final.with_name(f".{self._final.name}.{secrets.token_hex(8)}{PART}")
        _make(root, self._final.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file: int | None = os.open(self._aside, flags, FILE_MODE)

    def write(self, piece: bytes) -> None:
        """Takes some more bytes."""
        if self._file is None:
            raise ValueError("The file is closed.")
        with _answering("written"):
            left = memoryview(piece)
            while left:
                left = left[os.write(self._file, left) :]

    def keep(self) -> None:
        """The bytes are on the disk before the name is, and the name is before this returns."""
        if self._file is None:
            raise ValueError("The file is closed.")
        with _answering("written"):
            os.fsync(self._file)
            self._close()
            self._aside.replace(self._final)
            _to_disk(self._final.parent)

    def drop(self) -> None:
        """Leaves nothing of it."""
        self._close()
        with suppress(OSError):  # what cannot be removed now is swept later
            self._aside.unlink(missing_ok=True)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


class FileSource:
    """A file that is read."""

    def __init__(self, file: int) -> None:
        self._file: int | None = file
        self._size = os.fstat(file).st_size
        self._place = 0

    @property
    def size(self) -> int:
        """How many bytes it had when it was opened."""
        return self._size

    def read(self, length: int) -> bytes:
        """So many of the bytes that follow."""
        if self._file is None:
            raise ValueError("The file is closed.")
        pieces: list[bytes] = []
        with _answering("read"):
            while length and (piece := os.pread(self._file, length, self._place)):
                pieces.append(piece)
                length -= len(piece)
                self._place += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def rewind(self) -> None:
        """Begins again."""
        self._place = 0

    def close(self) -> None:
        """Lets it go."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _make(root: Path, folder: Path) -> None:
    """Makes the folders that are missing; each is on the disk before anything is in it."""
    root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    for place in (folder.parent, folder):
        with suppress(FileExistsError):
            place.mkdir(mode=FOLDER_MODE)
            _to_disk(place.parent)


def _to_disk(folder: Path) -> None:
    """What a folder holds, names and not bytes, is on the disk."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _answering(does: str) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise away(does) from None
