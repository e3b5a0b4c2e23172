"""How credit standing is scored, graded and turned into a limit, terms and measures (Ch.5, Ch.6 §1-3)."""
