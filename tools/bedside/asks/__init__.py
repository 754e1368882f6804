"""General questions beside a record, answered by joining it with data rows: courses, causes, doses, formulas, meanings, parts of reports.

The door is `general.answers`.
"""
