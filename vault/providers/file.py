"""The local key file: the provider for one host, its root keys in a file that only its owner can read.

    {"format": "credence-keys/1", "roots": {"1": "…64 hex digits…", "2": null}, "sign": "…", "hmac": "…"}

A root version without a key is destroyed, and its number is never used again. The file is read for every call: no
root stays in memory, a destroyed one stops at once in every process, and a file others may read is refused.
Every copy of the file is a backup of the roots: whoever keeps one keeps what was erased.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from domain.errors import KeyUnavailable, Malformed, Unavailable
from vault import hazmat
from vault.keys import KEK_DOMAIN, unwrap_key, wrap_key
from vault.providers.port import Capability, Context, Health, RootState

FORMAT = "credence-keys/1"
MODE = 0o600
FORM = "Write file: and a path, such as file:credence-data/keys.json."
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(slots=True)
class _Keys:
    """What the file holds; None marks a destroyed root."""

    roots: dict[int, hazmat.Secret | None]
    sign: hazmat.Secret
    hmac: hazmat.Secret

    def cipher(self, epoch: int) -> hazmat.Aes256Gcm:
        root = self.roots.get(epoch)
        if root is None:
            gone = "is destroyed" if epoch in self.roots else "is not in the key file"
            raise KeyUnavailable(
                f"Root key version {epoch} {gone}.",
                advice="What a destroyed version protects is lost on purpose; for any other, restore the key file.",
            )
        return root.use(hazmat.aes_256_gcm)


@dataclass(frozen=True, slots=True)
class Place:
    """A key file, as `CREDENCE_KEYS` names it: `file:PATH`."""

    path: Path

    @classmethod
    def read(cls, written: str) -> Place:
        """The place that is written.

        Raises: Malformed.
        """
        if not written.strip():
            raise Malformed("CREDENCE_KEYS names no key file.", advice=FORM, path=("keys",))
        return cls(Path(written))

    def provider(self) -> KeyFile:
        """The key file there."""
        return KeyFile(self.path)

    def bare(self) -> bool:
        """Whether there is no file."""
        return not self.path.exists()

    def found(self, epoch: int) -> None:
        """Makes the file, and the folder for it.

        Raises: KeyUnavailable.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        KeyFile.create(self.path, epoch)


class KeyFile:
    """Root keys in a local file, and an Ed25519 key beside them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def create(cls, path: Path, epoch: int) -> KeyFile:
        """A new file with the root of its first epoch, mode 0600; an existing file is never overwritten.

        Raises: KeyUnavailable.
        """
        keys = _Keys({epoch: hazmat.random_secret()}, hazmat.random_secret(), hazmat.random_secret())
        try:
            with _locked(path.parent, fcntl.LOCK_EX), _fresh(path, keys) as fresh:
                os.link(fresh, path)  # whole or not at all, and over no other
            _sync_folder(path)
        except OSError as failure:
            raise _unusable(failure) from None
        return cls(path)

    def __repr__(self) -> str:
        return f"KeyFile({str(self._path)!r})"

    @property
    def name(self) -> str:
        """Where the file is."""
        return f"key file {self._path}"

    def wrap(self, items: Sequence[tuple[Context, hazmat.Secret]]) -> list[bytes | Unavailable]:
        """Keys, each wrapped by the root version of its epoch and bound to its context."""
        keys = self._read()
        return [_wrapped(keys, context, key) for context, key in items]

    def unwrap(self, items: Sequence[tuple[Context, bytes]]) -> list[hazmat.Secret | Unavailable]:
        """The keys of wrapped ones: Tampered where the context differs, KeyUnavailable where the root is gone."""
        keys = self._read()
        return [_unwrapped(keys, context, wrapped) for context, wrapped in items]

    def rewrap(self, items: Sequence[tuple[Context, bytes]], epoch: int) -> list[bytes | Unavailable]:
        """The same keys under the root version of another epoch, otherwise bound as before."""
        keys = self._read()
        moved: list[bytes | Unavailable] = []
        for context, wrapped in items:
            key = _unwrapped(keys, context, wrapped)
            to = Context(context.tenant, context.purpose, epoch)
            moved.append(key if isinstance(key, Unavailable) else _wrapped(keys, to, key))
        return moved

    def generate(self, epoch: int) -> None:
        """Makes the root version of an epoch.

        Raises: KeyUnavailable when it exists, was destroyed, or the file cannot be written.
        """
        with self._changing() as keys:
            if epoch in keys.roots:
                raise KeyUnavailable(
                    f"Root key version {epoch} exists already or was destroyed.", advice="Use the next epoch."
                )
            keys.roots[epoch] = hazmat.random_secret()

    def destroy(self, epoch: int) -> None:
        """Ends a root version for ever: whatever it wraps is lost. Doing it again changes nothing.

        Raises: KeyUnavailable when the version never existed, or the file cannot be written.
        """
        with self._changing() as keys:
            if epoch not in keys.roots:
                raise KeyUnavailable(f"Root key version {epoch} never existed.", advice="Check the epoch.")
            keys.roots[epoch] = None

    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        """Ed25519 signatures by the key in the file."""
        with self._read().sign as seed:
            return [seed.use(partial(hazmat.ed25519_sign, message=message)) for message in messages]

    def verifying_key(self) -> bytes:
        """The public half of that key."""
        with self._read().sign as seed:
            return seed.use(hazmat.ed25519_public)

    def hmac(self, messages: Sequence[bytes]) -> list[bytes]:
        """HMAC-SHA256 by the key in the file."""
        with self._read().hmac as key:
            return [key.use(partial(hazmat.hmac_sha256, message=message)) for message in messages]

    def health(self) -> Health:
        """Which root versions stand and which are destroyed, when the file can be used now.

        Raises: KeyUnavailable, saying what is wrong with it.
        """
        return Health({epoch: _state(root) for epoch, root in self._read().roots.items()})

    def capabilities(self) -> frozenset[Capability]:
        """All but putting a version out of use for a while: what is in the file serves."""
        return frozenset(Capability) - {Capability.DISABLE}

    def _read(self) -> _Keys:
        try:
            with _locked(self._path.parent, fcntl.LOCK_SH):
                return self._load()
        except OSError as failure:
            raise _unusable(failure) from None

    def _load(self) -> _Keys:
        with self._path.open("rb") as file:
            _only_its_owner(os.fstat(file.fileno()))
            text = bytearray(file.read())
        keys = _parsed(text)
        hazmat.wipe(text)
        if keys is None:
            raise KeyUnavailable("The key file is damaged.", advice="Restore it from its backup.")
        return keys

    @contextmanager
    def _changing(self) -> Iterator[_Keys]:
        """The keys, written back as one whole file when the block ends well; one process at a time."""
        try:
            with _locked(self._path.parent, fcntl.LOCK_EX):
                keys = self._load()
                yield keys
                with self._path.open("r+b") as old, _fresh(self._path, keys) as fresh:
                    fresh.replace(self._path)
                    _sync_folder(self._path)
                    _overwrite(old.fileno())
        except OSError as failure:
            raise _unusable(failure) from None


def _state(root: hazmat.Secret | None) -> RootState:
    return RootState.DESTROYED if root is None else RootState.STANDING


def _wrapped(keys: _Keys, context: Context, key: hazmat.Secret) -> bytes | Unavailable:
    try:
        return wrap_key(keys.cipher(context.epoch), key, KEK_DOMAIN, context)
    except Unavailable as failure:
        return failure


def _unwrapped(keys: _Keys, context: Context, wrapped: bytes) -> hazmat.Secret | Unavailable:
    try:
        return unwrap_key(keys.cipher(context.epoch), wrapped, KEK_DOMAIN, context)
    except Unavailable as failure:
        return failure


def _parsed(text: bytearray) -> _Keys | None:
    """The keys of a file's text; None, and no error that would hold the text, when it has another form."""
    try:
        entries: Any = json.loads(text)
        if entries.pop("format") != FORMAT or set(entries) != {"roots", "sign", "hmac"}:
            return None
        roots = {int(epoch): None if key is None else _secret(key) for epoch, key in entries["roots"].items()}
        return _Keys(roots, _secret(entries["sign"]), _secret(entries["hmac"]))
    except (ValueError, TypeError, AttributeError, LookupError):
        return None


def _secret(digits: str) -> hazmat.Secret:
    return hazmat.Secret(bytearray.fromhex(digits))


def _text(keys: _Keys) -> bytearray:
    roots = {str(epoch): None if key is None else key.use(bytearray.hex) for epoch, key in sorted(keys.roots.items())}
    rest = {"sign": keys.sign.use(bytearray.hex), "hmac": keys.hmac.use(bytearray.hex)}
    entries = {"format": FORMAT, "roots": roots, **rest}
    return bytearray(json.dumps(entries, indent=1).encode() + b"\n")


@contextmanager
def _fresh(path: Path, keys: _Keys) -> Iterator[Path]:
    """The keys in a whole file beside the one they are for; no copy of them stays there, whatever happens."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    try:
        _write_new(fresh, keys)
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


def _write_new(path: Path, keys: _Keys) -> None:
    """A file that never existed with wider rights, whole on disk when this returns."""
    text = _text(keys)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    hazmat.wipe(text)


def _overwrite(descriptor: int) -> None:
    """Zeros over a file that was replaced; what the file system or the disk copied before is out of reach."""
    os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
    os.fsync(descriptor)


@contextmanager
def _locked(folder: Path, kind: int) -> Iterator[None]:
    """Waits for its turn on the folder: the file itself is replaced, so a lock on it would be lost.

    Readers share the lock, for a file that is being replaced ends as zeros.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _only_its_owner(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise KeyUnavailable("The key file is not a file.", advice="Name a file in CREDENCE_KEYS.")
    if facts.st_mode & _OTHERS:
        raise KeyUnavailable("The key file can be reached by others.", advice="Run `chmod 600` on it, then rotate.")
    if facts.st_uid not in {0, os.geteuid()}:
        raise KeyUnavailable("The key file belongs to another user.", advice="Make the service's user its owner.")


def _unusable(failure: OSError) -> KeyUnavailable:
    reason = os.strerror(failure.errno) if failure.errno else "unknown"
    return KeyUnavailable(f"The key file cannot be used: {reason}.", advice="Check its path, owner and mode 0600.")
