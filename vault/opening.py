"""The only way from an envelope to its value: under a warrant, in one batch, masked where that was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from domain import ids
from domain.audit import Warrant
from domain.errors import KeyUnavailable, NotPermitted, Tampered
from domain.ports import SealedValue
from vault.keys import DekRow, Keyring, Purpose, WrappedKey
from vault.seal import Cell, Dek, dek_id_of, open_many
from vault.store.material import Material
from vault.store.tenantkeys import FIELDS_ALG


class VaultOpener:
    """Opens what the durable entry behind a warrant names, and nothing else."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring

    async def open(self, warrant: Warrant, sealed: Iterable[SealedValue[Any]]) -> list[Any]:
        """The values, in order, masked where the masked form was asked for.

        Raises: NotPermitted without a fitting warrant, before anything is opened; Tampered; KeyUnavailable.
        """
        values = list(sealed)
        if not all(warrant.covers(value.tenant, value.subject, value.field.tag) for value in values):
            raise NotPermitted("The entry in the audit log does not name every value that is to be opened.")
        materials = [_material(value) for value in values]
        keks = _keks(values, materials)
        self._ring.warm(keks.values())
        opened = open_many(
            (self._dek(value, material, keks[_kek_of(value, material)]), _cell(value, material), material.envelope)
            for value, material in zip(values, materials, strict=True)
        )
        return [_shown(value, plain) if value.masked else plain for value, plain in zip(values, opened, strict=True)]

    def _dek(self, value: SealedValue[Any], material: Material, kek: WrappedKey) -> Dek:
        if material.wrapped is None or material.dek_version is None:
            raise KeyUnavailable("A data key is destroyed.", advice="What was erased cannot be opened again.")
        dek_id = bytes(material.dek_id)
        if material.alg != FIELDS_ALG or dek_id_of(material.envelope) != dek_id:
            raise Tampered("A sealed value names another data key than its row.")
        data_class = value.field.data_class.value
        row = DekRow(
            dek_id,
            kek.tenant,
            ids.raw(value.subject),
            data_class,
            material.dek_version,
            kek.epoch,
            bytes(material.wrapped),
        )
        return self._ring.dek(row, kek)


def _material(value: SealedValue[Any]) -> Material:
    if not isinstance(value.material, Material):
        raise TypeError("A sealed value of this store carries its material.")
    return value.material


def _kek_of(value: SealedValue[Any], material: Material) -> tuple[str, int | None, bytes | None]:
    return value.tenant, material.kek_epoch, material.kek_wrapped


def _keks(
    values: Sequence[SealedValue[Any]], materials: Sequence[Material]
) -> dict[tuple[str, int | None, bytes | None], WrappedKey]:
    """The keys that wrap the data keys, each once.

    Raises: KeyUnavailable.
    """
    found: dict[tuple[str, int | None, bytes | None], WrappedKey] = {}
    for value, material in zip(values, materials, strict=True):
        key = _kek_of(value, material)
        if key in found:
            continue
        _, epoch, wrapped = key
        if wrapped is None or epoch is None:
            raise KeyUnavailable("A key of the company is destroyed.", advice="What was erased cannot be opened again.")
        found[key] = WrappedKey(ids.raw(value.tenant), Purpose.KEK, epoch, bytes(wrapped))
    return found


def _cell(value: SealedValue[Any], material: Material) -> Cell:
    return Cell(
        ids.raw(value.tenant),
        ids.raw(value.subject),
        value.field.data_class.value,
        material.record_type,
        ids.raw(value.record),
        value.version,
        value.field.tag,
        material.schema_version,
    )


def _shown(value: SealedValue[Any], plain: Any) -> Any:
    mask = value.field.mask
    if mask is None:
        raise TypeError(f"{value.field.tag} declares no masked form.")
    return mask.apply(plain)
