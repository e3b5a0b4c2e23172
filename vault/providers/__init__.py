"""Who keeps the root keys: one module per provider, and the form each is named in."""
