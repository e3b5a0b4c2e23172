"""What supervision asks of the audit log: each is an operation, and leaves its own entry."""

from __future__ import annotations

from api.graphql.changing.declaring import Extra, Mutation
from domain.supervision.examining import ExamineAuditLog
from domain.supervision.honey import PlantHoneyFile, RemoveHoneyFile
from domain.supervision.searches import DropAuditSearch, SaveAuditSearch

HONEY = {"honeyFile": "HoneyFile"}
SEARCH = {"auditSearch": "AuditSearch"}

SUPERVISION = {
    "examineAuditLog": Mutation(
        operation=ExamineAuditLog,
        shows={"examination": "Examination"},
        extras=(
            Extra(
                name="entries",
                type=int,
                says="How many entries were examined. Ch.8 §1",
                of=lambda ended: ended.value.entries,
            ),
            Extra(
                name="findings",
                type=int,
                says="How many findings are new. Ch.8 §1",
                of=lambda ended: ended.value.findings,
            ),
            Extra(
                name="more",
                type=bool,
                says="Whether there may be more: then it is run again. Ch.8 §1",
                of=lambda ended: ended.value.more,
            ),
        ),
    ),
    "plantHoneyFile": Mutation(operation=PlantHoneyFile, shows=HONEY),
    "removeHoneyFile": Mutation(operation=RemoveHoneyFile, shows=HONEY),
    "saveAuditSearch": Mutation(operation=SaveAuditSearch, shows=SEARCH),
    "dropAuditSearch": Mutation(operation=DropAuditSearch, shows=SEARCH),
}
