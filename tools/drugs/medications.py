"""Drug tools: `check_medications`, `query_drug_graph` and `rank_drugs`, all on the drug knowledge graph."""

from collections.abc import Iterable

from pydantic import JsonValue

from retrieval.drugs.check import check
from retrieval.drugs.facts import Drug, DrugFact
from retrieval.drugs.graph import DrugGraph
from retrieval.drugs.query import QueryResult
from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.drugs.facts import NOT_SAFE, to_evidence
from tools.drugs.model_opinion import Opinion, opinion, statement
from tools.drugs.patient import DrugPatient, read_patient
from tools.drugs.payload import AgainstRow, CandidateRow, FactsData, RankingData
from tools.drugs.ranking import Choice, Ranking, rank
from tools.evidence import Evidence, Language, Quantity, ToolResult
from tools.imaging.model_card import card_line
from tools.quantities import fill
from tools.wording import in_language

say = messages("tools.drugs").say

pair = messages("tools.drugs").pair

# A model and a reader cannot use more statements than this at once; the counts tell how many there were.
_MOST_FACTS = 24
_GRAVITY = {"contraindicated": 0, "major": 1, "moderate": 2, "minor": 3}
_GRAPH_ONLY = pair("ranked by guideline and label edges of the drug graph only, without an opinion of the MedMPT model")
_MODEL_ASKED = pair("the drug graph ranks and rejects; the MedMPT model's score only orders candidates that the graph holds equal")


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
    warnings = [w[deps.language == "zh"] for w in result.warnings]
    if len(result.facts) > len(shown):
        warnings.append(
            say(
                deps.language,
                "{facts} facts found, the {shown} most severe are shown: ask more narrowly for the others",
                facts=len(result.facts),
                shown=len(shown),
            )
        )
    if any(f.inferred for f in shown):
        warnings.append(say(deps.language, "inferred facts are derived from enzyme or effect edges and are not stated by a source"))
    return ToolResult(
        tool="query_drug_graph",
        status=result.status,
        reason=result.reason[deps.language == "zh"] if result.reason else None,
        query=_understood(graph, question, result),
        counts={"facts": len(result.facts), "shown": len(shown)},
        warnings=tuple(warnings),
        missing=result.understood.unknown,
        evidence=tuple(to_evidence(graph, f) for f in shown),
        data=FactsData(facts=tuple(shown)),
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
    return _checked(graph, patient, drugs, facts, chosen, unknown, query, deps.language, asked=bool(deps.question))


def _unresolved(graph: DrugGraph, name: str) -> str:
    """The name with the nearest known one, or with a word that it names a class."""
    if graph.allergens(name):
        return f"{name} (a class: name the drug)"
    close = graph.suggest(name)
    return f"{name} (did you mean {close}?)" if close else name


def _no_drugs(deps: Deps, unknown: list[str]) -> str:
    if unknown:
        names = (", ".join(unknown), "、".join(unknown))
        return say(deps.language, "none of these medicines is in the drug graph: {names}; {not_safe}", names=names, not_safe=NOT_SAFE)
    if deps.case:
        return say(deps.language, "the case lists no medicines and none was named")
    return say(deps.language, "no case is open and no medicine was named")


def _not_checked(patient: DrugPatient, unknown: Iterable[str], language: Language, *, conditions: bool) -> list[str]:
    """What the graph does not know, each with its name."""
    return [
        *(say(language, "{name!r} is not in the drug graph and was not checked", name=name) for name in unknown),
        *(say(language, "allergy {name!r} is not in the drug graph and was not checked", name=name) for name in patient.unknown_allergies),
        *(
            say(language, "condition {name!r} is not in the drug graph and was not checked", name=name)
            for name in (patient.unknown_conditions if conditions else ())
        ),
    ]


def _checked(
    graph: DrugGraph,
    patient: DrugPatient,
    drugs: tuple[Drug, ...],
    facts: tuple[DrugFact, ...],
    chosen: tuple[DrugFact, ...],
    unknown: list[str],
    query: dict[str, JsonValue],
    language: Language,
    *,
    asked: bool,
) -> ToolResult:
    zh = language == "zh"
    warnings = [*_not_checked(patient, unknown, language, conditions=True), NOT_SAFE[zh]]
    names = (", ".join(d.name for d in drugs), "、".join(d.name_zh for d in drugs))
    nothing = say(language, "no fact of the drug graph speaks against {names}; {not_safe}", names=names, not_safe=NOT_SAFE)
    partial = bool(unknown or patient.unknown_allergies or patient.missing)
    taken = {d.id for d in patient.current}
    proposed = {d.id for d in drugs} - taken if asked else set()
    urgent = [
        f
        for f in chosen
        if f.severity == "contraindicated"
        and not f.inferred
        and f.relation in ("interacts_with", "cross_reacts_with")
        and not proposed & set(f.subjects)  # what a question only proposes harms nobody yet: the verdict on it says no
    ]
    status = "partial" if partial else "ok" if chosen else "empty"
    return ToolResult(
        tool="check_medications",
        status=status,
        reason=None if chosen else nothing,
        query=query,
        counts={"drugs": len(drugs), "pairs": len(drugs) * (len(drugs) - 1) // 2, "facts": len(facts), "shown": len(chosen)},
        warnings=tuple(warnings),
        missing=(*unknown, *(m[zh] for m in patient.missing)),
        emergencies=tuple(f.text_zh if zh else f.text for f in urgent),
        evidence=tuple(to_evidence(graph, f) for f in chosen) if chosen or unknown else (_nothing(graph, patient, drugs),),
        data=FactsData(facts=tuple(chosen)),
    )


def _nothing(graph: DrugGraph, patient: DrugPatient, drugs: tuple[Drug, ...]) -> Evidence:
    """That nothing was found, and what was looked up: a negative answer names its reach."""
    names = [graph.name(d.id) for d in drugs]
    listed = ", ".join(n.en for n in names), "、".join(n.zh for n in names)
    text, text_zh = pair(
        "Nothing in the drug graph speaks against {names} in this patient ({pairs} pairs looked up); {not_safe}.",
        names=listed,
        pairs=len(drugs) * (len(drugs) - 1) // 2,
        not_safe=NOT_SAFE,
    )
    return Evidence(
        key="D-checked",
        kind="drug_graph",
        text=text,
        text_zh=text_zh,
        source="drug knowledge graph",
        quantities=fill((), text, text_zh),
        subjects=tuple(n.en.lower() for n in names),
    )


def rank_drugs(deps: Deps, condition: str | None = None) -> ToolResult:
    """Rank the drugs that the graph lists for a condition, for this patient, and say which are rejected and why.

    Args:
        deps: Shared resources; the case supplies allergies, medicines, conditions, kidney function and pregnancy.
        condition: The disease to treat; without it the presenting question, the notes and the conditions of the case are searched.

    Returns:
        `ranked` with score parts, dose, warnings and the model's score, `rejected` with reasons. The drug graph alone accepts and rejects;
        the MedMPT medication head orders candidates that the graph holds equal. At most `partial` without its opinion.
    """
    graph = _graph(deps)
    patient = read_patient(graph, deps.case)
    ranking = rank(graph, patient, deps.case, condition, deps.language)
    if isinstance(ranking, str):
        missing = () if condition else ("condition",)
        return ToolResult(tool="rank_drugs", status="empty", reason=ranking, query={"condition": condition}, missing=missing)
    return _ranked(graph, patient, ranking, opinion(deps, graph), deps.language)


def _ranked(graph: DrugGraph, patient: DrugPatient, ranking: Ranking, model: Opinion, language: Language) -> ToolResult:
    order = sorted(ranking.ranked, key=lambda c: (-round(c.score, 6), -_score(model, c), c.drug.id))
    zh = language == "zh"
    warnings = [_MODEL_ASKED[zh] if model.scored else _GRAPH_ONLY[zh], NOT_SAFE[zh]]
    warnings += _not_checked(patient, patient.unknown_drugs, language, conditions=False)
    facts = list(dict.fromkeys(f for choice in (*order, *ranking.rejected) for f in choice.facts))
    silent = say(
        language,
        "ranking by the drug graph alone; no MedMPT medication opinion is included: {reason}",
        reason=in_language(model.silent or "", language),
    )
    card = (card_line(model.card, language),) if model.card is not None and model.scored else ()
    return ToolResult(
        tool="rank_drugs",
        status="ok" if model.scored and not (patient.unknown_drugs or patient.missing) else "partial",
        reason=None if model.scored else silent,
        query={"condition": ranking.conditions, "condition_from": ranking.found_in, "crcl_ml_min": patient.context.crcl},
        counts={"candidates": len(order) + len(ranking.rejected), "ranked": len(order), "rejected": len(ranking.rejected)},
        warnings=(*warnings, *card),
        missing=(*patient.unknown_drugs, *(m[zh] for m in patient.missing)),
        evidence=(*_verdict(order, ranking), *(to_evidence(graph, f) for f in facts), *_opinions(model, order, ranking)),
        data=RankingData(
            ranked=tuple(_row(c, patient, model) for c in order),
            rejected=tuple(_row(c, patient, model) for c in ranking.rejected),
            facts=tuple(facts),
            model=model.payload(),
        ),
    )


def _verdict(order: list[Choice], ranking: Ranking) -> list[Evidence]:
    """Which drug comes first, as an inference from the facts of the first drugs."""
    if not order:
        return []
    names, names_zh = [c.drug.name for c in order[:3]], [c.drug.name_zh for c in order[:3]]
    condition = ", ".join(str(c) for c in ranking.conditions)
    first, line = order[0], order[0].line.replace("_", " ")
    text, text_zh = pair(
        "Inference: for {condition}, {name} ranks first in this patient (place in treatment: {line}; score {score:.2f})",
        condition=(condition, "、".join(ranking.conditions_zh) or condition),
        name=(names[0], names_zh[0]),
        line=(line, messages("tools.drugs").table("line").get(first.line, line)),
        score=first.score,
    )
    if len(names) > 1:
        text, text_zh = pair("{text}, followed by {names}", text=(text, text_zh), names=(" and ".join(names[1:]), "、".join(names_zh[1:])))
    return [
        Evidence(
            key="D-rank",
            kind="drug_graph",
            text=f"{text}.",
            text_zh=f"{text_zh}。",
            source="ranking over the drug graph: place in treatment, less what speaks against each drug",
            quantities=fill((Quantity(name="score", value=first.score, unit="", decimals=2),), text, text_zh),
            subjects=tuple(n.lower() for n in names),
            inferred=True,
            premises=tuple(f.key for c in order[:3] for f in c.facts),
        )
    ]


def _score(model: Opinion, choice: Choice) -> float:
    scored = model.of(choice.drug)
    return scored.probability if scored is not None else 0.0


def _row(c: Choice, patient: DrugPatient, model: Opinion) -> CandidateRow:
    """One candidate with what speaks against it beside it."""
    scored = model.of(c.drug)
    against = (
        AgainstRow(key=f.key, severity=f.severity, relation=f.relation, text=f.text, text_zh=f.text_zh)
        for f in sorted(c.facts, key=lambda f: _GRAVITY.get(f.severity or "", 9))
        if f.severity is not None
    )
    return CandidateRow(
        drug=c.drug.name,
        drug_zh=c.drug.name_zh,
        atc=c.drug.atc,
        score=round(c.score, 2),
        parts={name: round(value, 2) for name, value in c.parts.items()},
        line=c.line,
        setting=c.setting,
        dose=c.dose,
        because=c.because or None,
        already_taken=c.drug in patient.current,
        warnings=tuple(against),
        model_score=round(scored.probability, 4) if scored is not None else None,
        model_rank=scored.rank if scored is not None else None,
        model_key=f"M-drug-{scored.entry}" if scored is not None else None,
        evidence=tuple(f.key for f in c.facts),
    )


def _opinions(model: Opinion, order: list[Choice], ranking: Ranking) -> list[Evidence]:
    """The model's score of its own favourites and of the candidates, each once."""
    wanted = list(model.scored[:3]) + [s for c in (*order, *ranking.rejected) if (s := model.of(c.drug)) is not None]
    chosen = sorted(dict.fromkeys(wanted), key=lambda s: s.rank)
    return [statement(s, model, len(model.scored)) for s in chosen]
