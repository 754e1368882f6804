"""A named score or formula in colleagues' words, from the values of the time that the question means: first or latest."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache, cached_property

from pydantic import BaseModel, ConfigDict

from retrieval.messages.catalogue import messages
from tools.bedside.asks.subject import asks, rows, values_named
from tools.bedside.doses import asks_dose
from tools.bedside.judging import judge
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import pattern_of, words
from tools.bedside.topics import topics
from tools.case.record import Case, Observation
from tools.evidence import Evidence
from tools.labs.value import read
from tools.scores.registry import calculators
from tools.scores.run import run
from tools.scores.said.typed import typed_inputs
from tools.scores.tool import evidence as as_evidence

pair = messages("tools.bedside").pair

# Values of one admission lie at most this far apart.
_GAP = timedelta(days=7)
# Values of a gas: the sample's own time counts.
_OF_A_SAMPLE = frozenset({"pao2", "paco2", "ph"})
_LATEST = re.compile(r"\blatest\b", re.IGNORECASE)
_FIRST_DAY = timedelta(hours=24)
# From so many inputs on, a message gives values of its own; one alone may be an old value that it only mentions.
_FEWEST_TYPED = 2


class Formula(BaseModel):
    """A calculator with the words that ask for it; `key`: the value whose first time is meant; `topic` answers where inputs are missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    words: tuple[str, ...]
    key: str = ""
    topic: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The words as one pattern."""
        return pattern_of(self.words)


@cache
def formulas() -> tuple[Formula, ...]:
    """All rows in order; the more specific names stand first."""
    return tuple(Formula.model_validate(row) for row in rows("formulas")["formula"])


def named(question: str) -> Formula | None:
    """The formula that a question names."""
    return next((f for f in formulas() if f.pattern.search(question)), None)


def asked(question: str) -> bool:
    """Whether a question asks for a formula of this patient."""
    return named(question) is not None and not words("explain").search(question) and not in_general(question)


def in_general(question: str) -> bool:
    """Whether a question asks what is recommended in general; `the latest` of a value or a formula is this patient's."""
    if named(question) is not None or values_named(question):
        question = _LATEST.sub("", question)
    return bool(words("general").search(question))


def computed(record: Record) -> list[Evidence]:
    """The formula's result at the time that the question means; empty where an input is missing at that time.

    A question for a dose only gives the formula's result ("with a CrCl of 10") and does not ask for it.
    """
    question = record.question
    formula = named(question) if asked(question) and not asks_dose(question) else None
    if formula is None or formula.name not in calculators():
        return []
    early = bool(asks("first").search(question)) and not asks("last").search(question)
    case = at_first(record.case, formula.key) if early else record.case
    typed = typed_inputs(calculators()[formula.name], question, flags=False)
    typed = typed if len(typed) >= _FEWEST_TYPED else {}
    another = _of_another(typed, record.case)
    given = typed if another else {**(record.given(formula.name) or {}), **typed}
    outcome = run(calculators()[formula.name], None if another else case, given)
    if outcome.value is None and formula.topic:
        return judge(topics()[formula.topic], record)
    if outcome.low is None:
        return []
    made = as_evidence(outcome)
    when = next((r.time for r in sorted(outcome.inputs.values(), key=lambda r: r.time or "", reverse=True) if r.time), None)
    text, text_zh = made.text, made.text_zh or made.text
    if early and when:
        stamp = when[:16].replace("T", " ")
        text, text_zh = pair("{text} (first values, {stamp}).", stamp=stamp, text=(text.rstrip(". "), text_zh.rstrip("。 ")))
    if typed:
        names = [(outcome.inputs[key].field.en, outcome.inputs[key].field.zh) for key in typed if key in outcome.inputs]
        listed = (", ".join(en for en, _ in names), "、".join(zh for _, zh in names))
        told = pair("Typed in the question and used in place of the record: {names}.", names=listed)
        text, text_zh = f"{text} {told[0]}", f"{text_zh}{told[1]}"
    return [made.model_copy(update={"key": f"B-formula-{formula.name}-0", "text": text, "text_zh": text_zh})]


def _of_another(typed: Mapping[str, str], case: Case) -> bool:
    """Whether the typed age or sex is not this patient's: then nothing of the record belongs to the figure."""
    age, sex = case.patient.age_years, case.patient.sex
    other_age = "age" in typed and age is not None and float(typed["age"].split()[0]) != age
    return other_age or ("sex" in typed and sex in ("male", "female") and typed["sex"] != sex)


def at_first(case: Case, key: str) -> Case:
    """The case as it was first: the first values of the latest admission, or the sample that first held `key`."""
    dated = [o for o in case.labs if o.time]
    keyed = [o for o in dated if key and read(o, case.patient).id == key]
    start = min((o.time or "" for o in keyed), default="") if key in _OF_A_SAMPLE else _admission(case)
    if not start:
        return case
    until = (_time(start) + (timedelta(minutes=30) if keyed and key in _OF_A_SAMPLE else _FIRST_DAY)).isoformat()
    firsts: dict[str, Observation] = {}
    for o in sorted(dated, key=lambda o: o.time or ""):
        name = read(o, case.patient).id
        if start <= (o.time or "") <= until:
            firsts.setdefault(name, o)
    before = {read(o, case.patient).id: o for o in sorted(dated, key=lambda o: o.time or "") if (o.time or "") <= until}
    sets = sorted((v for v in case.vitals if v.time), key=lambda v: v.time or "")
    if keyed and key in _OF_A_SAMPLE:
        at = [v for v in sets if v.fio2 is not None and (v.time or "") <= start][-1:] or [v for v in sets if v.fio2 is not None][:1]
    else:
        at = [v for v in sets if start <= (v.time or "")][:1] or sets[-1:]
    return case.model_copy(update={"labs": tuple({**before, **firsts}.values()), "vitals": tuple(at)})


def _admission(case: Case) -> str:
    """When the latest run of values begins whose neighbours lie close together."""
    times = sorted({t for t in (*(o.time for o in case.labs), *(v.time for v in case.vitals)) if t})
    start = times[-1] if times else ""
    for earlier, later in zip(reversed(times[:-1]), reversed(times), strict=False):
        if _time(later) - _time(earlier) > _GAP:
            break
        start = earlier
    return start


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None)
