"""The measures of version 1: what follows from a grade and from a change, and the arrears ladder (Ch.6).

Each line is one measure: trigger | what is done | tier, or NONE where there is no grade | days | scope | until. A
line of the ladder: regime | days past due | what is proposed | in words.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.assessment.policy import ControlRules, LadderStep, Measure, Regime, Trigger
from domain.assessment.scale import ControlKind, Grade, Tier

_MEASURES = """
LIMIT_GRANTED | RAISE_LIMIT | GOOD | 2 | All services. | The next assessment.
LIMIT_RAISED | RAISE_LIMIT | GOOD MEDIUM POOR | 2 | All services. | The next assessment.
TERMS_GRANTED | EXTEND_TERMS | GOOD | 2 | All services; several ways to pay. | The next assessment.
TERMS_EXTENDED | EXTEND_TERMS | GOOD MEDIUM POOR | 2 | All services; several ways to pay. | The next assessment.
LIMIT_LOWERED | LOWER_LIMIT | GOOD MEDIUM POOR BLOCKED NONE | 1 | All services. | The next assessment.
TERMS_SHORTENED | SHORTEN_TERMS | GOOD MEDIUM POOR BLOCKED NONE | 1 | New documents of all services.
   | The next assessment.
PREPAYMENT_DUE | REQUIRE_PREPAYMENT | GOOD MEDIUM | 5 | New orders of all services. | A grade of A or better.
PREPAYMENT_DUE | REQUIRE_PREPAYMENT | POOR BLOCKED | 1 | New service of every kind. | A grade of BBB or better.
PREPAYMENT_DUE | REQUIRE_PREPAYMENT | NONE | 1 | All services; prepaid service only.
   | The missing data is on file and assessed.
SECURITY_REQUIRED | REQUIRE_SECURITY | POOR | 15
   | Service on credit; a deposit of two months' billing, or a guarantee. | A grade of BB or better, or 12 clean months.
STANDING | INTENSIFY_MONITORING | MEDIUM | 5 | All services; ageing is checked monthly. | A grade of A or better.
STANDING | INTENSIFY_MONITORING | POOR | 1 | All services; watchlist, reviewed monthly.
   | A clean review and a grade of BB or better.
STANDING | INTENSIFY_MONITORING | BLOCKED | 1 | All services; watchlist, and legal checks the clocks.
   | The end of the record behind the knock-out.
STANDING | RESTRICT_SERVICE | POOR | 5
   | New services: only those named in the plan; what runs under contract or is prepaid goes on.
   | A grade of BB or better.
STANDING | FREEZE_NEW_ORDERS | POOR | 1 | New contracts, unless the committee agrees. | A grade of BB or better.
STANDING | FREEZE_NEW_ORDERS | BLOCKED | 0 | All service on credit; prepaid undisputed service goes on.
   | The end of the record behind the knock-out.
"""

_LADDER = """
TELECOM | 1 | | Reminder.
TELECOM | 7 | | Second reminder.
TELECOM | 15 | DEMAND_LETTER FREEZE_NEW_ORDERS | Demand letter, no new orders.
TELECOM | 30 | SUSPEND_SERVICE | Suspension may start.
TELECOM | 31 | INTENSIFY_MONITORING | Extraordinary review, watchlist.
TELECOM | 60 | LEGAL_ACTION | Default watch; legal prepares.
TELECOM | 90 | TERMINATE_SERVICE | Default; termination once suspended for 60 days.
CONTRACT | 1 | | Reminder.
CONTRACT | 7 | FREEZE_NEW_ORDERS | Second reminder, no new orders.
CONTRACT | 15 | RESTRICT_SERVICE SUSPEND_SERVICE | Restricted use announced, then suspended if the contract says so.
CONTRACT | 30 | | Data kept, export offered.
CONTRACT | 31 | INTENSIFY_MONITORING | Extraordinary review, watchlist; resources released only after notice.
CONTRACT | 60 | LEGAL_ACTION | Legal prepares.
CONTRACT | 90 | TERMINATE_SERVICE | Default; termination by contract.
"""

_TIERS = {
    Tier.GOOD: (Grade.AAA, Grade.AA, Grade.A),
    Tier.MEDIUM: (Grade.BBB, Grade.BB),
    Tier.POOR: (Grade.B, Grade.CCC),
    Tier.BLOCKED: (Grade.D,),
}
_UNGRADED = "NONE"


def control_rules() -> ControlRules:
    """The measures and the ladder of version 1.

    Chapter: 6.1, 6.2, 6.3, 6.4.
    """
    return ControlRules(measures=tuple(_measures()), ladder=tuple(_ladder()))


def _rows(table: str) -> Iterator[list[str]]:
    for line in table.replace("\n   |", " |").strip().splitlines():
        yield [part.strip() for part in line.split("|")]


def _measures() -> Iterator[Measure]:
    for trigger, kind, tiers, days, scope, until in _rows(_MEASURES):
        named = tiers.split()
        yield Measure(
            trigger=Trigger(trigger),
            kind=ControlKind(kind),
            grades=tuple(grade for tier in Tier if tier.value in named for grade in _TIERS[tier]),
            ungraded=_UNGRADED in named,
            scope=scope,
            deadline_days=int(days),
            exit_condition=until,
        )


def _ladder() -> Iterator[LadderStep]:
    for regime, days, kinds, says in _rows(_LADDER):
        yield LadderStep(
            regime=Regime(regime),
            past_due_days=int(days),
            kinds=tuple(ControlKind(kind) for kind in kinds.split()),
            says=says,
        )
