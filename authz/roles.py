"""The roles of a company that runs the standard, of its partners, its customers and its jobs (Ch.2, Ch.8 §1)."""

from __future__ import annotations

JOB = "system"
"""The role of scheduled work; no token carries it."""

AUDITOR = "auditor"
ADMINISTRATOR = "platform_admin"

PARTNER = "partner_client"
CUSTOMER = "customer_self"

OUTSIDERS = frozenset({PARTNER, CUSTOMER})
"""Roles of people outside the company: each stands alone, with the one partner or customer it speaks for."""

STAFF = (
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

ROLES = (*STAFF, PARTNER, CUSTOMER, JOB)
"""Every role, in the order of the matrix."""
