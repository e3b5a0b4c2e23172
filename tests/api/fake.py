"""Houses for tests of the interface: a real Gate over rows in memory, and one whose operations change them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from api.graphql.context import Memory
from api.graphql.documents import GraphQLRequest
from api.graphql.execute import execute
from api.graphql.operations import declared_actions
from api.graphql.schema import build_schema
from domain.actors import Actor, Rights
from domain.assessment.assessments import PointsLine
from domain.assessment.scale import Grade
from domain.audit import Receipt
from domain.consent.attesting.predicates import DISCLOSABLE
from domain.consent.trusted import ApproveTrustedDocument, ProposeTrustedDocument, TrustedDocument, TrustState
from domain.files.parties import CreditStatus, FileState
from domain.gate import Gate
from domain.ids import Id, RandomIds
from domain.money import Money
from domain.ports import Draft, SealedValue
from domain.reading import Purpose
from domain.records import STAMP_FIELDS
from tests.world import World

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
FILE, OTHER = Id("cf_" + "0" * 26), Id("cf_" + "1" * 26)
SCORED = Id("as_" + "0" * 26)
PHONE = "+8613800138000"


def file_row(id_: Id, name: str) -> dict[str, Any]:
    return {
        "id": id_,
        "subject_id": Id("cu_" + id_[3:]),
        "name": name,
        "reference": name.upper(),
        "state": FileState.OPEN,
        "credit_status": CreditStatus.OK,
        "grade": Grade.AA,
        "score": 81,
        "registered_capital": Money(1234567, "CNY"),
        "established_on": date(2001, 2, 3),
        "recorded_at": NOW,
        "version": 1,
        "findings": ("a retired region",),
        "assessment": SCORED,
        "secret": {"phone": PHONE},
    }


def assessment_row() -> dict[str, Any]:
    line = PointsLine(characteristic="dbt", band="0-5", points=20, maximum=25, missing=False)
    return {
        "id": SCORED,
        "subject_id": Id("cu_" + FILE[3:]),
        "credit_file": FILE,
        "grade": Grade.AA,
        "score": 81,
        "points": (line,),
        "secret": {},
    }


@dataclass
class Interpreter:
    """A naive reading of a Reading over rows in memory: tenants and reach aside, it is what a store must do."""

    rows: dict[str, list[dict[str, Any]]]
    judged: Any
    alone: bool = False
    ledger: bool = False
    sealed: list[tuple[SealedValue[Any], Any]] = field(default_factory=list)
    subjects: list[Id] = field(default_factory=list)

    def run(self, scope, arguments, now):
        """The draft; nothing needs to be fetched."""
        del now
        self.arguments, self.scope, self.sealed, self.subjects = arguments, scope, [], []
        answer = {root.label: self.level(root.what, self.of(root.what.shape)) for root in self.judged.reading.roots}
        yield from ()
        return Draft(
            answer=answer,
            subjects=tuple(dict.fromkeys(self.subjects)),
            resources=(),
            sealed=tuple(value for value, _ in self.sealed),
            place=self.place,
        )

    def place(self, values):
        """Puts every opened value where it belongs."""
        for (_, put), value in zip(self.sealed, values, strict=True):
            put(value)

    def of(self, shape):
        """The rows of a record within reach."""
        return self.rows.get(shape.name, [])

    def level(self, level, rows):
        """The rows of a level, or its one record."""
        rows = [row for row in rows if all(self.holds(row, condition) for condition in level.where)]
        for column, descending in reversed(level.order):
            rows.sort(key=lambda row: row[column], reverse=descending)
        if level.page is None:
            return self.row(level, rows[0]) if rows else None
        size = self.arguments[level.page.size.index]
        after = self.arguments[level.page.after.index] if level.page.after else None
        start = next((index + 1 for index, row in enumerate(rows) if row["id"] == after), 0)
        page = rows[start : start + size]
        return {
            "rows": [self.row(level, row) for row in page],
            "cursors": [row["id"] for row in page],
            "more": len(rows) > start + size,
            "earlier": start > 0,
            "total": len(rows) if level.page.wants_total else None,
        }

    def holds(self, row, condition):
        """Whether a row meets a condition."""
        held, wanted = row[condition.column], self.arguments[condition.value.index]
        held = getattr(held, "value", held)
        match condition.operator:
            case "=":
                return held == wanted
            case "!=":
                return held != wanted
            case ">=":
                return held >= wanted
            case "in":
                return wanted and held in wanted
            case "contains":
                return str(wanted) in str(held)

    def row(self, level, row):
        """What a level asks of one row."""
        self.subjects.append(row["subject_id"])
        made = {item.label: row[item.what] for item in level.facts}
        for item in level.computed:
            made[item.label] = item.what.batch([tuple(row.get(name) for name in item.what.needs)], NOW.date())[0]
        for item in level.links:
            made[item.label] = self.follow(item.what, row)
        for item in level.masks:
            self.seal(made, item.label, item.what, row, masked=True)
        for item in level.reveals:
            made[item.label] = self.reveal(item.what, row)
        return made

    def follow(self, link, row):
        """The level behind a link."""
        held = self.of(link.level.shape)
        if hasattr(link.by, "on"):
            own = row[link.by.on]
            return self.level(link.level, [item for item in held if item.get(link.by.by) == own])
        own = row[link.by.name]
        return self.level(link.level, [item for item in held if item["id"] == own])

    def reveal(self, reveal, row):
        """The confidential fields of a row, still sealed."""
        made: dict[str, Any] = {}
        closed = dict(reveal.closed)
        for item in reveal.fields:
            made[item.label] = None
            if item.what.name not in closed:
                self.seal(made, item.label, item.what, row)
        for label in reveal.withheld:
            made[label] = [{"field": name, "reason": why, "unlock": "Ask."} for name, why in closed.items()]
        return made

    def seal(self, made, label, what, row, *, masked=False):
        """Carries a sealed value and where it goes once opened."""
        made[label] = None
        if what.name in row["secret"]:
            value = SealedValue(
                field=what, tenant=self.scope.tenant, subject=row["subject_id"], record=row["id"], version=1,
                masked=masked, material=row["secret"][what.name],
            )  # fmt: skip
            self.sealed.append((value, lambda opened: made.__setitem__(label, opened)))


class FakeHouse:
    """The composition root in small: a real Gate over rows in memory that nothing changes."""

    trusted_only = False

    def __init__(self, allowed, rows, schema=None):
        self.rows, self.schema, self.memory = rows, schema or SCHEMA, Memory()
        self.entries: list[Any] = []
        self.prepared = 0
        self.broken: Exception | None = None
        self._rights = Rights(id=1, version="g1", allowed=dict.fromkeys(allowed, "rule"))
        self.gate = Gate(grants=self, store=self, opener=self, clock=self, make=RandomIds())

    def ask(self, query, variables=None, *, operation_name=None, **more):
        """The response to one request of the officer."""
        request = GraphQLRequest(query, operation_name, variables, "req-1")
        return asyncio.run(execute(self, OFFICER, request, **more))

    @property
    def readings(self):
        """The fake compiles readings itself."""
        return self

    async def notice(self, _tenant):
        """They change at once."""

    def rights(self, _actor):
        """The rights of everybody here."""
        return self._rights

    def now(self):
        """An instant that stands still."""
        return NOW

    def prepare(self, judged):
        """The steps of a reading, counted."""
        self.prepared += 1
        return Interpreter(self.rows, judged)

    async def read(self, _tenant, steps, **_):
        """Runs steps that fetch nothing."""
        if self.broken:
            raise self.broken
        try:
            next(steps)
        except StopIteration as ended:
            return ended.value
        raise AssertionError("the interpreter fetches nothing")

    async def put(self, entry, **_):
        """Records an entry."""
        self.entries.append(entry)
        return Receipt(entry=entry.id, tenant=entry.tenant)

    async def open(self, warrant, sealed):
        """The values, where the warrant covers them."""
        assert all(warrant.covers(value.tenant, value.subject, value.field.tag) for value in sealed)
        return ["***" if value.masked else value.material for value in sealed]


SCHEMA = build_schema()
STAFF = (
    *("credit_file:read", "assessment:read", "assessment:examine", "source:read"),
    *("reveal:contact", "mask:contact", "access_log:read"),
)
OFFICER = Actor(tenant=Id("te_" + "0" * 26), person="li", roles=frozenset({"credit_officer"}))


def reading_house():
    """A house with two credit files and one assessment, and the rights of an officer."""
    rows = {"CreditFile": [file_row(FILE, "net one"), file_row(OTHER, "net two")], "Assessment": [assessment_row()]}
    return FakeHouse((*STAFF, "schema:introspect"), rows)


class Living(Interpreter):
    """A reading over what operations left in the store in memory, within the tenant and the reader's reach."""

    def of(self, shape):
        """The current rows of a record within reach."""
        world, scope = self.rows, self.scope
        found = []
        for record in world.store.state.current(scope.tenant, shape.cls):
            row = {name: getattr(record, name) for name in shape.facts}
            row |= {name: getattr(record.stamp, name) for name in STAMP_FIELDS} | {"id": record.id}
            if scope.partner and not (shape.partner_reach and row["partner"] == scope.partner):
                continue
            own = shape.shown_to_all or (shape.subject_reach and row["subject_id"] == scope.subject)
            if scope.subject and not own:
                continue
            cells = {
                name: world.store.state.cells.get((scope.tenant, record.id, sealed.tag))
                for name, sealed in shape.confidential.items()
            }
            found.append(row | {"secret": {name: cell.key for name, cell in cells.items() if cell}})
        return found


class WorkingHouse(World):
    """The composition root in small: the real Gate over the store in memory, for reads and for changes."""

    trusted_only = False

    def __init__(self, schema=None):
        super().__init__()
        self.schema, self.memory = schema or SCHEMA, Memory()
        self.grants.rights = self.rights
        self.withdrawn = set()

    @property
    def readings(self):
        """The fake compiles readings itself."""
        return self

    async def notice(self, _tenant):
        """They change at once."""

    def rights(self, actor):
        """Everything for staff but what was withdrawn; a partner asks for disclosures and reads its own."""
        allowed = {"disclosure:request", "disclosure:read"} if actor.partner else EVERYTHING - self.withdrawn
        return Rights(
            id=hash(frozenset(allowed)), version="g1", allowed={action: f"rule:{action}" for action in allowed}
        )

    def prepare(self, judged):
        """The steps of a reading."""
        return Living(self, judged)

    def ask(self, query, variables=None, *, actor=None, operation_name=None):
        """The response to one request; what a partner asks is approved before."""
        request = GraphQLRequest(query, operation_name, variables, "req-1")
        if actor is not None and actor.partner is not None:
            self._trust(query)
        return asyncio.run(execute(self, actor or self.actor(), request))

    async def approved(self, _actor, digest):
        """The text of a document that somebody approved."""
        known = {one.digest: one.text for one in self.current(TrustedDocument) if one.state is TrustState.APPROVED}
        return known.get(digest)

    def _trust(self, query):
        if any(one.text == query for one in self.current(TrustedDocument)):
            return
        everything = {"purpose": Purpose.PARTNER_CREDIT_DECISION, "scope": tuple(DISCLOSABLE)}
        proposed = self.do(ProposeTrustedDocument(name="any", text=query, reads=("me",), **everything))
        self.do(ApproveTrustedDocument(document=proposed.id), self.actor("another"))


EVERYTHING = frozenset(declared_actions())
