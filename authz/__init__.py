"""Who may do what: grants on Casbin, the decision table and tokens."""
