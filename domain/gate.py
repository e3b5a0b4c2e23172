"""The one gate: permit → decide → record → release.

Every read and every change passes here. The grants permit; the domain decides over a unit that cannot open sealed
values; the entry is made here and is durable in the same transaction as the change; only then does the opener,
under a warrant that nobody else can mint, give plaintext. No record, no plaintext: fail closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from domain import ids
from domain.actors import Actor, Grants, Rights
from domain.audit import Entry, Outcome, Receipt, Trace, Warrant
from domain.errors import CreditError, NotAuthenticated, NotPermitted, Refused, Stale
from domain.ids import Id
from domain.operations import Collecting, Decided, Operation
from domain.ports import Clock, Ids, Opener, Scope, SealedValue, Steps, Store, Unit, Work
from domain.reading import Judged

T = TypeVar("T")

ATTEMPTS = 5
"""How often an operation that lost a race decides again before the caller is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed(Generic[T]):
    """The end of an operation: its value, the values opened for the answer, and the receipt of its entry."""

    value: T
    opened: tuple[Any, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A judged reading with the steps the store made of it."""

    judged: Judged
    steps: Steps


class Gate:
    """Lets operations and readings through, and nothing else.

    Chapter: 4.4, 8.1.
    """

    def __init__(self, *, grants: Grants, store: Store, opener: Opener, clock: Clock, make: Ids) -> None:
        self._grants = grants
        self._store = store
        self._opener = opener
        self._clock = clock
        self._ids = make

    async def perform(self, operation: Operation[T], actor: Actor, *, request: str = "") -> Performed[T]:
        """Carries out one operation as one transaction with one audit entry.

        Chapter: 4.4, 8.1.
        Raises:  Refused and Invalid, both recorded; Unavailable when nothing could be made durable.
        """
        rights = self._grants.rights(actor)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._once(operation, actor, rights, request)
            except Stale as error:
                if attempt == ATTEMPTS:
                    await self._store.put(
                        self._entry(actor, rights, operation.actions[0], request, Trace(), error, None)
                    )
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def read(self, plan: Plan, actor: Actor, arguments: Sequence[Any], *, request: str = "") -> dict[str, Any]:
        """Reads what a plan describes; the entry follows the read and precedes the opening.

        Chapter: 4.4.
        Raises:  NotPermitted naming every field that is not granted; Unavailable when it cannot be recorded.
        """
        judged, now = plan.judged, self._clock.now()
        make = partial(self._entry, actor, judged.rights, judged.contract.action, request)
        purpose = ",".join(judged.contract.purposes)
        if judged.refused:
            error = NotPermitted(
                "Your roles do not read " + ", ".join(judged.refused) + ".",
                advice="Leave these fields out, or ask for " + ", ".join(judged.actions) + ".",
            )
            await self._store.put(make(Trace(fields=judged.refused), error, Decided(value=None, purpose=purpose)))
            raise error
        scope = Scope(tenant=actor.tenant, partner=actor.partner, subject=actor.subject)
        draft = await self._store.read(actor.tenant, plan.steps.run(scope, arguments, now))
        trace = Trace(subjects=draft.subjects, resources=draft.resources, fields=judged.contract.fields)
        receipt = await self._store.put(make(trace, None, Decided(value=None, purpose=purpose)))
        opened = await self._release(draft.sealed, receipt, partial(make, trace))
        for place, value in zip(draft.place, opened, strict=True):
            place(value)
        return draft.answer

    async def refuse(self, tenant: Id, error: NotAuthenticated, *, request: str = "") -> None:
        """Records that a caller could not be authenticated, with the cause the caller is not told.

        Chapter: 8.1.
        """
        nobody = Actor(tenant=tenant, person="unknown", roles=frozenset())
        rights = Rights(id=0, version="", allowed={})
        await self._store.put(self._entry(nobody, rights, "token:verify", request, Trace(), error, None))

    async def _once(self, operation: Operation[T], actor: Actor, rights: Rights, request: str) -> Performed[T]:
        decide = partial(operation.decide, actor=actor)
        if isinstance(operation, Collecting):
            sealed, opened = await self._collect(operation, actor, rights, request)
            decide = partial(_decide_on, operation, actor, sealed, opened)

        def permitted(unit: Unit) -> Decided[T]:
            _permit(operation.actions, rights)
            return decide(unit)

        make = partial(self._entry, actor, rights, operation.actions[0], request)

        def conclude(trace: Trace, result: Decided[T] | CreditError) -> Entry:
            if isinstance(result, CreditError):
                return make(trace, result, None)
            return make(_with(trace, result.reveals, result.resources), None, result)

        work = Work(tenant=actor.tenant, actor=actor.person, decide=permitted, conclude=conclude)
        committed = await self._store.write(work)
        if isinstance(committed.result, CreditError):
            raise committed.result
        decided = committed.result
        trace = _with(Trace(), decided.reveals, decided.resources)
        released = await self._release(decided.reveals, committed.receipt, partial(make, trace))
        return Performed(value=decided.value, opened=tuple(released), receipt=committed.receipt)

    async def _collect(
        self, operation: Collecting[Any], actor: Actor, rights: Rights, request: str
    ) -> tuple[Sequence[SealedValue[Any]], list[Any]]:
        """Loads what a decision rests on, records that, and opens it."""
        make = partial(self._entry, actor, rights, operation.collection, request)

        def gather(unit: Unit) -> Decided[Sequence[SealedValue[Any]]]:
            _permit((operation.collection, *operation.actions), rights)
            found = operation.collect(unit, actor)
            return Decided(value=found, reveals=tuple(found), purpose=operation.purpose)

        def conclude(trace: Trace, result: Decided[Any] | CreditError) -> Entry:
            if isinstance(result, CreditError):
                return make(trace, result, None)
            return make(_with(trace, result.reveals, result.resources), None, result)

        work = Work(tenant=actor.tenant, actor=actor.person, decide=gather, conclude=conclude)
        committed = await self._store.write(work)
        if isinstance(committed.result, CreditError):
            raise committed.result
        sealed = committed.result.value
        trace = _with(Trace(), sealed, ())
        return sealed, await self._release(sealed, committed.receipt, partial(make, trace))

    async def _release(self, sealed: Sequence[SealedValue[Any]], receipt: Receipt, make: Any) -> list[Any]:
        """Opens values under the warrant of their entry; a failure leaves a second entry and no value."""
        if not sealed:
            return []
        warrant = Warrant(
            receipt=receipt,
            tenant=receipt.tenant,
            subjects=frozenset(value.subject for value in sealed),
            tags=frozenset(value.field.tag for value in sealed),
        )
        try:
            return await self._opener.open(warrant, sealed)
        except CreditError as error:
            await self._store.put(make(error, None, outcome=Outcome.FAILED))
            raise

    def _entry(
        self,
        actor: Actor,
        rights: Rights,
        action: str,
        request: str,
        trace: Trace,
        error: CreditError | None,
        decided: Decided[Any] | None,
        *,
        outcome: Outcome | None = None,
    ) -> Entry:
        now = self._clock.now()
        ended = outcome or _outcome(error)
        return Entry(
            id=self._ids.make(ids.ENTRY, int(now.timestamp() * 1000)),
            at=now,
            tenant=actor.tenant,
            actor=actor.person,
            behalf=actor.partner or actor.subject or "",
            action=action,
            resources=trace.resources,
            subjects=trace.subjects,
            fields=trace.fields,
            purpose=decided.purpose if decided else "",
            consent=decided.consent if decided else "",
            grants=rights.version,
            rule=rights.allowed.get(action, ""),
            policy=decided.policy if decided else "",
            outcome=ended,
            code=error.code.value if error else "",
            cause=error.cause if error else "",
            written=trace.written,
            request=request,
            key=actor.key,
            payload=(("note", decided.note),) if decided and decided.note else (),
        )


def _decide_on(
    operation: Collecting[T], actor: Actor, sealed: Sequence[SealedValue[Any]], opened: list[Any], unit: Unit
) -> Decided[T]:
    return operation.decide_on(unit, actor, sealed, opened)


def _permit(actions: Sequence[str], rights: Rights) -> None:
    missing = rights.missing(actions)
    if missing:
        raise NotPermitted(
            "Your roles do not allow " + ", ".join(missing) + ".",
            advice="Ask a person whose role allows it; the role × action matrix shows which.",
        )


def _outcome(error: CreditError | None) -> Outcome:
    if error is None:
        return Outcome.DONE
    return Outcome.REFUSED if isinstance(error, Refused) else Outcome.INVALID


def _with(trace: Trace, reveals: Sequence[SealedValue[Any]], resources: Sequence[Id]) -> Trace:
    """The trace with what will be opened named in it, each once, in the order met."""
    return Trace(
        subjects=tuple(dict.fromkeys((*trace.subjects, *(value.subject for value in reveals)))),
        resources=tuple(dict.fromkeys((*resources, *trace.resources))),
        fields=tuple(dict.fromkeys((*trace.fields, *(value.field.tag for value in reveals)))),
        written=trace.written,
    )
