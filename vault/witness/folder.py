"""What a witness keeps, in a folder of its own: its key, the logs it follows, and the latest checkpoint of each.

    key         PRIVATE+KEY+name+id+base64, mode 0600
    logs        one key per line, name+id+base64; the name is the origin of the log
    state/      one signed checkpoint per log, under the SHA-256 of its origin, as the log had it signed
    state/lock  held by the one process that serves

A witness that lost its state could sign a second history: it is given up, and never begun again under the same key.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from domain.errors import Malformed, NotFound, Overloaded, Tampered
from vault import hazmat
from vault.audit.note import (
    COSIGNATURE,
    COSIGNS,
    ED25519,
    ML_DSA_44,
    Checkpoint,
    Cosigner,
    Verifier,
    canonical_base64,
    parse_checkpoint,
    parse_note,
)

KEY: Final = "key"
LOGS: Final = "logs"
STATE: Final = "state"
LOCK: Final = "lock"
MOST_LOGS: Final = 10_000
_PRIVATE: Final = "PRIVATE+KEY"
_OWN, _ALONE = 0o700, 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_ONE_PLACE: Final = "Name the folder that `credence witness open` made."


def opened(folder: Path, name: str, algorithm: int = COSIGNATURE) -> Verifier:
    """Makes the folder of a new witness, with a key of an algorithm that cosigns; the key to pin.

    Raises: Malformed for a name no key can have, and where something is there already.
    """
    seed = hazmat.random_secret()
    with seed:
        verifier = Verifier(name, algorithm, seed.use(_public(algorithm)))
        text = seed.use(lambda raw: _written(verifier, bytes(raw)))
    if folder.exists() and any(folder.iterdir()):
        raise Malformed("The folder is not empty.", advice="Name a new folder: a witness has one of its own.")
    folder.mkdir(_OWN, parents=True, exist_ok=True)
    (folder / STATE).mkdir(_OWN)
    put(folder / LOGS, b"")
    put(folder / KEY, text)
    return verifier


def followed(folder: Path, keys: tuple[Verifier, ...]) -> tuple[Verifier, ...]:
    """Follows logs from now on, besides those that are followed; all of them.

    Raises: Malformed for a key that signs no log, or too many; NotFound.
    """
    for key in keys:
        if key.algorithm != ED25519:
            raise Malformed(f"The key of {key.name} cosigns, and signs no log.", advice=_LOG_KEY, path=("key",))
    known = tuple(dict.fromkeys((*logs(folder), *keys)))
    if len(known) > MOST_LOGS:
        raise Malformed(f"A witness follows at most {MOST_LOGS} logs.", advice="Run another one.")
    put(folder / LOGS, "".join(f"{key}\n" for key in known).encode())
    return known


_LOG_KEY: Final = "Write the key as `credence audit export` told it: name+id+base64."


def logs(folder: Path) -> tuple[Verifier, ...]:
    """The keys of the logs that are followed; a log has two while it changes its key.

    Raises: NotFound; Malformed.
    """
    lines = _read(folder / LOGS).decode(errors="replace").splitlines()
    return tuple(Verifier.read(line) for line in lines if line)


def cosigner(folder: Path, now: Callable[[], int]) -> Cosigner:
    """The key of the witness; its private part is read from the file for each signature.

    Raises: NotFound; Malformed; Tampered where others can reach it.
    """
    verifier, _ = _key(folder)

    signs = hazmat.mldsa44_sign if verifier.algorithm == ML_DSA_44 else hazmat.ed25519_sign

    def sign(message: bytes) -> bytes:
        with _key(folder)[1] as seed:
            return seed.use(lambda raw: signs(raw, message))

    return Cosigner(verifier.name, verifier.public, sign, now, verifier.algorithm)


class State:
    """The latest checkpoint of each log; one process at a time has it."""

    def __init__(self, folder: Path) -> None:
        """Takes the state.

        Raises: NotFound where there is none; Overloaded while another process has it.
        """
        self._folder = folder / STATE
        if not self._folder.is_dir():
            raise NotFound(
                "The witness has no state: what it cosigned before is not known.",
                advice="Bring the folder `state` back as it was, or give this witness up and open another one.",
            )
        self._lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _ALONE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise Overloaded("Another process serves this witness.", advice="End that one first.") from None

    def close(self) -> None:
        """Lets it go."""
        os.close(self._lock)

    def latest(self, origin: str) -> Checkpoint | None:
        """The latest checkpoint of a log that was cosigned.

        Raises: Tampered where what is kept is no checkpoint of it.
        """
        return latest(self._folder, origin)

    def keep(self, origin: str, note: bytes) -> None:
        """Keeps a checkpoint in place of the one before it; durable when it returns."""
        put(self._folder / _file(origin), note)


def standing(folder: Path) -> Mapping[str, int]:
    """How many entries of each followed log were cosigned, without taking the state.

    Raises: NotFound; Malformed; Tampered.
    """
    found = {key.name: latest(folder / STATE, key.name) for key in logs(folder)}
    return {origin: 0 if held is None else held.size for origin, held in found.items()}


def latest(state: Path, origin: str) -> Checkpoint | None:
    """The latest checkpoint of a log in a folder of states."""
    try:
        data = (state / _file(origin)).read_bytes()
    except FileNotFoundError:
        return None
    try:
        held = parse_checkpoint(parse_note(data).text)
    except Malformed:
        held = None
    if held is None or held.origin != origin:
        raise Tampered("What the witness kept of a log is damaged.", advice="Bring it back from a copy as it was.")
    return held


def _key(folder: Path) -> tuple[Verifier, hazmat.Secret]:
    path = folder / KEY
    text = _read(path).decode(errors="replace")
    if path.stat().st_mode & _OTHERS:
        raise Tampered("Others can read the key of the witness.", advice="`chmod 600` it, and think of a new one.")
    head, _, rest = text.strip().partition(f"{_PRIVATE}+")
    name, known_as, data = [*rest.split("+", 2), "", ""][:3]
    raw = canonical_base64(data)
    if head or len(raw) != 1 + hazmat.KEY_BYTES or raw[0] not in COSIGNS:
        raise Malformed("The key of the witness is not in the form it is written in.", advice=_ONE_PLACE)
    seed = hazmat.Secret(bytearray(raw[1:]))
    verifier = Verifier(name, raw[0], seed.use(_public(raw[0])))
    if verifier.key_id.hex() != known_as:
        raise Malformed("The key of the witness does not belong to its name.", advice=_ONE_PLACE)
    return verifier, seed


def _written(verifier: Verifier, seed: bytes) -> bytes:
    known_as, data = verifier.key_id.hex(), bytes((verifier.algorithm,)) + seed
    return f"{_PRIVATE}+{verifier.name}+{known_as}+{b64encode(data).decode()}\n".encode()


def _public(algorithm: int) -> Callable[[bytearray], bytes]:
    return hazmat.mldsa44_public if algorithm == ML_DSA_44 else hazmat.ed25519_public


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"There is no {path.name} of a witness.", advice=_ONE_PLACE) from None


def _file(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()


def put(path: Path, data: bytes) -> None:
    """Writes a file whole: before this returns it is durable, and at no moment half of it is there."""
    beside = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _ALONE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
