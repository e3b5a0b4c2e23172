"""Records of every kind, filled with words that are found again wherever they lie."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import get_args, get_origin

from domain.assessment.assessments import Assessment, PathStep, PointsLine, Reason
from domain.consent.consents import Consent, Disclosure, Withheld
from domain.consent.statutory import StatutoryDisclosure
from domain.money import Money
from domain.records import Record

CANARY = "canaryword"
"""Stands in every text of a sample."""
DAY = date(2015, 6, 1)
SHAPED = {
    (Assessment, "points"): (PointsLine(characteristic=CANARY, band=CANARY, points=1, maximum=2, missing=False),),
    (Assessment, "reasons"): (Reason(code=CANARY, sentence=CANARY, points_lost=1),),
    (Assessment, "path"): (PathStep(characteristic=CANARY, sentence=CANARY, points_gained=1, effort=1, waits=False),),
    (Disclosure, "withheld"): (Withheld(field=CANARY, reason=CANARY, unlock=CANARY),),
    (Consent, "fields"): ("contact.phone",),
    (Disclosure, "fields"): ("contact.phone",),
    (StatutoryDisclosure, "fields"): ("contact.phone",),
}


def sample(unit, record: type[Record], subject, now: datetime, **known):
    """A record whose every fact is filled; links are empty where they may be."""
    facts = {}
    for name, fact in record.shape.facts.items():
        if name in known:
            facts[name] = known[name]
        elif (record, name) in SHAPED:
            facts[name] = SHAPED[record, name]
        elif fact.target is not None and fact.optional:
            facts[name] = None
        else:
            facts[name] = _value(fact.type, now, name)
    return record(stamp=unit.stamp(record, subject=subject), **facts)


def _value(kind, now, name):
    if get_origin(kind) is tuple:
        return (_value(get_args(kind)[0], now, name),)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    plain = {str: f"{CANARY} {name}", int: 7, bool: True, date: DAY, datetime: now, Money: Money(123_456_789, "CNY")}
    return plain.get(kind, f"{CANARY} {name}")
