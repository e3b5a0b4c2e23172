"""Credit files: basic information, contacts, sources and records (Ch.3 §1, Ch.4)."""
