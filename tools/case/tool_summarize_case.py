"""Tool `summarize_case`: summarise the case."""

from retrieval.messages.catalogue import messages
from tools.spec import ToolSpec

pair = messages("tools.case").pair

SPEC = ToolSpec(
    name="summarize_case",
    order=13,
    function="tools.case.summary:summarize_case",
    prompt="Summarise the case on one page: demographics, presentation, vital signs, conditions, allergies, medicines, abnormal labs, "
    "studies.",
    arguments=None,
    intent="summary",
    labels=pair("Summarise the case"),
    needs_case=True,
    of_patient=True,
    results=("tools.case.summary:CardData",),
)
