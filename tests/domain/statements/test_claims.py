"""What a statement says follows from the standing, and a holder's key is a point of its curve."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from joserfc.jwk import ECKey

from domain.assessment.scale import Calibration, Grade, Tier
from domain.audit import Outcome
from domain.errors import KeyUnavailable, Malformed
from domain.statements.claims import ASKED, AT_LEAST, ROOM, names_of, score_band, standing_claims
from domain.statements.holders import HolderKey
from domain.statements.issuing import IssueCreditStatement
from domain.statements.statements import StatementClaim
from tests.firms import TODAY, Desk
from tests.world import USCC

FILE, POLICY = SimpleNamespace(name="Acme"), SimpleNamespace(number=3)
STANDING = SimpleNamespace(
    as_of=TODAY,
    review_due_on=None,
    card="EXISTING",
    calibration=Calibration.EXPERT_UNCALIBRATED,
    grade=Grade.BBB,
    tier=Tier.MEDIUM,
    score=64,
)


def test_a_band_holds_its_score_and_never_falls_as_the_score_rises():
    bands = [tuple(map(int, score_band(score).split("-"))) for score in range(101)]
    assert all(low <= score <= high for score, (low, high) in enumerate(bands))
    assert bands == sorted(bands)
    assert (score_band(0), score_band(79), score_band(100)) == ("0-9", "70-79", "90-100")


@pytest.mark.parametrize("grade", list(Grade))
def test_the_ready_made_answers_are_those_of_the_scale(grade):
    standing = SimpleNamespace(**(vars(STANDING) | {"grade": grade}))
    said = standing_claims((StatementClaim.GRADE_AT_LEAST,), FILE, standing, POLICY)
    answers = {asked: said[AT_LEAST + asked.value] for asked in ASKED}
    order = list(Grade)
    assert answers == {asked: order.index(grade) <= order.index(asked) for asked in ASKED}


def test_only_what_was_chosen_is_said_and_always_what_it_rests_on():
    always = {"as_of", "valid_until", "credit_policy", "scorecard", "calibration"}
    for claim, names in (
        (StatementClaim.NAME, {"name"}),
        (StatementClaim.GRADE, {"grade"}),
        (StatementClaim.TIER, {"tier"}),
        (StatementClaim.SCORE_BAND, {"score_band"}),
        (StatementClaim.UNIFIED_SOCIAL_CREDIT_CODE, set()),
    ):
        assert set(standing_claims((claim,), FILE, STANDING, POLICY)) == names | always
    assert len(standing_claims(tuple(StatementClaim), FILE, STANDING, POLICY)) + 1 <= ROOM


def test_an_entry_names_claims_and_never_what_they_say():
    assert names_of(tuple(StatementClaim)) == tuple(
        f"credit_statement.{claim.name.lower()}" for claim in StatementClaim
    )


@pytest.mark.parametrize("_", range(20))
def test_every_key_a_tool_makes_is_accepted_under_its_thumbprint(_):
    key = ECKey.generate_key("P-256", private=True)
    told = key.as_dict(private=False)
    holder = HolderKey(x=told["x"], y=told["y"])
    holder.check()
    assert holder.thumbprint == key.thumbprint()
    with pytest.raises(Malformed):
        replace(holder, y=told["x"]).check()


@pytest.mark.parametrize("text", ["", "A" * 42, "A" * 44, "=" * 43, "A" * 42 + "B", "_" * 43, "é" * 43])
def test_what_is_no_coordinate_is_refused_by_its_place(text):
    good = ECKey.generate_key("P-256", private=True).as_dict(private=False)
    with pytest.raises(Malformed) as refused:
        HolderKey(x=text, y=good["y"]).check()
    assert refused.value.path == ("holderKey", "x")
    with pytest.raises(Malformed) as refused:
        HolderKey(x=good["x"], y=text).check()
    assert refused.value.path[0] == "holderKey"


def test_where_nothing_signs_the_failure_is_recorded_and_nothing_leaves():
    desk = Desk()
    file = desk.example()
    desk.approve(desk.assess(file))
    key = ECKey.generate_key("P-256", private=True).as_dict(private=False)
    actor = desk.world.actor("li", "customer_self", subject=file.subject_id)
    asked = IssueCreditStatement(
        credit_file=file.id, claims=(StatementClaim.GRADE,), holder_key=HolderKey(x=key["x"], y=key["y"])
    )
    desk.world.gate._signer = None
    with pytest.raises(KeyUnavailable):
        desk.world.do(asked, actor)
    done, failed = desk.world.entries[-2:]
    assert (done.outcome, failed.outcome) == (Outcome.DONE, Outcome.FAILED)
    assert failed.fields == ("credit_statement.grade",)
    assert failed.written == ()
    assert USCC not in str(desk.world.entries)
