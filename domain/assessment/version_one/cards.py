"""The three scorecards of version 1: existing customers, new customers, and firms known by their invoices alone.

Each line is one characteristic: code | name | term | unit | bands, best first | points when missing | origin |
effort | the data it reads. `≤5:16` is a band with its points, `:0` takes all that is left of the line, `+NAME` puts a
label beside it; percent and yuan are written as people write them and kept in basis points and fen. A dash under
missing: the datum cannot be absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from domain.assessment.scorecard import (
    EXISTING,
    INVOICE,
    NEW,
    Band,
    CardOrigin,
    Characteristic,
    Comparison,
    Effort,
    Minimum,
    Origin,
    Scorecard,
    Unit,
)

_EXISTING = """
A1 | Value-weighted days beyond terms, 12 months | 加权逾期天数 | DAYS | ≤0:18 ≤5:16 ≤15:12 ≤30:6 ≤60:2 :0
   | - | OWN | TWO | due dates, settlements
A2 | Worst ageing, 12 months | 最长账龄逾期 | DAYS | ≤0:10 ≤30:7 ≤60:3 ≤90:1 :0
   | - | OWN | AGES_OUT | due dates, settlements
A3 | Share paid more than 5 days late, 6 months | 迟付占比 | BASIS_POINTS | ≤5:7 ≤15:5 ≤30:2 :0
   | 2 | OWN | TWO | due dates, settlements
A4 | Trend of days beyond terms, 3 months against 12 | 逾期趋势 | DAYS | ≤-3:4 ≤3:3 ≤10:1 :0
   | 1 | OWN | NONE | due dates, settlements
A5 | Peak utilisation of the limit, 3 months | 额度使用率 | BASIS_POINTS | <50:5 <80:4 ≤100:2 :0
   | 2 | OWN | ONE | exposures, limits
A6 | Failed payments and broken promises, 12 months | 付款失败与失约 | COUNT | ≤0:6 ≤1:3 ≤2:1 :0
   | - | OWN | AGES_OUT | default events
B1 | Current ratio | 流动比率 | RATIO | ≥1.5:5+NO_CURRENT_LIABILITIES ≥1:3 ≥0.8:1 :0
   | 1 | OWN | THREE | statements
B2 | Liabilities to assets | 资产负债率 | BASIS_POINTS | ≤50:5 ≤70:3 ≤85:1 :0+NO_ASSETS
   | 1 | OWN | THREE | statements
B3 | Profit and operating cash flow | 利润与现金流 | LABEL | BOTH_POSITIVE:4 CASH_FLOW_ONLY:3 PROFIT_ONLY:2 NEITHER:0
   | 1 | OWN | THREE | statements
B4 | Requested limit to tangible net worth | 申请额度占净资产 | BASIS_POINTS
   | ≤2:5 ≤5:4 ≤10:2 :0+NET_WORTH_NOT_POSITIVE | 1 | OWN | ONE | statements, requests
B5 | Years in operation | 经营年限 | YEARS | ≥10:4 ≥5:3 ≥2:2 :0 | 0 | OWN | NONE | date of establishment
B6 | Size class | 规模 | LABEL | LARGE:3 MEDIUM:2 SMALL:1 MICRO:0 | 0 | OWN | NONE | paid-in capital, staff
B7 | Industry risk | 行业风险 | LABEL | LOW:2 MIDDLE:1 HIGH:0 | 0 | INTERNAL | NONE | industry code
C1 | Live unsatisfied judgments and enforcement | 诉讼与执行 | LABEL | NONE:7 MINOR:4 MATERIAL:1 SEVERE:0
   | 1 | THIRD | THREE | litigation records
C2 | Live public sanctions, not repaired | 失信与处罚 | LABEL | NONE:4 SLIGHT:3 ORDINARY:1 SEVERE:0
   | 1 | THIRD | THREE | public sanctions
C3 | External rating, mapped | 外部评级 | LABEL | GOOD:3 MIDDLE:2 WEAK:1 BAD:0
   | 1 | THIRD | ASK_SOURCE | external ratings
C4 | Freshness of statements | 报表时效 | LABEL | AUDITED:2 UNAUDITED:1 OLD_OR_NONE:0 | 0 | OWN | ONE | statements
D1 | Usage burst, largest month of 3 against the 3 before | 用量突增 | RATIO | <2:3 <3:2 ≤5:1 :0+FROM_NOTHING
   | 1 | OWN | ONE | usage
D2 | Abuse and fraud incidents, 12 months | 滥用与欺诈 | COUNT | ≤0:3 ≤1:1 :0 | - | OWN | AGES_OUT | default events
"""

_NEW_POINTS = """
B1 9 5 2 0 | 2
B2 9 5 2 0 | 2
B3 7 5 3 0 | 2
B4 8 6 3 0 | 2
B5 7 5 3 0 | 0
B6 5 3 2 0 | 0
B7 3 1 0 | 0
C1 14 8 2 0 | 2
C2 8 6 2 0 | 2
C3 6 4 2 0 | 2
C4 4 2 0 | 0
"""
"""For a new customer the bands are the same and the points are these."""

_NEW = """
E1 | Trade references, verified and on terms | 同业推荐 | COUNT | ≥3:8 ≥2:5 ≥1:3 :0+ADVERSE
   | 0 | THIRD | TWO | trade references
E2 | Bank account | 银行账户核验 | LABEL | VERIFIED_BY_PAYMENT:4 DOCUMENT_ONLY:2 NO:0 | 0 | OWN | ONE | bank account
E3 | Identity and signatory | 主体与授权核验 | LABEL | BOTH_VERIFIED:4 IDENTITY_ONLY:2 NO:0
   | 0 | OWN | ONE | licence, mandate
E4 | Commitment up front | 预付承诺 | LABEL | DEPOSIT_OR_YEAR:4 HALF_YEAR:2 NONE:0 | 0 | OWN | ONE | contract
"""

_INVOICE = """
V1 | Mean monthly net sales, 12 months | 月均净销售额 | MINOR
   | ≥2,000,000:22 ≥500,000:18 ≥150,000:13 ≥50,000:8 ≥10,000:3 :0 | 0 | OWN | NONE | sales invoices
V2 | Net sales of 6 months against the 6 before | 销售趋势 | BASIS_POINTS
   | ≥110:12 ≥90:10 ≥70:6 ≥40:2 :0 | 3 | OWN | NONE | sales invoices
V3 | Months with sales, of 24 | 开票月数 | MONTHS | ≥22:12 ≥18:9 ≥12:6 ≥6:2 :0 | 0 | OWN | AGES_OUT | sales invoices
V4 | Share of void sales invoices, 12 months | 作废率 | BASIS_POINTS | ≤2:10 ≤5:8 ≤10:5 ≤20:2 :0
   | 2 | OWN | AGES_OUT | sales invoices
V5 | Share of red sales invoices by value, 12 months | 红冲率 | BASIS_POINTS | ≤1:10 ≤3:8 ≤8:4 ≤20:1 :0
   | 2 | OWN | AGES_OUT | sales invoices
V6 | Share of the largest buyer, 12 months | 客户集中度 | BASIS_POINTS | ≤20:10 ≤40:8 ≤60:5 ≤80:2 :0
   | 2 | OWN | THREE | sales invoices
V7 | Share of the largest supplier, 12 months | 供应商集中度 | BASIS_POINTS | ≤30:8 ≤50:6 ≤75:3 ≤90:1 :0
   | 2 | OWN | THREE | purchase invoices
V8 | Net sales to net purchases, 12 months | 销购比 | RATIO | ≥1.5:16 ≥1.2:13 ≥1:8+NO_PURCHASES ≥0.7:3 :0
   | 4 | OWN | THREE | sales invoices, purchase invoices
"""

MINIMUM_MONTHS = 6
MINIMUM_INVOICES = 20

_SIDES = {
    "≤": Comparison.AT_MOST,
    "<": Comparison.BELOW,
    "≥": Comparison.AT_LEAST,
    ">": Comparison.ABOVE,
}
_OTHER_SIDE = {"≤": ">", "<": "≥", "≥": "<", ">": "≤"}
_SUFFIX = {
    Unit.BASIS_POINTS: " %",
    Unit.DAYS: " days",
    Unit.YEARS: " years",
    Unit.MONTHS: " months",
    Unit.MINOR: " CNY",
}
_HUNDREDFOLD = {Unit.BASIS_POINTS, Unit.MINOR}
_BAND = re.compile(r"([≤<≥>]?)([-0-9.,]*|[A-Z_]+):(\d+)(?:\+([A-Z_]+))?")


def scorecards() -> tuple[Scorecard, ...]:
    """The scorecards of version 1.

    Chapter: 5.1.
    """
    existing = tuple(_read(_EXISTING))
    new = (*_reweighted(existing), *_read(_NEW))
    minimums = (
        Minimum(
            code="active_months", at_least=MINIMUM_MONTHS, says="Sales invoices of at least 6 months, of the last 24"
        ),
        Minimum(
            code="sales_invoices",
            at_least=MINIMUM_INVOICES,
            says="At least 20 valid sales invoices, of the last 24 months",
        ),
    )
    return (
        _card(EXISTING, "Existing customers", existing),
        replace(_card(NEW, "New customers", new), starter_limit=True),
        replace(
            _card(INVOICE, "Firms known by their invoices", tuple(_read(_INVOICE))),
            starter_limit=True,
            minimums=minimums,
        ),
    )


def _card(code: str, name: str, characteristics: tuple[Characteristic, ...]) -> Scorecard:
    return Scorecard(
        code=code,
        name=name,
        origin=CardOrigin.EXPERT,
        characteristics=characteristics,
        minimums=(),
        insufficient_below_bp=3_000,
        starter_limit=False,
    )


def _read(table: str) -> Iterator[Characteristic]:
    for line in table.replace("\n   |", " |").strip().splitlines():
        code, name, term, unit_text, bands_text, missing, origin, effort, inputs = (
            part.strip() for part in line.split("|")
        )
        unit = Unit(unit_text)
        bands = tuple(_bands(unit, bands_text))
        yield Characteristic(
            code=code,
            name=name,
            term=term,
            unit=unit,
            origin=Origin(origin),
            maximum=bands[0].points,
            missing=None if missing == "-" else int(missing),
            effort=Effort(effort),
            bands=bands,
            inputs=tuple(inputs.split(", ")),
        )


def _bands(unit: Unit, text: str) -> Iterator[Band]:
    last = ""
    for side, value, points, label in _BAND.findall(text):
        names = (label,) if label else ()
        if side:
            edge = Decimal(value.replace(",", "")) * (100 if unit in _HUNDREDFOLD else 1)
            suffix = value + _SUFFIX.get(unit, "")
            yield Band(label=f"{side} {suffix}", points=int(points), comparison=_SIDES[side], edge=edge, names=names)
            last = f"{_OTHER_SIDE[side]} {suffix}"
        elif value:
            yield Band(label=value, points=int(points), names=(value, *names))
        else:
            yield Band(label=last, points=int(points), names=names)


def _reweighted(existing: tuple[Characteristic, ...]) -> Iterator[Characteristic]:
    known = {item.code: item for item in existing}
    for line in _NEW_POINTS.strip().splitlines():
        earned, _, missing = line.partition(" | ")
        code, *points = earned.split()
        bands = zip(known[code].bands, points, strict=True)
        yield replace(
            known[code],
            maximum=int(points[0]),
            missing=int(missing),
            bands=tuple(replace(band, points=int(each)) for band, each in bands),
        )
