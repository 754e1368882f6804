"""Drug tools on a case: checks, ranking, facts of the graph as evidence, and the model's opinion.

Door: `tools.drugs.medications`.
"""
