"""The laboratory tab: every analyte by system with flag, interval and course, and the patterns with their rule."""

from agent.answering.labs import system_by_analyte
from agent.chart.views import LabPattern, LabRow, Labs, LabSystem, Point
from retrieval.messages.catalogue import messages
from tools.case.record import Case
from tools.deps import Deps
from tools.evidence import Language
from tools.labs.interpret import interpret_labs, interval_text
from tools.labs.patterns import find_patterns
from tools.labs.value import SHEET, Reading, latest, read, shown

pair = messages("agent.chart").pair
say = messages("agent.chart").say

_FLAGS = {
    "low": pair("low"), "normal": pair("normal"), "high": pair("high"), "critical_low": pair("critically low"),
    "critical_high": pair("critically high"), "unknown": pair("not judged"),
}  # fmt: skip


def labs(deps: Deps) -> Labs:
    """The laboratory values of the case, by system in the order of an answer."""
    case, language = deps.case, deps.language
    assert case is not None
    readings = latest(case.labs, case.patient)
    history = _history(case)
    placed: dict[tuple[int, str], list[LabRow]] = {}
    for reading in readings:
        placed.setdefault(system_by_analyte(reading.id, language), []).append(_row(reading, history.get(reading.id, []), language))
    found = find_patterns(readings, case)
    by_key = {r.key: r for r in readings}
    return Labs(
        systems=tuple(LabSystem(name=name, rows=tuple(rows)) for (_, name), rows in sorted(placed.items())),
        patterns=tuple(
            LabPattern(
                text=p.text_zh if language == "zh" else p.text,
                because=("；" if language == "zh" else "; ").join(_said(by_key[k], language) for k in p.premises if k in by_key),
                source=f"{p.source}, {p.year}" if p.year else p.source,
            )
            for p in found
        ),
        warnings=interpret_labs(deps).warnings,
        times=tuple(sorted({o.time[:16] for o in case.labs if o.time})),
    )


def _history(case: Case) -> dict[str, list[Reading]]:
    """All readings by analyte, oldest first."""
    found: dict[str, list[Reading]] = {}
    for _, _, o in sorted((o.time or "", i, o) for i, o in enumerate(case.labs)):
        if o.value is not None:
            reading = read(o, case.patient)
            found.setdefault(reading.id, []).append(reading)
    return found


def _row(r: Reading, before: list[Reading], language: Language) -> LabRow:
    value = r.observation.value or 0.0
    return LabRow(
        id=r.id,
        key=r.key,
        name=r.name(language),
        value=f"{r.observation.comparator or ''}{shown(value)}",
        number=value,
        unit="" if r.shown_unit == "1" else r.shown_unit,
        flag=r.flag,
        low=r.low,
        high=r.high,
        interval=interval_text(r) or "",
        source=say(language, "of the sheet") if r.reference_source == SHEET else r.reference_source or "",
        problem=r.problem[language == "zh"] if r.problem else "",
        time=r.observation.time or "",
        points=tuple(p for b in before if (p := _point(b, r)) is not None),
    )


def _point(before: Reading, last: Reading) -> Point | None:
    """An earlier value in the unit of the last one; None where it cannot be converted."""
    if before.observation.value is None:
        return None
    value: float | None = before.observation.value
    if before.unit != last.unit:
        ready = before.canonical is not None and last.analyte is not None and last.unit is not None
        value = last.analyte.from_canonical(before.canonical, last.unit) if ready else None  # type: ignore[union-attr, arg-type]
    return None if value is None else Point(time=before.observation.time or "", value=value)


def _said(r: Reading, language: Language) -> str:
    unit = f" {r.shown_unit}" if r.shown_unit not in ("", "1", "%") else r.shown_unit.replace("1", "")
    flag = _FLAGS[r.flag][1 if language == "zh" else 0]
    value = f"{r.observation.comparator or ''}{shown(r.observation.value or 0.0)}{unit}"
    return f"{r.name(language)} {value}（{flag}）" if language == "zh" else f"{r.name(language)} {value} ({flag})"
