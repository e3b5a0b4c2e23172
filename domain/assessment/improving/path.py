"""The path to the next better grade: the least that would have to change, exact on points (Ch.3 §3, Ch.5 §2).

It promises nothing against a knock-out or a cap: where one binds, it is named and no change is proposed. What only the
company judges is never proposed; what third parties report is proposed without telling what they report.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from domain.assessment.evaluate import INSUFFICIENT_DATA, evaluate, grade_of, with_parent
from domain.assessment.policy import PolicyDocument
from domain.assessment.receipt import Datum, Points, Receipt, Snapshot
from domain.assessment.scale import Grade
from domain.assessment.scorecard import Band, Characteristic, Comparison, Effort, Origin, Unit

NO_PATH: Final = "NO_PATH"
"""No set of changes that can be proposed reaches the next grade."""
_EFFORT: Final = {Effort.ONE: 1, Effort.TWO: 2, Effort.THREE: 3, Effort.AGES_OUT: 1, Effort.ASK_SOURCE: 1}
_WAITS: Final = frozenset({Effort.AGES_OUT, Effort.ASK_SOURCE})
"""What the customer cannot move by itself: it is proposed only where nothing else will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change: a characteristic comes into a better band, or a better one yet."""

    code: str
    band: int
    """The place of that band, the best being 0."""
    gain: int
    """Points it brings."""
    effort: int
    """What it takes, summed over the bands it climbs."""
    waits: bool
    """Whether time or a third party has to do it."""
    sentence: str
    """What has to be reached, without any value of the customer's or of a third party's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What leads to the next better grade, or why nothing is promised."""

    grade: Grade | None = None
    """The next better grade; None for the best, and where there is none at all."""
    changes: tuple[Change, ...] = ()
    barred_by: tuple[str, ...] = ()
    """Codes of what binds whatever is changed; then no change is proposed."""
    not_before: date | None = None
    """The first day on which a review may raise the grade, where that lies ahead."""


class _Cost(NamedTuple):
    """What makes one set of changes better than another: compared from the left."""

    waits: int
    effort: int
    changes: int
    order: tuple[tuple[int, int], ...]
    """Places in the scorecard and of bands, in the order of the credit policy."""


def path_to_next(policy: PolicyDocument, snapshot: Snapshot, receipt: Receipt) -> Path:
    """The cheapest set of changes that reaches the next better grade under the same policy.

    Chapter: 3.3, 5.2.
    Units:   effort in the steps of the scorecard; gains in points.
    Shape:   pure and total; least waits, then least effort, then fewest changes, then policy order; changing exactly
             this and assessing anew reaches the grade, and with any change left out or made smaller it does not.
    """
    if receipt.knock_outs:
        return Path(barred_by=receipt.knock_outs)
    if receipt.grade is None or receipt.score is None:
        return Path(barred_by=(INSUFFICIENT_DATA,))
    if receipt.grade.rank == 0:
        return Path()
    grade, not_before = tuple(Grade)[receipt.grade.rank - 1], _not_before(policy, snapshot, receipt)
    card = policy.card(snapshot.card)
    options = [] if card is None else _options(card.characteristics, snapshot, receipt.points)
    needed = _floor(policy, snapshot, grade) - receipt.score
    changes = cheapest(options, needed)
    if card is None or changes is None:
        return Path(grade=grade, barred_by=(NO_PATH,), not_before=not_before)
    after = evaluate(policy, replace(changed(card.characteristics, snapshot, changes), previous=None))
    binding = tuple(cap.code for cap in after.caps if cap.at_most.rank > grade.rank)
    if after.grade is None or after.grade.rank > grade.rank:
        return Path(grade=grade, barred_by=binding or (NO_PATH,), not_before=not_before)
    return Path(grade=grade, changes=changes, not_before=not_before)


def cheapest(options: Sequence[Sequence[Change]], needed: int) -> tuple[Change, ...] | None:
    """Of the options of each characteristic at most one, so that together they bring the points that are needed.

    Exact, by the best way to each number of points; what is beyond the need counts as the need.

    Chapter: 3.3.
    Shape:   total; None exactly when the largest gains together do not suffice.
    """
    if needed <= 0:
        return ()
    best: dict[int, tuple[_Cost, tuple[Change, ...]]] = {0: (_Cost(0, 0, 0, ()), ())}
    for place, choices in enumerate(options):
        for gained, (cost, chosen) in list(best.items()):
            for change in choices:
                reached = min(gained + change.gain, needed)
                dearer = _Cost(
                    cost.waits + change.waits,
                    cost.effort + change.effort,
                    cost.changes + 1,
                    (*cost.order, (place, change.band)),
                )
                known = best.get(reached)
                if known is None or dearer < known[0]:
                    best[reached] = (dearer, (*chosen, change))
    found = best.get(needed)
    return None if found is None else found[1]


def changed(items: Sequence[Characteristic], snapshot: Snapshot, changes: Sequence[Change]) -> Snapshot:
    """The snapshot as it would be with some changes: each characteristic just within the band it names.

    Chapter: 3.3.
    """
    known = {item.code: item for item in items}
    fresh = {
        change.code: Datum(
            value=_value_in(known[change.code].bands, change.band),
            observed_on=snapshot.as_of,
            origin=known[change.code].origin,
        )
        for change in changes
    }
    return replace(snapshot, values={**snapshot.values, **fresh})


def _options(items: Sequence[Characteristic], snapshot: Snapshot, points: Sequence[Points]) -> list[tuple[Change, ...]]:
    return [tuple(_choices(item, line, snapshot)) for item, line in zip(items, points, strict=True)]


def _choices(item: Characteristic, line: Points, snapshot: Snapshot) -> Iterator[Change]:
    """Every better band of one characteristic, where it may be proposed at all."""
    unasked = item.written_consent and snapshot.natural_person and not snapshot.written_consent
    if item.effort not in _EFFORT or line.origin is Origin.INTERNAL or unasked:
        return
    better = [band.points for band in item.bands if band.points > line.points]
    for place, band in enumerate(item.bands):
        if band.points > line.points and (place == 0 or item.bands[place - 1].points > band.points):
            climbed = sum(points <= band.points for points in better)
            yield Change(
                code=item.code,
                band=place,
                gain=band.points - line.points,
                effort=climbed * _EFFORT[item.effort],
                waits=item.effort in _WAITS,
                sentence=_sentence(item, line, band, snapshot.values.get(item.code)),
            )


def _sentence(item: Characteristic, line: Points, band: Band, datum: Datum | None) -> str:
    if line.origin is Origin.THIRD:
        source = (datum.source if datum else None) or "whoever reports it"
        return f"{item.name}: ask {source} for its record, or for a correction of it."
    label = band.label.replace("_", " ").lower() if item.unit is Unit.LABEL else band.label
    best = band is item.bands[0]
    asked = f"{item.name}: {label}." if best else f"{item.name}: {label}, or better."
    if line.missing:
        return f"{asked} It is not on file, or too old: supply it."
    return f"{asked} It improves by time alone." if item.effort is Effort.AGES_OUT else asked


def _floor(policy: PolicyDocument, snapshot: Snapshot, grade: Grade) -> int:
    """The lowest score that gives a grade, with the support of a parent where there is one."""
    floors = sorted(band.floor for band in policy.grade_scale if band.floor is not None)
    reaching = (floor for floor in floors if with_parent(policy, grade_of(policy, floor), snapshot).rank <= grade.rank)
    return next(reaching, floors[-1])


def _not_before(policy: PolicyDocument, snapshot: Snapshot, receipt: Receipt) -> date | None:
    """From when a review may raise the grade: some days after its last change, which may be today's."""
    previous = snapshot.previous
    same = previous is not None and previous.grade is receipt.grade
    since = previous.grade_changed_on if previous is not None and same else snapshot.as_of
    first = since + timedelta(days=policy.review_rules.upgrade_after_days)
    return first if first > snapshot.as_of else None


def _value_in(bands: Sequence[Band], place: int) -> Decimal | str:
    """A value that falls in a band and in no better one."""
    band, better = bands[place], bands[place - 1].edge if place else None
    if band.edge is None or band.comparison is None:
        if band.names or better is None:
            return band.names[0] if band.names else Decimal(0)
        side = bands[place - 1].comparison
        return better + (1 if side is not None and side.lower_is_better else -1)
    if band.comparison in {Comparison.AT_MOST, Comparison.AT_LEAST}:
        return band.edge
    if better is not None:
        return (better + band.edge) / 2
    return band.edge + (-1 if band.comparison.lower_is_better else 1)
