"""The customer's credit statement: what it asks for, takes along and can take back (Ch.3 §3)."""
