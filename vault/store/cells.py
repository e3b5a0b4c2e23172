"""The sealed cells and index tokens of one transaction: sealed here, gathered, and written together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from domain import ids
from domain.documents.content import Content
from domain.errors import Conflict, KeyUnavailable
from domain.ids import Id
from domain.ports import SealedValue
from domain.records import TAGS, Confidential, Record
from vault.documents import format as document
from vault.providers.port import Purpose
from vault.seal import Cell, Dek, open_envelope, seal
from vault.store.material import ContentMaterial, Material
from vault.store.reading.celled import sealed_cells
from vault.store.reading.dialects import Dialect
from vault.store.search.tokens import IndexTokens, upsert
from vault.store.tables import ERASED, sealed_field
from vault.store.tenantkeys import TenantKeys

AT_ONCE = 500
"""How many records one statement asks for."""


class Cells:
    """Seals values into their cells, and finds what was sealed."""

    def __init__(self, connection: sa.Connection, keys: TenantKeys, tenant: Id, dialect: Dialect) -> None:
        self._connection = connection
        self._keys = keys
        self._tenant = tenant
        self._raw = ids.raw(tenant)
        self._dialect = dialect
        self._staged: dict[tuple[Id, str], dict[str, Any]] = {}
        self._tokens = IndexTokens(connection, keys, tenant, dialect)
        self._written: dict[tuple[Id, str], tuple[int, bytes]] = {}

    def seal(self, record: Record, field: Confidential[Any], value: Any, *, is_new: bool, fresh: bool = False) -> None:
        """Stages the next version of a cell; it is written with the others. A fresh subject has no data keys yet."""
        if not record.shape.declares(field):
            raise TypeError(f"{record.shape.name} declares no confidential field {field.name}.")
        if type(value) is not field.type:
            raise TypeError(f"{field.tag} takes a value of its declared type.")
        if not isinstance(value, Content):
            # Its data key is held from here on: whoever seals the class anew is waited for before the version is read.
            self._keys.dek(record.subject_id, field.data_class.value, fresh=fresh)
        version = 1 + self._version(record, field, is_new=is_new)
        dek_id, envelope = (
            self._content(record, field, value, version)
            if isinstance(value, Content)
            else self._value(record, field, value, version, fresh=fresh)
        )
        self._stage(
            {
                "tenant": self._tenant,
                "record_type": record.shape.table,
                "record_id": record.id,
                "field_tag": field.tag,
                "value_version": version,
                "subject": record.subject_id,
                "data_class": field.data_class.value,
                "dek_id": dek_id,
                "schema_version": field.schema,
                "envelope": envelope,
            }
        )
        if field.index is not None:
            self._tokens.stage(field, record.id, record.subject_id, value)

    def _value(
        self, record: Record, field: Confidential[Any], value: Any, version: int, *, fresh: bool
    ) -> tuple[bytes, bytes]:
        """The envelope of a value, and the id of its data key."""
        dek = self._keys.dek(record.subject_id, field.data_class.value, fresh=fresh)
        cell = Cell(
            self._raw,
            ids.raw(record.subject_id),
            field.data_class.value,
            record.shape.table,
            ids.raw(record.id),
            version,
            field.tag,
            field.schema,
        )
        return dek.dek_id, seal(dek, cell, value, field.bucket)

    def _content(self, record: Record, field: Confidential[Any], value: Content, version: int) -> tuple[bytes, bytes]:
        """What stands in the cell of a document's content: its data key, and the head of its bytes once it has some.

        Raises: Conflict when the bytes were not sealed for just this.
        """
        cell = sealed_field.c
        own = cell.tenant == self._tenant, cell.record_id == record.id, cell.field_tag == field.tag
        self.flush()
        known = bytes(self._connection.scalar(sa.select(cell.dek_id).where(*own)) or b"")
        if not value.head:
            dek_id = known or self._keys.content_key(record.subject_id, field.data_class.value).dek_id
            return dek_id, document.PREFIX + dek_id
        if value.version != version or document.dek_id_of(value.head) != known:
            raise Conflict("Another upload of this document began meanwhile.", advice="Let one upload end at a time.")
        if not self._keys.stands(known):
            raise KeyUnavailable("A data key is destroyed.", advice="What was erased takes no new values.")
        return known, value.head

    def reseal(self, dek_id: bytes, old: Dek, limit: int | None = None) -> int:
        """Stages cells that are sealed under a data key as their next version, under the class's newest; how many.

        All of them, where no limit is given. The values are opened here, sealed at once, and go nowhere else.
        """
        cell = sealed_field.c
        rows = self._connection.execute(
            sa.select(sealed_field)
            .where(cell.tenant == self._tenant, cell.dek_id == dek_id, cell.envelope != ERASED)
            .limit(limit)
        ).mappings()
        count = 0
        for row in rows.all():
            place = Cell(
                self._raw,
                ids.raw(row["subject"]),
                row["data_class"],
                row["record_type"],
                ids.raw(row["record_id"]),
                row["value_version"],
                row["field_tag"],
                row["schema_version"],
            )
            value = open_envelope(old, place, bytes(row["envelope"]))
            new, version = self._keys.dek(row["subject"], row["data_class"]), row["value_version"] + 1
            envelope = seal(new, place._replace(version=version), value, TAGS[row["field_tag"]].bucket)
            self._stage(dict(row) | {"value_version": version, "dek_id": new.dek_id, "envelope": envelope})
            count += 1
        return count

    def written(self) -> Mapping[tuple[Id, str], tuple[int, bytes]]:
        """The cells that were sealed here by record and tag, each with its version and its envelope."""
        return self._written

    def flush(self) -> None:
        """Writes what is staged."""
        if self._staged:
            upsert(self._connection, sealed_field, list(self._staged.values()), ("tenant", "record_id", "field_tag"))
            self._staged.clear()
        self._tokens.flush()

    def load(self, records: Sequence[Record], fields: Sequence[Confidential[Any]]) -> list[SealedValue[Any]]:
        """The stored cells of some records, unopened, in the order of the records and of the fields."""
        self.flush()
        found: dict[tuple[Id, str], SealedValue[Any]] = {}
        for table, own in _by_table(records):
            tags = {field.tag: field for field in fields if field.record == table}
            for part in _parts(own) if tags else ():
                self._load(table, part, tags, found)
        cells = ((record.id, field.tag) for record in records for field in fields)
        return [found[cell] for cell in dict.fromkeys(cells) if cell in found]

    def look_up(self, field: Confidential[str], normalised: str) -> list[Id]:
        """The records whose indexed field has this value: one look-up by its token."""
        self.flush()
        return self._tokens.found(field, normalised)

    def _stage(self, row: dict[str, Any]) -> None:
        own = row["record_id"], row["field_tag"]
        self._staged[own] = row
        self._written[own] = (row["value_version"], row["envelope"])

    def _load(
        self,
        table: str,
        records: Sequence[Record],
        tags: Mapping[str, Confidential[Any]],
        found: dict[tuple[Id, str], SealedValue[Any]],
    ) -> None:
        subjects = {record.id: record.subject_id for record in records}
        values = {
            "tenant": self._tenant,
            "record_type": table,
            "records": self._dialect.listed(list(subjects)),
            "tags": self._dialect.listed(list(tags)),
        }
        for record, tag, version, *stored in self._connection.execute(sealed_cells(self._dialect), values):
            if not stored[1]:
                continue  # it was erased: to a decision it is not on file
            material = Material(table, *stored)
            found[record, tag] = SealedValue(
                field=tags[tag],
                tenant=self._tenant,
                # The record's own subject: a cell or key that was moved here from elsewhere does not open under it.
                subject=subjects[record],
                record=record,
                version=version,
                material=self._content_material(material) if tags[tag].type is Content else material,
            )

    def _content_material(self, cell: Material) -> ContentMaterial:
        return ContentMaterial(cell, self._keys.rows[Purpose.DIGEST], self._keys.rows[Purpose.KEK])

    def _version(self, record: Record, field: Confidential[Any], *, is_new: bool) -> int:
        """The version a cell has now; 0 where there is none."""
        sealed_here = self._written.get((record.id, field.tag))
        if sealed_here is not None or is_new:
            return sealed_here[0] if sealed_here else 0
        cell = sealed_field.c
        found = self._connection.scalar(
            sa.select(cell.value_version).where(
                cell.tenant == self._tenant, cell.record_id == record.id, cell.field_tag == field.tag
            )
        )
        return int(found or 0)


def _by_table(records: Sequence[Record]) -> Iterator[tuple[str, list[Record]]]:
    tables: dict[str, list[Record]] = {}
    for record in records:
        tables.setdefault(record.shape.table, []).append(record)
    yield from tables.items()


def _parts(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    for start in range(0, len(records), AT_ONCE):
        yield records[start : start + AT_ONCE]
