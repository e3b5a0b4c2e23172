"""Objections and requests of customers about their own data, each with its clock (Ch.3 §3)."""
