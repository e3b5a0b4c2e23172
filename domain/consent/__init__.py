"""Confidential: nothing goes to a third party without the customer's consent (Ch.4 §4)."""
