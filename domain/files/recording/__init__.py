"""Recording what happened with a customer: each kind of credit record has its operation (Ch.4 §2)."""
