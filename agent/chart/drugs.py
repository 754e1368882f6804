"""The medicines tab: what the patient takes and what speaks against it, regimens, ranking, neighbourhood; also for a supposed copy."""

from collections.abc import Sequence
from dataclasses import replace

from agent.chart.bar import is_minor
from agent.chart.views import Candidate, Drugs, Edge, Medicine, RegimenCard, Remark
from retrieval.drugs.check import check
from retrieval.drugs.facts import DrugFact
from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import messages
from tools.bedside.cautions import Objection, cautioned, closed
from tools.bedside.record.view import Record
from tools.bedside.regimens import fitting
from tools.case.patches import Patch, patched, told
from tools.case.record import Case
from tools.case.words import allergen_name, dose_of, drug_name
from tools.deps import Deps
from tools.drugs.medications import rank_drugs
from tools.drugs.patient import DrugPatient, read_patient
from tools.drugs.payload import CandidateRow, RankingData
from tools.evidence import Language, ToolResult
from tools.scores.registry import find
from tools.scores.run import run

pair = messages("agent.chart").pair

_MOST_RANKED, _MOST_REMARKS = 8, 8
_RELATIONS = {
    "place_in_treatment": pair("place in treatment"), "interacts_with": pair("interactions"),
    "same_class": pair("duplication"), "contraindicated_in": pair("contraindications"),
    "cross_reacts_with": pair("allergy"), "pregnancy": pair("pregnancy"), "adjusts_for": pair("kidney or liver"),
    "has_effect": pair("effects"),
}  # fmt: skip


def drugs(deps: Deps, graph: DrugGraph, condition: str | None = None, patches: tuple[Patch, ...] = ()) -> Drugs:
    """The medicines of the case.

    Args:
        deps: The case and the language.
        graph: The drug knowledge graph.
        condition: Id of the condition to rank for; None lets the case say.
        patches: What is supposed of the patient; the record itself stays as it is.
    """
    assert deps.case is not None
    language, record = deps.language, deps.case
    case = patched(record, patches)
    patient = read_patient(graph, case)
    ranked = rank_drugs(_with(deps, case, graph), graph.condition(condition).name if condition else None)
    facts = check(graph, (*patient.current, *patient.exposures), patient.context)
    ranking = ranked.payload(RankingData) or RankingData()
    asked = str(ranked.query.get("condition") or "") if ranked.data else ""
    return Drugs(
        medicines=tuple(_medicines(case, graph, facts, language)),
        regimens=tuple(_regimens(case, graph, language)),
        condition=condition or _condition_id(graph, ranked),
        conditions=_treatable(graph, language),
        ranked=tuple(_candidate(row, language) for row in ranking.ranked[:_MOST_RANKED]),
        rejected=tuple(_candidate(row, language) for row in ranking.rejected),
        edges=tuple(_edges(graph, patient, facts, language)),
        missing=(*patient.unknown_drugs, *(m[language == "zh"] for m in patient.missing)),
        reason="" if asked else ranked.reason or "",
        assumed=tuple(_assumed(p, record, graph, language) for p in patches),
        egfr=run(find("egfr_ckd_epi_2021"), case, None).value,
        minor=is_minor(case.patient),
        clearance=patient.context.crcl,
    )


def remarks_on(drug: str, deps: Deps, graph: DrugGraph) -> tuple[Remark, ...]:
    """What speaks for care with one drug in this patient."""
    patient = read_patient(graph, deps.case)
    found = check(graph, (graph.drug(drug), *patient.current, *patient.exposures), patient.context)
    reasons = cautioned(Record(deps.case, graph, ""), drug) if deps.case is not None else []
    values = [_of_record(o, deps.language) for o in reasons]
    return tuple([*values, *(_remark(f, deps.language) for f in found if drug in f.subjects)][:_MOST_REMARKS])


def creatinine_for(egfr: float, case: Case) -> Patch | None:
    """The creatinine at which this patient's estimated filtration rate is `egfr`; None without age or sex.

    Doses depend on clearance and indications on filtration rate: one supposed creatinine moves both together.
    """
    low, high = 5.0, 2500.0
    for _ in range(40):
        middle = (low + high) / 2
        patch = Patch("lab", "creatinine", round(middle, 1), "umol/L")
        value = run(find("egfr_ckd_epi_2021"), patched(case, (patch,)), None).value
        if value is None:
            return None
        low, high = (middle, high) if value > egfr else (low, middle)
    return Patch("lab", "creatinine", round((low + high) / 2, 1), "umol/L")


def _assumed(patch: Patch, record: Case, graph: DrugGraph, language: Language) -> str:
    """A supposition in words, its substance in the language of the reader."""
    named = replace(patch, name=allergen_name(patch.name, graph, language)) if patch.kind == "allergy" else patch
    return told(named, record, language)


def _with(deps: Deps, case: Case, graph: DrugGraph) -> Deps:
    return Deps(
        cache_dir=deps.cache_dir, case=case, language=deps.language, drugs=graph, engine=deps.engine, studies=deps.studies,
        case_dir=deps.case_dir,
    )  # fmt: skip


def _condition_id(graph: DrugGraph, ranked: ToolResult) -> str:
    names = ranked.query.get("condition")
    named = [c.id for c in graph.conditions() if isinstance(names, list) and c.name in names]
    return named[0] if named else ""


def _treatable(graph: DrugGraph, language: Language) -> tuple[tuple[str, str], ...]:
    with_edges = {row.condition for row in graph.tables.treats}
    named = [(c.id, c.name_zh if language == "zh" else c.name) for c in graph.conditions() if c.id in with_edges]
    return tuple(sorted(named, key=lambda row: row[1].casefold()))


def _medicines(case: Case, graph: DrugGraph, facts: Sequence[DrugFact], language: Language) -> list[Medicine]:
    rows, chart = [], Record(case, graph, "")
    for m in case.medications:
        found = graph.resolve(m.name)
        ids = {d.id for d in found}
        about = [f for f in facts if ids & set(f.subjects)]
        values = [_of_record(o, language) for d in sorted(ids) for o in cautioned(chart, d)]
        remarks = tuple([*values, *(_remark(f, language) for f in about)][:_MOST_REMARKS])
        rows.append(Medicine(name=drug_name(m.name, graph, language), dose=dose_of(m, language), known=bool(found), remarks=remarks))
    return rows


def _of_record(reason: Objection, language: Language) -> Remark:
    """What a value of the record (INR, pressure, platelets) says against a medicine."""
    text = closed(reason.zh, "。") if language == "zh" else closed(reason.en, ".")
    return Remark(key="", text=text, severity="moderate" if reason.action in ("reduce", "watch") else "major")


def _remark(fact: DrugFact, language: Language) -> Remark:
    text = fact.text_zh if language == "zh" else fact.text
    return Remark(key=fact.key, text=text, severity=fact.severity or "", inferred=fact.inferred)


def _regimens(case: Case, graph: DrugGraph, language: Language) -> list[RegimenCard]:
    cards = []
    for lines in fitting(Record(case, graph, "")):
        said = tuple((e.text_zh or e.text) if language == "zh" else e.text for e in lines)
        year = f", {lines[0].year}" if lines[0].year and str(lines[0].year) not in lines[0].source else ""
        cards.append(RegimenCard(lines=said, source=f"{lines[0].source}{year}"))
    return cards


def _candidate(row: CandidateRow, language: Language) -> Candidate:
    zh = language == "zh"
    against = tuple(Remark(key=w.key, text=w.text_zh if zh and w.text_zh else w.text, severity=w.severity) for w in row.warnings)
    parts = tuple((_RELATIONS.get(name, (name.replace("_", " "),) * 2)[1 if zh else 0], value) for name, value in row.parts.items())
    return Candidate(
        name=row.drug_zh if zh and row.drug_zh else row.drug,
        line=row.line,
        score=row.score,
        dose=row.dose or "",
        setting=row.setting or "",
        parts=parts,
        rejected=row.because or "",
        taken=row.already_taken,
        against=against,
    )


def _edges(graph: DrugGraph, patient: DrugPatient, facts: Sequence[DrugFact], language: Language) -> list[Edge]:
    """Facts between what the patient takes and what the patient has; a fact about one medicine alone goes to the patient."""
    zh = language == "zh"
    own = {d.id: d.name_zh if zh else d.name for d in (*patient.current, *patient.exposures)}
    conditions = {graph.condition(c).name.lower(): graph.condition(c) for c in patient.context.conditions}
    person = pair("patient")[zh]
    edges = []
    for f in facts:
        named = [own[s] for s in f.subjects if s in own]
        named += [conditions[s].name_zh if zh else conditions[s].name for s in f.subjects if s in conditions]
        if named:
            b = named[1] if len(named) > 1 else person
            edges.append(Edge(a=named[0], b=b, severity=f.severity or "", text=f.text_zh if zh else f.text))
    return edges
