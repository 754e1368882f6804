"""Tool `check_report`: check a pasted report."""

from pydantic import Field

from retrieval.messages.catalogue import messages
from tools.imaging.study_argument import Study
from tools.spec import Arguments, ToolSpec

pair = messages("tools.reports").pair


class OfReport(Arguments):
    """The report and its study."""

    text: str | None = Field(default=None, description="The pasted report; leave out for the one stored with the study", max_length=50_000)
    study: Study = "ct-1"


SPEC = ToolSpec(
    name="check_report",
    order=5,
    function="tools.reports.check:check_report",
    prompt="Check a pasted CT report against what is measured on the study: numbers and sides that disagree.",
    arguments=OfReport,
    intent="report_check",
    labels=pair("Check the report"),
    needs_case=True,
    of_report=True,
    results=("tools.reports.payload:CheckData",),
)
