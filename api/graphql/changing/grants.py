"""What can be changed about the grants of a company (Ch.8 §1)."""

from __future__ import annotations

from typing import Final

from api.granting import weighed
from api.graphql.changing.declaring import Mutation
from domain.grants.changing import ApproveGrants, ProposeGrants, RejectGrants, WithdrawGrants

SNAPSHOT: Final = {"grantsSnapshot": "GrantsSnapshot"}

GRANTS: Final = {
    "proposeGrants": Mutation(operation=ProposeGrants, shows=SNAPSHOT, prepare=weighed),
    "approveGrants": Mutation(operation=ApproveGrants, shows=SNAPSHOT, prepare=weighed),
    "rejectGrants": Mutation(operation=RejectGrants, shows=SNAPSHOT),
    "withdrawGrants": Mutation(operation=WithdrawGrants, shows=SNAPSHOT),
}
