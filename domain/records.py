"""Records are declared once: their facts, links and confidential fields; everything else is derived from that.

    @record("cf", table="credit_file", read="credit_file:read")
    class CreditFile(Record):
        '''A customer's credit file (Ch.3 §1).'''

        name: str = fact("The registered name. Ch.4 §1", order=True)
        customer: Id = link("Customer", "The customer it is about.")
        assessments = children("Assessment", by="credit_file", says="Its assessments, newest first. Ch.5")
        phone = confidential("contact.phone", DataClass.CONTACT, str, "The main phone. Ch.4 §1", mask=Mask.PHONE)

A confidential field is no attribute of a record in memory: it is declared on the class and its value lives only
sealed. The read model, the tables, the GraphQL types and their descriptions all come from the declarations here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar, cast, dataclass_transform

from domain.documents.content import Content
from domain.files.identifying.identifiers import Exact, check_index
from domain.files.identifying.masks import Mask
from domain.ids import Id

T = TypeVar("T")
C = TypeVar("C", bound=type)


class DataClass(Enum):
    """A class of confidential data: the unit of keys, grants (`reveal:<class>`) and consent (Ch.4 §4)."""

    IDENTITY = "identity"
    CONTACT = "contact"
    FINANCIAL = "financial"
    TRANSACTIONS = "transactions"
    DEFAULT = "default"
    LITIGATION = "litigation"
    RATING = "rating"
    DOCUMENTS = "documents"

    @property
    def action(self) -> str:
        """The action that opens values of this class."""
        return f"reveal:{self.value}"


AUDIT_CLASS = "audit"
"""The key class of sealed audit payloads; no grant and no consent names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What every row carries: whose it is, when it holds (effective) and when it was known (recorded)."""

    id: Id
    tenant: Id
    subject_id: Id
    version: int = 1
    created_at: datetime
    created_by: str
    effective_from: datetime
    effective_to: datetime | None = None
    recorded_at: datetime
    superseded_at: datetime | None = None


STAMP_FIELDS = tuple(item.name for item in dataclasses.fields(Stamp))


@dataclass(frozen=True, slots=True)
class Fact:
    """An ordinary field: one column (two for money), readable under its action or its record's."""

    name: str
    says: str
    action: str | None = None
    filter: bool = False
    order: bool = False
    type: Any = None
    """The Python type without `None`."""
    optional: bool = False
    target: str | None = None
    """The record it links to, where the column holds an id."""
    same_subject: bool = True
    """Whether the record linked to is about the same subject."""


@dataclass(frozen=True, slots=True)
class Children:
    """A link to many: the records of another kind whose column names this one."""

    target: str
    by: str
    says: str
    action: str | None = None
    name: str = ""
    same_subject: bool = True
    on: str = "id"
    """The column of this record that theirs equals."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A field computed for many records at once from ordinary columns."""

    type: Any
    needs: tuple[str, ...]
    batch: Callable[[Sequence[tuple[Any, ...]], date], Sequence[Any]]
    says: str
    action: str | None = None
    name: str = ""
    optional: bool = True


@dataclass(frozen=True, slots=True)
class Confidential(Generic[T]):
    """A sealed field. Its tag is in the associated data of every seal: tags are an append-only list."""

    tag: str
    data_class: DataClass
    type: type[T]
    says: str
    bucket: int = 32
    schema: int = 1
    mask: Mask | None = None
    """The masked form offered beside it (`phoneMasked`), guarded by `mask:<class>`."""
    index: Exact | None = None
    """How it is found by its exact value, where that is offered."""
    action: str | None = None
    """An action it needs besides its class's: what tells of third parties is not opened by who it is about."""
    name: str = ""
    record: str = ""

    @property
    def actions(self) -> tuple[str, ...]:
        """Every action that opens it."""
        return (self.data_class.action,) if self.action is None else (self.data_class.action, self.action)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A fact of the credit business, frozen; a change is a new version that supersedes."""

    stamp: Stamp
    shape: ClassVar[Shape]

    @property
    def id(self) -> Id:
        """The public id."""
        return self.stamp.id

    @property
    def subject_id(self) -> Id:
        """The customer or person the record is about; its keys seal the record's confidential fields."""
        return self.stamp.subject_id


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shape:
    """What the declaration of a record says."""

    name: str
    prefix: str
    table: str
    read: str
    """The action that guards its ordinary facts."""
    says: str
    cls: type[Record]
    facts: Mapping[str, Fact]
    children: Mapping[str, Children]
    computed: Mapping[str, Computed]
    confidential: Mapping[str, Confidential[Any]]
    contents: Mapping[str, Confidential[Content]]
    """What is sealed as a stream and kept beside the database: no reading opens it."""
    unique: tuple[tuple[str, ...], ...]
    """Column groups unique among a tenant's current rows."""
    partner_reach: bool
    """A partner finds the rows whose `partner` names it."""
    subject_reach: bool
    """A customer finds the rows about itself."""
    shown_to_all: bool
    """Every customer finds every row: it is about none of them."""
    ledger: bool
    """An append-only table of the audit log: no versions, no times, written by the log alone."""

    def declares(self, sealed: Confidential[Any]) -> bool:
        """Whether it is a sealed field of this record.

        Chapter: 4.4.
        """
        return sealed in (self.confidential.get(sealed.name), self.contents.get(sealed.name))


SHAPES: dict[str, Shape] = {}
"""Every declared record by its name."""
PREFIXES: dict[str, Shape] = {}
"""Every declared record by the prefix of its ids."""
TAGS: dict[str, Confidential[Any]] = {}
"""Every confidential field by its tag."""


def fact(
    says: str,
    *,
    default: Any = dataclasses.MISSING,
    action: str | None = None,
    filter: bool = False,  # noqa: A002 - the schema's own word for it
    order: bool = False,
) -> Any:
    """Declares an ordinary field; `says` becomes its description in the schema.

    Chapter: 4.1, 4.2.
    """
    note = Fact(name="", says=says, action=action, filter=filter, order=order)
    return field(default=default, metadata={"fact": note})


def link(
    target: str,
    says: str,
    *,
    default: Any = dataclasses.MISSING,
    action: str | None = None,
    same_subject: bool = True,
) -> Any:
    """Declares a column that holds the id of another record; readers may follow it.

    Chapter: 4.2.
    """
    note = Fact(name="", says=says, action=action, filter=True, target=target, same_subject=same_subject)
    return field(default=default, metadata={"fact": note})


def children(
    target: str, *, by: str, says: str, action: str | None = None, same_subject: bool = True, on: str = "id"
) -> Children:
    """Declares a link to the many records of another kind whose column `by` holds this record's id.

    Chapter: 4.2.
    """
    return Children(target=target, by=by, says=says, action=action, same_subject=same_subject, on=on)


def computed(
    type_: Any,
    *,
    needs: tuple[str, ...],
    batch: Callable[[Sequence[tuple[Any, ...]], date], Sequence[Any]],
    says: str,
    action: str | None = None,
) -> Computed:
    """Declares a field computed for many records at once: rows of `needs` and today's date in, values out.

    Chapter: 3.1, 5.1.
    """
    return Computed(type=type_, needs=needs, batch=batch, says=says, action=action)


def confidential(
    tag: str,
    data_class: DataClass,
    type_: type[T],
    says: str,
    *,
    bucket: int = 32,
    mask: Mask | None = None,
    index: Exact | None = None,
    action: str | None = None,
) -> Confidential[T]:
    """Declares a sealed field under a stable tag; the value never stands on the record.

    Chapter: 4.4.
    Raises:  TypeError for an index that would give its values away.
    """
    check_index(tag, type_, mask, index)
    return Confidential(
        tag=tag, data_class=data_class, type=type_, says=says, bucket=bucket, mask=mask, index=index, action=action
    )


def content(tag: str, says: str) -> Confidential[Content]:
    """Declares the content of a document: sealed as a stream, kept beside the database, and no field of the schema.

    Chapter: 4.3, 4.4.
    """
    return Confidential(tag=tag, data_class=DataClass.DOCUMENTS, type=Content, says=says)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(fact, link, field, dataclasses.field))
def record(
    prefix: str,
    *,
    table: str,
    read: str,
    unique: tuple[tuple[str, ...], ...] = (),
    partner_reach: bool = False,
    subject_reach: bool = True,
    shown_to_all: bool = False,
    ledger: bool = False,
) -> Callable[[C], C]:
    """Makes a class a frozen record and registers its shape.

    `read` is the action that guards its ordinary facts. `partner_reach` says that a partner finds the rows that
    name it (a `partner` column); `subject_reach` that a customer finds the rows about itself. Nobody else's rows
    are found by either; what is `shown_to_all` is about nobody, and every customer finds it.

    Chapter: 3.1, 4.2.
    """

    def declare(cls: C) -> C:
        if not cls.__doc__:
            raise TypeError(f"{cls.__name__} needs a docstring: it is the description in the schema.")
        frozen = cast("Any", dataclass(frozen=True, slots=True, kw_only=True)(cls))
        sealed = _sealed(frozen, table)
        shape = Shape(
            name=frozen.__name__,
            prefix=prefix,
            table=table,
            read=read,
            says=frozen.__doc__,
            cls=frozen,
            facts=_facts(frozen),
            children=_named(frozen, Children),
            computed=_named(frozen, Computed),
            confidential={name: field for name, field in sealed.items() if field.type is not Content},
            contents={name: field for name, field in sealed.items() if field.type is Content},
            unique=unique,
            partner_reach=partner_reach,
            subject_reach=subject_reach,
            shown_to_all=shown_to_all,
            ledger=ledger,
        )
        _register(shape)
        frozen.shape = shape
        return cast("C", frozen)

    return declare


def _facts(cls: Any) -> dict[str, Fact]:
    from typing import get_args, get_type_hints  # noqa: PLC0415 - only while declaring

    hints = get_type_hints(cls)
    facts: dict[str, Fact] = {}
    for item in dataclasses.fields(cls):
        if item.name == "stamp":
            continue
        note = item.metadata.get("fact")
        if note is None:
            raise TypeError(f"{cls.__name__}.{item.name} is declared without fact(…) or link(…).")
        hint = hints[item.name]
        optional = type(None) in get_args(hint)
        plain = next(arg for arg in get_args(hint) if arg is not type(None)) if optional else hint
        facts[item.name] = dataclasses.replace(note, name=item.name, type=plain, optional=optional)
    return facts


def _named(cls: Any, kind: type[T]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, value in list(cast("dict[str, object]", vars(cls)).items()):
        if isinstance(value, kind):
            named = cast("T", dataclasses.replace(cast("Any", value), name=name))
            setattr(cls, name, named)
            found[name] = named
    return found


def _sealed(cls: Any, table: str) -> dict[str, Confidential[Any]]:
    found: dict[str, Confidential[Any]] = {}
    for name, value in _named(cls, cast("type[Confidential[Any]]", Confidential)).items():
        named = dataclasses.replace(value, record=table)
        setattr(cls, name, named)
        found[name] = named
    return found


def _register(shape: Shape) -> None:
    taken = [*(SHAPES.get(key) for key in (shape.name,)), PREFIXES.get(shape.prefix)]
    if any(other is not None for other in taken):
        raise TypeError(f"{shape.name} or its prefix {shape.prefix} is declared twice.")
    for sealed in (*shape.confidential.values(), *shape.contents.values()):
        if sealed.tag in TAGS:
            raise TypeError(f"The tag {sealed.tag} is used twice; tags are never reused.")
        TAGS[sealed.tag] = sealed
    SHAPES[shape.name] = PREFIXES[shape.prefix] = shape
