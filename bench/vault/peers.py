"""One field sealed and opened: by us, by OpenSSL alone, and by what people use instead."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from cryptography.fernet import Fernet

from vault import hazmat, seal

FIELDS, PER_RECORD = 1_000, 4
VALUE, BUCKET = "+86 10 5555 0100", 32
Work = Callable[[], object]


def openssl() -> float | None:
    """The seconds of one AES-256-GCM of 32 bytes by OpenSSL itself, with a context used again; None without it."""
    program = shutil.which("openssl")
    if program is None:
        return None
    words = [program, "speed", "-elapsed", "-seconds", "1", "-aead", "-bytes", str(BUCKET), "-evp", "aes-256-gcm"]
    told = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - the machine's own
    count, seconds = re.search(r"(\d+) AES-256-GCM's in ([0-9.]+)s", told.stderr, re.IGNORECASE).groups()  # type: ignore[union-attr] # it always says so
    return float(seconds) / int(count)


class Ours:
    """The product: typed, padded, and bound to its cell."""

    def __init__(self) -> None:
        tenant, subject = os.urandom(16), os.urandom(16)
        self.dek = seal.Dek(os.urandom(16), hazmat.random_secret())
        records = [os.urandom(16) for _ in range(FIELDS // PER_RECORD)]
        self.cells = [
            seal.Cell(tenant, subject, "contact", "credit_file", record, 1, f"contact.field{number}", 1)
            for record in records
            for number in range(PER_RECORD)
        ]
        self.items = [(self.dek, cell, seal.seal(self.dek, cell, VALUE, BUCKET)) for cell in self.cells]
        self.bounds = [seal.associated_data(self.dek.heads[envelope[:20]], cell) for _, cell, envelope in self.items]

    def sealing(self) -> list[bytes]:
        """Every field sealed."""
        return [seal.seal(self.dek, cell, VALUE, BUCKET) for cell in self.cells]

    def opening(self) -> list[Any]:
        """Every field opened."""
        return seal.open_many(self.items)


def works() -> Iterator[tuple[str, Work, Work]]:
    """Every rival: its name, how it seals and how it opens as many fields. What is not installed is left out."""
    ours = Ours()
    yield "Credence", ours.sealing, ours.opening
    encrypt, decrypt, text = ours.dek.cipher.encrypt, ours.dek.cipher.decrypt, VALUE.encode()
    bare = [(os.urandom(12), bound) for bound in ours.bounds]
    shut = [(nonce, encrypt(nonce, text, bound), bound) for nonce, bound in bare]
    yield (
        "AESGCM of cryptography, reused, nothing around it",
        lambda: [encrypt(nonce, text, bound) for nonce, bound in bare],
        lambda: [decrypt(*one) for one in shut],
    )
    yield from _tink(ours.bounds, text)
    yield from _utils()
    fernet = Fernet(Fernet.generate_key())
    tokens = [fernet.encrypt(text) for _ in ours.bounds]
    yield (
        "Fernet",
        lambda: [fernet.encrypt(text) for _ in ours.bounds],
        lambda: [fernet.decrypt(token) for token in tokens],
    )


def _tink(bounds: list[bytes], text: bytes) -> Iterator[tuple[str, Work, Work]]:
    try:
        import tink  # noqa: PLC0415 - a rival that need not be there
        from tink import aead  # noqa: PLC0415 - the same
    except ImportError:
        return
    aead.register()
    own = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM).primitive(aead.Aead)
    shut = [(own.encrypt(text, bound), bound) for bound in bounds]
    yield (
        "Tink, its associated data made beforehand",
        lambda: [own.encrypt(text, bound) for bound in bounds],
        lambda: [own.decrypt(*one) for one in shut],
    )


def _utils() -> Iterator[tuple[str, Work, Work]]:
    try:
        import sqlalchemy as sa  # noqa: PLC0415 - for the rival alone
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - the same
        from sqlalchemy_utils.types.encrypted.encrypted_type import AesGcmEngine, StringEncryptedType  # noqa: PLC0415 - the rival
    except ImportError:
        return
    column, dialect = StringEncryptedType(sa.String, "a key of thirty-two letters, yes", AesGcmEngine), sqlite.dialect()
    shut = [column.process_bind_param(VALUE, dialect) for _ in range(FIELDS)]
    yield (
        "sqlalchemy-utils StringEncryptedType(AesGcmEngine)",
        lambda: [column.process_bind_param(VALUE, dialect) for _ in range(FIELDS)],
        lambda: [column.process_result_value(one, dialect) for one in shut],
    )


def taken(work: Work) -> float:
    """The seconds of one run."""
    begun = perf_counter()
    work()
    return perf_counter() - begun
