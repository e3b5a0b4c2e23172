"""Who may do what in a company: versions of its grants, proposed by one person and approved by another (Ch.8 §1)."""
