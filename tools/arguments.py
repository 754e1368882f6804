"""Arguments of the tools as a chat model sees them: strict, described, nothing else is accepted."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.scores.registry import calculators

Study = Annotated[str, Field(description="Handle of the CT study, as the case card names it", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]


class Arguments(BaseModel):
    """Base: unknown arguments are refused; LangChain's injected `runtime` is not an argument."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_runtime(cls, data: Any) -> Any:
        return {k: v for k, v in data.items() if k != "runtime"} if isinstance(data, dict) else data


class OfStudy(Arguments):
    """Tools on one CT study."""

    study: Study = "ct-1"


class OfReport(Arguments):
    """`check_report`."""

    text: str | None = Field(default=None, description="The pasted report; leave out for the one stored with the study", max_length=50_000)
    study: Study = "ct-1"


class OfSimilar(Arguments):
    """`find_similar_cases`."""

    study: Study = "ct-1"
    k: int = Field(default=5, ge=1, le=20, description="How many cases")


class OfLabs(Arguments):
    """`interpret_labs`."""

    analytes: list[str] | None = Field(default=None, description="Analytes to look at, any language; leave out for all", max_length=80)


class OfScore(Arguments):
    """`calculate_score`."""

    name: str = Field(description="Calculator", json_schema_extra={"enum": list(calculators())})
    explain: bool = Field(default=False, description="Items, bands, formula and source of the calculator instead of a result")
    inputs: dict[str, str] | None = Field(default=None, description='Values the person gave, e.g. {"confusion": "yes", "urea": "8 mmol/L"}')


class OfRanking(Arguments):
    """`rank_drugs`."""

    condition: str | None = Field(default=None, description="Condition to treat; leave out for the problem of the case")


class OfMedications(Arguments):
    """`check_medications`."""

    add: list[str] | None = Field(default=None, description="Medicines under consideration, to check with the current ones", max_length=20)


class OfQuestion(Arguments):
    """`query_drug_graph`."""

    question: str = Field(description="One question that names the drugs", min_length=1, max_length=10_000)


class OfSearch(Arguments):
    """`search_guidelines`."""

    query: str = Field(description="One clear question or keywords", min_length=1, max_length=10_000)
    k: int = Field(default=5, ge=1, le=5, description="How many passages")
    year_from: int | None = Field(default=None, ge=1990, le=2100, description="Only if the person asked for recent editions")
    issuer: str | None = Field(default=None, description="Only if the person named an issuer, e.g. BTS, NICE, GOLD")
    topic: str | None = Field(default=None, description="Only if the person named a topic of the corpus")
    current_only: bool = Field(default=False, description="Leave superseded editions out")
