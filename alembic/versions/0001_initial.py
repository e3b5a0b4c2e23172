"""The tables of the first release, and what its database refuses."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from vault.store.schema import guards, views

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

RECORDS = (
    "assessment",
    "attestation",
    "audit_examination",
    "audit_finding",
    "audit_search",
    "broken_glass",
    "consent",
    "consent_event",
    "consent_notice",
    "contact_person",
    "control_action",
    "credit_file",
    "credit_policy",
    "credit_statement",
    "customer",
    "default_event",
    "department",
    "disclosure",
    "document",
    "erasure",
    "external_rating",
    "financial_statement",
    "glass_rule",
    "grants_snapshot",
    "honey_file",
    "import_run",
    "interpretation",
    "key_epoch",
    "legal_hold",
    "litigation_record",
    "log_pruning",
    "objection",
    "objection_escalation",
    "opened_count",
    "partner",
    "partner_jwk",
    "policy_simulation",
    "public_sanction",
    "recall",
    "recall_delivery",
    "retention_rule",
    "role_claim",
    "role_reach",
    "service_account",
    "signing_key",
    "source",
    "staff_member",
    "status_list",
    "statutory_disclosure",
    "tenant",
    "trade_transaction",
    "training_record",
    "training_requirement",
    "trusted_document",
    "work_calendar",
)
BURIED = (
    "assessment",
    "attestation",
    "consent",
    "consent_event",
    "contact_person",
    "control_action",
    "credit_file",
    "credit_statement",
    "default_event",
    "disclosure",
    "objection",
    "public_sanction",
    "recall",
    "statutory_disclosure",
    "trade_transaction",
)
"""Records that end by a rule of retention: of these earlier versions may go."""
APPEND_ONLY = ("audit_checkpoint", "audit_cosignature", "audit_tile", "tombstone")
PRUNED = ("audit_batch", "audit_entry", "audit_posting")
"""Of the log: what goes below its minimum index, and nothing else of it."""
OUTBOX = ("audit_outbox",)
PAYLOADS = ("audit_payload",)
REGISTERS = ("tenant_register",)
KEYS_AND_CELLS = (
    "audit_found",
    "audit_stretch",
    "audit_term",
    "blind_index",
    "blind_index_state",
    "sealed_field",
    "spent",
    "vault_dek",
    "vault_dek_wrap",
    "vault_key",
)
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text is compared by code point on both databases."""


def upgrade() -> None:
    """Every table, then its guards."""
    for create in TABLES:
        create()
    connection = op.get_bind()
    guards.prepare(connection)
    for table in RECORDS:
        guards.guard_record(connection, table, buried=table in BURIED)
    for table in APPEND_ONLY:
        guards.guard_append_only(connection, table)
    for table in PRUNED:
        guards.guard_log(connection, table)
    for table in OUTBOX:
        guards.guard_outbox(connection, table)
    for table in PAYLOADS:
        guards.guard_payload(connection, table)
    for table in REGISTERS:
        guards.guard_register(connection, table)
    for table in KEYS_AND_CELLS:
        guards.guard_tenant(connection, table, "SELECT", "INSERT", "UPDATE", "DELETE")
    views.create(connection)


def downgrade() -> None:
    """There is no way back: it would delete what may only be added to."""
    raise RuntimeError("Revisions only lead forward: restore a backup instead.")


def _instant(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=null)


def _stamps() -> tuple[sa.Column[Any], ...]:
    """The columns that every version of a record has."""
    return (
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("subject_id", WORDS, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("created_at"),
        sa.Column("created_by", WORDS, nullable=False),
        _instant("effective_from"),
        _instant("effective_to", null=True),
        _instant("recorded_at"),
        _instant("superseded_at", null=True),
    )


def _record(name: str, *columns: sa.Column[Any]) -> None:
    """The table of a record: on PostgreSQL its key starts with the tenant, on SQLite its ids are unique."""
    key = sa.PrimaryKeyConstraint("tenant", "id", "version", name=f"{name}_key").ddl_if(dialect="postgresql")
    op.create_table(name, *_stamps(), *columns, key)
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(f"{name}_version", name, ["tenant", "id", "version"], unique=True)
    _current(f"{name}_current", name, "id")
    _current(f"{name}_by_recorded_at", name, "recorded_at", "id", unique=False)
    op.create_index(f"{name}_subject_id", name, ["tenant", "subject_id"])


def _current(index: str, name: str, *columns: str, unique: bool = True) -> None:
    """What is unique among the versions that are current, or in what order they are."""
    where = sa.text("superseded_at IS NULL")
    op.create_index(index, name, ["tenant", *columns], unique=unique, sqlite_where=where, postgresql_where=where)


def _assessment() -> None:
    _record(
        "assessment",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("policy", WORDS, nullable=False),
        sa.Column("policy_digest", WORDS, nullable=False),
        sa.Column("card", WORDS, nullable=False),
        sa.Column("outcome", WORDS, nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=True),
        sa.Column("grade", WORDS, nullable=True),
        sa.Column("tier", WORDS, nullable=True),
        sa.Column("calibration", WORDS, nullable=False),
        sa.Column("completeness_bp", sa.BigInteger(), nullable=False),
        sa.Column("points", WORDS, nullable=False),
        sa.Column("reasons", WORDS, nullable=False),
        sa.Column("next_grade", WORDS, nullable=True),
        sa.Column("path", WORDS, nullable=False),
        sa.Column("path_barred_by", WORDS, nullable=False),
        sa.Column("path_from", sa.Date(), nullable=True),
        sa.Column("missing", WORDS, nullable=False),
        sa.Column("credit_limit_minor", sa.BigInteger(), nullable=True),
        sa.Column("credit_limit_currency", WORDS, nullable=True),
        sa.Column("limit_bound_by", WORDS, nullable=True),
        sa.Column("net_days", sa.BigInteger(), nullable=True),
        sa.Column("prepayment_bp", sa.BigInteger(), nullable=True),
        sa.Column("security_required", sa.Boolean(), nullable=False),
        sa.Column("approver_level", WORDS, nullable=False),
        sa.Column("review_due_on", sa.Date(), nullable=True),
        sa.Column("prepared_by", WORDS, nullable=False),
        sa.Column("approved_by", WORDS, nullable=True),
        sa.Column("inputs_digest", WORDS, nullable=False),
        sa.Column("receipt_digest", WORDS, nullable=False),
    )
    _current("assessment_by_as_of", "assessment", "as_of", "id", unique=False)
    _current("assessment_by_score", "assessment", "score", "id", unique=False)
    op.create_index("assessment_credit_file", "assessment", ["tenant", "credit_file", "id"])


def _attestation() -> None:
    _record(
        "attestation",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("partner", WORDS, nullable=False),
        sa.Column("disclosure", WORDS, nullable=False),
        sa.Column("predicate", WORDS, nullable=False),
        sa.Column("predicates_version", sa.BigInteger(), nullable=False),
        sa.Column("threshold", WORDS, nullable=False),
        sa.Column("answer", sa.Boolean(), nullable=False),
    )
    op.create_index("attestation_credit_file", "attestation", ["tenant", "credit_file", "id"])
    op.create_index("attestation_disclosure", "attestation", ["tenant", "disclosure", "id"])


def _audit_batch() -> None:
    op.create_table(
        "audit_batch",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("first_index", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.Column("lists", sa.LargeBinary(), nullable=False),
        _instant("at"),
        sa.PrimaryKeyConstraint("tenant", "first_index", name="audit_batch_key"),
    )


def _audit_checkpoint() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "size", name="audit_checkpoint_key"),
    )


def _audit_cosignature() -> None:
    op.create_table(
        "audit_cosignature",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("witness", WORDS, nullable=False),
        sa.Column("line", WORDS, nullable=False),
        _instant("at"),
        sa.PrimaryKeyConstraint("tenant", "size", "witness", name="audit_cosignature_key"),
    )


def _audit_entry() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("subject_id", WORDS, nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        _instant("at"),
        sa.Column("actor", WORDS, nullable=False),
        sa.Column("behalf", WORDS, nullable=False),
        sa.Column("action", WORDS, nullable=False),
        sa.Column("actions", WORDS, nullable=False),
        sa.Column("outcome", WORDS, nullable=False),
        sa.Column("code", WORDS, nullable=False),
        sa.Column("cause", WORDS, nullable=False),
        sa.Column("purpose", WORDS, nullable=False),
        sa.Column("consent", WORDS, nullable=False),
        sa.Column("rule", WORDS, nullable=False),
        sa.Column("subjects", WORDS, nullable=False),
        sa.Column("resources", WORDS, nullable=False),
        sa.Column("fields", WORDS, nullable=False),
        sa.Column("request", WORDS, nullable=False),
        sa.Column("document", WORDS, nullable=False),
        sa.Column("leaf_hash", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="audit_entry_key"),
    )
    op.create_index("audit_entry_log_index", "audit_entry", ["tenant", "log_index"])


def _audit_examination() -> None:
    _record(
        "audit_examination",
        sa.Column("reached", sa.BigInteger(), nullable=False),
        _instant("days_until"),
        sa.Column("found", sa.BigInteger(), nullable=False),
    )


def _audit_finding() -> None:
    _record(
        "audit_finding",
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("clause", WORDS, nullable=False),
        sa.Column("alarm", sa.Boolean(), nullable=False),
        sa.Column("told_once", WORDS, nullable=False),
        _instant("at"),
        sa.Column("actor", WORDS, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("entries", WORDS, nullable=False),
        sa.Column("resources", WORDS, nullable=False),
        sa.Column("says", WORDS, nullable=False),
    )
    _current("audit_finding_by_at", "audit_finding", "at", "id", unique=False)
    _current("audit_finding_told_once", "audit_finding", "told_once")


def _audit_found() -> None:
    op.create_table(
        "audit_found",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="audit_found_key"),
    )


def _audit_outbox() -> None:
    op.create_table(
        "audit_outbox",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column(
            "position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=True), nullable=False
        ),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="audit_outbox_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_outbox_id", "audit_outbox", ["tenant", "id"], unique=True)


def _audit_payload() -> None:
    op.create_table(
        "audit_payload",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("entry", WORDS, nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("dek_id", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "entry", "subject", name="audit_payload_key"),
    )
    op.create_index("audit_payload_dek_id", "audit_payload", ["tenant", "dek_id"])


def _audit_posting() -> None:
    op.create_table(
        "audit_posting",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("first_index", sa.BigInteger(), nullable=False),
        sa.Column("last_index", sa.BigInteger(), nullable=False),
        sa.Column("places", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subject", "first_index", name="audit_posting_key"),
    )


def _audit_search() -> None:
    _record(
        "audit_search",
        sa.Column("name", WORDS, nullable=False),
        sa.Column("conditions", WORDS, nullable=False),
        sa.Column("saved_by", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
    )
    _current("audit_search_name", "audit_search", "name")


def _audit_stretch() -> None:
    op.create_table(
        "audit_stretch",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("stretch", sa.BigInteger(), nullable=False),
        _instant("earliest"),
        _instant("latest"),
        sa.PrimaryKeyConstraint("tenant", "stretch", name="audit_stretch_key"),
    )


def _audit_term() -> None:
    op.create_table(
        "audit_term",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("fact", WORDS, nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.Column("stretch", sa.BigInteger(), nullable=False),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "fact", "value", "stretch", name="audit_term_key"),
    )


def _audit_tile() -> None:
    op.create_table(
        "audit_tile",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "level", "place", name="audit_tile_key"),
    )


def _blind_index() -> None:
    op.create_table(
        "blind_index",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("field_tag", WORDS, nullable=False),
        sa.Column("ver", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("record_id", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "record_id", "field_tag", "ver", name="blind_index_key"),
    )
    op.create_index("blind_index_subject", "blind_index", ["tenant", "subject"])
    op.create_index("blind_index_token", "blind_index", ["tenant", "field_tag", "ver", "token"])


def _blind_index_state() -> None:
    op.create_table(
        "blind_index_state",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("field_tag", WORDS, nullable=False),
        sa.Column("ver", sa.BigInteger(), nullable=False),
        sa.Column("normaliser", WORDS, nullable=False),
        sa.Column("building", sa.BigInteger(), nullable=True),
        sa.Column("building_normaliser", WORDS, nullable=True),
        sa.Column("reached", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "field_tag", name="blind_index_state_key"),
    )


def _broken_glass() -> None:
    _record(
        "broken_glass",
        sa.Column("person", WORDS, nullable=False),
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("actions", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        _instant("ends_at"),
        _instant("review_due_at"),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("verdict", WORDS, nullable=True),
        sa.Column("remarks", WORDS, nullable=True),
        sa.Column("reviewed_by", WORDS, nullable=True),
    )
    _current("broken_glass_by_ends_at", "broken_glass", "ends_at", "id", unique=False)
    _current("broken_glass_by_review_due_at", "broken_glass", "review_due_at", "id", unique=False)
    op.create_index("broken_glass_credit_file", "broken_glass", ["tenant", "credit_file", "id"])


def _consent() -> None:
    _record(
        "consent",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("partner", WORDS, nullable=False),
        sa.Column("purpose", WORDS, nullable=False),
        sa.Column("fields", WORDS, nullable=False),
        sa.Column("use", WORDS, nullable=False),
        sa.Column("max_uses", sa.BigInteger(), nullable=True),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        _instant("not_before"),
        _instant("not_after"),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("given_by", WORDS, nullable=True),
        sa.Column("authority", WORDS, nullable=True),
        sa.Column("authority_digest", WORDS, nullable=True),
        sa.Column("authority_document", WORDS, nullable=True),
        sa.Column("jurisdiction", WORDS, nullable=False),
        sa.Column("language", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("notice_id", WORDS, nullable=True),
        sa.Column("notice_version", WORDS, nullable=True),
        sa.Column("notice_digest", WORDS, nullable=False),
        sa.Column("evidence_digest", WORDS, nullable=True),
        sa.Column("evidence_method", WORDS, nullable=True),
        sa.Column("evidence_document", WORDS, nullable=True),
        sa.Column("lookback_days", sa.BigInteger(), nullable=True),
        sa.Column("actions", WORDS, nullable=False),
        sa.Column("redisclosure", WORDS, nullable=False),
        sa.Column("onward_to", WORDS, nullable=False),
        sa.Column("retention_days", sa.BigInteger(), nullable=True),
        sa.Column("max_per_day", sa.BigInteger(), nullable=True),
        _instant("day_from", null=True),
        sa.Column("day_uses", sa.BigInteger(), nullable=False),
        sa.Column("withdrawal_contact", WORDS, nullable=True),
        sa.Column("source", WORDS, nullable=True),
        sa.Column("record_id", WORDS, nullable=True),
    )
    op.create_index("consent_authority_document", "consent", ["tenant", "authority_document", "id"])
    op.create_index("consent_credit_file", "consent", ["tenant", "credit_file", "id"])
    op.create_index("consent_evidence_document", "consent", ["tenant", "evidence_document", "id"])
    op.create_index("consent_partner", "consent", ["tenant", "partner", "id"])


def _consent_event() -> None:
    _record(
        "consent_event",
        sa.Column("consent", WORDS, nullable=False),
        sa.Column("consent_version", sa.BigInteger(), nullable=False),
        sa.Column("act", WORDS, nullable=False),
        _instant("at"),
        sa.Column("person", WORDS, nullable=False),
        sa.Column("given_by", WORDS, nullable=True),
        sa.Column("authority", WORDS, nullable=True),
        sa.Column("notice_digest", WORDS, nullable=False),
        sa.Column("evidence_digest", WORDS, nullable=True),
        sa.Column("digest", WORDS, nullable=False),
    )
    _current("consent_event_by_at", "consent_event", "at", "id", unique=False)
    op.create_index("consent_event_consent", "consent_event", ["tenant", "consent", "id"])


def _consent_notice() -> None:
    _record(
        "consent_notice",
        sa.Column("name", WORDS, nullable=False),
        sa.Column("language", WORDS, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.Column("digest", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
    )
    _current("consent_notice_by_name", "consent_notice", "name", "id", unique=False)
    _current("consent_notice_by_number", "consent_notice", "number", "id", unique=False)
    _current("consent_notice_digest", "consent_notice", "digest")
    op.create_index("consent_notice_number", "consent_notice", ["tenant", "number", "id"])


def _contact_person() -> None:
    _record(
        "contact_person",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("lawful_basis", WORDS, nullable=False),
        sa.Column("collector", WORDS, nullable=False),
        _instant("collected_at"),
        sa.Column("evidence_digest", WORDS, nullable=True),
        sa.Column("evidence", WORDS, nullable=True),
        sa.Column("customer", WORDS, nullable=False),
        sa.Column("duty", WORDS, nullable=False),
    )
    op.create_index("contact_person_customer", "contact_person", ["tenant", "customer", "id"])


def _control_action() -> None:
    _record(
        "control_action",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("assessment", WORDS, nullable=True),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("basis", WORDS, nullable=False),
        sa.Column("scope", WORDS, nullable=False),
        sa.Column("exit_condition", WORDS, nullable=False),
        sa.Column("deadline_on", sa.Date(), nullable=False),
        sa.Column("proposed_by", WORDS, nullable=False),
        sa.Column("approved_by", WORDS, nullable=True),
        sa.Column("state", WORDS, nullable=False),
    )
    op.create_index("control_action_assessment", "control_action", ["tenant", "assessment", "id"])
    _current("control_action_by_deadline_on", "control_action", "deadline_on", "id", unique=False)
    op.create_index("control_action_credit_file", "control_action", ["tenant", "credit_file", "id"])


def _credit_file() -> None:
    _record(
        "credit_file",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("lawful_basis", WORDS, nullable=False),
        sa.Column("collector", WORDS, nullable=False),
        _instant("collected_at"),
        sa.Column("evidence_digest", WORDS, nullable=True),
        sa.Column("evidence", WORDS, nullable=True),
        sa.Column("customer", WORDS, nullable=False),
        sa.Column("reference", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("registered_address", WORDS, nullable=True),
        sa.Column("registered_capital_minor", sa.BigInteger(), nullable=True),
        sa.Column("registered_capital_currency", WORDS, nullable=True),
        sa.Column("established_on", sa.Date(), nullable=True),
        sa.Column("industry_code", WORDS, nullable=True),
        sa.Column("size_class", WORDS, nullable=True),
        sa.Column("staff_count", sa.BigInteger(), nullable=True),
        sa.Column("findings", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("credit_status", WORDS, nullable=False),
        sa.Column("assessment", WORDS, nullable=True),
        sa.Column("score", sa.BigInteger(), nullable=True),
        sa.Column("grade", WORDS, nullable=True),
        sa.Column("tier", WORDS, nullable=True),
        sa.Column("credit_limit_minor", sa.BigInteger(), nullable=True),
        sa.Column("credit_limit_currency", WORDS, nullable=True),
        sa.Column("net_days", sa.BigInteger(), nullable=True),
        sa.Column("prepayment_bp", sa.BigInteger(), nullable=True),
        sa.Column("review_due_on", sa.Date(), nullable=True),
        sa.Column("relation_ended_on", sa.Date(), nullable=True),
        sa.Column("statement_by_customer", WORDS, nullable=True),
    )
    op.create_index("credit_file_assessment", "credit_file", ["tenant", "assessment", "id"])
    _current("credit_file_by_established_on", "credit_file", "established_on", "id", unique=False)
    _current("credit_file_by_grade", "credit_file", "grade", "id", unique=False)
    _current("credit_file_by_name", "credit_file", "name", "id", unique=False)
    _current("credit_file_by_review_due_on", "credit_file", "review_due_on", "id", unique=False)
    _current("credit_file_by_score", "credit_file", "score", "id", unique=False)
    op.create_index("credit_file_customer", "credit_file", ["tenant", "customer", "id"])
    _current("credit_file_reference", "credit_file", "reference")


def _credit_policy() -> None:
    _record(
        "credit_policy",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content_digest", WORDS, nullable=False),
        sa.Column("document", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        _instant("in_force_from", null=True),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("legal_references", WORDS, nullable=False),
        sa.Column("drafted_by", WORDS, nullable=False),
        sa.Column("authors", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=True),
        sa.Column("simulation", WORDS, nullable=True),
        sa.Column("base", WORDS, nullable=False),
        sa.Column("changes", WORDS, nullable=False),
    )
    _current("credit_policy_number", "credit_policy", "number")


def _credit_statement() -> None:
    _record(
        "credit_statement",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("assessment", WORDS, nullable=False),
        sa.Column("claims", WORDS, nullable=False),
        sa.Column("holder", WORDS, nullable=False),
        _instant("issued_at"),
        _instant("expires_at"),
        sa.Column("status_list", sa.BigInteger(), nullable=False),
        sa.Column("status_index", sa.BigInteger(), nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("revoked_because", WORDS, nullable=True),
    )
    op.create_index("credit_statement_assessment", "credit_statement", ["tenant", "assessment", "id"])
    op.create_index("credit_statement_credit_file", "credit_statement", ["tenant", "credit_file", "id"])
    _current("credit_statement_status_list_status_index", "credit_statement", "status_list", "status_index")


def _customer() -> None:
    _record(
        "customer",
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("account_owner", WORDS, nullable=True),
        sa.Column("department", WORDS, nullable=True),
    )
    op.create_index("customer_account_owner", "customer", ["tenant", "account_owner", "id"])
    op.create_index("customer_department", "customer", ["tenant", "department", "id"])


def _default_event() -> None:
    _record(
        "default_event",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("lawful_basis", WORDS, nullable=False),
        sa.Column("collector", WORDS, nullable=False),
        _instant("collected_at"),
        sa.Column("evidence_digest", WORDS, nullable=True),
        sa.Column("evidence", WORDS, nullable=True),
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("status", WORDS, nullable=False),
        sa.Column("supersedes", WORDS, nullable=True),
        sa.Column("source_row", WORDS, nullable=True),
    )
    op.create_index("default_event_credit_file", "default_event", ["tenant", "credit_file", "id"])
    _current("default_event_source_source_row", "default_event", "source", "source_row")


def _department() -> None:
    _record(
        "department",
        sa.Column("name", WORDS, nullable=False),
    )
    _current("department_name", "department", "name")


def _disclosure() -> None:
    _record(
        "disclosure",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("pseudonym", WORDS, nullable=False),
        sa.Column("partner", WORDS, nullable=False),
        sa.Column("consent", WORDS, nullable=True),
        sa.Column("consent_version", sa.BigInteger(), nullable=True),
        sa.Column("purpose", WORDS, nullable=False),
        sa.Column("action", WORDS, nullable=False),
        sa.Column("onward_to", WORDS, nullable=True),
        sa.Column("fields", WORDS, nullable=False),
        sa.Column("withheld", WORDS, nullable=False),
        sa.Column("obligations", WORDS, nullable=False),
        _instant("delete_by", null=True),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("contested", sa.Boolean(), nullable=False),
        sa.Column("idempotency_key", WORDS, nullable=False),
        sa.Column("request_digest", WORDS, nullable=False),
    )
    _current("disclosure_by_delete_by", "disclosure", "delete_by", "id", unique=False)
    op.create_index("disclosure_consent", "disclosure", ["tenant", "consent", "id"])
    op.create_index("disclosure_credit_file", "disclosure", ["tenant", "credit_file", "id"])
    op.create_index("disclosure_partner", "disclosure", ["tenant", "partner", "id"])
    _current("disclosure_partner_idempotency_key", "disclosure", "partner", "idempotency_key")


def _document() -> None:
    _record(
        "document",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("lawful_basis", WORDS, nullable=False),
        sa.Column("collector", WORDS, nullable=False),
        _instant("collected_at"),
        sa.Column("evidence_digest", WORDS, nullable=True),
        sa.Column("evidence", WORDS, nullable=True),
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("digest", WORDS, nullable=True),
    )
    _current("document_by_size", "document", "size", "id", unique=False)
    op.create_index("document_credit_file", "document", ["tenant", "credit_file", "id"])


def _erasure() -> None:
    _record(
        "erasure",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("person", WORDS, nullable=True),
        sa.Column("data_class", WORDS, nullable=True),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("rule", WORDS, nullable=True),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("proposed_by", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=True),
        sa.Column("subjects", WORDS, nullable=False),
        sa.Column("classes", WORDS, nullable=False),
        sa.Column("records", WORDS, nullable=False),
        sa.Column("keys", sa.BigInteger(), nullable=True),
        sa.Column("cells", sa.BigInteger(), nullable=True),
        sa.Column("recipients", WORDS, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=True),
        _instant("destroyed_at", null=True),
        _instant("effective_at", null=True),
        sa.Column("certificate", WORDS, nullable=True),
    )


def _external_rating() -> None:
    _record(
        "external_rating",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("lawful_basis", WORDS, nullable=False),
        sa.Column("collector", WORDS, nullable=False),
        _instant("collected_at"),
        sa.Column("evidence_digest", WORDS, nullable=True),
        sa.Column("evidence", WORDS, nullable=True),
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("status", WORDS, nullable=False),
        sa.Column("supersedes", WORDS, nullable=True),
        sa.Column("source_row", WORDS, nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
    )
    op.create_index("external_rating_credit_file", "external_rating", ["tenant", "credit_file", "id"])
    _current("external_rating_source_source_row", "external_rating", "source", "source_row")


def _financial_statement() -> None:
    _record(
        "financial_statement",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("lawful_basis", WORDS, nullable=False),
        sa.Column("collector", WORDS, nullable=False),
        _instant("collected_at"),
        sa.Column("evidence_digest", WORDS, nullable=True),
        sa.Column("evidence", WORDS, nullable=True),
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("status", WORDS, nullable=False),
        sa.Column("supersedes", WORDS, nullable=True),
        sa.Column("source_row", WORDS, nullable=True),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("audited", sa.Boolean(), nullable=False),
    )
    _current("financial_statement_by_period_end", "financial_statement", "period_end", "id", unique=False)
    op.create_index("financial_statement_credit_file", "financial_statement", ["tenant", "credit_file", "id"])
    _current("financial_statement_source_source_row", "financial_statement", "source", "source_row")


def _glass_rule() -> None:
    _record(
        "glass_rule",
        sa.Column("state", WORDS, nullable=False),
        sa.Column("proposed_by", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=True),
        sa.Column("role", WORDS, nullable=False),
        sa.Column("action", WORDS, nullable=False),
        sa.Column("most_minutes", sa.BigInteger(), nullable=False),
    )


def _grants_snapshot() -> None:
    _record(
        "grants_snapshot",
        sa.Column("content_digest", WORDS, nullable=False),
        sa.Column("rules", WORDS, nullable=False),
        sa.Column("links", WORDS, nullable=False),
        sa.Column("tests", WORDS, nullable=False),
        sa.Column("untested", WORDS, nullable=False),
        sa.Column("failures", WORDS, nullable=False),
        sa.Column("base", WORDS, nullable=False),
        sa.Column("changes", WORDS, nullable=False),
        sa.Column("changes_digest", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        _instant("effective_at", null=True),
        sa.Column("proposed_by", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=True),
    )


def _honey_file() -> None:
    _record(
        "honey_file",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("planted_by", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
    )


def _import_run() -> None:
    _record(
        "import_run",
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("lawful_basis", WORDS, nullable=False),
        sa.Column("file_name", WORDS, nullable=False),
        sa.Column("file_digest", WORDS, nullable=False),
        sa.Column("map_digest", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_stored", sa.BigInteger(), nullable=False),
        sa.Column("rows_updated", sa.BigInteger(), nullable=False),
        sa.Column("rows_known", sa.BigInteger(), nullable=False),
        sa.Column("rows_rejected", sa.BigInteger(), nullable=False),
        sa.Column("findings", WORDS, nullable=False),
        sa.Column("rejected_bytes", sa.BigInteger(), nullable=False),
        sa.Column("rejected", WORDS, nullable=False),
    )
    _current("import_run_source_file_digest_map_digest", "import_run", "source", "file_digest", "map_digest")


def _interpretation() -> None:
    _record(
        "interpretation",
        sa.Column("policy", WORDS, nullable=False),
        sa.Column("clause", WORDS, nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.Column("legal_references", WORDS, nullable=False),
        sa.Column("written_by", WORDS, nullable=False),
    )
    op.create_index("interpretation_policy", "interpretation", ["tenant", "policy", "id"])


def _key_epoch() -> None:
    _record(
        "key_epoch",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("state", WORDS, nullable=False),
        _instant("retired_at", null=True),
        _instant("destroyable_at", null=True),
        _instant("destroyed_at", null=True),
    )
    _current("key_epoch_number", "key_epoch", "number")


def _legal_hold() -> None:
    _record(
        "legal_hold",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("owner", WORDS, nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("placed_by", WORDS, nullable=False),
        sa.Column("lifted_by", WORDS, nullable=True),
        sa.Column("lifted_because", WORDS, nullable=True),
        sa.Column("bars_disclosure", sa.Boolean(), nullable=False),
    )
    op.create_index("legal_hold_credit_file", "legal_hold", ["tenant", "credit_file", "id"])


def _litigation_record() -> None:
    _record(
        "litigation_record",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("lawful_basis", WORDS, nullable=False),
        sa.Column("collector", WORDS, nullable=False),
        _instant("collected_at"),
        sa.Column("evidence_digest", WORDS, nullable=True),
        sa.Column("evidence", WORDS, nullable=True),
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("status", WORDS, nullable=False),
        sa.Column("supersedes", WORDS, nullable=True),
        sa.Column("source_row", WORDS, nullable=True),
    )
    op.create_index("litigation_record_credit_file", "litigation_record", ["tenant", "credit_file", "id"])
    _current("litigation_record_source_source_row", "litigation_record", "source", "source_row")


def _log_pruning() -> None:
    _record(
        "log_pruning",
        sa.Column("minimum", sa.BigInteger(), nullable=False),
        sa.Column("rule", WORDS, nullable=False),
        _instant("before"),
        sa.Column("entries", sa.BigInteger(), nullable=False),
    )


def _objection() -> None:
    _record(
        "objection",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("contested", WORDS, nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("amount_currency", WORDS, nullable=True),
        sa.Column("disputed_before_minor", sa.BigInteger(), nullable=True),
        sa.Column("disputed_before_currency", WORDS, nullable=True),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("raised_by", WORDS, nullable=False),
        _instant("received_at"),
        sa.Column("annotate_by", sa.Date(), nullable=True),
        sa.Column("answer_by", sa.Date(), nullable=False),
        _instant("annotated_at", null=True),
        _instant("answered_at", null=True),
        sa.Column("decided_by", WORDS, nullable=True),
        sa.Column("evidence_digest", WORDS, nullable=True),
    )
    _current("objection_by_answer_by", "objection", "answer_by", "id", unique=False)
    _current("objection_by_received_at", "objection", "received_at", "id", unique=False)
    op.create_index("objection_credit_file", "objection", ["tenant", "credit_file", "id"])


def _objection_escalation() -> None:
    _record(
        "objection_escalation",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("objection", WORDS, nullable=False),
        sa.Column("clock", WORDS, nullable=False),
        sa.Column("level", WORDS, nullable=False),
        sa.Column("told", WORDS, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        _instant("raised_at"),
        sa.Column("state", WORDS, nullable=False),
        _instant("settled_at", null=True),
    )
    _current("objection_escalation_by_due_on", "objection_escalation", "due_on", "id", unique=False)
    _current("objection_escalation_by_raised_at", "objection_escalation", "raised_at", "id", unique=False)
    op.create_index("objection_escalation_credit_file", "objection_escalation", ["tenant", "credit_file", "id"])
    op.create_index("objection_escalation_objection", "objection_escalation", ["tenant", "objection", "id"])


def _opened_count() -> None:
    _record(
        "opened_count",
        sa.Column("process", WORDS, nullable=False),
        _instant("since"),
        _instant("until"),
        sa.Column("data_class", WORDS, nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("recorded", sa.BigInteger(), nullable=False),
    )
    _current("opened_count_by_until", "opened_count", "until", "id", unique=False)


def _partner() -> None:
    _record(
        "partner",
        sa.Column("name", WORDS, nullable=False),
        sa.Column("contact", WORDS, nullable=False),
        sa.Column("purposes", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("processor_for", WORDS, nullable=True),
        sa.Column("registration", WORDS, nullable=True),
        sa.Column("address", WORDS, nullable=True),
        sa.Column("registered_by", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=True),
        sa.Column("recalls_to", WORDS, nullable=True),
    )
    _current("partner_name", "partner", "name")


def _partner_jwk() -> None:
    _record(
        "partner_jwk",
        sa.Column("partner", WORDS, nullable=False),
        sa.Column("use", WORDS, nullable=False),
        sa.Column("jkt", WORDS, nullable=False),
        sa.Column("jwk", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("proposed_by", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=True),
    )
    _current("partner_jwk_jkt", "partner_jwk", "jkt")
    op.create_index("partner_jwk_partner", "partner_jwk", ["tenant", "partner", "id"])


def _policy_simulation() -> None:
    _record(
        "policy_simulation",
        sa.Column("policy", WORDS, nullable=False),
        sa.Column("content_digest", WORDS, nullable=False),
        sa.Column("against", WORDS, nullable=False),
        sa.Column("inputs_digest", WORDS, nullable=False),
        _instant("began_at"),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("failed_files", WORDS, nullable=False),
        sa.Column("winners", sa.BigInteger(), nullable=False),
        sa.Column("losers", sa.BigInteger(), nullable=False),
        sa.Column("mixed", sa.BigInteger(), nullable=False),
        sa.Column("newly_blocked", sa.BigInteger(), nullable=False),
        sa.Column("newly_ungraded", sa.BigInteger(), nullable=False),
        sa.Column("ungraded", sa.BigInteger(), nullable=False),
        sa.Column("limit_before_minor", sa.BigInteger(), nullable=False),
        sa.Column("limit_before_currency", WORDS, nullable=False),
        sa.Column("limit_after_minor", sa.BigInteger(), nullable=False),
        sa.Column("limit_after_currency", WORDS, nullable=False),
        sa.Column("migrations", WORDS, nullable=False),
        sa.Column("segments", WORDS, nullable=False),
        sa.Column("run_by", WORDS, nullable=False),
    )
    op.create_index("policy_simulation_policy", "policy_simulation", ["tenant", "policy", "id"])


def _public_sanction() -> None:
    _record(
        "public_sanction",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("lawful_basis", WORDS, nullable=False),
        sa.Column("collector", WORDS, nullable=False),
        _instant("collected_at"),
        sa.Column("evidence_digest", WORDS, nullable=True),
        sa.Column("evidence", WORDS, nullable=True),
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("status", WORDS, nullable=False),
        sa.Column("supersedes", WORDS, nullable=True),
        sa.Column("source_row", WORDS, nullable=True),
    )
    op.create_index("public_sanction_credit_file", "public_sanction", ["tenant", "credit_file", "id"])
    _current("public_sanction_source_source_row", "public_sanction", "source", "source_row")


def _recall() -> None:
    _record(
        "recall",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("disclosure", WORDS, nullable=False),
        sa.Column("partner", WORDS, nullable=False),
        sa.Column("fields", WORDS, nullable=False),
        sa.Column("cause", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("compliance", WORDS, nullable=True),
        _instant("answered_at", null=True),
    )
    _current("recall_by_answer_by", "recall", "answer_by", "id", unique=False)
    op.create_index("recall_credit_file", "recall", ["tenant", "credit_file", "id"])
    op.create_index("recall_disclosure", "recall", ["tenant", "disclosure", "id"])
    op.create_index("recall_partner", "recall", ["tenant", "partner", "id"])


def _recall_delivery() -> None:
    _record(
        "recall_delivery",
        sa.Column("recall", WORDS, nullable=False),
        sa.Column("partner", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        _instant("due_at", null=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        _instant("leased_until", null=True),
        sa.Column("failure", WORDS, nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=True),
        _instant("delivered_at", null=True),
    )
    _current("recall_delivery_by_due_at", "recall_delivery", "due_at", "id", unique=False)
    op.create_index("recall_delivery_partner", "recall_delivery", ["tenant", "partner", "id"])
    op.create_index("recall_delivery_recall", "recall_delivery", ["tenant", "recall", "id"])


def _retention_rule() -> None:
    _record(
        "retention_rule",
        sa.Column("name", WORDS, nullable=False),
        sa.Column("pack", WORDS, nullable=False),
        sa.Column("reference", WORDS, nullable=False),
        sa.Column("mark", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("parties", WORDS, nullable=False),
        sa.Column("since", WORDS, nullable=False),
        sa.Column("years", sa.BigInteger(), nullable=False),
        sa.Column("months", sa.BigInteger(), nullable=False),
        sa.Column("at_least", sa.Boolean(), nullable=False),
        sa.Column("ending", WORDS, nullable=False),
        sa.Column("legal_hold", WORDS, nullable=False),
    )
    _current("retention_rule_name", "retention_rule", "name")


def _role_claim() -> None:
    _record(
        "role_claim",
        sa.Column("state", WORDS, nullable=False),
        sa.Column("proposed_by", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=True),
        sa.Column("issuer", WORDS, nullable=False),
        sa.Column("claim", WORDS, nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.Column("role", WORDS, nullable=False),
    )


def _role_reach() -> None:
    _record(
        "role_reach",
        sa.Column("state", WORDS, nullable=False),
        sa.Column("proposed_by", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=True),
        sa.Column("role", WORDS, nullable=False),
        sa.Column("extent", WORDS, nullable=False),
    )


def _sealed_field() -> None:
    op.create_table(
        "sealed_field",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("record_type", WORDS, nullable=False),
        sa.Column("record_id", WORDS, nullable=False),
        sa.Column("field_tag", WORDS, nullable=False),
        sa.Column("value_version", sa.BigInteger(), nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("data_class", WORDS, nullable=False),
        sa.Column("dek_id", sa.LargeBinary(), nullable=False),
        sa.Column("schema_version", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "record_id", "field_tag", name="sealed_field_key"),
    )
    op.create_index("sealed_field_dek_id", "sealed_field", ["tenant", "dek_id"])


def _service_account() -> None:
    _record(
        "service_account",
        sa.Column("state", WORDS, nullable=False),
        sa.Column("proposed_by", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=True),
        sa.Column("issuer", WORDS, nullable=False),
        sa.Column("client", WORDS, nullable=False),
        sa.Column("roles", WORDS, nullable=False),
        sa.Column("purpose", WORDS, nullable=False),
    )


def _signing_key() -> None:
    _record(
        "signing_key",
        sa.Column("use", WORDS, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kid", WORDS, nullable=False),
        sa.Column("public", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        _instant("began_at"),
        _instant("ended_at", null=True),
        sa.Column("handover", WORDS, nullable=True),
    )
    _current("signing_key_by_number", "signing_key", "number", "id", unique=False)
    op.create_index("signing_key_number", "signing_key", ["tenant", "number", "id"])
    _current("signing_key_use_number", "signing_key", "use", "number")


def _source() -> None:
    _record(
        "source",
        sa.Column("type", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("lawful_bases", WORDS, nullable=False),
        sa.Column("licence", WORDS, nullable=True),
        sa.Column("stale_after_days", sa.BigInteger(), nullable=False),
        sa.Column("state", WORDS, nullable=False),
    )
    _current("source_name", "source", "name")


def _spent() -> None:
    op.create_table(
        "spent",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("once", WORDS, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "once", name="spent_key"),
    )


def _staff_member() -> None:
    _record(
        "staff_member",
        sa.Column("person", WORDS, nullable=False),
        sa.Column("department", WORDS, nullable=True),
    )
    op.create_index("staff_member_department", "staff_member", ["tenant", "department", "id"])
    _current("staff_member_person", "staff_member", "person")


def _status_list() -> None:
    _record(
        "status_list",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
    )
    _current("status_list_number", "status_list", "number")


def _statutory_disclosure() -> None:
    _record(
        "statutory_disclosure",
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("authority", WORDS, nullable=False),
        sa.Column("authority_kind", WORDS, nullable=False),
        sa.Column("legal_reference", WORDS, nullable=False),
        sa.Column("letter", WORDS, nullable=False),
        sa.Column("approval", WORDS, nullable=True),
        sa.Column("document", WORDS, nullable=True),
        sa.Column("fields", WORDS, nullable=False),
        sa.Column("concealed", sa.Boolean(), nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("proposed_by", WORDS, nullable=False),
        sa.Column("first_approver", WORDS, nullable=True),
        sa.Column("second_approver", WORDS, nullable=True),
        sa.Column("released_by", WORDS, nullable=True),
        _instant("released_at", null=True),
    )
    _current("statutory_disclosure_by_released_at", "statutory_disclosure", "released_at", "id", unique=False)


def _tenant() -> None:
    _record(
        "tenant",
        sa.Column("name", WORDS, nullable=False),
        sa.Column("time_zone", WORDS, nullable=False),
    )
    _current("tenant_name", "tenant", "name")


def _tenant_register() -> None:
    op.create_table(
        "tenant_register",
        sa.Column("tenant", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="tenant_register_key"),
    )


def _tombstone() -> None:
    op.create_table(
        "tombstone",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("record_id", WORDS, nullable=False),
        sa.Column("rule", WORDS, nullable=False),
        sa.Column("digest", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "record_id", name="tombstone_key"),
    )


def _trade_transaction() -> None:
    _record(
        "trade_transaction",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("lawful_basis", WORDS, nullable=False),
        sa.Column("collector", WORDS, nullable=False),
        _instant("collected_at"),
        sa.Column("evidence_digest", WORDS, nullable=True),
        sa.Column("evidence", WORDS, nullable=True),
        sa.Column("credit_file", WORDS, nullable=False),
        sa.Column("status", WORDS, nullable=False),
        sa.Column("supersedes", WORDS, nullable=True),
        sa.Column("source_row", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("number", WORDS, nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_currency", WORDS, nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=True),
        sa.Column("tax_currency", WORDS, nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_currency", WORDS, nullable=False),
        sa.Column("disputed_minor", sa.BigInteger(), nullable=True),
        sa.Column("disputed_currency", WORDS, nullable=True),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("counterparty", WORDS, nullable=True),
        sa.Column("findings", WORDS, nullable=False),
    )
    _current("trade_transaction_by_due_on", "trade_transaction", "due_on", "id", unique=False)
    _current("trade_transaction_by_issued_on", "trade_transaction", "issued_on", "id", unique=False)
    op.create_index("trade_transaction_credit_file", "trade_transaction", ["tenant", "credit_file", "id"])
    op.create_index("trade_transaction_number", "trade_transaction", ["tenant", "number", "id"])
    _current("trade_transaction_source_source_row", "trade_transaction", "source", "source_row")


def _training_record() -> None:
    _record(
        "training_record",
        sa.Column("person", WORDS, nullable=False),
        sa.Column("course", WORDS, nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=False),
        _instant("valid_until"),
        sa.Column("recorded_by", WORDS, nullable=False),
    )
    _current("training_record_by_person", "training_record", "person", "id", unique=False)
    _current("training_record_by_valid_until", "training_record", "valid_until", "id", unique=False)
    _current("training_record_person_course", "training_record", "person", "course")


def _training_requirement() -> None:
    _record(
        "training_requirement",
        sa.Column("state", WORDS, nullable=False),
        sa.Column("proposed_by", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=True),
        sa.Column("action", WORDS, nullable=False),
        sa.Column("course", WORDS, nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
    )


def _trusted_document() -> None:
    _record(
        "trusted_document",
        sa.Column("digest", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.Column("partner", WORDS, nullable=True),
        sa.Column("purpose", WORDS, nullable=False),
        sa.Column("scope", WORDS, nullable=False),
        sa.Column("reads", WORDS, nullable=False),
        sa.Column("changes", WORDS, nullable=False),
        sa.Column("actions", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("proposed_by", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=True),
    )
    _current("trusted_document_by_name", "trusted_document", "name", "id", unique=False)
    _current("trusted_document_digest", "trusted_document", "digest")
    op.create_index("trusted_document_partner", "trusted_document", ["tenant", "partner", "id"])


def _vault_dek() -> None:
    op.create_table(
        "vault_dek",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("dek_id", sa.LargeBinary(), nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("data_class", WORDS, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("alg", WORDS, nullable=False),
        sa.Column("kek_epoch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "dek_id", name="vault_dek_key"),
    )
    op.create_index(
        "vault_dek_identity", "vault_dek", ["tenant", "subject", "data_class", "alg", "version"], unique=True
    )


def _vault_dek_wrap() -> None:
    op.create_table(
        "vault_dek_wrap",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("dek_id", sa.LargeBinary(), nullable=False),
        sa.Column("kek_epoch", sa.BigInteger(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "dek_id", "kek_epoch", name="vault_dek_wrap_key"),
    )


def _vault_key() -> None:
    op.create_table(
        "vault_key",
        sa.Column("tenant", WORDS, nullable=False),
        sa.Column("purpose", WORDS, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "purpose", "epoch", name="vault_key_key"),
    )


def _work_calendar() -> None:
    _record(
        "work_calendar",
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("holidays", WORDS, nullable=False),
        sa.Column("worked", WORDS, nullable=False),
        sa.Column("notice", WORDS, nullable=False),
        sa.Column("entered_by", WORDS, nullable=False),
    )
    _current("work_calendar_year", "work_calendar", "year")


TABLES = (
    _assessment,
    _attestation,
    _audit_batch,
    _audit_checkpoint,
    _audit_cosignature,
    _audit_entry,
    _audit_examination,
    _audit_finding,
    _audit_found,
    _audit_outbox,
    _audit_payload,
    _audit_posting,
    _audit_search,
    _audit_stretch,
    _audit_term,
    _audit_tile,
    _blind_index,
    _blind_index_state,
    _broken_glass,
    _consent,
    _consent_event,
    _consent_notice,
    _contact_person,
    _control_action,
    _credit_file,
    _credit_policy,
    _credit_statement,
    _customer,
    _default_event,
    _department,
    _disclosure,
    _document,
    _erasure,
    _external_rating,
    _financial_statement,
    _glass_rule,
    _grants_snapshot,
    _honey_file,
    _import_run,
    _interpretation,
    _key_epoch,
    _legal_hold,
    _litigation_record,
    _log_pruning,
    _objection,
    _objection_escalation,
    _opened_count,
    _partner,
    _partner_jwk,
    _policy_simulation,
    _public_sanction,
    _recall,
    _recall_delivery,
    _retention_rule,
    _role_claim,
    _role_reach,
    _sealed_field,
    _service_account,
    _signing_key,
    _source,
    _spent,
    _staff_member,
    _status_list,
    _statutory_disclosure,
    _tenant,
    _tenant_register,
    _tombstone,
    _trade_transaction,
    _training_record,
    _training_requirement,
    _trusted_document,
    _vault_dek,
    _vault_dek_wrap,
    _vault_key,
    _work_calendar,
)
