"""Structured evidence compared as fields: laboratory values, scores, measurements, model findings, case text, the drug graph.

What a record supports is what its fields hold: subject, value, unit, direction against the interval, change, band, presence. Advice,
cause and safety are never in a record.
"""

import re
import tomllib
from dataclasses import replace
from datetime import date
from functools import lru_cache
from importlib.resources import files

from agent.reading.lexicon import DRUG_KINDS, ids, mentions
from agent.verify.contrast import contrasts
from agent.verify.facts.bands import contained, in_its_band
from agent.verify.facts.dated import dated
from agent.verify.facts.derived import worked_out
from agent.verify.numbers import FALL, Number, dates_of, located, numbers_of, numbers_of_evidence, opposed, same
from agent.verify.polarity import denial
from agent.verify.typed.explained import explained
from agent.verify.typed.panel import table
from agent.verify.typed.scale import steps
from agent.verify.units import convert, parse_unit
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence, Quantity
from tools.labs.analytes import analytes, find_analyte
from tools.labs.units import parse_unit as parse_lab_unit

_TEXT = patterns("agent.verify")

_DATA = tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))["record"]
_WORDS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _DATA["words"].items()}
_BANDS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _DATA["bands"].items())
_SUFFIX = re.compile(r"_(reference_low|reference_high|previous|limit|rule_out|threshold)$")
RECORDS = frozenset({"lab", "score", "ct", "model", "case", "report", "similar_case"})
# Farther from the value than this a limit says nothing of it ("above 1" of an INR of 12).
_NEAR = 2.0
_PREVIOUS = _TEXT.regex("record_previous")
_TOTAL = _TEXT.regex("record_total")


def is_pattern(item: Evidence) -> bool:
    """Whether laboratory evidence is a reading of several values, in prose."""
    return item.kind == "lab" and "-pattern-" in f"{item.key}-"


def differs_from_record(claim: str, cited: list[Evidence]) -> str | None:
    """The first field in which the claim differs from the structured evidence it cites; None when it says the same."""
    records = [e for e in cited if e.kind in RECORDS]
    if records and len(records) == len(cited) and _WORDS["advice"].search(claim) and not _recorded_advice(claim, records):
        return "a record shows what was found, it does not advise"
    if records and all(e.kind in ("case", "ct", "model", "report") for e in cited) and _called_normal(claim, records):
        return "the record does not call it normal"
    labs = [e for e in cited if e.kind == "lab" and not is_pattern(e) and e.quantities]
    reason = _labs_differ(claim, labs) if labs and len(labs) == len(cited) else None
    scores = [e for e in cited if e.kind == "score"]
    reason = reason or next((r for s in scores if len(cited) == 1 and (r := _total_differs(claim, s))), None)
    reason = reason or next((r for s in scores if (r := _band_differs(claim, s))), None)
    drugs = [e for e in cited if e.kind == "drug_graph"]
    return reason or (_safety_differs(claim, drugs) if len(drugs) == len(cited) else None)


def _called_normal(claim: str, records: list[Evidence]) -> bool:
    """Whether a claim calls something normal of which the records say nothing like it."""
    normal = next(c for c in contrasts() if c.name == "normality")
    held = normal.of(" ; ".join(f"{e.text} ; {e.text_zh or ''}" for e in records))
    return "normal" in normal.of(claim) and not denial(claim).statement and "normal" not in held


def _recorded_advice(claim: str, records: list[Evidence]) -> bool:
    """A pattern or report may itself hold advice: then the words of advice must be its own, and of a case only that it is recorded."""
    if any(e.kind == "case" for e in records) and not _WORDS["told"].search(claim):
        return False
    said = {m.group(0).lower() for m in _WORDS["advice"].finditer(claim)}
    held = " ".join(f"{e.text} {e.text_zh or ''}" for e in records).lower()
    return all(w in held for w in said)


def _labs_differ(claim: str, labs: list[Evidence]) -> str | None:
    if any(len(table(e.text)) > 1 for e in labs):
        return None  # several values: compared one by one as a table
    if len(labs) > 1:
        flags = {_flag(e) for e in labs}
        return _state_differs(claim, labs[0], flags) if len(flags) == 1 else None
    return _state_differs(claim, labs[0], {_flag(labs[0])}) or _trend_differs(claim, labs[0])


def _flag(item: Evidence) -> str:
    """`low`, `normal` or `high` from value and interval, `critical_` before it where the record says so."""
    values = {_field(q): q for q in item.quantities}
    value, low, high = values.get("value"), values.get("reference_low"), values.get("reference_high")
    said = re.search(r"\):?\s*(critically )?(low|high|normal)\b", item.text)
    if said:
        return f"{'critical_' if said.group(1) else ''}{said.group(2)}"
    if value is None or (low is None and high is None):
        written = re.search(r"\b(critically )?(low|high|normal)\b", item.text)
        return f"{'critical_' if written.group(1) else ''}{written.group(2)}" if written else "unknown"
    if low is not None and value.value < low.value:
        return "low"
    return "high" if high is not None and value.value > high.value else "normal"


def _field(quantity: Quantity) -> str:
    match = _SUFFIX.search(quantity.name)
    return match.group(1) if match else "value"


def _state_differs(claim: str, item: Evidence, flags: set[str]) -> str | None:
    flag = next(iter(flags))
    if flag == "unknown":
        return None
    body = _WORDS["limit"].sub(" ", claim)
    said = {s for s in ("low", "high", "normal", "critical", "mild") if _WORDS[s].search(body)}
    direction = flag.removeprefix("critical_")
    if denial(claim).statement:
        wrong = direction in said and not said & ({"low", "high", "normal"} - {direction})
        return f"the record says {direction}" if wrong else None
    stated = said & {"low", "high", "normal"}
    if _WORDS["earlier"].search(claim) and _WORDS["previous"].search(f"{item.text} {item.text_zh or ''}"):
        stated -= {"normal"}  # said of the earlier value
    if stated and direction not in stated:
        return f"the record says {direction}"
    if stated - {direction} and not _WORDS["trend"].search(claim):
        return f"the record says {direction} only"
    if "critical" in said and not flag.startswith("critical_"):
        return "the record does not call it critical"
    return "the record calls it critical" if "mild" in said and flag.startswith("critical_") else None


def _trend_differs(claim: str, item: Evidence) -> str | None:
    values = {_field(q): q.value for q in item.quantities}
    now, before = values.get("value"), values.get("previous")
    rising, falling, steady = (bool(_WORDS[w].search(claim)) for w in ("rising", "falling", "steady"))
    if now is None or before is None:
        now, before = _told_change(item) or (now, before)
    if not (rising or falling or steady) or now is None:
        return None
    if before is None:
        told = {w for w in ("rising", "falling", "steady") if _WORDS[w].search(f"{item.text} {item.text_zh or ''}")}
        agrees = any(w in told for w, said in (("rising", rising), ("falling", falling), ("steady", steady)) if said)
        return None if agrees else "the record holds no earlier value"
    wrong = (rising and now <= before) or (falling and now >= before) or (steady and abs(now - before) > 0.1 * abs(before))
    return "the change is the other way round in the record" if wrong else None


def total_of(item: Evidence) -> float | None:
    """The total of a score as its text gives it; None where it is a range or is not told."""
    if steps(item.text):
        return None  # a scale, not a patient's total
    name = next((m for m in mentions(item.text) if m.term.kind == "score"), None)
    total = next((n for start, _, n in located(item.text) if name and start >= name.end), None)
    if total is None or total.direction is not None or (item.quantities and item.quantities[0].high is not None):
        return None
    return total.value


def _total_differs(claim: str, item: Evidence) -> str | None:
    """Another total than the record's, said of the score itself ("an sPESI of 1" where it is 0)."""
    name = next((m for m in mentions(item.text) if m.term.kind == "score"), None)
    total = total_of(item)
    if name is None or total is None:
        return None
    for mention in mentions(claim):
        if mention.term.id == name.term.id and (near := _TOTAL.match(claim, mention.end)):
            said = float(near.group(1))
            if said != total and not _WORDS["between"].search(near.group(0)):
                return f"the record gives {total:g}"
    return None


def _told_change(item: Evidence) -> tuple[float, float] | None:
    """The last value and the one before it as the text gives them: "previous value 3.6", or values with their days."""
    before = _PREVIOUS.search(item.text) or _PREVIOUS.search(item.text_zh or "")
    series = sorted(((d, n.value, n.unit) for n, d in dated(item.text)), key=lambda row: row[0])
    if before and series:
        return series[-1][1], float(before.group(1))
    first = next((n.value for n in numbers_of(item.text) if n.unit is not None), None)
    if before and first is not None:
        return first, float(before.group(1))
    same_unit = [row for row in series if row[2] == series[-1][2]]
    return (same_unit[-1][1], same_unit[0][1]) if len(same_unit) > 1 and len(ids(item.text, "analyte")) < 2 else None


def _band_differs(claim: str, item: Evidence) -> str | None:
    stated = item.text.partition(". ")[0]
    after = re.split(r"\bpoints?\b|\bis\b", stated, maxsplit=1)[-1]
    theirs = _bands(after) or _bands(item.text)
    if not ids(item.text, "score"):
        return None  # prose about a value, not the total of a score
    mine = _bands(re.sub(_DATA["not_bands"], " ", claim, flags=re.IGNORECASE))
    if mine and theirs and not mine <= theirs:
        return f"the record puts it into another band ({', '.join(sorted(theirs))})"
    whole = item.quantities[0] if item.quantities else None
    if whole is not None and whole.high is not None and not _WORDS["between"].search(claim):
        said = [n.value for _, _, n in located(claim) if n.direction is None]
        if (whole.value in said) != (whole.high in said):
            return "the score is a range because inputs are missing"
    return None


def _bands(text: str) -> frozenset[str]:
    return frozenset(name for name, pattern in _BANDS if pattern.search(text))


def _safety_differs(claim: str, drugs: list[Evidence]) -> str | None:
    permission = next(c for c in contrasts() if c.name == "permission")
    held = frozenset().union(*(permission.of(f"{e.text} {e.text_zh or ''}") for e in drugs))
    harmful = held - {"allowed"} or any(_WORDS["interaction"].search(e.text) for e in drugs)
    plain = re.sub(_DATA["denied_safety"], " ", claim, flags=re.IGNORECASE)
    if "allowed" in permission.of(plain) and "allowed" not in held and harmful:
        return "the drug graph does not call it safe"
    known = ids(" ; ".join(f"{e.text} {e.text_zh or ''} ; {' ; '.join(e.subjects)}" for e in drugs), *DRUG_KINDS)
    return None if not ids(claim, *DRUG_KINDS) or known & ids(claim, *DRUG_KINDS) else "the drug graph speaks of other drugs"


def number_in_record(number: Number, claim: str, cited: list[Evidence]) -> str | None:
    """Whether a number of a claim that cites one laboratory value or one measurement is the right one of its fields.

    Returns:
        None when it is; a reason when it is another field's; the empty string when this record cannot tell.
    """
    item = cited[0]
    if len(cited) != 1 or item.kind not in ("lab", "ct") or is_pattern(item) or not item.quantities:
        return ""
    fields = {q.name: q for q in item.quantities}
    if item.kind == "lab":
        held = [_field(q) for q in fields.values() if _equal(number, q, item)]
        if held:
            return _field_fits(held, number, claim)
    value = next((q for q in fields.values() if _field(q) == "value"), None)
    if number.direction is not None and value is not None and len([q for q in fields.values() if _field(q) == "value"]) == 1:
        return _limit_holds(number, value)
    return ""


def _field_fits(held: list[str], number: Number, claim: str) -> str | None:
    about = "reference" if _WORDS["reference"].search(claim) else ""
    earlier = bool(_WORDS["earlier"].search(claim))
    for name in held:
        if (
            name == "value"
            or (name.startswith("reference") and about)
            or (name == "previous" and earlier)
            or name in ("limit", "rule_out", "threshold")
        ):
            return None
    return f"{number.value:g} is the {held[0].replace('_', ' ')} in the record"


def _equal(number: Number, quantity: Quantity, item: Evidence) -> bool:
    """Equal after conversion; mass and amount convert through the analyte's own molar mass."""
    unit = parse_unit(quantity.unit)
    record = Number(quantity.value, unit, quantity.decimals, exact=True)
    if same(number, record) or (number.unit is None and same(number, Number(quantity.value, None, quantity.decimals, exact=True))):
        return True
    return any(same(Number(number.value, None, number.decimals), Number(v, None, 6)) for v in _by_mass(number, quantity, item))


def _by_mass(number: Number, quantity: Quantity, item: Evidence) -> list[float]:
    analyte = find_analyte(_SUFFIX.sub("", quantity.name).replace("_", " ")) or analytes().get(_SUFFIX.sub("", quantity.name))
    unit = parse_lab_unit(quantity.unit)
    if analyte is None or unit is None or number.unit is None:
        return []
    base = analyte.to_canonical(quantity.value, unit)
    out = []
    for name in _written_units(number):
        target = parse_lab_unit(name)
        if target is not None and base is not None and (value := analyte.from_canonical(base, target)) is not None:
            out.append(value)
    # Laboratories that report mass give urea as urea nitrogen: 28 g of nitrogen per mole of urea.
    if analyte.id == "urea" and number.unit[0] == "massconc" and quantity.unit == "mmol/L":
        out.append(quantity.value * 28.0 / 1000 / number.unit[1])
    return out


@lru_cache(maxsize=64)
def _units_of(dimension: str, factor: float) -> tuple[str, ...]:
    from agent.verify.units import surfaces

    return surfaces(dimension, factor)


def _written_units(number: Number) -> tuple[str, ...]:
    return _units_of(*number.unit) if number.unit else ()


def _limit_holds(number: Number, value: Quantity) -> str | None:
    """`above 3` of 3.4: true, and near enough to say something."""
    unit = parse_unit(value.unit)
    shown = value.value
    if number.unit is not None and unit is not None:
        converted = convert(value.value, unit, number.unit)
        if converted is None:
            return ""
        shown = converted
    holds = {
        "above": shown > number.value,
        "at_least": shown >= number.value,
        "below": shown < number.value,
        "at_most": shown <= number.value,
    }[number.direction or "above"]
    if not holds:
        return f"{number.value:g} is on the wrong side of the value in the record"
    close = number.value and shown and max(abs(shown / number.value), abs(number.value / shown)) <= _NEAR
    return None if close else ""


def unsupported(claim: str, evidence: list[Evidence], years: frozenset[int]) -> str | None:
    """Why a number of `claim` does not stand in `evidence`; None when all do."""
    pool = [n for e in evidence for n in numbers_of_evidence(e)]
    if FALL.search(claim):
        # "fell by 115 mL" is a change of -115 mL.
        pool += [replace(n, value=-n.value) for n in pool if n.value < 0]
    pool += _differences(claim, evidence)
    for number in numbers_of(claim):
        if number.unit is None and number.decimals == 0 and 1980 <= number.value <= 2100:
            if int(number.value) not in years:
                return f"the year {number.value:g} is not that of the evidence"
            continue
        held = number_in_record(number, claim, evidence)
        if held == "":
            held = _unsupported_number(number, pool)
        if held and (
            (held.startswith("the number") and explained(number, claim, evidence))
            or in_its_band(claim, [t for e in evidence for t in (e.text, e.text_zh) if t], number)
            or contained(number, claim, [t for e in evidence for t in (e.text, e.text_zh) if t])
        ):
            held = None
        if held:
            return held
    days = dates_of(claim)
    known = frozenset().union(*(dates_of(f"{e.text} {e.text_zh or ''} {e.locator or ''} {e.key} {e.source}") for e in evidence))
    return f"the date {min(days - known)} is not in the evidence" if days - known else None


def _differences(claim: str, evidence: list[Evidence]) -> list[Number]:
    """What a record lets one work out: the change between two of its values ("grew by 3 mm"), the time between two of its dates."""
    if any(e.kind in ("guideline", "document", "drug_graph") for e in evidence):
        return []
    out = worked_out(claim, evidence)
    days = sorted(date.fromisoformat(d) for e in evidence for d in dates_of(f"{e.text} {e.locator or ''}") if _is_date(d))
    for first in days:
        for last in days:
            apart = (last - first).days
            if apart > 0:
                out += [Number(float(apart), parse_unit("days")), Number(float(round(apart / 30.44)), parse_unit("months"))]
                out += [Number(float(round(apart / 7)), parse_unit("weeks"))]
    return out


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _unsupported_number(number: Number, pool: list[Number]) -> str | None:
    matching = [r for r in pool if same(number, r)]
    if not matching and number.value == -950.0 and number.unit and number.unit[0] == "hounsfield":
        return None  # the definition of LAA-950
    if not matching:
        return f"the number {number.value:g} with its unit is not in the evidence"
    agreeing = [r for r in matching if not opposed(number, r)]
    if not agreeing:
        return f"the comparison with {number.value:g} is the other way round in the evidence"
    classed = [r for r in pool if r.label and r.label == number.label]
    if classed and not any(same(number, r) or (r.unit is None and r.value == number.value) for r in classed):
        return f"{number.value:g} is not what the evidence gives for {', '.join(sorted(number.label))}"
    sided = [r for r in pool if r.side and r.side == number.side and _comparable(number, r)]
    if len(number.side) == 1 and sided and not any(same(number, r) for r in sided):
        return f"{number.value:g} belongs to the other side in the evidence"
    return None


def _comparable(a: Number, b: Number) -> bool:
    return a.unit is not None and b.unit is not None and a.unit[0] == b.unit[0]
