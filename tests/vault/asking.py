"""What auditors ask of a log, and logs of any size to ask it of: for the tests of plans, and for the benchmark."""

from __future__ import annotations

import hashlib
import random
import time
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from domain.actors import Rights
from domain.audit import Entry, Outcome
from domain.files.trail import AccessEntry, AuditEntry
from domain.ids import encode
from domain.ports import Scope
from domain.reading import Labelled, Level, Page, Reading, Slot, Where, judge
from tests.vault.wishes import Everything
from vault.keys import Keyring
from vault.store.ledger import lookups, terms
from vault.store.ledger.logbook import Leaf, integrate
from vault.store.reading import SqlReadings
from vault.store.tables import metadata

TENANT = encode("te", bytes(15) + b"\x07")
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
EVERYTHING = Rights(id=1, version="all", allowed=Everything())
FACTS = ("id", "log_index", "at", "actor", "action", "outcome", "purpose", "consent", "code")
ACTIONS = (
    *["credit_file:read"] * 60,
    *["assessment:read"] * 15,
    *["disclosure:request"] * 10,
    *["transaction:record"] * 8,
    *["assessment:approve"] * 4,
    "consent:record",
    "audit:read",
    "erasure:approve",
)
PER_BATCH = 256
MOMENT = timedelta(seconds=3)


def subject(number):
    """A customer."""
    return encode("cu", number.to_bytes(16, "big"))


def entries(count):
    """So many entries, as a year of work makes them: many reads by some, few of everything else, some faults."""
    chance = random.Random(7)  # noqa: S311 - no secret
    for number in range(count):
        at = BEGUN + number * MOMENT
        action = chance.choice(ACTIONS)
        refused = number % 211 == 5
        raw = int(at.timestamp() * 1000).to_bytes(6, "big") + number.to_bytes(10, "big")
        yield Entry(
            id=encode("ae", raw),
            at=at,
            tenant=TENANT,
            actor=f"person{min(int(chance.expovariate(0.05)), 199)}" if number % 10 else "system:sweep",
            action=action,
            purpose="CREDIT_REVIEW" if action == "credit_file:read" and number % 3 else "",
            consent=f"{encode('co', (number // 997).to_bytes(16, 'big'))}/1" if action == "disclosure:request" else "",
            rule="an-1" if not refused else "",
            outcome=Outcome.REFUSED if refused else Outcome.DONE,
            code="NOT_PERMITTED" if refused else "",
            request=hashlib.sha256(b"%d" % number).hexdigest()[:16],
            subjects=(subject(int(chance.expovariate(0.0002))),),
        )


def fill(connection, count, told=lambda _: None):
    """A log of so many entries in its own format, its tree whole, and everything findable in it."""
    held, done = [], 0
    for entry in entries(count):
        held.append(Leaf.of(entry))
        if len(held) == PER_BATCH:
            done += _put(connection, held)
            held = []
            if done % (PER_BATCH * 40) == 0:
                lookups.bring_all_up(connection, TENANT)
                connection.commit()
                told(done)
                _enter(connection)
    if held:
        _put(connection, held)
    lookups.bring_all_up(connection, TENANT)
    connection.commit()


REAL = 100 * 1_024
"""How many entries a larger log is made of: whole stretches."""
SHIFTED = {
    "sqlite": {
        "at": "strftime('%Y-%m-%dT%H:%M:%S.000000Z', {name}, '+' || :seconds || ' seconds')",
        "places": "(SELECT json_group_array(value + :entries) FROM json_each(places))",
    },
    "postgresql": {
        "at": "{name} + make_interval(secs => CAST(:seconds AS double precision))",
        "places": "(SELECT json_agg(CAST(one.value AS bigint) + CAST(:entries AS bigint))::text "
        "FROM jsonb_array_elements_text(places::jsonb) AS one(value))",
    },
}


def multiply(connection, copies, told=lambda _: None):
    """Copies of what readers find of a log of `REAL` entries, one behind the other; batches and tree stay as they are.

    A copy has its own ids, places and times, and the same actors, subjects and consents.
    """
    shifted = SHIFTED[connection.dialect.name]
    at, places = shifted["at"], shifted["places"]
    changed = {
        "audit_entry": {
            "id": "substr(id, 1, 3) || :number || substr(id, 9)",
            "log_index": "log_index + :entries",
            "at": at.format(name="at"),
        },
        "audit_term": {"stretch": "stretch + :stretches"},
        "audit_stretch": {
            "stretch": "stretch + :stretches",
            "earliest": at.format(name="earliest"),
            "latest": at.format(name="latest"),
        },
        "audit_posting": {"first_index": "first_index + :entries", "places": places},
    }
    among = {"audit_entry": "log_index", "audit_posting": "first_index"}
    for copy in range(1, copies):
        values = {
            "number": f"{copy:05d}",
            "entries": copy * REAL,
            "stretches": copy * REAL // terms.STRETCH,
            "seconds": copy * REAL * 3,
        }
        for table, changes in changed.items():
            names = [column.name for column in metadata.tables[table].columns]
            selected = ", ".join(changes.get(name, name) for name in names)
            limit = f"{among.get(table, 'stretch')} < {REAL if table in among else REAL // terms.STRETCH}"
            statement = sa.text(
                f"INSERT INTO {table} ({', '.join(names)}) SELECT {selected} FROM {table} WHERE {limit}"  # noqa: S608 - names of our own
            )
            used = {name: values[name] for name in statement.compile().params}
            connection.execute(statement, used)
        if copy % 10 == 0:
            connection.commit()
            told(copy * REAL)
            _enter(connection)
    connection.execute(sa.text("UPDATE audit_found SET size = :size"), {"size": copies * REAL})
    connection.commit()


def _enter(connection):
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT set_config('credence.tenant', $1, true)", (TENANT,))


def _put(connection, leaves):
    size = integrate(connection, TENANT, leaves, BEGUN)
    if connection.dialect.name == "postgresql":
        lookups.list_entries(connection, TENANT, size - len(leaves), leaves)
    return len(leaves)


def asked(count):
    """The queries, by name: conditions with their values, and whether the newest come first."""
    end = BEGUN + count * MOMENT
    middle, late = BEGUN + count // 2 * MOMENT, end - timedelta(hours=1)
    consent = f"{encode('co', (min(count, REAL) // 2 // 997).to_bytes(16, 'big'))}/1"
    return {
        "newest": ((), True),
        "oldest": ((), False),
        "a busy actor": ((("actor", "=", "person1"),), True),
        "a quiet actor": ((("actor", "=", "person150"),), True),
        "nobody": ((("actor", "=", "nobody"),), True),
        "some actors": ((("actor", "in", ("person1", "person150")),), True),
        "a part of an actor": ((("actor", "contains", "sweep"),), True),
        "a rare action": ((("action", "=", "erasure:approve"),), True),
        "a purpose": ((("purpose", "=", "CREDIT_REVIEW"),), True),
        "a consent": ((("consent", "=", consent),), False),
        "an outcome": ((("outcome", "=", "REFUSED"),), True),
        "a code": ((("code", "=", "NOT_PERMITTED"),), False),
        "a rule": ((("rule", "=", "an-1"),), True),
        "a subject": ((("subjects", "has", subject(9)),), True),
        "the last hour": ((("at", ">=", late),), True),
        "an hour long ago": ((("at", ">=", middle), ("at", "<=", middle + timedelta(hours=1))), False),
        "an actor's action": ((("actor", "=", "person3"), ("action", "=", "erasure:approve")), True),
        "an actor's refusals in an hour": (
            (
                ("actor", "=", "person1"),
                ("outcome", "=", "REFUSED"),
                ("at", ">=", middle),
                ("at", "<=", middle + timedelta(hours=1)),
            ),
            True,
        ),
        "what never meets": ((("actor", "=", "person1"), ("action", "=", "audit:read"), ("code", "=", "X")), True),
        "two that seldom meet": ((("consent", "=", consent), ("outcome", "=", "REFUSED")), True),
        "a subject by an actor": ((("subjects", "has", subject(9)), ("actor", "=", "person1")), True),
    }


def steps_of(dialect, where, *, descending, record=AuditEntry, order="log_index"):
    """The steps of a list with these conditions, and its arguments."""
    wheres = tuple(Where(column, operator, Slot(at + 1)) for at, (column, operator, _) in enumerate(where))
    facts = FACTS if record is AuditEntry else ("id", "log_index", "at", "actor", "action")
    level = Level(
        shape=record.shape,
        facts=tuple(Labelled(name, name) for name in facts),
        where=wheres,
        order=((order, descending),),
        page=Page(size=Slot(0), wants_cursors=True),
    )
    steps = SqlReadings(dialect, Keyring(None, time.monotonic)).prepare(
        judge(Reading((Labelled("x", level),)), EVERYTHING)
    )
    return steps, [50, *(value for _, _, value in where)]


def access_of(dialect):
    """Who looked at a customer."""
    return steps_of(dialect, (("subject_id", "=", subject(9)),), descending=True, record=AccessEntry)


def run(steps, arguments):
    """The statements of one run: a generator that is sent rows."""
    return steps.run(Scope(tenant=TENANT), arguments, BEGUN)
