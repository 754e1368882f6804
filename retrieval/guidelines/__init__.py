"""The guideline corpus: its types, its validation, and a question as the index understands it.

Door: `retrieval.guidelines.corpus.load_corpus`.
"""
