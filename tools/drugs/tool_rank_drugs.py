"""Tool `rank_drugs`: rank candidate medicines."""

from pydantic import Field

from retrieval.messages.catalogue import messages
from tools.spec import Arguments, ToolSpec

pair = messages("tools.drugs").pair


class OfRanking(Arguments):
    """What is to be treated."""

    condition: str | None = Field(default=None, description="Condition to treat; leave out for the problem of the case")


SPEC = ToolSpec(
    name="rank_drugs",
    order=9,
    function="tools.drugs.medications:rank_drugs",
    prompt="Rank candidate medicines for the patient's condition, with what speaks against each (allergy, interaction, kidney, pregnancy).",
    arguments=OfRanking,
    intent="drug_rank",
    labels=pair("Rank medicines"),
    needs=(
        "drugs",
        "engine",
    ),
    of_patient=True,
    results=("tools.drugs.payload:RankingData",),
)
