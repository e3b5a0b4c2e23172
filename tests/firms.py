"""A company with sources and customers whose records tests write through the real operations.

desk = Desk()
file = desk.open("Acme")
desk.bill(file, Bill(...))
assessment = desk.assess(file)
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

from domain.assessment.approving import ApproveAssessment
from domain.assessment.assessing import RequestAssessment
from domain.assessment.assessments import Assessment
from domain.files.history import (
    DefaultKind,
    DocumentKind,
    DocumentState,
    LitigationSeverity,
    PublicSanction,
    RatingBand,
    SanctionKind,
    SanctionMatch,
    SanctionSeverity,
)
from domain.files.opening import BasicInformation, OpenCreditFile
from domain.files.parties import CreditFile, PartyKind, SizeClass
from domain.files.recording.documents import Document, RecordTransactions
from domain.files.recording.events import RecordDefault, RecordLitigation, RecordSanction
from domain.files.recording.reports import RecordRating, RecordStatement
from domain.files.sources import LawfulBasis, Origin, RegisterSource, SourceType
from domain.money import Money
from domain.tenancy import OpenTenant
from tests.world import NOW, World

TODAY = NOW.date()
YUAN = 100


def yuan(amount: float, currency: str = "CNY") -> Money:
    """So many yuan."""
    return Money(round(amount * YUAN), currency)


class Bill(NamedTuple):
    """A receivable: issued on a day, due 15 days later, paid so many days after that, in yuan."""

    issued_on: date
    amount: float
    paid_after: int | None = 0
    disputed: float = 0
    state: DocumentState = DocumentState.OPEN
    number: str = ""
    terms: int = 15


class Desk:
    """The credit department at work."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.world.do(OpenTenant(name="Cloud Ltd"))
        bases = (LawfulBasis.CONTRACT, LawfulBasis.LEGALLY_PUBLIC, LawfulBasis.WRITTEN_CONSENT)
        self.origins = {
            type_: Origin(
                source=self.world.do(RegisterSource(type=type_, name=name, lawful_bases=bases)).id,
                lawful_basis=LawfulBasis.CONTRACT,
            )
            for type_, name in (
                (SourceType.SELF_PROVIDED, "The customer"),
                (SourceType.COURT_PUBLICATION, "The court register"),
                (SourceType.CREDIT_AGENCY, "Honest Agency"),
            )
        }
        self.own = self.origins[SourceType.SELF_PROVIDED]
        self.court = self.origins[SourceType.COURT_PUBLICATION]
        self.agency = self.origins[SourceType.CREDIT_AGENCY]
        self.rows = 0
        self.sales = self.world.actor("sun", "sales")
        self.analyst = self.world.actor("an", "credit_analyst")
        self.manager = self.world.actor("ma", "credit_analyst", "credit_manager")
        self.committee = self.world.actor("co", "credit_committee")
        self.board = self.world.actor("li", "credit_committee", "legal")

    def open(self, name: str = "Acme", kind: PartyKind = PartyKind.ENTERPRISE, **basic: Any) -> CreditFile:
        """Opens a file, looked after by Zhao."""
        return self.world.do(
            OpenCreditFile(
                reference=name,
                name=name,
                kind=kind,
                origin=self.own,
                basic=BasicInformation(**basic),
                account_owner="zhao",
            )
        )

    def bill(self, file: CreditFile, *bills: Bill, currency: str = "CNY") -> None:
        """Records receivables."""
        self._record(
            file,
            [
                self._document(
                    DocumentKind.RECEIVABLE,
                    bill.issued_on,
                    yuan(bill.amount, currency),
                    due_on=(due := bill.issued_on + timedelta(days=bill.terms)),
                    settled_on=None if bill.paid_after is None else due + timedelta(days=bill.paid_after),
                    disputed=yuan(bill.disputed, currency) if bill.disputed else None,
                    state=bill.state,
                    number=bill.number,
                )
                for bill in bills
            ],
        )

    def invoice(
        self,
        file: CreditFile,
        kind: DocumentKind,
        issued_on: date,
        amount: float,
        state: DocumentState = DocumentState.SETTLED,
        other: str = "b1",
        times: int = 1,
    ) -> None:
        """Records VAT invoices of the customer's own books."""
        self._record(
            file, [self._document(kind, issued_on, yuan(amount), state=state, counterparty=other) for _ in range(times)]
        )

    def statement(self, file: CreditFile, period_end: date, **figures: Any) -> None:
        """Records a statement of a firm in fair health; figures in yuan replace its own."""
        basis = figures.pop("basis", None)
        audited, currency = figures.pop("audited", False), figures.pop("currency", "CNY")
        origin = self.own if basis is None else Origin(source=self.own.source, lawful_basis=basis)
        whole = {
            "current_assets": 1_100_000,
            "current_liabilities": 1_000_000,
            "total_assets": 5_000_000,
            "total_liabilities": 3_100_000,
            "tangible_net_worth": 1_500_000,
            "net_profit": -10_000,
            "operating_cash_flow": 20_000,
        } | figures
        money = {name: yuan(amount, currency) for name, amount in whole.items()}
        self.world.do(
            RecordStatement(credit_file=file.id, origin=origin, period_end=period_end, audited=audited, **money)
        )

    def case(self, file: CreditFile, severity: LitigationSeverity, filed_on: date, claim: Money | None = None) -> None:
        """Records a court case, or that none was found."""
        self.world.do(
            RecordLitigation(
                credit_file=file.id,
                origin=self.court,
                court="Haidian District Court",
                case_number="(2026) 1",
                role="defendant",
                severity=severity,
                claim=claim,
                filed_on=filed_on,
            )
        )

    def sanction(
        self, file: CreditFile, kind: SanctionKind, published_on: date, severity: str = "NONE", **more: Any
    ) -> PublicSanction:
        """Records a public sanction, confirmed to be about the customer, or that a register was searched in vain."""
        said = {"match": SanctionMatch.CONFIRMED, "authority": "Credit China"} | more
        return self.world.do(
            RecordSanction(
                credit_file=file.id,
                origin=self.court,
                kind=kind,
                severity=SanctionSeverity(severity),
                published_on=published_on,
                **said,
            )
        )

    def rating(self, file: CreditFile, band: RatingBand, rated_on: date, valid_until: date | None = None) -> None:
        """Records an external rating."""
        self.world.do(
            RecordRating(
                credit_file=file.id,
                origin=self.agency,
                agency="Honest Agency",
                rating="A-",
                band=band,
                rated_on=rated_on,
                valid_until=valid_until,
            )
        )

    def default(self, file: CreditFile, kind: DefaultKind, since_on: date, ended_on: date | None = None) -> None:
        """Records a default."""
        self.world.do(
            RecordDefault(
                credit_file=file.id, origin=self.own, kind=kind, amount=yuan(1), since_on=since_on, ended_on=ended_on
            )
        )

    def assess(self, file: CreditFile, actor: Any = None, **request: Any) -> Assessment:
        """Requests an assessment, by default as an analyst."""
        return self.world.do(RequestAssessment(credit_file=file.id, **request), actor or self.analyst)

    def approve(self, assessment: Assessment, actor: Any = None) -> Assessment:
        """Approves an assessment, by default as one who may approve everything."""
        return self.world.do(ApproveAssessment(assessment=assessment.id), actor or self.board)

    def file(self, file: CreditFile) -> CreditFile:
        """The file as it is now."""
        return next(each for each in self.world.current(CreditFile) if each.id == file.id)

    def set(self, record: Any) -> Any:
        """Replaces a record behind the operations' back."""
        unit = self.world.unit()
        unit.get(type(record), record.id)
        new = unit.replace(record)
        self.world.store.state = unit.merged()
        return new

    def example(self, name: str = "Acme") -> CreditFile:
        """The worked example of the credit policy."""
        file = self.open(
            name,
            established_on=date(2020, 5, 1),
            size_class=SizeClass.SMALL,
            industry_code="I6513",
            registered_capital=yuan(2_000_000),
        )
        self.bill(
            file,
            *(Bill(date(2026, month, 1), 30_000, 28) for month in (1, 2, 3)),
            *(Bill(date(2026, month, 1), 32_000, 5) for month in (6, 7, 8)),
            Bill(date(2026, 9, 1), 70_400, 28),
            Bill(date(2026, 10, 1), 70_400, 5),
            Bill(date(2026, 11, 1), 63_200, 5),
        )
        self.statement(file, date(2026, 6, 30))
        self.case(file, LitigationSeverity.NONE, date(2026, 10, 1))
        self.sanction(file, SanctionKind.NONE, date(2026, 10, 1))
        self.rating(file, RatingBand.MIDDLE, date(2026, 3, 1))
        self.default(file, DefaultKind.BROKEN_PROMISE, date(2026, 4, 1), date(2026, 4, 9))
        return file

    def _document(self, kind: DocumentKind, issued_on: date, total: Money, **more: Any) -> Document:
        self.rows += 1
        number = more.pop("number", "") or f"n{self.rows}"
        return Document(
            source_row=f"r{self.rows}", kind=kind, number=number, issued_on=issued_on, net=total, total=total, **more
        )

    def _record(self, file: CreditFile, documents: list[Document]) -> None:
        self.world.do(RecordTransactions(credit_file=file.id, origin=self.own, documents=tuple(documents)))
