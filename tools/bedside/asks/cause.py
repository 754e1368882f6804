"""Is a medicine the cause of a value or a symptom: rows of drug effects and label facts against what is taken."""

import re
from dataclasses import dataclass
from functools import cache

from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import messages
from tools.bedside.asks.course import points
from tools.bedside.asks.effects import Effect, Said, effects
from tools.bedside.asks.subject import asks, name_of, values_named
from tools.bedside.judging import Applied, evidence
from tools.bedside.record.expression import holds, names_of
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import words
from tools.bedside.record.wording import write
from tools.evidence import Evidence

pair = messages("tools.bedside").pair

_MOST = 4
# From this place on only the label speaks for a suspect.
_LABELLED = 90
# Characters of a question that is hardly more than a value and a medicine.
_SHORT = 60
_LABEL = "Product labels in the drug graph"


@dataclass(frozen=True)
class Suspect:
    """A medicine that is taken and has the effect."""

    name: tuple[str, str]
    why: tuple[str, str]
    since: str
    source: str
    year: int | None
    named: bool
    row: int


def raised(question: str) -> bool:
    """Whether the question asks for a cause and names an effect or a value that has rows."""
    return asks_cause(question) and bool(_candidates(question))


def asks_cause(question: str) -> bool:
    """Whether a question asks for a cause; names that were written out in brackets do not count."""
    return bool(asks("cause").search(re.sub(r" ?\([^)]*\)", "", question)))


def _candidates(question: str) -> list[Effect]:
    named = values_named(question)
    told = [e for e in effects() if e.pattern.search(question)]
    meant = [e for name in named for e in effects() if name in e.known_by]
    return list(dict.fromkeys((*told, *meant)))


def causes(question: str, record: Record) -> list[Evidence]:
    """The answer for the first effect that the record shows; empty where the question raises none."""
    stopping = bool(words("stop").search(question) or words("may").search(question))
    cause = asks_cause(question)
    if not cause and not stopping and len(question) > _SHORT:
        return []
    applied = Applied(record, {}, {})
    shown = [e for e in _candidates(question) if holds(e.test, applied) is True]
    for effect in sorted(shown, key=lambda e: not _by_another_value(e, question, applied)):
        suspects = _suspects(effect, question, record, applied)
        mine = any(s.named for s in suspects)
        # A medicine beside the value that it may have changed asks for the cause; whether to stop it, for what to do first.
        if (effect.only_named or not cause) and not (mine and set(values_named(question)) & set(effect.known_by)):
            continue
        if suspects or effect.value or effect.other:
            return _answer(effect, suspects, question, record, applied, action_first=stopping and not cause)
    return []


def _by_another_value(effect: Effect, question: str, applied: Applied) -> list[Said]:
    """Reasons in the record that rest on another value which the question names (`the low Mg` for a low potassium)."""
    others = set(values_named(question)) - set(effect.known_by)
    return [s for s in effect.other if s.test and names_of(s.test)[0] & others and holds(s.test, applied) is True]


def _suspects(effect: Effect, question: str, record: Record, applied: Applied) -> list[Suspect]:
    graph = record.graph
    named = {d.id for d in graph.mentions(question)} | {
        i for m in graph.scan(question) if m.kind == "class" for c in m.ids for i in record.members(f"@{c}")
    }
    found: dict[str, Suspect] = {}
    for number, cause in enumerate(effect.cause):
        if holds(cause.test, applied) is not True:
            continue
        why = _clause(cause.en, cause.zh, applied)
        for drug in record.taken(cause.drugs) if cause.drugs else ():
            name = graph.name(drug)
            found.setdefault(drug, Suspect((name.en, name.zh), why, _since(record, drug), cause.source, cause.year, drug in named, number))
        if cause.written:
            pattern = re.compile(cause.written, re.IGNORECASE)
            mine = next((m for m in record.case.medications if pattern.search(m.name)), None)
            if mine is not None:
                said = bool(pattern.search(question))
                found.setdefault(cause.written, Suspect(cause.name, why, mine.since or "", cause.source, cause.year, said, number))
    for drug in dict.fromkeys(d.id for d in record.patient.current):
        if drug not in found and (facts := [f for f in graph.facts((drug,), ("causes",)) if _effect_ids(f.subjects) & set(effect.graph)]):
            name, rare = graph.name(drug), "uncommonly" in facts[0].text or "rarely" in facts[0].text
            why = pair("listed by the label as uncommon") if rare else pair("listed by the label")
            found[drug] = Suspect((name.en, name.zh), why, _since(record, drug), _LABEL, None, drug in named, _LABELLED + rare)
    return sorted(found.values(), key=lambda s: (not s.named, s.row))


@cache
def _names_of_effects() -> dict[str, str]:
    return {e.name.casefold(): e.id for e in DrugGraph.load().tables.effects}


def _effect_ids(subjects: tuple[str, ...]) -> set[str]:
    known = _names_of_effects()
    return {known.get(s.casefold(), s) for s in subjects}


def _clause(en: str, zh: str, applied: Applied) -> tuple[str, str]:
    """A row's text in both languages as part of a sentence."""
    text = write(en, applied, "en")
    return (text[:1].lower() + text[1:] if text[1:2].islower() else text), write(zh, applied, "zh")


def _since(record: Record, drug: str) -> str:
    for medicine in record.case.medications:
        if medicine.since and any(d.id == drug for d in record.graph.resolve(medicine.name)):
            return medicine.since
    return ""


def _answer(
    effect: Effect, suspects: list[Suspect], question: str, record: Record, applied: Applied, *, action_first: bool = False
) -> list[Evidence]:
    lines = [
        (write(s.en, applied, "en") + ".", write(s.zh, applied, "zh") + "。") for s in effect.before if holds(s.test, applied) is True
    ][:1]
    lines.append(_verdict(effect, suspects, question, record, applied))
    action = next((s for s in effect.do if holds(s.test, applied) is True), None)
    if action is not None and (suspects or _by_another_value(effect, question, applied)):
        done = (write(action.en, applied, "en") + ".", write(action.zh, applied, "zh") + "。")
        lines.insert(0 if action_first else len(lines), done)
    others = [_clause(s.en, s.zh, applied) for s in effect.other if holds(s.test, applied) is True]
    if others and any(s.row < _LABELLED or s.named for s in suspects):
        lines.append(pair("Also in the record: {others}.", others=_joined(others)))
    source, year = (suspects[0].source, suspects[0].year) if suspects else (_LABEL, None)
    return [evidence(f"B-cause-{effect.id}-{n}", en, zh, source, year) for n, (en, zh) in enumerate(lines)]


def _verdict(effect: Effect, suspects: list[Suspect], question: str, record: Record, applied: Applied) -> tuple[str, str]:
    state, state_zh = _state(effect, record, applied)
    others = [_clause(s.en, s.zh, applied) for s in effect.other if holds(s.test, applied) is True]
    direct = [_clause(s.en, s.zh, applied) for s in _by_another_value(effect, question, applied)]
    if direct:
        more = pair("; medicines that add to it: {suspects}", suspects=_listed_in_both(suspects[:_MOST])) if suspects else ""
        return pair(
            "Yes, it can: {direct}{state}{more}.",
            direct=_joined(direct),
            state=(state, state_zh),
            more=more,
        )
    if not suspects:
        tail = pair("; other reasons in the record: {others}", others=_joined(others)) if others else ""
        return pair(
            "None of the current medicines is known here for {title}{state}{tail}.",
            title=effect.title,
            state=(state, state_zh),
            tail=tail,
        )
    mine = [s for s in suspects if s.named]
    if others and not mine and all(s.row >= _LABELLED for s in suspects):
        return pair(
            "First the record's own reasons: {others}{state}; medicines that may add: {suspects}.",
            others=_joined(others),
            state=(state, state_zh),
            suspects=_listed_in_both(suspects[:_MOST]),
        )
    asked = {d.id for d in record.graph.mentions(question)}
    firm = effect.yes is not None and holds(effect.yes.test, applied) is True
    if mine:
        head, head_zh = (effect.yes.en, effect.yes.zh) if firm and effect.yes else _grade(mine[0])
        rest = [s for s in suspects if not s.named and s.row < _LABELLED][: _MOST - 1]
        more, more_zh = pair(" Adding to it: {suspects}.", suspects=_listed_in_both(rest)) if rest else ("", "")
        return f"{head}: {_listed(mine, 'en')}{state}.{more}", f"{head_zh}：{_listed(mine, 'zh')}{state_zh}。{more_zh}"
    strong = [s for s in suspects if s.row < _LABELLED] or suspects
    denied, denied_zh = ("", "")
    if asked and not firm:
        names = [record.graph.name(d) for d in asked]
        denied, denied_zh = pair(
            "{names}: not listed here for {title}. ",
            names=(", ".join(n.en for n in names), "、".join(n.zh for n in names)),
            title=effect.title,
        )
    lead, lead_zh = (effect.yes.en, effect.yes.zh) if firm and effect.yes else pair("Likely from the medicines")
    return (
        f"{denied}{lead}: {_listed(strong[:_MOST], 'en')}{state}.",
        f"{denied_zh}{lead_zh}：{_listed(strong[:_MOST], 'zh')}{state_zh}。",
    )


def _grade(suspect: Suspect) -> tuple[str, str]:
    return pair("Possible") if suspect.row > _LABELLED else pair("Yes, likely")


def _listed(suspects: list[Suspect], language: str) -> str:
    zh = language == "zh"
    out = []
    for s in suspects:
        since = "" if not s.since else pair(", since {since}", since=s.since)[zh]
        out.append(f"{s.name[1]}（{s.why[1]}{since}）" if zh else f"{s.name[0]} ({s.why[0]}{since})")
    return ("、" if zh else ", ").join(out)


def _listed_in_both(suspects: list[Suspect]) -> tuple[str, str]:
    return _listed(suspects, "en"), _listed(suspects, "zh")


def _joined(clauses: list[tuple[str, str]]) -> tuple[str, str]:
    return "; ".join(en for en, _ in clauses), "；".join(zh for _, zh in clauses)


def _state(effect: Effect, record: Record, applied: Applied) -> tuple[str, str]:
    """The values that show the effect, with where they come from."""
    parts, parts_zh = [], []
    for name in effect.show or ((effect.value,) if effect.value else ()):
        value = record.get(name)
        if value is None:
            continue
        en, zh = name_of(name) if name != "qtc" else ("QTc", "QTc")
        found = points(name, record)
        before, before_zh = pair(" ({shown} on {day})", shown=found[-2].shown, day=found[-2].time[:10]) if len(found) > 1 else ("", "")
        if name == "alt" and effect.times and (times := record.get(effect.times)) is not None:
            before, before_zh = pair(" ({shown} times the limit of 40){before}", shown=times.shown, before=(before, before_zh))
        parts.append(f"{en} {value.shown}{before}")
        parts_zh.append(f"{zh} {value.shown}{before_zh}")
    if not parts:
        return "", ""
    return f"; {', '.join(parts)}", f"；{'，'.join(parts_zh)}"
