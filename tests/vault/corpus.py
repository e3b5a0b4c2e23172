"""Records of two tenants, of every declared kind, made at random from a seed: nulls, empty lists, odd texts."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import get_args, get_origin, get_type_hints

from domain import controls  # noqa: F401 - declares its record
from domain.assessment import assessments  # noqa: F401 - the same
from domain.consent import consents, trusted  # noqa: F401 - the same
from domain.files import history, parties, trail  # noqa: F401 - the same
from domain.ids import Id, encode
from domain.money import Money
from domain.records import SHAPES, Stamp

NOW = datetime(2026, 11, 24, 8, 30, 0, 123456, tzinfo=UTC)
TEXTS = (
    "",
    "a",
    "A",
    "ab",
    "Ab",
    "b",
    "é",
    "e\u0301",
    "信用",
    "😀",
    "\uffff",
    "%",
    "_",
    "a_b",
    "'",
    '"',
    "\\",
    " ",
    "\n",
    "\t\r\b\f\x01\x1f\x7f\x85",
    "a\u2028b\u2029c",
    "\ufeff\u202e\u200d",
    "👩\u200d👩\u200d👧 𝔘",
    "</script>&amp;",
    '{"a":"\\u0041"}',
    "长" * 3_000,
)
DAYS = tuple(date(2026, 1, 1) + timedelta(days=70 * step) for step in range(6))
INSTANTS = tuple(NOW + timedelta(days=step, microseconds=step) for step in (-900, -30, -1, 0, 1, 400))
AMOUNTS = (Decimal(0), Decimal("12.5"), Decimal("-0.07"), Decimal(90_071_992_547_409_93))
NUMBERS = (0, 1, 2, 7, 71, -5, 100)


class Corpus:
    """The records of two tenants; every link may lead home, nowhere, or to the other tenant's records."""

    def __init__(self, seed, size=6):
        self.random = random.Random(seed)  # noqa: S311 - repeatable data, no secret
        self.records, self.cells = [], set()
        self.tenants = [self.id("te") for _ in range(2)]
        self.ids = {
            (tenant, shape.name): [self.id(shape.prefix) for _ in range(size)]
            for tenant in self.tenants
            for shape in SHAPES.values()
        }
        self.count, self.taken, self.logged = 0, set(), dict.fromkeys(self.tenants, 0)
        for tenant in self.tenants:
            for shape in SHAPES.values():
                for id_ in self.ids[tenant, shape.name]:
                    self.versions(tenant, shape, id_)

    def id(self, prefix):
        """A new id."""
        return encode(prefix, self.random.randbytes(16))

    def versions(self, tenant, shape, id_):
        """One or two versions of a record, and some of its sealed cells."""
        subject = self.random.choice(self.ids[tenant, "Customer"][:3])
        spans = [(NOW - timedelta(days=500), NOW - timedelta(days=20)), (NOW - timedelta(days=20), None)]
        # Whatever the seed and the declarations, the first of every kind was corrected and the last has no cells.
        first, last = (id_ == self.ids[tenant, shape.name][place] for place in (0, -1))
        if shape.ledger or (self.random.random() < 0.6 and not first):
            spans = spans[1:]
        for version, (recorded, superseded) in enumerate(spans, 1):
            begin = self.random.choice(INSTANTS[:4])
            stamp = Stamp(
                id=id_,
                tenant=tenant,
                subject_id=subject,
                version=version,
                created_at=spans[0][0],
                created_by=self.random.choice(["anna", "李雷"]),
                effective_from=begin,
                effective_to=self.random.choice([None, None, begin + timedelta(days=300)]),
                recorded_at=recorded,
                superseded_at=superseded,
            )
            facts = self.facts(tenant, shape)
            while superseded is None and not self.is_new(tenant, shape, facts):
                facts = self.facts(tenant, shape)
            self.records.append(shape.cls(stamp=stamp, **facts))
        full = {(id_, field.tag) for field in shape.confidential.values() if self.random.random() < 0.7}
        self.cells |= set() if last else full

    def facts(self, tenant, shape):
        """A value of every fact."""
        return {fact.name: self.value(tenant, shape, fact) for fact in shape.facts.values()}

    def is_new(self, tenant, shape, facts):
        """Whether no current record has what is unique of these; they are taken then."""
        keys = {(tenant, shape.name, group, tuple(map(str, map(facts.get, group)))) for group in shape.unique}
        if keys & self.taken:
            return False
        self.taken |= keys
        return True

    def value(self, tenant, shape, fact):
        """A value of a fact, often null where that is allowed."""
        self.count += 1
        unique = any(fact.name in group for group in shape.unique)
        if fact.optional and self.random.random() < 0.3:
            return None
        if fact.target:
            return self.linked(tenant, fact.target)
        if (shape.name, fact.name) == ("LogPruning", "minimum"):
            return 0  # nothing was pruned, so that the log is guarded
        if (shape.name, fact.name) == ("AuditEntry", "log_index"):
            return self.next_place(tenant)
        if unique and fact.type in (str, int):
            return self.count if fact.type is int else self.random.choice(TEXTS) + str(self.count)
        return self.some(fact.type)

    def next_place(self, tenant):
        """The next place of a company's log, which has no gap."""
        self.logged[tenant] += 1
        return self.logged[tenant] - 1

    def linked(self, tenant, target):
        """The id of a record: mostly a close one, so that many meet; at times the other tenant's, or nobody's."""
        chance = self.random.random()
        if chance < 0.08:
            return self.id(SHAPES[target].prefix)
        home = tenant if chance > 0.2 else self.random.choice(self.tenants)
        return self.random.choice(self.ids[home, target][:3])

    def some(self, type_):
        """A value of a type."""
        choose = self.random.choice
        if get_origin(type_) is tuple:
            return tuple(self.some(get_args(type_)[0]) for _ in range(choose([0, 0, 1, 3])))
        if NoneType in get_args(type_):
            return choose([None, self.some(get_args(type_)[0])])
        if type_ is Id:
            return self.id("ae")
        if type_ is Money:
            return Money(choose([0, 1, -5, 123456789012345, 2**53 + 1]), choose(["CNY", "JPY", "KWD"]))
        if dataclasses.is_dataclass(type_):
            hints = get_type_hints(type_)
            return type_(**{item.name: self.some(hints[item.name]) for item in dataclasses.fields(type_)})
        if issubclass(type_, Enum):
            return choose(list(type_))
        plain = {str: TEXTS, int: NUMBERS, bool: (True, False), date: DAYS, datetime: INSTANTS, Decimal: AMOUNTS}
        return choose(plain[type_])


IDENTIFIERS = {
    "uscc/1": ("91110000600037341L", "91310000775785552L"),
    "phone/1": ("+8613800138000", "+861055550100", "+85225550100"),
    "email/1": ("office@yunfan.example", "Office@yunfan.example", "other@yunfan.example"),
    "account/1": ("6222021234567890128", "012345678"),
}


def identifier(record, field):
    """What is indexed of the cell of a record: another value than the one made up for it, which is no identifier."""
    values = IDENTIFIERS[field.index.normaliser]
    return values[sum(f"{record}/{field.tag}".encode()) % len(values)]


def made_up(record, field):
    """What the cell of a record holds under a confidential field: the same whenever it is asked for."""
    maker = object.__new__(Corpus)
    maker.random = random.Random(f"{record}/{field.tag}")  # noqa: S311 - repeatable data, no secret
    return maker.some(field.type)
