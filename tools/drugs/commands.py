"""Commands on a case: `drugs check CASE` and `drugs rank CASE`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
import typer
from pydantic import BaseModel, JsonValue

from retrieval.drugs.facts import DrugFact
from retrieval.drugs.graph import DrugGraph
from tools.case.demo import open_named
from tools.deps import Deps
from tools.drugs.medications import check_medications, rank_drugs
from tools.drugs.payload import CandidateRow, FactsData, RankingData
from tools.evidence import Evidence, Status, ToolResult


class _Settings(Protocol):
    """What these commands need of the settings."""

    cache_dir: Path


class DrugReport(BaseModel):
    """`drugs check` and `drugs rank`."""

    status: Status
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    emergencies: tuple[str, ...] = ()
    query: dict[str, JsonValue] = {}
    counts: dict[str, int] = {}
    facts: tuple[DrugFact, ...] = ()
    ranked: tuple[CandidateRow, ...] = ()
    rejected: tuple[CandidateRow, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def _deps(ctx: typer.Context, case: str) -> tuple[Deps, tuple[str, ...]]:
    settings: _Settings = ctx.obj
    loaded = open_named(case, settings.cache_dir)
    deps = Deps(
        cache_dir=settings.cache_dir, case=loaded.case, case_dir=loaded.folder, language=loaded.case.language, drugs=DrugGraph.load()
    )
    return deps, loaded.warnings


def _report(result: ToolResult, warnings: tuple[str, ...]) -> DrugReport:
    checked, ranking = result.payload(FactsData), result.payload(RankingData)
    facts = checked.facts if checked else ranking.facts if ranking else ()
    return DrugReport(
        status=result.status,
        reason=result.reason[0] if result.reason else None,
        warnings=(*warnings, *(w[0] for w in result.warnings)),
        missing=result.missing,
        emergencies=result.emergencies,
        query=result.query,
        counts=result.counts,
        facts=facts,
        ranked=ranking.ranked if ranking else (),
        rejected=ranking.rejected if ranking else (),
        evidence=result.evidence,
    )


def check_case(
    ctx: typer.Context,
    case: Annotated[str, typer.Argument(help="Demo id, case folder, case.json, FHIR bundle or study.")],
    add: Annotated[list[str] | None, typer.Option("--add", help="Medicine that might be added; may be repeated.")] = None,
) -> DrugReport:
    """Check the medicines of a case: interactions, contraindications, allergy, kidney, liver, pregnancy, duplication."""
    deps, warnings = _deps(ctx, case)
    return _report(check_medications(deps, add=add), warnings)


def rank_case(
    ctx: typer.Context,
    case: Annotated[str, typer.Argument(help="Demo id, case folder, case.json, FHIR bundle or study.")],
    condition: Annotated[str | None, typer.Option("--condition", help="Disease to treat; otherwise taken from the case.")] = None,
) -> DrugReport:
    """Rank the drugs of the graph for the condition of a case, with what is rejected and why."""
    deps, warnings = _deps(ctx, case)
    return _report(rank_drugs(deps, condition=condition), warnings)


class EdgesReport(BaseModel):
    """`drugs edges`."""

    status: Status
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    relations: dict[str, int]
    unknown: tuple[str, ...]
    file: str


def write_edges(out: Annotated[Path, typer.Option("--out", help="File `.npz` for `medmpt train finetune --edges`.")]) -> EdgesReport:
    """Write the graph's edges among the drugs of the virtual cohort."""
    from medmpt_backend.cohort.patients.drugs import VOCABULARY
    from tools.drugs.edges import RELATIONS, drug_edges

    edges, unknown = drug_edges(DrugGraph.load(), VOCABULARY)
    np.savez_compressed(out, edges=edges, drugs=np.array(VOCABULARY), relations=np.array(RELATIONS))
    counts = {name: int((matrix.sum() - len(VOCABULARY)) // 2) for name, matrix in zip(RELATIONS, edges, strict=True)}
    reason = f"the graph does not know {', '.join(unknown)}" if unknown else None
    return EdgesReport(status="partial" if unknown else "ok", reason=reason, relations=counts, unknown=unknown, file=str(out))


COMMANDS: dict[str, Callable[..., BaseModel]] = {"drugs check": check_case, "drugs rank": rank_case, "drugs edges": write_edges}
