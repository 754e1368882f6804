"""A report as a file of any format; a signature that this installation did not make prints as preliminary, with a warning."""

from pathlib import Path

from agent.reporting.views import FileView
from tools.errors import BadInput
from tools.reports.document.record import ReportDocument
from tools.reports.export.coded import left_out
from tools.reports.export.formats import ENDINGS, MEDIA, render
from tools.reports.export.report import sheet_of
from tools.reports.export.sheet import Sheet
from tools.reports.export.words import say

FORMATS = tuple(MEDIA)


def export(document: ReportDocument, form: str, registered: bool, study: Path | None) -> FileView:
    """The file.

    Args:
        document: The report.
        form: One of `FORMATS`.
        registered: Whether its signature is in this installation's register.
        study: The images, whose headers a DICOM SR needs.

    Raises:
        BadInput: No such format; an SR without its DICOM series.
        ToolUnavailable: A library is not installed; names the command.
    """
    if form not in FORMATS:
        raise BadInput(f"--format {form!r} is not known; there are: {', '.join(FORMATS)}")
    warnings = [] if registered or document.signature is None else [say("unregistered", document.language)]
    silent = left_out(document)
    if silent and form in ("fhir", "sr"):
        warnings.append(f"measured outside the domain of their method, so left out as coded values: {', '.join(silent)}")
    state = "signed" if registered else "preliminary"
    name = f"{document.kind}-{document.subject.case_id}-{document.study.study}-{state}.{ENDINGS[form]}"
    return FileView(name=name, media=MEDIA[form], body=_body(document, form, registered, study), warnings=tuple(warnings))


def _body(document: ReportDocument, form: str, registered: bool, study: Path | None) -> bytes:
    if form == "fhir":
        from tools.reports.export.fhir import bundle

        return bundle(document, registered)
    if form == "sr":
        from tools.reports.export.source import series_headers
        from tools.reports.export.sr import measurement_report

        if study is None:
            raise BadInput("a DICOM SR names its source images: give the study with --study PATH, or the case with --case")
        return measurement_report(document, registered, series_headers(study))
    return render(sheet_of(document, registered), form)


def page_file(sheet: Sheet, name: str, form: str) -> FileView:
    """A conversation or a case summary as a file.

    Raises:
        BadInput: No such format.
        ToolUnavailable: A library is not installed; names the command.
    """
    return FileView(name=f"{name}.{ENDINGS.get(form, form)}", media=MEDIA.get(form, ""), body=render(sheet, form))
