"""A decision receipt as one canonical text, and its replay: same policy, same snapshot, same bytes (Ch.5 §1)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from domain import canonical
from domain.assessment.evaluate import evaluate
from domain.assessment.policy import PolicyDocument
from domain.assessment.receipt import Receipt, Snapshot, snapshot_from_json
from domain.errors import Malformed, NotInForce, Tampered


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What stands in the text: the inputs and the answer."""

    snapshot: Snapshot
    receipt: Receipt


def receipt_text(snapshot: Snapshot, receipt: Receipt) -> str:
    """The canonical text of an assessment: its inputs and its answer.

    Chapter: 5.1.
    """
    return canonical.encode(canonical.plain(_Written(snapshot=snapshot, receipt=receipt))).decode()


def replay(policy: PolicyDocument, text: str) -> Receipt:
    """The receipt, assessed anew from the inputs in the text; it gives the same bytes.

    Chapter: 5.1, 9.
    Shape:   `replay(policy, receipt_text(snapshot, evaluate(policy, snapshot)))` gives that receipt.
    Raises:  NotInForce where the text names another credit policy; Malformed where it is no receipt; Tampered where
             its inputs lead to another answer.
    """
    try:
        written = json.loads(text)
        snapshot, named = written["snapshot"], written["receipt"]["policy_digest"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Malformed("The text is no decision receipt.", path=("receipt",)) from None
    if named != policy.digest:
        raise NotInForce(
            "The receipt names another credit policy.", advice="Replay it under the version whose digest it names."
        )
    read = snapshot_from_json(snapshot)
    receipt = evaluate(policy, read)
    if receipt_text(read, receipt) != text:
        raise Tampered("The receipt's inputs lead to another answer.")
    return receipt
