"""Some facts about people are never collected; some only after notice and written consent (Ch.4 §3).

A field or column is judged by its name, in English or Chinese, before any of its values is read. Whole words
count: `message` and `package` hold no `age`. The doubtful case is refused, and renaming a harmless column is easy.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import Enum
from typing import Final

from domain.errors import Code, Malformed


class Category(Enum):
    """What a field says about a person; the first match in this order names the category."""

    RELIGION = "RELIGION"
    """宗教信仰"""
    GENES = "GENES"
    """基因"""
    FINGERPRINTS = "FINGERPRINTS"
    """指纹"""
    BLOOD_TYPE = "BLOOD_TYPE"
    """血型"""
    ILLNESS = "ILLNESS"
    """疾病和病史"""
    SEX = "SEX"
    """性别"""
    MARITAL_STATUS = "MARITAL_STATUS"
    """婚姻状况"""
    AGE = "AGE"
    """年龄; a date of birth says the same."""
    NATIONALITY = "NATIONALITY"
    """国籍、民族"""
    WORKER_STATUS = "WORKER_STATUS"
    """务工身份"""
    INCOME = "INCOME"
    """收入"""
    DEPOSITS = "DEPOSITS"
    """存款"""
    SECURITIES = "SECURITIES"
    """有价证券"""
    INSURANCE = "INSURANCE"
    """商业保险"""
    PROPERTY = "PROPERTY"
    """不动产"""
    TAX_AMOUNTS = "TAX_AMOUNTS"
    """纳税数额"""

    @property
    def words(self) -> str:
        """The category in plain words."""
        return self.value.lower().replace("_", " ")

    @property
    def needs_consent(self) -> bool:
        """Whether notice and written consent of the person open it; the others stay closed."""
        return self in _WITH_CONSENT


_WITH_CONSENT: Final = frozenset(
    {
        Category.INCOME,
        Category.DEPOSITS,
        Category.SECURITIES,
        Category.INSURANCE,
        Category.PROPERTY,
        Category.TAX_AMOUNTS,
    }
)

# Words are in the singular, small letters; a phrase is also found written as one word. Some systems name columns
# in pinyin. `税额` and `tax` alone are columns of every invoice and say nothing about what the person pays.
_TERMS: Final = {
    Category.RELIGION: (
        "religion|religious|creed|faith|belief|zongjiao",
        "宗教|信仰|教派",
    ),
    Category.GENES: (
        "gene|genetic|genetics|genome|genomic|dna",
        "基因|遗传|遺傳",
    ),
    Category.FINGERPRINTS: (
        "finger print|thumb print|zhiwen",
        "指纹|指紋|掌纹|掌紋",
    ),
    Category.BLOOD_TYPE: (
        "blood type|blood group|xuexing",
        "血型",
    ),
    Category.ILLNESS: (
        "illness|disease|sickness|sick|health|diagnosis|diagnoses|medical (?:condition|history|record|status)|jibing",
        "疾病|病史|病历|病歷|病情|患病|既往症|健康|诊断|診斷|体检|體檢",
    ),
    Category.SEX: (
        "sex|gender|xingbie",
        "性别|性別",
    ),
    Category.MARITAL_STATUS: (
        "marital|marriage|married|unmarried|divorced|widowed|matrimonial|civil status|personal status|hunyin",
        "婚",
    ),
    Category.AGE: (
        "age|birth|birth date|birth day|birth year|date of birth|dob|born|nianling",
        "年龄|年齡|周岁|周歲|出生|生日",
    ),
    Category.NATIONALITY: (
        "nationality|nationalities|citizenship|ethnicity|ethnic|race|minzu",
        "国籍|國籍|民族",
    ),
    Category.WORKER_STATUS: (
        "foreign worker|migrant worker|guest worker|worker status|work permit|residence permit|immigration status",
        "外籍|务工|務工|农民工|農民工",
    ),
    Category.INCOME: (
        "income|salary|salaries|wage|earning|payroll|remuneration",
        "收入|工资|工資|薪",
    ),
    Category.DEPOSITS: (
        "deposit|saving",
        "存款|储蓄|儲蓄",
    ),
    Category.SECURITIES: (
        "securities|stocks|bonds|shareholding|mutual fund|investment fund",
        "证券|證券|股票|债券|債券|基金",
    ),
    Category.INSURANCE: (
        "insurance",
        "保险|保險",
    ),
    Category.PROPERTY: (
        "property|properties|real estate|immovable|housing|home owner|home ownership|house value",
        "不动产|不動產|房产|房產|房屋|财产|財產",
    ),
    Category.TAX_AMOUNTS: (
        "tax amount|tax paid|taxes paid|tax payment|tax return|income tax|personal tax|taxable",
        "纳税|納稅|缴税|繳稅|完税|完稅|所得税|所得稅|税款|稅款",
    ),
}

_THINGS: Final = (
    "account|balance|bill|business|company|contract|debt|document|enterprise|file|firm|invoice"
    "|organisation|organization|receivable|relationship|report|statement"
)
_HARMLESS_ENGLISH: Final = (
    rf"(?:{_THINGS}) age|age of (?:the )?(?:{_THINGS})|good faith|bad faith|race condition"
    "|(?:certificate|device|document|evidence|file|key) fingerprint"
    "|(?:business|financial|service|system) health|health check"
    "|(?:cash|security) deposit|deposit (?:held|paid|received|required)|credit insurance|intellectual property"
    "|invoice tax amount|vat amount"
)
_HARMLESS_CHINESE: Final = (
    "企业年龄|公司年龄|财务健康|信用保险|信用保險|基金会|财产保全|纳税人|納稅人|纳税信用|納稅信用"
)
"""Holds such a word and yet says nothing about a person."""


def _pattern(english: str, chinese: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{english.replace(' ', ' ?')})(?:e?s)?\b|{chinese}")


_PATTERNS: Final = {category: _pattern(*_TERMS[category]) for category in Category}
_HARMLESS_PATTERN: Final = _pattern(_HARMLESS_ENGLISH, _HARMLESS_CHINESE)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def category_of(name: str) -> Category | None:
    """The category a field or column name tells of, or None.

    Chapter: 4.3.
    Shape:   the same for snake_case, camelCase, Title Case, UPPER CASE and spaces.
    """
    visible = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    words = " ".join(_WORD.findall(visible)).lower()
    plain = _HARMLESS_PATTERN.sub(" / ", words)
    return next((category for category, pattern in _PATTERNS.items() if pattern.search(plain)), None)


def check_names(names: Iterable[str], *, natural_person: bool, written_consent: bool) -> None:
    """Refuses names of what must not be collected; written consent counts only with notice of the consequences.

    Chapter: 4.3.
    Raises:  Malformed (FORBIDDEN_CATEGORY), naming every such column and its category.
    """
    open_to_consent = not natural_person or written_consent
    found = [
        (name, category)
        for name, category in ((name, category_of(name)) for name in names)
        if category and not (category.needs_consent and open_to_consent)
    ]
    if not found:
        return
    listed = ", ".join(f"{name} ({category.words})" for name, category in found)
    never = not all(category.needs_consent for _, category in found)
    raise Malformed(
        f"Columns of a category that must not be collected: {listed}.",
        code=Code.FORBIDDEN_CATEGORY,
        advice="Leave these columns out, or rename one that means something else."
        if never
        else "Tell the person the consequences and file the written consent first, or leave these columns out.",
        path=tuple(name for name, _ in found),
    )
