"""A generated portfolio, labelled as such: the same seed gives the same customers with the same histories.

It is a generator of operations: each is performed through the Gate and its value sent back (`furnish`), so what the
demo shows went the way everything goes. Nothing in it is about a firm or person that exists.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from api.imports.running import Perform
from domain.assessment.evaluate import add_months
from domain.files.codes import complete_credit_code
from domain.files.history import DefaultKind, DocumentKind, DocumentState, LitigationSeverity, RatingBand
from domain.files.opening import BasicInformation, Contact, OpenCreditFile
from domain.files.parties import CreditFile, PartyKind, SizeClass
from domain.files.recording.documents import Document, RecordTransactions
from domain.files.recording.events import RecordDefault, RecordLitigation
from domain.files.recording.reports import RecordRating, RecordStatement
from domain.files.sources import LawfulBasis, Origin, RegisterSource, SourceType
from domain.ids import Id
from domain.money import Money
from domain.operations import Operation

CURRENCY = "CNY"
YUAN = 100
MONTHS = 18
TERMS_DAYS = 30
SEED = 20_261_124


class Behaviour(NamedTuple):
    """How a synthetic customer pays and stands."""

    name: str
    weight: int
    delay: int
    """Usual days beyond terms; negative is early."""
    spread: int
    drift: int
    """Days the delay grows over the whole history."""
    unpaid: int
    """Invoices due in the last so many days are still open."""
    strength: int
    """How sound its statements are: current assets in per cent of current liabilities; 0 where it shows none."""
    disputes: int = 0
    """Per cent of its invoices that it disputes."""
    band: RatingBand | None = None
    severity: LitigationSeverity | None = None
    defaulted: bool = False
    books: bool = False
    """Known by its VAT invoices alone."""
    fresh: bool = False
    """A newcomer without any history."""


BEHAVIOURS = (
    Behaviour("prompt", 12, -4, 3, 0, 0, 210, band=RatingBand.GOOD),
    Behaviour("usual", 12, 3, 5, 0, 10, 160),
    Behaviour("slow", 6, 24, 10, 0, 35, 115, band=RatingBand.MIDDLE),
    Behaviour("worsening", 4, 2, 4, 45, 50, 95, band=RatingBand.WEAK, severity=LitigationSeverity.MINOR),
    Behaviour("improving", 3, 28, 6, -26, 10, 130),
    Behaviour("disputing", 3, 6, 5, 0, 20, 150, disputes=20),
    Behaviour("defaulted", 2, 50, 20, 60, 120, 70, severity=LitigationSeverity.MATERIAL, defaulted=True),
    Behaviour("books only", 4, 0, 0, 0, 0, 0, books=True),
    Behaviour("newcomer", 2, 0, 0, 0, 0, 140, fresh=True),
    Behaviour("unknown", 1, 0, 0, 0, 0, 0, fresh=True),
)
"""What the portfolio is mixed of, by weight."""
CUSTOMERS = sum(behaviour.weight for behaviour in BEHAVIOURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One customer of the portfolio."""

    credit_file: Id
    customer: Id
    reference: str
    name: str
    behaviour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The customers that were made."""

    as_of: date
    members: tuple[Member, ...]


Steps = Generator[Operation[Any], Any, Portfolio]


class _Sources(NamedTuple):
    """Where synthetic facts say they come from."""

    customer: Origin
    invoices: Origin
    books: Origin
    court: Origin
    agency: Origin


async def furnish(perform: Perform, steps: Steps) -> Portfolio:
    """Performs every operation of a portfolio and sends each its value."""
    value: Any = None
    while True:
        try:
            operation = steps.send(value)
        except StopIteration as end:
            made: Portfolio = end.value
            return made
        value = await perform(operation)


def portfolio(as_of: date, *, customers: int = CUSTOMERS, seed: int = SEED) -> Steps:
    """The operations that make a portfolio as of a day; nothing in it happens after that day."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose, and no secret
    sources = yield from _registered()
    mixed = [behaviour for behaviour in BEHAVIOURS for _ in range(behaviour.weight)]
    chance.shuffle(mixed)
    members: list[Member] = []
    for index in range(1, customers + 1):
        behaviour = mixed[(index - 1) % len(mixed)]
        opening = _opening(chance, index, behaviour, sources.customer, as_of)
        file: CreditFile = yield opening
        members.append(
            Member(
                credit_file=file.id,
                customer=file.customer,
                reference=file.reference,
                name=file.name,
                behaviour=behaviour.name,
            )
        )
        yield from _history(chance, file, opening.kind, behaviour, sources, as_of)
    return Portfolio(as_of=as_of, members=tuple(members))


def _registered() -> Generator[Operation[Any], Any, _Sources]:
    wanted = (
        ("Synthetic: customers' own statements", SourceType.SELF_PROVIDED, LawfulBasis.CONTRACT),
        ("Synthetic: own invoices", SourceType.INTERNAL_TRANSACTION, LawfulBasis.CONTRACT),
        ("Synthetic: customers' VAT invoices", SourceType.SELF_PROVIDED, LawfulBasis.WRITTEN_CONSENT),
        ("Synthetic: court publications", SourceType.COURT_PUBLICATION, LawfulBasis.LEGALLY_PUBLIC),
        ("Synthetic: rating agency", SourceType.CREDIT_AGENCY, LawfulBasis.CONSENT),
    )
    origins: list[Origin] = []
    for name, type_, basis in wanted:
        source = yield RegisterSource(type=type_, name=name, lawful_bases=(basis,))
        origins.append(Origin(source=source.id, lawful_basis=basis))
    return _Sources(*origins)


_TRADES = ("云服务", "网络科技", "软件", "数据中心", "通信技术", "电子商务")
_INDUSTRIES = ("I65", "I64", "I63", "F52", "C39", "L72")
_REGIONS = ("110108", "310115", "440305", "330106", "510107", "420111")
_CODE_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SURNAMES = "赵钱孙李周吴郑王冯陈"


def _opening(chance: random.Random, index: int, behaviour: Behaviour, origin: Origin, as_of: date) -> OpenCreditFile:
    """A customer with basic information; its codes pass every check and belong to nobody."""
    trade = chance.randrange(len(_TRADES))
    natural = behaviour.books and index % 2 == 0
    organisation = "MA" + "".join(chance.choice(_CODE_LETTERS) for _ in range(6))
    code = complete_credit_code(("92" if natural else "91") + chance.choice(_REGIONS) + organisation)
    reference = f"SYN-{index:03d}"
    staff = chance.choice((4, 12, 35, 80, 220, 900))
    person = chance.choice(_SURNAMES) + f"某{index:03d}"
    return OpenCreditFile(
        reference=reference,
        name=f"合成客户{index:03d}{_TRADES[trade]}{'经营部' if natural else '有限公司'}",
        kind=PartyKind.SOLE_TRADER if natural else PartyKind.ENTERPRISE,
        origin=origin,
        account_owner="sales",
        basic=BasicInformation(
            registered_address=f"合成市示范路{index}号",
            registered_capital=Money(chance.choice((50, 100, 500, 1_000, 5_000)) * 10_000 * YUAN, CURRENCY),
            established_on=as_of - timedelta(days=chance.randrange(400, 7_000)),
            industry_code=_INDUSTRIES[trade],
            size_class=_size(staff),
            staff_count=staff,
            unified_social_credit_code=code,
            legal_representative=person,
            phone=f"1990000{index:04d}",
            email=f"finance@{reference.lower()}.example",
            bank_account=f"02000000{chance.randrange(10**10):010d}",
        ),
        contacts=(
            Contact(duty="财务", name=person, phone=f"1990001{index:04d}", email=f"ap@{reference.lower()}.example"),
        ),
    )


def _size(staff: int) -> SizeClass:
    bounds = ((10, SizeClass.MICRO), (100, SizeClass.SMALL), (300, SizeClass.MEDIUM))
    return next((size for bound, size in bounds if staff < bound), SizeClass.LARGE)


def _history(
    chance: random.Random, file: CreditFile, kind: PartyKind, behaviour: Behaviour, sources: _Sources, as_of: date
) -> Iterator[Operation[Any]]:
    """What is recorded about a customer."""
    scale = chance.choice((3_000, 8_000, 20_000, 60_000)) * YUAN
    if behaviour.books:
        documents = tuple(_books(chance, file.reference, scale, as_of))
        yield RecordTransactions(credit_file=file.id, origin=sources.books, documents=documents)
        return
    if not behaviour.fresh:
        documents = tuple(_receivables(chance, file.reference, behaviour, scale, as_of))
        yield RecordTransactions(credit_file=file.id, origin=sources.invoices, documents=documents)
    if behaviour.strength and not kind.natural:
        yield _statement(chance, file.id, behaviour, sources.customer, scale, as_of)
    if behaviour.band is not None:
        yield RecordRating(
            credit_file=file.id,
            origin=sources.agency,
            agency="合成评级机构",
            rating={"GOOD": "AA", "MIDDLE": "BBB", "WEAK": "B", "BAD": "C"}[behaviour.band.value],
            band=behaviour.band,
            rated_on=as_of - timedelta(days=chance.randrange(20, 200)),
            valid_until=as_of + timedelta(days=165),
        )
    yield from _trouble(chance, file, behaviour, sources, scale, as_of)


def _trouble(
    chance: random.Random, file: CreditFile, behaviour: Behaviour, sources: _Sources, scale: int, as_of: date
) -> Iterator[Operation[Any]]:
    if behaviour.severity is not None:
        yield RecordLitigation(
            credit_file=file.id,
            origin=sources.court,
            court="合成市示范区人民法院",
            case_number=f"(合成){file.reference}",
            role="被告",
            severity=behaviour.severity,
            claim=Money(scale * chance.randrange(2, 9), CURRENCY),
            filed_on=as_of - timedelta(days=chance.randrange(40, 300)),
        )
    if behaviour.defaulted:
        yield RecordDefault(
            credit_file=file.id,
            origin=sources.invoices,
            kind=DefaultKind.NON_PAYMENT,
            amount=Money(scale * 2, CURRENCY),
            since_on=as_of - timedelta(days=chance.randrange(95, 150)),
        )


def _months(as_of: date) -> Iterator[tuple[int, date]]:
    """The first days of the months of the history, the oldest first."""
    first = as_of.replace(day=1)
    for index in range(MONTHS):
        yield index, add_months(first, index - MONTHS + 1)


def _receivables(
    chance: random.Random, reference: str, behaviour: Behaviour, scale: int, as_of: date
) -> Iterator[Document]:
    """The company's own invoices to a customer: a few a month, paid as its behaviour says."""
    count = 0
    for index, month in _months(as_of):
        for _ in range(chance.randrange(1, 4)):
            issued_on = month + timedelta(days=chance.randrange(28))
            if issued_on > as_of:
                continue
            count += 1
            due_on = issued_on + timedelta(days=TERMS_DAYS)
            delay = behaviour.delay + behaviour.drift * index // MONTHS
            paid_on = due_on + timedelta(days=delay + chance.randrange(-behaviour.spread, behaviour.spread + 1))
            settled_on = max(paid_on, issued_on)
            is_open = settled_on > as_of or due_on > as_of - timedelta(days=behaviour.unpaid)
            net = scale * chance.randrange(60, 141) // 100
            tax = net * 6 // 100
            disputed = net // 2 if is_open and chance.randrange(100) < behaviour.disputes else None
            yield Document(
                source_row=f"{reference}:{count}",
                kind=DocumentKind.RECEIVABLE,
                number=f"{reference}-{count:04d}",
                issued_on=issued_on,
                due_on=due_on,
                settled_on=None if is_open else settled_on,
                net=Money(net, CURRENCY),
                tax=Money(tax, CURRENCY),
                total=Money(net + tax, CURRENCY),
                disputed=None if disputed is None else Money(disputed, CURRENCY),
                state=DocumentState.OPEN if is_open else DocumentState.SETTLED,
            )


def _books(chance: random.Random, reference: str, scale: int, as_of: date) -> Iterator[Document]:
    """A firm's own sales and purchases, with void and red invoices among them."""
    count = 0
    for _, month in _months(as_of):
        for kind in (*[DocumentKind.SALE] * 6, *[DocumentKind.PURCHASE] * 3):
            issued_on = month + timedelta(days=chance.randrange(28))
            if issued_on > as_of:
                continue
            count += 1
            sign = -1 if chance.randrange(50) == 0 else 1
            net = sign * scale * chance.randrange(40, 161) // 100
            tax = net * 13 // 100
            void = chance.randrange(33) == 0
            yield Document(
                source_row=f"{reference}:{count}",
                kind=kind,
                number=f"{10_000_000 + chance.randrange(80_000_000)}",
                issued_on=issued_on,
                net=Money(net, CURRENCY),
                tax=Money(tax, CURRENCY),
                total=Money(net + tax, CURRENCY),
                state=DocumentState.VOID if void else DocumentState.OPEN,
                counterparty=f"{'买方' if kind is DocumentKind.SALE else '供方'}{chance.randrange(9)}",
            )


def _statement(
    chance: random.Random, file: Id, behaviour: Behaviour, origin: Origin, scale: int, as_of: date
) -> RecordStatement:
    """The statement of the last full year: the sounder the firm, the more assets stand against its debts."""
    liabilities = scale * chance.randrange(40, 90)
    current = liabilities * 7 // 10
    assets = liabilities * (100 + behaviour.strength) // 160
    profit = (behaviour.strength - 100) * scale // 12
    figures: Sequence[int] = (
        current * behaviour.strength // 100,
        current,
        assets,
        liabilities,
        assets - liabilities,
        profit,
        profit + scale // 2,
    )
    money = [Money(minor, CURRENCY) for minor in figures]
    return RecordStatement(
        credit_file=file,
        origin=origin,
        period_end=date(as_of.year - 1, 12, 31),
        audited=behaviour.strength > 140,  # noqa: PLR2004 - the sounder ones are audited
        current_assets=money[0],
        current_liabilities=money[1],
        total_assets=money[2],
        total_liabilities=money[3],
        tangible_net_worth=money[4],
        net_profit=money[5],
        operating_cash_flow=money[6],
    )
