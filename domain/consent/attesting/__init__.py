"""Answering a partner yes or no about a fact, without the fact (Ch.4 §4)."""
