"""Reports: the preliminary draft by sections, and the check of a pasted one.

Door: `tools.reports.drafting.draft_report` and `tools.reports.check.check_report`.
"""
