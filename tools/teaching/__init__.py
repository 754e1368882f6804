"""Commit before reveal: teaching cases from the virtual cohort, and what a trainee's reading is compared with.

Door: `tools.teaching.commit` and `tools.teaching.cases`.
"""
