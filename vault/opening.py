"""The only way from an envelope to its value: under a warrant, in one batch, masked where that was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain import ids
from domain.audit import Warrant
from domain.documents.content import Content
from domain.errors import KeyUnavailable, NotPermitted, Tampered
from domain.ports import SealedValue
from vault.documents.opening import Contents
from vault.keys import DekRow, WrappedKey
from vault.opened import OPENED
from vault.providers.port import Purpose
from vault.seal import Cell, dek_id_of, open_many
from vault.store.material import Material, ReadyMaterial
from vault.store.tenantkeys import FIELDS_ALG
from vault.store.transaction import Room

Keks = dict[tuple[str, int | None, bytes | None], WrappedKey]
"""The keys that wrap data keys, by tenant and as they were loaded."""
Generations = dict[bytes, int]
"""The newest generation of keys that was loaded, by tenant."""


class VaultOpener:
    """Opens what the durable entry behind a warrant names, and nothing else."""

    def __init__(self, room: Room) -> None:
        self._ring = room.ring
        self._contents = Contents(room.ring, room.blobs)

    async def open(self, warrant: Warrant, sealed: Iterable[SealedValue[Any]]) -> list[Any]:
        """The values, in order, masked where the masked form was asked for; of a document's content, the way to it.

        Raises: NotPermitted without a fitting warrant, before anything is opened; Tampered; KeyUnavailable.
        """
        values = list(sealed)
        if not all(warrant.covers(value.tenant, value.subject, value.field.tag) for value in values):
            raise NotPermitted("The entry in the audit log does not name every value that is to be opened.")
        for tenant in {value.tenant for value in values}:
            own = [value.field.data_class.value for value in values if value.tenant == tenant]
            OPENED.tell(ids.raw(tenant), warrant.receipt.entry, own)
        small = [value for value in values if value.field.type is not Content]
        opened = iter(await self._values(small))
        if len(small) == len(values):
            return list(opened)
        # The contents last: an opened one has to be let go.
        large = [value for value in values if value.field.type is Content]
        ways = iter([await self._contents.open(value) for value in large])
        OPENED.count((ids.raw(value.tenant), value.field.data_class.value) for value in large)
        return [next(ways if value.field.type is Content else opened) for value in values]

    async def _values(self, values: list[SealedValue[Any]]) -> list[Any]:
        cold = [value for value in values if type(value.material) is not ReadyMaterial]
        made = iter(await self._made_ready(cold))
        opened = open_many([one.material if type(one.material) is ReadyMaterial else next(made) for one in values])
        return [_shown(value, plain) if value.masked else plain for value, plain in zip(values, opened, strict=True)]

    async def _made_ready(self, values: list[SealedValue[Any]]) -> list[ReadyMaterial]:
        """What came with wrapped keys, with its data keys ready."""
        keks: Keks = {}
        generations: Generations = {}
        wanted = [_wanted(value, _material(value), keks, generations) for value in values]
        for tenant, generation in generations.items():
            self._ring.at(tenant, generation)
        await self._ring.warmed(keks.values())
        deks = self._ring.deks([(row, kek) for row, kek, _, _ in wanted])
        return [ReadyMaterial(dek, cell, envelope) for dek, (_, _, cell, envelope) in zip(deks, wanted, strict=True)]


def _wanted(
    value: SealedValue[Any], material: Material, keks: Keks, generations: Generations
) -> tuple[DekRow, WrappedKey, Cell, bytes]:
    """What a value is opened with: the row of its data key and the key of that, its cell, and its envelope.

    Raises: KeyUnavailable; Tampered.
    """
    record_type, schema, envelope, dek_id, version, alg, epoch, wrapped, kek_wrapped, generation = material
    kek = keks.get((value.tenant, epoch, kek_wrapped))
    if kek is None:
        kek = keks[value.tenant, epoch, kek_wrapped] = _kek(value, epoch, kek_wrapped)
        generations[kek.tenant] = max(generation or 0, generations.get(kek.tenant, 0))
    if wrapped is None or version is None:
        raise KeyUnavailable("A data key is destroyed.", advice="What was erased cannot be opened again.")
    if alg != FIELDS_ALG or dek_id_of(envelope) != dek_id:
        raise Tampered("A sealed value names another data key than its row.")
    field, subject = value.field, ids.raw(value.subject)
    data_class = field.data_class.value
    row = DekRow(dek_id, kek.tenant, subject, data_class, version, kek.epoch, wrapped)
    cell = Cell(kek.tenant, subject, data_class, record_type, ids.raw(value.record), value.version, field.tag, schema)
    return row, kek, cell, envelope


def _kek(value: SealedValue[Any], epoch: int | None, wrapped: bytes | None) -> WrappedKey:
    if wrapped is None or epoch is None:
        raise KeyUnavailable("A key of the company is destroyed.", advice="What was erased cannot be opened again.")
    return WrappedKey(ids.raw(value.tenant), Purpose.KEK, epoch, wrapped)


def _material(value: SealedValue[Any]) -> Material:
    if not isinstance(value.material, Material):
        raise TypeError("A sealed value of this store carries its material.")
    return value.material


def _shown(value: SealedValue[Any], plain: Any) -> Any:
    mask = value.field.mask
    if mask is None:
        raise TypeError(f"{value.field.tag} declares no masked form.")
    return mask.apply(plain)
