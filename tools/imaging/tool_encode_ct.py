"""Tool `encode_ct`: encode a CT study."""

from retrieval.messages.catalogue import messages
from tools.imaging.study_argument import OfStudy
from tools.spec import ToolSpec

pair = messages("tools.imaging").pair

SPEC = ToolSpec(
    name="encode_ct",
    order=2,
    function="tools.imaging.model_tools:encode_ct",
    prompt="Encode a CT study into MedMPT features. Only when features are asked for; answers `unavailable` without weights.",
    arguments=OfStudy,
    intent="ct_encode",
    labels=pair("Encode the CT"),
    needs=("engine",),
    needs_case=True,
    results=("tools.imaging.results.model:Encoded",),
)
