"""A hospital's own documents: text out of files, kept as pieces, indexed beside the guidelines.

Door: `retrieval.documents.ingest`.
"""
