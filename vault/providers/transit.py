"""Root keys in the transit engine of OpenBao or Vault: the versions of one key, which never leave the server.

    transit:https://bao.example:8200/transit/credence?token=file:PATH

The tenant and the purpose are the derivation context of a wrapped key. Its epoch is the version of the key, so that
the server's own rewrap moves it: CE 01 02 00 ‖ version (4) ‖ nonce (12) ‖ encrypted key (32) ‖ tag (16).

Versions end in order: the server keeps everything from a smallest version on. Signatures and keyed digests are made
by two keys beside it, NAME-sign and NAME-hmac.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Final, TypeVar

from domain.errors import KeyUnavailable, Tampered, Unavailable
from vault import hazmat
from vault.providers import speaking
from vault.providers.crew import Crew
from vault.providers.port import Capability, Context, Health, RootState
from vault.providers.written import SecretPlace, divided, malformed
from vault.seal import pae, u32
from vault.wrapping import KEK_DOMAIN

FORM: Final = (
    "Write transit:https://HOST:PORT/MOUNT/KEY?token=SOURCE, and perhaps &namespace=NAME and &ca=FILE; "
    "http:// only for 127.0.0.1."
)
HEADER: Final = bytes.fromhex("ce010200")
"""Magic, format 1, wrapped by a transit engine, reserved."""
CHUNK: Final = 100
"""Items in one request: the server refuses more than about two hundred."""
_SEALED: Final = hazmat.NONCE_BYTES + hazmat.KEY_BYTES + hazmat.TAG_BYTES
_CIPHERTEXT: Final = re.compile(r"vault:v([1-9][0-9]{0,9}):([A-Za-z0-9+/]+={0,2})")
_PATH: Final = re.compile(r"(?:/(?!\.)[A-Za-z0-9_.-]+){2,}")
_TYPE: Final = "aes256-gcm96"

T = TypeVar("T")
Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A key of a transit engine, as `CREDENCE_KEYS` names it."""

    address: speaking.Address
    mount: str
    key: str
    token: SecretPlace
    namespace: str

    @classmethod
    def read(cls, written: str) -> Place:
        """The place that is written.

        Raises: Malformed.
        """
        url, options = divided(written, frozenset({"token", "namespace", "ca"}), FORM)
        address, path = speaking.Address.read(url, options.get("ca"), FORM)
        if not _PATH.fullmatch(path):
            raise malformed("the address names no mount and key.", FORM)
        if "token" not in options:
            raise malformed("it does not say where the token is.", FORM)
        mount, _, key = path[1:].rpartition("/")
        return cls(address, mount, key, SecretPlace.read("token", options["token"]), options.get("namespace", ""))

    def provider(self) -> Transit:
        """The engine there."""
        return Transit(self)

    def bare(self) -> bool:
        """Whether the key is not there."""
        return not self.provider().health().roots

    def found(self, epoch: int) -> None:
        """Makes the key and those beside it.

        Raises: KeyUnavailable.
        """
        self.provider().generate(epoch)


class Transit:
    """Root keys in a transit engine."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._crew = Crew(self.name, self._key)
        self._line = speaking.Line(place.address, self._crew.silent)

    def __repr__(self) -> str:
        return f"Transit({self.name!r})"

    @property
    def name(self) -> str:
        """Where the key is."""
        place = self._place
        return f"transit {place.address}/{place.mount}/{place.key}"

    def wrap(self, items: Sequence[tuple[Context, hazmat.Secret]]) -> list[bytes | Unavailable]:
        """Keys, each wrapped by the version of its epoch and bound to its context."""
        asked = [
            {"plaintext": key.use(_text), "context": _bound(context), "key_version": context.epoch}
            for context, key in items
        ]
        answers = self._batch("encrypt", asked)
        made: list[bytes | Unavailable | None] = [
            _wrapped(answer, context.epoch) for answer, (context, _) in zip(answers, items, strict=True)
        ]
        return self._explained(made, [(context.epoch,) for context, _ in items])

    def unwrap(self, items: Sequence[tuple[Context, bytes]]) -> list[hazmat.Secret | Unavailable]:
        """The keys of wrapped ones: Tampered where the context differs, KeyUnavailable where the version is gone."""
        found = self._moved("decrypt", items, {}, _unwrapped)
        return self._explained(found, [(context.epoch,) for context, _ in items])

    def rewrap(self, items: Sequence[tuple[Context, bytes]], epoch: int) -> list[bytes | Unavailable]:
        """The same keys under the version of another epoch; they do not leave the server on the way."""
        found = self._moved("rewrap", items, {"key_version": epoch}, partial(_wrapped, version=epoch))
        return self._explained(found, [(context.epoch, epoch) for context, _ in items])

    def generate(self, epoch: int) -> None:
        """Makes the version of the following epoch; the first one makes the keys.

        Raises: KeyUnavailable when it exists, was destroyed, or the token may not.
        """
        following = self.health().following()
        if epoch != following:
            raise KeyUnavailable(
                f"Root key version {epoch} exists already, was destroyed, or is not the following one.",
                advice=f"Generate version {following}.",
            )
        if epoch == 1:
            self._asked("POST", f"keys/{self._place.key}", {"type": _TYPE, "derived": True})
            self._asked("POST", f"keys/{self._place.key}-sign", {"type": "ed25519"})
            self._asked("POST", f"keys/{self._place.key}-hmac", {"type": "hmac", "key_size": hazmat.KEY_BYTES})
        else:
            self._asked("POST", f"keys/{self._place.key}/rotate", {})
        if max(self.health().roots) != epoch:
            raise KeyUnavailable("Somebody else made a root key version too.", advice="See `credence keys status`.")

    def destroy(self, epoch: int) -> None:
        """Ends a version for ever; all before it have to be destroyed, and the newest one stays.

        Raises: KeyUnavailable when it never existed, may not end yet, or the token may not.
        """
        roots = self.health().roots
        if roots.get(epoch) is RootState.DESTROYED:
            return
        if epoch not in roots:
            raise KeyUnavailable(f"Root key version {epoch} never existed.", advice="Check the epoch.")
        older = [one for one, state in roots.items() if one < epoch and state is not RootState.DESTROYED]
        if older:
            raise KeyUnavailable(
                "A transit key ends version by version.", advice=f"Destroy version {min(older)} before {epoch}."
            )
        if epoch == max(roots):
            raise KeyUnavailable("The newest version of a transit key stays.", advice="Generate the next one first.")
        path, least = f"keys/{self._place.key}", epoch + 1
        self._asked("POST", f"{path}/config", {"min_decryption_version": least, "min_encryption_version": least})
        self._asked("POST", f"{path}/trim", {"min_available_version": least})

    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        """Ed25519 signatures by the key beside."""
        path = f"sign/{self._place.key}-sign"
        return self._made(path, "signature", messages)

    def verifying_key(self) -> bytes:
        """The public half of that key, of its newest version."""
        data = self._asked("GET", f"keys/{self._place.key}-sign") or self._absent("signing key")
        return self._read(lambda: base64.b64decode(data["keys"][str(data["latest_version"])]["public_key"]))

    def hmac(self, messages: Sequence[bytes]) -> list[bytes]:
        """HMAC-SHA256 by the key beside."""
        return self._made(f"hmac/{self._place.key}-hmac/sha2-256", "hmac", messages)

    def health(self) -> Health:
        """The versions of the key: those that were trimmed are destroyed, those below the smallest are disabled.

        Raises: KeyUnavailable; also when the key there is not of the kind that keeps what it protects.
        """
        (data,) = self._crew.run([self._key], though_out=True)
        return Health({} if data is None else self._read(lambda: _states(data)))

    def capabilities(self) -> frozenset[Capability]:
        """Everything."""
        return frozenset(Capability)

    def _key(self) -> Mapping[str, Any] | None:
        data = self._answer("GET", f"keys/{self._place.key}", None)
        if data is None:
            return None
        if data.get("type") != _TYPE or not data.get("derived"):
            raise KeyUnavailable(
                f"The transit key is not of the type {_TYPE} with derivation.", advice="Name a key made for Credence."
            )
        if data.get("exportable") or data.get("allow_plaintext_backup"):
            raise KeyUnavailable(
                "The transit key can be exported.", advice="Name a key that is not exportable and has no backup."
            )
        return data

    def _moved(
        self, verb: str, items: Sequence[tuple[Context, bytes]], more: Item, read: Callable[[Item], T | None]
    ) -> list[T | Unavailable | None]:
        """What the server makes of wrapped keys; those that cannot be of their context are not sent."""
        sent: dict[int, Item] = {}
        for place, (context, wrapped) in enumerate(items):
            if (ciphertext := _ciphertext(context, wrapped)) is not None:
                sent[place] = {"ciphertext": ciphertext, "context": _bound(context), **more}
        answers = dict(zip(sent, self._batch(verb, list(sent.values())), strict=True))
        refused = Tampered("A wrapped key is not in the form of this provider, or of another epoch.")
        return [read(answers[place]) if place in answers else refused for place in range(len(items))]

    def _explained(
        self, found: list[T | Unavailable | None], needed: Sequence[tuple[int, ...]]
    ) -> list[T | Unavailable]:
        """Why the server refused each item that it refused: a version does not serve, or it does not verify."""
        if None not in found:
            return [item for item in found if item is not None]
        roots = self.health().roots
        told: list[T | Unavailable] = []
        for item, versions in zip(found, needed, strict=True):
            gone = [version for version in versions if roots.get(version) is not RootState.STANDING]
            if item is not None:
                told.append(item)
            elif gone:
                state = roots.get(gone[0])
                told.append(
                    KeyUnavailable(
                        f"Root key version {gone[0]} {f'is {state.value}' if state else 'never existed'}.",
                        advice="See `credence keys status`; what a destroyed version protects is lost on purpose.",
                    )
                )
            else:
                told.append(Tampered("A wrapped key does not verify for what it is used for."))
        return told

    def _made(self, path: str, named: str, messages: Sequence[bytes]) -> list[bytes]:
        answers = self._batch(path, [{"input": _text(message)} for message in messages], path=path)
        return self._read(lambda: [base64.b64decode(answer[named].split(":")[2]) for answer in answers])

    def _batch(self, verb: str, items: list[Item], *, path: str = "") -> list[Item]:
        chunks = [items[first : first + CHUNK] for first in range(0, len(items), CHUNK)]
        path = path or f"{verb}/{self._place.key}"
        return list(chain.from_iterable(self._crew.run([partial(self._chunk, path, chunk) for chunk in chunks])))

    def _chunk(self, path: str, items: list[Item]) -> list[Item]:
        data = self._answer("POST", path, {"batch_input": items}) or self._absent("key")
        answers = data.get("batch_results")
        if not isinstance(answers, list) or len(answers) != len(items):
            raise self._crew.silent("answers otherwise than a transit engine does")
        return answers

    def _asked(self, method: str, path: str, body: Item | None = None) -> Item | None:
        (data,) = self._crew.run([partial(self._answer, method, path, body)])
        return data

    def _answer(self, method: str, path: str, body: Item | None) -> Item | None:
        """The data of an answer; None where there is nothing at the path."""
        headers = {"X-Vault-Token": self._place.token.secret(), "X-Vault-Request": "true"}
        if self._place.namespace:
            headers["X-Vault-Namespace"] = self._place.namespace
        status, told = self._line.exchange(method, f"/v1/{self._place.mount}/{path}", body, headers)
        if status == speaking.FORBIDDEN:
            raise KeyUnavailable(
                f"The token may not do that: {method} {path} at {self.name}.",
                advice="Renew the token, or do it with the token of an operator; docs/keys.md has the policies.",
            )
        if status == speaking.NOT_FOUND:
            return None
        data = told.get("data")
        if status == speaking.BAD_REQUEST and not (isinstance(data, dict) and "batch_results" in data):
            raise KeyUnavailable(
                f"The provider refuses {method} {path} at {self.name}.", advice="Check the key there and its settings."
            )
        return data if isinstance(data, dict) else {}

    def _absent(self, what: str) -> Item:
        raise KeyUnavailable(f"There is no {what} at {self.name}.", advice="Run `credence migrate`, or make it there.")

    def _read(self, reading: Callable[[], T]) -> T:
        try:
            return reading()
        except (ValueError, TypeError, LookupError, AttributeError):
            pass
        raise self._crew.silent("answers otherwise than a transit engine does")


def _states(data: Mapping[str, Any]) -> dict[int, RootState]:
    least, kept = max(1, int(data.get("min_available_version", 0))), int(data["min_decryption_version"])
    if data.get("soft_deleted"):
        kept = int(data["latest_version"]) + 1
    states = dict.fromkeys(range(1, int(data["latest_version"]) + 1), RootState.STANDING)
    for version in states:
        if version < least:
            states[version] = RootState.DESTROYED
        elif version < kept:
            states[version] = RootState.DISABLED
    return states


def _bound(context: Context) -> str:
    tenant, purpose, _ = context.parts()
    return _text(pae(KEK_DOMAIN, tenant, purpose))


def _text(raw: bytes | bytearray) -> str:
    return base64.b64encode(raw).decode("ascii")


def _ciphertext(context: Context, wrapped: bytes) -> str | None:
    """A wrapped key as the server takes it; None where it cannot be one of its context."""
    try:
        _, _, epoch = context.parts()
    except (ValueError, OverflowError):
        return None
    head = HEADER + epoch
    if len(wrapped) != len(head) + _SEALED or wrapped[: len(head)] != head:
        return None
    return f"vault:v{context.epoch}:{_text(wrapped[len(head) :])}"


def _wrapped(answer: Item, version: int) -> bytes | None:
    match = _CIPHERTEXT.fullmatch(answer.get("ciphertext") or "")
    if match is None or int(match[1]) != version:
        return None
    sealed = base64.b64decode(match[2])
    return HEADER + u32(version) + sealed if len(sealed) == _SEALED else None


def _unwrapped(answer: Item) -> hazmat.Secret | None:
    text = answer.get("plaintext")
    try:
        raw = bytearray(base64.b64decode(text, validate=True)) if isinstance(text, str) else bytearray()
    except ValueError:
        return None
    return hazmat.Secret(raw) if len(raw) == hazmat.KEY_BYTES else None
