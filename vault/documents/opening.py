"""From the cell of a document's content to its bytes: a slot while it is awaited, a passage once it is stored."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from domain import ids
from domain.errors import KeyUnavailable, Tampered
from domain.ports import SealedValue
from vault import hazmat
from vault.documents.blobs import Blobs, Name
from vault.documents.format import HEADER_BYTES, PREFIX, Place, Sealing, Unsealing, dek_id_of
from vault.documents.handing import BlobPassage, Held
from vault.documents.receiving import BlobSlot, in_thread
from vault.keys import DekRow, Keyring, WrappedKey
from vault.providers.port import Purpose
from vault.seal import pae
from vault.store.material import ContentMaterial, Material
from vault.store.tenantkeys import CONTENT_ALG

_DIGEST: Final = b"vault/document-digest/1"


class Contents:
    """Opens what stands for the content of a document; the warrant was looked at before."""

    def __init__(self, ring: Keyring, blobs: Blobs) -> None:
        self._ring = ring
        self._blobs = blobs
        self._held = Held()

    async def open(self, value: SealedValue[Any]) -> BlobSlot | BlobPassage:
        """Where an awaited document is written to, or the way out of a stored one.

        Raises: Tampered; KeyUnavailable; Unavailable.
        """
        material = value.material
        if not isinstance(material, ContentMaterial):
            raise TypeError("The cell of a content carries its material.")
        row, kek = _keys(value, material.cell)
        head = material.cell.envelope
        await self._ring.warmed([kek])
        with self._ring.content_key(row, kek) as key:
            if head == PREFIX + row.dek_id:
                return self._slot(value, material, row, key)
        if dek_id_of(head) != row.dek_id:
            raise Tampered("A sealed document names another data key than its row.")
        name = Name(value.tenant, value.subject, value.record, value.version)
        source = await in_thread(partial(self._blobs.open, name))
        if source is None:
            raise Tampered("The bytes of a document are not there.")
        return await BlobPassage.verified(source, head, partial(self._unsealing, row, kek, head, name), self._held)

    def _slot(self, value: SealedValue[Any], material: ContentMaterial, row: DekRow, key: hazmat.Secret) -> BlobSlot:
        """The bytes are sealed for the version that the cell has once it holds them."""
        name = Name(value.tenant, value.subject, value.record, value.version + 1)
        root = self._ring.root(material.digest, material.kek)
        return BlobSlot(
            self._blobs,
            name,
            Sealing(row.dek_id, key, place_of(name)),
            partial(keyed_digest, root, row.tenant, row.subject),
        )

    def _unsealing(self, row: DekRow, kek: WrappedKey, head: bytes, name: Name) -> Unsealing:
        with self._ring.content_key(row, kek) as key:
            return Unsealing(head, key, place_of(name))


def keyed_digest(root: hazmat.Secret, tenant: bytes, subject: bytes, sha256: bytes) -> str:
    """What stands for a document's digest outside the vault, 64 hexadecimal digits; another one for every subject."""
    message = pae(_DIGEST, tenant, subject, sha256)
    return root.use(lambda key: hazmat.hmac_sha256(key, message)).hex()


def place_of(name: Name) -> Place:
    """What the bytes under a name are bound to."""
    return Place(ids.raw(name.tenant), ids.raw(name.subject), ids.raw(name.document), name.version)


def _keys(value: SealedValue[Any], cell: Material) -> tuple[DekRow, WrappedKey]:
    """The row of a content's data key, and the key of that.

    Raises: KeyUnavailable; Tampered.
    """
    if cell.kek_wrapped is None or cell.kek_epoch is None or cell.wrapped is None or cell.dek_version is None:
        raise KeyUnavailable("A data key is destroyed.", advice="What was erased cannot be opened again.")
    if cell.alg != CONTENT_ALG or cell.envelope[:HEADER_BYTES] != PREFIX + cell.dek_id:
        raise Tampered("A sealed document names another data key than its row.")
    tenant, data_class = ids.raw(value.tenant), value.field.data_class.value
    kek = WrappedKey(tenant, Purpose.KEK, cell.kek_epoch, cell.kek_wrapped)
    subject = ids.raw(value.subject)
    return DekRow(cell.dek_id, tenant, subject, data_class, cell.dek_version, cell.kek_epoch, cell.wrapped), kek
