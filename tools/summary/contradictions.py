"""Where two sources of one case disagree: words against measurement, medicines against kidney and allergy, probe against blood gas."""

import re
from collections.abc import Iterator

from retrieval.drugs.facts import DrugFact
from retrieval.messages.patterns import patterns
from tools.bedside.record.said import clauses
from tools.drugs.payload import FactsData
from tools.imaging.results.measured import Measured
from tools.labs.value import shown
from tools.reports.check import check_report
from tools.reports.lint.reading.mentions import Mention, mentions_of
from tools.reports.lint.reading.parts import sentences_of
from tools.summary.gather import Gathered, Written
from tools.summary.lesions import asks_lesion, lesions
from tools.summary.problems import doubt, figure, value_of
from tools.summary.record import LEVELS, Pair, SummaryLine, joined, line, table, words

_WORDS = patterns("tools.summary")

# Finding of a report -> where its measurement stands.
_MEASURED: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    "pleural_effusion": ("effusion", ("left_ml", "right_ml"), "effusion", "mL"),
    "pneumothorax": ("pneumothorax", ("left_ml", "right_ml"), "pneumothorax", "mL"),
    "consolidation": ("consolidation", ("ml",), "consolidation_ml", "mL"),
    "ground_glass": ("lungs", ("ggo_pct",), "ggo_pct", "%"),
    "emphysema": ("lungs", ("laa950_pct",), "laa950_pct", "%"),
}
# "No other allergies", "none except penicillin" deny nothing that is recorded.
_SAVE = _WORDS.regex("contradictions_save")
_OPPOSITE = {"left": "right", "right": "left"}
_RENAL = ("crcl", "egfr")


def contradictions(g: Gathered) -> list[SummaryLine]:
    """All of them, the most dangerous first."""
    found = [*_allergies(g), *_no_allergy(g), *_renal(g), *_denied(g), *_sides(g), *_report(g), *_asked(g), *_oximetry(g)]
    return sorted(found, key=lambda x: LEVELS.index(x.level))


def _facts(g: Gathered) -> Iterator[DrugFact]:
    data = g.drugs.payload(FactsData)
    yield from (fact for fact in (data.facts if data else ()) if g.item(fact.key) is not None)


def _allergies(g: Gathered) -> Iterator[SummaryLine]:
    """A medicine that is taken, against a recorded allergy."""
    patient = g.record.patient
    taken = {d.id: d for d in patient.current}
    for fact in _facts(g):
        if fact.relation not in ("cross_reacts_with", "allergy_class"):
            continue
        drug = next((taken[s] for s in fact.subjects if s in taken), None)
        item = g.item(fact.key)
        if drug is not None and item is not None:
            allergy = ", ".join(a.substance for a in g.case.patient.allergies)
            text = words("allergy", drug=(drug.name, drug.name_zh), allergy=allergy, fact=(item.text, item.text_zh or item.text))
            yield line(text, fact.key, "C-allergies", "C-medications", level="act_now")


def _no_allergy(g: Gathered) -> Iterator[SummaryLine]:
    """A text that says there is no allergy, against a recorded one."""
    recorded = [a.substance for a in g.case.patient.allergies]
    if not recorded or not g.basics.evidence:
        return
    none = re.compile("|".join(table("danger")["allergy"]["none"]), re.IGNORECASE)
    for written in g.texts:
        said = [c for c in clauses(written.text) if none.search(c) and not _SAVE.search(c)]
        if any(not any(a.casefold() in c.casefold() for a in recorded) for c in said):
            allergy = (", ".join(recorded), "、".join(recorded))
            yield line(words("allergy_denied", place=words(written.place), allergy=allergy), written.key, "C-allergies", level="serious")


def _renal(g: Gathered) -> Iterator[SummaryLine]:
    """A medicine that is taken, against the kidney function of the case."""
    for fact in _facts(g):
        name = next((s for s in fact.subjects if s in _RENAL), None)
        severity = fact.severity
        if name is None or fact.relation != "adjusts_for" or severity not in ("contraindicated", "major", "moderate"):
            continue
        score = g.score("egfr_ckd_epi_2021" if name == "egfr" else "cockcroft_gault")
        item = g.item(fact.key)
        if score.evidence and item is not None:
            here = score.evidence[0]
            value = (here.text.split(":")[0].rstrip("."), (here.text_zh or here.text).split("：")[0].rstrip("。"))
            text = words("renal", fact=(item.text + " ", item.text_zh or item.text), value=value)
            level = "act_now" if severity == "contraindicated" else "serious" if severity == "major" else "watch"
            yield line((text[0].replace("  ", " "), text[1]), fact.key, here.key, "C-medications", level=level)  # type: ignore[arg-type]


def _denied(g: Gathered) -> Iterator[SummaryLine]:
    """Words that deny what the CT measures or the model finds."""
    for written in g.texts:
        told: set[str] = set()
        for mention in mentions_of(sentences_of(written.text)):
            family = mention.finding.family
            if mention.denied and not mention.limited and mention.change is None and family not in told:
                found = _against(g, written, mention)
                if found is not None:
                    told.add(family)
                    yield found


def _against(g: Gathered, written: Written, mention: Mention) -> SummaryLine | None:
    place, name = words(written.place), (mention.finding.en, mention.finding.zh)
    family = mention.finding.family
    if g.ct is not None and g.study is not None and family in _MEASURED:
        group, fields, suffix, unit = _MEASURED[family]
        data = g.ct.payload(Measured)
        values = {f: v for f in fields if (v := figure(data, group, f)) is not None and v >= table("danger")["denied"][family]}
        item = g.item(f"CT-{g.study.id}-{suffix}")
        if values and item is not None and item.validity != "out":
            text = words("denied_measured", place=place, finding=name, value=_amounts(values, unit), doubt=doubt(data, group))
            return line(text, written.key, item.key, level="serious")
    model = [e for e in (g.model.evidence if g.model else ()) if e.present is True and e.key.rsplit("-", 1)[-1] == family]
    if model:
        return line(words("denied_model", place=place, finding=name), written.key, model[0].key, level="watch")
    return None


def _amounts(values: dict[str, float], unit: str) -> Pair:
    if unit == "%":
        return (f"{next(iter(values.values())):.1f}%",) * 2
    named = [words(f.removesuffix("_ml"), ml=f"{v:.0f}") if f != "ml" else (f"{v:.0f} mL",) * 2 for f, v in values.items()]
    return joined(named)


def _sides(g: Gathered) -> Iterator[SummaryLine]:
    """A finding that the report has on one side only, and the model, inside its domain, on the other."""
    found = {e.key.rsplit("-", 1)[-1]: e for e in (g.model.evidence if g.model else ()) if e.present is True and e.validity == "in"}
    for written in (w for w in g.texts if w.place == "report"):
        stated = [m for m in mentions_of(sentences_of(written.text)) if m.stated and m.finding.family in found]
        for family in dict.fromkeys(m.finding.family for m in stated):
            sides = {m.side for m in stated if m.finding.family == family and m.side}
            item = found[family]
            if len(sides) == 1 and item.side in _OPPOSITE and _OPPOSITE[item.side] in sides:
                name = next((m.finding.en, m.finding.zh) for m in stated if m.finding.family == family)
                said, seen = words(f"side_{_OPPOSITE[item.side]}"), words(f"side_{item.side}")
                text = words("side_model", place=words("report"), finding=name, said=said, found=seen)
                yield line(text, written.key, item.key, level="serious")


def _report(g: Gathered) -> Iterator[SummaryLine]:
    """Numbers and sides of the report against the measured study, sex and age against the case."""
    if g.study is None or not g.study.report:
        return
    checked = check_report(g.deps, study=g.study.id)
    for item in checked.evidence:
        if item.subjects and item.subjects[0] in ("measurement", "side", "identity", "date", "presence"):
            g.keep(item)
            yield line((item.text, item.text_zh or item.text), item.key, "C-report", level="serious")


def _asked(g: Gathered) -> Iterator[SummaryLine]:
    """The question speaks of a nodule that no report, no mark and no detector names."""
    if g.study is None or not asks_lesion(g) or not g.basics.evidence:
        return
    if not any(x.evidence[0].startswith(("CT-", "M-", "C-report")) for x in lesions(g)):
        yield line(words("nodule_asked"), "C-presentation", "C-studies", level="watch")


def _oximetry(g: Gathered) -> Iterator[SummaryLine]:
    from tools.scores.inputs import latest_vital

    probe, gas = latest_vital(g.case, "spo2_pct"), g.readings.get("sao2")
    if probe is None or gas is None or gas.observation.value is None or not g.basics.evidence:
        return
    same_day = (probe[1] or "")[:10] == (gas.observation.time or "")[:10]
    if same_day and abs(probe[0] - gas.observation.value) >= table("danger")["denied"]["spo2_sao2"]:
        yield line(words("oximetry", spo2=shown(probe[0]), sao2=value_of(gas).rstrip("%")), "C-vitals", gas.key, level="watch")
