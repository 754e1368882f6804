"""The thirteen tools as LangChain tools: strict arguments, `Deps` through the runtime, typed records as artifact.

A tool's docstring is its prompt. Expected failures come back as a `ToolResult` with their status; a bug rises.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal

from langchain.tools import ToolRuntime, tool
from langchain_core.tools import BaseTool

from retrieval.errors import RetrievalError
from tools import arguments as A
from tools.case.summary import summarize_case as _summarize_case
from tools.deps import Deps
from tools.errors import ToolsError
from tools.evidence import ToolName, ToolResult
from tools.guidelines.search import search_guidelines as _search_guidelines
from tools.imaging.model_tools import classify_ct as _classify_ct
from tools.imaging.model_tools import encode_ct as _encode_ct
from tools.imaging.quantify import quantify_ct as _quantify_ct
from tools.imaging.similar_cases import find_similar_cases as _find_similar_cases
from tools.labs.interpret import interpret_labs as _interpret_labs
from tools.reports.check import check_report as _check_report
from tools.reports.drafting import draft_report as _draft_report
from tools.scores.tool import calculate_score as _calculate_score
from tools.wording import localised_result

Answer = tuple[str, dict[str, Any]]
Runtime = ToolRuntime[Deps]


def answer(tool_name: ToolName, runtime: Runtime, function: Callable[..., ToolResult], /, **arguments: object) -> Answer:
    """Run a tool function; text for the model and the same as a record."""
    deps: Deps = runtime.context
    try:
        result = function(deps, **arguments)
    except (ToolsError, RetrievalError) as error:
        result = ToolResult(tool=tool_name, status=error.status, reason=str(error))
    if deps.case is not None:
        from tools.bedside.attach import attach  # opens the drug tables, which no start-up needs

        result = attach(result, deps)
    result = localised_result(result, deps.language)
    return result.for_model(deps.language), result.model_dump(mode="json")


def score_or_criterion(deps: Deps, name: str, inputs: dict[str, str] | None = None, explain: bool = False) -> ToolResult:
    """A calculator, or a bedside criterion (`niv_copd`, `icu_cap`, `ltot`) applied to the open case by its name."""
    from tools.bedside.criteria import criterion  # opens the drug tables, which no start-up needs
    from tools.bedside.record.vocabulary import words

    # "What is the PSI?" beside an open case asks for the patient's; "what are its items" for the score.
    explaining = explain and (deps.case is None or words("explain").search(deps.question) is not None)
    return criterion(deps, name) or _calculate_score(deps, name, inputs, explaining)


def medications(name: Literal["check_medications", "query_drug_graph", "rank_drugs"]) -> Callable[..., ToolResult]:
    """The drug tools, imported when they are called."""
    function: Callable[..., ToolResult] = getattr(import_module("tools.drugs.medications"), name)
    return function


@tool(args_schema=A.OfStudy, response_format="content_and_artifact")
def quantify_ct(runtime: Runtime, study: str = "ct-1") -> Answer:
    """Measure the lungs on a CT study: volumes, emphysema (LAA-950), ground glass, consolidation, lung thirds, key slices. Needs no model.

    Use for any question on what the CT shows in figures: volume, density, emphysema, extent, side.
    """
    return answer("quantify_ct", runtime, _quantify_ct, study=study)


@tool(args_schema=A.OfStudy, response_format="content_and_artifact")
def encode_ct(runtime: Runtime, study: str = "ct-1") -> Answer:
    """Encode a CT study into MedMPT features. Only when features are asked for; answers `unavailable` without weights."""
    return answer("encode_ct", runtime, _encode_ct, study=study)


@tool(args_schema=A.OfStudy, response_format="content_and_artifact")
def classify_ct(runtime: Runtime, study: str = "ct-1") -> Answer:
    """Ask the MedMPT model which findings a CT shows, with scores. Use for 'what does the CT show', 'is there a nodule'."""
    return answer("classify_ct", runtime, _classify_ct, study=study)


@tool(args_schema=A.OfStudy, response_format="content_and_artifact")
def draft_report(runtime: Runtime, study: str = "ct-1") -> Answer:
    """Draft a radiology report of a CT study. The draft is preliminary until a person signs it."""
    return answer("draft_report", runtime, _draft_report, study=study)


@tool(args_schema=A.OfReport, response_format="content_and_artifact")
def check_report(runtime: Runtime, text: str | None = None, study: str = "ct-1") -> Answer:
    """Check a pasted CT report against what is measured on the study: numbers and sides that disagree."""
    return answer("check_report", runtime, _check_report, text=text, study=study)


@tool(args_schema=A.OfSimilar, response_format="content_and_artifact")
def find_similar_cases(runtime: Runtime, study: str = "ct-1", k: int = 5) -> Answer:
    """Find earlier cases whose CT looks similar."""
    return answer("find_similar_cases", runtime, _find_similar_cases, study=study, k=k)


@tool(args_schema=A.OfLabs, response_format="content_and_artifact")
def interpret_labs(runtime: Runtime, analytes: list[str] | None = None) -> Answer:
    """Interpret the laboratory values of the case: flags against reference intervals, trends, critical values and patterns
    (infection, acid-base, respiratory failure, kidney, liver, anaemia, clotting).
    Give `analytes` to look at some only; leave it out for all.
    """
    return answer("interpret_labs", runtime, _interpret_labs, analytes=analytes)


@tool(args_schema=A.OfScore, response_format="content_and_artifact")
def calculate_score(runtime: Runtime, name: str, inputs: dict[str, str] | None = None, explain: bool = False) -> Answer:
    """Calculate a clinical score or formula from the case. Names: curb_65, crb_65, psi, wells_pe, perc, aa_gradient, pf_ratio,
    cockcroft_gault, egfr_ckd_epi_2021, anion_gap and others. `inputs` adds or replaces values, for example
    {"confusion": "yes", "urea": "8 mmol/L"}. A missing input gives the possible range; never guess an input. `explain` gives its items,
    bands, formula and source instead of a result.
    """
    return answer("calculate_score", runtime, score_or_criterion, name=name, inputs=inputs, explain=explain)


@tool(args_schema=A.OfRanking, response_format="content_and_artifact")
def rank_drugs(runtime: Runtime, condition: str | None = None) -> Answer:
    """Rank candidate medicines for the patient's condition, with what speaks against each (allergy, interaction, kidney, pregnancy)."""
    return answer("rank_drugs", runtime, medications("rank_drugs"), condition=condition)


@tool(args_schema=A.OfMedications, response_format="content_and_artifact")
def check_medications(runtime: Runtime, add: list[str] | None = None) -> Answer:
    """Check the patient's medicines for interactions, contraindications, allergies and doses; `add` names medicines under consideration."""
    return answer("check_medications", runtime, medications("check_medications"), add=add)


@tool(args_schema=A.OfQuestion, response_format="content_and_artifact")
def query_drug_graph(runtime: Runtime, question: str) -> Answer:
    """Look a fact up in the drug graph: interactions, enzymes, contraindications, uses of one or two named drugs."""
    return answer("query_drug_graph", runtime, medications("query_drug_graph"), question=question)


@tool(args_schema=A.OfSearch, response_format="content_and_artifact")
def search_guidelines(
    runtime: Runtime,
    query: str,
    k: int = 5,
    year_from: int | None = None,
    issuer: str | None = None,
    topic: str | None = None,
    current_only: bool = False,
) -> Answer:
    """Search respiratory guidelines for recommendations (English or Chinese).

    One clear question per call; filters only when the person asked for them.
    """
    return answer(
        "search_guidelines",
        runtime,
        _search_guidelines,
        query=query,
        k=k,
        year_from=year_from,
        issuer=issuer,
        topic=topic,
        current_only=current_only,
    )


# No arguments: LangChain hands no runtime to a tool whose own schema is empty, so this one is inferred.
@tool(response_format="content_and_artifact")
def summarize_case(runtime: Runtime) -> Answer:
    """Summarise the case on one page: demographics, presentation, vital signs, conditions, allergies, medicines, abnormal labs, studies."""
    return answer("summarize_case", runtime, _summarize_case)


TOOLS: tuple[BaseTool, ...] = (
    quantify_ct,
    encode_ct,
    classify_ct,
    draft_report,
    check_report,
    find_similar_cases,
    interpret_labs,
    calculate_score,
    rank_drugs,
    check_medications,
    query_drug_graph,
    search_guidelines,
    summarize_case,
)
