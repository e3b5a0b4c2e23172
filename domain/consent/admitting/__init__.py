"""Who is let in as a partner: two persons decide (Ch.4 §4)."""
