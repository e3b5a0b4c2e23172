"""The table of what can be changed, by its rooms."""
