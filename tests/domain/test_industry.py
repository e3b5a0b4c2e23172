from dataclasses import replace

import pytest

from domain.assessment.evidence.industry import SECTIONS, industry_risk, section_of
from domain.assessment.version_one import VERSION_ONE
from domain.assessment.versions.soundness import problems


@pytest.mark.parametrize(
    ("code", "section"),
    [
        ("I", "I"), ("65", "I"), ("6513", "I"), ("I6513", "I"), (" i65 ", "I"), ("01", "A"), ("05", "A"), ("06", "B"),
        ("43", "C"), ("44", "D"), ("47", "E"), ("97", "T"), ("H62", "H"),
        ("A65", None), ("98", None), ("00", None), ("6", None), ("", None), ("U", None), ("software", None),
        ("651345", None),
    ],
)  # fmt: skip
def test_a_code_gives_its_section_or_nothing(code, section):
    assert section_of(code) == section


def test_version_one_judges_every_section_but_international_bodies():
    assert set(SECTIONS) - set(VERSION_ONE.industry_risk) == {"T"}
    assert industry_risk(VERSION_ONE, "E4710") == "HIGH"
    assert industry_risk(VERSION_ONE, "T97") is None
    assert industry_risk(VERSION_ONE, None) is None


def test_a_policy_with_another_risk_cannot_be_approved():
    wrong = replace(VERSION_ONE, industry_risk={"A": "NONE"})
    assert [problem.path for problem in problems(wrong)] == [("industry_risk", "A")]
