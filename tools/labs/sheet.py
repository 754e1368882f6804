"""Pasted laboratory sheets become observations: English, Chinese, tab-separated, CSV.

Tolerant of layout, strict about meaning: a unit that is not understood is kept as written and flagged later, never guessed.
"""

import csv
import io
import re
import unicodedata
from itertools import pairwise
from typing import Literal

from medmpt_backend.messages import Said
from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.case.record import Observation
from tools.errors import BadInput, EmptyInput
from tools.labs.analytes import find_analyte, specimen_of
from tools.labs.units import parse_unit

pair = messages("tools.labs").pair
_WORDS = patterns("tools.labs")

Comparator = Literal["<", "<=", ">", ">="]
_NUMBER = r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+-]?\d+(?:[.,]\d+)?"
_NUMBER = f"(?:{_NUMBER})"
# The number stands after a separator, or directly after a Chinese name; digits inside a name (CO2, IL-6, HbA1c) stay there.
_LINE = re.compile(
    r"^\s*(?:\d{1,3}[.、)]?\s+)?(?P<name>[^\d\s<>≤≥=:：,\t][^\t:：=<>≤≥]*?)"
    r"(?:\s*[:：=\t,]\s*|\s+|(?<=[\u4e00-\u9fff)）])|(?=[<>≤≥]))"
    rf"(?:[HLN↑↓]\s+)?(?P<cmp><=|>=|[<>≤≥])?\s*(?P<value>{_NUMBER})(?P<rest>.*)$"
)
_RANGE = re.compile(
    rf"[(\[（【]?\s*(?:(?P<low>{_NUMBER})\s*(?:{_WORDS.text('to')})\s*(?P<high>{_NUMBER})|(?P<one><=|>=|[<>≤≥])\s*(?P<bound>{_NUMBER}))\s*[)\]）】]?"
)
_FLAG = _WORDS.regex("flag")
_TIME = _WORDS.regex("time")
_NAME_CAP = 60
# One value with name, unit, flag and interval is never longer; a whole sheet is never larger.
_PART_CAP = 200
_TEXT_CAP = 500_000
# Headings under which sheets print their interval, or its two ends.
_REFERENCE, _LOWER, _UPPER = _WORDS.words("reference"), _WORDS.words("lower"), _WORDS.words("upper")
_COLUMNS = ("time", "analyte", "value", "unit")
_NEXT = re.compile(rf"\s(?=(?P<name>[A-Za-z\u4e00-\u9fff][^\s,:：=<>]{{0,25}})\s*[:：=]?\s*[<>≤≥]?\s*{_NUMBER}(?![\w^*]))")
# A Latin name written together with its number: WBC14.2, Hb121g/L.
_GLUED = re.compile(rf"^\s*(?P<name>[A-Za-z][A-Za-z%#+-]{{0,11}}?)(?P<cmp>)(?P<value>{_NUMBER})(?P<rest>.*)$")


def parse_labs(text: str) -> tuple[Observation, ...]:
    """Read a pasted sheet or a CSV with columns `time, analyte, value, unit`.

    Returns:
        One observation per readable row, in order; `time` from a date line above, where there is one.

    Raises:
        BadInput: When the text is far too long for a sheet.
        EmptyInput: When no row holds an analyte and a number.
    """
    if len(text) > _TEXT_CAP:
        raise BadInput(f"the sheet has {len(text)} characters; paste at most {_TEXT_CAP}")
    body = unicodedata.normalize("NFC", text.replace("\ufeff", "").replace("\u200b", "").replace("\u00a0", " "))
    rows = _from_csv(body)
    if rows is None:
        rows = _from_lines(body)
    if not rows:
        raise EmptyInput(
            Said(*pair("no laboratory value found: expected lines like 'Na 138 mmol/L', or CSV columns time, analyte, value, unit"))
        )
    return tuple(rows)


def _from_csv(body: str) -> list[Observation] | None:
    lines = [line for line in body.splitlines() if line.strip()]
    if not lines:
        return None
    if re.match(rf"^\s*\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}[^,\t]*[,\t][^,\t]+[,\t]\s*[<>≤≥]?=?\s*{_NUMBER}\s*(?:[,\t]|$)", lines[0]):
        lines.insert(0, "\t".join(_COLUMNS) if "\t" in lines[0] else ",".join(_COLUMNS))
    delimiter = "\t" if "\t" in lines[0] else ","
    header = [cell.strip().casefold() for cell in next(csv.reader([lines[0]], delimiter=delimiter))]
    names = {field: _WORDS.words(f"{field}_column") for field in ("analyte", "value")}
    columns = {field: next((header.index(n) for n in options if n in header), None) for field, options in names.items()}
    if columns["analyte"] is None or columns["value"] is None:
        return None
    rows: list[Observation] = []
    for record in csv.DictReader(io.StringIO("\n".join(lines)), fieldnames=header, delimiter=delimiter):
        cells = {k: (v or "").strip() for k, v in record.items() if k is not None and isinstance(v, str)}
        row = _csv_row(cells, header[columns["analyte"]], header[columns["value"]])
        if row is not None:
            rows.append(row)
    return rows


def _cell(cells: dict[str, str], column: str) -> str | None:
    """What stands under one of the headings of a column."""
    return next((cells[n] for n in _WORDS.words(f"{column}_column") if cells.get(n)), None)


def _csv_row(cells: dict[str, str], name_column: str, value_column: str) -> Observation | None:
    match = re.match(rf"^(<=|>=|[<>≤≥])?\s*({_NUMBER})$", cells.get(value_column, ""))
    if match is None:
        return None
    unit = _cell(cells, "unit")
    low, high = _reference(next((cells[n] for n in _REFERENCE if cells.get(n)), ""))
    if low is None and high is None:
        low, high = (_bound(next((cells[n] for n in names if cells.get(n)), "")) for names in (_LOWER, _UPPER))
    time = _cell(cells, "time")
    specimen = _cell(cells, "specimen")
    return _observation(cells.get(name_column, ""), match[1], match[2], unit, time, low, high, specimen)


def _from_lines(body: str) -> list[Observation]:
    rows: list[Observation] = []
    time: str | None = None
    heading: str | None = None
    for raw in body.splitlines():
        line = re.sub(r"[^\S\t]+", " ", raw).strip()
        if len(line) <= _NAME_CAP and not re.search(r"\d", line):
            # A heading names the specimen of the lines under it, until the next heading or an empty line.
            heading = line if specimen_of(line) else None
        stamp = _TIME.match(line) if len(line) <= _PART_CAP else None
        if stamp:
            time = _iso(stamp[1]) + (f"T{stamp[2]:0>5}:00" if stamp[2] else "")
            continue
        for part in _parts(line):
            row = _row(part, time, line if len(line) <= _PART_CAP and specimen_of(line) else heading)
            if row is not None:
                rows.append(row)
    return rows


def _iso(date: str) -> str:
    year, month, day = re.split(r"[-/.]", date)
    return f"{year}-{int(month):02d}-{int(day):02d}"


def _parts(line: str) -> list[str]:
    """A line may hold several values: split at semicolons, and at commas when a new name follows a number.

    Without a number before it a comma belongs to the name: `Creatinine, serum 1.4 mg/dL`.
    """
    parts: list[str] = []
    for piece in re.split(r"[;；]|[,，、](?=\s*[A-Za-z\u4e00-\u9fff][^,，;；]*?\d)", line):
        if parts and len(parts[-1]) <= _NAME_CAP and not re.search(r"\d", parts[-1]):
            parts[-1] += "," + piece
        else:
            parts.append(piece)
    return [p for part in parts for p in _at_names(part) if p.strip()]


def _at_names(part: str) -> list[str]:
    """Split where a known analyte with a number follows another value: `Na 138 K 4.1 Cl 100`."""
    cuts = [
        m.start()
        for m in _NEXT.finditer(part)
        if re.search(r"\d", part[: m.start()]) and m["name"].strip() and find_analyte(m["name"].strip("：:= "))
    ]
    edges = [0, *cuts, len(part)]
    return [part[a:b] for a, b in pairwise(edges)]


def _row(part: str, time: str | None, specimen: str | None = None) -> Observation | None:
    """Read one value; a heading before it (`Blood gas: pH 7.31`) and a glued number (`WBC14.2`) are second tries."""
    if len(part) > _PART_CAP:
        return None
    match = _LINE.match(part)
    row = _line_row(match, time, specimen) if match and len(match["name"]) <= _NAME_CAP else None
    if row is not None:
        return row
    glued = _GLUED.match(part)
    if glued and find_analyte(glued["name"]):
        return _line_row(glued, time, specimen)
    heading, colon, rest = re.split(r"([:：])", part, maxsplit=1) if re.search(r"[:：]", part) else (part, "", "")
    return _row(rest, time, specimen) if colon and not re.search(r"\d", heading) else None


def _line_row(match: "re.Match[str]", time: str | None, specimen: str | None) -> Observation | None:
    name = match["name"].strip(" \t-|")
    rest = _FLAG.sub(" ", match["rest"])
    found = _RANGE.search(rest)
    low = high = None
    if found and (found.start() > 0 or "(" in rest):
        low, high = _reference(found[0])
        rest = rest[: found.start()] + " " + rest[found.end() :]
    unit = rest.strip(" \t,，()（）[]|。.") or None
    if unit and parse_unit(unit) is None and " " in unit:
        head = unit.split()[0]
        unit = head if parse_unit(head) is not None else unit
    known = find_analyte(name)
    if known is None and (unit is None or parse_unit(unit) is None or not re.search(r"[A-Za-z\u4e00-\u9fff]", name)):
        return None
    return _observation(name, match["cmp"], match["value"], unit, time, low, high, specimen)


def _reference(text: str) -> tuple[float | None, float | None]:
    match = _RANGE.search(text)
    if match is None:
        return None, None
    if match["low"]:
        return _number(match["low"]), _number(match["high"])
    bound = _number(match["bound"])
    return (None, bound) if match["one"] in ("<", "<=", "≤") else (bound, None)


def _bound(text: str) -> float | None:
    return _number(text) if re.fullmatch(_NUMBER, text) else None


def _number(text: str) -> float:
    """`1,234` is a thousands separator, `1,2` a decimal comma."""
    return float(text.replace(",", "") if re.search(r",\d{3}(?!\d)", text) else text.replace(",", "."))


def _observation(
    name: str,
    comparator: str | None,
    value: str,
    unit: str | None,
    time: str | None,
    low: float | None,
    high: float | None,
    specimen: str | None = None,
) -> Observation:
    signs: dict[str, Comparator] = {"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}
    parsed = parse_unit(unit) if unit else None
    kind = specimen_of(specimen)
    analyte = find_analyte(name, unit=parsed, specimen=specimen)
    return Observation(
        time=time,
        analyte=analyte.id if analyte else name,
        loinc=analyte.loinc[0] if analyte and analyte.loinc else None,
        value=_number(value),
        unit=unit,
        comparator=signs[comparator] if comparator else None,
        specimen={"pleural": "pleural fluid", "bal": "lavage fluid", "urine": "urine"}.get(kind or ""),
        reference_low=low,
        reference_high=high,
    )
