"""Tool `calculate_score`: one calculator on the case, as evidence and as the contract's `calc` object."""

from collections.abc import Iterable
from datetime import date

from retrieval.concepts.table import vocabulary
from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.evidence import Evidence, Language, Quantity, ToolResult
from tools.imaging.marks.scores import lesion_inputs
from tools.labs.units import parse_unit
from tools.quantities import fill
from tools.scores.ages import youngest
from tools.scores.base import Calculator
from tools.scores.explain import explain as explained
from tools.scores.explain import explaining_evidence
from tools.scores.inputs import UNIT_TAKEN, Resolved
from tools.scores.payload import ComponentRow, InputRow, ScoreData
from tools.scores.registry import find, sources
from tools.scores.run import Outcome, run
from tools.scores.worst import worse

say = messages("tools.scores").say
_word = messages("tools.scores").table

pair = messages("tools.scores").pair

# A short score shows what did not count too.
_FEW = 8


def calculate_score(deps: Deps, name: str, inputs: dict[str, str] | None = None, explain: bool = False) -> ToolResult:
    """Calculate a clinical score or formula from the case, or let it explain itself.

    Args:
        deps: The case and the language.
        name: Name of a calculator (`curb_65`, `psi`, ...).
        inputs: Values that the case lacks or that replace it, as `key -> value[unit]`.
        explain: Say what is scored, what the result means and how it is computed; without a case and without inputs this is all.

    Returns:
        One evidence with the value or the possible range; `missing` names what is unknown.

    Raises:
        BadInput: Unknown calculator, input or unit.
    """
    calculator = find(name)
    if explain or (deps.case is None and not inputs):
        return _explained(calculator.name, explain)
    return calculated(deps, calculator, dict(inputs or {}))


def calculated(deps: Deps, calculator: Calculator, inputs: dict[str, str]) -> ToolResult:
    """The result of a calculator, or its possible range, also where nothing is known.

    Raises:
        BadInput: Unknown input or unit.
    """
    inputs, marked = lesion_inputs(deps, calculator, inputs)
    outcome = run(calculator, deps.case, inputs)
    if outcome.too_young is not None:
        return _not_for(outcome, outcome.too_young, deps.language, inputs)
    missing = tuple(_label(outcome, key, deps.language) for key in outcome.missing)
    note = calculator.note
    return ToolResult(
        tool="calculate_score",
        status="partial" if outcome.missing else "ok",
        reason=say(deps.language, "missing: {names}", names=(", ".join(missing), "、".join(missing))) if missing else None,
        query={"name": calculator.name, "inputs": dict(inputs)},
        counts={"inputs": len(calculator.fields), "known": len(outcome.inputs)},
        warnings=(*_warnings(outcome, note, deps.language), *marked.warnings),
        missing=missing,
        evidence=(
            *((evidence(outcome),) if outcome.low is not None else _not_yet(outcome)),
            *_by_the_worst(outcome, deps, inputs),
            *marked.evidence,
        ),
        data=payload(outcome),
    )


def _not_for(outcome: Outcome, years: float, language: Language, inputs: dict[str, str]) -> ToolResult:
    """A calculator that is not made for someone of this age: no figure, and why."""
    c = outcome.calculator
    text, text_zh = pair(
        "{name} holds from {youngest} years on and is not applied at {years:g} years; for children use paediatric values.",
        name=(c.en[:1].upper() + c.en[1:], c.zh),
        youngest=youngest(c),
        years=years,
    )
    said = _told(c, "age", text, text_zh)
    return ToolResult(
        tool="calculate_score",
        status="out_of_domain",
        reason=text_zh if language == "zh" else text,
        query={"name": c.name, "inputs": dict(inputs)},
        counts={"inputs": len(c.fields), "known": len(outcome.inputs)},
        evidence=(said,),
        data=payload(outcome),
    )


def _by_the_worst(outcome: Outcome, deps: Deps, inputs: dict[str, str]) -> tuple[Evidence, ...]:
    """A severity score at presentation by the worst vital signs of a day, where it is higher than by the last."""
    found = worse(outcome.calculator, deps.case, inputs, outcome)
    if found is None:
        return ()
    worst, (said, said_zh) = found
    base = evidence(worst)
    text, text_zh = pair(
        "By the worst vital signs of the last 24 hours ({said}): {score}", said=(said, said_zh), score=(base.text, base.text_zh or "")
    )
    return (
        base.model_copy(
            update={"key": f"{base.key}-worst", "text": text, "text_zh": text_zh, "quantities": fill(base.quantities, text, text_zh)}
        ),
    )


def _not_yet(outcome: Outcome) -> tuple[Evidence, ...]:
    """A nodule score without its inputs: what is missing, and that no score is a verdict."""
    c = outcome.calculator
    keys = {field.key for field in c.fields}
    if not outcome.missing or (not {"size", "nodule_type"} & keys and "pretest" not in keys):
        return ()
    lack = [(_label(outcome, k, "en"), _label(outcome, k, "zh")) for k in outcome.missing]
    text, text_zh = pair(
        "{name} cannot be calculated yet; missing: {missing}. Whether a lesion is malignant is settled by no CT figure alone.",
        name=(c.en[:1].upper() + c.en[1:], c.zh),
        missing=(", ".join(en for en, _ in lack), "、".join(zh for _, zh in lack)),
    )
    return (_told(c, "missing", text, text_zh),)


def _told(c: Calculator, what: str, text: str, text_zh: str) -> Evidence:
    """A statement about a calculator that gave no figure."""
    source = sources()[c.name]
    return Evidence(
        key=f"S-{c.name}-{what}",
        kind="score",
        text=text,
        text_zh=text_zh,
        source=source.text,
        year=source.year,
        quantities=fill((), text, text_zh),
        subjects=(c.name, c.en.casefold()),
    )


def _explained(name: str, asked: bool) -> ToolResult:
    """The calculator in its own words."""
    explanation = explained(name)
    return ToolResult(
        tool="calculate_score",
        status="ok",
        query={"name": name, "inputs": {}, "explain": asked},
        counts={"items": len({i.key for i in explanation.items})},
        evidence=explaining_evidence(explanation),
        data=explanation,
    )


def _warnings(outcome: Outcome, note: tuple[str, str] | None, language: Language) -> Iterable[str]:
    zh = language == "zh"
    if note is not None:
        yield note[1 if zh else 0]
    for r in outcome.inputs.values():
        if r.origin == UNIT_TAKEN:
            yield (pair("{field}: no unit given, read as {unit}", unit=shown_unit(r.field.unit), field=(r.field.en, r.field.zh))[zh])
    days = sorted({r.time[:10] for r in outcome.inputs.values() if r.time and r.origin in ("labs", "vitals")})
    # More than two days between inputs is not one state of the patient.
    if len(days) > 1 and (_day(days[-1]) - _day(days[0])).days > 2:
        yield pair("the inputs are from different times: {first} to {last}", first=days[0], last=days[-1])[zh]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min


def _label(outcome: Outcome, key: str, language: Language) -> str:
    field = next(f for f in outcome.calculator.fields if f.key == key)
    return field.zh if language == "zh" else field.en


def evidence(outcome: Outcome) -> Evidence:
    """The result as one citable statement with its components."""
    c = outcome.calculator
    source = sources()[c.name]
    low, high = outcome.low or 0.0, outcome.high or 0.0
    result = Quantity(name=c.name, value=low, unit=c.unit, decimals=c.decimals, high=None if outcome.value is not None else high)
    extra = [
        Quantity(name=e.name, value=outcome.extra[e.name], unit=e.unit, decimals=e.decimals) for e in c.extra if e.name in outcome.extra
    ]
    text, text_zh = statement(outcome, "en"), statement(outcome, "zh")
    return Evidence(
        key=f"S-{c.name}",
        kind="score",
        text=text,
        text_zh=text_zh,
        source=source.text,
        year=source.year,
        locator=_when(outcome),
        quantities=fill((result, *extra, *_inputs(outcome)), text, text_zh),
        subjects=(c.name, c.en.casefold()),
        premises=tuple(dict.fromkeys(r.key for r in outcome.inputs.values() if r.key)),
    )


def _when(outcome: Outcome) -> str | None:
    times = sorted({r.time for r in outcome.inputs.values() if r.time})
    return None if not times else times[0] if len(times) == 1 else f"{times[0]} – {times[-1]}"


def _inputs(outcome: Outcome) -> list[Quantity]:
    return [
        Quantity(name=key, value=float(r.value), unit=shown_unit(r.field.unit), decimals=_decimals(float(r.value)))
        for key, r in outcome.inputs.items()
        if isinstance(r.value, int | float) and not isinstance(r.value, bool)
    ]


def shown_unit(unit: str) -> str:
    """A field's unit as prose writes it."""
    parsed = parse_unit(unit) if "/" in unit or "[" in unit else None
    return parsed.shown if parsed else unit


def _decimals(value: float) -> int:
    return 0 if value == round(value) else 1 if abs(value) >= 10 else 2


def _number(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def statement(outcome: Outcome, language: Language) -> str:
    """One or two sentences: result, meaning, components, and what is open."""
    c, zh = outcome.calculator, language == "zh"
    name = c.zh if zh else c.en[:1].upper() + c.en[1:]
    unit = (_word("unit").get(c.unit, c.unit) if zh else c.unit) or ""
    gap = "" if unit in ("", "%") else " "
    if outcome.value is not None:
        number = _number(outcome.value, c.decimals)
        singular = unit.removesuffix("s") if number == "1" and unit == "points" else unit
        head = pair("{name} is {number}{gap}{singular}", name=name, number=number, gap=gap, singular=(singular, unit))[zh]
    else:
        low, high = _number(outcome.low or 0.0, c.decimals), _number(outcome.high or 0.0, c.decimals)
        head = pair("{name} is between {low} and {high}{gap}{unit}", name=name, low=low, high=high, gap=gap, unit=unit)[zh]
    band = outcome.band[1 if zh else 0] if outcome.band else None
    if band is None and outcome.bands_open:
        first, last = (b[1 if zh else 0] for b in outcome.bands_open)
        band = pair("from {first} to {last}", first=first, last=last)[zh]
    meaning = "" if band is None else (f"：{band}" if zh else f": {band}")
    stop = "。" if zh else ". "
    exact = outcome.exact
    if exact is not None:
        meaning += pair("; with exactly this score: {exact}", exact=exact)[zh]
    return (head + meaning + stop + _parts(outcome, language) + _extra(outcome, language)).strip()


def _extra(outcome: Outcome, language: Language) -> str:
    zh = language == "zh"
    out = ""
    for e in outcome.calculator.extra:
        if e.name in outcome.extra:
            value = f"{_number(outcome.extra[e.name], e.decimals)} {e.unit}".strip()
            out += pair("The {text} is {value}. ", value=value, text=(e.en, e.zh))[zh]
    return out


def _parts(outcome: Outcome, language: Language) -> str:
    zh = language == "zh"
    if not outcome.components:
        used = [f"{r.field.zh if zh else r.field.en} {_shown(r, language)}" for r in outcome.inputs.values()]
        return (pair("Based on {used}. ", used=(", ".join(used), "、".join(used)))[zh]) if used else ""
    scored = [x for x in outcome.components if x.points]
    open_ones = [x for x in outcome.components if x.points is None]
    label = [(x.item.zh if zh else x.item.en) + f" ({_measured(outcome, x.item.needs, language)}{x.points:+g})" for x in scored]
    out = ""
    if label:
        out += pair("Scored: {label}. ", label=(", ".join(label), "、".join(label)))[zh]
    spared = [x for x in outcome.components if x.points == 0]
    if spared and len(outcome.components) <= _FEW:
        none = [(x.item.zh if zh else x.item.en) + _plain(outcome, x.item.needs, language) for x in spared]
        out += pair("Not scored: {none}. ", none=(", ".join(none), "、".join(none)))[zh]
    if open_ones:
        names = [
            say(language, "{name} ({low:g} to {high:+g})", name=(x.item.en, x.item.zh), low=x.item.low, high=x.item.high) for x in open_ones
        ]
        out += pair("Not known: {names}. ", names=(", ".join(names), "、".join(names)))[zh]
    return out


def _plain(outcome: Outcome, needs: tuple[str, ...], language: Language) -> str:
    """The numbers behind a criterion in brackets; nothing for flags."""
    numbers = _measured(outcome, needs, language).removesuffix("; ")
    return f" ({numbers})" if numbers else ""


def _measured(outcome: Outcome, needs: tuple[str, ...], language: Language) -> str:
    """The numbers behind a criterion: `31 /min; `, empty for flags."""
    numbers = [outcome.inputs[k] for k in needs if k in outcome.inputs and not isinstance(outcome.inputs[k].value, bool | str)]
    return "".join(f"{_shown(r, language)}; " for r in numbers)


def _shown(r: Resolved, language: Language) -> str:
    if isinstance(r.value, bool):
        return say(language, "yes") if r.value else say(language, "no")
    if isinstance(r.value, int | float):
        unit = say(language, "years", context="unit") if r.field.unit == "years" else shown_unit(r.field.unit)
        return f"{_number(float(r.value), _decimals(float(r.value)))} {unit}".strip()
    word = str(r.value)
    named = vocabulary().concepts.get(word.replace("_", "-"))
    if language == "en":
        return word.replace("_", " ")
    return _word("choice").get(word) or (named.zh[0] if named and named.zh else word.replace("_", " "))


def payload(outcome: Outcome) -> ScoreData:
    """The contract's object of `calc NAME`."""
    c = outcome.calculator
    inputs = {
        key: InputRow(value=r.value, unit=r.field.unit or None, origin=r.origin, time=r.time, reported=r.reported)
        for key, r in outcome.inputs.items()
    }
    components = (
        ComponentRow(id=x.item.id, text=x.item.en, text_zh=x.item.zh, points=x.points, low=x.item.low, high=x.item.high)
        for x in outcome.components
    )
    return ScoreData(
        name=c.name,
        value=outcome.value,
        unit=c.unit,
        range=(outcome.low, outcome.high),
        band=outcome.band[0] if outcome.band else None,
        band_zh=outcome.band[1] if outcome.band else None,
        bands_possible=tuple(b[0] for b in outcome.bands_open) if outcome.bands_open else (),
        inputs=inputs,
        missing=tuple(outcome.missing),
        components=tuple(components),
        extra=dict(outcome.extra),
        exact=outcome.exact[0] if outcome.exact else None,
        exact_zh=outcome.exact[1] if outcome.exact else None,
        source=sources()[c.name].text,
    )
