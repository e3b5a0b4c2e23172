"""What a customer can do about its grade (Ch.3 §3)."""
