"""Formats that people read, by name."""

from typing import Literal

from tools.errors import BadInput
from tools.reports.export.sheet import Sheet

PageFormat = Literal["pdf", "docx", "md"]
MEDIA = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "md": "text/markdown; charset=utf-8",
    "fhir": "application/fhir+json",
    "sr": "application/dicom",
}
ENDINGS = {"pdf": "pdf", "docx": "docx", "md": "md", "fhir": "json", "sr": "dcm"}


def render(sheet: Sheet, form: str) -> bytes:
    """The page as the bytes of a file.

    Raises:
        ToolUnavailable: A library of the format is not installed; names the command.
        BadInput: No such format.
    """
    match form:
        case "md":
            from tools.reports.export.markdown import markdown

            return markdown(sheet).encode()
        case "pdf":
            from tools.reports.export.pdf import pdf

            return pdf(sheet)
        case "docx":
            from tools.reports.export.docx import docx

            return docx(sheet)
    raise BadInput(f"no format {form!r}; there are: pdf, docx, md")
