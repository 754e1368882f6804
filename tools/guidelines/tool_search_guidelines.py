"""Tool `search_guidelines`: search the guidelines."""

from pydantic import Field

from retrieval.messages.catalogue import messages
from tools.spec import Arguments, ToolSpec

pair = messages("tools.guidelines").pair


class OfSearch(Arguments):
    """The question and filters."""

    query: str = Field(description="One clear question or keywords", min_length=1, max_length=10_000)
    k: int = Field(default=5, ge=1, le=5, description="How many passages")
    year_from: int | None = Field(default=None, ge=1990, le=2100, description="Only if the person asked for recent editions")
    issuer: str | None = Field(default=None, description="Only if the person named an issuer, e.g. BTS, NICE, GOLD")
    topic: str | None = Field(default=None, description="Only if the person named a topic of the corpus")
    current_only: bool = Field(default=False, description="Leave superseded editions out")


_PROMPT = """Search respiratory guidelines for recommendations (English or Chinese).

One clear question per call; filters only when the person asked for them.
"""
SPEC = ToolSpec(
    name="search_guidelines",
    order=12,
    function="tools.guidelines.search:search_guidelines",
    prompt=_PROMPT,
    arguments=OfSearch,
    intent="guideline",
    labels=pair("Search the guidelines"),
    needs=("index",),
    of_patient=True,
    results=("tools.guidelines.search:HitsData",),
)
