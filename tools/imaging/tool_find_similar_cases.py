"""Tool `find_similar_cases`: earlier cases that look alike."""

from pydantic import Field

from tools.imaging.study_argument import OfStudy
from tools.spec import ToolSpec


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
    labels=("Find similar cases", "检索相似病例"),
    needs=("engine",),
    needs_case=True,
    results=("tools.imaging.results.model:SimilarCases",),
)
