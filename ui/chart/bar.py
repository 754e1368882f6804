"""The patient bar as HTML."""

from html import escape

from agent.chart.views import Bar, Sign
from tools.evidence import Language
from ui.i18n import html, named_or_same, text
from ui.page.marks import lines


def bar_html(handle: str | None, bar: Bar | None, language: Language, problem: str | None = None) -> str:
    """Who the open case is about, with the reason when opening another one failed.

    Args:
        handle: Of the open case; the browser sends it back, so that a stale page is noticed.
        bar: The patient, None without a case.
        language: Of the page.
        problem: Why another case could not be opened.
    """
    failed = ""
    if problem is not None:
        kept = f"<p>{html('case_kept', language)}</p>" if bar is not None else ""
        failed = f'<div class="box failure" role="alert"><b>{html("open_failed", language)}</b><p>{lines(problem)}</p>{kept}</div>'
    if bar is None or handle is None:
        return f'{failed}<div class="bar empty"><p class="note">{html("card_empty", language)}</p></div>'
    label = html("patient", language)
    facts = "".join((_who(bar, language), _allergies(bar, language), _risks(bar, language), _vitals(bar, language)))
    return f'{failed}<section class="bar" data-case="{escape(handle)}" aria-label="{label}">{facts}</section>{_urgent(bar, language)}'


def _who(bar: Bar, language: Language) -> str:
    badge = f'<span class="badge synthetic">{html("synthetic", language)}</span>' if bar.synthetic else ""
    person = " · ".join(filter(None, (bar.age, bar.sex, bar.weight)))
    person = person or text("no_person", language)
    known = f'<span class="fact conditions">{escape(_joined(bar.conditions, language))}</span>' if bar.conditions else ""
    name = escape(named_or_same("case_name", bar.name, language))
    return f'<span class="fact name"><b>{name}</b>{badge}</span><span class="fact person">{escape(person)}</span>{known}'


def _joined(items: tuple[str, ...], language: Language) -> str:
    return ("、" if language == "zh" else ", ").join(items)


def _allergies(bar: Bar, language: Language) -> str:
    title = html("allergies", language)
    if not bar.allergies:
        return f'<span class="fact unknown"><i>{title}</i> {html("none_recorded", language)}</span>'
    return f'<span class="fact allergy"><i>{title}</i> <b>{escape(_joined(bar.allergies, language))}</b></span>'


def _risks(bar: Bar, language: Language) -> str:
    signs = [*bar.kidney, *([bar.clotting] if bar.clotting else [])]
    parts = [_sign(s) for s in signs]
    if bar.pregnant:
        parts.append(f'<span class="fact sign urgent"><b>{html("pregnant", language)}</b></span>')
    elif bar.may_be_pregnant and bar.pregnant is None:
        parts.append(f'<span class="fact unknown">{html("pregnancy_unknown", language)}</span>')
    return "".join(parts)


def _vitals(bar: Bar, language: Language) -> str:
    signs = "".join(_sign(s) for s in bar.vitals)
    if bar.vitals_at:
        signs += f'<time class="when" datetime="{escape(bar.vitals_at)}">{escape(bar.vitals_at[:16].replace("T", " "))}</time>'
    return f'<span class="vitals" role="group" aria-label="{html("vitals", language)}">{signs}</span>' if signs else ""


def _sign(sign: Sign) -> str:
    arrow = {"low": " ↓", "high": " ↑", "urgent": " !"}.get(sign.state, "")
    number, gap, unit = sign.value.partition(" ")
    measured = f'{escape(number)}<span class="unit">{gap}{escape(unit)}</span>' if unit else escape(number)
    body = f"<i>{escape(sign.name)}</i> <b>{measured}{arrow}</b>"
    if sign.key:
        return f'<button type="button" class="fact sign {sign.state}" data-row="{escape(sign.key)}">{body}</button>'
    return f'<span class="fact sign {sign.state}">{body}</span>'


def _urgent(bar: Bar, language: Language) -> str:
    if not bar.emergencies:
        return ""
    items = " ".join(f"<li>{lines(e)}</li>" for e in bar.emergencies)
    head = f"<b>{html('emergency', language)} ({len(bar.emergencies)})</b>"
    # A phone shows the beginning of each; the button, which stands there only, shows them whole.
    more = f'<button type="button" class="whole" aria-expanded="false" aria-label="{html("urgent_whole", language)}"></button>'
    return f'<div class="urgent" role="alert">{head}<ul>{items}</ul>{more}</div>'
