"""Erasures as records: what is erased of whom, who decided so, and the certificate at the end (Ch.4 §4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final

from domain.ids import Id
from domain.records import AUDIT_CLASS, DataClass, Record, fact, link, record

CERTIFICATE: Final = "erasure-certificate+jwt"
"""The type of a signed certificate."""
WHOLE: Final = (*(item.value for item in DataClass), AUDIT_CLASS)
"""Every class of keys a subject has."""


class ErasureState(Enum):
    """PROPOSED → REJECTED, or DESTROYING → ERASED; forward only."""

    PROPOSED = "PROPOSED"
    """It waits for another person."""
    REJECTED = "REJECTED"
    """It was not approved; nothing was erased."""
    DESTROYING = "DESTROYING"
    """The keys are destroyed and nothing opens any more; what the storage still holds is being removed."""
    ERASED = "ERASED"
    """Nothing is left in the live storage, and the certificate says until when backups hold something."""


class ErasureReason(Enum):
    """Why something is erased; the closed list is published in the schema."""

    REQUEST = "REQUEST"
    """The person or the firm asked for it."""
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    """It rested on a consent that was withdrawn."""
    PURPOSE_ENDED = "PURPOSE_ENDED"
    """What it was kept for has ended."""
    RETENTION = "RETENTION"
    """Its time is over."""
    UNLAWFUL = "UNLAWFUL"
    """It should never have been kept."""


@record("ea", table="erasure", read="erasure:read")
class Erasure(Record):
    """The erasure of a credit file, of one class of its data, or of a person named in it (Ch.4 §4)."""

    credit_file: Id = link("CreditFile", "The file it concerns. Ch.4 §4", same_subject=False)
    person: Id | None = link(
        "ContactPerson", "The person, where one person alone is erased. Ch.4 §4", default=None, same_subject=False
    )
    data_class: str | None = fact("The one class of data; everything where none is named. Ch.4 §4", default=None)
    reason: ErasureReason = fact("Why. Ch.4 §4", filter=True)
    rule: str | None = fact("The rule of retention, where one ended it. Ch.4 §4", default=None, filter=True)
    state: ErasureState = fact("Where it stands. Ch.4 §4", default=ErasureState.PROPOSED, filter=True)
    proposed_by: str = fact("Who proposed it. Ch.8 §1")
    decided_by: str | None = fact("Who decided on it: another person. Ch.8 §1", default=None)
    subjects: tuple[str, ...] = fact("Whose keys were destroyed. Ch.4 §4", default=())
    classes: tuple[str, ...] = fact("Which classes of keys. Ch.4 §4", default=())
    records: tuple[str, ...] = fact("The records, where single ones were deleted. Ch.4 §4", default=())
    keys: int | None = fact("How many data keys were destroyed. Ch.4 §4", default=None)
    cells: int | None = fact("How many sealed values were removed. Ch.4 §4", default=None)
    recipients: tuple[str, ...] = fact("Partners that were given some of it, each with a recall. Ch.4 §4", default=())
    epoch: int | None = fact("The newest epoch of keys in whose backups it still lies. Ch.4 §4", default=None)
    destroyed_at: datetime | None = fact("When its keys were destroyed. Ch.4 §4", default=None)
    effective_at: datetime | None = fact("When no backup holds it any more, at the latest. Ch.4 §4", default=None)
    certificate: str | None = fact(
        "The signed certificate (JWS); `credence audit certificate` verifies it anywhere. Ch.4 §4", default=None
    )

    @property
    def whole(self) -> bool:
        """Whether the file itself is erased, and not one class, one person or single records of it."""
        if self.person is not None or self.data_class is not None:
            return False
        return not self.records or self.credit_file in self.records


def statement(erasure: Erasure, at: datetime) -> Mapping[str, Any]:
    """What a certificate says: no value, no name, opaque ids alone.

    Chapter: 4.4.
    """
    said = {
        "erasure": erasure.id,
        "tenant": erasure.stamp.tenant,
        "creditFile": erasure.credit_file,
        "person": erasure.person,
        "dataClass": erasure.data_class,
        "reason": erasure.reason.value,
        "rule": erasure.rule,
        "subjects": list(erasure.subjects),
        "records": list(erasure.records),
        "classes": list(erasure.classes),
        "keysDestroyed": erasure.keys,
        "valuesRemoved": erasure.cells,
        "recipients": list(erasure.recipients),
        "destroyedAt": _instant(erasure.destroyed_at),
        "certifiedAt": _instant(at),
        "backupsEpoch": erasure.epoch,
        "effectiveAt": _instant(erasure.effective_at),
    }
    return {name: value for name, value in said.items() if value is not None}


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")
