"""Words of the record in the language of the reader, where the vocabulary knows them; what it does not know stays as recorded."""

from functools import lru_cache

from retrieval.drugs.graph import DrugGraph
from tools.case.record import Case, Medication
from tools.evidence import Language
from tools.labs.value import shown

_ROUTES = {
    "oral": "口服", "po": "口服", "iv": "静脉", "intravenous": "静脉", "inhaled": "吸入", "im": "肌内注射", "sc": "皮下注射",
    "subcutaneous": "皮下注射", "nebulised": "雾化吸入", "topical": "外用", "sublingual": "舌下",
}  # fmt: skip
_FREQUENCIES = {
    "daily": "每日一次", "once daily": "每日一次", "twice daily": "每日两次", "three times daily": "每日三次",
    "four times daily": "每日四次",
    "every 12 h": "每 12 小时一次", "every 8 h": "每 8 小时一次", "every 6 h": "每 6 小时一次", "weekly": "每周一次", "as needed": "必要时",
    "at night": "每晚一次",
}  # fmt: skip
_REACTIONS = {
    "urticaria": "荨麻疹", "rash": "皮疹", "anaphylaxis": "过敏性休克", "angioedema": "血管性水肿", "bronchospasm": "支气管痉挛",
    "nausea": "恶心", "mild": "轻度", "moderate": "中度", "severe": "重度",
}  # fmt: skip


def drug_name(name: str, graph: DrugGraph, language: Language) -> str:
    """A medicine's generic name as the reader writes it."""
    found = graph.resolve(name)
    return (found[0].name_zh if language == "zh" else name) if found else name


@lru_cache(maxsize=256)
def _allergen(substance: str) -> str | None:
    from agent.reading.lexicon import mentions

    named = [m.term for m in mentions(substance) if m.term.kind in ("drug", "drug_class") and m.term.zh]
    return named[0].zh[0] if named else None


def allergen_name(substance: str, language: Language) -> str:
    """A substance of the allergy list."""
    return (_allergen(substance) or substance) if language == "zh" else substance


def detail(word: str, language: Language) -> str:
    """A reaction or its severity."""
    return _REACTIONS.get(word.casefold(), word) if language == "zh" else word


def condition_name(name: str, code: str | None, graph: DrugGraph, language: Language) -> str:
    """A diagnosis; in Chinese where a vocabulary holds exactly this one."""
    if language == "en":
        return name
    flat = name.casefold()
    for found in (graph.condition(i) for i in graph.match_conditions(name, code)):
        if flat in (found.name.casefold(), *(s.strip().casefold() for s in found.synonyms.split(";"))):
            return found.name_zh
    return _term(flat) or name


@lru_cache(maxsize=512)
def _term(flat: str) -> str | None:
    from agent.reading.lexicon import mentions

    whole = [m.term for m in mentions(flat) if m.start == 0 and m.end == len(flat) and m.term.zh]
    return whole[0].zh[0] if whole else None


def conditions(case: Case, graph: DrugGraph, language: Language) -> tuple[str, ...]:
    """All diagnoses of the case."""
    return tuple(condition_name(c.name, c.code, graph, language) for c in case.patient.conditions)


def dose_of(medicine: Medication, language: Language) -> str:
    """Dose, route and frequency."""
    zh = language == "zh"
    dose = "" if medicine.dose is None else f"{shown(medicine.dose)} {medicine.unit or ''}".strip()
    route, often = medicine.route or "", medicine.frequency or ""
    words = (dose, _ROUTES.get(route.casefold(), route) if zh else route, _FREQUENCIES.get(often.casefold(), often) if zh else often)
    return " ".join(w for w in words if w)
