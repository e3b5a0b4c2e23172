"""Tests of grants: what a combination of roles may and may not do, and which rules no test rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.grants.effects import Compiled, Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test: what somebody with all of some roles may do, and what not."""

    name: str
    roles: tuple[str, ...]
    may: tuple[str, ...] = ()
    may_not: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The end of a run of tests over one version of the grants."""

    cases: int
    decisions: int
    failures: tuple[str, ...]
    """What came out otherwise than a test says, each in a sentence."""
    untested: tuple[str, ...]
    """The rules that no decision of any test rests on, in the order of the version."""

    @property
    def green(self) -> bool:
        """Whether there were tests and all of them hold."""
        return bool(self.decisions) and not self.failures


def run(cases: Sequence[Case], compiled: Compiled) -> Run:
    """Runs tests over compiled grants.

    Chapter: 8.1.
    Shape:   total; a role or an action that does not exist fails the test that names it.
    """
    failures: list[str] = []
    touched: set[str] = set()
    decisions = 0
    for case in cases:
        failures.extend(_unknown(case, compiled))
        for action, wanted in _wanted(case):
            decisions += 1
            cell = compiled.decide(case.roles, action)
            if cell.rule is not None:
                touched.add(cell.rule.id)
            if (cell.effect is Effect.ALLOW) is not wanted:
                failures.append(_failure(case, action, cell.rule.id if cell.rule else "", wanted=wanted))
    untested = tuple(rule.id for rule in compiled.snapshot.rules if rule.id not in touched)
    return Run(cases=len(cases), decisions=decisions, failures=tuple(failures), untested=untested)


def _wanted(case: Case) -> Iterator[tuple[str, bool]]:
    yield from ((action, True) for action in case.may)
    yield from ((action, False) for action in case.may_not)


def _unknown(case: Case, compiled: Compiled) -> Iterator[str]:
    for role in case.roles:
        if role not in compiled.roles:
            yield f"{case.name}: {role} is not a role."
    for action, _ in _wanted(case):
        if action not in compiled.actions:
            yield f"{case.name}: nothing asks for the action {action}."


def _failure(case: Case, action: str, rule: str, *, wanted: bool) -> str:
    who = " and ".join(case.roles) or "somebody without a role"
    by = f"rule {rule}" if rule else "no rule speaks of it"
    word = "is not allowed" if wanted else "is allowed"
    return f"{case.name}: {action} {word} to {who} ({by})."
