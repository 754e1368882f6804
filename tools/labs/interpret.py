"""Tool `interpret_labs`: flags, trends and patterns of the laboratory values of the case."""

from collections.abc import Iterable

from pydantic import JsonValue

from retrieval.messages.catalogue import Pair, messages
from tools.deps import Deps
from tools.evidence import Evidence, Language, Quantity, ToolResult
from tools.labs.analytes import find_analyte, fold
from tools.labs.panel import Pattern
from tools.labs.patterns import find_patterns
from tools.labs.payload import LabsData, ObservationRow, PatternRow
from tools.labs.value import SHEET, Flag, Reading, decimals, latest, shown

say = messages("tools.labs").say

pair = messages("tools.labs").pair

_WORD: dict[Flag, tuple[str, str]] = {
    "low": pair("low"),
    "normal": pair("normal"),
    "high": pair("high"),
    "critical_low": pair("critically low"),
    "critical_high": pair("critically high"),
    "unknown": pair("not judged"),
}
_URGENCY: dict[Flag, int] = {"critical_low": 0, "critical_high": 0, "low": 1, "high": 1, "unknown": 2, "normal": 3}


def interpret_labs(deps: Deps, analytes: list[str] | None = None) -> ToolResult:
    """Interpret the laboratory values of the case: latest per analyte with flag and trend, and the patterns they form.

    Args:
        deps: The case and the language.
        analytes: Restrict to these names or ids (any language); None for all.

    Returns:
        Evidence per value, abnormal first, then patterns (inferred); critical values also in `emergencies`.
    """
    language = deps.language
    query: dict[str, JsonValue] = {"analytes": list(analytes)} if analytes else {}
    if deps.case is None or not deps.case.labs:
        reason = say(language, "no case is open") if deps.case is None else say(language, "the case has no laboratory values")
        wanted = say(language, "laboratory values")
        return ToolResult(tool="interpret_labs", status="empty", reason=reason, query=query, missing=(wanted,))
    readings = latest(deps.case.labs, deps.case.patient)
    chosen, missing = _choose(readings, analytes)
    if not chosen:
        reason = say(language, "the case has no value for {names}", names=_named(missing))
        return ToolResult(
            tool="interpret_labs",
            status="empty",
            reason=reason,
            query=query,
            missing=missing,
            counts={"analytes": len(readings), "selected": 0},
        )
    patterns = [p for p in find_patterns(readings, deps.case) if analytes is None or {r.key for r in chosen} & set(p.premises)]
    warnings = tuple(_warnings(chosen, deps))
    return ToolResult(
        tool="interpret_labs",
        status="partial" if missing or any(r.flag == "unknown" for r in chosen) else "ok",
        reason=say(language, "not in the case: {names}", names=_named(missing)) if missing else _unjudged(chosen, language),
        query=query,
        counts={"values": len(deps.case.labs), "analytes": len(readings), "selected": len(chosen), "patterns": len(patterns)},
        warnings=warnings,
        missing=missing,
        emergencies=tuple(_emergencies([r for r in chosen if r.flag in ("critical_low", "critical_high")], deps.language)),
        evidence=tuple([_evidence(r) for r in _by_urgency(chosen)] + [_pattern_evidence(p) for p in patterns]),
        data=payload(chosen, patterns),
    )


def _choose(readings: list[Reading], wanted: list[str] | None) -> tuple[list[Reading], tuple[str, ...]]:
    if not wanted:
        return readings, ()
    chosen: dict[str, Reading] = {}
    missing: list[str] = []
    for name in wanted:
        analyte = find_analyte(name)
        ids = {analyte.id, f"{analyte.id}_pct"} if analyte else {fold(name)}
        if ids & {"urea", "urea_nitrogen"}:
            ids = {"urea", "urea_nitrogen"}
        hits = [r for r in readings if r.id in ids or fold(r.id) in ids]
        chosen.update({r.id: r for r in hits})
        if not hits:
            missing.append(name)
    return list(chosen.values()), tuple(missing)


def _by_urgency(readings: Iterable[Reading]) -> list[Reading]:
    return sorted(readings, key=lambda r: _URGENCY[r.flag])


def _named(names: Iterable[str]) -> Pair:
    return ", ".join(names), "、".join(names)


def _unjudged(readings: list[Reading], language: Language) -> str | None:
    names = [r.name(language) for r in readings if r.flag == "unknown"]
    return say(language, "not judged: {names}", names=_named(names)) if names else None


def _warnings(readings: list[Reading], deps: Deps) -> Iterable[str]:
    for r in readings:
        if r.problem:
            yield say(deps.language, "{name}: {problem}", name=r.name(deps.language), problem=r.problem)
    if deps.case and deps.case.patient.pregnant and any(r.reference_source != SHEET for r in readings):
        yield say(deps.language, "the reference intervals are for adults who are not pregnant")


def _value(r: Reading, value: float) -> str:
    unit = r.shown_unit
    return f"{shown(value)}{'' if unit in ('', '%') else ' '}{unit}"


def interval_text(r: Reading) -> str | None:
    """The reference interval as prose writes it; None where there is none."""
    unit = f"{'' if r.shown_unit in ('', '%') else ' '}{r.shown_unit}"
    if r.low is not None and r.high is not None:
        return f"{shown(r.low)}–{shown(r.high)}{unit}"
    if r.high is not None:
        return f"≤ {shown(r.high)}{unit}"
    return f"≥ {shown(r.low)}{unit}" if r.low is not None else None


def sentence(r: Reading, language: Language = "en") -> str:
    """One quotable sentence: value, reference interval, flag, trend."""
    o = r.observation
    value = (o.comparator or "") + _value(r, o.value or 0.0)
    reference = interval_text(r)
    name = r.name(language)
    interval = (
        ""
        if not reference
        else pair(" (reference of the sheet {interval})", interval=reference)
        if r.reference_source == SHEET
        else pair(" (reference {interval})", interval=reference)
    )
    trend = "" if r.previous is None else pair("; the previous value was {value}", value=_value(r, r.previous))
    return say(
        language,
        "{name} is {value}{interval}: {word}{trend}.",
        name=f"{name[:1].upper()}{name[1:]}" if language == "en" else name,
        value=value,
        interval=interval,
        word=_WORD[r.flag],
        trend=trend,
    )


def _evidence(r: Reading) -> Evidence:
    o = r.observation
    unit = r.shown_unit
    numbers = [Quantity(name=r.id, value=o.value or 0.0, unit=unit, decimals=decimals(o.value or 0.0))]
    for suffix, value in (("reference_low", r.low), ("reference_high", r.high), ("previous", r.previous)):
        if value is not None:
            numbers.append(Quantity(name=f"{r.id}_{suffix}", value=value, unit=unit, decimals=decimals(value)))
    return Evidence(
        key=r.key,
        kind="lab",
        text=sentence(r),
        text_zh=sentence(r, "zh"),
        source="laboratory result of the case" + (f"; reference: {r.reference_source}" if r.reference_source else ""),
        locator=o.time,
        quantities=tuple(numbers),
        subjects=tuple(dict.fromkeys([r.id.replace("_", " "), r.name().casefold()])),
    )


def _pattern_evidence(p: Pattern) -> Evidence:
    return Evidence(
        key=f"L-pattern-{p.id}",
        kind="lab",
        text=p.text,
        text_zh=p.text_zh,
        source=p.source,
        year=p.year,
        quantities=p.quantities,
        subjects=(p.name,),
        inferred=True,
        premises=p.premises,
    )


def _emergencies(critical: list[Reading], language: Language) -> Iterable[str]:
    """A sentence for each critical value; values that are critical together stand in one, with what is done first."""
    told: set[str] = set()
    for r in critical:
        if r.combined is None:
            yield say(language, "Critical value: {name} {value}; confirm and act now.", name=r.name(language), value=_with_sign(r))
        elif r.combined.id not in told:
            told.add(r.combined.id)
            values = [f"{x.name(language)} {_with_sign(x)}" for x in critical if x.combined is not None and x.combined.id == r.combined.id]
            zh = language == "zh"
            yield say(
                language,
                "Critical values together: {values}: {what}. {act}",
                values=("、" if zh else ", ").join(values),
                what=r.combined.name_zh if zh else r.combined.name,
                act=r.combined.act_zh if zh else r.combined.act,
            )


def _with_sign(r: Reading) -> str:
    return (r.observation.comparator or "") + _value(r, r.observation.value or 0.0)


def payload(readings: list[Reading], patterns: list[Pattern]) -> LabsData:
    """The contract's object of `labs interpret`."""
    rows = (PatternRow(name=p.name, because=p.because, source=p.source, text=p.text, text_zh=p.text_zh) for p in patterns)
    return LabsData(observations=tuple(map(_row, readings)), patterns=tuple(rows))


def _row(r: Reading) -> ObservationRow:
    o = r.observation
    return ObservationRow(
        analyte=r.id,
        name=r.name(),
        loinc=o.loinc or (r.analyte.loinc[0] if r.analyte and r.analyte.loinc else None),
        value=o.value,
        comparator=o.comparator,
        unit=r.unit.ucum if r.unit else o.unit,
        flag=r.flag,
        reference=interval_text(r),
        reference_source=r.reference_source,
        time=o.time,
        previous=r.previous,
    )
