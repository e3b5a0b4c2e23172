"""Blind indexes as they are stored: their versions, their tokens, and how one version follows another."""
