"""Tool `interpret_labs`: interpret laboratory values."""

from pydantic import Field

from retrieval.messages.catalogue import messages
from tools.spec import Arguments, ToolSpec

pair = messages("tools.labs").pair


class OfLabs(Arguments):
    """Which analytes."""

    analytes: list[str] | None = Field(default=None, description="Analytes to look at, any language; leave out for all", max_length=80)


_PROMPT = """Interpret the laboratory values of the case: flags against reference intervals, trends, critical values and patterns
(infection, acid-base, respiratory failure, kidney, liver, anaemia, clotting).
Give `analytes` to look at some only; leave it out for all.
"""
SPEC = ToolSpec(
    name="interpret_labs",
    order=7,
    function="tools.labs.interpret:interpret_labs",
    prompt=_PROMPT,
    arguments=OfLabs,
    intent="labs",
    labels=pair("Interpret the labs"),
    needs_case=True,
    of_patient=True,
    results=("tools.labs.payload:LabsData",),
)
