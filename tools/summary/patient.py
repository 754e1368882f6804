"""Who the patient is and what stands behind the present illness: situation, background, and fitness for biopsy and treatment."""

from collections.abc import Iterator

from retrieval.messages.catalogue import messages
from tools.case.record import LungFunction
from tools.evidence import Evidence
from tools.labs.value import shown
from tools.scores.payload import ScoreData
from tools.summary.gather import Gathered
from tools.summary.problems import name_of, value_of
from tools.summary.record import Pair, SummaryLine, joined, line, words

pair = messages("tools.summary").pair

# Medicines against clotting, by ATC group.
_CLOTTING = "B01A"
_BLEEDING_LABS = ("inr", "platelets", "aptt")


def situation(g: Gathered) -> list[SummaryLine]:
    """Who, with allergies in the same place always, and what the patient came with."""
    return _recorded(g, "C-demographics", "C-allergies", "C-presentation")


def background(g: Gathered) -> list[SummaryLine]:
    """Known conditions, medicines, lung function."""
    return _recorded(g, "C-conditions", "C-medications", "C-lung-function", "C-studies")


def _recorded(g: Gathered, *keys: str) -> list[SummaryLine]:
    known = {e.key: e for e in g.basics.evidence}
    found = [known[k] for k in keys if k in known]
    return [line(_pair(e), e.key, level="serious" if e.key == "C-allergies" and g.case.patient.allergies else "background") for e in found]


def _pair(item: Evidence) -> Pair:
    return item.text, item.text_zh or item.text


def fitness(g: Gathered) -> list[SummaryLine]:
    """What decides whether a biopsy, an operation or a drug treatment can be borne."""
    return [*_function(g), *_kidney(g), *_bleeding(g), *_recorded(g, "C-conditions"), *_smoking(g)]


def _function(g: Gathered) -> Iterator[SummaryLine]:
    rows = sorted(g.case.lung_function, key=lambda f: f.time or "")
    if not rows or not g.basics.evidence:
        return
    last: LungFunction = rows[-1]
    day = (f" ({last.time[:10]})", f"（{last.time[:10]}）") if last.time else ("", "")
    parts: list[Pair] = []
    for field, en in (("fev1_l", "FEV1"), ("fev1_pct", "FEV1"), ("fvc_pct", "FVC"), ("dlco_pct", "DLCO")):
        value = getattr(last, field)
        if value is not None:
            parts.append(
                (f"{en} {shown(value)} L",) * 2 if field.endswith("_l") else pair("{text} {value}% predicted", text=en, value=shown(value))
            )
    if parts:
        yield line(words("lung_function", day=day, values=joined(parts)), "C-lung-function")


def _kidney(g: Gathered) -> Iterator[SummaryLine]:
    score = g.score("egfr_ckd_epi_2021")
    data = score.payload(ScoreData)
    value = data.value if data is not None else None
    if value is not None and score.evidence:
        yield line(
            words("kidney", value=f"{value:.0f} mL/min/1.73 m²"), score.evidence[0].key, level="watch" if value < 60 else "background"
        )


def _bleeding(g: Gathered) -> Iterator[SummaryLine]:
    """Medicines against clotting, and values of clotting."""
    drugs = [d for d in g.record.patient.current if (d.atc or "").startswith(_CLOTTING)]
    found = [r for name in _BLEEDING_LABS if (r := g.readings.get(name)) is not None and r.flag != "unknown"]
    items: list[Pair] = [(d.name, d.name_zh) for d in drugs]
    items += [(f"{name_of(r)[0]} {value_of(r)}", f"{name_of(r)[1]} {value_of(r)}") for r in found]
    if items and g.labs.evidence:
        risky = bool(drugs) or any(r.flag != "normal" for r in found)
        keys = (*(("C-medications",) if drugs else ()), *(r.key for r in found))
        yield line(words("bleeding", items=joined(items)), *keys, level="serious" if risky else "background")


def _smoking(g: Gathered) -> Iterator[SummaryLine]:
    smoking = g.case.patient.smoking
    if smoking is None or smoking.status == "unknown" or not g.basics.evidence:
        return
    status = {"never": pair("never"), "former": pair("former"), "current": pair("current")}[smoking.status]
    years = ("", "") if smoking.pack_years is None else pair(", {pack_years} pack-years", pack_years=shown(smoking.pack_years))
    yield line(words("smoking", text=(status[0] + years[0], status[1] + years[1])), "C-demographics")
