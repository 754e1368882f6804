"""Clinical scores and formulas: one module each, one registry; a missing input gives a range, never an assumption."""
