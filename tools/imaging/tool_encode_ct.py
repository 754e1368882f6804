"""Tool `encode_ct`: encode a CT study."""

from tools.imaging.study_argument import OfStudy
from tools.spec import ToolSpec

SPEC = ToolSpec(
    name="encode_ct",
    order=2,
    function="tools.imaging.model_tools:encode_ct",
    prompt="Encode a CT study into MedMPT features. Only when features are asked for; answers `unavailable` without weights.",
    arguments=OfStudy,
    intent="ct_encode",
    labels=("Encode the CT", "CT 编码"),
    needs=("engine",),
    needs_case=True,
    results=("tools.imaging.results.model:Encoded",),
)
