"""The whole loop, step by step: import, assess, control, consent, disclosure, audit. Each step says whether it held."""

from __future__ import annotations

import asyncio
import resource
import shutil
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Protocol

from api.granting import House as Walked
from api.imports.running import Progress, run_import
from api.imports.synthetic import furnish, portfolio
from api.tour import words
from api.tour.ageing import receivables_summary
from api.tour.cast import Cast, Person, customer_self, partner_client
from api.tour.material import Material
from api.tour.outcomes import Standing, compare, distribution, read_outcomes
from domain.assessment.approving import ApproveAssessment
from domain.assessment.assessing import RequestAssessment
from domain.assessment.assessments import Assessment, AssessmentKind, AssessmentState
from domain.assessment.evidence.payments import Receivable
from domain.assessment.policy import Level
from domain.assessment.scale import ControlBasis, ControlKind
from domain.consent.admitting.deciding import ApprovePartner
from domain.consent.consents import ConsentUse
from domain.consent.disclosing import RequestDisclosure
from domain.consent.giving import GrantConsent, RegisterPartner, WithdrawConsent
from domain.controls import ApproveControlAction, ControlAction, ControlState, ProposeControlAction
from domain.errors import CreditError, NotConsented, NotPermitted
from domain.files.history import DocumentKind, DocumentState, TradeTransaction
from domain.files.opening import BasicInformation, OpenCreditFile
from domain.files.parties import CreditFile, PartyKind
from domain.files.sources import LawfulBasis, Origin, RegisterSource, SourceType
from domain.files.trail import AccessEntry
from domain.ids import Id
from domain.reading import Purpose

PHONE = "+8613800138000"
"""Of the one invented customer that stands in where real files hold nothing confidential."""
NOTICE = "0" * 64
SHARED = "contact.phone"
MONTH = timedelta(days=30)
ASKED = (SHARED, "financial.bank_account")


class House(Walked, Protocol):
    """What the tour needs of the house beside the Gate."""

    async def export_log(self, tenant: Id, folder: Path) -> str:
        """Writes a company's log as files; its checkpoint."""
        ...

    async def verifying_key(self, tenant: Id) -> str:
        """The key an auditor pins."""
        ...

    async def check(self, tenant: Id) -> Sequence[Any]:
        """What is wrong with the store."""
        ...


Verify = Callable[[Path, str], tuple[bool, int]]
"""Checks an exported log with a pinned key: whether it holds, and how many entries it has."""


@dataclass(slots=True)
class Tour:
    """One walk through a company that was opened for it."""

    house: House
    tenant: Id
    folder: Path
    verify: Verify
    say: Callable[[str], None]
    show: Callable[[float, str], None]
    today: date
    figures: dict[str, Any] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    cast: Cast = field(init=False)

    def __post_init__(self) -> None:
        self.cast = Cast.of(self.house, self.tenant)

    async def walk(self, material: Material | None, as_of: date | None) -> bool:
        """All steps; whether every one of them held."""
        steps: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = (
            ("import", lambda: self._import(material)),
            ("assess", lambda: self._assess(as_of, material)),
            ("control", self._control),
            ("consent", self._consent),
            ("audit", self._audit),
        )
        for name, step in steps:
            self.say(words.TITLES[name])
            try:
                await step()
            except CreditError as error:
                self._held(f"{name}: {error.code.value}: {error.message}", held=False)
        self.figures |= {"ok": not self.failed, "failed": self.failed}
        self.say(words.ended(self.failed))
        return not self.failed

    async def _import(self, material: Material | None) -> None:
        if material is None:
            self.say("No data is named, so a portfolio is invented (synthetic data).")
            made = await furnish(self.cast.manager.do, portfolio(self.today))
            self.figures["import"] = {"synthetic": True, "customers": len(made.members)}
            self._held(f"{len(made.members)} credit files opened, with their records", held=bool(made.members))
            return
        await self._register(material)
        runs = []
        before = _peak_mebibytes()
        for path, plan in material.files:

            def step(now: Progress, name: str = path.name) -> None:
                self.show(now.share, f"{name}: {now.run.rows_read:,} rows")

            rejected = self.folder / f"{path.stem}.rejected.csv"
            ended = await run_import(self.cast.importer.do, path, plan, rejected=rejected, progress=step)
            runs.append(words.imported(ended.run))
            self._held(words.import_line(ended.run), held=ended.run.rows_read > 0)
        self.figures["import"] = {"files": runs, "grewMebibytes": round(_peak_mebibytes() - before)}

    async def _register(self, material: Material) -> None:
        """The sources of the files, each with the lawful bases its maps name: nothing from another is taken."""
        bases: dict[str, set[LawfulBasis]] = {}
        for _, plan in material.files:
            bases.setdefault(plan.source, set()).add(plan.lawful_basis)
        for name, lawful in bases.items():
            ordered = tuple(sorted(lawful, key=lambda basis: basis.value))
            await self.cast.privacy.do(RegisterSource(type=SourceType.SELF_PROVIDED, name=name, lawful_bases=ordered))
            self._held(f"source {name!r} registered, lawful bases {', '.join(b.value for b in ordered)}", held=True)

    async def _assess(self, as_of: date | None, material: Material | None) -> None:
        day = as_of or await self._last_day()
        files = [
            (Id(row["id"]), row["reference"])
            async for row in self.cast.manager.rows(CreditFile, "id", "reference", order=(("reference", False),))
        ]
        standings: dict[str, Standing] = {}
        people: Counter[str] = Counter()
        cards: Counter[str] = Counter()
        for number, (file, reference) in enumerate(files, 1):
            request = RequestAssessment(credit_file=file, kind=AssessmentKind.NEW, as_of=day)
            assessed = await self.cast.analyst.do(request)
            cards[assessed.card] += 1
            assessed = await self._approved(assessed, people)
            standings[reference] = Standing(grade=assessed.grade, score=assessed.score)
            self.show(number / len(files), f"{number} of {len(files)} assessed")
        self._held(f"{len(files)} customers assessed as of {day}, {words.decided(people)}", held=bool(files))
        grades = distribution(standings.values())
        self.figures["assess"] = {
            "asOf": day.isoformat(),
            "customers": len(files),
            "cards": dict(cards),
            "decidedBy": dict(people),
            "grades": {words.grade(one.grade): one.count for one in grades},
            "calibration": "EXPERT_UNCALIBRATED",
        }
        self.say(words.grades(grades))
        if material is not None and material.outcomes is not None:
            self._compare(standings, material.outcomes)
        await self._receivables(day)

    async def _approved(self, assessed: Assessment, people: Counter[str]) -> Assessment:
        """The assessment in force: by itself where the policy leaves it to no person, else by another one."""
        if assessed.state is not AssessmentState.IN_REVIEW:
            people["automatic"] += 1
            return assessed
        level = Level(assessed.approver_level)
        by = {Level.COMMITTEE: self.cast.committee, Level.COMMITTEE_AND_LEGAL: self.cast.board}
        people[level.value.lower()] += 1
        return await by.get(level, self.cast.manager).do(ApproveAssessment(assessment=assessed.id))

    async def _last_day(self) -> date:
        """The newest day in the records: nothing of what came later is known then."""
        rows = self.cast.manager.rows(TradeTransaction, "issued_on", order=(("issued_on", True),), most=1)
        return max([row["issued_on"] async for row in rows], default=self.today)

    def _compare(self, standings: dict[str, Standing], outcomes: Path) -> None:
        found = compare(standings, read_outcomes(outcomes))
        self.figures["outcomes"] = words.comparison(found)
        self.say(words.rates(found))

    async def _receivables(self, day: date) -> None:
        """The company's own book, as known on the day, where there is one."""
        book: dict[str, list[Receivable]] = {}
        facts = ("credit_file", "issued_on", "due_on", "settled_on", "total", "disputed", "state")
        where = (("kind", DocumentKind.RECEIVABLE.value),)
        async for row in self.cast.manager.rows(TradeTransaction, *facts, where=where):
            if row["due_on"] is None or row["state"] is DocumentState.VOID:
                continue
            disputed = row["disputed"].minor if row["disputed"] else 0
            book.setdefault(row["credit_file"], []).append(
                Receivable(row["issued_on"], row["due_on"], row["settled_on"], row["total"].minor, disputed)
            )
        if book:
            summary = receivables_summary(book, day)
            self.figures["receivables"] = words.receivables(summary)
            self.say(words.receivables_text(summary))

    async def _control(self) -> None:
        kinds: Counter[str] = Counter()
        first: Id | None = None
        async for row in self.cast.manager.rows(ControlAction, "id", "kind", "state", "proposed_by"):
            if row["state"] is ControlState.PROPOSED:
                kinds[row["kind"].value] += 1
                if first is None and row["kind"] is not ControlKind.FREEZE_NEW_ORDERS:
                    first = Id(row["id"])
        self.figures["control"] = {"proposed": dict(kinds)}
        follow = f": {words.counted(kinds)}" if kinds else ""
        self._held(f"{kinds.total()} measures follow from the grades{follow}", held=True)
        await self._own_proposal()
        if first is not None:
            active = await self.cast.manager.do(ApproveControlAction(control_action=first))
            self._held(f"one of them approved by another person: {active.kind.value}", held=True)

    async def _own_proposal(self) -> None:
        """A manager who proposes a measure does not approve it, whatever the roles say."""
        files = [Id(row["id"]) async for row in self.cast.manager.rows(CreditFile, "id", most=1)]
        for file in files:
            proposed = await self.cast.manager.do(
                ProposeControlAction(
                    credit_file=file,
                    kind=ControlKind.DEMAND_LETTER,
                    basis=ControlBasis.CONTRACT_CLAUSE,
                    scope="all services",
                    exit_condition="the debt is paid",
                    deadline_on=self.today + MONTH,
                )
            )
            approve = ApproveControlAction(control_action=proposed.id)
            await self._refused(self.cast.manager, approve, "who proposed a measure approves it", NotPermitted)

    async def _consent(self) -> None:
        file = await self._with_phone()
        self.say("A partner asks for the customer's phone and bank account.")
        partner = await self.cast.privacy.do(
            RegisterPartner(name="First Bank", contact="dpo@bank.example", purposes=(Purpose.PARTNER_CREDIT_DECISION,))
        )
        await self._refused(
            self.cast.privacy, ApprovePartner(partner=partner.id), "who registered a partner lets it in", NotPermitted
        )
        await self.cast.board.do(ApprovePartner(partner=partner.id))
        bank = partner_client(self.house, self.tenant, partner.id)
        customer = customer_self(self.house, self.tenant, file.customer)
        await self._refused(bank, _request(file, "before"), "disclosure without consent", NotConsented)
        consent = await customer.do(
            GrantConsent(
                credit_file=file.id,
                partner=partner.id,
                purpose=Purpose.PARTNER_CREDIT_DECISION,
                fields=(SHARED,),
                use=ConsentUse.STANDING,
                not_after=datetime.combine(self.today + MONTH, time(), UTC),
                notice_digest=NOTICE,
                given_by="the customer",
            )
        )
        got = await bank.perform(_request(file, "with"))
        withheld = [item.field for item in got.value.disclosure.withheld]
        exact = got.opened == (PHONE,) and withheld == [ASKED[1]]
        self._held("with consent to the phone alone: the phone, and the account withheld with its reason", held=exact)
        await customer.do(WithdrawConsent(consent=consent.id))
        await self._refused(bank, _request(file, "after"), "disclosure after withdrawal", NotConsented)
        seen = [
            row["action"]
            async for row in customer.rows(AccessEntry, "action", "behalf", where=(("behalf", partner.id),))
        ]
        self.figures["consent"] = {"requests": len(seen)}
        self._held(
            f"the customer sees the partner's {len(seen)} requests in its access log", held=len(seen) == 1 + 1 + 1
        )

    async def _with_phone(self) -> CreditFile:
        """One invented customer with something confidential: real files used here hold nothing of the kind."""
        source = await self.cast.privacy.do(
            RegisterSource(
                type=SourceType.SELF_PROVIDED, name="The tour's own customer", lawful_bases=(LawfulBasis.CONTRACT,)
            )
        )
        return await self.cast.analyst.do(
            OpenCreditFile(
                reference="TOUR-1",
                name="Invented Networks (synthetic)",
                kind=PartyKind.ENTERPRISE,
                origin=Origin(source=source.id, lawful_basis=LawfulBasis.CONTRACT),
                basic=BasicInformation(phone=PHONE, bank_account="6222021234567890128"),
            )
        )

    async def _audit(self) -> None:
        log = self.folder / "log"
        await self.house.export_log(self.tenant, log)
        key = await self.house.verifying_key(self.tenant)
        held, entries = await asyncio.to_thread(self.verify, log, key)
        self.figures["audit"] = {"entries": entries, "verified": held}
        self._held(f"{entries:,} entries exported, and verified from the files alone", held=held)
        forged = self.folder / "forged"
        shutil.copytree(log, forged)
        bundle = next(iter(sorted((forged / "tile" / "entries").rglob("*[0-9]"))))
        changed = bytearray(bundle.read_bytes())
        changed[len(changed) // 2] ^= 1
        bundle.write_bytes(bytes(changed))
        still, _ = await asyncio.to_thread(self.verify, forged, key)
        self._held("one flipped bit in a copy of them is found", held=not still)
        findings = await self.house.check(self.tenant)
        self.figures["audit"]["findings"] = len(findings)
        self._held("every seal opens, and every row is what the log says", held=not findings)

    async def _refused(self, person: Person, operation: Any, what: str, kind: type[CreditError] = CreditError) -> None:
        """Something that must be refused, and recorded."""
        try:
            await person.do(operation)
        except kind as error:
            self._held(f"{what}: refused ({error.code.value}) and recorded", held=True)
        else:
            self._held(f"{what}: refused", held=False)

    def _held(self, what: str, *, held: bool) -> None:
        self.say(f"  {'✓' if held else '✗'} {what}")
        if not held:
            self.failed.append(what)


def _request(file: CreditFile, key: str) -> RequestDisclosure:
    return RequestDisclosure(
        credit_file=file.id,
        purpose=Purpose.PARTNER_CREDIT_DECISION,
        fields=ASKED,
        idempotency_key=f"tour-{key}-request",
    )


def _peak_mebibytes() -> float:
    """The largest memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform != "darwin" else peak / 1024 / 1024
