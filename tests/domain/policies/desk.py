"""A company whose credit policy changes, with the people who write and decide."""

from __future__ import annotations

import asyncio
import json

from api.simulating import counted_for
from domain.assessment.assessments import CreditPolicy
from domain.assessment.version_one import VERSION_ONE
from domain.assessment.versions.deciding import ApproveCreditPolicy
from domain.assessment.versions.drafting import DraftCreditPolicy, SubmitCreditPolicy
from domain.assessment.versions.simulating import SimulateCreditPolicy
from tests.firms import Desk

EXISTING = 0
"""The place of the scorecard of existing customers."""


def document(number=2, **places):
    """Version one as text, with another number, and with other values at some places: `limit_rules__stop_days=15`."""
    found = json.loads(json.dumps(VERSION_ONE.to_json())) | {"number": number}
    for place, value in places.items():
        *way, last = place.split("__")
        at = found
        for key in way:
            at = at[int(key)] if isinstance(at, list) else at[key]
        at[int(last) if isinstance(at, list) else last] = value
    return json.dumps(found)


class Housed:
    """What a simulation needs of the house."""

    def __init__(self, world):
        self.gate, self.rights = world.gate, world.grants.rights


class PolicyDesk(Desk):
    """The credit department, and whoever writes and decides on its rules."""

    def __init__(self, world=None):
        super().__init__(world)
        self.author = self.world.actor("author", "credit_policy_author")
        self.committee = self.world.actor("chair", "credit_committee")
        self.job = self.world.actor("system:sweep", "system")

    def draft(self, text, actor=None, **more):
        """A version that somebody drafted."""
        return self.world.do(DraftCreditPolicy(document=text, reason="a reason", **more), actor or self.author)

    def simulate(self, draft, actor=None):
        """What the draft would change for the book, counted page by page."""

        async def work():
            asked = SimulateCreditPolicy(policy=draft.id)
            ready = await counted_for(Housed(self.world), actor or self.author, asked)
            return (await self.world.gate.perform(ready, actor or self.author)).value

        loop = getattr(self.world, "loop", asyncio.run)
        return loop(work())

    def ready(self, text):
        """A version in review."""
        draft = self.draft(text)
        self.simulate(draft)
        return self.world.do(SubmitCreditPolicy(policy=draft.id), self.author)

    def put_in_force(self, text, at=None):
        """A version approved, in force now or from an instant to come."""
        found = self.ready(text)
        asked = ApproveCreditPolicy(
            policy=found.id, content_digest=found.content_digest, in_force_from=at or self.world.clock.now()
        )
        return self.world.do(asked, self.committee)

    def states(self):
        """Where each version stands, by number."""
        return [one.state.value for one in sorted(self.world.current(CreditPolicy), key=lambda one: one.number)]
