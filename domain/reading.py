"""A reading says what is read, and knows neither GraphQL nor SQL.

The API turns a query document into a reading; the grants judge it once; the store compiles it to steps; the audit
contract is derived from it. A report or a job builds one by hand and passes the same Gate.

Three kinds of rule have three places: static (grants, here), row (tenant and reach, predicates of the store) and
value (consent, a pure rule). Nothing else hides data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Generic, TypeVar

from domain.actors import Rights
from domain.records import SHAPES, Children, Computed, Confidential, Fact, Shape

T = TypeVar("T")


class Purpose(Enum):
    """Why confidential values are opened; a closed, versioned list (version 1)."""

    CREDIT_REVIEW = "CREDIT_REVIEW"
    """Assessing or reviewing the customer (Ch.5, Ch.7)."""
    CREDIT_CONTROL = "CREDIT_CONTROL"
    """Preparing or carrying out a control action (Ch.6)."""
    CUSTOMER_CONTACT = "CUSTOMER_CONTACT"
    """Reaching the customer about its account (Ch.6)."""
    LEGAL_CLAIM = "LEGAL_CLAIM"
    """Preparing or pursuing a claim (Ch.6 §4)."""
    DATA_QUALITY = "DATA_QUALITY"
    """Checking or correcting the file (Ch.4)."""
    CUSTOMER_REQUEST = "CUSTOMER_REQUEST"
    """Answering the customer about its own data (Ch.3 §3)."""
    PARTNER_CREDIT_DECISION = "PARTNER_CREDIT_DECISION"
    """A partner's own credit decision, with consent (Ch.4 §4)."""
    SUPERVISION = "SUPERVISION"
    """Audit and supervision (Ch.8)."""


# How the rows of a level are written in the answer: the reader's keys, in the reader's order. A level that has sheets
# may be answered as JSON text, one text for each sheet of a row, instead of rows whose values are still to be put in
# form. Whether it is, is for the store to decide: the answer is the same, letter by letter. A sheet names only what
# its level asks for anyway; it is judged by that, and adds nothing.


@dataclass(frozen=True, slots=True)
class Word:
    """A text known beforehand, such as the name of a type."""

    text: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A fact or a stamp, written as its type is."""

    name: str


@dataclass(frozen=True, slots=True)
class Portion:
    """A fact that is a value object, such as money: some of its attributes."""

    name: str
    entries: tuple[tuple[str, Word | Leaf], ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """What the link under a label of the level leads to: a record on its sheet, null where there is none, or a page."""

    label: str


Part = Word | Leaf | Portion | Linked


@dataclass(frozen=True, slots=True)
class Sheet:
    """One object of the answer."""

    entries: tuple[tuple[str, Part], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of a page, each on one of the level's sheets."""

    sheet: int


@dataclass(frozen=True, slots=True)
class Wrapped:
    """The rows of a page, each inside an object of its own, on one or several of the level's sheets."""

    entries: tuple[tuple[str, Word | Listed], ...]


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are on all pages together."""


Layout = tuple[tuple[str, Word | Listed | Wrapped | Total], ...]
"""A page: its keys in the reader's order. What tells where the page stands, such as a cursor, is known in rows only."""


@dataclass(frozen=True, slots=True)
class Written:
    """A place of the answer that is JSON text already: nothing puts it in form again."""

    text: str


@dataclass(frozen=True, slots=True)
class Labelled(Generic[T]):
    """A part of a reading under the name its reader gave it (a GraphQL alias or field name)."""

    label: str
    what: T


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of an argument: readings that differ only in values share a plan."""

    index: int


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on a fact or stamp column: `=`, `!=`, `in`, `>=`, `<=`, or `contains`; of a list of ids `has`."""

    column: str
    operator: str
    value: Slot


@dataclass(frozen=True, slots=True)
class Sought:
    """A confidential field whose value the reader knows: the rows that have it are found, and nothing is opened.

    It takes the actions that would open the field, and its purpose is recorded, as if it had been opened.
    """

    field: Confidential[str]
    value: Slot
    purpose: Purpose
    by: Children | None = None
    """The link to the records that have the field, where it is one of theirs: such as a contact person's phone."""


@dataclass(frozen=True, slots=True)
class Page:
    """A bounded page: at most `maximum` rows behind the cursor's row, whether more follow, and how many in all.

    The answer at a paged level is one `{"rows", "cursors", "more", "earlier", "total"}`; the reader's own form
    of a page is made from it. A row is a tuple of texts, one for each sheet, where the store has written it.
    """

    size: Slot
    after: Slot | None = None
    wants_total: bool = False
    wants_cursors: bool = True
    """Whether anybody asks where its rows stand."""
    layout: Layout | None = None
    """How the page is written, where all of it can be."""
    maximum: int = 100


@dataclass(frozen=True, slots=True)
class Reveal:
    """Confidential fields asked for under one purpose; they stand together under the reveal's own label."""

    purpose: Purpose
    fields: tuple[Labelled[Confidential[Any]], ...]
    withheld: tuple[str, ...] = ()
    """Labels for the list of what stayed closed: `{"field", "reason", "unlock"}`, all of it, by field name."""
    constants: tuple[Labelled[str], ...] = ()
    closed: tuple[tuple[str, str], ...] = ()
    """Field names the judgment closed, each with the reason; they are not even loaded."""
    courses: tuple[tuple[str, str], ...] = ()
    """Of these, the ones that training closed, each with the course that would open it."""


@dataclass(frozen=True, slots=True)
class Times:
    """Which time is read: facts as they held at `as_of`, and as they were known at `known_at`."""

    as_of: Slot | None = None
    known_at: Slot | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """One record type at one place of the answer, with everything asked of it there."""

    shape: Shape
    facts: tuple[Labelled[str], ...] = ()
    """Names of facts or of stamp columns."""
    constants: tuple[Labelled[str], ...] = ()
    """Words known beforehand, such as the type's name."""
    links: tuple[Labelled[Link], ...] = ()
    reveals: tuple[Labelled[Reveal], ...] = ()
    masks: tuple[Labelled[Confidential[Any]], ...] = ()
    """Masked forms, opened and masked in the vault."""
    computed: tuple[Labelled[Computed], ...] = ()
    where: tuple[Where, ...] = ()
    sought: tuple[Sought, ...] = ()
    """At a root alone: what it is looked up by, all of it equal."""
    order: tuple[tuple[str, bool], ...] = ()
    """Columns and whether descending; the id is always the last one, so that every order is total."""
    page: Page | None = None
    """Without a page the level is one record, or null where there is none."""
    times: Times = Times()
    sheets: tuple[Sheet, ...] = ()
    """How each selection of its rows is written, where all of it can be; a level that is one record has one."""


@dataclass(frozen=True, slots=True)
class Link:
    """The way from one level to the next: along a fact that holds an id, or back along another record's fact."""

    by: Fact | Children
    level: Level


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything one operation of a document reads. It is a value: equal readings share a plan."""

    roots: tuple[Labelled[Level], ...]
    action: str = ""
    """Its own action, which its reader needs besides; without one it is recorded as the read of its first root."""

    def levels(self) -> Iterator[Level]:
        """Every level, outermost first.

        Chapter: 4.4.
        """
        pending = [root.what for root in self.roots]
        while pending:
            level = pending.pop(0)
            yield level
            pending.extend(item.what.level for item in level.links)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a reading can disclose at most, known before it runs; the audit entry is made from it."""

    action: str
    """The action of its first root."""
    actions: tuple[str, ...]
    """Every action it rests on, each once, in the order met."""
    fields: tuple[str, ...]
    tags: frozenset[str]
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A reading under one set of rights."""

    reading: Reading
    rights: Rights
    refused: tuple[str, ...]
    """Ordinary fields that are not granted: they refuse the whole document, all named."""
    actions: tuple[str, ...]
    """The actions those fields lack."""
    contract: Contract

    @property
    def unread(self) -> tuple[str, ...]:
        """What is refused, as callers spell it: a record that is refused stands for all its fields."""
        whole = {name for name in self.refused if "." not in name}
        told = (name for name in self.refused if name in whole or name.partition(".")[0] not in whole)
        return tuple(_LATER_LETTER.sub(lambda match: match.group(1).upper(), name) for name in told)


_LATER_LETTER = re.compile(r"_([a-z0-9])")

NOT_GRANTED = "NOT_GRANTED"
TRAINING_LAPSED = "TRAINING_LAPSED"
"""The reason of a confidential field that the reader's roles would open, had its training not lapsed."""
ERASED = "ERASED"
"""The reason of a confidential field that the reader's grants do not open."""


def judge(reading: Reading, rights: Rights) -> Judged:
    """What the grants make of a reading: refused, or readable with some confidential fields closed.

    Chapter: 4.4, 8.1.
    Shape:   total; a field is either judged permitted, named as refused, or closed with a reason.
    """
    refused: dict[str, str] = {}
    if reading.action and not rights.permits(reading.action):
        refused[reading.roots[0].what.shape.name] = reading.action
    for level in reading.levels():
        for field, action in _needs(level):
            if not rights.permits(action):
                refused.setdefault(field, action)
    allowed = replace(reading, roots=tuple(replace(root, what=_close(root.what, rights)) for root in reading.roots))
    return Judged(
        reading=allowed,
        rights=rights,
        refused=tuple(refused),
        actions=tuple(dict.fromkeys(refused.values())),
        contract=_contract(allowed),
    )


def _needs(level: Level) -> Iterator[tuple[str, str]]:
    """The ordinary fields of a level, each with the action that guards it."""
    shape = level.shape
    yield shape.name, shape.read
    # A condition or an order tells as much as the fact itself: what may not be read may not be asked about.
    asked = (
        *(item.what for item in level.facts),
        *(item.column for item in level.where),
        *(by for by, _ in level.order),
    )
    for name in asked:
        fact = shape.facts.get(name)
        yield f"{shape.name}.{name}", (fact.action if fact else None) or shape.read
    for derived in level.computed:
        yield f"{shape.name}.{derived.what.name}", derived.what.action or shape.read
    for way in level.links:
        yield f"{shape.name}.{way.what.by.name}", way.what.by.action or way.what.level.shape.read
    for masked in level.masks:
        yield f"{shape.name}.{masked.what.name}Masked", f"mask:{masked.what.data_class.value}"
    for one in level.sought:
        if one.by is not None:
            yield f"{shape.name}.{one.by.name}", one.by.action or SHAPES[one.by.target].read
        yield from ((f"{shape.name}.{one.field.name}", action) for action in one.field.actions)


def _close(level: Level, rights: Rights) -> Level:
    reveals = tuple(replace(item, what=_closed(item.what, rights)) for item in level.reveals)
    links = tuple(replace(item, what=Link(item.what.by, _close(item.what.level, rights))) for item in level.links)
    return replace(level, reveals=reveals, links=links)


def _closed(reveal: Reveal, rights: Rights) -> Reveal:
    names = {
        item.what.name: TRAINING_LAPSED if all(action in rights.lapsed for action in missing) else NOT_GRANTED
        for item in reveal.fields
        if (missing := rights.missing(item.what.actions))
    }
    courses = {
        item.what.name: ", ".join(dict.fromkeys(rights.lapsed[action] for action in rights.missing(item.what.actions)))
        for item in reveal.fields
        if names.get(item.what.name) == TRAINING_LAPSED
    }
    return replace(reveal, closed=tuple(names.items()), courses=tuple(courses.items()))


def _contract(reading: Reading) -> Contract:
    fields: dict[str, None] = {}
    tags: set[str] = set()
    purposes: set[str] = set()
    actions: dict[str, None] = {reading.action: None} if reading.action else {}
    for level in reading.levels():
        actions.update((action, None) for _, action in _needs(level))
        fields.update((f"{level.shape.table}.{item.what}", None) for item in level.facts)
        fields.update((f"{level.shape.table}.{item.what.name}", None) for item in level.computed)
        # Who only filters by a fact, or sorts by it, learns of it too.
        asked = (*(where.column for where in level.where), *(by for by, _ in level.order))
        fields.update((f"{level.shape.table}.{name}", None) for name in asked if name in level.shape.facts)
        tags.update(item.what.tag for item in level.masks)
        tags.update(one.field.tag for one in level.sought)
        purposes.update(one.purpose.value for one in level.sought)
        for reveal in level.reveals:
            closed = dict(reveal.what.closed)
            opened = [item.what for item in reveal.what.fields if item.what.name not in closed]
            tags.update(field.tag for field in opened)
            actions.update((action, None) for field in opened for action in field.actions)
            purposes.add(reveal.what.purpose.value)
    return Contract(
        action=reading.action or reading.roots[0].what.shape.read,
        actions=tuple(actions),
        fields=(*sorted(fields), *sorted(tags)),
        tags=frozenset(tags),
        purposes=tuple(sorted(purposes)),
    )
