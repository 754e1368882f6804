"""Doses by indication, purpose, route and kidney (`data/regimens/doses.toml`), worked out for this weight and clearance."""

import re
import tomllib
from functools import cache, cached_property
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from retrieval.messages.catalogue import messages
from tools.bedside.cautions import objections
from tools.bedside.judging import Applied, evidence
from tools.bedside.record.expression import holds
from tools.bedside.record.values import Value
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import pattern_of, words
from tools.bedside.record.wording import write
from tools.evidence import Evidence

pair = messages("tools.bedside").pair

# Conditions of the drug graph by the notion of the record that means them.
INDICATIONS = {
    "community-acquired-pneumonia": "pneumonia",
    "hospital-acquired-pneumonia": "hospital_onset",
    "aspiration-pneumonia": "aspiration",
    "copd-exacerbation": "copd_exacerbation",
    "asthma-exacerbation": "asthma_attack",
    "pulmonary-embolism": "pe",
    "pneumocystis-pneumonia": "pjp",
    "tuberculosis": "tb",
    "influenza": "influenza",
    "covid-19": "covid",
    "ipf": "ipf",
    "sarcoidosis": "sarcoid",
    "invasive-aspergillosis": "invasive_mould",
    "mac-lung-disease": "ntm",
}


# What a question about low molecular weight heparin is answered with.
_USUAL_HEPARIN = "enoxaparin"


class DoseRow(BaseModel):
    """One dose: drug, indication and purpose apart, the band of the kidney in `test`.

    Attributes:
        ask: Words that ask for this indication; empty for the usual one.
        case: Record condition that makes it the indication when the question names none.
        per_kg: Amount per kg of weight; `{amount}` is then the product, rounded to `round_to`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    drug: str
    purpose: str
    ask: tuple[str, ...] = ()
    case: str = ""
    test: str = ""
    per_kg: float | None = None
    round_to: float = 1.0
    most: float | None = None
    en: str
    zh: str
    source: str
    year: int | None = None
    passage: str | None = None

    @cached_property
    def words(self) -> re.Pattern[str]:
        """Words of the indication."""
        return pattern_of(self.ask) if self.ask else re.compile("")


@cache
def dose_rows() -> tuple[DoseRow, ...]:
    """All rows in order."""
    text = (files("tools") / "data" / "regimens" / "doses.toml").read_text(encoding="utf-8")
    return tuple(DoseRow.model_validate(row) for row in tomllib.loads(text)["dose"])


def asks_dose(question: str) -> bool:
    """Whether a question asks how much."""
    return bool(words("dose").search(question))


def dose(question: str, record: Record) -> list[Evidence]:
    """Doses of the drugs that a dose question names, for this patient; what speaks against the drug stands on top."""
    out: list[Evidence] = []
    named = list(dict.fromkeys(d.id for d in record.graph.mentions(question)))
    if not named and any(m.kind == "class" and "heparins" in m.ids for m in record.graph.scan(question)):
        named = [_USUAL_HEPARIN]
    current = {d.id for d in record.patient.current}
    new = [d for d in named if d not in current]
    for drug in new or named:
        row = _row(drug, question, record)
        # A disease that the question names decides: its own dose, never that of another disease of the record.
        asked = _for_the_named(drug, question, record) if row is None or not row.ask or not row.words.search(question) else []
        if asked:
            out += asked
            continue
        out += _said(row, record) if row is not None else _labelled(drug, record)
    return out


def _for_the_named(drug: str, question: str, record: Record) -> list[Evidence]:
    """The uses that the drug graph lists for the disease that the question names; empty where it names none or none is listed."""
    graph = record.graph
    named = {i for m in graph.scan(question) if m.kind == "condition" for i in m.ids}
    uses = [f for f in graph.facts((drug,), ("treats",)) if graph.condition_of(f) in named][:2]
    if not uses:
        return []
    lines = [(f.text, f.text_zh) for f in uses]
    against = [o for o in objections(record, drug) if not o.by_kidney][:2]
    lines += [pair("For this patient: {text}", text=(o.en, o.zh)) for o in against]
    return [evidence(f"B-dose-{drug}-named-{n}", en, zh, uses[0].source, uses[0].year) for n, (en, zh) in enumerate(lines)]


def _labelled(drug: str, record: Record) -> list[Evidence]:
    """A drug without a row of its own: its uses in the drug graph for what this patient has, and the rule for this kidney."""
    graph, crcl = record.graph, record.get("crcl")
    here = {c for c, notion in INDICATIONS.items() if record.notion(notion) is True} | set(record.patient.context.conditions)
    uses = [f for f in graph.facts((drug,), ("treats",)) if graph.condition_of(f) in here][:2]
    rules = list(graph.dose_rules(drug, crcl=crcl.number if crcl else None))[:1]
    if not uses and not rules:
        return []
    known = pair(" (CrCl {shown})", shown=crcl.shown) if crcl is not None else ("", "")
    facts = [*uses, *rules]
    against = [o for o in objections(record, drug) if not o.by_kidney][:2]
    marks = [known if f in rules else ("", "") for f in facts]
    lines = [(f"{f.text.rstrip('.')}{m[0]}.", f"{f.text_zh.rstrip('。')}{m[1]}。") for f, m in zip(facts, marks, strict=True)]
    lines += [pair("For this patient: {text}", text=(o.en, o.zh)) for o in against]
    return [evidence(f"B-dose-{drug}-label-{n}", en, zh, facts[0].source, facts[0].year) for n, (en, zh) in enumerate(lines)]


def _row(drug: str, question: str, record: Record) -> DoseRow | None:
    """The row of the indication named, else of the one that the record gives, whose band holds."""
    applied = Applied(record, {}, {})
    mine = [r for r in dose_rows() if r.drug == drug]
    named = [r for r in mine if r.ask and r.words.search(question)]
    fitting = named or [r for r in mine if r.case and holds(r.case, applied) is True] or [r for r in mine if not r.ask and not r.case]
    if not fitting and len({r.purpose for r in mine}) == 1:
        fitting = mine
    return next((r for r in fitting if holds(r.test, applied) is True), None) or next((r for r in fitting if not r.test), None)


def _said(row: DoseRow, record: Record) -> list[Evidence]:
    weight = record.get("weight")
    amount = None
    if row.per_kg is not None and weight is not None:
        exact = row.per_kg * weight.number
        amount = min(round(exact / row.round_to) * row.round_to, row.most or float("inf"))
    extra = {"amount": Value(amount, f"{amount:g}")} if amount is not None else {}
    applied = Applied(Record(record.case, record.graph, record.question, extra), {}, {})
    lines = [(row.en, row.zh)]
    against = objections(record, row.drug)
    grave = [o for o in against if o.action in ("avoid", "stop", "hold")][:1]
    first = [pair("First: {text}", text=(o.en, o.zh)) for o in grave]
    rest = [pair("For this patient: {text}", text=(o.en, o.zh)) for o in against if o not in grave and not o.by_kidney][:2]
    # A dose that must not be given as it stands says so before it says how much.
    ordered = [*first, *lines, *rest] if grave and grave[0].grave == 0 else [*lines, *first, *rest]
    texts = [(write(en, applied, "en"), write(zh, applied, "zh")) for en, zh in ordered]
    return [evidence(f"B-dose-{row.drug}-{row.purpose}-{n}", en, zh, row.source, row.year, row.passage) for n, (en, zh) in enumerate(texts)]
