"""The roles of a company's own people (Ch.2, Ch.8 §1)."""

from __future__ import annotations

from typing import Final

AUDITOR: Final = "auditor"
"""The role that examines and writes nothing."""
ADMINISTRATOR: Final = "platform_admin"

STAFF: Final = (
    "credit_analyst",
    "credit_manager",
    "credit_committee",
    "ar_finance",
    "sales",
    "service_ops",
    "legal",
    "privacy_officer",
    "management",
    AUDITOR,
    "credit_policy_author",
    ADMINISTRATOR,
)
"""In the order of the matrix."""
