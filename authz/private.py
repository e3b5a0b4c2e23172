"""The one file with a secret on this floor: for its owner alone, and whole or not there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from domain.errors import KeyUnavailable

_OTHERS = 0o077


def write_private(path: Path, content: bytes) -> None:
    """A new file for its owner alone: whole, or not there at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def read_private(path: Path) -> bytes:
    """What the file holds.

    Raises: KeyUnavailable when it is absent, or readable by others than its owner.
    """
    try:
        with path.open("rb") as file:
            # The open file is asked, not the name: it cannot be swapped in between.
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                raise KeyUnavailable(
                    "The signing key of the local issuer is readable by others.",
                    advice="Run chmod 600 on it, and replace it if others may have read it.",
                )
            return file.read()
    except FileNotFoundError:
        raise KeyUnavailable(
            "The signing key of the local issuer is not there.",
            advice="Put it back, or run `credence migrate`: it makes a new one, and tokens of the old one end.",
        ) from None
    except OSError:
        raise KeyUnavailable(
            "The signing key of the local issuer cannot be read.", advice="Check its path, owner and mode 0600."
        ) from None
