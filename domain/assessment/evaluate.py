"""The assessment itself: a pure function from a credit policy and a snapshot to a receipt (Ch.5)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from domain.assessment.limits import counts, last_day, recommended_limit, tier_of
from domain.assessment.policy import FULL_BP, CapKind, Level, PolicyDocument, Terms
from domain.assessment.receipt import CapApplied, Datum, Limit, Points, Reason, Receipt, Snapshot
from domain.assessment.scale import Calibration, Grade
from domain.assessment.scorecard import CardOrigin, Characteristic, Origin, Scorecard, Unit
from domain.errors import Malformed, NotInForce
from domain.money import Money

MAX_REASONS = 4
NOT_ON_FILE = "NOT_ON_FILE"
STALE = "STALE"
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
MAX_DIGITS = 30
"""No amount, share or count has more digits before its point."""

_CALIBRATION = {
    CardOrigin.EXPERT: Calibration.EXPERT_UNCALIBRATED,
    CardOrigin.FITTED: Calibration.FITTED_UNCALIBRATED,
}
_SECRECY = (Origin.OWN, Origin.THIRD, Origin.INTERNAL)
_SHOWN = Context(prec=60, rounding=ROUND_HALF_EVEN)
"""Rounds what is shown; nothing that is compared is ever rounded."""


def evaluate(policy: PolicyDocument, snapshot: Snapshot) -> Receipt:
    """The receipt of one assessment: points, score, grade, reasons, limit, terms and who approves.

    Chapter: 5.1, 5.2, 5.3, 5.4, 6.1, 6.2, 6.3.
    Units:   score in points 0..100; money in minor units of the policy's currency.
    Shape:   pure; total on snapshots whose values belong to the card; the score never falls as a characteristic
             improves; the limit never falls as the score rises with all else equal; same inputs, same bytes.
    Raises:  NotInForce when the policy has no such scorecard; Malformed for a value that no band can hold.
    """
    card = _card(policy, snapshot)
    points = tuple(_points_of(item, snapshot) for item in card.characteristics)
    completeness = _completeness_bp(points)
    missing = _missing(card, snapshot, points, completeness)
    knock_outs = tuple(sorted(snapshot.knock_outs))
    score = None if missing else sum(line.points for line in points)
    before = None if score is None else with_parent(policy, grade_of(policy, score), snapshot)
    ceilings = () if before is None else tuple(_ceilings(policy, snapshot, completeness, before))
    capped = None if before is None else _lowest((before, *(ceiling for _, ceiling in ceilings)))
    grade = Grade.D if knock_outs else capped
    caps = tuple(
        CapApplied(code=code, at_most=at_most, bound=not knock_outs and at_most is grade and before is not grade)
        for code, at_most in ceilings
    )
    limit = None if grade is None else recommended_limit(policy, card, grade, snapshot.limits, snapshot.as_of)
    terms = _terms(policy, grade)
    months = None if grade is None else policy.review_rules.cycle_months[grade]
    return Receipt(
        policy_number=policy.number,
        policy_digest=policy.digest,
        inputs_digest=snapshot.digest,
        as_of=snapshot.as_of,
        card=card.code,
        calibration=_CALIBRATION[card.origin],
        points=points,
        completeness_bp=completeness,
        score=score,
        grade=grade,
        tier=None if grade is None else tier_of(policy, grade),
        knock_outs=knock_outs,
        caps=caps,
        reasons=tuple(_reasons(policy, card, snapshot, points, caps, insufficient=score is None))[:MAX_REASONS],
        missing=missing,
        currency=policy.currency,
        limit=limit,
        net_days=terms.net_days,
        prepayment_bp=terms.prepayment_bp,
        security=terms.security,
        review_months=months,
        valid_to=None if months is None else _valid_to(policy, card, snapshot, months),
        approver=_approver(policy, grade, limit),
        automatic=_automatic(policy, grade, completeness, knock_outs),
    )


def _card(policy: PolicyDocument, snapshot: Snapshot) -> Scorecard:
    card = policy.card(snapshot.card)
    if card is None:
        raise NotInForce("The credit policy has no such scorecard.", path=("card",))
    if snapshot.currency != policy.currency:
        raise Malformed("The snapshot's amounts are not in the policy's currency.", path=("currency",))
    return card


def usable(item: Characteristic, snapshot: Snapshot) -> Datum | None:
    """The datum a characteristic may score: on file, fresh, and consented to where a person's consent is needed.

    Chapter: 4.3, 5.1.
    """
    datum = snapshot.values.get(item.code)
    if datum is None or is_stale(datum, snapshot.as_of):
        return None
    if item.written_consent and snapshot.natural_person and not snapshot.written_consent:
        return None
    return datum


def is_stale(datum: Datum, as_of: date) -> bool:
    """Whether a datum is too old to score on a day.

    Chapter: 5.1.
    """
    return datum.stale or (datum.expires_on is not None and datum.expires_on <= as_of)


def _points_of(item: Characteristic, snapshot: Snapshot) -> Points:
    datum = usable(item, snapshot)
    on_file = item.code in snapshot.values
    label, points = (STALE if on_file else NOT_ON_FILE), item.missing or 0
    origin = item.origin
    if datum is not None:
        value = datum.value if isinstance(datum.value, str) else Decimal(datum.value)
        band = item.band(value) if isinstance(value, str) or _bounded(value) else None
        if band is None:
            raise Malformed("No band of the scorecard holds this value.", path=("values", item.code))
        label, points = band.label, band.points
        origin = max(item.origin, datum.origin, key=_SECRECY.index)
    return Points(code=item.code, band=label, points=points, maximum=item.maximum, missing=datum is None, origin=origin)


def _bounded(value: Decimal) -> bool:
    return value.is_finite() and value.adjusted() < MAX_DIGITS


def _completeness_bp(points: Sequence[Points]) -> int:
    present = sum(line.maximum for line in points if not line.missing)
    return present * FULL_BP // max(sum(line.maximum for line in points), 1)


def _missing(card: Scorecard, snapshot: Snapshot, points: Sequence[Points], completeness: int) -> tuple[str, ...]:
    """What to supply, where data does not suffice for a grade; empty where it does."""
    short = [minimum.says for minimum in card.minimums if snapshot.volumes.get(minimum.code, 0) < minimum.at_least]
    absent = [item for item, line in zip(card.characteristics, points, strict=True) if line.missing]
    if short or completeness < card.insufficient_below_bp or any(item.missing is None for item in absent):
        return (*short, *(item.name for item in absent))
    return ()


def grade_of(policy: PolicyDocument, score: int) -> Grade:
    """The grade of a score, before caps.

    Chapter: 5.2.
    """
    return next(band.grade for band in policy.grade_scale if band.floor is not None and score >= band.floor)


def with_parent(policy: PolicyDocument, grade: Grade, snapshot: Snapshot) -> Grade:
    """The grade with the support of a parent that guarantees: never above the parent's own.

    Chapter: 5.2.
    """
    if snapshot.parent_grade is None or snapshot.parent_grade.rank >= grade.rank:
        return grade
    return _lowest((_better(grade, policy.review_rules.parent_support_notches), snapshot.parent_grade))


def _ceilings(
    policy: PolicyDocument, snapshot: Snapshot, completeness: int, before: Grade
) -> Iterator[tuple[str, Grade]]:
    """Every ceiling that applies: the policy's caps, and how far one review may raise a grade."""
    judgments = snapshot.unsatisfied_judgments_bp or 0
    for cap in policy.caps:
        threshold = cap.threshold_bp or 0
        applies = {
            CapKind.CARD: snapshot.card in cap.cards,
            CapKind.COMPLETENESS_BELOW: completeness < threshold,
            CapKind.UNSATISFIED_JUDGMENTS_ABOVE: judgments > threshold,
        }
        if applies[cap.kind]:
            yield cap.code, cap.at_most
    previous, rules = snapshot.previous, policy.review_rules
    if previous is None or previous.restored or previous.grade is None or previous.grade is Grade.D:
        return
    soon = snapshot.as_of < previous.grade_changed_on + timedelta(days=rules.upgrade_after_days)
    ceiling = _better(previous.grade, 0 if soon else rules.upgrade_notches)
    if before.rank < ceiling.rank:
        yield ("UPGRADE_TOO_SOON" if soon else "UPGRADE_BY_NOTCHES"), ceiling


def _better(grade: Grade, notches: int) -> Grade:
    return tuple(Grade)[max(grade.rank - notches, 0)]


def _lowest(grades: Sequence[Grade]) -> Grade:
    return max(grades, key=lambda grade: grade.rank)


def _terms(policy: PolicyDocument, grade: Grade | None) -> Terms:
    return policy.terms_rules.ungraded if grade is None else policy.terms_rules.grades[grade]


def _approver(policy: PolicyDocument, grade: Grade | None, limit: Limit | None) -> Level:
    """The stricter of grade and amount."""
    rules = policy.delegation
    if grade is None or limit is None:
        return rules.ungraded
    covering = (ceiling.level for ceiling in rules.ceilings if limit.minor <= ceiling.minor)
    return max(rules.levels[grade], next(covering, rules.above), key=lambda level: level.rank)


def _automatic(policy: PolicyDocument, grade: Grade | None, completeness: int, knock_outs: Sequence[str]) -> bool:
    return grade is not None and not knock_outs and completeness >= policy.delegation.automatic_completeness_bp


def _valid_to(policy: PolicyDocument, card: Scorecard, snapshot: Snapshot, months: int) -> date:
    """The earliest of the review cycle and the last day of a datum or security the result rests on."""
    data = (usable(item, snapshot) for item in card.characteristics)
    ends = [datum.expires_on - timedelta(days=1) for datum in data if datum and datum.expires_on]
    rules = {rule.kind: rule for rule in policy.limit_rules.haircuts}
    for pledged in snapshot.limits.securities:
        rule = rules.get(pledged.kind)
        if rule and counts(rule, pledged, snapshot.as_of) and (end := last_day(rule, pledged)):
            ends.append(end)
    return min([add_months(snapshot.as_of, months), *ends])


def add_months(day: date, months: int) -> date:
    """The same day so many months later or earlier, or the last of that month where it has no such day.

    Chapter: 5.3.
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _reasons(
    policy: PolicyDocument,
    card: Scorecard,
    snapshot: Snapshot,
    points: Sequence[Points],
    caps: Sequence[CapApplied],
    *,
    insufficient: bool,
) -> Iterator[Reason]:
    """Knock-outs and the caps that bound first, then characteristics by points lost, ties in policy order."""
    knock_outs = {rule.code: rule.says for rule in policy.knock_outs}
    for code in sorted(snapshot.knock_outs):
        yield _plain_reason(code, knock_outs.get(code, "A status rules out credit."))
    said = _UPGRADE | {cap.code: cap.says for cap in policy.caps}
    for cap in caps:
        if cap.bound:
            yield _plain_reason(cap.code, said[cap.code])
    if insufficient:
        yield _plain_reason(INSUFFICIENT_DATA, "The data on file does not suffice for a grade.")
    for item, line in sorted(zip(card.characteristics, points, strict=True), key=lambda pair: -pair[1].lost):
        if line.lost > 0:
            yield _reason_of(item, line, snapshot)


_UPGRADE = {
    "UPGRADE_TOO_SOON": "The grade changed too recently to be raised.",
    "UPGRADE_BY_NOTCHES": "One review raises the grade by no more notches than the policy allows.",
}


def _plain_reason(code: str, sentence: str) -> Reason:
    return Reason(code=code, sentence=sentence, shown=None, points_lost=0)


def _reason_of(item: Characteristic, line: Points, snapshot: Snapshot) -> Reason:
    """Own data shows value and band, a third party's names the source, internal data only the characteristic."""
    datum = snapshot.values.get(item.code)
    value = None
    if line.missing or datum is None:
        sentence = f"{item.name}: on file, but not usable now." if datum else f"{item.name}: not on file."
    elif line.origin is Origin.INTERNAL:
        sentence = f"{item.name}."
    elif line.origin is Origin.THIRD:
        source = datum.source or "a third party"
        sentence = f"{item.name}, as reported by {source}; ask it for its record or for a correction."
    else:
        sentence = f"{item.name}: {line.band}."
        value = shown(datum.value, item.unit, snapshot.currency)
    return Reason(code=item.code, sentence=sentence, shown=value, points_lost=line.lost)


def shown(value: int | Decimal | str, unit: Unit, currency: str) -> str:
    """A value as people read it, rounded to two decimals.

    Chapter: 3.3.
    """
    if isinstance(value, str):
        return value.replace("_", " ").lower()
    if unit is Unit.MINOR:
        amount = Money(int(value), currency)
        return f"{amount.amount} {amount.currency}"
    scaled = Decimal(value).scaleb(-2, _SHOWN) if unit is Unit.BASIS_POINTS else Decimal(value)
    text = format(scaled.quantize(Decimal("0.01"), context=_SHOWN), "f").rstrip("0").rstrip(".")
    suffix = {Unit.BASIS_POINTS: " %", Unit.DAYS: " days", Unit.YEARS: " years", Unit.MONTHS: " months"}
    return text + suffix.get(unit, "")
