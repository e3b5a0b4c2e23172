"""The only way from an envelope to its value: under a warrant, in one batch, masked where that was asked for."""

from __future__ import annotations

from collections.abc import Iterable
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
        self._ring.warm(dict.fromkeys(_kek(value, material) for value, material in zip(values, materials, strict=True)))
        opened = open_many(
            (self._dek(value, material), _cell(value, material), material.envelope)
            for value, material in zip(values, materials, strict=True)
        )
        return [_shown(value, plain) for value, plain in zip(values, opened, strict=True)]

    def _dek(self, value: SealedValue[Any], material: Material) -> Dek:
        if material.wrapped is None or material.dek_version is None or material.kek_epoch is None:
            raise KeyUnavailable("A data key is destroyed.", advice="What was erased cannot be opened again.")
        if material.alg != FIELDS_ALG or dek_id_of(material.envelope) != bytes(material.dek_id):
            raise Tampered("A sealed value names another data key than its row.")
        row = DekRow(
            bytes(material.dek_id),
            ids.raw(value.tenant),
            ids.raw(value.subject),
            value.field.data_class.value,
            material.dek_version,
            material.kek_epoch,
            bytes(material.wrapped),
        )
        return self._ring.dek(row, _kek(value, material))


def _material(value: SealedValue[Any]) -> Material:
    if not isinstance(value.material, Material):
        raise TypeError("A sealed value of this store carries its material.")
    return value.material


def _kek(value: SealedValue[Any], material: Material) -> WrappedKey:
    if material.kek_wrapped is None or material.kek_epoch is None:
        raise KeyUnavailable("A key of the company is destroyed.", advice="What was erased cannot be opened again.")
    return WrappedKey(ids.raw(value.tenant), Purpose.KEK, material.kek_epoch, bytes(material.kek_wrapped))


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
    if not value.masked:
        return plain
    mask = value.field.mask
    if mask is None:
        raise TypeError(f"{value.field.tag} declares no masked form.")
    return mask.apply(plain)
