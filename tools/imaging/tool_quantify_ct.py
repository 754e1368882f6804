"""Tool `quantify_ct`: measure a CT study."""

from retrieval.messages.catalogue import messages
from tools.imaging.study_argument import OfStudy
from tools.spec import ToolSpec

pair = messages("tools.imaging").pair

_PROMPT = """Measure the lungs on a CT study: volumes, emphysema (LAA-950), ground glass, consolidation, lung thirds, key slices.
Needs no model.

Use for any question on what the CT shows in figures: volume, density, emphysema, extent, side.
"""
SPEC = ToolSpec(
    name="quantify_ct",
    order=1,
    function="tools.imaging.quantify:quantify_ct",
    prompt=_PROMPT,
    arguments=OfStudy,
    intent="ct_measure",
    labels=pair("Measure the CT"),
    needs_case=True,
    results=("tools.imaging.results.measured:Measured",),
)
