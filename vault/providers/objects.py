"""The objects of a PKCS#11 token as one session sees them: what is asked of roots, and how they come and go."""

from __future__ import annotations

from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from domain.errors import KeyUnavailable, Tampered
from vault import hazmat
from vault.providers.port import Context, RootState
from vault.seal import pae
from vault.wrapping import KEK_DOMAIN, WRAP_HEADER, WRAPPED_BYTES

if TYPE_CHECKING:
    import pkcs11

_NONCE: Final = len(WRAP_HEADER)
_KEY: Final = _NONCE + hazmat.NONCE_BYTES
_KEY_BITS: Final = 8 * hazmat.KEY_BYTES
_TAG_BITS: Final = 8 * hazmat.TAG_BYTES
_ED25519: Final = "1.3.101.112"


class Objects:
    """The objects whose names begin alike; each root is looked up once."""

    def __init__(self, api: ModuleType, session: pkcs11.Session, name: str) -> None:
        """Takes the module `pkcs11`, which is an extra."""
        self._api, self._session, self._name = api, session, name
        self._roots: dict[int, Any] = {}

    def wrapped(self, context: Context, key: hazmat.Secret) -> bytes:
        """A key under the root of its epoch.

        Raises: KeyUnavailable.
        """
        root, nonce = self._root(context.epoch), hazmat.random_bytes(hazmat.NONCE_BYTES)
        how = self._bound(nonce, context)
        return WRAP_HEADER + nonce + key.use(lambda raw: bytes(root.encrypt(bytes(raw), **how)))

    def unwrapped(self, context: Context, wrapped: bytes) -> hazmat.Secret:
        """The key that was wrapped for exactly this.

        Raises: Tampered; KeyUnavailable.
        """
        if len(wrapped) != WRAPPED_BYTES or wrapped[:_NONCE] != WRAP_HEADER:
            raise Tampered("A wrapped key is not in the form of this provider.")
        try:
            how = self._bound(wrapped[_NONCE:_KEY], context)
        except (ValueError, OverflowError):
            raise Tampered("A wrapped key does not verify for what it is used for.") from None
        root, api = self._root(context.epoch), self._api
        try:
            return hazmat.Secret(bytearray(root.decrypt(wrapped[_KEY:], **how)))
        except (api.GeneralError, api.FunctionFailed, api.EncryptedDataInvalid, api.EncryptedDataLenRange):
            # Tokens say so in different ways. One that fails as a whole fails here too.
            root.encrypt(b"", **self._bound(hazmat.random_bytes(hazmat.NONCE_BYTES), context))
        raise Tampered("A wrapped key does not verify for what it is used for.")

    def states(self) -> dict[int, RootState]:
        """Every root version that the token knows of; the mark of a destroyed one outweighs what is left of it."""
        api, found = self._api, dict[int, RootState]()
        for kind, state in (
            (api.ObjectClass.SECRET_KEY, RootState.STANDING),
            (api.ObjectClass.DATA, RootState.DESTROYED),
        ):
            for thing in self._session.get_objects({api.Attribute.CLASS: kind}):
                head, _, epoch = str(thing[api.Attribute.LABEL]).rpartition("-")
                if head == f"{self._name}-root" and epoch.isdecimal():
                    found[int(epoch)] = state
        return found

    def one(self, kind: pkcs11.ObjectClass, name: str) -> Any:
        """The one object of a kind and a name.

        Raises: KeyUnavailable.
        """
        found = self._all(kind, name)
        if len(found) != 1:
            raise KeyUnavailable(
                f"There are {len(found)} objects {self._name}-{name} in the token, and not one.",
                advice="See `credence keys status`; restore the token from its backup, or remove the one too many.",
            )
        return found[0]

    def generate(self, epoch: int) -> None:
        """Makes a root, and at the first time the keys beside it.

        Raises: KeyUnavailable when it exists or was destroyed.
        """
        if epoch in self.states():
            raise KeyUnavailable(
                f"Root key version {epoch} exists already or was destroyed.", advice="Use the next epoch."
            )
        api, name = self._api, f"root-{epoch}"
        self._make_beside()
        made = self._session.generate_key(
            api.KeyType.AES,
            _KEY_BITS,
            label=f"{self._name}-{name}",
            store=True,
            capabilities=api.MechanismFlag.ENCRYPT | api.MechanismFlag.DECRYPT,
            template=self._kept(),
        )
        if len(self._all(api.ObjectClass.SECRET_KEY, name)) != 1:
            made.destroy()  # somebody else was making the same one: of two, nobody could tell which serves
            raise KeyUnavailable(f"Somebody else made root key version {epoch} too.", advice="Generate it again.")

    def destroy(self, epoch: int) -> None:
        """Ends a root for ever and leaves its mark.

        Raises: KeyUnavailable when it never existed.
        """
        known, api, name = self.states(), self._api, f"root-{epoch}"
        if epoch not in known:
            raise KeyUnavailable(f"Root key version {epoch} never existed.", advice="Check the epoch.")
        if known[epoch] is not RootState.DESTROYED:
            # The mark stands before the key goes: whatever happens between the two, it serves no more.
            self._session.create_object(
                {
                    api.Attribute.CLASS: api.ObjectClass.DATA,
                    api.Attribute.TOKEN: True,
                    api.Attribute.PRIVATE: True,
                    api.Attribute.LABEL: f"{self._name}-{name}",
                    api.Attribute.VALUE: b"destroyed",
                }
            )
        for key in self._all(api.ObjectClass.SECRET_KEY, name):
            key.destroy()

    def _root(self, epoch: int) -> Any:
        root = self._roots.get(epoch)
        if root is None:
            if self._all(self._api.ObjectClass.DATA, f"root-{epoch}"):
                raise KeyUnavailable(
                    f"Root key version {epoch} is destroyed.", advice="What it protects is lost on purpose."
                )
            root = self._roots[epoch] = self.one(self._api.ObjectClass.SECRET_KEY, f"root-{epoch}")
        return root

    def _all(self, kind: pkcs11.ObjectClass, name: str) -> list[Any]:
        attribute = self._api.Attribute
        return list(self._session.get_objects({attribute.CLASS: kind, attribute.LABEL: f"{self._name}-{name}"}))

    def _bound(self, nonce: bytes, context: Context) -> dict[str, Any]:
        bound = pae(KEK_DOMAIN, WRAP_HEADER, *context.parts())
        parameters = self._api.GCMParams(nonce, aad=bound, tag_bits=_TAG_BITS)
        return {"mechanism": self._api.Mechanism.AES_GCM, "mechanism_param": parameters}

    def _make_beside(self) -> None:
        """The keys that sign and make keyed digests; a token that does not know the curve signs nothing."""
        from pkcs11.util.ec import encode_named_curve_parameters  # noqa: PLC0415 - the same extra

        api = self._api
        if not self._all(api.ObjectClass.SECRET_KEY, "hmac"):
            self._session.generate_key(
                api.KeyType.GENERIC_SECRET,
                _KEY_BITS,
                label=f"{self._name}-hmac",
                store=True,
                mechanism=api.Mechanism.GENERIC_SECRET_KEY_GEN,
                capabilities=api.MechanismFlag.SIGN,
                template=self._kept(),
            )
        if self._all(api.ObjectClass.PRIVATE_KEY, "sign"):
            return
        curve = {api.Attribute.EC_PARAMS: encode_named_curve_parameters(_ED25519)}
        with suppress(api.MechanismInvalid, api.DomainParamsInvalid, api.FunctionNotSupported):
            self._session.create_domain_parameters(api.KeyType.EC_EDWARDS, curve, local=True).generate_keypair(
                mechanism=api.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                label=f"{self._name}-sign",
                store=True,
                private_template=self._kept(),
            )

    def _kept(self) -> dict[pkcs11.Attribute, bool]:
        """What makes a key stay in its token."""
        return {self._api.Attribute.SENSITIVE: True, self._api.Attribute.EXTRACTABLE: False}
