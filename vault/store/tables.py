"""The tables follow from the declared records; what the vault and the audit log need stands here in full.

A record's table holds every version of it: a correction supersedes a row and never overwrites it. A fact that is not
optional is a column that is not null. Every table starts with its tenant. On PostgreSQL the tenant leads every key; on
SQLite, whose tables keep their row numbers, ids alone are unique.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from domain import controls
from domain.assessment import assessments
from domain.assessment.versions import simulations
from domain.consent import consents, keys, notices, statutory, trusted
from domain.consent.attesting import attesting
from domain.consent.handover import recalling
from domain.custody import epochs, erasures, holds, pruning, shown, signing
from domain.documents import documents
from domain.files import history, importing, parties, sources, trail
from domain.grants import snapshots
from domain.money import Money
from domain.objections import clocks, holidays, objections
from domain.persons import glass, rules, staff, training
from domain.records import SHAPES, Fact, Shape
from domain.statements import statements
from domain.supervision import findings, honey, opened, searches
from vault.store.schema.columns import WORDS, Instant
from vault.store.schema.columns import index as _index
from vault.store.schema.columns import instant as _instant
from vault.store.schema.columns import key as _key
from vault.store.schema.columns import number as _number
from vault.store.schema.columns import octets as _bytes
from vault.store.schema.columns import text as _text
from vault.store.schema.ordering import orders

_FILES = (sources, parties, history, importing, trail, documents)
_CUSTODY = (epochs, signing, holds, erasures, shown, pruning)
_OBJECTIONS = (objections, clocks, holidays)
_SUPERVISION = (findings, honey, opened, searches)
_CONSENT = (consents, keys, trusted, notices, statutory, attesting, recalling)
_PERSONS = (rules, staff, training, glass)
_ASSESSMENT = (assessments, simulations)
_ROOMS = (*_PERSONS, *_FILES, *_CUSTODY, *_ASSESSMENT, *_CONSENT, controls, *_OBJECTIONS, statements)
RECORDS = (*_ROOMS, snapshots, *_SUPERVISION)
"""The modules that declare records: a new one is named here."""

KEK: Final = "kek"
"""The purpose of the key that wraps a tenant's data keys."""

DESTROYED: Final = 0
"""The epoch of a data key that is destroyed: nothing wraps it, and nothing will."""
ERASED: Final = b""
"""The envelope of a cell whose value was erased: the row stays, so that readers are told and no version comes again."""

LOOKED_UP: Final = frozenset({"number", "account_owner", "department"})
"""Facts that few rows share and that people search by, beside those that are unique anyway."""


metadata = sa.MetaData()

views = sa.MetaData()
"""What is read like a table and is none: `schema.views` says what each is made of."""
VIEWS: Final = frozenset({"AccessEntry"})
"""Records that are put together from other tables whenever they are read."""


def shapes() -> Mapping[str, Shape]:
    """Every declared record of the product by its name."""
    declared = {module.__name__ for module in RECORDS}
    return {name: shape for name, shape in SHAPES.items() if shape.cls.__module__ in declared}


def table(shape: Shape) -> sa.Table:
    """The table of a record, or the view that stands for one."""
    return (views if shape.name in VIEWS else metadata).tables[shape.table]


def columns_of(fact: Fact) -> tuple[str, ...]:
    """The names of the columns that hold a fact: one, or two for money."""
    return (f"{fact.name}_minor", f"{fact.name}_currency") if fact.type is Money else (fact.name,)


def _columns(fact: Fact) -> Iterator[sa.Column[Any]]:
    if fact.type is Money:
        minor, currency = columns_of(fact)
        yield sa.Column(minor, sa.BigInteger(), nullable=fact.optional)
        yield sa.Column(currency, WORDS, nullable=fact.optional)
    else:
        yield sa.Column(fact.name, _type(fact.type), nullable=fact.optional)


def _type(kind: Any) -> sa.types.TypeEngine[Any]:
    """The column type of a fact; whatever is no scalar is canonical JSON."""
    kind = getattr(kind, "__supertype__", kind)
    known: dict[Any, sa.types.TypeEngine[Any]] = {
        bool: sa.Boolean(),
        int: sa.BigInteger(),
        date: sa.Date(),
        datetime: Instant(),
    }
    return known.get(kind, WORDS)


def _stamps() -> tuple[sa.Column[Any], ...]:
    return (
        _text("tenant"),
        _text("id"),
        _text("subject_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("created_at"),
        _text("created_by"),
        _instant("effective_from"),
        _instant("effective_to", null=True),
        _instant("recorded_at"),
        _instant("superseded_at", null=True),
    )


@cache
def _followed() -> frozenset[tuple[str, str]]:
    """The links that some record follows back to its many: (record, fact)."""
    return frozenset((item.target, item.by) for shape in SHAPES.values() for item in shape.children.values())


def _searched(shape: Shape) -> Iterator[str]:
    """The facts with an index of their own: what children and partners are found by, or leads to the same subject.

    A link to what many share, such as a source, would be an index that no search uses.
    """
    for fact in shape.facts.values():
        followed = (shape.name, fact.name) in _followed()
        own = fact.target is not None and fact.same_subject
        reached = shape.partner_reach and fact.name == "partner"
        looked_up = fact.name in LOOKED_UP and (fact.name,) not in shape.unique
        if followed or own or reached or looked_up:
            yield fact.name


def _record(shape: Shape) -> sa.Table:
    name = shape.table
    return sa.Table(
        name,
        metadata,
        *_stamps(),
        *(column for fact in shape.facts.values() for column in _columns(fact)),
        _key(name, "tenant", "id", "version").ddl_if(dialect="postgresql"),
        _index(f"{name}_version", "tenant", "id", "version", unique=True).ddl_if(dialect="sqlite"),
        _index(f"{name}_current", "tenant", "id", unique=True, current=True),
        *(_index(f"{name}_{'_'.join(group)}", "tenant", *group, unique=True, current=True) for group in shape.unique),
        _index(f"{name}_subject_id", "tenant", "subject_id"),
        # With the id behind it the index also gives the order: without, SQLite would rather walk the whole tenant.
        *(_index(f"{name}_{fact}", "tenant", fact, "id") for fact in _searched(shape)),
        *(_index(f"{name}_by_{fact}", "tenant", fact, "id", current=True) for fact in orders(shape)),
    )


def _ledger(shape: Shape) -> sa.Table:
    """The rows of the log that readers find."""
    name, view = shape.table, shape.name in VIEWS
    columns = [column for fact in shape.facts.values() for column in _columns(fact)]
    own = (_text("tenant"), _text("id"), _text("subject_id"), *columns)
    if view:
        return sa.Table(name, views, *own)
    return sa.Table(
        name, metadata, *own, _key(name, "tenant", "id"), _index(f"{name}_log_index", "tenant", "log_index")
    )


for _shape in shapes().values():
    _ledger(_shape) if _shape.ledger else _record(_shape)


tenant_register = sa.Table("tenant_register", metadata, _text("tenant"), _key("tenant_register", "tenant"))
"""The tenants that are served here: their ids and nothing else, for start-up, sequencing and checks."""

vault_key = sa.Table(
    "vault_key",
    metadata,
    _text("tenant"),
    _text("purpose"),
    _number("epoch"),
    _bytes("wrapped"),
    _number("generation"),
    _key("vault_key", "tenant", "purpose", "epoch"),
)
"""The keys of a tenant, wrapped, by purpose and epoch. Their one generation is raised whenever keys end: who keeps keys
ready compares it before each opening."""

vault_dek = sa.Table(
    "vault_dek",
    metadata,
    _text("tenant"),
    _bytes("dek_id"),
    _text("subject"),
    _text("data_class"),
    _number("version"),
    _text("alg"),
    _number("kek_epoch"),
    _key("vault_dek", "tenant", "dek_id"),
    _index("vault_dek_identity", "tenant", "subject", "data_class", "alg", "version", unique=True),
)
"""Which data key serves which subject and class of data by which algorithm, and the epoch of the wrap in use."""

vault_dek_wrap = sa.Table(
    "vault_dek_wrap",
    metadata,
    _text("tenant"),
    _bytes("dek_id"),
    _number("kek_epoch"),
    _bytes("wrapped"),
    _key("vault_dek_wrap", "tenant", "dek_id", "kek_epoch"),
)
"""The data keys themselves, wrapped under each epoch that still stands."""

sealed_field = sa.Table(
    "sealed_field",
    metadata,
    _text("tenant"),
    _text("record_type"),
    _text("record_id"),
    _text("field_tag"),
    _number("value_version"),
    _text("subject"),
    _text("data_class"),
    _bytes("dek_id"),
    _number("schema_version"),
    _bytes("envelope"),
    _key("sealed_field", "tenant", "record_id", "field_tag"),
    _index("sealed_field_dek_id", "tenant", "dek_id"),
)
"""Every sealed value, one row per cell."""

blind_index = sa.Table(
    "blind_index",
    metadata,
    _text("tenant"),
    _text("field_tag"),
    _number("ver"),
    _bytes("token"),
    _text("subject"),
    _text("record_id"),
    _key("blind_index", "tenant", "record_id", "field_tag", "ver"),
    _index("blind_index_token", "tenant", "field_tag", "ver", "token"),
    _index("blind_index_subject", "tenant", "subject"),
)
"""Tokens of near-unique identifiers: of a record and tag one per version of the index."""

blind_index_state = sa.Table(
    "blind_index_state",
    metadata,
    _text("tenant"),
    _text("field_tag"),
    _number("ver"),
    _text("normaliser"),
    sa.Column("building", sa.BigInteger(), nullable=True),
    _text("building_normaliser", null=True),
    _text("reached"),
    _key("blind_index_state", "tenant", "field_tag"),
)
"""Which version of an index is asked, which one is being built beside it, and up to which record that has come."""

_buried = (_text("tenant"), _text("record_id"), _text("rule"), _text("digest"))
tombstone = sa.Table("tombstone", metadata, *_buried, _key("tombstone", "tenant", "record_id"))
"""Records that ended by a rule of retention: their earlier versions may go. The digest is of the last of these."""

spent = sa.Table("spent", metadata, _text("tenant"), _text("once"), _number("until"), _key("spent", "tenant", "once"))
"""What may be used once and was used, by its digest, until nobody could use it anyway; in seconds since 1970."""

audit_batch = sa.Table(
    "audit_batch",
    metadata,
    _text("tenant"),
    _number("first_index"),
    _number("size"),
    _bytes("peaks"),
    _bytes("entries"),
    _bytes("lists"),
    _instant("at"),
    _key("audit_batch", "tenant", "first_index"),
)
"""The log itself, one row per durable commit: its entries, the size and peaks of the tree after them, and by place the
lists that are too long for their leaves."""

audit_posting = sa.Table(
    "audit_posting",
    metadata,
    _text("tenant"),
    _text("subject"),
    _number("first_index"),
    _number("last_index"),
    _text("places"),
    _key("audit_posting", "tenant", "subject", "first_index"),
)
"""Where in a stretch of the log a subject is named: a list of places, as JSON, in one row."""

audit_stretch = sa.Table(
    "audit_stretch",
    metadata,
    _text("tenant"),
    _number("stretch"),
    _instant("earliest"),
    _instant("latest"),
    _key("audit_stretch", "tenant", "stretch"),
)
"""When the entries of each stretch of the log happened: of the first and of the last of them."""

audit_term = sa.Table(
    "audit_term",
    metadata,
    _text("tenant"),
    _text("fact"),
    _text("value"),
    _number("stretch"),
    _bytes("places"),
    _key("audit_term", "tenant", "fact", "value", "stretch"),
)
"""At which places of a stretch of the log a fact has a value: `ledger.terms` says how they are packed."""

audit_found = sa.Table("audit_found", metadata, _text("tenant"), _number("size"), _key("audit_found", "tenant"))
"""How much of a log its readers find; the rest is in the batches and is brought up before anybody looks."""

audit_outbox = sa.Table(
    "audit_outbox",
    metadata,
    _text("tenant"),
    sa.Column(
        "position",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        sa.Identity(always=True),
        nullable=False,
    ),
    _text("id"),
    _bytes("entry"),
    _key("audit_outbox", "position"),
    _index("audit_outbox_id", "tenant", "id", unique=True),
    sqlite_autoincrement=True,
)
"""Entries that are durable and wait for their place in the tree."""

audit_payload = sa.Table(
    "audit_payload",
    metadata,
    _text("tenant"),
    _text("entry"),
    _text("subject"),
    _bytes("dek_id"),
    _bytes("envelope"),
    _key("audit_payload", "tenant", "entry", "subject"),
    _index("audit_payload_dek_id", "tenant", "dek_id"),
)
"""Sealed side payloads of entries: erased with their subject, while the log still verifies."""

audit_checkpoint = sa.Table(
    "audit_checkpoint",
    metadata,
    _text("tenant"),
    _number("size"),
    _text("text"),
    _key("audit_checkpoint", "tenant", "size"),
)
"""Signed checkpoints of the log."""

_tile = (_text("tenant"), _number("level"), _number("place"), _bytes("root"), _bytes("hashes"))
audit_tile = sa.Table("audit_tile", metadata, *_tile, _key("audit_tile", "tenant", "level", "place"))
"""The full tiles of the tree, each with the root of its hashes, which the level above consists of."""

_cosigned = (_text("tenant"), _number("size"), _text("witness"), _text("line"), _instant("at"))
_cosigned_key = _key("audit_cosignature", "tenant", "size", "witness")
audit_cosignature = sa.Table("audit_cosignature", metadata, *_cosigned, _cosigned_key)
"""What witnesses signed under a checkpoint: the line of each, and when it came."""
