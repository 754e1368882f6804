"""What speaks against a drug in this patient: rows over the record (`data/bedside/cautions.toml`) and facts of the drug graph."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from retrieval.drugs.check import patient_facts
from retrieval.drugs.facts import Drug, DrugFact, Severity
from retrieval.messages.patterns import patterns
from tools.bedside.judging import Applied
from tools.bedside.record.expression import holds
from tools.bedside.record.view import Record
from tools.bedside.record.wording import write

_MECHANISM_ZH = patterns("tools.bedside").regex("mechanism_zh")

Action = Literal["stop", "hold", "avoid", "reduce", "watch"]
_ORDER: dict[str, int] = {"stop": 0, "hold": 1, "avoid": 0, "reduce": 2, "watch": 3}
_GRAVE: dict[Severity, int] = {"contraindicated": 0, "major": 1, "moderate": 2, "minor": 4, "unknown": 4}
_MOST = 2


class Caution(BaseModel):
    """One row: drugs (`a;@group`), the record condition, what to do, and why with the record's values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    drugs: str
    test: str
    action: Action
    en: str
    zh: str
    source: str
    year: int | None = None


@dataclass(frozen=True)
class Objection:
    """One reason against a drug, as a clause in both languages."""

    drug: str
    en: str
    zh: str
    action: Action
    source: str
    year: int | None
    grave: int
    other: str = ""
    full: tuple[str, str] = ("", "")
    by_kidney: bool = False

    @property
    def told(self) -> tuple[str, str]:
        """The reason with its mechanism where there is one."""
        return self.full if self.full[0] else (self.en, self.zh)


@cache
def cautions() -> tuple[Caution, ...]:
    """All rows."""
    text = (files("tools") / "data" / "bedside" / "cautions.toml").read_text(encoding="utf-8")
    return tuple(Caution.model_validate(row) for row in tomllib.loads(text)["caution"])


def objections(record: Record, drug: str, *, others: tuple[str, ...] | None = None, beside: tuple[Drug, ...] = ()) -> list[Objection]:
    """Everything that speaks against a drug here, gravest first.

    Args:
        record: The case.
        drug: Drug id.
        others: Drugs to check against; the current ones by default.
        beside: Drugs that would be given with it, which may excuse a contraindication (an inhaled steroid with formoterol).
    """
    found = [*_rows(record, drug), *_graph(record, drug, others, beside)]
    unique = {(o.en.casefold(), o.other): o for o in found}
    return sorted(unique.values(), key=lambda o: o.grave)


def cautioned(record: Record, drug: str) -> list[Objection]:
    """What values and conditions of the record say against a drug, without what the drug graph says; gravest first."""
    return sorted(_rows(record, drug), key=lambda o: o.grave)


def _rows(record: Record, drug: str) -> list[Objection]:
    applied = Applied(record, {}, {})
    out = []
    for row in cautions():
        if drug in record.members(row.drugs) and holds(row.test, applied) is True:
            grave = {"stop": 0, "avoid": 0, "hold": 1, "reduce": 1, "watch": 2}[row.action]
            out.append(Objection(drug, write(row.en, applied, "en"), write(row.zh, applied, "zh"), row.action, row.source, row.year, grave))
    return out


def _graph(record: Record, drug: str, others: tuple[str, ...] | None, beside: tuple[Drug, ...]) -> list[Objection]:
    graph, patient = record.graph, record.patient
    taken = others if others is not None else tuple(d.id for d in (*patient.current, *patient.exposures))
    facts = list(patient_facts(graph, graph.drug(drug), patient.context, (*patient.current, *beside)))
    out = [_objection(drug, f) for f in facts if f.severity in ("contraindicated", "major", "moderate") and _told(f, record)]
    for other in taken:
        if other != drug:
            listed = [f for f in graph.interactions(drug, other) if f.severity in ("contraindicated", "major", "moderate")]
            out += [_objection(drug, f, other) for f in listed if not (f.inferred and f.severity == "moderate")][:1]
    return out


def _told(fact: DrugFact, record: Record) -> bool:
    """Allergy facts of one class are told once, for the allergen that the record names."""
    return fact.relation != "cross_reacts_with" or fact.subjects[0] in record.patient.context.allergies


def _objection(drug: str, fact: DrugFact, other: str = "") -> Objection:
    action: Action = "avoid" if fact.severity in ("contraindicated", "major") else "watch"
    if fact.relation == "adjusts_for" and fact.severity != "contraindicated":
        action = "reduce"
    en, zh = short(fact.text, "en"), short(fact.text_zh, "zh")
    by_kidney, full = fact.relation == "adjusts_for", (fact.text, fact.text_zh)
    # What no source states asks for care; it does not forbid.
    grave = _GRAVE[fact.severity or "unknown"] + (1 if fact.inferred else 0)
    return Objection(drug, en, zh, action, fact.source, fact.year, grave, other, full, by_kidney)


def short(text: str, language: str) -> str:
    """A fact without its mechanism: what it is and what to do."""
    if language == "zh":
        return _MECHANISM_ZH.sub("", text)
    return re.sub(r"Mechanism: .*?\.(?=\s|$)\s*", "", text)


def against(record: Record, drug: str, most: int = _MOST, *, beside: tuple[Drug, ...] = ()) -> tuple[str, str] | None:
    """What speaks against a drug, given beside others, as two short texts; None where nothing does."""
    found = objections(record, drug, beside=beside)[:most]
    if not found:
        return None
    return " ".join(closed(o.en, ".") for o in found), "".join(closed(o.zh, "。") for o in found)


def closed(text: str, mark: str) -> str:
    """A text that ends like a sentence."""
    text = text.strip()
    return text if text.endswith((".", "。", "!", "！")) else text + mark


def to_stop(record: Record) -> list[Objection]:
    """Current medicines to stop or hold now, gravest first, one reason each."""
    out = []
    for drug in dict.fromkeys(d.id for d in record.patient.current):
        mine = [o for o in _rows(record, drug) if o.action in ("stop", "hold", "avoid")]
        out += sorted(mine, key=lambda o: _ORDER[o.action])[:1]
    return sorted(out, key=lambda o: _ORDER[o.action])
