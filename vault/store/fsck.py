"""What is wrong with the store of one company: every row, seal, link and payload against what the log says of it.

Values are opened to see that they open, and dropped at once. Nothing is repaired.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from hmac import compare_digest
from typing import Any, cast

import sqlalchemy as sa

from domain import ids
from domain.audit import commit_to
from domain.custody.erasures import Erasure
from domain.custody.keeping import SigningUse
from domain.custody.renewing import MOST_SEALS
from domain.documents.content import Content
from domain.documents.documents import Document
from domain.errors import CreditError
from domain.ids import Id
from domain.records import AUDIT_CLASS, PREFIXES, SHAPES, TAGS, Shape
from vault import hazmat
from vault.audit.handover import Keyholders
from vault.audit.merkle import leaf_hash
from vault.documents.blobs import Blobs, Name
from vault.documents.checking import wrong_with
from vault.findings import Finding
from vault.index import Maker
from vault.keys import DekRow, Keyring, WrappedKey
from vault.providers.port import Purpose
from vault.seal import Cell, Dek, dek_id_of, open_envelope
from vault.store import contents
from vault.store.codec import record_of
from vault.store.consents.checking import check_consents
from vault.store.contents import Kept
from vault.store.keeping import agreeing
from vault.store.keeping.agreeing import check_beside
from vault.store.keeping.digests import cell_digest, row_digest
from vault.store.keeping.recorded import Recorded
from vault.store.keeping.renewal import worn
from vault.store.ledger import logbook
from vault.store.ledger.logbook import SALT_BYTES, batches_of, last_range, payload_cell
from vault.store.search.checking import IndexCheck
from vault.store.search.states import Tokens
from vault.store.tables import (
    ERASED,
    audit_payload,
    sealed_field,
    shapes,
    table,
    tombstone,
    vault_dek,
    vault_dek_wrap,
    vault_key,
)
from vault.store.transaction import Room

AT_ONCE = 500


def check_store(connection: sa.Connection, room: Room, tenant: Id) -> Iterator[Finding]:
    """Everything that is wrong with a company's store, in one snapshot."""
    keys = _Keys(connection, room.ring, tenant)
    kept = list(room.blobs.names(tenant))
    index = IndexCheck(connection, tenant, Tokens(Maker(keys.index_root(), keys.raw)))
    yield from _check_seals(connection, keys, tenant, index)
    yield from _check_wear(connection, tenant)
    yield from index.whole()
    yield from _check_contents(connection, keys, room.blobs, kept)
    for shape in shapes().values():
        yield from _check_links(connection, shape, tenant)
    yield from check_consents(connection, tenant)
    yield from _check_tombstones(connection, keys)
    yield from _check_log(connection, keys, tenant)
    yield from check_beside(connection, tenant, _log_keys(connection, room, tenant))


def _log_keys(connection: sa.Connection, room: Room, tenant: Id) -> Keyholders | None:
    """The keys that sign the log; none where they cannot be opened, which is told elsewhere."""
    try:
        now = logbook.verifier(room.keys(connection, room.hand(tenant, logbook.SYSTEM)), tenant)
    except (CreditError, LookupError):
        return None
    ended = logbook.signing_keys(connection, tenant, SigningUse.LOG)
    return Keyholders([now], [one.handover for one in ended if one.handover])


class _Keys:
    """The keys of a tenant, looked up by the ids that rows name."""

    def __init__(self, connection: sa.Connection, ring: Keyring, tenant: Id) -> None:
        self._connection = connection
        self._ring = ring
        self.tenant = tenant
        self.raw = ids.raw(tenant)
        rows = connection.execute(
            sa.select(vault_key.c.purpose, vault_key.c.epoch, vault_key.c.wrapped).where(vault_key.c.tenant == tenant)
        )
        self._rows = {(Purpose(p), epoch): WrappedKey(self.raw, Purpose(p), epoch, bytes(w)) for p, epoch, w in rows}

    @cached_property
    def erased(self) -> frozenset[tuple[Id, str]]:
        """Subjects with the classes of their data that were erased, and single records, as erasures tell."""
        columns = table(Erasure.shape).c
        rows = self._connection.execute(
            sa.select(table(Erasure.shape)).where(columns.tenant == self.tenant, columns.superseded_at.is_(None))
        ).mappings()
        found = [cast("Erasure", record_of(Erasure.shape, row)) for row in rows]
        whole = {(Id(subject), name) for one in found for subject in one.subjects for name in one.classes}
        return frozenset(whole | {(Id(own), "") for one in found for own in one.records})

    def digest_root(self) -> Any:
        return self._root(Purpose.DIGEST)

    def index_root(self) -> Any:
        return self._root(Purpose.INDEX)

    def _root(self, purpose: Purpose) -> Any:
        epoch = max(epoch for one, epoch in self._rows if one is purpose)
        return self._ring.root(self._rows[purpose, epoch], self._rows[Purpose.KEK, epoch])

    def dek(self, dek_id: bytes, subject: Id, data_class: str) -> Dek:
        """The data key a row names, as its own row describes it.

        Raises: LookupError when it is not there; CreditError when it does not unwrap.
        """
        row = self._row(dek_id, subject, data_class)
        return self._ring.dek(row, self._rows[Purpose.KEK, row.kek_epoch])

    def content_key(self, dek_id: bytes, subject: Id) -> hazmat.Secret:
        """The data key of a subject's documents.

        Raises: as `dek`.
        """
        row = self._row(dek_id, subject, Document.content.data_class.value)
        return self._ring.content_key(row, self._rows[Purpose.KEK, row.kek_epoch])

    def _row(self, dek_id: bytes, subject: Id, data_class: str) -> DekRow:
        dek, wrap = vault_dek, vault_dek_wrap
        row = self._connection.execute(
            sa.select(dek.c.version, dek.c.kek_epoch, wrap.c.wrapped)
            .join(
                wrap,
                sa.and_(
                    wrap.c.tenant == dek.c.tenant,
                    wrap.c.dek_id == dek.c.dek_id,
                    wrap.c.kek_epoch == dek.c.kek_epoch,
                ),
            )
            .where(dek.c.tenant == self.tenant, dek.c.dek_id == dek_id)
        ).first()
        if row is None:
            raise LookupError
        return DekRow(dek_id, self.raw, ids.raw(subject), data_class, row[0], row[1], bytes(row[2]))


def _check_seals(connection: sa.Connection, keys: _Keys, tenant: Id, index: IndexCheck) -> Iterator[Finding]:
    """Every sealed value opens in its cell, under the key its header names, for a record that is there."""
    last = ("", "")
    cell = sealed_field.c
    while True:
        rows = connection.execute(
            sa.select(sealed_field)
            .where(cell.tenant == tenant, sa.tuple_(cell.record_id, cell.field_tag) > sa.tuple_(*last))
            .order_by(cell.record_id, cell.field_tag)
            .limit(AT_ONCE)
        ).all()
        for row in rows:
            yield from _check_cell(keys, row, index)
        yield from index.compare()
        yield from _check_owners(connection, tenant, rows)
        if len(rows) < AT_ONCE:
            return
        last = (rows[-1].record_id, rows[-1].field_tag)


def _check_wear(connection: sa.Connection, tenant: Id) -> Iterator[Finding]:
    """No data key sealed more values than random nonces are good for."""
    for dek in worn(connection, tenant, MOST_SEALS):
        yield Finding("KEY_WORN", dek.hex(), f"A data key sealed {MOST_SEALS} values: run `credence keys renew`.")


def _check_cell(keys: _Keys, row: Any, index: IndexCheck) -> Iterator[Finding]:
    place = f"{row.record_id}/{row.field_tag}"
    envelope = bytes(row.envelope)
    if row.field_tag not in TAGS:
        yield Finding("UNKNOWN_TAG", place, "No record declares this confidential field.")
        return
    if TAGS[row.field_tag].type is Content:
        return  # its bytes lie elsewhere: `_check_contents` looks at them
    if envelope == ERASED:
        if not {(row.subject, row.data_class), (row.record_id, "")} & keys.erased:
            yield Finding("EMPTIED", place, "Its value is gone, and no erasure tells of it.")
        return
    cell = Cell(
        keys.raw,
        ids.raw(row.subject),
        row.data_class,
        row.record_type,
        ids.raw(row.record_id),
        row.value_version,
        row.field_tag,
        row.schema_version,
    )
    dek_id = bytes(row.dek_id)
    try:
        if dek_id_of(envelope) != dek_id:
            yield Finding("WRONG_KEY", place, "The envelope names another data key than its row.")
            return
        opened = open_envelope(keys.dek(dek_id, row.subject, cell.data_class), cell, envelope)
        index.note(row.record_id, row.field_tag, opened)
    except LookupError:
        yield Finding("KEY_MISSING", place, "Its data key is not there.")
    except CreditError as error:
        yield Finding(error.code.value, place, error.message)


def _check_contents(connection: sa.Connection, keys: _Keys, blobs: Blobs, names: Sequence[Name]) -> Iterator[Finding]:
    """Every stored document opens and is the one its record tells of, and no bytes lie there that none has."""
    root = keys.digest_root()
    for one in contents.kept(connection, keys.tenant):
        if one.stored:
            yield from _check_content(keys, blobs, root, one)
    for name in contents.strays(connection, keys.tenant, names):
        yield Finding("STRAY_CONTENT", f"{name.document}.{name.version}", "No document has these bytes.")


def _check_content(keys: _Keys, blobs: Blobs, root: hazmat.Secret, one: Kept) -> Iterator[Finding]:
    place = one.name.document
    if not one.name.version:
        yield Finding("CONTENT_MISSING", place, "Nothing stands for the content of a stored document.")
        return
    try:
        with keys.content_key(one.dek_id, one.name.subject) as key:
            wrong = wrong_with(blobs, key, root, one.name, one.head, (one.size, one.digest))
    except LookupError:
        wrong = "KEY_MISSING", "Its data key is not there."
    except CreditError as error:
        wrong = error.code.value, error.message
    if wrong is not None:
        yield Finding(wrong[0], place, wrong[1])


def _check_owners(connection: sa.Connection, tenant: Id, rows: Sequence[Any]) -> Iterator[Finding]:
    by_type: dict[str, dict[Id, Id]] = {}
    for row in rows:
        by_type.setdefault(row.record_type, {})[row.record_id] = row.subject
    known = {shape.table: shape for shape in shapes().values()}
    for record_type, wanted in by_type.items():
        columns = table(known[record_type]).c
        found = dict(
            connection.execute(
                sa.select(columns.id, columns.subject_id).where(
                    columns.tenant == tenant, columns.superseded_at.is_(None), columns.id.in_(list(wanted))
                )
            ).all()
        )
        for own, subject in wanted.items():
            if own not in found:
                yield Finding("ORPHAN", own, "A sealed value belongs to a record that is not there.")
            elif found[own] != subject:
                yield Finding("WRONG_SUBJECT", own, "A sealed value names another subject than its record.")


def _check_links(connection: sa.Connection, shape: Shape, tenant: Id) -> Iterator[Finding]:
    """Every link of a current row leads to a record of the same company."""
    own = table(shape)
    for fact in shape.facts.values():
        if fact.target is None or shape.ledger:
            continue
        target = table(SHAPES[fact.target])
        there = sa.exists().where(target.c.tenant == own.c.tenant, target.c.id == own.c[fact.name])
        select = sa.select(own.c.id).where(
            own.c.tenant == tenant, own.c.superseded_at.is_(None), own.c[fact.name].is_not(None), ~there
        )
        for row in connection.execute(select):
            yield Finding("BROKEN_LINK", row[0], f"{shape.name}.{fact.name} leads to no {fact.target}.")


def _check_tombstones(connection: sa.Connection, keys: _Keys) -> Iterator[Finding]:
    """Every tombstone is of a record that an erasure tells of."""
    for own in connection.scalars(sa.select(tombstone.c.record_id).where(tombstone.c.tenant == keys.tenant)):
        if (Id(own), "") not in keys.erased:
            yield Finding("TOMBSTONE", own, "A tombstone is there, and no erasure tells of it.")


def _check_log(connection: sa.Connection, keys: _Keys, tenant: Id) -> Iterator[Finding]:
    """The tree of the log, its readable rows, its payloads, and the rows it says were written."""
    head, pruned = last_range(connection, tenant), logbook.minimum_of(connection, tenant) > 0
    tree = agreeing.beginning(connection, tenant)
    root = keys.digest_root()
    recorded = Recorded()
    for entries in batches_of(connection, tenant):
        tree = tree.extend([leaf_hash(entry) for entry in entries])
        for entry in entries:
            said = json.loads(entry)
            found, payload = _payload(connection, keys, said)
            yield from found
            written = said["written"] if isinstance(said["written"], list) else payload.get("written", [])
            recorded.add((own, version) for own, version, _ in written if "/" not in own)
            yield from _check_written(connection, root, keys, written, recorded)
    if tree != head:
        yield Finding("TREE", f"{head.size}", "The entries do not give the tree that is stored with them.")
    yield from recorded.compare(connection, tenant, pruned=pruned)


def _payload(
    connection: sa.Connection, keys: _Keys, said: Mapping[str, Any]
) -> tuple[list[Finding], Mapping[str, Any]]:
    """The side payload of an entry, when its commitment holds; an erased one is no finding."""
    if "commitment" not in said:
        return [], {}
    row = connection.execute(
        sa.select(audit_payload).where(audit_payload.c.tenant == keys.tenant, audit_payload.c.entry == said["id"])
    ).first()
    if row is None:
        return [], {}
    try:
        cell = payload_cell(keys.tenant, row.subject, row.entry)
        whole = open_envelope(keys.dek(bytes(row.dek_id), row.subject, AUDIT_CLASS), cell, bytes(row.envelope))
    except (LookupError, CreditError):
        return [Finding("PAYLOAD", said["id"], "The side payload of the entry does not open.")], {}
    if not isinstance(whole, bytes):
        return [Finding("PAYLOAD", said["id"], "The side payload is not of its type.")], {}
    salt, payload = whole[:SALT_BYTES], whole[SALT_BYTES:]
    if not compare_digest(commit_to(payload, salt), said["commitment"]):
        return [Finding("COMMITMENT", said["id"], "The side payload is not the one the entry commits to.")], {}
    return [], json.loads(payload)


def _check_written(
    connection: sa.Connection, root: Any, keys: _Keys, written: Iterable[Sequence[Any]], recorded: Recorded
) -> Iterator[Finding]:
    """What the log says was written is still there as it was written; of what was erased the last version is enough."""
    tenant = keys.tenant
    rows: dict[str, dict[tuple[str, int], str]] = {}
    for own, version, digest in written:
        if "/" in own:
            yield from _check_cell_digest(connection, root, tenant, own, version, digest)
        else:
            rows.setdefault(ids.prefix_of(own), {})[own, version] = digest
    for prefix, wanted in rows.items():
        shape = PREFIXES[prefix]
        names = list({own for own, _ in wanted})
        found: dict[tuple[str, int], str] = {}
        newest: dict[str, int] = {}
        for start in range(0, len(names), AT_ONCE):
            columns = table(shape).c
            part = names[start : start + AT_ONCE]
            select = sa.select(table(shape)).where(columns.tenant == tenant, columns.id.in_(part))
            for row in connection.execute(select).mappings():
                newest[row["id"]] = max(row["version"], newest.get(row["id"], 0))
                if (row["id"], row["version"]) in wanted:
                    found[row["id"], row["version"]] = row_digest(root, shape, dict(row))
        for key, digest in wanted.items():
            if key not in found and (key[0], "") in keys.erased and key[1] < newest.get(key[0], 0):
                recorded.bury(*key)
            elif found.get(key) != digest:
                what = "is not there" if key not in found else "was changed behind the log"
                yield Finding("ROW", f"{key[0]} version {key[1]}", f"A row {what}.")


def _check_cell_digest(
    connection: sa.Connection, root: Any, tenant: Id, own: str, version: int, digest: str
) -> Iterator[Finding]:
    """A cell is checked while its value is the one the log tells of; a later value replaced it."""
    record, _, tag = own.partition("/")
    cell = sealed_field.c
    row = connection.execute(
        sa.select(cell.value_version, cell.envelope).where(
            cell.tenant == tenant, cell.record_id == record, cell.field_tag == tag
        )
    ).first()
    if row is None:
        yield Finding("CELL", own, "A sealed value is not there.")
    elif row[0] < version:
        yield Finding("ROLLED_BACK", own, "A sealed value is older than the log says.")
    elif row[0] != version or bytes(row[1]) == ERASED:
        return  # whether an erased value should be gone is looked at where values are opened
    elif cell_digest(root, bytes(row[1])) != digest:
        yield Finding("CELL", own, "A sealed value was changed behind the log.")
