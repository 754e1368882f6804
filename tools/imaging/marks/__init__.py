"""Marks: measured lesions of a study, numbered and kept, and what may be said of them.

Door: `tools.imaging.marks.store.MarkStore` and `tools.imaging.marks.statements`.
"""
