"""What an auditor asks to have checked, in the words of a command: keys as text, and where the log lies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.errors import Malformed, NotPermitted, Unavailable
from vault.audit import note, verify
from vault.audit.fetching import Fetched
from vault.audit.report import Report
from vault.audit.stored import Read

KEYS: Final = "/.well-known/credence-keys.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A check: by which keys, and how much of the log."""

    keys: Sequence[str]
    """The pinned keys of the log, one of them at least."""
    earlier: Sequence[str] = ()
    """Checkpoints kept from before."""
    witnesses: Sequence[str] = ()
    quorum: int | None = None
    """How many of the witnesses must have cosigned; all of them where nothing is said."""
    tree_only: bool = False
    """Whether the entries are left out."""


def verify_log(folder: Path, asked: Asked) -> Report:
    """What is wrong with an exported log, judged by pinned keys; it needs no database and no house.

    Raises: Malformed when a key is none.
    """
    handovers = verify.handovers_in(folder)
    return _verified(verify.reader(folder), asked, handovers, [] if asked.tree_only else verify.paths_in(folder))


def verify_served(url: str, token: str, asked: Asked) -> Report:
    """What is wrong with a log that is fetched over HTTP, judged by pinned keys; whoever serves it is not believed.

    Raises: Malformed for a key or an address that is none; NotPermitted without a token that may; Unavailable.
    """
    fetched = Fetched(url, token)
    try:
        return _verified(fetched, asked, handovers_at(fetched), ())
    finally:
        fetched.close()


def handovers_at(fetched: Fetched) -> Sequence[str]:
    """The handovers that are told where a log is served; none where nothing is told, for they are proof of their own.

    Raises: Unavailable.
    """
    company = fetched.path.rpartition("/")[2]
    try:
        said = json.loads(fetched.at(f"{KEYS}?company={company}" if company.startswith(note.TENANT) else KEYS))
        return [text for text in said["handovers"] if isinstance(text, str)][: verify.MAX_HANDOVERS]
    except (FileNotFoundError, ValueError, KeyError, TypeError, NotPermitted, Unavailable):
        return ()


def _verified(read: Read, asked: Asked, handovers: Sequence[str], paths: Iterable[str]) -> Report:
    key, *others = map(_key, asked.keys)
    witnesses = list(map(_key, asked.witnesses))
    if asked.quorum is not None and not 0 <= asked.quorum <= len(witnesses):
        raise Malformed(
            f"There are {len(witnesses)} witnesses, and {asked.quorum} are to have cosigned.",
            advice="Name every witness with --witness.",
            path=("quorum",),
        )
    return verify.verify_log(
        _without_entries(read) if asked.tree_only else read,
        key,
        others=others,
        earlier=asked.earlier,
        witnesses=witnesses,
        quorum=asked.quorum,
        handovers=handovers,
        paths=paths,
        entries=not asked.tree_only,
    )


def _key(text: str) -> note.Verifier:
    try:
        return note.Verifier.read(text)
    except Malformed as error:
        error.path, error.advice = ("key",), "Write a key as it was told: name+id+base64."
        raise


def _without_entries(read: Read) -> Read:
    def tree(path: str) -> bytes:
        if path.startswith("tile/entries/"):
            raise FileNotFoundError(path)
        return read(path)

    return tree
