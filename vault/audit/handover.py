"""One key of a log hands over to the next: a checkpoint that says so, signed by both, and whom to believe after it.

    credence/te_…
    1042
    …root…
    former-key credence/te_…+1f0a…      (compromised-key, where somebody else may have had it)
    next-key credence/te_…+9c31…
    ended 2026-11-26T21:30:00Z

It is a checkpoint with extension lines (C2SP tlog-checkpoint), so nothing but its log is meant by it. Who pinned the
former key accepts the next one on its word, and who pinned the next one knows of the former and where it ended. A key
that is compromised hands nothing over: the next one alone signs, and has to be pinned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from domain.errors import Malformed, Tampered
from vault.audit import note
from vault.audit.note import Checkpoint, Ed25519Signer, Verifier

FORMER: Final = "former-key"
COMPROMISED: Final = "compromised-key"
_LINES: Final = re.compile(rf"({FORMER}|{COMPROMISED}) (\S+)\nnext-key (\S+)\nended (\S+)\n", re.ASCII)
_INSTANT: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Handover:
    """What a handover says; whose signatures stand under it is another question."""

    text: str
    """As it is signed."""
    checkpoint: Checkpoint
    former: Verifier
    following: Verifier
    ended: datetime
    """Until when what the former key signed counts."""
    compromised: bool

    def signed_by(self, key: Verifier) -> bool:
        """Whether a key signed it."""
        try:
            note.open_note(self.text.encode(), (key,))
        except Tampered:
            return False
        return True


def hand_over(
    checkpoint: Checkpoint, former: Ed25519Signer, following: Ed25519Signer, ended: datetime, *, compromised: bool
) -> str:
    """The signed handover at a state of a log."""
    word = COMPROMISED if compromised else FORMER
    lines = f"{word} {former.verifier()}\nnext-key {following.verifier()}\nended {ended.strftime(_INSTANT)}\n"
    signers = (following,) if compromised else (former, following)
    return note.sign_checkpoint(replace(checkpoint, rest=lines), signers)


def read(text: str) -> Handover:
    """A handover as it is written, no signature verified.

    Raises: Malformed.
    """
    checkpoint = note.parse_checkpoint(note.parse_note(text.encode()).text)
    found = _LINES.fullmatch(checkpoint.rest)
    if found is None:
        raise Malformed("A handover names the former key, the next key and when the former ended.")
    former, following = Verifier.read(found[2]), Verifier.read(found[3])
    if {former.name, following.name} != {checkpoint.origin} or former == following:
        raise Malformed("A handover is between two keys of its own log.")
    try:
        ended = datetime.strptime(found[4], _INSTANT).replace(tzinfo=UTC)
    except ValueError:
        raise Malformed("The instant of a handover is not written as it is signed.") from None
    return Handover(text, checkpoint, former, following, ended, found[1] == COMPROMISED)


@dataclass(frozen=True, slots=True)
class Known:
    """A key that is believed, and how far."""

    key: Verifier
    size: int | None = None
    """The largest log that it may sign; None for one that did not end."""
    ended: datetime | None = None
    compromised: bool = False


class Keyholders:
    """The keys of a log that are believed: those that were pinned, and what these say of others."""

    def __init__(self, pinned: Iterable[Verifier], handovers: Iterable[str] = ()) -> None:
        """Takes pinned keys, and signed handovers of any origin: only what a believed key signed counts.

        Raises: Malformed for a handover that is none.
        """
        self._known = {key: Known(key) for key in pinned}
        self.used: list[Handover] = []
        """The handovers that are believed."""
        self.doubled: list[Handover] = []
        """Those by which a key that had handed over hands over again."""
        left = [read(text) for text in handovers]
        while (taken := self._backward(left) or self._forward(left)) is not None:
            left.remove(taken)
            self.used.append(taken)
        self.doubled = [one for one in left if self._again(one)]

    def __iter__(self) -> Iterator[Known]:
        return iter(self._known.values())

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The keys."""
        return tuple(self._known)

    def of(self, name: str, key_id: bytes) -> Known | None:
        """The key that a signature names."""
        return next((one for one in self if (one.key.name, one.key.key_id) == (name, key_id)), None)

    def _backward(self, left: Sequence[Handover]) -> Handover | None:
        """A believed key says which one came before it. That is heard first: a compromised key is not asked."""
        for one in left:
            if one.following in self._known and one.signed_by(one.following):
                self._end(one)
                return one
        return None

    def _forward(self, left: Sequence[Handover]) -> Handover | None:
        """A believed key, that did not end yet, says which one comes after it."""
        for one in left:
            known = self._known.get(one.former)
            if known is None or known.size is not None or one.compromised:
                continue
            if one.signed_by(one.former) and one.signed_by(one.following):
                self._known[one.following] = Known(one.following)
                self._end(one)
                return one
        return None

    def _end(self, one: Handover) -> None:
        self._known[one.former] = Known(one.former, one.checkpoint.size, one.ended, one.compromised)

    def _again(self, one: Handover) -> bool:
        known = self._known.get(one.former)
        return known is not None and known.size is not None and not known.compromised and one.signed_by(one.former)
