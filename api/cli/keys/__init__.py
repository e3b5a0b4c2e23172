"""Commands that stand beside those of keys."""
