"""Clinical scores and formulas: specification, inputs, registry; a missing input gives a range, never an assumption.

Door: `tools.scores.tool.calculate_score` and `tools.scores.run.run`.
"""
