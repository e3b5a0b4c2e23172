"""Supervision: what the audit log tells of itself, and what did not happen that should have (Ch.8)."""
