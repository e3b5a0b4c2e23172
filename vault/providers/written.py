"""The pieces that places of root keys are written in: options behind a question mark, and where a secret is read.

    file:PATH · env:NAME · credential:NAME (of systemd)

A secret itself is never written there: settings are shown, logged and inherited.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from domain.errors import KeyUnavailable, Malformed

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
"""Where systemd tells a unit that its credentials are."""
_KINDS: Final = ("file", "env", "credential")
_SOURCE: Final = "Write file:PATH, env:NAME or credential:NAME, never the secret itself."
_MOST: Final = 4096
"""No secret is longer."""


def malformed(sentence: str, form: str) -> Malformed:
    """What is wrong with the setting that names the keys, and the form to write; never what was written."""
    return Malformed(f"The setting CREDENCE_KEYS cannot be used: {sentence}", advice=form, path=("keys",))


def divided(written: str, known: frozenset[str], form: str) -> tuple[str, Mapping[str, str]]:
    """What stands before the question mark, and the options behind it.

    Raises: Malformed for an option that is not known, is empty, or is given twice.
    """
    before, _, behind = written.strip().partition("?")
    return before, named(behind, "&", known, form)


def named(written: str, between: str, known: frozenset[str], form: str) -> dict[str, str]:
    """The values of `name=value` pairs, percent signs decoded.

    Raises: Malformed for a name that is not known, is given twice, or has no value.
    """
    found: dict[str, str] = {}
    for pair in written.split(between) if written else ():
        name, _, value = pair.partition("=")
        if name not in known or name in found or not value:
            raise malformed(f"it takes each of {', '.join(sorted(known))} once, with a value.", form)
        found[name] = unquote(value)
    return found


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Where a secret is read whenever it is needed, so that a renewed one serves at once."""

    what: str
    kind: str
    where: str

    @classmethod
    def read(cls, what: str, written: str) -> SecretPlace:
        """The place that is written.

        Raises: Malformed, which never holds what was written: it may be the secret.
        """
        kind, _, where = written.partition(":")
        if kind not in _KINDS or not where or (kind == "credential" and "/" in where):
            raise malformed(f"the {what} is not said to be anywhere.", _SOURCE)
        return cls(what, kind, where)

    def secret(self) -> str:
        """The secret, without the end of its line.

        Raises: KeyUnavailable.
        """
        try:
            found = os.environ.get(self.where, "") if self.kind == "env" else self._file()
        except OSError as failure:
            reason = os.strerror(failure.errno) if failure.errno else "unknown"
            raise KeyUnavailable(f"The {self.what} cannot be read: {reason}.", advice=self._advice()) from None
        if not found or len(found) > _MOST or "\0" in found:
            raise KeyUnavailable(f"There is no usable {self.what} where it is said to be.", advice=self._advice())
        return found

    def _file(self) -> str:
        folder = os.environ.get(CREDENTIALS, "")
        if self.kind == "credential" and not folder:
            raise KeyUnavailable(
                f"There is no {self.what}: systemd handed no credentials over.",
                advice=f"Start the service with LoadCredential={self.where}:PATH.",
            )
        path = Path(folder, self.where) if self.kind == "credential" else Path(self.where)
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            if stat.S_ISREG(facts.st_mode) and facts.st_mode & stat.S_IRWXO:
                raise KeyUnavailable(
                    f"The file with the {self.what} can be reached by everybody.",
                    advice=f"Run `chmod o= {path}`, then replace the {self.what}.",
                )
            return file.read(_MOST + 2).decode("utf-8", "replace").rstrip("\r\n")

    def _advice(self) -> str:
        at = {"file": "the file", "env": "the environment variable", "credential": "the systemd credential"}[self.kind]
        return f"Check {at} {self.where} that CREDENCE_KEYS names."
