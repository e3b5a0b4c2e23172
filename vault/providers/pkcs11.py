"""Root keys in a PKCS#11 token: one AES key per epoch, which can neither be read nor copied out of it.

    pkcs11:token=credence;object=credence?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:PATH

The form is that of RFC 7512, save that `pin-source` may also be `env:NAME` or `credential:NAME`. What is wrapped has
the same bytes as under a key file, its context authenticated inside the token. A destroyed version leaves a data
object of its name behind, so that its number is never used again.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeVar

from domain.errors import KeyUnavailable, Malformed, Unavailable
from vault import hazmat
from vault.providers.crew import Crew
from vault.providers.objects import Objects
from vault.providers.port import Capability, Context, Health, RootState
from vault.providers.written import SecretPlace, divided, malformed, named

if TYPE_CHECKING:
    import pkcs11

FORM: Final = (
    "Write pkcs11:token=LABEL;object=NAME?module-path=PATH&pin-source=SOURCE, where SOURCE is file:PATH, "
    "env:NAME or credential:NAME."
)
CHUNK: Final = 100
"""Keys that are wrapped in one go, within the wait for one answer."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,24}")

_TURN: Final = threading.Lock()
"""One call into modules at a time: `python-pkcs11` tells them, when it begins, that no two threads will come."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Place:
    """Objects of a token, as `CREDENCE_KEYS` names them."""

    module: str
    token: str
    object: str
    pin: SecretPlace

    @classmethod
    def read(cls, written: str) -> Place:
        """The place that is written.

        Raises: Malformed.
        """
        if "pin-value" in written:
            raise malformed("a PIN does not stand in settings.", FORM)
        path, options = divided(written, frozenset({"module-path", "pin-source"}), FORM)
        parts = named(path, ";", frozenset({"token", "object"}), FORM)
        if "token" not in parts or options.keys() != {"module-path", "pin-source"}:
            raise malformed("it does not name the token, the module and where the PIN is.", FORM)
        name = parts.get("object", "credence")
        if not _NAME.fullmatch(name):
            raise malformed("the name of its objects is 1 to 24 letters, digits, dots, dashes or underscores.", FORM)
        return cls(options["module-path"], parts["token"], name, SecretPlace.read("PIN", options["pin-source"]))

    def provider(self) -> Token:
        """The token there.

        Raises: Malformed where what speaks to tokens is not installed.
        """
        return Token(self)

    def bare(self) -> bool:
        """Whether no root was ever made in the token."""
        return not self.provider().health().roots

    def found(self, epoch: int) -> None:
        """Makes the first root in the token, and the keys beside it.

        Raises: KeyUnavailable.
        """
        self.provider().generate(epoch)


class Token:
    """Root keys in a PKCS#11 token; one thread speaks to it, in a session that it keeps."""

    def __init__(self, place: Place) -> None:
        try:
            import pkcs11  # noqa: PLC0415 - an extra, which others need not install
        except ImportError:
            raise Malformed(
                "What speaks to PKCS#11 tokens is not installed.",
                advice="Install the extra: pip install 'credence-vault[pkcs11]'.",
                path=("keys",),
            ) from None
        self._api = pkcs11
        self._place = place
        self._crew = Crew(self.name, self._states, threads=1)
        self._kept: pkcs11.Session | None = None

    def __repr__(self) -> str:
        return f"Token({self.name!r})"

    @property
    def name(self) -> str:
        """Which token it is."""
        return f"PKCS#11 token {self._place.token}, objects {self._place.object}"

    def wrap(self, items: Sequence[tuple[Context, hazmat.Secret]]) -> list[bytes | Unavailable]:
        """Keys, each wrapped by the root version of its epoch and bound to its context."""
        return self._each(items, lambda objects, item: objects.wrapped(item[0], item[1]))

    def unwrap(self, items: Sequence[tuple[Context, bytes]]) -> list[hazmat.Secret | Unavailable]:
        """The keys of wrapped ones: Tampered where the context differs, KeyUnavailable where the root is gone."""
        return self._each(items, lambda objects, item: objects.unwrapped(item[0], item[1]))

    def rewrap(self, items: Sequence[tuple[Context, bytes]], epoch: int) -> list[bytes | Unavailable]:
        """The same keys under the root version of another epoch, otherwise bound as before."""

        def moved(objects: Objects, item: tuple[Context, bytes]) -> bytes:
            context, wrapped = item
            with objects.unwrapped(context, wrapped) as key:
                return objects.wrapped(Context(context.tenant, context.purpose, epoch), key)

        return self._each(items, moved)

    def generate(self, epoch: int) -> None:
        """Makes the root version of an epoch; the first one makes the keys beside it.

        Raises: KeyUnavailable when it exists, was destroyed, or the token does not let us.
        """
        self._one(lambda objects: objects.generate(epoch))

    def destroy(self, epoch: int) -> None:
        """Ends a root version for ever: whatever it wraps is lost. Doing it again changes nothing.

        Raises: KeyUnavailable when the version never existed, or the token does not let us.
        """
        self._one(lambda objects: objects.destroy(epoch))

    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        """Ed25519 signatures by the key in the token."""
        return self._digested(self._api.ObjectClass.PRIVATE_KEY, "sign", self._api.Mechanism.EDDSA, messages)

    def verifying_key(self) -> bytes:
        """The public half of that key."""
        api = self._api
        # As some tokens write it, bare, or as others do, in a DER octet string.
        point = self._one(lambda objects: objects.one(api.ObjectClass.PUBLIC_KEY, "sign")[api.Attribute.EC_POINT])
        return bytes(point)[-hazmat.KEY_BYTES :]

    def hmac(self, messages: Sequence[bytes]) -> list[bytes]:
        """HMAC-SHA256 by the key in the token."""
        return self._digested(self._api.ObjectClass.SECRET_KEY, "hmac", self._api.Mechanism.SHA256_HMAC, messages)

    def health(self) -> Health:
        """Which root versions stand and which are destroyed, when the token answers.

        Raises: KeyUnavailable.
        """
        (roots,) = self._crew.run([self._states], though_out=True)
        return Health(roots)

    def capabilities(self) -> frozenset[Capability]:
        """All but putting a version out of use for a while: an object of a token serves, or is not there."""
        return frozenset(Capability) - {Capability.DISABLE}

    def _each(self, items: Sequence[T], act: Callable[[Objects, T], R]) -> list[R | Unavailable]:
        """What becomes of each item, or its error; many go in several goes."""
        chunks = [items[first : first + CHUNK] for first in range(0, len(items), CHUNK)]
        calls = [partial(self._within, partial(_all_tried, act, chunk)) for chunk in chunks]
        return list(chain.from_iterable(self._crew.run(calls)))

    def _digested(
        self, kind: pkcs11.ObjectClass, name: str, mechanism: pkcs11.Mechanism, messages: Sequence[bytes]
    ) -> list[bytes]:
        def made(objects: Objects) -> list[bytes]:
            key = objects.one(kind, name)
            return [bytes(key.sign(message, mechanism=mechanism)) for message in messages]

        return self._one(made)

    def _one(self, act: Callable[[Objects], T]) -> T:
        return self._crew.run([partial(self._within, act)])[0]

    def _states(self) -> dict[int, RootState]:
        return self._within(Objects.states)

    def _within(self, act: Callable[[Objects], T]) -> T:
        """What is done in the session; one that has failed is left, so that the next begins anew."""
        with _TURN:
            try:
                return act(Objects(self._api, self._session(), self._place.object))
            except self._api.PKCS11Error as failure:
                how = f"fails: {type(failure).__name__}"
            except RuntimeError:
                how = "cannot be loaded: check module-path"
            self._kept = None
        raise self._crew.silent(how)

    def _session(self) -> pkcs11.Session:
        if self._kept is None:
            self._kept = self._opened()
        return self._kept

    def _opened(self) -> pkcs11.Session:
        api = self._api
        token: pkcs11.Token = api.lib(self._place.module).get_token(token_label=self._place.token)
        try:
            return token.open(rw=True, user_pin=self._place.pin.secret())
        except api.UserAlreadyLoggedIn:
            return token.open(rw=True)  # a login holds for all sessions of a process
        except (api.PinIncorrect, api.PinLocked, api.PinInvalid, api.PinLenRange, api.PinExpired) as failure:
            refusal = type(failure).__name__
        raise KeyUnavailable(
            f"The token {self._place.token} refuses the PIN: {refusal}.",
            advice="Check the PIN before the token locks itself: it counts wrong ones.",
        )


def _all_tried(act: Callable[[Objects, T], R], items: Sequence[T], objects: Objects) -> list[R | Unavailable]:
    return [_tried(act, objects, item) for item in items]


def _tried(act: Callable[[Objects, T], R], objects: Objects, item: T) -> R | Unavailable:
    try:
        return act(objects, item)
    except Unavailable as failure:
        return failure
