"""How a database comes to its tables: revisions, the guards on every table, and what the planner is told."""
