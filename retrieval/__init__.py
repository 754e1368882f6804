"""Guideline passages, documents and the drug knowledge graph: text, vectors and edges."""
