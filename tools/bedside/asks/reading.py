"""What a value means in this patient (`data/bedside/meanings.toml`), and the pattern of a lung function test."""

from functools import cache

from retrieval.messages.catalogue import messages
from tools.bedside.asks.subject import LUNG, asks, rows, values_named
from tools.bedside.judging import Applied, evidence
from tools.bedside.record.conditioned import Conditioned
from tools.bedside.record.expression import holds
from tools.bedside.record.view import Record
from tools.bedside.record.wording import write
from tools.evidence import Evidence
from tools.labs.value import shown

pair = messages("tools.bedside").pair

# GOLD grades by FEV1 in % of predicted.
_GRADES = ((80, *pair("mild, GOLD 1")), (50, *pair("moderate, GOLD 2")), (30, *pair("severe, GOLD 3")))
_LAST_GRADE = pair("very severe, GOLD 4")
_OBSTRUCTED = 0.70
_NORMAL = 80.0
# DLCO in % of predicted: normal from 75, mild from 61, moderate from 40 (ERS/ATS 2005 bands).
_TRANSFER = ((75, *pair("normal")), (61, *pair("mildly reduced")), (40, *pair("moderately reduced")))
_LAST_TRANSFER = pair("severely reduced")
# Values that colleagues call by one name.
_TWINS = {"troponin_i": "troponin_t", "urate": "uric_acid"}
_SOURCE = "GOLD report; ATS/ERS: Interpretive strategies for lung function tests"


class Meaning(Conditioned):
    """A value with what it means under a test."""

    value: str


@cache
def meaning_rows() -> tuple[Meaning, ...]:
    """All rows in order."""
    return tuple(Meaning.model_validate(row) for row in rows("meanings")["meaning"])


def meanings(record: Record, *, loose: bool = False) -> list[Evidence]:
    """What the values named mean here, one statement a value; empty where no row holds; `loose` where nothing else answers."""
    question = record.question
    named = tuple(_recorded(name, record) for name in values_named(question))
    if not named or not (loose or asks("meaning").search(question)):
        return []
    if set(named) & set(LUNG):
        found = pattern(record)
        if found:
            return found
    applied = Applied(record, {}, {})
    chosen = [row for name in named if (row := _first(name, applied)) is not None][:2]
    return [
        evidence(f"B-means-{m.value}-{n}", f"{write(m.en, applied, 'en')}.", f"{write(m.zh, applied, 'zh')}。", m.source, m.year)
        for n, m in enumerate(chosen)
    ]


def _recorded(name: str, record: Record) -> str:
    """The value that the record holds where colleagues call two by one name (troponin)."""
    other = _TWINS.get(name)
    return other if other is not None and record.get(name) is None and record.get(other) is not None else name


def _first(value: str, applied: Applied) -> Meaning | None:
    return next((m for m in meaning_rows() if m.value == value and holds(m.test, applied) is True), None)


def pattern(record: Record) -> list[Evidence]:
    """The ventilatory pattern of the latest test with the values it rests on."""
    ratio, fev1, fvc, dlco = (record.get(n) for n in ("fev1_fvc", "fev1_pct", "fvc_pct", "dlco_pct"))
    if ratio is None or fvc is None:
        return []
    parts = [f"FEV1/FVC {shown(ratio.number)}", *([f"FEV1 {shown(fev1.number)}%"] if fev1 else []), f"FVC {shown(fvc.number)}%"]
    if ratio.number < _OBSTRUCTED:
        grade = next(((e, z) for limit, e, z in _GRADES if fev1 is not None and fev1.number >= limit), _LAST_GRADE) if fev1 else ("", "")
        en, zh = pair("Obstructive ({grade} if after bronchodilator)", grade=grade)
        if fvc.number < _NORMAL:
            en, zh = pair("{pattern}; a low FVC may be air trapping, volumes decide about restriction", pattern=(en, zh))
    elif fvc.number < _NORMAL:
        en, zh = pair("Restrictive pattern, no obstruction (lung volumes confirm it)")
    else:
        en, zh = pair("No obstruction and no sign of restriction")
    tail, tail_zh = "", ""
    if dlco is not None:
        word = next(((e, z) for limit, e, z in _TRANSFER if dlco.number >= limit), _LAST_TRANSFER)
        tail, tail_zh = pair("; DLCO {number}%, {word}", number=shown(dlco.number), word=word)
        if record.notion("emphysema") and ratio.number < _OBSTRUCTED and dlco.number < _TRANSFER[0][0]:
            tail, tail_zh = pair("{tail}, in keeping with emphysema", tail=(tail, tail_zh))
    return [evidence("B-means-lung_function-0", f"{en}: {', '.join(parts)}{tail}.", f"{zh}：{'，'.join(parts)}{tail_zh}。", _SOURCE, None)]
