"""The main phone of every file as a reader asks for it, with what stays closed and why."""

from __future__ import annotations

from domain.actors import Rights
from domain.files.parties import CreditFile
from domain.gate import Gate, Plan
from domain.reading import Labelled, Level, Page, Purpose, Reading, Reveal, Slot, judge
from vault.store.reading import SqlReadings

SHAPE = CreditFile.shape
FIELDS = ("phone", "email", "unified_social_credit_code")
ALLOWED = (SHAPE.read, "reveal:contact", "reveal:identity", "mask:contact")


class Asking:
    """One plan, as a server keeps it."""

    def __init__(self, world):
        self._world = world
        self._rights = Rights(id=7, version="grants-7", allowed=dict.fromkeys(ALLOWED, "rule"))
        reveal = Reveal(
            purpose=Purpose.CREDIT_REVIEW,
            fields=tuple(Labelled(name, SHAPE.confidential[name]) for name in FIELDS),
            withheld=("withheld",),
        )
        level = Level(
            shape=SHAPE,
            facts=(Labelled("id", "id"),),
            reveals=(Labelled("confidential", reveal),),
            masks=(Labelled("phoneMasked", SHAPE.confidential["phone"]),),
            page=Page(size=Slot(0)),
        )
        judged = judge(Reading((Labelled("files", level),)), self._rights)
        self._plan = Plan(judged=judged, steps=SqlReadings(world.database.dialect, world.ring).prepare(judged))

    async def asked(self):
        """The rows that the Gate hands out."""
        world = self._world
        opener = world.gate._opener
        gate = Gate(grants=self, store=world.store, opener=opener, clock=world.clock, make=world.ids)
        return (await gate.read(self._plan, world.actor("reader"), [100]))["files"]["rows"]

    async def notice(self, _tenant):
        """They change at once."""

    def rights(self, _actor):
        """The reader's."""
        return self._rights

    def __call__(self):
        """The rows, in the order of their ids."""
        return self._world.loop(self.asked())
