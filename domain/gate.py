"""The one gate: permit → decide → record → release.

Every read and every change passes here. The grants permit; the domain decides over a unit that cannot open sealed
values; the entry is made here and is durable in the same transaction as the change; only then does the opener,
under a warrant that nobody else can mint, give plaintext. No record, no plaintext: fail closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

from domain import ids
from domain.actors import Actor, Grants, Rights
from domain.audit import Entry, EntryProof, Outcome, Receipt, Trace, Warrant
from domain.errors import (
    AuditUnavailable,
    CreditError,
    Invalid,
    KeyUnavailable,
    NotAuthenticated,
    Refused,
    Stale,
    Tampered,
    Unavailable,
)
from domain.ids import Id
from domain.operations import NOT_TOLD, OPERATIONS, Asked, Collecting, Decided, Operation, Performed, Released
from domain.persons.duties import keep_apart
from domain.persons.permitting import permit, rules_of, unreadable, within_reach
from domain.ports import Clock, Handover, Ids, Opener, Scope, SealedValue, Signer, Steps, Store, Unit, Work
from domain.reading import Judged

T = TypeVar("T")
N = TypeVar("N", bound=str)

ATTEMPTS = 5
"""How often an operation that lost a race decides again before the caller is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A judged reading with the steps the store made of it."""

    judged: Judged
    steps: Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who asks for which action, in which request, under which rights: what every entry of it repeats."""

    actor: Actor
    rights: Rights
    action: str
    actions: tuple[str, ...]
    """Every action it rests on, the first one included."""
    request: str
    asked: Asked = NOT_TOLD
    """What an operation asked for: the entry of a refusal tells it."""


NOTHING: Decided[None] = Decided(value=None)
"""Stands for a decision that was not reached."""
BUG = "INTERNAL_ERROR"
"""The cause of a release that failed for no reason the product knows."""
HANDED_OVER = "disclosure:hand_over"
"""The action of the entry that names the digest of what is handed over to a partner."""


class Gate:
    """Lets operations and readings through, and nothing else.

    Chapter: 4.4, 8.1.
    """

    def __init__(
        self,
        *,
        grants: Grants,
        store: Store,
        opener: Opener,
        clock: Clock,
        make: Ids,
        signer: Signer | None = None,
        settled: Callable[[Id], None] | None = None,
    ) -> None:
        """Without a signer, what would be signed is refused; who is told of what settles persons forgets them."""
        self._grants = grants
        self._store = store
        self._opener = opener
        self._signer = signer
        self._clock = clock
        self._ids = make
        self._settled = settled

    async def perform(self, operation: Operation[T], actor: Actor, *, request: str = "") -> Performed[T]:
        """Carries out one operation as one transaction with one audit entry.

        Chapter: 4.4, 8.1.
        Raises:  Refused and Invalid, both recorded; Unavailable when nothing could be made durable.
        """
        if OPERATIONS.get(type(operation).__name__) is not type(operation):
            raise TypeError(f"{type(operation).__name__} is no declared operation.")
        rights, asked = await self._rights(actor), operation.asked()
        actions = operation.actions
        call = Call(actor=actor, rights=rights, action=actions[0], actions=actions, request=request, asked=asked)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._once(operation, call)
            except Stale as error:
                if attempt == ATTEMPTS:
                    error.entry = (await self._store.put(self._undone(call, Trace(), error))).entry
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def read(self, plan: Plan, actor: Actor, arguments: Sequence[Any], *, request: str = "") -> dict[str, Any]:
        """Reads what a plan describes; the entry follows the read and precedes the opening.

        Chapter: 4.4.
        Raises:  NotPermitted naming every field that is not granted; Conflict when the plan was judged under other
                 rights than the actor has now; Unavailable when it cannot be recorded.
        """
        return await self._read(plan, actor, arguments, request) or {}

    async def watch(
        self, plan: Plan, actor: Actor, arguments: Sequence[Any], *, request: str = ""
    ) -> dict[str, Any] | None:
        """What a plan finds of what is new; None while all its pages are empty: nothing leaves and nothing is recorded.

        Chapter: 8.1.
        Raises:  as `read`.
        """
        return await self._read(plan, actor, arguments, request, news=True)

    async def _read(
        self, plan: Plan, actor: Actor, arguments: Sequence[Any], request: str, *, news: bool = False
    ) -> dict[str, Any] | None:
        judged, now = plan.judged, self._clock.now()
        rights, contract = await self._rights(actor), judged.contract
        call = Call(actor=actor, rights=rights, action=contract.action, actions=contract.actions, request=request)
        decided = Decided(value=None, purpose=",".join(judged.contract.purposes))
        error = unreadable(judged, call.rights, actor, now)
        if error is not None:
            await self._store.put(self._entry(call, Trace(fields=judged.refused), error, decided))
            raise error
        scope = Scope(tenant=actor.tenant, partner=actor.partner, subject=actor.subject, reach=actor.standing.limit)
        try:
            steps = plan.steps
            run = steps.run(scope, arguments, now)
            draft = await self._store.read(actor.tenant, run, alone=steps.alone, ledger=steps.ledger)
        except CreditError as failure:
            await self._store.put(self._entry(call, Trace(), failure, decided))
            raise
        if news and not any(draft.answer[root.label]["rows"] for root in judged.reading.roots):
            return None
        trace = Trace(
            subjects=_named(draft.subjects, (value.subject for value in draft.sealed)),
            resources=draft.resources,
            fields=judged.contract.fields,
        )
        receipt = await self._store.put(self._entry(call, trace, None, decided), placed=actor.partner is not None)
        released = await self._release(call, draft.sealed, receipt, trace, decided)
        if released.opened:
            draft.place(released.opened)
        return draft.answer

    async def refuse(self, tenant: Id, error: NotAuthenticated, *, request: str = "") -> None:
        """Records that a caller could not be authenticated, with the cause the caller is not told.

        Chapter: 8.1.
        """
        nobody = Actor(tenant=tenant, person="unknown", roles=frozenset())
        rights = Rights(id=0, version="", allowed={})
        verify = "token:verify"
        call = Call(actor=nobody, rights=rights, action=verify, actions=(verify,), request=request)
        await self._store.put(self._entry(call, Trace(), error))

    async def decline(self, actor: Actor, error: CreditError, action: str, *, request: str = "") -> None:
        """Records that something was not even begun, such as a document that is not approved for its caller.

        Chapter: 4.4, 8.1.
        """
        call = Call(actor=actor, rights=await self._rights(actor), action=action, actions=(action,), request=request)
        await self._store.put(self._entry(call, Trace(), error))

    async def _rights(self, actor: Actor) -> Rights:
        await self._grants.notice(actor.tenant)
        return self._grants.rights(actor)

    async def _once(self, operation: Operation[T], call: Call) -> Performed[T]:
        decide = partial(operation.decide, actor=call.actor)
        if isinstance(operation, Collecting):
            decide = partial(_decide_on, operation, call.actor, *await self._collect(operation, call))

        def permitted(unit: Unit) -> Decided[T]:
            permit(call.actor, operation.actions, call.rights, unit.now)
            unit = unit if operation.beyond_reach else within_reach(unit, call.actor)
            keep_apart(operation, unit, call.actor)
            return decide(unit)

        performed = await self._carry_out(call, permitted)
        if operation.settles and self._settled is not None:
            self._settled(call.actor.tenant)
        return performed

    async def _collect(
        self, operation: Collecting[Any], call: Call
    ) -> tuple[Sequence[SealedValue[Any]], Sequence[Any]]:
        """Loads what a decision rests on, records that, and opens it."""

        def gather(unit: Unit) -> Decided[Sequence[SealedValue[Any]]]:
            permit(call.actor, (operation.collection, *operation.actions), call.rights, unit.now)
            found = operation.collect(within_reach(unit, call.actor), call.actor)
            return Decided(value=found, reveals=tuple(found), purpose=operation.purpose)

        collected = await self._carry_out(
            replace(call, action=operation.collection, actions=(operation.collection,)), gather
        )
        return collected.value, collected.opened

    async def _carry_out(self, call: Call, decide: Callable[[Unit], Decided[T]]) -> Performed[T]:
        """One transaction with one entry, and then the release of what was decided to be opened."""

        def conclude(trace: Trace, result: Decided[T] | CreditError) -> Entry:
            if isinstance(result, CreditError):
                return self._undone(call, trace, result)
            return self._entry(call, _with(trace, result), None, result)

        work = Work(tenant=call.actor.tenant, actor=call.actor.person, decide=decide, conclude=conclude)
        committed = await self._store.write(work)
        if isinstance(committed.result, CreditError):
            committed.result.entry = committed.receipt.entry
            raise committed.result
        decided = committed.result
        receipt, told = committed.receipt, _with(Trace(), decided)
        released = await self._release(call, decided.reveals, receipt, told, decided)
        return Performed(value=decided.value, receipt=receipt, released=released)

    async def _release(
        self, call: Call, sealed: Sequence[SealedValue[Any]], receipt: Receipt, told: Trace, decided: Decided[Any]
    ) -> Released:
        """Opens, signs and proves under the warrant of the entry; a failure leaves a second entry and no value.

        The warrant covers what the entry tells of, not what happens to be asked for.
        """
        if not sealed and decided.signs is None and not decided.proves:
            return Released()
        warrant = Warrant(
            receipt=receipt,
            tenant=receipt.tenant,
            subjects=frozenset(value.subject for value in sealed) & frozenset(told.subjects),
            tags=frozenset(value.field.tag for value in sealed) & frozenset(told.fields),
        )
        try:
            _placed(call, receipt)
            opened = await self._opener.open(warrant, sealed) if sealed else []
            if len(opened) != len(sealed):
                raise Tampered("Not every value could be opened.")  # noqa: TRY301 - it fails like any other opening
            proofs = [await self._store.prove(receipt.tenant, entry or receipt.entry) for entry in decided.proves]
            signed, handed_over = await self._signed(call, told, warrant, decided, opened, proofs)
        except Exception as error:
            # Also a bug: the first entry says that the values were released, and they were not.
            known = error if isinstance(error, CreditError) else Unavailable("The release failed.", cause=BUG)
            await self._store.put(self._entry(call, told, known, replace(decided, note=""), outcome=Outcome.FAILED))
            raise
        return Released(opened=tuple(opened), signed=signed, proofs=(*proofs, *handed_over))

    async def _signed(
        self,
        call: Call,
        told: Trace,
        warrant: Warrant,
        decided: Decided[Any],
        opened: Sequence[Any],
        proofs: Sequence[EntryProof],
    ) -> tuple[str, list[EntryProof]]:
        """The statement that was decided to be signed, if any; of what is handed over, also the proof of its digest."""
        if decided.signs is None:
            return "", []
        if self._signer is None:
            raise KeyUnavailable(
                "Nothing is signed here.", advice="Call the operator: no key for statements is set up."
            )
        statement = decided.signs(opened)
        if not isinstance(statement, Handover):
            return await self._signer.sign(warrant, statement), []
        signed = await self._signer.sign(warrant, replace(statement, proof=proofs[0] if proofs else None))
        digest = sha256(signed.encode()).hexdigest()
        handed = replace(call, action=HANDED_OVER, actions=(HANDED_OVER,))
        entry = self._entry(handed, told, None, replace(decided, note="", digest=digest))
        # No record, no delivery: whoever holds what was handed over can show by this entry that it was.
        receipt = await self._store.put(entry, placed=True)
        _placed(call, receipt)
        return signed, [await self._store.prove(receipt.tenant, receipt.entry)]

    def _undone(self, call: Call, trace: Trace, error: CreditError) -> Entry:
        """The entry of work that was rolled back: what it touched, what was asked for, and that it wrote nothing."""
        added = {row.id for row in trace.written if row.version == 1}
        touched = Trace(
            subjects=tuple(one for one in trace.subjects if one not in added),
            resources=tuple(one for one in trace.resources if one not in added),
            fields=_named(trace.fields, call.asked.fields),
        )
        return self._entry(call, touched, error, replace(NOTHING, purpose=call.asked.purpose))

    def _entry(
        self,
        call: Call,
        trace: Trace,
        error: CreditError | None,
        decided: Decided[Any] = NOTHING,
        *,
        outcome: Outcome | None = None,
    ) -> Entry:
        now, actor = self._clock.now(), call.actor
        return Entry(
            id=self._ids.make(ids.ENTRY, int(now.timestamp() * 1000)),
            at=now,
            tenant=actor.tenant,
            actor=actor.person,
            behalf=actor.partner or actor.subject or "",
            action=call.action,
            actions=call.actions if len(call.actions) > 1 else (),
            resources=(*trace.resources, Id(actor.glass)) if actor.glass else trace.resources,
            subjects=trace.subjects,
            fields=trace.fields,
            purpose=decided.purpose,
            consent=decided.consent,
            grants=call.rights.version,
            rule=rules_of(actor, call.actions, call.rights),
            policy=decided.policy,
            digest=decided.digest,
            outcome=outcome or _outcome(error),
            code=error.code.value if error else "",
            cause=error.cause if error else "",
            written=trace.written,
            request=call.request,
            document=actor.document,
            key=actor.key,
            payload=(("note", decided.note),) if decided.note else (),
        )


def _decide_on(
    operation: Collecting[T], actor: Actor, sealed: Sequence[SealedValue[Any]], opened: Sequence[Any], unit: Unit
) -> Decided[T]:
    return operation.decide_on(unit, actor, sealed, opened)


def _placed(call: Call, receipt: Receipt) -> None:
    """What goes to a third party waits for the entry's place in the tree, where nobody can remove it unnoticed."""
    if call.actor.partner is not None and not receipt.placed:
        raise AuditUnavailable(
            "What was asked for is recorded, and its entry has no place in the audit log yet.",
            advice="Ask again, under the same idempotency key where there is one: nothing is used up twice.",
        )


def _outcome(error: CreditError | None) -> Outcome:
    if error is None:
        return Outcome.DONE
    if isinstance(error, Refused):
        return Outcome.REFUSED
    return Outcome.INVALID if isinstance(error, Invalid) else Outcome.FAILED


def _with(trace: Trace, decided: Decided[Any]) -> Trace:
    """The trace with what will be opened named in it, each once, in the order met."""
    return Trace(
        subjects=_named(trace.subjects, (value.subject for value in decided.reveals)),
        resources=_named(decided.resources, trace.resources),
        fields=_named(trace.fields, (*(value.field.tag for value in decided.reveals), *decided.fields)),
        written=trace.written,
    )


def _named(first: Iterable[N], then: Iterable[N]) -> tuple[N, ...]:
    return tuple(dict.fromkeys((*first, *then)))
