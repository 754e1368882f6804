"""Words of medicine in two languages: what a text mentions, and how it is said.

Door: `retrieval.concepts.lexicon`.
"""
