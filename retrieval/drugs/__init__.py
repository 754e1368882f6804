"""The drug knowledge graph: tables, facts, checks against a patient, answers to questions.

Door: `retrieval.drugs.graph`.
"""
