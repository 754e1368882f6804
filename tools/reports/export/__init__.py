"""Reports, conversations and case summaries as files: PDF, DOCX, Markdown, FHIR R4 and DICOM SR.

Door: `tools.reports.export.formats.render` for what people read, `fhir.bundle` and `sr.measurement_report` for what systems read.
"""
