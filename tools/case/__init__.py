"""One de-identified patient: the record, the files that become one, demo and virtual patients, the case on one page.

Door: `tools.case.record.Case` and `tools.case.files.load_case`.
"""
