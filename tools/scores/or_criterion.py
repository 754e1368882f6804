"""A calculator, or a bedside criterion applied to the open case by its name."""

from tools.deps import Deps
from tools.evidence import ToolResult
from tools.scores.tool import calculate_score


def score_or_criterion(deps: Deps, name: str, inputs: dict[str, str] | None = None, explain: bool = False) -> ToolResult:
    """A calculator, or a bedside criterion (`niv_copd`, `icu_cap`, `ltot`) applied to the open case by its name."""
    from tools.bedside.criteria import criterion  # opens the drug tables, which no start-up needs
    from tools.bedside.record.vocabulary import words

    # "What is the PSI?" beside an open case asks for the patient's; "what are its items" for the score.
    explaining = explain and (deps.case is None or words("explain").search(deps.question) is not None)
    return criterion(deps, name) or calculate_score(deps, name, inputs, explaining)
