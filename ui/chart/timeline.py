"""The timeline and the evidence of the conversation as HTML."""

from collections.abc import Sequence
from html import escape

from agent.chart.views import Moment, Timeline
from tools.evidence import Evidence, Language
from tools.reports.export.cited import place_words, source_name
from ui.i18n import html, named
from ui.page.marks import lines, mark

_LANES = ("studies", "labs", "vitals", "treatments", "notes")


def timeline_html(view: Timeline, language: Language) -> str:
    """Events by day, newest first, each in its lane; filters above."""
    if not view.moments and not view.undated:
        return f'<p class="note">{html("timeline_none", language)}</p>'
    present = {m.lane for m in (*view.moments, *view.undated)}
    filters = "".join(
        f'<label><input type="checkbox" class="lane" value="{lane}" checked> {escape(named("lane", lane, language))}</label>'
        for lane in _LANES
        if lane in present
    )
    days: dict[str, list[Moment]] = {}
    for moment in reversed(view.moments):
        days.setdefault(moment.time[:10], []).append(moment)
    body = "".join(
        f'<section class="day"><h3>{escape(day)}</h3><ol>{"".join(_moment(m, language) for m in rows)}</ol></section>'
        for day, rows in days.items()
    )
    if view.undated:
        rows = "".join(_moment(m, language) for m in view.undated)
        body += f'<section class="day"><h3>{html("undated", language)}</h3><ol>{rows}</ol></section>'
    group = html("lanes", language)
    return f'<div class="lanes" role="group" aria-label="{group}">{filters}</div><div class="timeline">{body}</div>'


def _moment(m: Moment, language: Language) -> str:
    clock = f"<time>{escape(m.time[11:16])}</time>" if len(m.time) > 10 else "<time></time>"
    lane = escape(named("lane", m.lane, language))
    kind = f"moment {m.lane}{' urgent' if m.urgent else ''}"
    return f'<li class="{kind}" data-lane="{m.lane}">{clock}<i>{lane}</i><span>{lines(m.text)}</span></li>'


def evidence_html(cited: Sequence[Evidence], language: Language) -> str:
    """Everything the conversation rests on, by kind, with a box to search in it."""
    if not cited:
        return f'<p class="note">{html("evidence_none", language)}</p>'
    order = [e.key for e in cited]
    kinds: dict[str, list[Evidence]] = {}
    for e in cited:
        kinds.setdefault(e.kind, []).append(e)
    sections = "".join(_kind(kind, rows, order, language) for kind, rows in kinds.items())
    find = html("evidence_find", language)
    return f'<label class="find">{find} <input type="search" id="evidence-find" autocomplete="off"></label>{sections}'


def _kind(kind: str, rows: Sequence[Evidence], order: Sequence[str], language: Language) -> str:
    items = "".join(_item(e, order, language) for e in rows)
    return f'<section class="kind"><h3>{escape(named("kind", kind, language))}</h3><ul class="cited">{items}</ul></section>'


def _item(e: Evidence, order: Sequence[str], language: Language) -> str:
    words = (e.text_zh or e.text) if language == "zh" else e.text
    source = " · ".join(filter(None, (source_name(e.source, language), str(e.year or ""), place_words(e.locator or ""))))
    return f'<li>{mark(e.key, order, e, language)} <span>{lines(words)}</span><span class="note">{escape(source)}</span></li>'
