"""The house over a database that holds a corpus, and what the naive world answers in its place."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

import orjson
from graphql import (
    GraphQLError,
    GraphQLSyntaxError,
    IntValueNode,
    Visitor,
    get_operation_ast,
    parse,
    validate,
    visit,
)
from graphql.execution.values import VariableValues, get_variable_values

from api.graphql import errors
from api.graphql.context import Document, Memory
from api.graphql.documents import no_operation
from api.graphql.execute import execute
from api.graphql.operations import INTROSPECT, declared_actions
from api.graphql.schema import build_schema
from api.graphql.veiling import needs, not_there
from authz.release import Release
from authz.roles import CUSTOMER, PARTNER, ROLES
from domain.actors import Actor, Rights
from domain.audit import Receipt
from domain.errors import Malformed, NotPermitted
from domain.gate import Gate
from domain.ids import RandomIds
from tests.oracle.asking import PAGE, Asking
from tests.oracle.naive import SCHEMA, Naive
from tests.vault.corpus import NOW, made_up
from tests.vault.oracle import word

GRANTS = Release(declared_actions()).table()
ADVICE = "Compare the document with schema.graphql."


def rights_of(number, lacking=()):
    """The rights to everything but a few actions."""
    allowed = {action: "rule" for action in declared_actions() if action not in lacking}
    return Rights(id=10_000 + number, version="v", allowed=allowed)


class Housed:
    """The composition root in small: the real Gate, the compiler and one database, which is only read."""

    trusted_only = False

    def __init__(self, shelf):
        self.shelf, self.corpus, self.memory = shelf, shelf.corpus, Memory()
        self.schema, self.readings = build_schema(), shelf.readings
        self.given, self.text, self.known = {}, "", {}
        self.gate = Gate(grants=self, store=self, opener=self, clock=self, make=RandomIds())

    def actors(self):
        """Everybody, in either company: every role, and who may do everything but a few things."""
        for tenant in self.corpus.tenants:
            for role in ROLES:
                partner = self.corpus.ids[tenant, "Partner"][0] if role == PARTNER else None
                subject = self.corpus.ids[tenant, "Customer"][0] if role == CUSTOMER else None
                yield Actor(tenant=tenant, person="李", roles=frozenset({role}), partner=partner, subject=subject)

    def unbound(self, lacking, actor):
        """Somebody in the place of an actor with the rights to everything but a few actions."""
        lacking = frozenset(lacking)
        actor = replace(actor, roles=frozenset({"any"}), person="-".join(sorted(lacking)))
        self.given[actor.person] = self.known.setdefault(lacking, rights_of(len(self.known), lacking))
        return actor

    async def notice(self, _tenant):
        """The grants never change here."""

    def rights(self, actor):
        """The rights of the product's own grants, or those given here."""
        return self.given[actor.person] if actor.roles == {"any"} else GRANTS.rights(actor.roles)

    async def approved(self, _actor, digest):
        """The text that is asked for is approved, whatever it says."""
        return self.text if hashlib.sha256(self.text.encode()).hexdigest() == digest else None

    def now(self):
        """An instant that stands still."""
        return NOW

    async def read(self, tenant, steps, **_):
        """Runs the steps on the database."""
        return self.shelf.database.run(tenant, steps)

    async def put(self, entry, **_):
        """An entry that nobody reads."""
        return Receipt(entry=entry.id, tenant=entry.tenant)

    async def open(self, warrant, sealed):
        """What the cells hold, where the warrant covers them."""
        assert all(warrant.covers(item.tenant, item.subject, item.field.tag) for item in sealed)
        return [
            word(item.record, item.field.tag, masked=True) if item.masked else made_up(item.record, item.field)
            for item in sealed
        ]

    def answer(self, actor, request):
        """The answer of the product: the bytes of its data, its errors."""
        self.text = request.query
        found = asyncio.run(execute(self, actor, request))
        return orjson.dumps(found.data) if found.executed else None, orjson.loads(orjson.dumps(found.errors))

    def wanted(self, actor, request):
        """The answers that are right: the data, and the errors or a choice of them."""
        return Wanted(self, actor, request).answer()


class Wanted:
    """What graphql-core says of a request to the naive world.

    The wording of errors is the interface's own, which this takes from `api.graphql.errors`; which errors there are,
    where, and in which order, is graphql-core's.
    """

    def __init__(self, house, actor, request):
        self.house, self.actor, self.request = house, actor, request
        self.rights = house.rights(actor)
        self.veiled = not actor.partner and not self.rights.permits(INTROSPECT)  # a partner's document is trusted

    def lacks(self, document):
        """Whether a document names anything that is not granted, answered or not."""
        asked = needs(SCHEMA, Document(b"", document, {}, {}, 0))
        return any(not self.rights.permits(action) for action in asked)

    def answer(self):
        """Data, and every list of errors that is right."""
        try:
            document = parse(self.request.query)
        except GraphQLSyntaxError as error:
            return None, [[errors.syntax(error, self.request.request_id)]]
        if sizes := [PAGE[size < 1] for size in first_of(document) if not 1 <= size <= 100]:
            return None, Messages(sizes)  # the text is measured before it is validated
        found = validate(SCHEMA, document, max_errors=20, hide_suggestions=True)
        if self.veiled and (found or self.lacks(document)):
            return None, [self.told(not_there(""))]
        if found:
            return None, [[errors.invalid(error, self.request.request_id) for error in found]]
        operation = get_operation_ast(document, self.request.operation_name)
        if operation is None:
            return None, [self.told(no_operation(document))]
        given = dict(self.request.variables or {})
        coerced = get_variable_values(SCHEMA, operation.variable_definitions or (), given)
        if not isinstance(coerced, VariableValues):
            return None, unfit_variables(coerced)
        return self.executed(document, given)

    def executed(self, document, given):
        """The answer of a request that is sound as far as can be told from its text and variables."""
        name = self.request.operation_name
        asking = Asking.of(document, given, name)
        if asking.core:
            return None, [[errors.unfit(asking.core[0], self.request.request_id)]]
        if asking.introspects and not self.rights.permits(INTROSPECT):
            sentence, advice = "Your roles do not read the schema.", "Use the published schema.graphql."
            return None, [self.told(NotPermitted(sentence, advice=advice))]
        if asking.bounds:
            return None, Messages(asking.bounds)
        naive = Naive(self.house.corpus, self.actor, self.rights, NOW)
        naive.asked, failures = asking.asked, self.failures(asking)
        naive.closed = bool(failures[0])
        result = naive.run(document, given, name)
        strange = [error for error in result.errors or () if not isinstance(error.original_error, Malformed)]
        assert not strange, strange
        told = [one for error in result.errors or () for one in self.told(error.original_error, error.path)]
        roots = list(dict.fromkeys(level.root for level in asking.levels))
        choices = [[*told, *(one for root in roots for one in self.told(error, [root]))] for error in failures[0]]
        return orjson.dumps(result.data), choices or [told]

    def failures(self, asking):
        """Why nothing is read, as a choice of one."""
        names, actions = asking.refused(self.rights.allowed)
        if names:
            if self.veiled:  # the type that an id names
                return [not_there("")], None
            sentence = "Your roles do not read " + ", ".join(names) + "."
            return [NotPermitted(sentence, advice=f"Leave these fields out, or ask for {', '.join(actions)}.")], None
        return [asking.strange[sentence] for sentence in sorted(asking.strange)], None

    def told(self, error, path=()):
        """An error of the domain as the interface tells it."""
        return [errors.told(error, self.request.request_id, path)]


class Messages(set):
    """Sentences, one of which is told, without any data."""


class Variables(tuple):
    """The variables that errors name."""

    __slots__ = ()


def first_of(document):
    """Every page size that stands in the text."""
    sizes = []

    class Sizes(Visitor):
        def enter_field(self, node, *_):
            given = [one.value for one in node.arguments or () if one.name.value == "first"]
            sizes.extend(int(value.value[:10]) for value in given if isinstance(value, IntValueNode))

    visit(document, Sizes())
    return sizes


def unfit_variables(found):
    """The variables that do not fit, in their order."""
    return Variables(
        dict.fromkeys(error.nodes[0].variable.name.value for error in found if isinstance(error, GraphQLError))
    )


def agrees(found, wanted):
    """Whether an answer is one of those that are right."""
    (data, told), (right, choices) = found, wanted
    if data != right:
        return False
    if isinstance(choices, Messages):
        return len(told) == 1 and told[0]["message"] in choices and "path" not in told[0]
    if isinstance(choices, Variables):
        named = [error["extensions"]["inputPath"][0] for error in told if "inputPath" in error["extensions"]]
        return bool(told) and tuple(dict.fromkeys(named)) == choices
    return told in [orjson.loads(orjson.dumps(choice)) for choice in choices]
