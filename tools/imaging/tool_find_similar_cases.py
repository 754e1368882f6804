"""Tool `find_similar_cases`: earlier cases that look alike."""

from pydantic import Field

from retrieval.messages.catalogue import messages
from tools.imaging.study_argument import OfStudy
from tools.spec import ToolSpec

pair = messages("tools.imaging").pair


class OfSimilar(OfStudy):
    """The study, and how many cases."""

    k: int = Field(default=5, ge=1, le=20, description="How many cases")


SPEC = ToolSpec(
    name="find_similar_cases",
    order=6,
    function="tools.imaging.similar_cases:find_similar_cases",
    prompt="Find earlier cases whose CT looks similar.",
    arguments=OfSimilar,
    intent="similar",
    labels=pair("Find similar cases"),
    needs=("engine",),
    needs_case=True,
    results=("tools.imaging.results.model:SimilarCases",),
)
