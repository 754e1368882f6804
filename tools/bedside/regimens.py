"""Regimens as guidelines give them (`data/regimens`): chosen by disease, severity, allergy; dosed for this kidney; screened here."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from retrieval.drugs.check import patient_facts
from retrieval.messages.catalogue import messages
from tools.bedside.cautions import Objection, closed, objections
from tools.bedside.judging import Applied, evidence
from tools.bedside.record.expression import holds
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import pattern_of
from tools.bedside.record.wording import write
from tools.bedside.subject import treated
from tools.evidence import Evidence

pair = messages("tools.bedside").pair


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dose(_Row):
    """A dose that holds under a test (an empty one is the usual dose)."""

    test: str = ""
    en: str
    zh: str


class Part(_Row):
    """One drug of a regimen; the first dose whose test holds is given."""

    drug: str
    dose: tuple[Dose, ...]


class Option(_Row):
    """One regimen; options stand in the guideline's order. `keep`: of so much use that a major interaction is managed, not avoided."""

    part: tuple[Part, ...]
    test: str = ""
    keep: bool = False
    en: str = ""
    zh: str = ""


class Regimen(_Row):
    """Regimens of one disease at one severity and setting, for treatment or prophylaxis.

    Attributes:
        disease: Words of the question that ask for it; `case` is the record condition that does.
        ask: Words that ask for this kind of treatment (`antibiotic`).
        test: Severity or setting in this record.
        none: Said instead when the record gives no reason to treat.
    """

    id: str
    disease: tuple[str, ...]
    case: str
    ask: tuple[str, ...]
    never: tuple[str, ...] = ()
    test: str = ""
    title: tuple[str, str]
    option: tuple[Option, ...] = ()
    before: tuple[Dose, ...] = ()
    note: tuple[Dose, ...] = ()
    source: str
    year: int | None = None
    passage: str | None = None

    @cached_property
    def words(self) -> re.Pattern[str]:
        """Words of the treatment."""
        return pattern_of(self.ask)

    @cached_property
    def names(self) -> re.Pattern[str]:
        """Words of the disease."""
        return pattern_of(self.disease)

    @cached_property
    def ruled_out(self) -> re.Pattern[str] | None:
        """Words that rule it out."""
        return pattern_of(self.never) if self.never else None


@cache
def regimens() -> tuple[Regimen, ...]:
    """All regimens in the order of their files."""
    folder = files("tools") / "data" / "regimens"
    rows: list[Regimen] = []
    for file in sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name):
        rows += [Regimen.model_validate(row) for row in tomllib.loads(file.read_text(encoding="utf-8")).get("regimen", [])]
    return tuple(rows)


_MOST_NOTES = 3


@dataclass(frozen=True)
class _Pick:
    option: Option
    skipped: tuple[Objection, ...]


def choose(question: str, record: Record) -> list[Evidence]:
    """The regimen that the question asks for in this patient; empty when it asks for none that is known.

    A disease that the question names decides, also one that is known to none of them; only without one does the record.
    """
    applied = Applied(record, {}, {})
    asked = [r for r in regimens() if r.words.search(question) and not (r.ruled_out and r.ruled_out.search(question))]
    named = [r for r in asked if r.names.search(question)]
    other = not named and treated(question) is not None
    pool = named or [r for r in asked if not other and holds(r.case, applied) is True]
    for regimen in pool:
        if holds(regimen.test, applied) is True:
            return _assembled(regimen, record, applied)
    return []


def fitting(record: Record) -> list[list[Evidence]]:
    """The regimen of every disease that this record shows, as `choose` would give it: for a page that asks no question."""
    applied = Applied(record, {}, {})
    first: dict[tuple[str, ...], Regimen] = {}
    for regimen in regimens():
        if holds(regimen.case, applied) is True and holds(regimen.test, applied) is True:
            first.setdefault(regimen.disease, regimen)
    return [lines for r in first.values() if (lines := _assembled(r, record, applied))]


def _assembled(regimen: Regimen, record: Record, applied: Applied) -> list[Evidence]:
    pick = _pick(regimen, record, applied)
    lines: list[tuple[str, str]] = []
    if pick is not None:
        lines.append(_headline(regimen, pick, record, applied))
    lines[:0] = [(d.en, d.zh) for d in regimen.before if holds(d.test, applied) is True]
    lines += _skipped(pick, record) if pick is not None else []
    lines += [(d.en, d.zh) for d in regimen.note if holds(d.test, applied) is True]
    lines += _mind(pick, record) if pick is not None else []
    texts = [(write(en, applied, "en"), write(zh, applied, "zh")) for en, zh in lines]
    return [
        evidence(f"B-reg-{regimen.id}-{n}", en, zh, regimen.source, regimen.year, regimen.passage)
        for n, (en, zh) in enumerate(t for t in texts if all(t))
    ]


def _pick(regimen: Regimen, record: Record, applied: Applied) -> _Pick | None:
    """The first option that nothing forbids and no major interaction burdens; else the first that nothing forbids."""
    fitting = [o for o in regimen.option if holds(o.test, applied) is True]
    skipped: list[Objection] = []
    second: Option | None = None
    for option in fitting:
        against = [o for part in option.part for o in forbidding(record, part.drug)]
        if against:
            skipped += against[:1]
            continue
        grave = [o for part in option.part for o in objections(record, part.drug) if o.other and o.grave <= 1]
        if not grave or option.keep:
            return _Pick(option, tuple(skipped))
        # A listed major interaction gives way to the next option; it returns where none is better.
        second = second or option
        skipped += grave[:1]
    return None if second is None else _Pick(second, tuple(o for o in skipped if o.drug not in {p.drug for p in second.part}))


def forbidding(record: Record, drug: str) -> list[Objection]:
    """What forbids a drug outright: allergy, a listed contraindication, a row that says avoid."""
    graph, patient = record.graph, record.patient
    decisive = {
        f.text
        for f in patient_facts(graph, graph.drug(drug), patient.context, patient.current)
        if not f.inferred
        and (
            f.severity == "contraindicated"
            or (f.severity == "major" and f.relation in ("cross_reacts_with", "pregnancy", "contraindicated_in"))
        )
    }
    rows = objections(record, drug)
    return [o for o in rows if o.grave == 0 or any(o.en == t or o.en in t for t in decisive)]


def _headline(regimen: Regimen, pick: _Pick, record: Record, applied: Applied) -> tuple[str, str]:
    en, zh = [], []
    for part in pick.option.part:
        dose = next((d for d in part.dose if holds(d.test, applied) is True), None) or part.dose[-1]
        name = record.graph.name(part.drug)
        en.append(f"{name.en} {dose.en}")
        zh.append(f"{name.zh} {dose.zh}")
    more_en, more_zh = (f" {pick.option.en}" if pick.option.en else ""), pick.option.zh
    plus, plus_zh = pair(" plus ")
    return f"{regimen.title[0]}: {plus.join(en)}.{more_en}", f"{regimen.title[1]}：{plus_zh.join(zh)}。{more_zh}"


def _skipped(pick: _Pick, record: Record) -> list[tuple[str, str]]:
    """Why the option before the chosen one falls away."""
    first = next(iter(pick.skipped), None)
    if first is None:
        return []
    name = record.graph.name(first.drug)
    return [pair("Not {name} here: {first}", name=(name.en, name.zh), first=(first.en, first.zh))]


def _mind(pick: _Pick, record: Record) -> list[tuple[str, str]]:
    """What to mind with the chosen drugs, gravest first."""
    found = [o for part in pick.option.part for o in objections(record, part.drug) if not o.by_kidney]
    gravest = sorted(found, key=lambda o: o.grave)[:_MOST_NOTES]
    return [pair("For this patient: {text}", text=(closed(o.en, "."), closed(o.zh, "。"))) for o in gravest]
