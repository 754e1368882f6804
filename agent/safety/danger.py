"""Who is in danger: emergencies in what is typed and in the record."""

import re
from dataclasses import dataclass

from agent.safety.triggers import Limit, Trigger, pattern, triggers
from retrieval.concepts.context import clauses, statuses
from retrieval.messages.patterns import patterns
from tools.case.record import Case
from tools.labs.analytes import find_analyte
from tools.labs.units import parse_unit

_WORDS = patterns("agent.safety")

_LINK = (
    r"(?:[\s=:：(]|\b(?:levels?|of|is|was|are|at|now|only|reads?|reading|came|back|has|just|gone|went|in|the|around|about|"
    r"down|up|dropped|drops?|"
    r"fell|falling|crashed|shot|hit|to)\b|" + _WORDS.text("link_zh") + r"){0,8}"
)
_VALUE = _WORDS.regex("danger_value")
_SILENT = frozenset({"negated", "family", "historical", "hypothetical"})
_FEVER = _WORDS.regex("danger_fever")
_ASKS_HOW = re.compile(r"\bhow (?:do|would|should|can) (?:i|we|you)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Danger:
    """One emergency that was found.

    Attributes:
        trigger: Which one.
        because: What was typed or recorded, as it stands there.
        typed: Whether it was typed; else it stands in the record.
        limit: Name of the limit that was crossed.
    """

    trigger: Trigger
    because: str
    typed: bool
    limit: str | None = None


def typed(question: str) -> tuple[Danger, ...]:
    """Emergencies in a message, the gravest first; none for questions about knowledge."""
    crossed = dict(_values(question))
    if not crossed and _about_knowledge(question):
        return ()
    found = []
    for trigger in triggers().emergency:
        hit = next((name for name in trigger.values if name in crossed), None)
        said = None if hit else _said(trigger, question)
        if hit is not None:
            found.append(Danger(trigger, crossed[hit], True, hit))
        elif said is not None:
            found.append(Danger(trigger, said, True))
    return tuple(sorted(found, key=lambda d: d.trigger.order))


def recorded(case: Case) -> tuple[Danger, ...]:
    """Emergencies in the record of an open case: last values, and wording of findings and notes."""
    crossed = {**_vitals(case), **_labs(case)}
    seen = case.presentation
    texts = [*seen.symptoms, *seen.findings, *(n.text for n in case.notes[-1:])]
    found = []
    for trigger in triggers().emergency:
        hit = next((name for name in trigger.values if name in crossed), None)
        if hit is not None:
            found.append(Danger(trigger, crossed[hit], False, hit))
            continue
        said = next((s for t in texts if (s := _said(trigger, t)) is not None), None)
        if said is not None:
            found.append(Danger(trigger, said, False))
    return tuple(sorted(found, key=lambda d: d.trigger.order))


def _about_knowledge(question: str) -> bool:
    known = triggers().knowledge
    plain = _ASKS_HOW.sub(" ", question)
    return bool(pattern(known.asks).search(question)) and not pattern(known.person).search(plain)


def _said(trigger: Trigger, text: str) -> str | None:
    if pattern(trigger.not_).search(text):
        return None
    for match in pattern(trigger.words).finditer(text):
        if not statuses(text, match.start(), match.end()) & _SILENT and not _past(text, match.start()):
            return match.group(0).strip(" .,;，。；")
    return None


def _past(text: str, at: int) -> bool:
    """Whether the clause around `at` tells of another day."""
    clause = next((text[c.start : c.end] for c in clauses(text) if c.start <= at < c.end), text)
    return bool(pattern(triggers().knowledge.past).search(clause))


def _values(text: str) -> list[tuple[str, str]]:
    """Limits that a message's values cross, with the words that say so."""
    found = []
    specimen = triggers().specimen
    elsewhere = bool(re.search(specimen.other, text, re.IGNORECASE | re.ASCII))
    for name, limit in triggers().limits.items():
        if elsewhere and name in specimen.blood:
            continue
        for match in re.finditer(limit.names, text, re.IGNORECASE | re.ASCII):
            link = re.compile(_LINK, re.IGNORECASE).match(text, match.end())
            number = _VALUE.match(text, link.end() if link else match.end())
            beyond = number is not None and number["cmp"] == ">" and limit.offscale
            if (
                number is None
                or (number["cmp"] and not beyond)
                or number["more"]
                or _past(text, match.start())
                or statuses(text, match.start(), match.end()) & _SILENT - {"negated"}
            ):
                continue
            value = _converted(float(number["value"]), number["unit"], limit)
            low, high = limit.plausible
            if low <= value <= high and limit.crossed(value) and (not limit.fever or _FEVER.search(text)):
                found.append((name, text[match.start() : number.end()].strip()))
                break
    return found


def _converted(value: float, unit: str | None, limit: Limit) -> float:
    """The value in the unit of its limit; glued forms that clinicians type ("Hb 5.8") are read by size."""
    written = (unit or "").lower()
    analyte = find_analyte(limit.analyte) if limit.analyte else None
    if analyte is not None and written and (known := parse_unit(written)) is not None:
        converted = analyte.to_canonical(value, known)
        return value if converted is None else converted
    if analyte is not None and analyte.id in ("haemoglobin", "hemoglobin") and not written and value < 25:
        return value * 10
    return value * 7.50062 if written == "kpa" else value


# Vital signs as charts of both languages write them.
_SHOWN = {
    "spo2_pct": "SpO2 {}%",
    "sbp_mmhg": "SBP {} mmHg",
    "respiratory_rate": "RR {}/min",
    "heart_rate": "HR {}/min",
    "gcs": "GCS {}",
    "temperature_c": "{} °C",
}


def _vitals(case: Case) -> dict[str, str]:
    if not case.vitals:
        return {}
    last = max(case.vitals, key=lambda v: v.time or "")
    seen = case.presentation
    told = ". ".join([*seen.symptoms, *seen.findings, *(n.text for n in case.notes), *(m.name for m in case.medications)])
    out = {}
    for name, limit in triggers().limits.items():
        value = getattr(last, limit.record, None) if limit.record else None
        if value is not None and limit.crossed(float(value)) and not (limit.unless and re.search(limit.unless, told, re.IGNORECASE)):
            out[name] = _SHOWN.get(limit.record or "", "{}").format(f"{value:g}")
    return out


def _labs(case: Case) -> dict[str, str]:
    from tools.labs.value import latest

    out = {}
    for name, limit in triggers().limits.items():
        if limit.analyte is None or limit.fever:
            continue
        wanted = find_analyte(limit.analyte)
        for r in latest(case.labs, case.patient):
            if wanted is None or r.analyte is None or r.analyte.id != wanted.id or r.canonical is None:
                continue
            if limit.crossed(r.canonical):
                out[name] = f"{r.name()} {r.observation.value:g} {r.observation.unit or ''}".strip()
    return out
