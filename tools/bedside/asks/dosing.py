"""The dose that the record or the question gives, against what this weight, kidney and age allow (`data/bedside/dose_checks.toml`)."""

import re
from dataclasses import dataclass, replace
from functools import cache

from pydantic import BaseModel, ConfigDict

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.bedside.asks.subject import asks, rows
from tools.bedside.cautions import objections
from tools.bedside.doses import INDICATIONS
from tools.bedside.judging import Applied, evidence
from tools.bedside.record.expression import holds
from tools.bedside.record.values import Value
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import words
from tools.bedside.record.wording import write
from tools.evidence import Evidence
from tools.labs.value import shown

_WORDS = patterns("tools.bedside")

pair = messages("tools.bedside").pair

_IN_MG = {
    "mg": 1.0,
    "g": 1000.0,
    "ug": 0.001,
    "µg": 0.001,
    "μg": 0.001,
    "mcg": 0.001,
    "microgram": 0.001,
    "micrograms": 0.001,
}
# What rounding of a dose may add.
_SLACK = 1.02
# Times a day by the words of a frequency; the first that is met counts.
_A_DAY_BY = {"weekly": 1 / 7, "every_other_day": 0.5, "four": 4.0, "three": 3.0, "two": 2.0, "one": 1.0}
_TIMES = tuple((words, _A_DAY_BY[name]) for name, words in _WORDS.table("times").items())
_TYPED, _A_DAY, _OPEN_END = _WORDS.regex("dose"), _WORDS.regex("a_day"), _WORDS.regex("open_end")


class Check(BaseModel):
    """One row.

    Attributes:
        per_kg: Range in mg per kg a day.
        least: Least and `most` the highest amount a day in mg; `most` of 0 means not at all.
        advice: What is right here, in both languages.
        force: The advice stands whatever the amount.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    drug: str
    test: str = ""
    per_kg: tuple[float, float] | None = None
    least: float | None = None
    most: float | None = None
    advice: tuple[str, str]
    source: str
    year: int | None = None
    force: bool = False


@dataclass(frozen=True)
class Taken:
    """An amount of a drug: a day in mg, and as it stands in the record."""

    a_day: float
    en: str
    zh: str


@cache
def checks() -> tuple[Check, ...]:
    """All rows in order."""
    return tuple(Check.model_validate(row) for row in rows("dose_checks")["check"])


def asked(question: str) -> bool:
    """Whether a question asks if a dose is right."""
    return bool(asks("dose_check").search(question) and asks("dose_names").search(question))


def checked(record: Record) -> list[Evidence]:
    """A verdict on the dose of the first drug of the question that the record or the question gives a dose for."""
    question = record.question
    if not asks("dose_check").search(question) and not _another_dose(question, record):
        return []
    current = {d.id for d in record.patient.current}
    named = list(dict.fromkeys(d.id for d in record.graph.mentions(question)))
    named = named or [d for m in record.graph.scan(question) if m.kind == "class" for c in m.ids for d in record.taken(f"@{c}")]
    for drug in sorted(named, key=lambda d: d not in current):
        taken = _typed(question, record, drug, len(named)) or _recorded(record, drug)
        if taken is None or not (asked(question) or _as_recorded(question, record, drug) or _another_dose(question, record)):
            continue
        row = _row(drug, record)
        found = _against(row, taken, record) if row is not None else _by_graph(drug, taken, record)
        if found:
            return found
    return []


def too_high(record: Record) -> list[tuple[str, Evidence]]:
    """Medicines of the record, by id, whose recorded dose is above what is right here, each with the verdict on it."""
    out = []
    for drug in dict.fromkeys(d.id for d in record.patient.current):
        row, taken = _row(drug, record), _recorded(record, drug)
        if row is None or taken is None or row.force or row.most is None or taken.a_day <= row.most * _SLACK:
            continue
        out += [(drug, found[0])] if (found := _against(row, taken, record)) else []
    return out


def _another_dose(question: str, record: Record) -> bool:
    """Whether a question puts an amount to a medicine that is taken (`apixaban 2.5 mg instead?`)."""
    taken = {d.id for d in record.patient.current} & {d.id for d in record.graph.mentions(question)}
    open_question = words("may").search(question) or _OPEN_END.search(question)
    return bool(taken and _TYPED.search(question) and open_question)


def _as_recorded(question: str, record: Record, drug: str) -> bool:
    """Whether a bare number of the question is the recorded dose."""
    digits = {float(n) for n in re.findall(r"(?<![\d.])\d+(?:\.\d+)?(?![\d.])", question)}
    return any(m.dose in digits for m in record.case.medications if any(d.id == drug for d in record.graph.resolve(m.name)))


def _row(drug: str, record: Record) -> Check | None:
    applied = Applied(record, {}, {})
    return next((c for c in checks() if c.drug == drug and holds(c.test, applied) is True), None)


def _in_mg(unit: str) -> float | None:
    """Milligrams in one of a written unit."""
    folded = unit.casefold()
    return _IN_MG.get(_WORDS.table("dose_unit").get(folded, folded))


def _times(text: str) -> float | None:
    return next((n for pattern, n in _TIMES if re.search(pattern, text, re.IGNORECASE)), None)


def _recorded(record: Record, drug: str) -> Taken | None:
    for m in record.case.medications:
        if m.dose is None or not any(d.id == drug for d in record.graph.resolve(m.name)):
            continue
        factor, times = _in_mg(m.unit or "mg"), _times(m.frequency or "daily")
        if factor is None or times is None:
            return None
        how = f"{shown(m.dose)} {m.unit or 'mg'} {m.frequency or ''}".strip()
        return Taken(m.dose * factor * times, *pair("recorded {how}", how=how))
    return None


def _recorded_times(record: Record, drug: str) -> float | None:
    """How often a day the record gives the drug."""
    mine = (m for m in record.case.medications if any(d.id == drug for d in record.graph.resolve(m.name)))
    return next((n for m in mine if (n := _times(m.frequency or "daily")) is not None), None)


def _typed(question: str, record: Record, drug: str, named: int) -> Taken | None:
    """A dose that the question itself gives; only where it names one drug."""
    found = _TYPED.search(question)
    if named != 1 or found is None:
        whole = _A_DAY.search(question) if named == 1 else None
        return None if whole is None else Taken(float(whole[1]), *pair("{amount} mg a day as typed", amount=whole[1]))
    factor = _in_mg(found[2])
    recorded = _recorded(record, drug)
    times = _times(found[3]) or _times(question)
    if factor is None:
        return None
    amount = float(found[1]) * factor
    # A bare amount is taken as often as the recorded one.
    a_day = amount * (times or _recorded_times(record, drug) or 1.0)
    if recorded is not None and abs(recorded.a_day - a_day) < 1e-6:
        return recorded
    return Taken(a_day, *pair("{amount} {unit} as typed", amount=found[1], unit=found[2]))


def _against(row: Check, taken: Taken, record: Record) -> list[Evidence]:
    weight = record.get("weight")
    extra = {} if weight is None else {f"kg{n}": Value(n * weight.number, f"{n * weight.number:.0f} mg") for n in (1, 15, 20)}
    applied = Applied(replace(record, extra={**record.extra, **extra}), {}, {})
    name = record.graph.name(row.drug)
    each = taken.a_day / weight.number if row.per_kg is not None and weight is not None else None
    if row.per_kg is not None and each is None:
        return []
    amount, amount_zh = (
        pair("{a_day} mg a day", a_day=shown(round(taken.a_day, 3)))
        if each is None or weight is None
        else pair(
            "{a_day} mg / {number} kg = {each:.1f} mg/kg a day", a_day=shown(round(taken.a_day, 3)), number=shown(weight.number), each=each
        )
    )
    word, word_zh = _word(row, taken.a_day, each)
    advice = (write(row.advice[0], applied, "en"), write(row.advice[1], applied, "zh"))
    advice = (advice[0][:1].lower() + advice[0][1:] if advice[0][1:2].islower() else advice[0], advice[1])
    lines = [
        (f"{word}: {name.en} {amount} ({taken.en}); {advice[0]}.", f"{word_zh}：{name.zh} {amount_zh}（{taken.zh}）；{advice[1]}。"),
        *_beside(row.drug, record),
    ]
    return [evidence(f"B-dose-{row.drug}-check-{n}", en, zh, row.source, row.year) for n, (en, zh) in enumerate(lines)]


def _word(row: Check, a_day: float, each: float | None) -> tuple[str, str]:
    size = each if each is not None else a_day
    low, high = row.per_kg if row.per_kg is not None else (row.least, row.most)
    if row.force:
        return pair("Check")
    if high == 0:
        return pair("No, not at this dose or any now")
    if high is not None and size > high * _SLACK:
        return pair("No, too high")
    if row.most is not None and a_day > row.most * _SLACK:
        return pair("No, too high")
    if low is not None and size < low * 0.98:
        return pair("No, too low")
    return pair("Yes, in range")


def _by_graph(drug: str, taken: Taken, record: Record) -> list[Evidence]:
    """A drug without a row: the kidney rule of the drug graph for this clearance."""
    crcl = record.get("crcl")
    rules = list(record.graph.dose_rules(drug, crcl=crcl.number if crcl else None))[:1]
    name = record.graph.name(drug)
    if not rules or crcl is None:
        return _by_label(drug, taken, record)
    rule = rules[0]
    said = pair(
        "{name}, {taken} ({a_day} mg a day), CrCl {crcl}: {rule}",
        name=(name.en, name.zh),
        taken=(taken.en, taken.zh),
        a_day=shown(round(taken.a_day, 3)),
        crcl=crcl.shown,
        rule=(rule.text, rule.text_zh),
    )
    lines = [said, *_beside(drug, record)]
    return [evidence(f"B-dose-{drug}-check-{n}", a, b, rule.source, rule.year) for n, (a, b) in enumerate(lines)]


def _by_label(drug: str, taken: Taken, record: Record) -> list[Evidence]:
    """A drug without any rule: its dose by the guideline for what this patient has, beside what is taken."""
    here = {c for c, notion in INDICATIONS.items() if record.notion(notion) is True} | set(record.patient.context.conditions)
    use = next((f for f in record.graph.facts((drug,), ("treats",)) if record.graph.condition_of(f) in here), None)
    if use is None:
        return []
    name = record.graph.name(drug)
    lines = [(f"{name.en}, {taken.en}: {use.text}", f"{name.zh}，{taken.zh}：{use.text_zh}"), *_beside(drug, record)]
    return [evidence(f"B-dose-{drug}-check-{n}", a, b, use.source, use.year) for n, (a, b) in enumerate(lines)]


def _beside(drug: str, record: Record) -> list[tuple[str, str]]:
    """What else speaks against the drug here, kidneys apart."""
    found = [o for o in objections(record, drug) if not o.by_kidney][:2]
    return [pair("For this patient: {text}", text=(o.en, o.zh)) for o in found]
