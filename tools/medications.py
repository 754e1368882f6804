"""Drug tools: `check_medications`, `query_drug_graph` and `rank_drugs`, all on the drug knowledge graph."""

from pydantic import JsonValue

from retrieval.drugs import DrugGraph
from retrieval.drugs_check import check
from retrieval.drugs_query import QueryResult
from retrieval.facts import Drug, DrugFact
from tools.deps import Deps
from tools.drug_evidence import NOT_SAFE, to_evidence, to_json
from tools.drug_patient import DrugPatient, read_patient
from tools.drug_ranking import Ranking, rank
from tools.evidence import ToolResult

# A model and a reader cannot use more statements than this at once; the counts tell how many there were.
_MOST_FACTS = 24


def _graph(deps: Deps) -> DrugGraph:
    return deps.drugs or DrugGraph.load()


def query_drug_graph(deps: Deps, question: str) -> ToolResult:
    """Look facts up in the drug knowledge graph: interactions, contraindications, renal and hepatic dosing, pregnancy, enzymes.

    Args:
        deps: Shared resources.
        question: A question in English or Chinese that names drugs, classes, conditions or enzymes.

    Returns:
        Facts with source and path; `empty` with the name when a drug is not in the graph, never a neighbour.
    """
    graph = _graph(deps)
    result = graph.query(question)
    shown = result.facts[:_MOST_FACTS]
    warnings = list(result.warnings)
    if len(result.facts) > len(shown):
        warnings.append(f"{len(result.facts)} facts found, the {len(shown)} most severe are shown: ask more narrowly for the others")
    if any(f.inferred for f in shown):
        warnings.append("inferred facts are derived from enzyme or effect edges and are not stated by a source")
    return ToolResult(
        tool="query_drug_graph",
        status=result.status,
        reason=result.reason,
        query=_understood(graph, question, result),
        counts={"facts": len(result.facts), "shown": len(shown)},
        warnings=tuple(warnings),
        missing=result.understood.unknown,
        evidence=tuple(to_evidence(graph, f) for f in shown),
        data={"facts": to_json(shown)},
    )


def _understood(graph: DrugGraph, question: str, result: QueryResult) -> dict[str, JsonValue]:
    q = result.understood
    return {
        "question": question,
        "drugs": [graph.name(d).en for d in q.drugs],
        "classes": [graph.group_name(c).en for c in q.classes],
        "conditions": [graph.condition(c).name for c in q.conditions],
        "targets": list(q.targets),
        "relations": list(q.relations),
        "unknown": list(q.unknown),
        "crcl_ml_min": q.crcl,
        "child_pugh": q.child_pugh,
    }


def check_medications(deps: Deps, add: list[str] | None = None) -> ToolResult:
    """Check the medicines of the open case, and medicines to add, against each other and the patient.

    Covers interactions, contraindications, allergy and cross-reactivity, kidney, liver, pregnancy and duplication.

    Args:
        deps: Shared resources; the case supplies medicines, conditions, allergies and creatinine.
        add: Names of medicines that might be added. With it, only facts that concern an added medicine are returned.

    Returns:
        Facts, most severe first; unknown names and missing inputs are listed. No fact is not proof of safety.
    """
    graph = _graph(deps)
    patient = read_patient(graph, deps.case)
    added: list[Drug] = []
    unknown = list(patient.unknown_drugs)
    for name in add or []:
        found = graph.resolve(name)
        added += found
        if not found:
            unknown.append(_unresolved(graph, name))
    drugs = tuple(dict.fromkeys((*patient.current, *added)))
    query: dict[str, JsonValue] = {
        "current": [d.name for d in patient.current],
        "added": [d.name for d in added],
        "exposures": [d.name for d in patient.exposures],
        "crcl_ml_min": None if patient.context.crcl is None else round(patient.context.crcl, 1),
        "conditions": [graph.condition(c).name for c in patient.context.conditions],
        "pregnant": patient.context.pregnant,
    }
    if not drugs:
        return ToolResult(tool="check_medications", status="empty", reason=_no_drugs(deps, unknown), query=query, missing=tuple(unknown))
    facts = check(graph, (*drugs, *patient.exposures), patient.context)
    ids = {d.id for d in added}
    chosen = tuple(f for f in facts if not ids or ids & set(f.subjects)) if add else facts
    return _checked(graph, patient, drugs, facts, chosen, unknown, query, deps.language == "zh")


def _unresolved(graph: DrugGraph, name: str) -> str:
    """The name with the nearest known one, or with a word that it names a class."""
    if graph.allergens(name):
        return f"{name} (a class: name the drug)"
    close = graph.suggest(name)
    return f"{name} (did you mean {close}?)" if close else name


def _no_drugs(deps: Deps, unknown: list[str]) -> str:
    if unknown:
        return f"none of these medicines is in the drug graph: {', '.join(unknown)}; {NOT_SAFE}"
    return "the case lists no medicines and none was named" if deps.case else "no case is open and no medicine was named"


def _checked(
    graph: DrugGraph,
    patient: DrugPatient,
    drugs: tuple[Drug, ...],
    facts: tuple[DrugFact, ...],
    chosen: tuple[DrugFact, ...],
    unknown: list[str],
    query: dict[str, JsonValue],
    chinese: bool,
) -> ToolResult:
    warnings = [f"{name!r} is not in the drug graph and was not checked" for name in unknown]
    warnings += [f"allergy {name!r} is not in the drug graph and was not checked" for name in patient.unknown_allergies]
    warnings += [f"condition {name!r} is not in the drug graph and was not checked" for name in patient.unknown_conditions]
    warnings.append(NOT_SAFE)
    partial = bool(unknown or patient.unknown_allergies or patient.missing)
    urgent = [
        f for f in chosen if f.severity == "contraindicated" and not f.inferred and f.relation in ("interacts_with", "cross_reacts_with")
    ]
    status = "partial" if partial else "ok" if chosen else "empty"
    return ToolResult(
        tool="check_medications",
        status=status,
        reason=None if chosen else f"no fact of the drug graph speaks against {', '.join(d.name for d in drugs)}; {NOT_SAFE}",
        query=query,
        counts={"drugs": len(drugs), "pairs": len(drugs) * (len(drugs) - 1) // 2, "facts": len(facts), "shown": len(chosen)},
        warnings=tuple(warnings),
        missing=(*unknown, *patient.missing),
        emergencies=tuple(f.text_zh if chinese else f.text for f in urgent),
        evidence=tuple(to_evidence(graph, f) for f in chosen),
        data={"facts": to_json(chosen)},
    )


def rank_drugs(deps: Deps, condition: str | None = None) -> ToolResult:
    """Rank the drugs that the graph lists for a condition, for this patient, and say which are rejected and why.

    Args:
        deps: Shared resources; the case supplies allergies, medicines, conditions, kidney function and pregnancy.
        condition: The disease to treat; without it the presenting question, the notes and the conditions of the case are searched.

    Returns:
        `ranked` with score parts and dose, `rejected` with reasons. Always at most `partial`: no opinion of MedMPT is in it.
    """
    graph = _graph(deps)
    patient = read_patient(graph, deps.case)
    ranking = rank(graph, patient, deps.case, condition, deps.language)
    if isinstance(ranking, str):
        missing = () if condition else ("condition",)
        return ToolResult(tool="rank_drugs", status="empty", reason=ranking, query={"condition": condition}, missing=missing)
    return _ranked(graph, patient, ranking)


def _ranked(graph: DrugGraph, patient: DrugPatient, ranking: Ranking) -> ToolResult:
    warnings = ["ranked by guideline and label edges of the drug graph only, without an opinion of the MedMPT model", NOT_SAFE]
    warnings += [f"{name!r} is not in the drug graph and was not checked" for name in patient.unknown_drugs]
    warnings += [f"allergy {name!r} is not in the drug graph and was not checked" for name in patient.unknown_allergies]
    facts = list(dict.fromkeys(f for choice in (*ranking.ranked, *ranking.rejected) for f in choice.facts))
    ranked: list[JsonValue] = [
        {
            "drug": c.drug.name,
            "drug_zh": c.drug.name_zh,
            "atc": c.drug.atc,
            "score": round(c.score, 2),
            "parts": {name: round(value, 2) for name, value in c.parts.items()},
            "line": c.line,
            "setting": c.setting,
            "dose": c.dose,
            "already_taken": c.drug in patient.current,
            "evidence": [f.key for f in c.facts],
        }
        for c in ranking.ranked
    ]
    rejected: list[JsonValue] = [
        {"drug": c.drug.name, "drug_zh": c.drug.name_zh, "because": c.because, "evidence": [f.key for f in c.facts]}
        for c in ranking.rejected
    ]
    return ToolResult(
        tool="rank_drugs",
        status="partial",
        reason="ranking by the drug graph alone; no MedMPT medication opinion is included",
        query={"condition": ranking.conditions, "condition_from": ranking.found_in, "crcl_ml_min": patient.context.crcl},
        counts={
            "candidates": len(ranking.ranked) + len(ranking.rejected),
            "ranked": len(ranking.ranked),
            "rejected": len(ranking.rejected),
        },
        warnings=tuple(warnings),
        missing=(*patient.unknown_drugs, *patient.missing),
        evidence=tuple(to_evidence(graph, f) for f in facts),
        data={"ranked": ranked, "rejected": rejected, "facts": to_json(facts)},
    )
