"""Tool `rank_drugs`: rank candidate medicines."""

from pydantic import Field

from tools.spec import Arguments, ToolSpec


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
    labels=("Rank medicines", "药物排序"),
    needs=(
        "drugs",
        "engine",
    ),
    of_patient=True,
    results=("tools.drugs.payload:RankingData",),
)
