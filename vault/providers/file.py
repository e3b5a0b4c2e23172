"""The local key file: the provider for one host, its root keys in a file that only its owner can read.

    file:PATH                          as it is, mode 0600
    file:PATH?passphrase=file:OTHER    sealed with a passphrase, which may also be env:NAME or credential:NAME

A root version without a key is destroyed, and its number is never used again. The file is read for every call: no
root stays in memory, a destroyed one stops at once in every process, and a file others may read is refused.
Every copy of the file is a backup of the roots: whoever keeps one keeps what was erased.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from domain.errors import KeyUnavailable, Unavailable
from vault import hazmat
from vault.providers.keytext import Keys, Passphrase, parsed, written
from vault.providers.port import Capability, Context, Health, RootState
from vault.providers.written import SecretPlace, divided, malformed
from vault.wrapping import KEK_DOMAIN, unwrap_key, wrap_key

MODE: Final = 0o600
FORM: Final = "Write file:PATH, such as file:credence-data/keys.json, and perhaps ?passphrase=file:OTHER."
WAIT_SECONDS: Final = 2.5
"""How long a call waits while others read or change the file."""
_TURN_SECONDS: Final = 0.002
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Place:
    """A key file, as `CREDENCE_KEYS` names it: `file:PATH`."""

    path: Path
    passphrase: SecretPlace | None = None

    @classmethod
    def read(cls, named: str) -> Place:
        """The place that is written.

        Raises: Malformed.
        """
        path, options = divided(named, frozenset({"passphrase"}), FORM)
        if not path:
            raise malformed("it names no key file.", FORM)
        sealed = "passphrase" in options
        return cls(Path(unquote(path)), SecretPlace.read("passphrase", options["passphrase"]) if sealed else None)

    def provider(self) -> KeyFile:
        """The key file there."""
        return KeyFile(self.path, self._passphrase())

    def bare(self) -> bool:
        """Whether there is no file."""
        return not self.path.exists()

    def found(self, epoch: int) -> None:
        """Makes the file, and the folder for it.

        Raises: KeyUnavailable.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        KeyFile.create(self.path, epoch, self._passphrase())

    def seal(self, former: SecretPlace | None) -> None:
        """Seals the file with the passphrase of this place.

        Raises: KeyUnavailable.
        """
        KeyFile(self.path, self._passphrase()).seal(None if former is None else Passphrase(former))

    def _passphrase(self) -> Passphrase | None:
        return None if self.passphrase is None else Passphrase(self.passphrase)


class KeyFile:
    """Root keys in a local file, and an Ed25519 key beside them."""

    def __init__(self, path: Path, passphrase: Passphrase | None = None) -> None:
        self._path, self._passphrase = path, passphrase

    @classmethod
    def create(cls, path: Path, epoch: int, passphrase: Passphrase | None = None) -> KeyFile:
        """A new file with the root of its first epoch, mode 0600; an existing file is never overwritten.

        Raises: KeyUnavailable.
        """
        keys = Keys({epoch: hazmat.random_secret()}, hazmat.random_secret(), hazmat.random_secret())
        text = written(keys, passphrase)
        try:
            with _locked(path.parent, fcntl.LOCK_EX), _fresh(path, text) as fresh:
                os.link(fresh, path)  # whole or not at all, and over no other
            _sync_folder(path)
        except OSError as failure:
            raise _unusable(failure) from None
        return cls(path, passphrase)

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
        with self._changing(self._passphrase) as keys:
            if epoch in keys.roots:
                raise KeyUnavailable(
                    f"Root key version {epoch} exists already or was destroyed.", advice="Use the next epoch."
                )
            keys.roots[epoch] = hazmat.random_secret()

    def destroy(self, epoch: int) -> None:
        """Ends a root version for ever: whatever it wraps is lost. Doing it again changes nothing.

        Raises: KeyUnavailable when the version never existed, or the file cannot be written.
        """
        with self._changing(self._passphrase) as keys:
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

    def seal(self, former: Passphrase | None) -> None:
        """Seals the file with the passphrase of this place, whether it was plain or had a former one.

        Raises: KeyUnavailable where neither that nor the file is as it is said to be.
        """
        with self._changing(former):
            pass

    def _read(self) -> Keys:
        try:
            with _locked(self._path.parent, fcntl.LOCK_SH):
                return self._load(self._passphrase)
        except OSError as failure:
            raise _unusable(failure) from None

    def _load(self, passphrase: Passphrase | None) -> Keys:
        with self._path.open("rb") as file:
            _only_its_owner(os.fstat(file.fileno()))
            text = bytearray(file.read())
        return parsed(text, passphrase)

    @contextmanager
    def _changing(self, passphrase: Passphrase | None) -> Iterator[Keys]:
        """The keys, written back as one whole file when the block ends well; one process at a time."""
        try:
            with _locked(self._path.parent, fcntl.LOCK_EX):
                keys = self._load(passphrase)
                yield keys
                text = written(keys, self._passphrase)
                with self._path.open("r+b") as old, _fresh(self._path, text) as fresh:
                    fresh.replace(self._path)
                    _sync_folder(self._path)
                    _overwrite(old.fileno())
        except OSError as failure:
            raise _unusable(failure) from None


def _state(root: hazmat.Secret | None) -> RootState:
    return RootState.DESTROYED if root is None else RootState.STANDING


def _wrapped(keys: Keys, context: Context, key: hazmat.Secret) -> bytes | Unavailable:
    try:
        return wrap_key(keys.cipher(context.epoch), key, KEK_DOMAIN, context)
    except Unavailable as failure:
        return failure


def _unwrapped(keys: Keys, context: Context, wrapped: bytes) -> hazmat.Secret | Unavailable:
    try:
        return unwrap_key(keys.cipher(context.epoch), wrapped, KEK_DOMAIN, context)
    except Unavailable as failure:
        return failure


@contextmanager
def _fresh(path: Path, text: bytearray) -> Iterator[Path]:
    """A text in a whole file beside the one it is for; no copy of it stays there, whatever happens."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    try:
        _write_new(fresh, text)
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


def _write_new(path: Path, text: bytearray) -> None:
    """A file that never existed with wider rights, whole on disk when this returns; the text is wiped."""
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
        _take(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, kind: int) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise KeyUnavailable(
                    f"The key file is held by another process for {WAIT_SECONDS:g} seconds.",
                    advice="See which process has its folder open, and whether it hangs.",
                ) from None
        time.sleep(_TURN_SECONDS)


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
