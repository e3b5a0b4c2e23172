"""The kinds of credit record by the prefix of their ids, and which of them can still be put right (Ch.4 §2)."""

from __future__ import annotations

from collections.abc import Mapping

from domain.files.history import (
    CreditRecord,
    DefaultEvent,
    ExternalRating,
    FinancialStatement,
    LitigationRecord,
    PublicSanction,
    RecordStatus,
    SourcedRecord,
    TradeTransaction,
)

SEALED: Mapping[str, type[SourcedRecord]] = {
    kind.shape.prefix: kind
    for kind in (DefaultEvent, LitigationRecord, PublicSanction, ExternalRating, FinancialStatement)
}
"""The kinds of record that say what they say under seal, by the prefix of their ids."""
CLEAR: Mapping[str, type[TradeTransaction]] = {TradeTransaction.shape.prefix: TradeTransaction}
ALL: Mapping[str, type[CreditRecord]] = {**CLEAR, **SEALED}
OVER = frozenset({RecordStatus.CORRECTED, RecordStatus.WITHDRAWN})
"""What is corrected or withdrawn already is history."""
