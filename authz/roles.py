"""The roles of a company that runs the standard, of its partners, its customers and its jobs (Ch.2, Ch.8 §1)."""

from __future__ import annotations

from domain.persons.roles import ADMINISTRATOR, AUDITOR, STAFF

JOB = "system"
"""The role of scheduled work; no token carries it."""

PARTNER = "partner_client"
CUSTOMER = "customer_self"

OUTSIDERS = frozenset({PARTNER, CUSTOMER})
"""Roles of people outside the company: each stands alone, with the one partner or customer it speaks for."""

ROLES = (*STAFF, PARTNER, CUSTOMER, JOB)
"""Every role, in the order of the matrix."""

__all__ = ("ADMINISTRATOR", "AUDITOR", "CUSTOMER", "JOB", "OUTSIDERS", "PARTNER", "ROLES", "STAFF")
