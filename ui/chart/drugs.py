"""The medicines tab as HTML: what the patient takes, what-if, regimens, ranking with why and why-not, neighbourhood with its table."""

from html import escape

from agent.chart.desk import Supposition
from agent.chart.views import Candidate, Drugs, Medicine, RegimenCard, Remark
from retrieval.messages.catalogue import messages
from tools.evidence import Language
from ui.chart.svg import neighbourhood
from ui.i18n import html, named_or_same
from ui.page.marks import fold, led, lines, remark, table

say = messages("ui.page").say

ALLERGENS = ("penicillin", "cephalosporin", "macrolide", "fluoroquinolone", "sulfonamide", "tetracycline")


def drugs_html(view: Drugs, supposed: Supposition, may_be_pregnant: bool, language: Language) -> str:
    """Everything about medicines.

    Args:
        view: What the case says, or its supposed copy.
        supposed: What the controls suppose.
        may_be_pregnant: Whether pregnancy is worth asking.
        language: Of the page.
    """
    missing = "".join(f"<li>{lines(m)}</li>" for m in view.missing)
    box = f'<div class="box missing" role="note"><b>{html("missing", language)}</b><ul>{missing}</ul></div>' if missing else ""
    return "".join(
        (
            f'<div class="box warn" role="note">{html("drug_minor", language)}</div>' if view.minor else "",
            _what_if(view, supposed, may_be_pregnant, language),
            box,
            _list(view, language),
            _regimens(view, language),
            _ranking(view, language),
            _graph(view, language),
            f'<p class="note">{html("drug_not_safe", language)}</p>',
        )
    )


def _what_if(view: Drugs, supposed: Supposition, may_be_pregnant: bool, language: Language) -> str:
    own = view.egfr
    known = supposed.egfr if supposed.egfr is not None else own
    shown, at = ("–", "90") if known is None else (f"{known:.0f}",) * 2
    state = html("whatif_on" if view.assumed else "whatif_off", language)
    clearance = "" if view.clearance is None else html("clearance", language, value=f"{view.clearance:.0f}")
    on, off = int(supposed.egfr is not None), "" if own is not None else " disabled"
    slider = (
        f'<label>eGFR <output id="whatif-egfr-shown">{shown}</output> <input type="range" id="whatif-egfr" min="5" max="120" step="1" '
        f'value="{at}" data-on="{on}"{off}></label><span class="note">{clearance}</span>'
    )
    options = "".join(
        f'<option value="{a}"{" selected" if supposed.allergy == a else ""}>{escape(named_or_same("allergen", a, language))}</option>'
        for a in ALLERGENS
    )
    allergy = (
        f'<label>{html("whatif_allergy", language)} <select id="whatif-allergy"><option value="">'
        f"{html('as_recorded', language)}</option>{options}</select></label>"
    )
    pregnant = ""
    if may_be_pregnant or supposed.pregnant != "record":
        choices = "".join(
            f'<option value="{c}"{" selected" if supposed.pregnant == c else ""}>{html(f"pregnant_{c}", language)}</option>'
            for c in ("record", "yes", "no")
        )
        pregnant = f'<label>{html("pregnancy", language)} <select id="whatif-pregnant">{choices}</select></label>'
    said = ("；" if language == "zh" else "; ").join(view.assumed)
    assumed = f'<p class="assumed" role="status"><b>{html("supposed", language)}</b> {lines(said)}</p>' if said else ""
    off = "" if view.assumed else " disabled"
    reset = f'<button type="button" class="quiet" id="whatif-reset"{off}>{html("whatif_reset", language)}</button>'
    title = html("whatif", language)
    return (
        f'<section class="whatif{" on" if view.assumed else ""}" aria-label="{title}"><h3>{title}</h3><p class="note">{state}</p>'
        f'<div class="controls">{slider}{allergy}{pregnant}{reset}</div>{assumed}</section>'
    )


def _list(view: Drugs, language: Language) -> str:
    title = f"<h3>{html('drug_list', language)}</h3>"
    if not view.medicines:
        return f'<section>{title}<p class="note">{html("drug_none", language)}</p></section>'
    return f'<section>{title}<ul class="medicines">{"".join(_medicine(m, language) for m in view.medicines)}</ul></section>'


def _medicine(m: Medicine, language: Language) -> str:
    remarks = _remarks(m.remarks, language)
    state = "" if m.known else f'<span class="badge old">{html("drug_unknown", language)}</span>'
    quiet = "" if remarks or not m.known else f'<p class="note">{html("drug_quiet", language)}</p>'
    return f'<li class="medicine"><b>{escape(m.name)}</b> <span class="dose">{lines(m.dose)}</span>{state}{remarks}{quiet}</li>'


def _remarks(remarks: tuple[Remark, ...], language: Language) -> str:
    rows = "".join(remark(r.severity, r.text, language) for r in remarks)
    return f'<ul class="remarks">{rows}</ul>' if rows else ""


def _regimens(view: Drugs, language: Language) -> str:
    if not view.regimens:
        return ""
    cards = "".join(_regimen(card, language) for card in view.regimens)
    return f"<section><h3>{html('regimens', language)}</h3>{cards}</section>"


def _regimen(card: RegimenCard, language: Language) -> str:
    first, *rest = card.lines
    more = "".join(f"<li>{lines(line)}</li>" for line in rest)
    why = f'<details class="fold"><summary>{html("why_not", language)} ({len(rest)})</summary><ul>{more}</ul></details>' if more else ""
    lead, rest_of_it = led(first)
    return (
        f'<article class="regimen"><p><b>{lines(lead)}</b> {lines(rest_of_it)}</p>{why}<p class="note">{lines(card.source)}</p></article>'
    )


def _ranking(view: Drugs, language: Language) -> str:
    options = "".join(
        f'<option value="{escape(i)}"{" selected" if i == view.condition else ""}>{escape(name)}</option>' for i, name in view.conditions
    )
    first = "" if view.condition else f'<option value="" selected>{html("choose_condition", language)}</option>'
    pick = f'<label class="pick">{html("ranked_for", language)} <select id="rank-condition">{first}{options}</select></label>'
    ranked = "".join(_candidate(c, n, language) for n, c in enumerate(view.ranked, 1))
    rejected = "".join(_candidate(c, 0, language) for c in view.rejected)
    out = f'<ol class="candidates">{ranked}</ol>' if ranked else f'<p class="note">{lines(view.reason)}</p>' if view.reason else ""
    if rejected:
        title = f"{html('rejected_here', language)} ({len(view.rejected)})"
        out += f'<details class="fold"><summary>{title}</summary><ol class="candidates">{rejected}</ol></details>'
    return f'<section class="ranking"><h3>{html("ranking", language)}</h3>{pick}{out}</section>'


def _candidate(c: Candidate, place: int, language: Language) -> str:
    parts = "; ".join(f"{name} {value:+.2f}" for name, value in c.parts)
    line = named_or_same("line", c.line, language)
    taken = f'<span class="badge good">{html("taken", language)}</span>' if c.taken else ""
    head = f'<b>{f"{place}. " if place else ""}{escape(c.name)}</b> <span class="dose">{lines(c.dose)}</span>{taken}'
    why = f'<p class="note">{html("why", language)} {escape(line)}{"; " if c.setting else ""}{escape(c.setting)} · {escape(parts)}</p>'
    score = "" if c.rejected else f'<span class="score" title="{escape(parts)}">{c.score:.2f}</span>'
    against = f'<p class="against">{html("why_not", language)}</p>{_remarks(c.against, language)}' if c.against else ""
    return f'<li class="candidate{" rejected" if c.rejected else ""}">{score}{head}{why}{against}</li>'


def _graph(view: Drugs, language: Language) -> str:
    if not view.edges:
        return ""
    rows = "".join(
        f"<tr><td>{escape(e.a)} – {escape(e.b)}</td><td>{escape(named_or_same('severity', e.severity, language))}</td>"
        f"<td>{lines(e.text)}</td></tr>"
        for e in view.edges
    )
    title = html("graph", language)
    drawing = neighbourhood(view.edges, say(language, "patient"))
    heads = [html(key, language) for key in ("graph_between", "graph_severity", "graph_fact")]
    listed = fold("", html("as_table", language), table("", title, heads, rows))
    return f'<section class="neighbours"><h3>{title}</h3>{drawing}{listed}</section>'
