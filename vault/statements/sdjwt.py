"""Selective disclosure (RFC 9901): values become salted digests, and whoever has the disclosures shows them again.

A tree of JSON may hold `Hidden` values, as values of an object or as items of a list; a hidden value may hold others.
The compact form is the signed text and the disclosures, each followed by `~`, and perhaps the holder's own signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from vault.statements.compact import decode, encode, read, written
from vault.statements.reasons import Reason, Untrue

DIGESTS: Final = "_sd"
DIGEST_ALGORITHM: Final = "_sd_alg"
ELEMENT: Final = "..."
SHA_256: Final = "sha-256"
SALT_BYTES: Final = 16
MAX_DISCLOSURES: Final = 256
MAX_DEPTH: Final = 16
_SEPARATOR: Final = "~"
_OF_MEMBER, _OF_ELEMENT = 3, 2


@dataclass(frozen=True, slots=True)
class Hidden:
    """A value that only its disclosure shows."""

    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Compact:
    """The compact form taken apart."""

    signed: str = field(repr=False)
    disclosures: tuple[str, ...] = field(repr=False)
    binding: str = field(default="", repr=False)
    """The holder's own signature; empty where there is none."""

    def __str__(self) -> str:
        return self.presented + self.binding

    @property
    def presented(self) -> str:
        """What the holder's signature is about."""
        return _SEPARATOR.join((self.signed, *self.disclosures, ""))

    @classmethod
    def read(cls, text: str) -> Compact:
        """The parts of a compact form.

        Raises: Untrue (MALFORMED, TOO_LARGE).
        """
        signed, *rest = text.split(_SEPARATOR)
        if not rest:
            raise Untrue(Reason.MALFORMED)
        *disclosures, binding = rest
        if len(disclosures) > MAX_DISCLOSURES:
            raise Untrue(Reason.TOO_LARGE)
        return cls(signed, tuple(disclosures), binding)


class Concealing:
    """Hides what is `Hidden` in a tree; the disclosures are kept in the order met."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self.disclosures: list[str] = []

    def conceal(self, claims: Mapping[str, Any], *, decoys: int = 0) -> dict[str, Any]:
        """The claims to sign, with digests for what is hidden, and so many more that stand for nothing.

        Raises: ValueError where a claim has a name that digests use.
        """
        return {**self._object(claims, decoys), DIGEST_ALGORITHM: SHA_256}

    def _value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self._object(value, 0)
        if isinstance(value, list | tuple):
            return [
                {ELEMENT: self._hide([item.value])} if isinstance(item, Hidden) else self._value(item) for item in value
            ]
        return value

    def _object(self, members: Mapping[str, Any], decoys: int) -> dict[str, Any]:
        if members.keys() & {DIGESTS, ELEMENT, DIGEST_ALGORITHM}:
            raise ValueError("A claim has a name that digests use.")
        shown = {name: self._value(value) for name, value in members.items() if not isinstance(value, Hidden)}
        digests = [self._hide([name, item.value]) for name, item in members.items() if isinstance(item, Hidden)]
        digests += [digest(encode(self._random(sha256().digest_size))) for _ in range(decoys)]
        # Their order says nothing: it is that of random values.
        return {**shown, DIGESTS: sorted(digests)} if digests else shown

    def _hide(self, parts: list[Any]) -> str:
        *name, value = parts
        made = encode(written([encode(self._random(SALT_BYTES)), *name, self._value(value)]))
        self.disclosures.append(made)
        return digest(made)


def digest(disclosure: str) -> str:
    """What stands for a disclosure: SHA-256 of its text as it is spelled."""
    return encode(sha256(disclosure.encode("ascii")).digest())


def shown(claims: Mapping[str, Any], disclosures: Sequence[str], reserved: Iterable[str] = ()) -> dict[str, Any]:
    """The claims with what is disclosed in its places, and nothing of what is not.

    Names that are reserved are not disclosed at the outermost level: only the signed part says them.

    Raises: Untrue, for whatever RFC 9901 (7.1) refuses.
    """
    if claims.get(DIGEST_ALGORITHM, SHA_256) != SHA_256:
        raise Untrue(Reason.UNKNOWN_DIGEST_ALGORITHM)
    found = {digest(text): _parts(text) for text in disclosures}
    if len(found) != len(disclosures):
        raise Untrue(Reason.DOUBLE_DIGEST)
    showing = _Showing(found, frozenset(reserved))
    whole = showing.object(claims, 0)
    whole.pop(DIGEST_ALGORITHM, None)
    if len(showing.used) != len(found):
        raise Untrue(Reason.UNDECLARED_DISCLOSURE)
    return whole


def named(disclosures: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The claims that disclosures of an object are about, each with its disclosure.

    Raises: Untrue (MALFORMED_DISCLOSURE).
    """
    for text in disclosures:
        parts = _parts(text)
        if len(parts) == _OF_MEMBER:
            yield parts[1], text


class _Showing:
    """Puts disclosures in their places, each once."""

    def __init__(self, found: Mapping[str, list[Any]], reserved: frozenset[str]) -> None:
        self._found = found
        self._reserved = reserved
        self._met: set[str] = set()
        self.used: set[str] = set()

    def object(self, members: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """An object with its disclosed members."""
        if depth > MAX_DEPTH or ELEMENT in members:
            raise Untrue(Reason.MALFORMED)
        made = {name: self._value(value, depth) for name, value in members.items() if name != DIGESTS}
        digests = members.get(DIGESTS, [])
        if not isinstance(digests, list):
            raise Untrue(Reason.MALFORMED)
        for one in digests:
            parts = self._disclosed(one, _OF_MEMBER)
            if parts is None:
                continue
            name = parts[1]
            if name in {DIGESTS, ELEMENT, DIGEST_ALGORITHM} or (depth == 0 and name in self._reserved):
                raise Untrue(Reason.FORBIDDEN_CLAIM)
            if name in made:
                raise Untrue(Reason.DOUBLE_CLAIM)
            made[name] = self._value(parts[2], depth)
        return made

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            return self.object(value, depth + 1)
        if isinstance(value, list):
            return list(self._items(value, depth + 1))
        return value

    def _items(self, items: list[Any], depth: int) -> Iterator[Any]:
        if depth > MAX_DEPTH:
            raise Untrue(Reason.MALFORMED)
        for item in items:
            if not (isinstance(item, dict) and item.keys() == {ELEMENT}):
                yield self._value(item, depth)
                continue
            parts = self._disclosed(item[ELEMENT], _OF_ELEMENT)
            if parts is not None:
                yield self._value(parts[1], depth)

    def _disclosed(self, one: Any, length: int) -> list[Any] | None:
        """What a digest stands for, where it is disclosed; a digest that is met twice is refused."""
        if not isinstance(one, str):
            raise Untrue(Reason.MALFORMED)
        if one in self._met:
            raise Untrue(Reason.DOUBLE_DIGEST)
        self._met.add(one)
        parts = self._found.get(one)
        if parts is None:
            return None
        if len(parts) != length:
            raise Untrue(Reason.MALFORMED_DISCLOSURE)
        self.used.add(one)
        return parts


def _parts(text: str) -> list[Any]:
    """The salt, the name where it is of an object, and the value of a disclosure."""
    try:
        parts = read(decode(text))
    except Untrue:
        raise Untrue(Reason.MALFORMED_DISCLOSURE) from None
    if not isinstance(parts, list) or len(parts) not in {_OF_MEMBER, _OF_ELEMENT}:
        raise Untrue(Reason.MALFORMED_DISCLOSURE)
    if not all(isinstance(part, str) for part in parts[:-1]):
        raise Untrue(Reason.MALFORMED_DISCLOSURE)
    return parts
