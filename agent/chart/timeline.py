"""The timeline tab: studies, samples, vital signs, treatments and notes in the order in which they happened."""

from collections.abc import Iterator

from agent.chart.views import Moment, Timeline
from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import messages
from tools.case.record import Case, Vitals
from tools.case.vitals import abnormal, lines
from tools.case.words import as_recorded, condition_name, in_words, medicine_words
from tools.evidence import Language
from tools.labs.value import Reading, read, shown

pair = messages("agent.chart").pair
say = messages("agent.chart").say

_MOST_NAMED = 6
_MOST_NOTE = 240


def timeline(case: Case, graph: DrugGraph, language: Language) -> Timeline:
    """All dated events of the case, oldest first, and the undated ones apart."""
    found = [*_studies(case, language), *_labs(case, language), *_vitals(case, language), *_treatments(case, graph, language)]
    found += [*_lung_function(case, language), *_notes(case, language)]
    dated = sorted((m for m in found if m.time), key=lambda m: m.time)
    return Timeline(moments=tuple(dated), undated=tuple(m for m in found if not m.time))


def _studies(case: Case, language: Language) -> Iterator[Moment]:
    zh = language == "zh"
    for s in case.studies:
        prior = pair(" (prior)")[zh] if s.prior else ""
        yield Moment(time=s.date or "", lane="studies", text=f"{pair('Chest CT')[zh]} {s.id}{prior}")


def _labs(case: Case, language: Language) -> Iterator[Moment]:
    """One event per sample: how many values, and those out of their interval."""
    by_time: dict[str, list[Reading]] = {}
    for o in case.labs:
        if o.value is not None:
            by_time.setdefault((o.time or "")[:16], []).append(read(o, case.patient))
    for time, readings in by_time.items():
        odd = [r for r in readings if r.flag not in ("normal", "unknown")]
        odd.sort(key=lambda r: not r.flag.startswith("critical"))
        named = [f"{r.name(language)} {r.observation.comparator or ''}{shown(r.observation.value or 0.0)} {_arrow(r)}" for r in odd]
        more = len(odd) - _MOST_NAMED
        shown_names = (": " + ", ".join(named[:_MOST_NAMED]), "：" + "，".join(named[:_MOST_NAMED])) if named else ("", "")
        beyond = pair(" and {more} more", more=more) if more > 0 else ("", "")
        text = say(
            language,
            "{counted}, {odd} out of range{names}{beyond}",
            counted=pair("1 laboratory value") if len(readings) == 1 else pair("{count} laboratory values", count=len(readings)),
            odd=len(odd),
            names=shown_names,
            beyond=beyond,
        )
        yield Moment(time=time, lane="labs", text=text, urgent=any(r.flag.startswith("critical") for r in odd))


def _arrow(reading: Reading) -> str:
    return "↓" if "low" in reading.flag else "↑"


def _vitals(case: Case, language: Language) -> Iterator[Moment]:
    for v in case.vitals:
        one = case.model_copy(update={"vitals": (v,)})
        said = [row.zh if language == "zh" else row.en for row in lines(one)]
        if said:
            text = ("，" if language == "zh" else ", ").join(said)
            yield Moment(time=_minute(v), lane="vitals", text=text, urgent=bool(abnormal(one, language, urgent=True)))


def _minute(vitals: Vitals) -> str:
    return (vitals.time or "")[:16]


def _treatments(case: Case, graph: DrugGraph, language: Language) -> Iterator[Moment]:
    zh = language == "zh"
    for m in case.medications:
        text = as_recorded(medicine_words(m, graph, language), language)
        yield Moment(time=m.since or "", lane="treatments", text=pair("since then: {text}", text=text)[zh] if m.since else text)
    for c in case.patient.conditions:
        name = as_recorded(condition_name(c.name, c.code, graph, language), language)
        yield Moment(time=c.since or "", lane="notes", text=pair("diagnosis: {name}", name=name)[zh])


def _lung_function(case: Case, language: Language) -> Iterator[Moment]:
    zh = language == "zh"
    for f in case.lung_function:
        values = [
            ("FEV1", f.fev1_l, " L"),
            ("FEV1", f.fev1_pct, "%"),
            ("FVC", f.fvc_l, " L"),
            ("FVC", f.fvc_pct, "%"),
            ("DLCO", f.dlco_pct, "%"),
        ]
        said = [f"{name} {shown(v)}{unit}" for name, v, unit in values if v is not None]
        if said:
            yield Moment(time=(f.time or "")[:10], lane="studies", text=pair("lung function: {values}", values=", ".join(said))[zh])


def _notes(case: Case, language: Language) -> Iterator[Moment]:
    for n in case.notes:
        cut = n.text if len(n.text) <= _MOST_NOTE else n.text[: _MOST_NOTE - 1].rstrip() + "…"
        text = as_recorded(cut, language)
        yield Moment(time=(n.time or "")[:16], lane="notes", text=f"{in_words('note', n.kind, language)}: {text}" if n.kind else text)
