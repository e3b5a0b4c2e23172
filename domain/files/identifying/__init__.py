"""How identifiers are told apart without being shown: masked forms, and exact values that are found (Ch.4 §1, §4)."""
