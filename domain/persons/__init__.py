"""The persons of a company: what each may do beside what its roles say, and what no one person does alone."""
