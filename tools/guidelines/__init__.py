"""The guideline tool: passages of the index as evidence.

Door: `tools.guidelines.search.search_guidelines`.
"""
