"""What the records of a customer say about it, as figures and data of the scorecards (Ch.5 §1)."""
