"""A corpus on a real database, and readings run on it."""

from __future__ import annotations

import json
import tempfile
import time
from enum import Enum
from pathlib import Path

from sqlalchemy.schema import CreateTable

from domain.files.identifying.identifiers import normalised
from domain.files.trail import AuditEntry
from domain.ids import raw
from domain.records import STAMP_FIELDS, TAGS
from tests.vault.corpus import NOW, identifier
from tests.vault.oracle import word
from vault.index import Maker
from vault.keys import Keyring
from vault.providers.file import KeyFile
from vault.providers.port import Purpose
from vault.store import codec
from vault.store.engines import ROLE
from vault.store.ledger import terms
from vault.store.reading import SqlReadings
from vault.store.reading.columns import Unsupported, held
from vault.store.reading.dialects import DIALECTS
from vault.store.tables import views

RING = Keyring(None, time.monotonic)
"""Where nothing is looked up or opened no key is ever asked for."""


def tokens_of(maker, tenant, record, tag):
    """The index rows of a cell: of its second version where one is being built and has come so far."""
    field = TAGS[tag]
    value = normalised(field.index.normaliser, identifier(record.id, field))
    for version in [2] if building(tenant) and record.id[-1] < "g" else [1]:
        yield {
            "tenant": tenant,
            "field_tag": tag,
            "ver": version,
            "token": maker.token(tag, version, field.index.version, value),
            "subject": record.subject_id,
            "record_id": record.id,
        }


def building(tenant):
    """One company builds the next version of its indexes, the other does not."""
    return tenant[-1] < "g"


def keys_and_tokens(ring, corpus):
    """The keys of every company, and the index of every cell that has one."""
    owners = {record.id: record for record in corpus.records}
    indexed = [(id_, tag) for id_, tag in sorted(corpus.cells) if TAGS[tag].index]
    rows = {"vault_key": [], "blind_index": [], "blind_index_state": []}
    for tenant in corpus.tenants:
        minted = {row.purpose: row for row in ring.mint_tenant(raw(tenant), 1)}
        rows["vault_key"] += [
            {"tenant": tenant, "purpose": one.purpose.value, "epoch": 1, "wrapped": one.wrapped, "generation": 0}
            for one in minted.values()
        ]
        maker = Maker(ring.root(minted[Purpose.INDEX], minted[Purpose.KEK]), raw(tenant))
        mine = [(owners[id_], tag) for id_, tag in indexed if owners[id_].stamp.tenant == tenant]
        rows["blind_index"] += [row for record, tag in mine for row in tokens_of(maker, tenant, record, tag)]
        rows["blind_index_state"] += [
            {
                "tenant": tenant,
                "field_tag": field.tag,
                "ver": 1,
                "normaliser": field.index.normaliser,
                "building": 2 if building(tenant) else None,
                "building_normaliser": field.index.normaliser if building(tenant) else None,
                "reached": "",
            }
            for field in TAGS.values()
            if field.index
        ]
    return rows


def found_by(corpus, dialect):
    """What leads conditions on the audit log to its entries, which all stand in its first stretch."""
    rows = {"audit_term": [], "audit_stretch": [], "audit_posting": []}
    for tenant in corpus.tenants:
        log = [one for one in corpus.records if one.shape is AuditEntry.shape and one.stamp.tenant == tenant]
        places, named = {}, {}
        for entry in log:
            for fact in terms.FACTS:
                value = getattr(entry, fact)
                term = fact, terms.kept(value.value if isinstance(value, Enum) else value)
                places[term] = places.get(term, 0) | 1 << entry.log_index
            for subject in dict.fromkeys(entry.subjects):
                named.setdefault(subject, []).append(entry.log_index)
        rows["audit_term"] += [
            {"tenant": tenant, "fact": fact, "value": value, "stretch": 0, "places": terms.pack(bits)}
            for (fact, value), bits in places.items()
        ]
        rows["audit_posting"] += [
            {
                "tenant": tenant,
                "subject": subject,
                "first_index": held[0],
                "last_index": held[-1],
                "places": json.dumps(held),
            }
            for subject, held in named.items()
        ]
        times = sorted(entry.at for entry in log)
        (earliest,), (latest,) = (
            codec.encode(AuditEntry.shape.facts["at"], at, dialect) for at in (times[0], times[-1])
        )
        rows["audit_stretch"].append({"tenant": tenant, "stretch": 0, "earliest": earliest, "latest": latest})
    return rows


def row_of(record, dialect):
    """A record as its table holds it."""
    row = {}
    for name in (*record.shape.facts, *STAMP_FIELDS):
        try:
            column = held(record.shape, name)
        except Unsupported:
            continue  # a ledger keeps few stamp columns
        value = getattr(record.stamp if name in STAMP_FIELDS else record, name)
        row |= zip([part.name for part in column.columns], codec.encode(column.fact, value, dialect), strict=True)
    return row


def cell_of(record, tag, version=3):
    """A stored cell of a record; its envelope is no real one, since nothing here opens it."""
    return {
        "tenant": record.stamp.tenant,
        "record_type": record.shape.table,
        "record_id": record.id,
        "field_tag": tag,
        "value_version": version,
        "subject": record.subject_id,
        "data_class": TAGS[tag].data_class.value,
        "dek_id": b"dek",
        "schema_version": 1,
        "envelope": f"{record.id} {tag}".encode(),
    }


def opened(draft):
    """The answer with every value in its place: a word that names the cell."""
    draft.place([word(sealed.record, sealed.field.tag, masked=sealed.masked) for sealed in draft.sealed])
    return plain(draft.answer)


def plain(part):
    """An answer whose withheld fields can be compared."""
    if isinstance(part, dict):
        return {label: plain(item) for label, item in part.items()}
    if isinstance(part, list):
        withheld = [(item["field"], item["reason"]) for item in part if isinstance(item, dict) and "unlock" in item]
        return sorted(withheld) or [plain(item) for item in part]
    return part


def stand_in(database):
    """Puts a table in the place of every view: a corpus has rows of its own for it."""
    if getattr(database, "stood_in", False):
        return
    database.stood_in = True
    for view in views.tables.values():
        database.execute(f"DROP VIEW {view.name}")
        database.execute(str(CreateTable(view).compile(dialect=DIALECTS[database.dialect]._dialect)))
        if database.dialect == "postgresql":
            database.execute(f"GRANT SELECT ON {view.name} TO {ROLE}")


class Shelf:
    """One database with the records of a corpus."""

    def __init__(self, database, corpus):
        self.database, self.corpus = database, corpus
        self.ring = Keyring(KeyFile.create(Path(tempfile.mkdtemp()) / "keys.json", 1), time.monotonic)
        self.readings = SqlReadings(database.dialect, self.ring)
        owners = {record.id: record for record in corpus.records}
        rows = {}
        for record in corpus.records:
            rows.setdefault(record.shape.table, []).append(row_of(record, database.dialect))
        rows["sealed_field"] = [cell_of(owners[id_], tag) for id_, tag in corpus.cells]
        rows |= keys_and_tokens(self.ring, corpus) | found_by(corpus, database.dialect)
        stand_in(database)
        for table, some in rows.items():
            database.insert(table, *some)

    def read(self, judged, scope, arguments=(), now=NOW):
        """The draft of a reading."""
        return self.database.run(scope.tenant, self.readings.prepare(judged).run(scope, arguments, now))

    def fetch(self, fetch):
        """The rows of one statement."""
        return self.database.fetch(fetch.sql, fetch.parameters)
