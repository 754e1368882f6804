"""How good the ranking is: recall, MRR and nDCG of every ranker, with intervals.

Door: `retrieval.evaluation.rankers`.
"""
