"""Tool `draft_report`: draft a report."""

from retrieval.messages.catalogue import messages
from tools.imaging.study_argument import OfStudy
from tools.spec import ToolSpec

pair = messages("tools.reports").pair

SPEC = ToolSpec(
    name="draft_report",
    order=4,
    function="tools.reports.drafting:draft_report",
    prompt="Draft a radiology report of a CT study. The draft is preliminary until a person signs it.",
    arguments=OfStudy,
    intent="report_draft",
    labels=pair("Draft the report"),
    needs=("engine",),
    needs_case=True,
    of_report=True,
    results=("tools.reports.payload:DraftData",),
)
