"""Cases that no person ever was: the virtual cohort's studies with a record around them, written as DICOM.

Door: `tools.case.virtual.cohort_case`.
"""
