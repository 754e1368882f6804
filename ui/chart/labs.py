"""The laboratory tab as HTML: patterns first, then a table per system, and a place to add a sheet."""

from collections import Counter
from html import escape

from agent.chart.views import LabPattern, LabRow, Labs, LabSystem, Point
from tools.evidence import Language
from tools.labs.value import shown
from tools.wording import typeset
from ui.chart.svg import course, interval_bar, sparkline
from ui.i18n import html, named
from ui.page.marks import lines, table

_SHOWN = 4  # patterns above the table; the others fold, so that the table stays in view


def labs_html(view: Labs, language: Language) -> str:
    """All laboratory values of the case."""
    add = (
        f'<div class="panel-acts"><button type="button" class="quiet" data-open="paste">{html("lab_paste", language)}</button>'
        f'<button type="button" class="quiet" data-open="files">{html("lab_upload", language)}</button></div>'
    )
    if not view.systems:
        return f'{add}<p class="note">{html("lab_none", language)}</p>'
    patterns = "".join(_pattern(p, language) for p in view.patterns[:_SHOWN])
    if rest := view.patterns[_SHOWN:]:
        more = "".join(_pattern(p, language) for p in rest)
        patterns += f'<details class="fold"><summary>{html("lab_more", language, n=len(rest))}</summary>{more}</details>'
    title = html("lab_patterns", language)
    found = f'<section class="patterns"><h3>{title}</h3>{patterns}</section>' if patterns else ""
    warnings = "".join(f"<li>{lines(w)}</li>" for w in view.warnings)
    limits = f'<details class="fold limits"><summary>{html("limits", language)}</summary><ul>{warnings}</ul></details>' if warnings else ""
    shared = _shared_problem(view)
    once = f'<p class="note warn">{lines(shared)}</p>' if shared else ""
    return add + once + found + "".join(_system(s, language, shared) for s in view.systems) + limits


def _shared_problem(view: Labs) -> str:
    """What limits most of the values alike, as intervals for adults beside a child: said once, not in every row."""
    told = Counter(r.problem for s in view.systems for r in s.rows if r.problem)
    problem, times = max(told.items(), key=lambda item: item[1], default=("", 0))
    return problem if times > _SHOWN else ""


def _pattern(p: LabPattern, language: Language) -> str:
    """What the values mean together; from which values and by which rule shows when it is opened."""
    rule = f"{html('lab_because', language)} {lines(p.because)}"
    source = f"{html('lab_rule', language)} {lines(p.source)}"
    said = f'<summary>{lines(p.text)}</summary><p class="note">{rule}</p><p class="note">{source}</p>'
    return f'<details class="pattern">{said}</details>'


def _system(system: LabSystem, language: Language, shared: str = "") -> str:
    heads = [html(key, language) for key in ("lab_name", "lab_value", "lab_interval", "lab_course")]
    rows = "".join(_row(r, language, shared) for r in system.rows)
    name = escape(system.name)
    return f'<section class="system"><h3>{name}</h3>{table("labs", name, heads, rows)}</section>'


def _row(r: LabRow, language: Language, shared: str = "") -> str:
    flag = named("flag", r.flag, language)
    mark = {"low": "↓", "high": "↑", "critical_low": "↓!", "critical_high": "↑!"}.get(r.flag, "")
    value = f'<b>{escape(r.value)}</b> <span class="unit">{escape(typeset(r.unit))}</span> <span class="flag {r.flag}">{mark}'
    value += f'<span class="sr-only">{escape(flag)}</span></span>'
    title = " ".join(filter(None, (r.source, r.problem)))
    interval = f'<span title="{escape(title)}">{lines(r.interval) or "–"}</span>{interval_bar(r.number, r.low, r.high)}'
    before = "; ".join(f"{p.time[:10] or '?'} {shown(p.value)}" for p in r.points[:-1][-4:])
    curve = sparkline(r.points, r.low, r.high) + (f'<span class="before">{escape(before)}</span>' if before else "")
    day = f'<span class="note">{escape(r.time[:16].replace("T", " "))}</span>' if r.time else ""
    trouble = f'<span class="note warn">{lines(r.problem)}</span>' if r.problem and r.problem != shared else ""
    name = escape(r.name)
    opens = ""
    if len(r.points) > 1:
        opens = f' data-course="{escape(r.key)}"'
        name = f'<button type="button" class="course"{opens} aria-label="{html("lab_open_course", language, name=r.name)}">{name}</button>'
    return (
        f'<tr id="row-{escape(r.key)}" data-key="{escape(r.key)}" class="{r.flag}" tabindex="-1">'
        f'<th scope="row">{name}{day}{trouble}</th><td>{value}</td><td>{interval}</td><td{opens}>{curve or "–"}</td></tr>'
    )


def course_html(r: LabRow, language: Language) -> str:
    """All values of one analyte: drawn with its interval, and as a table, newest first."""
    unit = typeset(r.unit)
    title = f"{r.name} ({unit})" if unit else r.name
    interval = f'<p class="note">{html("lab_interval", language)} {lines(r.interval)}</p>' if r.interval else ""
    rows = "".join(_moment(p, before, r) for p, before in zip(reversed(r.points), [*reversed(r.points[:-1]), None], strict=True))
    heads = [html(key, language) for key in ("lab_time", "lab_value", "lab_change")]
    return f"<h2>{escape(title)}</h2>{course(r.points, r.low, r.high)}{interval}{table('labs', escape(r.name), heads, rows)}"


def _moment(p: Point, before: Point | None, r: LabRow) -> str:
    """One value: when, how much, whether inside the interval, and by how much it differs from the one before."""
    out = "↓" if r.low is not None and p.value < r.low else "↑" if r.high is not None and p.value > r.high else ""
    change = "–"
    if before is not None and before.value:
        percent = round(100 * (p.value - before.value) / abs(before.value))
        change = f"{percent:+d}%" if percent else "="
    state = {"↓": "low", "↑": "high"}.get(out, "")
    time = escape(p.time[:16].replace("T", " ")) or "?"
    return f'<tr class="{state}"><th scope="row">{time}</th><td><b>{shown(p.value)}</b> {out}</td><td>{change}</td></tr>'
