"""Public sanctions score while they are live, and a listed debtor is knocked out once a person confirmed it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assessment.evidence.sanctions import Sanction, listed_debtor, sanction_severity
from domain.assessment.scale import Grade
from domain.files.history import SanctionKind, SanctionMatch, SanctionSeverity
from tests.domain.test_gathering import back, snapshot
from tests.firms import TODAY, Desk

LISTED, PENALTY = SanctionKind.DISHONEST_JUDGMENT_DEBTOR, SanctionKind.ADMINISTRATIVE_PENALTY
DAYS = st.dates(date(2020, 1, 1), date(2029, 1, 1))
ENDS = st.none() | DAYS
SANCTIONS = st.builds(
    Sanction,
    published_on=DAYS,
    kind=st.sampled_from([LISTED.value, PENALTY.value]),
    severity=st.sampled_from(["SLIGHT", "ORDINARY", "SEVERE"]),
    match=st.sampled_from([each.value for each in SanctionMatch]),
    publish_until=ENDS,
    repaired_on=ENDS,
)
ORDER = [severity.value for severity in SanctionSeverity]


@pytest.fixture
def desk():
    return Desk()


def penalty(severity="ORDINARY", **more):
    said = {"published_on": date(2026, 1, 31), "kind": PENALTY.value, "severity": severity}
    return Sanction(**{**said, "match": "CONFIRMED", "publish_until": None, "repaired_on": None, **more})


@pytest.mark.parametrize(
    ("severity", "over"),
    [("SLIGHT", date(2026, 4, 30)), ("ORDINARY", date(2027, 1, 31)), ("SEVERE", date(2029, 1, 31))],
)
def test_cn_r1_a_sanction_lives_as_long_as_its_class_is_published(severity, over):
    assert not penalty(severity).live(date(2026, 1, 30))
    assert penalty(severity).live(date(2026, 1, 31))
    assert penalty(severity).live(over - timedelta(days=1))
    assert not penalty(severity).live(over)


def test_cn_r2_it_is_over_on_the_day_of_repair_and_after_its_last_day():
    repaired = penalty(repaired_on=date(2026, 6, 1))
    assert (repaired.live(date(2026, 5, 31)), repaired.live(date(2026, 6, 1))) == (True, False)
    published = penalty(publish_until=date(2026, 6, 1))
    assert (published.live(date(2026, 6, 1)), published.live(date(2026, 6, 2))) == (True, False)
    longer = penalty("SLIGHT", publish_until=date(2028, 1, 1))
    assert not longer.live(date(2026, 5, 1))


@given(SANCTIONS, DAYS, st.integers(0, 2_000))
def test_once_a_sanction_is_over_it_stays_over(sanction, day, later):
    if day >= sanction.published_on and not sanction.live(day):
        assert not sanction.live(day + timedelta(days=later))


@given(st.lists(SANCTIONS), SANCTIONS, DAYS)
def test_a_further_sanction_never_makes_it_milder(sanctions, further, day):
    with_it, without = sanction_severity([*sanctions, further], day), sanction_severity(sanctions, day)
    assert ORDER.index(with_it) >= ORDER.index(without)


@given(st.lists(SANCTIONS), DAYS)
def test_a_name_on_a_list_alone_decides_nothing(sanctions, day):
    assert not listed_debtor([each._replace(match="NAME_ONLY") for each in sanctions], day)


def test_a_listed_debtor_is_knocked_out_until_it_is_removed(desk):
    file = desk.example()
    desk.sanction(file, LISTED, back(40), "SEVERE", match=SanctionMatch.NAME_ONLY)
    assert snapshot(desk, file).knock_outs == frozenset()
    assert snapshot(desk, file).values["C2"].value == "SEVERE"
    desk.sanction(file, LISTED, back(40), "SEVERE", repaired_on=back(1))
    assert snapshot(desk, file).knock_outs == frozenset()
    desk.sanction(file, LISTED, back(40), "SEVERE")
    assert snapshot(desk, file).knock_outs == {"DISHONEST_JUDGMENT_DEBTOR"}
    assert snapshot(desk, file, as_of=back(41)).knock_outs == frozenset()
    found = desk.assess(file)
    assert (found.grade, found.approver_level) == (Grade.D, "COMMITTEE_AND_LEGAL")
    assert found.reasons[0].code == "DISHONEST_JUDGMENT_DEBTOR"


def test_the_worst_live_sanction_scores_and_its_source_is_named(desk):
    file = desk.open()
    desk.sanction(file, PENALTY, back(20), "SLIGHT")
    desk.sanction(file, PENALTY, back(300), "SEVERE", repaired_on=back(100))
    desk.sanction(file, PENALTY, back(90), "ORDINARY")
    found = snapshot(desk, file)
    assert (found.card, found.values["C2"].value, found.values["C2"].expires_on) == ("NEW", "ORDINARY", None)
    assert found.values["C2"].source == "The court register"
    assert snapshot(desk, file, as_of=back(101)).values["C2"].value == "SEVERE"


def test_a_search_that_found_nothing_goes_stale_and_without_one_nothing_is_known(desk):
    file = desk.example()
    assert snapshot(desk, file).values["C2"].expires_on == date(2027, 5, 24)
    assert "C2" not in snapshot(desk, desk.open("Beta")).values


def test_a_repaired_sanction_costs_nothing_any_more(desk):
    file = desk.example()
    desk.sanction(file, PENALTY, back(90), "ORDINARY", repaired_on=TODAY)
    assert desk.assess(file).score == desk.assess(desk.example("Beta")).score
