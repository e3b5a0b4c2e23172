from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import canonical
from domain.assessment.evaluate import add_months, evaluate, shown
from domain.assessment.policy import Level, SecurityNeed
from domain.assessment.receipt import Datum, LimitFacts, Pledged, Snapshot, Standing, snapshot_from_json
from domain.assessment.scale import Calibration, Grade, SecurityKind, SecurityState, Tier
from domain.assessment.scorecard import Band, CardOrigin, Comparison, Origin, Unit
from domain.assessment.version_one import VERSION_ONE
from domain.assessment.versions.soundness import problems
from domain.errors import Malformed, NotInForce

TODAY = date(2025, 6, 30)
BAD = {
    "A1": 61, "A2": 91, "A3": 3_001, "A4": 11, "A5": 10_001, "A6": 3, "B1": Decimal("0.7"), "B2": 8_501,
    "B3": "NEITHER", "B4": 1_001, "B5": 1, "B6": "MICRO", "B7": "HIGH", "C1": "SEVERE", "C2": "SEVERE", "C3": "BAD",
    "C4": "OLD_OR_NONE", "D1": 6, "D2": 2,
}  # fmt: skip
BEST = {
    "A1": 0, "A2": 0, "A3": 500, "A4": -3, "A5": 4_999, "A6": 0, "B1": Decimal("1.5"), "B2": 5_000,
    "B3": "BOTH_POSITIVE", "B4": 200, "B5": 10, "B6": "LARGE", "B7": "LOW", "C1": "NONE", "C2": "NONE", "C3": "GOOD",
    "C4": "AUDITED", "D1": 1, "D2": 0,
}  # fmt: skip
EXAMPLE = {
    "A1": 11, "A2": 28, "A3": 2_200, "A4": 2, "A5": 8_500, "A6": 1, "B1": Decimal("1.1"), "B2": 6_200,
    "B3": "CASH_FLOW_ONLY", "B4": 600, "B5": 6, "B6": "SMALL", "B7": "MIDDLE", "C1": "NONE", "C2": "NONE",
    "C3": "MIDDLE", "C4": "UNAUDITED", "D1": Decimal("2.2"), "D2": 0,
}  # fmt: skip
NEARLY_BEST = BEST | {"A4": 3, "A5": 7_999, "B6": "MEDIUM", "B7": "MIDDLE"}
NEARLY_WORST = BAD | {
    "A1": 60, "A2": 90, "A6": 2, "B5": 2, "C1": "MATERIAL", "C2": "SLIGHT", "D1": 5, "D2": 1,
}  # fmt: skip
ORIGINS = {item.code: item.origin for card in VERSION_ONE.scorecards for item in card.characteristics}
FACTS = LimitFacts(monthly_billing_minor=2_000_000, net_worth_minor=300_000_000)


def data(values, **more):
    return {code: Datum(value=value, observed_on=TODAY, origin=ORIGINS[code], **more) for code, value in values.items()}


def snapshot(numbers=None, /, **change):
    whole = {"as_of": TODAY, "card": "EXISTING", "currency": "CNY", "limits": FACTS, "values": data(numbers or EXAMPLE)}
    return Snapshot(**whole | change)


def result(numbers=None, /, **change):
    return evaluate(VERSION_ONE, snapshot(numbers, **change))


@pytest.mark.parametrize(
    ("values", "score", "grade"),
    [
        (EXAMPLE, 64, Grade.BBB),
        (NEARLY_BEST, 96, Grade.AAA),
        (NEARLY_WORST, 12, Grade.CCC),
        (BEST, 100, Grade.AAA),
        (BAD, 0, Grade.CCC),
    ],
)
def test_the_reference_customers_get_their_score_and_grade(values, score, grade):
    receipt = result(values)
    assert (receipt.score, receipt.grade) == (score, grade)


def test_the_reasons_of_the_example_are_the_weightiest_with_ties_in_policy_order():
    assert [(reason.code, reason.points_lost) for reason in result().reasons] == [
        ("A1", 6),
        ("A3", 5),
        ("A2", 3),
        ("A5", 3),
    ]


def test_the_reasons_of_the_worst_example_are_those_of_the_policy():
    assert [reason.code for reason in result(NEARLY_WORST).reasons] == ["A1", "A2", "A3", "C1"]


def test_a_complete_customer_without_faults_has_no_reasons():
    assert result(BEST).reasons == ()


def test_an_own_reason_shows_value_and_band_apart():
    reason = result().reasons[0]
    assert reason.sentence == "Value-weighted days beyond terms, 12 months: ≤ 15 days."
    assert reason.shown == "11 days"


def test_a_third_partys_reason_names_the_source_and_never_its_content():
    values = data(BEST)
    values["C1"] = replace(values["C1"], value="SEVERE", source="the court register")
    reason = result(values=values).reasons[0]
    assert reason.code == "C1"
    assert "the court register" in reason.sentence
    assert "SEVERE" not in reason.sentence
    assert reason.shown is None


def test_an_internal_reason_names_the_characteristic_only():
    reason = result(BEST | {"B7": "HIGH"}).reasons[0]
    assert (reason.sentence, reason.shown) == ("Industry risk.", None)


def test_own_data_that_came_from_a_third_party_is_explained_as_its():
    values = data(BEST)
    values["B1"] = replace(values["B1"], value=Decimal("0.5"), origin=Origin.THIRD)
    reason = result(values=values).reasons[0]
    assert "a third party" in reason.sentence
    assert reason.shown is None


def test_a_missing_datum_earns_its_missing_points_and_is_named():
    receipt = result({code: value for code, value in BEST.items() if code != "A3"})
    line = next(line for line in receipt.points if line.code == "A3")
    assert (line.points, line.missing, line.band) == (2, True, "NOT_ON_FILE")
    assert receipt.score == 95
    assert receipt.completeness_bp == 9_300
    assert receipt.reasons[0].sentence.endswith("not on file.")


@pytest.mark.parametrize("stale", [{"stale": True}, {"expires_on": TODAY}])
def test_a_stale_datum_counts_as_missing(stale):
    values = data(BEST)
    values["B1"] = replace(values["B1"], **stale)
    line = next(line for line in result(values=values).points if line.code == "B1")
    assert (line.points, line.missing, line.band) == (1, True, "STALE")


def without(*codes):
    return {code: value for code, value in BEST.items() if code not in codes}


def test_below_sixty_percent_the_grade_is_at_most_bbb_and_nothing_is_automatic():
    receipt = result(without("B1", "B2", "B3", "B4", "B5", "B6", "C1", "C2", "A3", "C4"))
    assert receipt.completeness_bp == 5_400
    assert receipt.grade is Grade.BBB
    assert not receipt.automatic


def test_the_cap_on_completeness_ends_at_sixty_percent():
    below = result(without("A3", "A4", "A5", "B1", "B2", "B3", "B4", "B5", "C4"))
    at = result(without("A3", "A5", "B1", "B2", "B3", "B4", "B5", "B6", "C4"))
    assert (below.completeness_bp, [cap.code for cap in below.caps]) == (5_900, ["COMPLETENESS"])
    assert (at.completeness_bp, at.caps, at.automatic) == (6_000, (), True)


def test_a_cap_that_lowers_the_grade_is_the_first_reason():
    receipt = result(BEST, unsatisfied_judgments_bp=5_001)
    assert receipt.score == 100
    assert receipt.grade is Grade.B
    assert [(cap.code, cap.bound) for cap in receipt.caps] == [("UNSATISFIED_JUDGMENTS", True)]
    assert receipt.reasons[0].code == "UNSATISFIED_JUDGMENTS"
    assert result(BEST, unsatisfied_judgments_bp=5_000).grade is Grade.AAA


def test_a_cap_above_the_grade_applies_without_binding():
    receipt = result(BAD, unsatisfied_judgments_bp=9_000)
    assert [(cap.code, cap.bound) for cap in receipt.caps] == [("UNSATISFIED_JUDGMENTS", False)]
    assert receipt.reasons[0].code == "A1"


def test_where_a_datum_that_cannot_be_absent_is_absent_there_is_no_grade():
    receipt = result(without("A1"))
    assert (receipt.grade, receipt.score, receipt.tier, receipt.limit) == (None, None, None, None)
    assert receipt.missing == ("Value-weighted days beyond terms, 12 months",)
    assert receipt.reasons[0].code == "INSUFFICIENT_DATA"
    assert (receipt.net_days, receipt.prepayment_bp) == (0, 10_000)
    assert receipt.approver is Level.ANALYST
    assert not receipt.automatic


NEW_BEST = {code: value for code, value in BEST.items() if code[0] in "BC"} | {
    "E1": 3,
    "E2": "VERIFIED_BY_PAYMENT",
    "E3": "BOTH_VERIFIED",
    "E4": "DEPOSIT_OR_YEAR",
}


def test_below_thirty_percent_there_is_no_grade_and_the_list_says_what_to_supply():
    kept = {code: NEW_BEST[code] for code in ("B1", "B2", "B3", "C4")}
    receipt = result(kept, card="NEW")
    assert receipt.completeness_bp == 2_900
    assert receipt.grade is None
    assert len(receipt.missing) == 11
    enough = {code: NEW_BEST[code] for code in ("B1", "B2", "B4", "E2")}
    assert result(enough, card="NEW").completeness_bp == 3_000
    assert result(enough, card="NEW").grade is Grade.CCC


def test_with_nothing_on_file_there_is_no_grade():
    assert result(values={}).grade is None


def test_a_new_customer_gets_at_most_a_and_one_months_billing():
    receipt = result(NEW_BEST, card="NEW")
    assert (receipt.score, receipt.grade) == (100, Grade.A)
    assert receipt.reasons[0].code == "NEW_CUSTOMER"
    assert (receipt.limit.minor, receipt.limit.bound_by) == (2_000_000, "STARTER")


INVOICE_BEST = {
    "V1": 200_000_000, "V2": 11_000, "V3": 22, "V4": 200, "V5": 100, "V6": 2_000, "V7": 3_000, "V8": Decimal("1.5"),
}  # fmt: skip
ENOUGH = {"active_months": 6, "sales_invoices": 20}


def test_a_firm_known_by_its_invoices_alone_gets_at_most_a():
    receipt = result(INVOICE_BEST, card="INVOICE", volumes=ENOUGH)
    assert (receipt.score, receipt.grade, receipt.caps[0].code) == (100, Grade.A, "INVOICES_ALONE")
    assert receipt.calibration is Calibration.EXPERT_UNCALIBRATED


@pytest.mark.parametrize("short", [{"active_months": 5}, {"sales_invoices": 19}])
def test_too_few_invoices_give_no_grade(short):
    receipt = result(INVOICE_BEST, card="INVOICE", volumes=ENOUGH | short)
    assert receipt.grade is None
    assert len(receipt.missing) == 1


@pytest.mark.parametrize("code", [rule.code for rule in VERSION_ONE.knock_outs])
def test_a_knock_out_is_d_and_blocked_whatever_the_score(code):
    receipt = result(BEST, knock_outs=frozenset({code}))
    assert (receipt.score, receipt.grade, receipt.tier) == (100, Grade.D, Tier.BLOCKED)
    assert (receipt.limit.minor, receipt.limit.bound_by) == (0, "BLOCKED")
    assert receipt.approver is Level.COMMITTEE_AND_LEGAL
    assert receipt.reasons[0].code == code
    assert receipt.valid_to is None
    assert not receipt.automatic


def test_a_knock_out_counts_where_data_does_not_suffice_and_one_unknown_to_the_policy_too():
    assert result(values={}, knock_outs=frozenset({"INSOLVENCY"})).grade is Grade.D
    assert result(BEST, knock_outs=frozenset({"UNKNOWN"})).grade is Grade.D


def test_knock_outs_come_before_caps_and_caps_before_points():
    receipt = result(NEARLY_BEST, knock_outs=frozenset({"PROVEN_FRAUD", "INSOLVENCY"}), unsatisfied_judgments_bp=9_000)
    assert [reason.code for reason in receipt.reasons] == ["INSOLVENCY", "PROVEN_FRAUD", "A4", "A5"]
    assert [cap.bound for cap in receipt.caps] == [False]


def test_a_parents_guarantee_raises_one_notch_and_never_above_the_parent_or_a_cap():
    assert result(parent_grade=Grade.AAA).grade is Grade.A
    assert result(parent_grade=Grade.A).grade is Grade.A
    assert result(parent_grade=Grade.BBB).grade is Grade.BBB
    assert result(parent_grade=Grade.CCC).grade is Grade.BBB
    assert result(parent_grade=Grade.AAA, unsatisfied_judgments_bp=6_000).grade is Grade.B


def before(grade, days, **change):
    whole = {
        "grade": grade,
        "grade_changed_on": TODAY - timedelta(days=days),
        "limit_minor": 0,
        "net_days": 0,
        "prepayment_bp": 0,
    }
    return Standing(**whole | change)


@pytest.mark.parametrize(
    ("previous", "grade", "cap"),
    [
        (before(Grade.BB, 90), Grade.BBB, "UPGRADE_BY_NOTCHES"),
        (before(Grade.BB, 89), Grade.BB, "UPGRADE_TOO_SOON"),
        (before(Grade.AA, 90), Grade.AAA, None),
        (before(Grade.AAA, 1), Grade.AAA, None),
        (before(Grade.BB, 1, restored=True), Grade.AAA, None),
        (before(Grade.D, 1), Grade.AAA, None),
        (before(None, 1), Grade.AAA, None),
    ],
)
def test_an_upgrade_is_one_notch_a_review_and_waits_ninety_days(previous, grade, cap):
    receipt = result(BEST, previous=previous)
    assert receipt.grade is grade
    assert [each.code for each in receipt.caps if each.bound] == ([cap] if cap else [])
    assert [reason.code for reason in receipt.reasons] == ([cap] if cap else [])


def test_a_downgrade_comes_at_once_and_by_any_number_of_notches():
    assert result(BAD, previous=before(Grade.AAA, 1)).grade is Grade.CCC


def one_question_policy():
    """A policy whose only characteristic is the score itself."""
    existing, *others = VERSION_ONE.scorecards
    bands = tuple(
        Band(label=str(score), points=score, comparison=Comparison.AT_LEAST, edge=Decimal(score))
        for score in range(100, 0, -1)
    )
    item = replace(existing.characteristics[0], maximum=100, bands=(*bands, Band(label="0", points=0)))
    return replace(VERSION_ONE, scorecards=(replace(existing, characteristics=(item,)), *others))


def scored(score, **change):
    return evaluate(one_question_policy(), snapshot({"A1": score}, **change))


def test_the_one_question_policy_could_be_approved():
    assert problems(one_question_policy()) == ()


@pytest.mark.parametrize(
    ("grade", "lowest", "highest"),
    [("AAA", 90, 100), ("AA", 80, 89), ("A", 70, 79), ("BBB", 60, 69), ("BB", 50, 59), ("B", 40, 49), ("CCC", 0, 39)],
)
def test_each_grade_runs_from_its_floor_to_just_below_the_next(grade, lowest, highest):
    for score in (lowest, highest):
        receipt = scored(score)
        assert (receipt.score, receipt.grade.value) == (score, grade)


def test_the_terms_and_the_approver_follow_the_grade():
    receipt = result()
    assert (receipt.net_days, receipt.prepayment_bp, receipt.review_months) == (15, 2_000, 3)
    assert (receipt.security, receipt.approver, receipt.tier) == (SecurityNeed.NONE, Level.MANAGER, Tier.MEDIUM)
    assert receipt.automatic


@pytest.mark.parametrize(
    ("score", "limit_yuan", "level"),
    [
        (70, 200_000, Level.ANALYST),
        (70, 201_000, Level.MANAGER),
        (70, 1_000_000, Level.MANAGER),
        (70, 1_001_000, Level.COMMITTEE),
        (90, 200_000, Level.MANAGER),
        (90, 1_001_000, Level.COMMITTEE),
        (60, 1_000, Level.MANAGER),
        (40, 1_000, Level.COMMITTEE),
    ],
)
def test_the_stricter_of_grade_and_amount_approves(score, limit_yuan, level):
    deposit = Pledged(
        kind=SecurityKind.SECURITY_DEPOSIT, minor=limit_yuan * 100, state=SecurityState.ACTIVE, valid_to=None
    )
    receipt = scored(score, limits=LimitFacts(monthly_billing_minor=None, securities=(deposit,)))
    assert (receipt.limit.minor, receipt.approver) == (limit_yuan * 100, level)


def test_it_is_valid_until_the_review_or_until_something_it_rests_on_ends():
    assert result().valid_to == date(2025, 9, 30)
    values = data(EXAMPLE)
    values["B1"] = replace(values["B1"], expires_on=date(2025, 8, 1))
    assert result(values=values).valid_to == date(2025, 7, 31)
    guarantee = Pledged(
        kind=SecurityKind.BANK_GUARANTEE, minor=1, state=SecurityState.ACTIVE, valid_to=date(2025, 8, 15)
    )
    assert result(limits=replace(FACTS, securities=(guarantee,))).valid_to == date(2025, 7, 16)


def test_months_end_where_the_month_ends():
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert add_months(date(2024, 3, 31), -1) == date(2024, 2, 29)
    assert add_months(date(2024, 12, 31), -12) == date(2023, 12, 31)


def test_a_persons_income_scores_only_with_written_consent():
    existing, *others = VERSION_ONE.scorecards
    items = (replace(existing.characteristics[0], written_consent=True, missing=0), *existing.characteristics[1:])
    policy = replace(VERSION_ONE, scorecards=(replace(existing, characteristics=items), *others))
    silent = evaluate(policy, snapshot(natural_person=True))
    agreed = evaluate(policy, snapshot(natural_person=True, written_consent=True))
    assert (silent.score, agreed.score, evaluate(policy, snapshot()).score) == (52, 64, 64)


def test_a_fitted_card_says_that_it_is_not_calibrated():
    existing, *others = VERSION_ONE.scorecards
    fitted = replace(VERSION_ONE, scorecards=(replace(existing, origin=CardOrigin.FITTED), *others))
    assert evaluate(fitted, snapshot()).calibration is Calibration.FITTED_UNCALIBRATED
    assert result().calibration is Calibration.EXPERT_UNCALIBRATED


def test_the_same_inputs_give_the_same_bytes():
    first, again = result(), result(dict(reversed(EXAMPLE.items())))
    assert canonical.encode(first.to_json()) == canonical.encode(again.to_json())
    assert first.digest == again.digest
    assert first.inputs_digest == snapshot().digest
    assert first.policy_digest == VERSION_ONE.digest
    assert result(EXAMPLE | {"A1": 12}).inputs_digest != first.inputs_digest


def test_a_receipt_replays_from_the_stored_snapshot():
    stored = snapshot(previous=before(Grade.BB, 100), knock_outs=frozenset({"B", "A"})).to_json()
    again = snapshot_from_json(stored)
    assert evaluate(VERSION_ONE, again).digest == evaluate(VERSION_ONE, snapshot_from_json(again.to_json())).digest
    assert again.to_json() == stored


@pytest.mark.parametrize(
    ("code", "value"),
    [("C1", "UNHEARD_OF"), ("C1", 3), ("A1", "LATE"), ("A1", Decimal("NaN")), ("A1", Decimal("1E30"))],
)
def test_a_value_no_band_can_hold_is_refused_with_its_path(code, value):
    with pytest.raises(Malformed) as caught:
        result(EXAMPLE | {code: value})
    assert caught.value.path == ("values", code)


def test_a_card_the_policy_has_not_and_another_currency_are_refused():
    with pytest.raises(NotInForce):
        result(card="OTHER")
    with pytest.raises(Malformed):
        result(currency="USD")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2_200, Unit.BASIS_POINTS, "22 %"),
        (Decimal(100) / 3, Unit.BASIS_POINTS, "0.33 %"),
        (Decimal("11.3333"), Unit.DAYS, "11.33 days"),
        (100, Unit.COUNT, "100"),
        (12_345, Unit.MINOR, "123.45 CNY"),
        ("CASH_FLOW_ONLY", Unit.LABEL, "cash flow only"),
    ],
)
def test_a_value_is_shown_as_people_read_it(value, unit, text):
    assert shown(value, unit, "CNY") == text


def values_of(item):
    labels = [name for band in item.bands for name in band.names]
    if item.unit is Unit.LABEL:
        return st.sampled_from(labels)
    if item.unit is Unit.MINOR:
        return st.integers(-(10**12), 10**12)
    numbers = st.integers(-(10**6), 10**6) | st.decimals(-(10**6), 10**6, places=3)
    return numbers | st.sampled_from(labels) if labels else numbers


@st.composite
def snapshots(draw):
    card = draw(st.sampled_from(VERSION_ONE.scorecards))
    values = {}
    for item in card.characteristics:
        if draw(st.integers(0, 9)):
            values[item.code] = Datum(
                value=draw(values_of(item)),
                observed_on=TODAY,
                origin=draw(st.sampled_from(Origin)),
                stale=not draw(st.integers(0, 5)),
            )
    money = st.none() | st.integers(-(10**12), 10**12)
    return Snapshot(
        as_of=TODAY,
        card=card.code,
        currency="CNY",
        values=values,
        volumes=draw(st.sampled_from([{}, ENOUGH])),
        limits=LimitFacts(
            monthly_billing_minor=draw(money),
            net_worth_minor=draw(money),
            tenant_credit_sales_minor=draw(money),
            insurer_cap_minor=draw(money),
        ),
        knock_outs=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"INSOLVENCY"})])),
        unsatisfied_judgments_bp=draw(st.none() | st.integers(0, 20_000)),
        parent_grade=draw(st.none() | st.sampled_from(Grade)),
        previous=draw(st.none() | st.builds(before, st.none() | st.sampled_from(Grade), st.integers(0, 200))),
    )


@given(snapshots())
@settings(max_examples=150, deadline=None)
def test_every_snapshot_has_one_receipt(taken):
    receipt = evaluate(VERSION_ONE, taken)
    assert canonical.encode(receipt.to_json()) == canonical.encode(evaluate(VERSION_ONE, taken).to_json())
    assert len(receipt.reasons) <= 4
    assert (receipt.grade is None) == (receipt.limit is None)
    if receipt.score is not None:
        assert 0 <= receipt.score <= 100
    assert 0 <= receipt.completeness_bp <= 10_000
    assert (receipt.grade is Grade.D) == bool(taken.knock_outs)
    if receipt.limit:
        assert receipt.limit.minor >= 0


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_the_score_never_falls_and_the_limit_never_falls_as_a_characteristic_improves(draw):
    card = VERSION_ONE.scorecards[0]
    item = draw.draw(st.sampled_from([each for each in card.characteristics if each.unit is not Unit.LABEL]))
    left, right = sorted(draw.draw(st.tuples(*[st.integers(-100, 20_000)] * 2)))
    if item.bands[0].comparison.lower_is_better:
        left, right = right, left
    base = draw.draw(st.sampled_from([EXAMPLE, BEST, BAD, NEARLY_WORST]))
    worse, better = result(base | {item.code: left}), result(base | {item.code: right})
    assert worse.score <= better.score
    assert worse.limit.minor <= better.limit.minor
    assert worse.grade.rank >= better.grade.rank
