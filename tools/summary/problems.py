"""Problems in order of danger: vital signs, critical values, patterns, medicines, and what the CT shows."""

import re
from collections.abc import Iterator

from retrieval.drugs.facts import DrugFact
from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.drugs.payload import FactsData
from tools.evidence import Evidence, ToolResult
from tools.imaging.results.measured import Measured
from tools.labs.value import Reading, shown
from tools.scores.payload import ScoreData
from tools.summary.gather import Gathered
from tools.summary.record import LEVELS, Level, Pair, SummaryLine, joined, level_from, line, table, words

_WORDS = patterns("tools.summary")

pair = messages("tools.summary").pair

_MOST_ALSO = 8
_GRAVE = ("critical_low", "critical_high")
_THIRDS = {"upper": pair("upper"), "middle": pair("middle"), "lower": pair("lower")}
_SIDES = {"left": pair("left"), "right": pair("right")}


def problems(g: Gathered) -> list[SummaryLine]:
    """All problems, the most dangerous first; lines of one level in the order in which they are looked for."""
    late: list[str] = table("danger")["late"]
    patterns = list(_patterns(g))
    last = [x for x in patterns if x.evidence[0].removeprefix("L-pattern-") in late]
    first = [x for x in patterns if x not in last]
    found = [*_vitals(g), *_critical(g), *_scores(g), *first, *_ct(g), *_model(g), *_medicines(g), *_also(g), *last]
    return sorted(found, key=lambda x: LEVELS.index(x.level))


def value_of(r: Reading) -> str:
    """A value with its unit."""
    gap = "" if r.shown_unit in ("", "%") else " "
    return f"{r.observation.comparator or ''}{shown(r.observation.value or 0.0)}{gap}{r.shown_unit}"


def name_of(r: Reading, capital: bool = False) -> Pair:
    """A reading's name in both languages."""
    name = r.name("en")
    return (name[:1].upper() + name[1:] if capital else name), r.name("zh")


def _vitals(g: Gathered) -> Iterator[SummaryLine]:
    from tools.case.vitals import lines

    signs = [(x.en, x.zh) for x in lines(g.case) if ("(" in x.en and x.name != "fio2") or (x.name == "fio2" and x.value > 0.21)]
    if not signs or not g.basics.evidence:
        return
    news = g.score("news2")
    least = _least(news)
    level = level_from(table("danger")["scores"]["news2"], least) if least is not None else None
    if level is None and _urgent(g):
        level = "serious"  # one sign of three points asks for an urgent review whatever the sum
    text = words("signs", signs=joined(signs))
    if least is not None and news.evidence:
        known = (found := news.payload(ScoreData)) is not None and found.value is not None
        text = words("news2" if known else "news2_least", points=shown(least), band=_band(news), signs=joined(signs))
    yield line(text, *(("S-news2",) if news.evidence else ()), "C-vitals", level=level or "watch")


def _least(score: ToolResult) -> float | None:
    """The result, or the least that it can be with what is missing."""
    data = score.payload(ScoreData)
    found = None if data is None else data.value if data.value is not None else data.range[0]
    return None if found is None else float(found)


def _urgent(g: Gathered) -> list[str]:
    from tools.case.vitals import abnormal

    return abnormal(g.case, "en", urgent=True)


def _band(score: ToolResult) -> Pair:
    """The meaning of a score out of its sentence, in both languages."""
    item = score.evidence[0]
    en = re.search(r": (.+?)(?:; with exactly|\. |\.$)", item.text)
    zh = re.search(_WORDS.text("problems_zh"), item.text_zh or "")
    return (en[1] if en else ""), (zh[1] if zh else "")


def _critical(g: Gathered) -> Iterator[SummaryLine]:
    told = {k for e in g.labs.evidence if e.key.startswith("L-pattern-") and _level(e) == "act_now" for k in e.premises}
    for r in g.readings.values():
        if r.flag in _GRAVE and g.labs.evidence and r.key not in told:
            yield line(words("critical", name=name_of(r, capital=True), value=value_of(r)), r.key, level="act_now")


def _scores(g: Gathered) -> Iterator[SummaryLine]:
    """CURB-65 where pneumonia is written or supposed."""
    if g.record.notion("pneumonia") is False or not (g.record.notion("pneumonia") or _fever(g)):
        return
    score = g.score("curb_65")
    data = score.payload(ScoreData)
    level = None if data is None or data.value is None else level_from(table("danger")["scores"]["curb_65"], data.value)
    if level is not None:
        item = score.evidence[0]
        yield line((_first(item.text), _first(item.text_zh or item.text)), item.key, level=level)


def _fever(g: Gathered) -> bool:
    """Fever with cough or with dense lung: pneumonia stands in question."""
    said = " ".join((*g.case.presentation.symptoms, g.case.presentation.question or "")).casefold()
    return bool(re.search(_WORDS.text("problems_fever"), said) and re.search(_WORDS.text("problems_cough"), said))


def _first(text: str) -> str:
    """A score's sentence without its list of items."""
    return re.split(_WORDS.text("problems_first"), text)[0].strip()


def _patterns(g: Gathered) -> Iterator[SummaryLine]:
    order = list(table("danger")["patterns"])
    found = [e for e in g.labs.evidence if e.key.startswith("L-pattern-")]
    for item in sorted(found, key=lambda e: order.index(_id(e)) if _id(e) in order else len(order)):
        level = _level(item)
        used = [r for r in g.readings.values() if r.key in item.premises and r.flag not in ("normal", "unknown")]
        if level == "background" or not used:
            continue
        values = joined([(f"{name_of(r, i == 0)[0]} {value_of(r)}", f"{r.name('zh')} {value_of(r)}") for i, r in enumerate(used[:4])])
        yield line(words("pattern", values=values, text=_pair(item)), item.key, *(r.key for r in used), level=level)


def _level(item: Evidence) -> Level:
    """The danger of a pattern."""
    level: Level = table("danger")["patterns"].get(_id(item), "watch")
    return level


def _id(item: Evidence) -> str:
    return item.key.removeprefix("L-pattern-")


def _pair(item: Evidence) -> Pair:
    return item.text, item.text_zh or item.text


def _medicines(g: Gathered) -> Iterator[SummaryLine]:
    levels: dict[str, Level] = table("danger")["drugs"]
    data = g.drugs.payload(FactsData)
    for fact in sorted(data.facts if data else (), key=_gravity):
        level, item = levels.get(str(fact.severity)), g.item(fact.key)
        if level is None or item is None or (fact.inferred and level != "act_now"):
            continue
        text = (_short(item.text), _short(item.text_zh or item.text))
        toxic = [r.key for r in g.readings.values() if r.flag == "critical_high" and r.id.replace("_", "-") in item.subjects]
        # An interaction of a drug whose level is critical is the cause of a danger, not a risk of one.
        yield line(text, item.key, *toxic, "C-medications", level="act_now" if toxic and level == "serious" else level)


def _short(text: str) -> str:
    """A fact of the drug graph without its mechanism, which stands behind the key."""
    rest = re.sub(_WORDS.text("problems_rest"), " ", text)
    return " ".join(rest.split()).replace("。 ", "。")


def _gravity(fact: DrugFact) -> int:
    order = list(table("danger")["drugs"])
    severity = str(fact.severity)
    return order.index(severity) if severity in order else len(order)


def _ct(g: Gathered) -> Iterator[SummaryLine]:
    """What was measured, where it is enough to be worth a line."""
    if g.ct is None or g.study is None:
        return
    data, limits = g.ct.payload(Measured), table("danger")["ct"]
    key = f"CT-{g.study.id}"
    for name in ("pneumothorax", "effusion"):
        sides = {side: ml for side in ("left", "right") if (ml := figure(data, name, f"{side}_ml")) is not None and ml >= 10}
        level = level_from(limits[f"{name}_ml"], max(sides.values(), default=0.0))
        if level is not None:
            shown_sides = joined([words(side, ml=f"{ml:.0f}") for side, ml in sides.items()])
            yield line(words(name, sides=shown_sides, doubt=doubt(data, name)), f"{key}-{name}", level=level)
    ml = figure(data, "consolidation", "ml")
    level = level_from(limits["consolidation_ml"], ml) if ml is not None else None
    if level is not None:
        yield line(words("dense", ml=f"{ml:.0f}", doubt=doubt(data, "consolidation")), f"{key}-consolidation_ml", level=level)
    for word, name in (("ggo", "ggo_pct"), ("emphysema", "laa950_pct")):
        pct, item = figure(data, "lungs", name), g.item(f"{key}-{name}")
        level = level_from(limits[name], pct) if pct is not None else None
        if level is not None and item is not None and item.validity != "out":
            yield line(words(word, pct=f"{pct:.1f}", place=_place(data, name)), item.key, f"{key}-{name}_region", level=level)


def figure(data: Measured | None, group: str, name: str) -> float | None:
    """A number of a measurement by the names of its group and itself, as the tables of this room have them."""
    value = None if data is None else getattr(getattr(data, group), name)
    return None if value is None else float(value)


def doubt(data: Measured | None, group: str) -> Pair:
    """A remark where the method is not certain of its domain; lungs as a whole have no validity of their own."""
    return words("doubt") if data is not None and getattr(getattr(data, group), "validity", None) == "unknown" else ("", "")


def _place(data: Measured | None, name: str) -> Pair:
    """Where there is most of it."""
    rows = [r for r in (data.regions if data else ()) if getattr(r, name) is not None]
    top = max(rows, key=lambda r: float(getattr(r, name)), default=None)
    if top is None:
        return "", ""
    return words("most", third=_THIRDS[top.third], side=_SIDES[top.side])


def _model(g: Gathered) -> Iterator[SummaryLine]:
    """Findings of the detectors in one line; outside their domain that they abstain."""
    if g.model is None:
        return
    found = [e for e in g.model.evidence if e.present is True]
    if found:
        names = [_named(g, e) for e in found[:8]]
        yield line(words("model", findings=joined(names, (", ", "、"))), *(e.key for e in found[:8]), level="watch")
    elif g.model.status == "out_of_domain" and g.model.evidence:
        first = g.model.evidence[0]
        yield line(_pair(first), first.key, level="background")


def _named(g: Gathered, item: Evidence) -> Pair:
    from medmpt_backend.findings import finding

    about = finding(item.key.rsplit("-", 1)[-1])
    side = {"left": pair(" left"), "right": pair(" right"), "both": pair(" both sides")}.get(item.side or "", ("", ""))
    return f"{about.en[:1].lower()}{about.en[1:]}{side[0]}", f"{side[1]}{about.zh}"


def _also(g: Gathered) -> Iterator[SummaryLine]:
    """Other abnormal values in one line: those that no critical line and no pattern has named."""
    told = {k for e in g.labs.evidence if e.key.startswith("L-pattern-") and _shown_pattern(e) for k in e.premises}
    rest = [r for r in g.readings.values() if r.flag in ("low", "high") and r.key not in told]
    if rest:
        values = joined([(f"{r.name('en')} {value_of(r)}", f"{r.name('zh')} {value_of(r)}") for r in rest[:_MOST_ALSO]], (", ", "、"))
        yield line(words("also_abnormal", values=values), *(r.key for r in rest[:_MOST_ALSO]), level="watch")


def _shown_pattern(item: Evidence) -> bool:
    return _level(item) != "background"
