"""What the databases themselves refuse, whoever asks: the migrations put these guards on every table.

A row of a record may be superseded once, and go only under a tombstone; the audit log only grows; on PostgreSQL nobody
but the owner's superuser sees a row of another tenant. They are the second line: the first is that no statement asks
for it.
A migration that ran is not changed by a change here: new guards need a new migration.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from domain.errors import Unavailable
from vault.store.engines import POSTGRESQL, ROLE, TENANT

_OWN = f"tenant = current_setting('{TENANT}', true)"
_OWN_ONCE = f"tenant = (SELECT current_setting('{TENANT}', true))"
"""The same, with the setting looked up once per statement and not for every row that is read."""

_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE} NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, '{ROLE}', 'SET') THEN
        GRANT {ROLE} TO CURRENT_USER;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
    NULL; -- another database of this server was migrated at the same moment, or by somebody else: see below
END $$
"""
_MAY = "SELECT coalesce((SELECT pg_has_role(oid, 'SET') FROM pg_roles WHERE rolname = :role), false)"

_LAST = {"audit_batch": "OLD.size - 1", "audit_entry": "OLD.log_index", "audit_posting": "OLD.last_index"}
"""The last place in the log that a row is of."""

_FUNCTIONS = {
    "credence_refuse": """
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    """,
    "credence_supersede": """
        IF OLD.superseded_at IS NULL AND NEW.superseded_at IS NOT NULL THEN
            OLD.superseded_at := NEW.superseded_at;
            IF NEW IS NOT DISTINCT FROM OLD THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION '% is only superseded', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    """,
    "credence_bury": """
        IF OLD.superseded_at IS NOT NULL
            AND EXISTS (SELECT FROM tombstone WHERE tenant = OLD.tenant AND record_id = OLD.id) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    """,
    **{
        f"credence_prune_{table}": f"""
        IF {last} < coalesce((SELECT max(minimum) FROM log_pruning WHERE tenant = OLD.tenant), 0) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    """  # noqa: S608 - names of our own
        for table, last in _LAST.items()
    },
    "credence_integrated": """
        IF EXISTS (SELECT FROM audit_entry WHERE tenant = OLD.tenant AND id = OLD.id) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION '% waits for the log', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    """,
}


def prepare(connection: sa.Connection) -> None:
    """Makes the role of the application and the functions of the guards, on PostgreSQL.

    Raises: Unavailable where the role is somebody else's, or may not be made.
    """
    if connection.dialect.name != POSTGRESQL:
        return
    _run(connection, [_ROLE])
    if not connection.scalar(sa.text(_MAY), {"role": ROLE}):
        raise Unavailable(
            f"The database user may not act as {ROLE}.",
            advice=f"Let the server's administrator run: CREATE ROLE {ROLE} NOLOGIN (unless it exists), and "
            f"GRANT {ROLE} to the user that migrates and to the user that serves.",
        )
    schema = connection.dialect.identifier_preparer.quote(str(connection.scalar(sa.text("SELECT current_schema()"))))
    statements = [f"GRANT USAGE ON SCHEMA {schema} TO {ROLE}", f"GRANT SELECT ON alembic_version TO {ROLE}"]
    # The path is fixed: a temporary table cannot take the place of the log.
    statements += [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp "
        f"AS $$ BEGIN {body} END $$"
        for name, body in _FUNCTIONS.items()
    ]
    _run(connection, statements)


def guard_record(connection: sa.Connection, table: str, *, buried: bool) -> None:
    """A version of a record is superseded once, and never changed; an earlier one goes at most under a tombstone."""
    _run(connection, [_superseded(table)] if _postgres(connection) else _superseded_sqlite(connection, table))
    rights = ["SELECT", "INSERT", "UPDATE (superseded_at)"]
    if buried:
        _run(connection, [_bury(connection, table)])
        _refuse(connection, table, "TRUNCATE")
        rights.append("DELETE")
    else:
        _refuse(connection, table, "DELETE", "TRUNCATE")
    guard_tenant(connection, table, *rights)


def guard_append_only(connection: sa.Connection, table: str) -> None:
    """What was written stays as it was written."""
    _refuse(connection, table, "UPDATE", "DELETE", "TRUNCATE")
    guard_tenant(connection, table, "SELECT", "INSERT")


def guard_log(connection: sa.Connection, table: str) -> None:
    """What was written of the log stays as it was written, and goes only below the minimum index of its log."""
    _refuse(connection, table, "UPDATE", "TRUNCATE")
    if _postgres(connection):
        statement = _trigger(f"{table}_prune", f"DELETE ON {table} FOR EACH ROW", f"credence_prune_{table}")
    else:
        minimum = "coalesce((SELECT max(minimum) FROM log_pruning WHERE tenant = OLD.tenant), 0)"
        event = f"DELETE ON {table} WHEN {_LAST[table]} >= {minimum}"
        statement = _trigger_sqlite(f"{table}_prune", event, f"{table} is append-only")
    _run(connection, [statement])
    guard_tenant(connection, table, "SELECT", "INSERT", "DELETE")


def guard_payload(connection: sa.Connection, table: str) -> None:
    """A sealed payload is never changed; it is deleted when its subject is erased."""
    _refuse(connection, table, "UPDATE", "TRUNCATE")
    guard_tenant(connection, table, "SELECT", "INSERT", "DELETE")


def guard_outbox(connection: sa.Connection, table: str) -> None:
    """An entry leaves the outbox only after it stands in the log."""
    _refuse(connection, table, "UPDATE", "TRUNCATE")
    if _postgres(connection):
        statement = _trigger(f"{table}_integrated", f"DELETE ON {table} FOR EACH ROW", "credence_integrated")
    else:
        known = "SELECT 1 FROM audit_entry WHERE tenant = OLD.tenant AND id = OLD.id"
        event = f"DELETE ON {table} WHEN NOT EXISTS ({known})"
        statement = _trigger_sqlite(f"{table}_integrated", event, f"{table} waits for the log")
    _run(connection, [statement])
    guard_tenant(connection, table, "SELECT", "INSERT", "DELETE")


def guard_register(connection: sa.Connection, table: str) -> None:
    """The ids of the tenants are read without a tenant, and a tenant adds its own alone."""
    _refuse(connection, table, "UPDATE", "DELETE", "TRUNCATE")
    if not _postgres(connection):
        return
    statements = [
        *_row_security(table),
        f"CREATE POLICY {table}_all ON {table} FOR SELECT USING (true)",
        f"CREATE POLICY {table}_tenant ON {table} FOR INSERT WITH CHECK ({_OWN})",
        f"GRANT SELECT, INSERT ON {table} TO {ROLE}",
    ]
    _run(connection, statements)


def guard_tenant(connection: sa.Connection, table: str, *grants: str) -> None:
    """On PostgreSQL a row is there for its own tenant only, and the application may do what is granted here."""
    if not _postgres(connection):
        return
    statements = [
        *_row_security(table),
        f"CREATE POLICY {table}_tenant ON {table} USING ({_OWN_ONCE}) WITH CHECK ({_OWN})",
        f"GRANT {', '.join(grants)} ON {table} TO {ROLE}",
    ]
    _run(connection, statements)


def _row_security(table: str) -> list[str]:
    return [f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY", f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"]


def _refuse(connection: sa.Connection, table: str, *events: str) -> None:
    if _postgres(connection):
        event = f"{' OR '.join(events)} ON {table} FOR EACH STATEMENT"
        _run(connection, [_trigger(f"{table}_append_only", event, "credence_refuse")])
        return
    # SQLite knows no TRUNCATE, and a trigger of one event each.
    known = [event for event in events if event != "TRUNCATE"]
    _run(
        connection,
        [
            _trigger_sqlite(f"{table}_no_{event.lower()}", f"{event} ON {table}", f"{table} is append-only")
            for event in known
        ],
    )


def _superseded(table: str) -> str:
    return _trigger(f"{table}_superseded", f"UPDATE ON {table} FOR EACH ROW", "credence_supersede")


def _superseded_sqlite(connection: sa.Connection, table: str) -> list[str]:
    others = [column["name"] for column in sa.inspect(connection).get_columns(table)]
    others.remove("superseded_at")
    once = "OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL"
    message = f"{table} is only superseded"
    return [
        _trigger_sqlite(f"{table}_no_update", f"UPDATE OF {', '.join(others)} ON {table}", message),
        _trigger_sqlite(f"{table}_superseded", f"UPDATE OF superseded_at ON {table} WHEN {once}", message),
    ]


def _bury(connection: sa.Connection, table: str) -> str:
    if _postgres(connection):
        return _trigger(f"{table}_bury", f"DELETE ON {table} FOR EACH ROW", "credence_bury")
    under = "SELECT 1 FROM tombstone WHERE tenant = OLD.tenant AND record_id = OLD.id"
    event = f"DELETE ON {table} WHEN OLD.superseded_at IS NULL OR NOT EXISTS ({under})"
    return _trigger_sqlite(f"{table}_bury", event, f"{table} is append-only")


def _trigger(name: str, event: str, function: str) -> str:
    return f"CREATE TRIGGER {name} BEFORE {event} EXECUTE FUNCTION {function}()"


def _trigger_sqlite(name: str, event: str, message: str) -> str:
    return f"CREATE TRIGGER {name} BEFORE {event} BEGIN SELECT RAISE(ABORT, '{message}'); END"


def _postgres(connection: sa.Connection) -> bool:
    return connection.dialect.name == POSTGRESQL


def _run(connection: sa.Connection, statements: Sequence[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
