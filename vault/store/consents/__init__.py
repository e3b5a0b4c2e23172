"""Consents as the store keeps them."""
