"""What can be changed about the credit policy of a company (Ch.9)."""

from __future__ import annotations

from typing import Final

from api.graphql.changing.declaring import Mutation
from api.simulating import simulated
from domain.assessment.versions.deciding import ActivateCreditPolicy, ApproveCreditPolicy, RejectCreditPolicy
from domain.assessment.versions.drafting import (
    DraftCreditPolicy,
    InterpretCreditPolicy,
    ReviseCreditPolicy,
    SubmitCreditPolicy,
    WithdrawCreditPolicy,
)
from domain.assessment.versions.simulating import SimulateCreditPolicy

POLICY: Final = {"creditPolicy": "CreditPolicy"}

POLICIES: Final = {
    "draftCreditPolicy": Mutation(operation=DraftCreditPolicy, shows=POLICY),
    "reviseCreditPolicy": Mutation(operation=ReviseCreditPolicy, shows=POLICY),
    "simulateCreditPolicy": Mutation(
        operation=SimulateCreditPolicy, shows={"policySimulation": "PolicySimulation"}, prepare=simulated
    ),
    "submitCreditPolicy": Mutation(operation=SubmitCreditPolicy, shows=POLICY),
    "approveCreditPolicy": Mutation(operation=ApproveCreditPolicy, shows=POLICY),
    "rejectCreditPolicy": Mutation(operation=RejectCreditPolicy, shows=POLICY),
    "activateCreditPolicy": Mutation(operation=ActivateCreditPolicy, shows=POLICY),
    "withdrawCreditPolicy": Mutation(operation=WithdrawCreditPolicy, shows=POLICY),
    "interpretCreditPolicy": Mutation(operation=InterpretCreditPolicy, shows={"interpretation": "Interpretation"}),
}
"""Each mutation of this room, by its name in the schema."""
