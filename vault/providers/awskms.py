"""Root keys in AWS KMS: one key per epoch, found by its alias, which never leaves the service.

    awskms:eu-central-1/credence

The aliases are `alias/NAME-root-EPOCH` and `alias/NAME-hmac`. The tenant, the purpose and the epoch are the encryption
context of a wrapped key, which is CE 01 03 00 ‖ epoch (4) ‖ what the service made. Who we are to the service is told
by the machine's role or the variables and files that boto3 reads, never here. A key that is destroyed refuses at once
and is gone when its waiting period ends. There are no Ed25519 signatures.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from domain.errors import KeyUnavailable, Malformed, Tampered, Unavailable
from vault import hazmat
from vault.providers.crew import WAIT_SECONDS, Crew, Silent
from vault.providers.port import Capability, Context, Health, RootState
from vault.providers.written import divided, malformed
from vault.seal import u32
from vault.wrapping import KEK_DOMAIN

FORM: Final = (
    "Write awskms:REGION/NAME, such as awskms:eu-central-1/credence, and perhaps ?endpoint=URL&waiting-days=30."
)
HEADER: Final = bytes.fromhex("ce010300")
"""Magic, format 1, wrapped by AWS KMS, reserved."""
WAITING_DAYS: Final = 30
"""How long a key that is destroyed can still be called back by an administrator, unless the setting says otherwise."""
_LEAST_DAYS: Final = 7
_NAME: Final = re.compile(r"[a-z0-9-]{1,32}/[A-Za-z0-9_-]{1,64}")
_ENDPOINT: Final = re.compile(r"https://[A-Za-z0-9.:-]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?")
_STATES: Final = {
    "Enabled": RootState.STANDING,
    "PendingDeletion": RootState.ENDING,
    "PendingReplicaDeletion": RootState.ENDING,
}
"""A key in any other state is disabled: it may come back."""
_FORGED: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_GONE: Final = frozenset(
    {"DisabledException", "KMSInvalidStateException", "NotFoundException", "KeyUnavailableException"}
)
_REFUSED: Final = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Keys of one region, as `CREDENCE_KEYS` names them."""

    region: str
    key: str
    endpoint: str | None
    waiting_days: int

    @classmethod
    def read(cls, written: str) -> Place:
        """The place that is written.

        Raises: Malformed.
        """
        path, options = divided(written, frozenset({"endpoint", "waiting-days"}), FORM)
        if not _NAME.fullmatch(path):
            raise malformed("it does not name a region and a key.", FORM)
        endpoint, days = options.get("endpoint"), options.get("waiting-days", str(WAITING_DAYS))
        if endpoint is not None and not _ENDPOINT.fullmatch(endpoint):
            raise malformed("the endpoint is no https address.", FORM)
        if not days.isdecimal() or not _LEAST_DAYS <= int(days) <= WAITING_DAYS:
            raise malformed(f"the service waits {_LEAST_DAYS} to {WAITING_DAYS} days.", FORM)
        region, _, key = path.partition("/")
        return cls(region, key, endpoint, int(days))

    def provider(self) -> AwsKms:
        """The service there.

        Raises: Malformed where what speaks to it is not installed.
        """
        return AwsKms(self)

    def bare(self) -> bool:
        """Whether no root was ever made there."""
        return not self.provider().health().roots

    def found(self, epoch: int) -> None:
        """Makes the first root there, and the key beside it.

        Raises: KeyUnavailable.
        """
        self.provider().generate(epoch)


class AwsKms:
    """Root keys in AWS KMS; what is asked of many keys is asked side by side."""

    def __init__(self, place: Place, client: Callable[[], Any] | None = None) -> None:
        """Takes what makes the client, which tests replace; it is made when it is first needed."""
        try:
            import boto3  # noqa: F401, PLC0415 - an extra, which others need not install
            import botocore.exceptions as refusals  # noqa: PLC0415 - the same
        except ImportError:
            raise Malformed(
                "What speaks to AWS KMS is not installed.",
                advice="Install the extra: pip install 'credence-vault[aws]'.",
                path=("keys",),
            ) from None
        self._refusals = refusals
        self._place = place
        self._crew = Crew(self.name, self._states)
        self._make = client or partial(_client, place)
        self._made: Any = None
        self._making = threading.Lock()

    def __repr__(self) -> str:
        return f"AwsKms({self.name!r})"

    @property
    def name(self) -> str:
        """Which keys they are, and where."""
        return f"AWS KMS {self._place.endpoint or self._place.region}, alias/{self._place.key}-root-…"

    def wrap(self, items: Sequence[tuple[Context, hazmat.Secret]]) -> list[bytes | Unavailable]:
        """Keys, each wrapped by the key of its epoch and bound to its context."""
        return self._crew.run([partial(self._tried, self._wrapped, context, key) for context, key in items])

    def unwrap(self, items: Sequence[tuple[Context, bytes]]) -> list[hazmat.Secret | Unavailable]:
        """The keys of wrapped ones: Tampered where the context differs, KeyUnavailable where the root is gone."""
        return self._crew.run([partial(self._tried, self._unwrapped, context, wrapped) for context, wrapped in items])

    def rewrap(self, items: Sequence[tuple[Context, bytes]], epoch: int) -> list[bytes | Unavailable]:
        """The same keys under the key of another epoch; they do not leave the service on the way."""
        moved = partial(self._rewrapped, epoch)
        return self._crew.run([partial(self._tried, moved, context, wrapped) for context, wrapped in items])

    def generate(self, epoch: int) -> None:
        """Makes the key of the following epoch; the first one makes the key beside it.

        Raises: KeyUnavailable when it exists or was destroyed, or our role may not.
        """
        following = self.health().following()
        if epoch != following:
            raise KeyUnavailable(
                f"Root key version {epoch} exists already, was destroyed, or is not the following one.",
                advice=f"Generate version {following}.",
            )
        if not self._one(partial(self._has, "hmac")):
            self._one(partial(self._created, "hmac", {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}))
        self._one(partial(self._created, f"root-{epoch}", {"KeySpec": "SYMMETRIC_DEFAULT"}))

    def destroy(self, epoch: int) -> None:
        """Lets a root refuse from now on, and end for ever when its waiting period does.

        Raises: KeyUnavailable when the version never existed, or our role may not.
        """
        state = self.health().roots.get(epoch)
        if state is None:
            raise KeyUnavailable(f"Root key version {epoch} never existed.", advice="Check the epoch.")
        if state is not RootState.ENDING:
            self._one(partial(self._ended, epoch))

    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        """Refuses: there are no Ed25519 signatures.

        Raises: KeyUnavailable.
        """
        del messages
        raise KeyUnavailable("AWS KMS signs nothing for us.", advice="Keys of companies sign, which it wraps.")

    def verifying_key(self) -> bytes:
        """Refuses: there are no Ed25519 signatures.

        Raises: KeyUnavailable.
        """
        raise KeyUnavailable("AWS KMS signs nothing for us.", advice="Keys of companies sign, which it wraps.")

    def hmac(self, messages: Sequence[bytes]) -> list[bytes]:
        """HMAC-SHA256 by the key beside."""
        alias = self._alias("hmac")

        def made(message: bytes) -> bytes:
            asked = {"KeyId": alias, "Message": message, "MacAlgorithm": "HMAC_SHA_256"}
            return bytes(self._asked("generate_mac", asked)["Mac"])

        return self._crew.run([partial(made, message) for message in messages])

    def health(self) -> Health:
        """The keys whose aliases stand, each with its state.

        Raises: KeyUnavailable.
        """
        (roots,) = self._crew.run([self._states], though_out=True)
        return Health(roots)

    def capabilities(self) -> frozenset[Capability]:
        """All but signing."""
        return frozenset(Capability) - {Capability.SIGN}

    def _wrapped(self, context: Context, key: hazmat.Secret) -> bytes:
        asked = {"KeyId": self._alias(f"root-{context.epoch}"), "EncryptionContext": _bound(context)}
        made = self._asked("encrypt", {**asked, "Plaintext": key.use(bytes)})
        return HEADER + u32(context.epoch) + bytes(made["CiphertextBlob"])

    def _unwrapped(self, context: Context, wrapped: bytes) -> hazmat.Secret:
        asked = {"KeyId": self._alias(f"root-{context.epoch}"), "EncryptionContext": _bound(context)}
        raw = bytearray(self._asked("decrypt", {**asked, "CiphertextBlob": _blob(context, wrapped)})["Plaintext"])
        if len(raw) != hazmat.KEY_BYTES:
            raise Tampered("A wrapped key is none.")
        return hazmat.Secret(raw)

    def _rewrapped(self, epoch: int, context: Context, wrapped: bytes) -> bytes:
        to = Context(context.tenant, context.purpose, epoch)
        asked = {
            "CiphertextBlob": _blob(context, wrapped),
            "SourceKeyId": self._alias(f"root-{context.epoch}"),
            "SourceEncryptionContext": _bound(context),
            "DestinationKeyId": self._alias(f"root-{epoch}"),
            "DestinationEncryptionContext": _bound(to),
        }
        return HEADER + u32(epoch) + bytes(self._asked("re_encrypt", asked)["CiphertextBlob"])

    def _created(self, name: str, kind: Mapping[str, str]) -> None:
        made = self._asked("create_key", {"Description": f"Credence {self._place.key}-{name}", **kind})
        key = made["KeyMetadata"]["KeyId"]
        try:
            self._asked("create_alias", {"AliasName": self._alias(name), "TargetKeyId": key})
        except KeyUnavailable:
            # Without its alias it serves nobody; somebody else may have been faster.
            self._asked("schedule_key_deletion", {"KeyId": key, "PendingWindowInDays": _LEAST_DAYS})
            raise

    def _ended(self, epoch: int) -> None:
        found = self._asked("describe_key", {"KeyId": self._alias(f"root-{epoch}")})
        days = self._place.waiting_days
        self._asked("schedule_key_deletion", {"KeyId": found["KeyMetadata"]["KeyId"], "PendingWindowInDays": days})

    def _states(self) -> dict[int, RootState]:
        head, found = self._alias("root-"), dict[int, RootState]()
        for name, key in self._aliases():
            epoch = name.removeprefix(head)
            if name.startswith(head) and epoch.isdecimal():
                told = self._asked("describe_key", {"KeyId": key})
                found[int(epoch)] = _STATES.get(told["KeyMetadata"]["KeyState"], RootState.DISABLED)
        return found

    def _aliases(self) -> Iterator[tuple[str, str]]:
        """Every alias with the key behind it; those of others too, for the service does not choose."""
        asked: dict[str, Any] = {}
        while True:
            page = self._asked("list_aliases", asked)
            yield from ((one["AliasName"], one["TargetKeyId"]) for one in page["Aliases"] if "TargetKeyId" in one)
            if not page.get("Truncated"):
                return
            asked = {"Marker": page["NextMarker"]}

    def _has(self, name: str) -> bool:
        return any(alias == self._alias(name) for alias, _ in self._aliases())

    def _one(self, call: Callable[[], T]) -> T:
        return self._crew.run([call])[0]

    def _tried(self, act: Callable[[Context, Any], T], context: Context, item: Any) -> T | Unavailable:
        try:
            return act(context, item)
        except Silent:
            raise
        except Unavailable as failure:
            return failure

    def _asked(self, verb: str, asked: Mapping[str, Any]) -> Any:
        """What the service answers.

        Raises: Tampered; KeyUnavailable; Silent when it cannot serve now. None of them holds what it said.
        """
        try:
            return getattr(self._client(), verb)(**asked)
        except self._refusals.ClientError as refusal:
            code = str(refusal.response.get("Error", {}).get("Code", "unknown"))
        except (self._refusals.NoCredentialsError, self._refusals.PartialCredentialsError):
            code = "MissingAuthenticationTokenException"
        except (self._refusals.BotoCoreError, OSError, ValueError, LookupError) as failure:
            raise self._crew.silent(f"fails: {type(failure).__name__}") from None
        if code in _FORGED:
            raise Tampered("A wrapped key does not verify for what it is used for.")
        if code in _GONE:
            raise KeyUnavailable(
                f"A root key does not serve: {verb} at {self.name} says {code}.",
                advice="See `credence keys status`; what a destroyed version protects is lost on purpose.",
            )
        if code in _REFUSED:
            raise KeyUnavailable(
                f"The role may not do that: {verb} at {self.name} says {code}.",
                advice="Check the machine's role and its policy; docs/keys.md has the least it needs.",
            )
        if code == "AlreadyExistsException":
            raise KeyUnavailable("Somebody else made that key too.", advice="See `credence keys status`.")
        raise self._crew.silent(f"says {code}" if code.isalnum() else "refuses")

    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _alias(self, name: str) -> str:
        return f"alias/{self._place.key}-{name}"


def _client(place: Place) -> Any:
    import boto3  # noqa: PLC0415 - an extra
    from botocore.config import Config  # noqa: PLC0415 - the same

    # At their lowest level these write what is sent and received: keys.
    for name in ("boto3", "botocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    patience = Config(
        connect_timeout=WAIT_SECONDS / 2,
        read_timeout=WAIT_SECONDS / 2,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=10,
    )
    return boto3.session.Session().client("kms", region_name=place.region, endpoint_url=place.endpoint, config=patience)


def _bound(context: Context) -> dict[str, str]:
    """The context as the service authenticates and logs it."""
    try:
        tenant, purpose, _ = context.parts()
    except (ValueError, OverflowError):
        raise Tampered("A wrapped key is used for what cannot exist.") from None
    return {
        "for": KEK_DOMAIN.decode("ascii"),
        "tenant": tenant.hex(),
        "purpose": purpose.decode("ascii"),
        "epoch": str(context.epoch),
    }


def _blob(context: Context, wrapped: bytes) -> bytes:
    _bound(context)
    head = HEADER + u32(context.epoch)
    if wrapped[: len(head)] != head:
        raise Tampered("A wrapped key is not in the form of this provider, or of another epoch.")
    return wrapped[len(head) :]
