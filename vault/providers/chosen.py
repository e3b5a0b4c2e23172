"""The provider that `CREDENCE_KEYS` names: `KIND:…`, each kind with a form of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from domain.errors import Malformed
from vault.providers import awskms, file, pkcs11, transit
from vault.providers.port import Provider
from vault.providers.written import SecretPlace, malformed


class Place(Protocol):
    """Where root keys are kept, as somebody wrote it down."""

    def provider(self) -> Provider:
        """The provider there; nothing is asked of it yet."""

    def bare(self) -> bool:
        """Whether no root was ever made there.

        Raises: KeyUnavailable when that cannot be told.
        """

    def found(self, epoch: int) -> None:
        """Makes the first root there.

        Raises: KeyUnavailable.
        """


_KINDS: Mapping[str, Callable[[str], Place]] = {
    "file": file.Place.read,
    "pkcs11": pkcs11.Place.read,
    "transit": transit.Place.read,
    "awskms": awskms.Place.read,
}


def place(written: str) -> Place:
    """The place that is named.

    Raises: Malformed, saying which form to write; it never holds what was written.
    """
    kind, _, rest = written.partition(":")
    read = _KINDS.get(kind)
    if read is None:
        raise Malformed(
            "The setting CREDENCE_KEYS names no kind of provider that is known.",
            advice=f"Begin it with {', '.join(f'{known}:' for known in _KINDS)}.",
            path=("keys",),
        )
    return read(rest)


def seal(written: str, former: str | None) -> None:
    """Seals the key file that is named with the passphrase that is named beside it.

    It was plain before, or sealed with a former passphrase whose place is given.

    Raises: Malformed where no passphrase is named; KeyUnavailable.
    """
    found = place(written)
    if not isinstance(found, file.Place) or found.passphrase is None:
        raise malformed("it names no key file with a passphrase.", "Write file:PATH?passphrase=file:OTHER.")
    found.seal(None if former is None else SecretPlace.read("former passphrase", former))
