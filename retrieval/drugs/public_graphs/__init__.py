"""Public biomedical graphs (Hetionet, PrimeKG, DRKG): readers, an engine for millions of edges, their facts.

Door: `retrieval.drugs.public_graphs.readers`.
"""
