"""Figures of the tour, computed from what the loop decided; outcomes are read apart and are never an input."""
