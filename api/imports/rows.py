"""A row of a file becomes a row of an operation, or the reason why not; one reader per kind, bound to a map once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any

from api.imports.cells import (
    Cell,
    amount_of,
    choice_of,
    currency_of,
    date_of,
    text_of,
    whole_of,
    yes_of,
)
from api.imports.fields import Field, Holds
from api.imports.mapping import FILE, ROW, TEMPLATE, ImportMap
from domain.errors import Code, CreditError, Malformed
from domain.files.batches.customers import CustomerRow
from domain.files.batches.documents import DocumentRow
from domain.files.batches.records import RECORDED_BY, RecordRow
from domain.files.dates import DateFormat
from domain.files.history import DocumentState
from domain.files.importing import ImportKind, Rejection, rejection
from domain.files.opening import BasicInformation, Contact
from domain.files.recording.documents import Document
from domain.files.sources import Origin
from domain.ids import Id
from domain.money import Money

Cells = Sequence[Cell]
Row = CustomerRow | DocumentRow | RecordRow
Get = Callable[[Cells], Any]


def reader(plan: ImportMap, file_name: str) -> Callable[[int, Cells], Row | Rejection]:
    """Reads one row under a map: its number and the cells of the columns the map reads, in that order."""
    getters = {name: _getter(plan, name, field) for name, field in plan.fields.items()}
    placed = _placer(plan, file_name)
    make = _MAKERS.get(plan.kind, _record)

    def read(number: int, cells: Cells) -> Row | Rejection:
        try:
            return make(plan, getters, number, cells, placed(number, cells))
        except CreditError as error:
            return rejection(number, error)

    return read


def _placer(plan: ImportMap, file_name: str) -> Callable[[int, Cells], str]:
    """Renders where a row stands in its source."""
    parts = TEMPLATE.split(plan.source_row)
    place = {name: index for index, name in enumerate(plan.read)}
    if set(parts[1::2]) == {FILE, ROW} and len(parts) == 5:  # noqa: PLR2004 - two names with the text around them
        before, after = plan.source_row.replace("{file}", file_name).split("{row}")
        return lambda number, _: f"{before}{number}{after}"

    def render(number: int, cells: Cells) -> str:
        known = {FILE: file_name, ROW: str(number)}
        said = [known.get(name) or _needed(name, text_of(cells[place[name]])) for name in parts[1::2]]
        return "".join(text for pair in zip(parts[::2], [*said, ""], strict=True) for text in pair)

    return render


def _getter(plan: ImportMap, name: str, field: Field) -> Get:
    """How a field is had from the cells: from its column, the same for every row, or not at all."""
    parse = _parser(plan, name, field)
    if name in plan.constants:
        said = parse(plan.constants[name], None)
        return lambda _: said
    if name not in plan.columns:
        return lambda _: None
    at = plan.read.index(plan.columns[name])
    needed = field.needed

    def get(cells: Cells) -> Any:
        try:
            value = parse(cells[at], cells)
        except CreditError as error:
            error.path = (name,)
            raise
        return _needed(name, value) if needed else value

    return get


def _parser(plan: ImportMap, name: str, field: Field) -> Callable[[Cell, Cells | None], Any]:
    values: Mapping[str, str] = plan.values.get(name, {})
    if field.choices is not None:
        choices: dict[str, Enum] = {str(item.value): item for item in field.choices}
        return lambda cell, _: choice_of(cell, choices, values)
    if field.holds is Holds.YES_NO:
        return lambda cell, _: yes_of(cell, values)
    if field.holds is Holds.DATE:
        written = plan.dates.get(name, DateFormat.ISO)
        return lambda cell, _: date_of(cell, written)
    if field.holds is Holds.AMOUNT:
        currency = _getter(plan, "currency", plan.fields["currency"])
        return lambda cell, cells: amount_of(cell, _needed("currency", currency(cells or ())))
    plain: Mapping[Holds, Callable[[Cell], Any]] = {
        Holds.TEXT: text_of,
        Holds.WHOLE: whole_of,
        Holds.CURRENCY: currency_of,
    }
    convert = plain[field.holds]
    return lambda cell, _: convert(cell)


def _needed(name: str, value: Any) -> Any:
    if value is None:
        raise Malformed(
            "A value that every row needs is missing.",
            code=Code.MISSING_VALUE,
            advice="Fill it in, or leave the row out.",
            path=(name,),
        )
    return value


def _document(plan: ImportMap, get: Mapping[str, Get], number: int, cells: Cells, place: str) -> DocumentRow:
    del plan
    net, tax, total = _amounts(get, cells)
    disputed: Money | None = get["disputed"](cells)
    if disputed is None and get["is_disputed"](cells):
        disputed = total
    settled_on: date | None = get["settled_on"](cells)
    state: DocumentState | None = get["state"](cells)
    if state is None:
        state = DocumentState.SETTLED if settled_on else DocumentState.OPEN
    document = Document(
        source_row=place,
        kind=get["kind"](cells),
        number=get["number"](cells),
        issued_on=get["issued_on"](cells),
        due_on=get["due_on"](cells),
        settled_on=settled_on,
        net=net,
        tax=tax,
        total=total,
        disputed=disputed,
        state=state,
        counterparty=get["counterparty"](cells),
    )
    return DocumentRow(row=number, reference=get["reference"](cells), document=document)


def _amounts(get: Mapping[str, Get], cells: Cells) -> tuple[Money, Money | None, Money]:
    """Net, tax and total; of net and total one may follow from the other. Red amounts are negative."""
    net, tax, total = get["net"](cells), get["tax"](cells), get["total"](cells)
    if net is None and total is None:
        _needed("total", None)
    if net is None:
        net = total if tax is None else total - tax
    if total is None:
        total = net if tax is None else net + tax
    if get["is_red"](cells) and total.minor > 0:
        net, total = -net, -total
        tax = None if tax is None else -tax
    return net, tax, total


def _customer(plan: ImportMap, get: Mapping[str, Get], number: int, cells: Cells, place: str) -> CustomerRow:
    del plan, place
    basic = BasicInformation(**{name: get[name](cells) for name in _BASIC})
    name, duty = get["contact_name"](cells), get["contact_duty"](cells)
    phone, email = get["contact_phone"](cells), get["contact_email"](cells)
    contact = None
    if any(value is not None for value in (name, phone, email)):
        contact = Contact(
            duty=_needed("contact_duty", duty), name=_needed("contact_name", name), phone=phone, email=email
        )
    return CustomerRow(
        row=number,
        reference=get["reference"](cells),
        name=get["name"](cells),
        kind=get["kind"](cells),
        basic=basic,
        contact=contact,
        account_owner=get["account_owner"](cells),
    )


_BASIC = tuple(BasicInformation.__dataclass_fields__)


def _record(plan: ImportMap, get: Mapping[str, Get], number: int, cells: Cells, place: str) -> RecordRow:
    values = {name: get[name](cells) for name in plan.fields if name not in {"reference", "currency"}}
    blank = Origin(source=Id(""), lawful_basis=plan.lawful_basis)
    recording = RECORDED_BY[plan.kind](credit_file=Id(""), origin=blank, **values)
    return RecordRow(row=number, reference=get["reference"](cells), source_row=place, recording=recording)


_MAKERS: Mapping[ImportKind, Callable[[ImportMap, Mapping[str, Get], int, Cells, str], Row]] = {
    ImportKind.CUSTOMERS: _customer,
    ImportKind.INVOICES: _document,
}
