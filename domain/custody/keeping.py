"""Ports to the keys of a tenant: what operations may have done to them. No key leaves, and no value is opened for them.

A unit offers both; a store that keeps no keys, such as one in memory, offers neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from domain.ids import Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which keys of a tenant stand, and what lies under each epoch."""

    epoch: int
    """The newest epoch: what new data keys are wrapped under."""
    epochs: tuple[int, ...]
    """Every epoch that still has keys, the oldest first."""
    data_keys: Mapping[int, int]
    """How many data keys are wrapped under each epoch."""

    @property
    def behind(self) -> int:
        """How many data keys are not under the newest epoch yet."""
        return sum(count for epoch, count in self.data_keys.items() if epoch != self.epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A stretch of data keys that were unwrapped, each with a cell of it that was opened and dropped."""

    keys: int
    cells: int
    failed: tuple[str, ...]
    """The ids of keys, in hexadecimal digits, that do not unwrap or whose cell does not open."""
    last: str
    """The last key of the stretch; empty where there is none behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How far the older epochs of a tenant were left."""

    epochs: tuple[int, ...] = ()
    """Those that were left just now; none before the last step."""
    last: str = ""
    """The last data key whose older wraps are removed; empty where nothing is left to do."""


class Rotation(Protocol):
    """Turns the keys of one tenant."""

    @property
    def backup_days(self) -> int:
        """How many days backups and archived logs of the database are kept."""
        ...

    def newest_root(self) -> int:
        """The newest epoch whose root stands in the provider. Raises KeyUnavailable."""
        ...

    def next_root(self) -> int:
        """The epoch that never had a root and comes next. Raises KeyUnavailable."""
        ...

    def make_root(self, epoch: int) -> None:
        """Makes the root of an epoch in the provider, unless it stands there already. Raises KeyUnavailable."""
        ...

    def destroy_root(self, epoch: int) -> None:
        """Ends the root of an epoch in the provider, for ever and for every tenant. Raises KeyUnavailable."""
        ...

    def standing(self) -> Standing:
        """Which keys stand."""
        ...

    def advance(self, epoch: int) -> bool:
        """Makes the keys of a newer epoch, of which data keys are new from now on; whether that was still to do."""
        ...

    def rewrap(self, limit: int) -> int:
        """Wraps at most so many data keys under the newest epoch that are not yet; how many."""
        ...

    def verify(self, after: str, limit: int) -> Verified:
        """Unwraps the data keys that come behind one, and opens a cell of each."""
        ...

    def retire(self, after: str, limit: int) -> Left:
        """Removes the older wraps of the data keys that come behind one, at last the keys of every older epoch.

        Raises: Conflict while a data key needs one of them.
        """
        ...

    def renew(self, subject: Id, data_class: str) -> int:
        """Seals the cells of a subject's class anew under a new data key and removes the old one; how many cells."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed:
    """What a destruction took away."""

    keys: int
    cells: int
    tokens: int
    payloads: int


class Destruction(Protocol):
    """Ends keys and rows of one tenant; what it did cannot be undone by anybody."""

    def shred(self, subject: Id, classes: Sequence[str]) -> Destroyed:
        """Destroys the data keys of a subject's classes, and with them every value, token and payload under them."""
        ...

    def remaining(self, subject: Id, classes: Sequence[str]) -> int:
        """How many keys, values, tokens and payloads of a subject's classes are still there."""
        ...

    def empty(self, records: Sequence[Id]) -> int:
        """Removes every value and token of some records; how many values. Their keys are renewed beside it."""
        ...

    def bury(self, records: Sequence[Id], rule: str) -> int:
        """Removes every version of some records but the current one, under tombstones that name a rule; how many."""
        ...

    def remaining_of(self, records: Sequence[Id]) -> int:
        """How many values, tokens, keys of contents and buried versions of some records are still there."""
        ...

    def signed(self, kind: str, said: Mapping[str, Any]) -> str:
        """A statement as a JWS of a type, signed by the key that signs the company's log."""
        ...

    def prunable(self, before: datetime, held: Sequence[Id]) -> int:
        """The minimum index the audit log could have, were it pruned of what was made before an instant.

        It stops at the first entry about one of the subjects that are held, and before the last one of the log.
        """
        ...

    def prune(self, minimum: int) -> None:
        """Removes the entries below a minimum index, what leads to them and what lies beside them; no hash goes."""
        ...


class SigningUse(Enum):
    """What a company signs with a key."""

    LOG = "LOG"
    """Checkpoints of its audit log, and certificates of erasure (Ed25519)."""
    STATEMENT = "STATEMENT"
    """Credit statements, their status lists, and what is disclosed to partners (ES256)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """The public half of a key that signs."""

    kid: str
    """How signatures name it."""
    public: str
    """For the log `name+id+base64`, as an auditor pins it; otherwise a JWK."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A key that signs no more, and the one that does."""

    former: Signs
    following: Signs
    handover: str | None
    """For the log: the checkpoint by which one hands over to the other."""


class Signing(Protocol):
    """Replaces the keys that a tenant signs with."""

    def replace(self, use: SigningUse, ended: datetime, *, compromised: bool) -> Replaced | None:
        """Ends a key and makes the next one; the private half of the former is gone with the transaction.

        None where the tenant has no key for this use yet. Raises KeyUnavailable; Tampered.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which data keys are renewed."""

    before: datetime
    """Those made before this instant."""
    worn: tuple[str, ...] = ()
    """Besides, these: their ids in hexadecimal digits."""
    subject: Id | None = None
    data_class: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """What one step of a renewal did."""

    minted: int = 0
    """How many new versions of data keys were begun."""
    sealed: int = 0
    """How many values were sealed anew."""
    ended: int = 0
    """How many older data keys were destroyed, since nothing is sealed under them any more."""
    last: str = ""
    """The data key this step came to; empty where there is none behind it."""


class Renewal(Protocol):
    """Gives the data keys of a tenant their next version."""

    def worn(self, seals: int) -> tuple[str, ...]:
        """The ids of data keys under which at least so many values were sealed, in hexadecimal digits."""
        ...

    def step(self, choice: Choice, after: str, limit: int) -> Renewed:
        """Goes on behind a data key with those that are chosen or were begun: at most so many values."""
        ...
