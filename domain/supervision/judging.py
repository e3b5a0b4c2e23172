"""The rules by which the audit log is examined: entries in, what they show out. Each is one line of `RULES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Final

from domain.audit import Outcome
from domain.errors import Code
from domain.files.trail import AuditEntry
from domain.ids import Id
from domain.supervision.findings import FindingKind

NEAR_END: Final = timedelta(days=3)
"""How long before its end a consent is used near it."""
NIGHT: Final = range(23, 24), range(6)
"""The hours of the company's day at which hardly anybody works."""
BURST: Final = 10
"""How many tokens that fail are a burst."""
WITHIN: Final = timedelta(minutes=5)
"""Within how long."""
REVEAL: Final = "reveal:"
DISCLOSED: Final = frozenset({"disclosure:request", "disclosure:hand_over", "disclosure:attest"})
"""Actions by which something goes to a partner on the ground of a consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Entries that are examined together, and what is known beside them."""

    entries: Sequence[AuditEntry]
    """In the order of the log; those in front were examined before and are there for what leads up to the others."""
    first: int
    """The place of the first that is new."""
    zone: tzinfo
    consent_ends: Mapping[Id, datetime] = field(default_factory=dict[Id, datetime])
    """Until when each consent holds that is named."""

    def new(self) -> Iterator[AuditEntry]:
        """The entries that were not examined before.

        Chapter: 8.1.
        """
        return (entry for entry in self.entries if entry.log_index >= self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a rule found."""

    key: str
    at: datetime
    actor: str
    entries: Sequence[Id]
    resources: Sequence[str] = ()
    says: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding and how it is found."""

    kind: FindingKind
    find: Callable[[Step], Iterator[Found]]


def _one(entry: AuditEntry, says: str) -> Found:
    return Found(
        key=entry.id, at=entry.at, actor=entry.actor, entries=(entry.id,), resources=entry.resources, says=says
    )


def _opens(entry: AuditEntry) -> bool:
    return entry.outcome is Outcome.DONE and any(one.startswith(REVEAL) for one in entry.actions.split(","))


def _without_purpose(step: Step) -> Iterator[Found]:
    for entry in step.new():
        if _opens(entry) and not entry.purpose:
            yield _one(entry, "Confidential values were opened without a purpose.")


def _self_approval(step: Step) -> Iterator[Found]:
    """An attempt is refused with a code of its own, and its entry says by whom."""
    for entry in step.new():
        if entry.code == Code.SEPARATION_OF_DUTY.value:
            yield _one(entry, f"{entry.action} was tried by who may not do it alone: {entry.cause or 'own work'}.")


def _near_end(step: Step) -> Iterator[Found]:
    for entry in step.new():
        end = step.consent_ends.get(Id(entry.consent.partition("/")[0]))
        if entry.outcome is Outcome.DONE and end is not None and timedelta() <= end - entry.at <= NEAR_END:
            hours = int((end - entry.at).total_seconds() // 3600)
            yield _one(entry, f"The consent was used {hours} hours before its end.")


def _without_consent(step: Step) -> Iterator[Found]:
    for entry in step.new():
        if entry.outcome is not Outcome.DONE or entry.action not in DISCLOSED:
            continue
        if not entry.consent:
            yield _one(entry, "Something was disclosed, and its entry names no consent.")
        elif Id(entry.consent.partition("/")[0]) not in step.consent_ends:
            yield _one(entry, "Something was disclosed, and the consent that its entry names is not on file.")


def _at_night(step: Step) -> Iterator[Found]:
    """One finding for each person and night, at the first entry of it."""
    for entry in step.new():
        local = entry.at.astimezone(step.zone)
        if not _opens(entry) or entry.behalf or entry.actor.startswith("system:"):
            continue
        if any(local.hour in hours for hours in NIGHT):
            night = (local - timedelta(hours=12)).date()
            yield Found(
                key=f"{entry.actor}/{night}",
                at=entry.at,
                actor=entry.actor,
                entries=(entry.id,),
                resources=entry.resources,
                says=f"Confidential values were opened at {local:%H:%M}.",
            )


def _failed_tokens(step: Step) -> Iterator[Found]:
    """A burst is told once, when it has come so far; what goes on belongs to it until there is a pause."""
    run: list[AuditEntry] = []
    told = False
    for entry in step.entries:
        if entry.code != Code.NOT_AUTHENTICATED.value:
            continue
        if run and entry.at - run[-1].at > WITHIN:
            run, told = [], False
        run.append(entry)
        recent = [one for one in run if entry.at - one.at <= WITHIN]
        if len(recent) >= BURST and not told:
            told = True
            if entry.log_index >= step.first:
                yield Found(
                    key=entry.id,
                    at=entry.at,
                    actor="",
                    entries=tuple(one.id for one in recent),
                    says=f"{len(recent)} tokens failed within {int(WITHIN.total_seconds() // 60)} minutes.",
                )


RULES: Final = (
    Rule(FindingKind.READ_WITHOUT_PURPOSE, _without_purpose),
    Rule(FindingKind.SELF_APPROVAL, _self_approval),
    Rule(FindingKind.CONSENT_NEAR_END, _near_end),
    Rule(FindingKind.DISCLOSURE_WITHOUT_CONSENT, _without_consent),
    Rule(FindingKind.UNUSUAL_HOURS, _at_night),
    Rule(FindingKind.FAILED_TOKENS, _failed_tokens),
)
"""What every new entry is held against."""
