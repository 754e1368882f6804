"""What changed: laboratory values, vital signs, lung function, and the CT against its prior."""

from collections.abc import Iterator

from retrieval.messages.catalogue import messages
from tools.case.record import LungFunction, Vitals
from tools.imaging.results.measured import Measured
from tools.labs.value import Reading, shown
from tools.summary.gather import Gathered
from tools.summary.problems import figure, name_of, value_of
from tools.summary.record import Pair, SummaryLine, line, table, words

pair = messages("tools.summary").pair

_VITALS: tuple[tuple[str, str, str, str], ...] = (
    ("gcs", *pair("Glasgow Coma Scale"), ""),
    ("spo2_pct", *pair("Oxygen saturation"), "%"),
    ("respiratory_rate", *pair("Respiratory rate"), " /min"),
    ("sbp_mmhg", *pair("Systolic pressure"), " mmHg"),
    ("heart_rate", *pair("Heart rate"), " /min"),
    ("temperature_c", *pair("Temperature"), " °C"),
)
_FUNCTION = (("fvc_pct", "FVC", "FVC"), ("fev1_pct", "FEV1", "FEV1"), ("dlco_pct", "DLCO", "DLCO"))
_CT: tuple[tuple[str, str, str, str, str, int], ...] = (
    ("lungs", "ggo_pct", *pair("ground-glass density"), "%", 1),
    ("lungs", "laa950_pct", *pair("emphysema density (LAA-950)"), "%", 1),
    ("lungs", "total_l", *pair("lung volume"), " L", 2),
    ("effusion", "left_ml", *pair("pleural fluid left"), " mL", 0),
    ("effusion", "right_ml", *pair("pleural fluid right"), " mL", 0),
)


def changes(g: Gathered) -> list[SummaryLine]:
    """What changed, the largest changes of the laboratory first, then vital signs, CT and lung function."""
    return [*_vitals(g), *_labs(g), *_ct(g), *_function(g)]


def _labs(g: Gathered) -> Iterator[SummaryLine]:
    share: float = table("danger")["change"]["lab_share"]
    moved = [r for r in g.readings.values() if _share(r) >= share or _crossed(r)]
    for r in sorted(moved, key=lambda r: (r.flag == "normal", -_share(r))):
        if not g.labs.evidence or r.previous is None or r.observation.value is None:
            continue
        word = "back_normal" if _crossed(r) and r.flag == "normal" else "lab_up" if r.observation.value > r.previous else "lab_down"
        if r.flag == "normal" and word != "back_normal":
            continue  # moved, but inside the interval both times
        gap = "" if r.shown_unit in ("", "%") else " "
        before = f"{shown(r.previous)}{gap}{r.shown_unit}"
        yield line(words(word, name=name_of(r, capital=True), now=value_of(r), before=before), r.key, level="watch")


def _share(r: Reading) -> float:
    now, before = r.observation.value, r.previous
    return abs(now - before) / abs(before) if now is not None and before else 0.0


def _crossed(r: Reading) -> bool:
    """Whether it left the interval or came back into it."""
    if r.previous is None or r.flag == "unknown":
        return False
    outside = (r.low is not None and r.previous < r.low) or (r.high is not None and r.previous > r.high)
    return outside != (r.flag != "normal")


def _vitals(g: Gathered) -> Iterator[SummaryLine]:
    rows = sorted(g.case.vitals, key=lambda v: v.time or "")
    if len(rows) < 2 or not g.basics.evidence:
        return
    for field, en, zh, unit in _VITALS:
        now, before = _two(rows, field)
        if now is not None and before is not None and abs(now - before) >= table("danger")["change"][field]:
            yield line(
                words("vital_change", name=(en, zh), now=f"{shown(now)}{unit}", before=f"{shown(before)}{unit}"), "C-vitals", level="watch"
            )


def _two(rows: list[Vitals], field: str) -> tuple[float | None, float | None]:
    values = [v for row in rows if (v := getattr(row, field)) is not None]
    return (values[-1], values[-2]) if len(values) >= 2 else (None, None)


def _function(g: Gathered) -> Iterator[SummaryLine]:
    rows = sorted(g.case.lung_function, key=lambda f: f.time or "")
    if len(rows) < 2 or not g.basics.evidence:
        return
    now, before = rows[-1], rows[-2]
    for field, en, zh in _FUNCTION:
        values = getattr(now, field), getattr(before, field)
        if None not in values and abs(values[0] - values[1]) >= table("danger")["change"][field]:
            yield _function_line((en, zh), values, now, before)


def _function_line(name: Pair, values: tuple[float, float], now: LungFunction, before: LungFunction) -> SummaryLine:
    text = words(
        "function_change",
        name=name,
        now=shown(values[0]),
        before=shown(values[1]),
        day=(now.time or "?")[:10],
        earlier=(before.time or "?")[:10],
    )
    return line(text, "C-lung-function", level="watch")


def _ct(g: Gathered) -> Iterator[SummaryLine]:
    if g.ct is None or g.ct_before is None or g.study is None:
        return
    for group, name, en, zh, unit, digits in _CT:
        now, before = figure(g.ct.payload(Measured), group, name), figure(g.ct_before.payload(Measured), group, name)
        limit = table("danger")["change"]["effusion_ml" if group == "effusion" else name]
        key = f"CT-{g.study.id}-{'effusion' if group == 'effusion' else 'volume' if name == 'total_l' else name}"
        item = g.item(key)
        if now is None or before is None or abs(now - before) < limit or item is None or item.validity == "out":
            continue
        yield line(
            words("ct_change", name=(en, zh), now=f"{now:.{digits}f}{unit}", before=f"{before:.{digits}f}{unit}"), key, level="watch"
        )
