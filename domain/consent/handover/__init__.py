"""What leaves for partners, and what is called back of it (Ch.4 §4)."""
