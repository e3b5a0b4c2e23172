"""What the events of a consent say, against what stands (Ch.4 §4)."""
