"""The port behind which root keys are kept: what every provider does, what it may lack, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

from domain.errors import KeyUnavailable, Unavailable
from vault import hazmat
from vault.seal import sized, u32


class Purpose(StrEnum):
    """What a tenant's key is for."""

    KEK = "kek"
    INDEX = "index"
    PSEUDONYM = "pseudonym"
    DIGEST = "digest"
    STATEMENT = "statement"
    """What the keys derive from that sign customers' credit statements."""
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Context:
    """What a provider binds a wrapped key to; its epoch is also the version of the root that wraps it."""

    tenant: bytes
    purpose: Purpose
    epoch: int

    def parts(self) -> tuple[bytes, ...]:
        """The tenant, the purpose and the epoch."""
        return sized(self.tenant), self.purpose.value.encode(), u32(self.epoch)


class Capability(Enum):
    """What a provider may lack; a missing one is declared, and its conformance test skips visibly."""

    REWRAP = "rewrap"
    GENERATE = "generate"
    DESTROY = "destroy"
    DISABLE = "disable"
    """Whoever looks after the provider can put a root version out of use for a while."""
    SIGN = "sign"
    HMAC = "hmac"


class RootState(StrEnum):
    """What a root version is good for."""

    STANDING = "standing"
    """It wraps and unwraps."""
    DISABLED = "disabled"
    """It refuses until somebody at the provider lets it serve again."""
    ENDING = "ending"
    """It refuses, and is destroyed when the provider's waiting period ends."""
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class Health:
    """What a provider that answers says of itself."""

    roots: Mapping[int, RootState]
    """Every root version that it knows of, destroyed ones too where it remembers them."""

    def newest(self) -> int:
        """The newest epoch whose root version stands: what new keys are wrapped under.

        Raises: KeyUnavailable when none does.
        """
        standing = [epoch for epoch, state in self.roots.items() if state is RootState.STANDING]
        if not standing:
            raise KeyUnavailable("No root key version stands.", advice="Generate the next one: `credence keys rotate`.")
        return max(standing)

    def following(self) -> int:
        """The epoch that has no root version yet and comes next."""
        return max(self.roots, default=0) + 1


class Provider(Protocol):
    """Whoever keeps the root keys. Lists go in and come out in the same order; an item that fails is its error.

    Every call returns in bounded time, of any length of list, from any thread. What concerns the whole provider is
    raised: KeyUnavailable, which names the provider when it cannot be reached.
    """

    @property
    def name(self) -> str:
        """What it is and where, for people: without a secret."""

    def wrap(self, items: Sequence[tuple[Context, hazmat.Secret]]) -> list[bytes | Unavailable]:
        """Keys, each wrapped by the root version of its epoch and bound to its context."""

    def unwrap(self, items: Sequence[tuple[Context, bytes]]) -> list[hazmat.Secret | Unavailable]:
        """The keys of wrapped ones: Tampered where the context differs, KeyUnavailable where the root is gone."""

    def rewrap(self, items: Sequence[tuple[Context, bytes]], epoch: int) -> list[bytes | Unavailable]:
        """The same keys under the root version of another epoch, otherwise bound as before."""

    def generate(self, epoch: int) -> None:
        """Makes the root version of the following epoch; a version that exists or was destroyed is refused."""

    def destroy(self, epoch: int) -> None:
        """Ends a root version for ever: whatever it wraps is lost. Doing it again changes nothing."""

    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        """Ed25519 signatures by the provider's own key."""

    def verifying_key(self) -> bytes:
        """The public half of that key."""

    def hmac(self, messages: Sequence[bytes]) -> list[bytes]:
        """HMAC-SHA256 of messages under a key that the provider keeps for that alone."""

    def health(self) -> Health:
        """What stands, when the provider can serve now; raises KeyUnavailable, naming it, when not."""

    def capabilities(self) -> frozenset[Capability]:
        """What this provider can do beyond wrapping and unwrapping."""
