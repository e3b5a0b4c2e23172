"""The clauses of the standard 网络服务客户信用管理规范 that code, schema and pages cite, in our own words.

A clause is written `4.4` where a program names it and `Ch.4 §4` where people read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the standard."""

    number: str
    """`4.4`, or `9` where a chapter has no clauses."""
    term: str
    """The Chinese term of art."""
    asks: str
    """What it asks, in one line."""

    @property
    def cited(self) -> str:
        """As people cite it: `Ch.4 §4`."""
        chapter, _, clause = self.number.partition(".")
        return f"Ch.{chapter} §{clause}" if clause else f"Ch.{chapter}"


_ALL = (
    ("1", "客户信用管理", "Credit information is collected, assessed and used to control risk and to serve better."),
    ("2", "适用范围", "It binds every company of network services that takes part, its departments and its staff."),
    ("3.1", "信用档案", "Every customer has a sound credit file: basic information and credit records."),
    ("3.2", "高风险客户识别", "Credit is assessed, high-risk customers are found, and controls match the risk."),
    ("3.3", "透明度", "Credit information becomes more transparent, and trust grows between both sides."),
    ("3.4", "信用监测", "Credit is monitored and assessed again in time to see risk early."),
    ("3.5", "满意度", "Satisfaction and loyalty rise, and business grows steadily."),
    ("4.1", "基本信息", "Basic information: name, address, contacts, registered capital and the like."),
    ("4.2", "信用记录", "Credit records: transactions, defaults, litigation and outside ratings."),
    ("4.3", "信息来源", "Information comes from lawful sources only."),
    ("4.4", "信息保密", "It is confidential: without the customer's consent nothing goes to a third party."),
    ("5.1", "信用评分模型", "A sound scoring model puts credit standing into numbers."),
    ("5.2", "信用等级", "Scores give grades, and each grade has its control strategy."),
    ("5.3", "评估周期", "Assessments come back at intervals that follow changes of business and credit."),
    ("5.4", "信用额度", "The result decides the credit limit, the way of payment and the terms."),
    ("6.1", "信用良好", "Good credit: a higher limit and more flexible payment."),
    ("6.2", "信用中等", "Medium credit: closer monitoring, a lower limit, more paid in advance."),
    ("6.3", "信用较差", "Poor credit: a narrower service, a deposit or another security."),
    ("6.4", "风险处置", "Where risk appears: act at once, limit the loss, go to law where needed."),
    ("7.1", "定期检查", "Records, finances, operations and the industry are checked regularly."),
    ("7.2", "信用报告", "Fresh reports of credit agencies are obtained and kept up to date."),
    ("7.3", "动态监测", "High-risk customers are monitored dynamically, and the strategy follows at once."),
    ("7.4", "信用管理会议", "Regular meetings sum up, analyse problems and improve."),
    ("8.1", "信用管理部门", "A credit management department collects, assesses and monitors."),
    ("8.2", "管理层报告", "It reports to management regularly, with suggestions that can be carried out."),
    ("8.3", "绩效考核", "Credit management is appraised, and is part of staff appraisal."),
    ("8.4", "培训", "All staff are trained in credit management."),
    ("9", "附则", "The standard is in force from its publication, interpreted and revised as facts and law change."),
)

CLAUSES: Final[Mapping[str, Clause]] = {number: Clause(number, term, asks) for number, term, asks in _ALL}
"""Every clause by its number, in the order of the standard."""
