"""Tool `classify_ct`: findings of the model."""

from retrieval.messages.catalogue import messages
from tools.imaging.study_argument import OfStudy
from tools.spec import ToolSpec

pair = messages("tools.imaging").pair

SPEC = ToolSpec(
    name="classify_ct",
    order=3,
    function="tools.imaging.model_tools:classify_ct",
    prompt="Ask the MedMPT model which findings a CT shows, with scores. Use for 'what does the CT show', 'is there a nodule'.",
    arguments=OfStudy,
    intent="ct_findings",
    labels=pair("Classify findings"),
    needs=("engine",),
    needs_case=True,
    results=("tools.imaging.results.model:Classified",),
)
