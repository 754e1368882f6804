"""Guideline passages in an answer.

`passages` (which of them are on the point, what of them is shown), `leads` (the sentence that answers each part of a question of several
parts), `limits` (conditions on numbers that do not fit the question's).
"""
