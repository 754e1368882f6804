"""What opening would bring, as HTML: a row per source, what could not be read, and a question per conflict."""

from collections.abc import Mapping
from html import escape

from agent.chart.desk import Chart
from tools.case.joining.merge import Brought, Conflict, unsettled
from tools.evidence import Language
from tools.labs.analytes import analytes
from tools.wording import in_language
from ui.i18n import html, known, named, named_or_same, text
from ui.opening.staging import Images, Plan
from ui.page.marks import lines


def preview_html(found: Plan, chosen: Mapping[str, int], chart: Chart | None, language: Language) -> str:
    """The preview.

    Args:
        found: What was read.
        chosen: Conflicts that are decided.
        chart: The open case, where it is added to.
        language: Of the page.
    """
    rows = "".join(_brought(b, found.images.get(b.name, ()), language) for b in (found.merged.brought if found.merged else ()))
    heads = "".join(f'<th scope="col">{html(k, language)}</th>' for k in ("from", "brings"))
    table = f'<table class="brought"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>' if rows else ""
    wrong = "".join(f"<li><b>{escape(f.name)}</b>: {lines(in_language(f.reason, language))}</li>" for f in found.failed)
    kept = "case_kept" if chart is not None else "others_kept" if rows else None
    remark = f"<p>{html(kept, language)}</p>" if kept else ""
    failed = f'<div class="box failure" role="alert"><b>{html("not_read", language)}</b><ul>{wrong}</ul>{remark}</div>' if wrong else ""
    asked = "".join(_conflict(c, chosen, language) for c in (found.merged.conflicts if found.merged else ()))
    left = bool(found.merged and unsettled(found.merged, chosen))
    todo = f'<p class="note">{html("decide_first" if chart is None else "decide_or_apart", language)}</p>' if left else ""
    questions = f'<section class="conflicts"><h3>{html("differences", language)}</h3>{todo}{asked}</section>' if asked else ""
    return failed + table + questions


def _brought(b: Brought, images: tuple[Images, ...], language: Language) -> str:
    counts = [f"{n} {named('brings_one' if n == 1 else 'brings', kind, language)}" for kind, n in b.counts.items()]
    counts += [text("images", language, n=image.slices, mm=f"{image.apart:.3g}") for image in images]
    counts += [named("patient_field", name, language) for name in b.fields]
    words = ("、" if language == "zh" else ", ").join(counts) or "–"
    notes = "".join(f'<span class="note warn">{lines(in_language(w, language))}</span>' for w in b.warnings)
    return f'<tr><th scope="row">{escape(b.name)}</th><td>{escape(words)}{notes}</td></tr>'


def _conflict(c: Conflict, chosen: Mapping[str, int], language: Language) -> str:
    options = "".join(
        f'<label><input type="radio" name="{escape(c.id)}" value="{n}"{" checked" if chosen.get(c.id) == n else ""}> '
        f'<b>{escape(_shown(c, value, language))}</b> <span class="note">{escape(where)}</span></label>'
        for n, (where, value) in enumerate(c.options)
    )
    warn = f'<p class="warn">{html("other_person", language)}</p>' if c.other_person else ""
    return f'<fieldset data-conflict="{escape(c.id)}"><legend>{escape(_name(c, language))}</legend>{warn}{options}</fieldset>'


def _name(c: Conflict, language: Language) -> str:
    if c.id.startswith("lab:"):
        analyte = analytes().get(c.field)
        return f"{analyte.name(language) if analyte else c.field} · {c.id.rpartition('@')[2].replace('T', ' ')}"
    return c.field if c.id.startswith("medicine:") else named("patient_field", c.field, language)


def _shown(c: Conflict, value: str, language: Language) -> str:
    if c.field in known("patient_unit"):
        return f"{value} {named('patient_unit', c.field, language)}"
    table = {"sex": "sex", "smoking": "smoking_status"}.get(c.field, "yes_no")
    return named_or_same(table, value, language)
