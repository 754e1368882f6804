"""A report as a document: sections, sentences with origin and state, every change, templates, the prior, and where versions are kept.

Door: `tools.reports.document.record.ReportDocument`; `compose` makes one from a draft, `edit` changes it, `store` keeps it.
"""
