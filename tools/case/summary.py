"""Tool `summarize_case`: the case on one page as evidence sentences, and the card of it that the system prompt carries."""

from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import messages
from tools.case.record import Case
from tools.case.vitals import abnormal, lines
from tools.case.words import allergy_words, as_recorded, condition_name, finding_name, medicine_words
from tools.deps import Deps
from tools.evidence import Evidence, Language, Payload, Quantity, ToolResult
from tools.labs.interpret import sentence
from tools.labs.value import latest, shown
from tools.quantities import fill

say = messages("tools.case").say

pair = messages("tools.case").pair

_SEX = {"male": pair("man"), "female": pair("woman"), "other": pair("patient"), "unknown": pair("patient")}
_MOST_LABS = 12


class CardData(Payload):
    """The case in a few lines, for a system prompt."""

    card: str


def summarize_case(deps: Deps) -> ToolResult:
    """Summarise the case on one page: demographics, presentation, vitals, conditions, allergies, medicines, key labs, studies."""
    if deps.case is None:
        return ToolResult(tool="summarize_case", status="empty", reason=say(deps.language, "no case is open"), missing=("case",))
    evidence = [e for e in _parts(deps.case) if e is not None]
    missing = tuple(_missing(deps.case, deps.language))
    card = CardData(card=case_card(deps.case, deps.language))
    return ToolResult(
        tool="summarize_case",
        status="partial" if missing else "ok",
        reason=say(deps.language, "not recorded: {gaps}", gaps=(", ".join(missing), "、".join(missing))) if missing else None,
        counts={"sentences": len(evidence)},
        missing=missing,
        emergencies=tuple(abnormal(deps.case, deps.language, urgent=True)),
        evidence=tuple(evidence),
        data=card,
    )


def case_card(case: Case, language: Language = "en") -> str:
    """The case in a few lines for a system prompt: no identifiers, opaque handles only."""
    zh = language == "zh"
    return "\n".join((e.text_zh or e.text) if zh else e.text for e in _parts(case) if e is not None)


def _parts(case: Case) -> list[Evidence | None]:
    return [
        _demographics(case),
        _presentation(case),
        _vitals(case),
        _conditions(case),
        _allergies(case),
        _medications(case),
        _labs(case),
        _lung_function(case),
        _studies(case),
    ]


def _evidence(
    name: str, en: str, zh: str, subjects: tuple[str, ...] = (), known: tuple[Quantity, ...] = (), time: str | None = None
) -> Evidence:
    return Evidence(
        key=f"C-{name}",
        kind="case",
        text=en,
        text_zh=zh,
        source="case record",
        locator=time,
        quantities=fill(known, en, zh),
        subjects=(name, *subjects),
    )


def _demographics(case: Case) -> Evidence:
    p = case.patient
    noun = _SEX[p.sex]
    age = None if p.age_years is None else shown(p.age_years)
    if age is None and p.sex == "unknown":
        en, zh = pair("Age and sex of the patient are not recorded")
    elif age is None:
        en, zh = pair("The patient is a {noun} of unknown age", noun=noun)
    else:
        article = "an" if age in ("11", "18") or age.startswith("8") else "a"
        en, zh = pair(
            "The patient is {article} {age}-year-old {noun}",
            article=article,
            age=age,
            noun=noun if p.sex in ("male", "female") else (noun[0], ""),  # the Chinese sentence has said "patient" already
        )
    known: list[Quantity] = [] if p.age_years is None else [Quantity(name="age", value=p.age_years, unit="years", decimals=0)]
    if p.weight_kg is not None:
        en, zh = pair("{text}, weight {weight_kg} kg", weight_kg=shown(p.weight_kg), text=(en, zh))
    if p.height_cm is not None:
        en, zh = pair("{text}, height {height_cm} cm", height_cm=shown(p.height_cm), text=(en, zh))
    if p.pregnant:
        en, zh = pair("{text}, pregnant", text=(en, zh))
    if p.smoking and p.smoking.status != "unknown":
        word = {"never": pair("never smoker"), "former": pair("former smoker"), "current": pair("current smoker")}[p.smoking.status]
        years, years_zh = (
            ("", "") if p.smoking.pack_years is None else pair(" of {pack_years} pack-years", pack_years=shown(p.smoking.pack_years))
        )
        en, zh = f"{en}, {word[0]}{years}", f"{zh}，{word[1]}{years_zh}"
    return _evidence("demographics", en + ".", zh + "。", (p.sex,), tuple(known))


def _presentation(case: Case) -> Evidence | None:
    p = case.presentation
    if not (p.question or p.symptoms or p.findings):
        return None
    en, zh = "", ""
    if p.symptoms:
        span, span_zh = ("", "") if p.duration_days is None else pair(" for {duration_days} days", duration_days=shown(p.duration_days))
        en, zh = pair("Symptoms{span}: {symptoms}. ", span=(span, span_zh), symptoms=_in_both(p.symptoms))
    if p.findings:
        en, zh = pair("{text}Findings: {findings}. ", findings=_in_both(p.findings), text=(en, zh))
    if p.question:
        asked = (as_recorded(p.question, "en"), as_recorded(p.question, "zh"))
        en, zh = pair("{text}Question: {question}", question=asked, text=(en, zh))
    return _evidence("presentation", en.strip(), zh, tuple(p.symptoms))


def _in_both(recorded: tuple[str, ...]) -> tuple[str, str]:
    """Symptoms or findings in English and Chinese; what is not translated says so, once where it is all of them."""
    return _told(recorded, "en", ", "), _told(recorded, "zh", "、")


def _told(recorded: tuple[str, ...], language: Language, mark: str) -> str:
    names = [finding_name(r, language) for r in recorded]
    untold = all(name != r and name == as_recorded(r, language) for r, name in zip(recorded, names, strict=True))
    return as_recorded(mark.join(recorded), language) if untold else mark.join(names)


def _vitals(case: Case) -> Evidence | None:
    rows = lines(case)
    if not rows:
        return None
    en, zh = pair("Vital signs: {signs}.", signs=(", ".join(r.en for r in rows), "，".join(r.zh for r in rows)))
    known = tuple(Quantity(name=r.name, value=r.value, unit=r.unit, decimals=r.decimals) for r in rows)
    return _evidence("vitals", en, zh, tuple(r.name for r in rows), known, max((r.time or "" for r in rows), default="") or None)


def _listed(
    name: str, head: tuple[str, str], items: list[tuple[str, str]], subjects: tuple[str, ...], none: tuple[str, str] | None = None
) -> Evidence | None:
    if not items:
        return _evidence(name, none[0], none[1]) if none else None
    en, zh = "; ".join(i[0] for i in items), "；".join(i[1] for i in items)
    return _evidence(name, f"{head[0]}: {en}.", f"{head[1]}：{zh}。", tuple(s.casefold() for s in subjects))


def _conditions(case: Case) -> Evidence | None:
    known = case.patient.conditions
    items = []
    for c in known:
        zh = condition_name(c.name, c.code, DrugGraph.load(), "zh")
        name = (as_recorded(c.name, "en"), as_recorded(zh, "zh"))
        items.append(pair("{name} (since {since})", name=name, since=c.since) if c.since else name)
    return _listed("conditions", pair("Known conditions"), items, tuple(c.name for c in known))


def _allergies(case: Case) -> Evidence | None:
    items = [_recorded(allergy_words(a, DrugGraph.load(), "en"), allergy_words(a, DrugGraph.load(), "zh")) for a in case.patient.allergies]
    none = pair("No allergy is recorded; this is not the same as none.")
    return _listed("allergies", pair("Recorded allergies"), items, tuple(a.substance for a in case.patient.allergies), none)


def _recorded(en: str, zh: str) -> tuple[str, str]:
    return as_recorded(en, "en"), as_recorded(zh, "zh")


def _medications(case: Case) -> Evidence | None:
    items = [_recorded(medicine_words(m, DrugGraph.load(), "en"), medicine_words(m, DrugGraph.load(), "zh")) for m in case.medications]
    none = pair("No current medicine is recorded; this is not the same as none.")
    return _listed("medications", pair("Current medicines"), items, tuple(m.name for m in case.medications), none)


def _labs(case: Case) -> Evidence | None:
    readings = [r for r in latest(case.labs, case.patient) if r.flag not in ("normal", "unknown")]
    readings.sort(key=lambda r: not r.flag.startswith("critical"))
    if not readings:
        return None
    kept = readings[:_MOST_LABS]
    en = " ".join(sentence(r) for r in kept)
    zh = "".join(sentence(r, "zh") for r in kept)
    known = tuple(Quantity(name=r.id, value=r.observation.value or 0.0, unit=r.shown_unit, decimals=4) for r in kept)
    return _evidence("labs", *pair("Abnormal laboratory values: {text}", text=(en, zh)), tuple(r.id.replace("_", " ") for r in kept), known)


def _lung_function(case: Case) -> Evidence | None:
    if not case.lung_function:
        return None
    last = max(case.lung_function, key=lambda f: f.time or "")
    labels = (
        ("fev1_l", "FEV1", "FEV1", " L"), ("fev1_pct", *pair("FEV1"), "%"), ("fvc_l", "FVC", "FVC", " L"),
        ("fvc_pct", *pair("FVC"), "%"), ("fev1_fvc", "FEV1/FVC", "FEV1/FVC", ""), ("dlco_pct", *pair("DLCO"), "%"),
    )  # fmt: skip
    values = [(en, zh, unit, v) for f, en, zh, unit in labels if (v := getattr(last, f)) is not None]
    if not values:
        return None
    en = ", ".join(f"{n} {shown(v)}{u}" + (" predicted" if u == "%" else "") for n, _, u, v in values)
    zh = "，".join(f"{n} {shown(v)}{u}" for _, n, u, v in values)
    return _evidence("lung-function", *pair("Lung function: {text}.", text=(en, zh)), ("fev1",), time=last.time)


def _studies(case: Case) -> Evidence | None:
    items: list[tuple[str, str]] = []
    for t in case.studies:
        name = pair("{id} (prior)", id=t.id) if t.prior else (t.id, t.id)
        items.append(pair("{name} of {date}", name=name, date=t.date) if t.date else name)
    return _listed("studies", pair("CT studies available"), items, tuple(t.id for t in case.studies))


def _missing(case: Case, language: Language) -> list[str]:
    p = case.patient
    gaps = (
        (p.age_years is None, *pair("age")),
        (p.sex == "unknown", *pair("sex")),
        (not case.vitals, *pair("vital signs")),
        (not case.labs, *pair("laboratory values")),
        (not p.allergies, *pair("allergies")),
        (not case.medications, *pair("medicines")),
    )
    return [zh if language == "zh" else en for gap, en, zh in gaps if gap]
