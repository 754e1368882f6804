"""Tool `query_drug_graph`: look a fact up in the drug graph."""

from pydantic import Field

from retrieval.messages.catalogue import messages
from tools.spec import Arguments, ToolSpec

pair = messages("tools.drugs").pair


class OfQuestion(Arguments):
    """The question."""

    question: str = Field(description="One question that names the drugs", min_length=1, max_length=10_000)


SPEC = ToolSpec(
    name="query_drug_graph",
    order=11,
    function="tools.drugs.medications:query_drug_graph",
    prompt="Look a fact up in the drug graph: interactions, enzymes, contraindications, uses of one or two named drugs.",
    arguments=OfQuestion,
    intent="drug_facts",
    labels=pair("Ask the drug graph"),
    needs=("drugs",),
    of_patient=True,
    results=("tools.drugs.payload:FactsData",),
)
