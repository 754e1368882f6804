"""The course of a value: every dated value in order, and where it is going."""

from dataclasses import dataclass

from retrieval.messages.catalogue import messages
from tools.bedside.asks.subject import LUNG, VITALS, name_of
from tools.bedside.judging import evidence
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import numbers
from tools.evidence import Evidence
from tools.labs.value import read, shown

pair = messages("tools.bedside").pair

_LEAST_CHANGE = 0.03
# A pH moves in hundredths.
_SMALL = 0.002
_ON_A_LOG_SCALE = frozenset({"ph", "pleural_ph"})
_MOST_VALUES = 8
_MOST_NAMED = 4


@dataclass(frozen=True)
class Point:
    """One value with its time; `number` is in one unit over the course."""

    time: str
    number: float
    shown: str


def points(name: str, record: Record) -> list[Point]:
    """All values of a name in time order."""
    case = record.case
    if name in VITALS:
        _, _, field, unit = VITALS[name]
        sets = sorted(case.vitals, key=lambda v: v.time or "")
        gap = "" if unit in ("%", "/min") else " "
        return [Point(s.time or "", float(v), f"{shown(float(v))}{gap}{unit}") for s in sets if (v := getattr(s, field)) is not None]
    if name in LUNG:
        tests = sorted(case.lung_function, key=lambda f: f.time or "")
        return [_lung_point(t.time or "", float(v), name, t.fvc_l, t.fev1_l) for t in tests if (v := getattr(t, LUNG[name][2])) is not None]
    if name in numbers():
        return _written(name, record)
    found = [read(o, case.patient) for o in sorted(case.labs, key=lambda o: o.time or "")]
    mine = [r for r in found if r.id == name and r.observation.value is not None]
    out = []
    for r in mine:
        gap = "" if r.shown_unit in ("", "%") else " "
        text = f"{r.observation.comparator or ''}{shown(r.observation.value or 0.0)}{gap}{r.shown_unit}"
        out.append(Point(r.observation.time or "", r.canonical if r.canonical is not None else float(r.observation.value or 0.0), text))
    return out


def _lung_point(time: str, value: float, name: str, fvc_l: float | None, fev1_l: float | None) -> Point:
    litres = {"fvc_pct": fvc_l, "fev1_pct": fev1_l}.get(name)
    unit = "" if name == "fev1_fvc" else "%"
    return Point(time, value, f"{shown(value)}{unit}" + (f" ({shown(litres)} L)" if litres is not None else ""))


def _written(name: str, record: Record) -> list[Point]:
    """Numbers that stand in notes only, in the order of the notes."""
    number, best = numbers()[name], record.get("best_pef")
    out: list[Point] = []
    for note in sorted(record.case.notes, key=lambda n: n.time or ""):
        for match in number.pattern.finditer(note.text):
            digits = next(g for g in match.groups() if g)
            share = f" ({float(digits) / best.number:.0%} of {best.shown})" if name == "pef" and best is not None else ""
            text = f"{digits}{'' if number.unit in ('', '%') else ' '}{number.unit}{share}"
            out.append(Point(note.time or "", float(digits), text))
    return out


def course(names: tuple[str, ...], record: Record) -> list[Evidence]:
    """One statement per named value that the record holds more than once; a single value says so."""
    lines = []
    for name in names[:_MOST_NAMED]:
        found = points(name, record)[-_MOST_VALUES:]
        if found:
            lines.append((name, *_said(name, found)))
    return [evidence(f"B-course-{name}-{0 if i == 0 else i}", en, zh, "case record", None) for i, (name, en, zh) in enumerate(lines)]


def _said(name: str, found: list[Point]) -> tuple[str, str]:
    en_name, zh_name = name_of(name)
    same_day = len({p.time[:10] for p in found}) < len(found)
    when = [(p.time[:16].replace("T", " ") if same_day else p.time[:10]) or "undated" for p in found]
    steps = [f"{p.shown} ({t})" for p, t in zip(found, when, strict=True)]
    steps_zh = [f"{p.shown}（{t}）" for p, t in zip(found, when, strict=True)]
    if len(found) == 1:
        return pair("{name}: one value only, {steps}.", name=(en_name, zh_name), steps=(steps[0], steps_zh[0]))
    word, word_zh = _direction(found, _SMALL if name in _ON_A_LOG_SCALE else _LEAST_CHANGE)
    return f"{en_name}: {' → '.join(steps)}: {word}.", f"{zh_name}：{' → '.join(steps_zh)}：{word_zh}。"


def _direction(found: list[Point], least: float) -> tuple[str, str]:
    """Where the value goes over all, and against the last one where that points the other way."""
    first, last, before = found[0].number, found[-1].number, found[-2].number
    size = max(abs(first), 1e-9)
    change, step = last - first, last - before
    still = least * size
    percent = pair(" ({percent:.0f}% overall)", percent=abs(change) / size * 100) if least == _LEAST_CHANGE else ("", "")
    if abs(change) < still and abs(step) < still:
        return pair("no real change")
    whole = pair("rising") if change > 0 else pair("falling")
    if abs(change) < still or (len(found) > 2 and change * step < 0 and abs(step) >= still):
        turn = pair("rising", context="course") if step > 0 else pair("falling", context="course")
        over = pair("above") if change > 0 else pair("below")
        if abs(change) < still:
            return pair("back to where it was, last step {turn}", turn=turn)
        return pair("now {turn} again from {shown}, {over} the first value", shown=found[-2].shown, turn=turn, over=over)
    return f"{whole[0]}{percent[0]}", f"{whole[1]}{percent[1]}"
