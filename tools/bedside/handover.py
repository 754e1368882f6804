"""The patient in a few lines for a handover: who, what, how ill, which results, what is pending or not done."""

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.bedside.judging import evidence
from tools.bedside.record.said import clauses
from tools.bedside.record.view import Record
from tools.evidence import Evidence, Language
from tools.labs.value import Reading

_WORDS = patterns("tools.bedside")

pair = messages("tools.bedside").pair

_SEX = {"male": pair("man"), "female": pair("woman"), "other": pair("patient"), "unknown": pair("patient")}
_PENDING, _REPORT = _WORDS.regex("pending"), _WORDS.regex("report_note")
_URGENT = ("critical_low", "critical_high")
_WEIGHTY = frozenset({"troponin_i", "troponin_t", "lactate", "platelets", "ph", "paco2", "pao2", "crp"})
_MOST_RESULTS = 7
_MOST_PENDING = 3
_ROOM = 150


def handover(record: Record) -> list[Evidence]:
    """Two statements: the patient and the state, then results and what is open."""
    who_en, who_zh = _who(record, "en"), _who(record, "zh")
    rest_en, rest_zh = _rest(record, "en"), _rest(record, "zh")
    return [
        evidence("B-handover-0", who_en, who_zh, "case record", None),
        evidence("B-handover-1", rest_en, rest_zh, "case record", None),
    ]


def _who(record: Record, language: Language) -> str:
    zh, p = language == "zh", record.case.patient
    age = record.get("age")
    names = [c.name for c in p.conditions]
    problems = _problems(record)
    vitals = [
        (*pair("BP"), "bp"),
        (*pair("HR"), "hr"),
        (*pair("RR"), "rr"),
        ("SpO2", "SpO2", "spo2"),
        ("FiO2", "FiO2", "fio2"),
        (*pair("T"), "temperature"),
        ("GCS", "GCS", "gcs"),
    ]
    signs = [f"{z if zh else e} {v.shown}" for e, z, n in vitals if (v := record.get(n)) is not None]
    brackets = "（{}）" if zh else " ({})"
    allergies = [a.substance + (brackets.format(a.reaction) if a.reaction else "") for a in p.allergies]
    comma = "、" if zh else ", "
    parts = [
        pair(
            "{age}-year-old {noun}{pregnant}: {conditions}",
            age=age.shown if age else "?",
            noun=_SEX[p.sex],
            pregnant=pair(", pregnant") if p.pregnant else "",
            conditions=comma.join(names) or pair("no conditions recorded"),
        )[zh],
        pair("Now: {problems}", problems=comma.join(problems))[zh] if problems else "",
        pair("State: {signs}", signs=(", ".join(signs), "，".join(signs)))[zh] if signs else "",
        pair("Allergies: {allergies}", allergies=comma.join(allergies) or pair("none recorded"))[zh],
    ]
    return "。".join(x for x in parts if x) + "。" if zh else ". ".join(x for x in parts if x) + "."


def _problems(record: Record) -> list[str]:
    """Symptoms, and what reports show: the first clause of each report."""
    p = record.case.presentation
    found = list(p.symptoms[:4])
    reports = [n.text for n in record.case.notes if "report" in (n.kind or "").casefold() or _REPORT.match(n.text)]
    reports += [s.report for s in record.case.studies if s.report]
    return found + [c[:_ROOM] for text in reports for c in clauses(text)[:2]]


def _rest(record: Record, language: Language) -> str:
    zh = language == "zh"
    comma = "、" if zh else ", "
    results = [f"{r.name(language)} {_value(r)}" for r in _abnormal(record)[:_MOST_RESULTS]]
    written = [("RV/LV", "rv_lv"), ("TAPSE", "tapse"), ("QTc", "qtc")]
    results += [f"{name} {v.shown}" for name, key in written if (v := record.get(key)) is not None]
    drugs = [m.name for m in record.case.medications]
    open_now = [c[:_ROOM] for n in record.case.notes for c in clauses(n.text) if _PENDING.search(c)][:_MOST_PENDING]
    parts = [
        pair("Results: {results}", results=comma.join(results))[zh] if results else "",
        pair("Medicines: {drugs}", drugs=comma.join(drugs))[zh] if drugs else "",
        pair("Open or not done: {tasks}", tasks=("; ".join(open_now), "；".join(open_now)))[zh] if open_now else "",
    ]
    return "。".join(x for x in parts if x).rstrip("。") + "。" if zh else ". ".join(x for x in parts if x).rstrip(".") + "."


def _abnormal(record: Record) -> list[Reading]:
    """Abnormal results, critical ones first; those that move (fall or rise by a third) before the others."""
    found = [r for r in record.labs.values() if r.flag not in ("normal", "unknown")]

    def order(r: Reading) -> tuple[bool, bool]:
        now, before = r.observation.value, r.previous
        moved = bool(now is not None and before and abs(now - before) >= before / 3)
        return (r.flag not in _URGENT, not (moved or r.id in _WEIGHTY))

    return sorted(found, key=order)


def _value(r: Reading) -> str:
    value = f"{r.observation.comparator or ''}{r.observation.value:g} {r.shown_unit}".strip()
    return f"{value} (before {r.previous:g})" if r.previous is not None else value
