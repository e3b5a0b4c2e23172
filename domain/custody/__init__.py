"""How long customer data is kept, and how it ends: keys that turn, legal holds, erasure, retention (Ch.4 §4)."""
