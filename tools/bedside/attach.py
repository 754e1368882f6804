"""What a tool's result gains when a case is open: judgements that answer the question, and notes on the drugs that its evidence names."""

import re
from collections.abc import Iterable
from itertools import combinations

from retrieval.drugs.facts import DrugFact
from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import messages
from tools.bedside.asks import cause, dosing, formula, general, part
from tools.bedside.asks.compared import compared
from tools.bedside.asks.place import places
from tools.bedside.asks.subject import asks, values_named
from tools.bedside.cautions import against, closed, objections, to_stop
from tools.bedside.doses import asks_dose, dose
from tools.bedside.handover import handover
from tools.bedside.instead import alternative
from tools.bedside.judging import OF_DRUGS, evidence, judge
from tools.bedside.matching.likeness import by_fit, like
from tools.bedside.matching.meant import beside, likely, meant, near, record_of
from tools.bedside.parts import with_parts
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import words
from tools.bedside.regimens import choose, forbidding
from tools.bedside.told import told
from tools.bedside.topics import Topic, asked, topics
from tools.bedside.verdicts import UNOPPOSED, asks_whether, refusals, unspoken, verdicts
from tools.deps import Deps
from tools.evidence import Evidence, ToolName, ToolResult
from tools.spec import specs

pair = messages("tools.bedside").pair

_READ = 8
# Sentences of a topic that stand below the answer to a general question.
_BESIDE = 3
_BARE_WORDS = 6
# Topics of this rank hold limits with numbers.
_FIRM = 5
_MOST_LIMITS = 6
# From this rank on a topic stands before general answers of these kinds.
_DECIDES = 9
# Topics from these ranks on stand before a bare score, or a quoted part of a report.
_ABOVE = (("B-formula-", 11), ("B-part-", 9))
# From this rank on a topic has weighed the medicines that it names.
_SETTLES = 13
# Chance from which a topic answers where nothing else does.
_LIKELY = 0.35
# Chance from which a topic answers where the tool itself has nothing to say, and stands below what it says.
_PERHAPS = 0.2
# Chance from which a topic answers for a patient who is only told of.
_OF_TOLD = 0.45
# A topic of this rank answers before a refusal where the question is not whether something may be given.
_LIMITS = 10
_OUTRANKED = ("B-course-", "B-cause-")
_SHORT = 24


def attach(result: ToolResult, deps: Deps) -> ToolResult:
    """The result with the bedside evidence of this question and this case; unchanged without a case."""
    if specs()[result.tool].of_report:
        return result
    if deps.case is None:
        return _of_told(result, deps)
    graph = deps.drugs or DrugGraph.load()
    record = record_of(deps.case, graph, deps.question)
    found: list[Evidence] = []
    for text in deps.asked:
        record = record_of(deps.case, graph, text)
        found = judgements(record.question, record, topics_only=not specs()[result.tool].of_patient)
        found = with_parts(record.question, record, found) if specs()[result.tool].of_patient else found
        if found:
            found += beside(record, found, bool(deps.wordings)) if specs()[result.tool].of_patient else []
            break
    found = found or (_perhaps(record, result) if specs()[result.tool].of_patient else [])
    notes = drug_notes((*(e for e in found if not _settled(e)), *result.evidence[:_READ]), record)
    if not found and not notes:
        return result
    status = "partial" if found and result.status in ("empty", "error", "unavailable") else result.status
    have = {e.key for e in result.evidence}
    new = [e for e in (*found, *notes) if e.key not in have]
    return result.model_copy(update={"evidence": (*new[: len(found)], *result.evidence, *new[len(found) :]), "status": status})


def _of_told(result: ToolResult, deps: Deps) -> ToolResult:
    """Without an open case: what the likeliest topic says of the patient whom the message tells of."""
    if not specs()[result.tool].of_patient:
        return result
    graph = deps.drugs or DrugGraph.load()
    tellings = ((case, text) for text in deps.asked if (case := told(text)) is not None)
    records = (record_of(case, graph, text) for case, text in tellings)
    record, found = next(((r, lines) for r in records if (lines := meant(r, _OF_TOLD))), (None, []))
    if record is None:
        return result
    notes = drug_notes((e for e in found if not _settled(e)), record)
    status = "partial" if result.status in ("empty", "error", "unavailable") else result.status
    return result.model_copy(update={"evidence": (*found, *result.evidence, *notes), "status": status})


def _perhaps(record: Record, result: ToolResult) -> list[Evidence]:
    """Where nothing of this room answers: the topic that may be meant, as the answer where the tool has none, else below it."""
    question = record.question
    if _bare(question) or (formula.in_general(question) and not words("patient").search(question)):
        return []
    if not result.evidence:
        return meant(record, _PERHAPS)
    return near(record, _PERHAPS) if result.tool == "search_guidelines" else []


def _topic(item: Evidence) -> str:
    """Id of the topic that a sentence may be of."""
    return item.key.removeprefix("B-").rpartition("-")[0]


def _settled(item: Evidence) -> bool:
    """Whether a sentence is of a topic that has weighed its medicines for this record."""
    topic = topics().get(_topic(item))
    return topic is not None and topic.rank >= _SETTLES


def wanted(question: str) -> tuple[ToolName, str] | None:
    """The tool, and the topic it is for, that a question about the open case should at least ask; None where this room is silent."""
    if words("safest").search(question) and general.names_a_drug(question):
        return "check_medications", ""
    raised = asked(question)
    if raised:
        return raised[0].tool, raised[0].id
    near = like(question, topics())
    if words("stop").search(question) and words("open").search(question):
        return "check_medications", ""
    if general.raised(question):
        return "summarize_case", ""
    if asks_whether(question) and general.names_a_drug(question):
        return "check_medications", ""
    if words("handover").search(question):
        return "summarize_case", ""
    near = near or likely(question)
    return (topics()[near].tool, near) if near is not None else None


def judgements(question: str, record: Record, *, topics_only: bool = False) -> list[Evidence]:
    """Everything of this room that answers the question for this patient, most specific first; `topics_only` beside an imaging tool."""
    if formula.in_general(question) and not words("patient").search(question) and not part.of_report(question):
        return []  # about what is recommended in general, not about this patient
    weighed = [] if topics_only else compared(question, record)
    if weighed:
        return weighed
    answered = general.answers(record)
    if answered and answered[0].key.startswith("B-cause-") and not cause.asks_cause(question):
        # Whether to stop it: a topic with its limits knows better than the row of the effect.
        limits = [e for t, lines in _spoken(question, record) if t.rank >= _FIRM for e in lines]
        answered = [*limits, *answered][:_MOST_LIMITS] if limits else answered
    if answered and any(e.key.startswith(general.ALONE) for e in answered):
        outranked = answered[0].key.startswith(_OUTRANKED)
        return [*_decided(question, record, _DECIDES), *answered, *_beside(question, record)][:_MOST_LIMITS] if outranked else answered
    firm = [] if topics_only or asks_dose(question) else refusals(question, record)
    spoken = _spoken(question, record)
    settled = {d.id for t, lines in spoken if t.rank >= _SETTLES for e in lines for d in record.graph.mentions(e.text)}
    if settled & {d.id for d in record.graph.mentions(question)}:
        firm = []  # the topic says how this medicine is given here in spite of what stands against it
    loud = [lines for t, lines in spoken if t.rank > 0] or [lines for _, lines in spoken]
    found = [e for lines in loud[:2] for e in lines]
    if answered:
        least = next((rank for start, rank in _ABOVE if answered[0].key.startswith(start)), None)
        first = [] if least is None else _decided(question, record, least)
        said = [*firm, *first, *answered, *found[:_BESIDE]]
        return list({e.key: e for e in said}.values())
    if topics_only:
        return found
    asked_of = bool(firm) and bool(spoken) and spoken[0][0].rank >= _LIMITS and not asks_whether(question)
    asked_of = asked_of and _speaks_of_all(question, spoken[0][1], record)
    found = [*found, *firm] if asked_of else [*firm, *found]
    high = any(t.rank >= 7 for t, _ in spoken)
    dosed = dose(question, record) if asks_dose(question) else []
    found += dosed
    stopping = bool(words("stop").search(question) and words("open").search(question))
    if stopping:
        found += stop_list(record)
    unnamed = bool(words("which_antibiotic").search(question)) and not any(record.graph.mentions(e.text) for e in found)
    if not firm and (not found or unnamed or not (high or stopping or dosed)) and not _of_values(question):
        found += choose(question, record)
    if not found and words("handover").search(question):
        found += handover(record)
    if not found and not _bare(question):
        near = [] if asks_whether(question) and _opposed(question, record) else meant(record, _LIKELY)
        found += [*unspoken(question, record, near), *near] if near else []
    if not found and (asks_whether(question) or words("stop").search(question) or _bare(question) or _of_a_drug(question, record)):
        said, place = verdicts(question, record), places(question, record)
        # What speaks against it comes before its place in treatment.
        found += [*place, *said] if said and said[0].source == UNOPPOSED else [*said, *place]
    elif not topics_only and not firm and not dosed:
        whether = asks_whether(question)
        silent = unspoken(question, record, found, grave=not whether)
        found = [*silent, *found] if whether else [*found, *silent]
    if not found:
        found += general.fallback(record)
    return list({e.key: e for e in found}.values())


def _spoken(question: str, record: Record) -> list[tuple[Topic, list[Evidence]]]:
    """Topics that the question's words raise and that apply to this record, with what they say: the one that fits best first."""
    told = {t.id: lines for t in asked(question) if (lines := judge(t, record))}
    return [(t, told[t.id]) for t in by_fit(question, (topics()[name] for name in told))]


def _of_values(question: str) -> bool:
    """Whether a question is about values and names no medicine: `treat` then means the value, not the disease."""
    return bool(values_named(question)) and not words("antimicrobial").search(question) and not general.names_a_drug(question)


def _opposed(question: str, record: Record) -> bool:
    """Whether much speaks against a medicine that a question would add: that comes before a topic which it is merely like."""
    current = {d.id for d in record.patient.current}
    new = [d.id for d in record.graph.mentions(question) if d.id not in current]
    return any(o.grave <= 1 for d in new for o in objections(record, d)[:1])


def _decided(question: str, record: Record, rank: int) -> list[Evidence]:
    """What a topic of a high rank decides: it stands before the course of a value, a list of suspects, a bare score."""
    return next((lines for t, lines in _spoken(question, record) if t.rank >= rank), [])


def _beside(question: str, record: Record) -> list[Evidence]:
    """The bottom line of a topic of lower rank, below the course of a value or its causes."""
    return next((lines[:1] for t, lines in _spoken(question, record) if 0 < t.rank < _DECIDES), [])


def _speaks_of_all(question: str, lines: list[Evidence], record: Record) -> bool:
    """Whether sentences speak of every medicine that a question names."""
    told = {d.id for e in lines for d in record.graph.mentions(e.text)}
    return {d.id for d in record.graph.mentions(question)} <= told


def _of_a_drug(question: str, record: Record) -> bool:
    """Whether a short question is about a medicine that the patient takes, and does not ask for facts on it."""
    named = {d.id for d in record.graph.mentions(question)} | {
        i for m in record.graph.scan(question) if m.kind == "class" for c in m.ids for i in record.members(f"@{c}")
    }
    taken = {d.id for d in record.patient.current}
    short = len(re.findall(r"[A-Za-z-]+|[\u4e00-\u9fff]", question)) <= _SHORT
    return bool(named & taken) and short and not asks("facts_only").search(question)


def _bare(question: str) -> bool:
    """Whether a question is hardly more than a name (`Rivaroxaban?`)."""
    return question.strip().endswith(("?", "？")) and len(re.findall(r"[A-Za-z-]+|[\u4e00-\u9fff]+", question)) <= _BARE_WORDS


def stop_list(record: Record) -> list[Evidence]:
    """Current medicines to stop or hold, each with its reason, and pairs that should not be together; the bottom line names them all."""
    found = to_stop(record)
    high = [(d, e) for d, e in dosing.too_high(record) if d not in {o.drug for o in found}]
    pairs = [f for f in clashes(record) if not {o.drug for o in found if o.action == "stop"} & set(f.subjects)]
    if not found and not pairs and not high:
        return []
    lines: list[tuple[str, str, str, int | None]] = []
    names = [record.graph.name(o.drug) for o in found]
    firm = [n for n, o in zip(names, found, strict=True) if o.action in ("stop", "avoid")]
    held = [n for n, o in zip(names, found, strict=True) if o.action == "hold"]
    told = [pair("stop {drugs}", drugs=(" and ".join(n.en for n in firm), "、".join(n.zh for n in firm)))] if firm else []
    told += [pair("withhold {drugs} for now", drugs=(", ".join(n.en for n in held), "、".join(n.zh for n in held)))] if held else []
    if high:
        lower = [record.graph.name(d) for d, _ in high]
        told.append(pair("lower the dose of {drugs}", drugs=(", ".join(n.en for n in lower), "、".join(n.zh for n in lower))))
    for fact in pairs[:2]:
        a, b = (record.graph.name(s) for s in fact.subjects)
        told.append(pair("{first} and {second} should not be together", first=(a.en, a.zh), second=(b.en, b.zh)))
    lines.append(("; ".join(e for e, _ in told) + ".", "；".join(z for _, z in told) + "。", "record and rows on medicines", None))
    for n, o in zip(names, found, strict=True):
        lines.append((f"{n.en}: {closed(o.en, '.')}", f"{n.zh}：{closed(o.zh, '。')}", o.source, o.year))
    lines += [(e.text, e.text_zh or e.text, e.source, e.year) for _, e in high[:3]]
    lines += [(f.text, f.text_zh, f.source, f.year) for f in pairs[:2]]
    for o in found:
        row = alternative(o.drug, record)
        if row is not None and "paracetamol" not in o.en:
            lines.append((row[0], row[1], o.source, o.year))
    return [evidence(f"B-stop-{i}", e, z, source, year) for i, (e, z, source, year) in enumerate(lines)]


def clashes(record: Record) -> list[DrugFact]:
    """Listed interactions among current medicines that are contraindicated or major, worst first."""
    current = [d.id for d in record.patient.current]
    pairs = [f for a, b in combinations(current, 2) for f in record.graph.interactions(a, b)]
    grave = [f for f in pairs if not f.inferred and f.severity in ("contraindicated", "major")]
    return sorted(grave, key=lambda f: f.severity != "contraindicated")


def drug_notes(shown: Iterable[Evidence], record: Record) -> list[Evidence]:
    """For every drug that a piece of evidence names: what speaks against it in this patient.

    Sentences on medicines of this room have weighed their drugs already; a topic's text has not, so what is forbidden here stands under it.
    """
    out: dict[str, Evidence] = {}
    current = {d.id for d in record.patient.current}
    for item in shown:
        if item.key.startswith(OF_DRUGS):
            continue
        named = record.graph.mentions(item.text)
        for drug in named:
            if f"P-{drug.id}" in out or drug.id in current or (item.key.startswith("B-") and not forbidding(record, drug.id)):
                continue
            found = against(record, drug.id, beside=tuple(d for d in named if d.id != drug.id))
            if found is not None:
                en, zh = pair("For this patient: {found}", found=found)
                out[f"P-{drug.id}"] = evidence(f"P-{drug.id}", en, zh, "drug graph and record", None)
    return list(out.values())
