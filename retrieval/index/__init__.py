"""The search index: embedders, stores, rankers, shards, and the search over all of them.

Door: `retrieval.index.guideline_index`.
"""
