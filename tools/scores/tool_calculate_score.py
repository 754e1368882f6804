"""Tool `calculate_score`: calculate or explain a score."""

from pydantic import Field

from retrieval.messages.catalogue import messages
from tools.scores.registry import calculators
from tools.spec import Arguments, ToolSpec

pair = messages("tools.scores").pair


class OfScore(Arguments):
    """Which calculator, and values that the person gave."""

    name: str = Field(description="Calculator", json_schema_extra={"enum": list(calculators())})
    explain: bool = Field(default=False, description="Items, bands, formula and source of the calculator instead of a result")
    inputs: dict[str, str] | None = Field(default=None, description='Values the person gave, e.g. {"confusion": "yes", "urea": "8 mmol/L"}')


_PROMPT = """Calculate a clinical score or formula from the case. Names: curb_65, crb_65, psi, wells_pe, perc, aa_gradient, pf_ratio,
cockcroft_gault, egfr_ckd_epi_2021, anion_gap and others. `inputs` adds or replaces values, for example
{"confusion": "yes", "urea": "8 mmol/L"}. A missing input gives the possible range; never guess an input. `explain` gives its items,
bands, formula and source instead of a result.
"""
SPEC = ToolSpec(
    name="calculate_score",
    order=8,
    function="tools.scores.or_criterion:score_or_criterion",
    prompt=_PROMPT,
    arguments=OfScore,
    intent="score",
    labels=pair("Calculate a score"),
    of_patient=True,
    results=(
        "tools.scores.payload:ScoreData",
        "tools.scores.payload:CriterionData",
        "tools.scores.explain:Explanation",
    ),
)
