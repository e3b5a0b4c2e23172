"""What can be changed about persons: departments, accounts, rules about access, training, broken glasses (Ch.8)."""

from __future__ import annotations

from operator import attrgetter
from typing import Final

from api.graphql.changing.declaring import Extra, Mutation
from domain.ids import Id
from domain.persons.glass import BreakGlass, EndBreakGlass, ReviewBreakGlass
from domain.persons.proposing import AllowBreakGlass, LimitRole, MapClaim, RegisterServiceAccount, RequireTraining
from domain.persons.rules import ApproveAccessRule, RejectAccessRule, RetireAccessRule
from domain.persons.staff import AssignAccount, OpenDepartment, PlaceStaff
from domain.persons.training import EndTraining, RecordTraining

REACH = {"roleReach": "RoleReach"}
CLAIM = {"roleClaim": "RoleClaim"}
SERVICE = {"serviceAccount": "ServiceAccount"}
REQUIREMENT = {"trainingRequirement": "TrainingRequirement"}
GLASS_RULE = {"glassRule": "GlassRule"}
RULE = REACH | CLAIM | SERVICE | REQUIREMENT | GLASS_RULE
GLASS = {"brokenGlass": "BrokenGlass"}
TRAINING = {"trainingRecord": "TrainingRecord"}

PERSONS: Final = {
    "openDepartment": Mutation(operation=OpenDepartment, shows={"department": "Department"}),
    "placeStaff": Mutation(operation=PlaceStaff, shows={"staffMember": "StaffMember"}),
    "assignAccount": Mutation(operation=AssignAccount, shows={"creditFile": "CreditFile"}),
    "limitRole": Mutation(operation=LimitRole, shows=REACH),
    "mapClaim": Mutation(operation=MapClaim, shows=CLAIM),
    "registerServiceAccount": Mutation(operation=RegisterServiceAccount, shows=SERVICE),
    "requireTraining": Mutation(operation=RequireTraining, shows=REQUIREMENT),
    "allowBreakGlass": Mutation(operation=AllowBreakGlass, shows=GLASS_RULE),
    "approveAccessRule": Mutation(operation=ApproveAccessRule, shows=RULE),
    "rejectAccessRule": Mutation(operation=RejectAccessRule, shows=RULE),
    "retireAccessRule": Mutation(operation=RetireAccessRule, shows=RULE),
    "recordTraining": Mutation(operation=RecordTraining, shows=TRAINING),
    "endTraining": Mutation(operation=EndTraining, shows=TRAINING),
    "breakGlass": Mutation(
        operation=BreakGlass,
        shows=GLASS,
        extras=(
            Extra(
                name="glass",
                type=Id,
                says="What to name in the header `Credence-Break-Glass` of each request under it. Ch.8 §1",
                of=attrgetter("value.id"),
            ),
        ),
    ),
    "endBreakGlass": Mutation(operation=EndBreakGlass, shows=GLASS),
    "reviewBreakGlass": Mutation(operation=ReviewBreakGlass, shows=GLASS),
}
"""Each mutation of this room, by its name in the schema."""
