"""The section of an industry code (GB/T 4754-2017) and the risk the credit policy sees in it (Ch.5 §1)."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

from domain.assessment.policy import PolicyDocument

SECTIONS: Final = "ABCDEFGHIJKLMNOPQRST"
"""The sections 门类, in order."""

_FIRST: Final = (1, 6, 13, 44, 47, 51, 53, 61, 63, 66, 70, 71, 73, 76, 80, 83, 84, 86, 91, 97)
"""The first division 大类 of each section, in the same order."""

_LAST: Final = 97
_CODE: Final = re.compile(r"(?P<section>[A-T])?(?P<division>[0-9]{2})?[0-9]{0,2}")


def section_of(code: str) -> str | None:
    """The section of a code written as `I`, `65`, `6513` or `I6513`; None where it is no such code.

    Chapter: 4.1.
    Shape:   total; a letter that contradicts its division gives None.
    """
    match = _CODE.fullmatch(code.strip().upper())
    if match is None or not any(match.groups()):
        return None
    letter, division = match["section"], match["division"]
    if division is None:
        return letter
    number = int(division)
    if not 1 <= number <= _LAST:
        return None
    section = SECTIONS[bisect_right(_FIRST, number) - 1]
    return section if letter in {None, section} else None


def industry_risk(policy: PolicyDocument, code: str | None) -> str | None:
    """B7: the risk a credit policy sees in an industry; None where the code or its section is not known.

    Chapter: 5.1.
    """
    section = section_of(code) if code else None
    return policy.industry_risk.get(section) if section else None
