"""A drafted report by sections and a drug ranking as HTML, and the rows of a model's card."""

from html import escape

from agent.answering.answer import Answer, DrugRow, ReportSection
from tools.evidence import Language, ModelCard
from ui.i18n import html, named, named_or_same, text
from ui.page.marks import lines, mark


def report_html(answer: Answer, language: Language) -> str:
    """The draft with the origin of each sentence; what the detectors contradicted is folded below."""
    if not answer.report:
        return ""
    sections = "".join(_section(section, answer, language) for section in answer.report)
    note = html("draft_note", language)
    title = html("draft_title", language)
    return f'<section class="draft"><h3>{title}</h3><p class="note">{note}</p>{sections}{_withheld(answer, language)}</section>'


def _section(section: ReportSection, answer: Answer, language: Language) -> str:
    order = [e.key for e in answer.evidence]
    cited = {e.key: e for e in answer.evidence}
    rows = "".join(
        f'<p class="said {row.origin}"><em class="tag origin {row.origin}">{escape(named("origin", row.origin, language))}</em>'
        f'{lines(row.text)}<span class="marks">{mark(row.evidence, order, cited.get(row.evidence), language)}</span></p>'
        for row in section.sentences
    )
    return f"<h4>{escape(named('section', section.name, language))}</h4>{rows}"


def _withheld(answer: Answer, language: Language) -> str:
    if not answer.withheld:
        return ""
    rows = "".join(f"<li>{lines(item.text)} — {lines(item.because)}</li>" for item in answer.withheld)
    summary = html("withheld", language, n=len(answer.withheld))
    return f'<details class="removed"><summary>{summary}</summary><ul>{rows}</ul></details>'


def drugs_html(answer: Answer, language: Language) -> str:
    """The ranking as a table: place, score, the model's score, and what speaks against each drug beside it."""
    if not answer.drugs:
        return ""
    heads = "".join(f"<th>{html(key, language)}</th>" for key in ("drug", "place", "rank_score", "model_score", "against"))
    rows = "".join(_drug(row, answer, language) for row in answer.drugs)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="drugs"><h3>{html("ranking", language)}</h3>{table}</div>'


def _drug(row: DrugRow, answer: Answer, language: Language) -> str:
    order = [e.key for e in answer.evidence]
    cited = {e.key: e for e in answer.evidence}
    against = "".join(
        f'<li class="{escape(w.severity)}"><b>{escape(named_or_same("severity", w.severity, language))}</b> '
        f"{lines(w.text)} {mark(w.evidence, order, cited.get(w.evidence), language)}</li>"
        for w in row.warnings
    )
    model = "–" if row.model_score is None else f"{row.model_score:.2f} (#{row.model_rank})"
    rejected = f' <span class="badge conflict">{html("rejected", language)}</span>' if row.because else ""
    place = named_or_same("line", row.line, language)
    dose = f'<span class="note">{escape(row.dose)}</span>' if row.dose else ""
    cells = (f"<b>{escape(row.name)}</b>{rejected}{dose}", escape(place), "–" if row.because else f"{row.score:.2f}", escape(model))
    body = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr class="{"rejected" if row.because else "ranked"}">{body}<td><ul>{against}</ul></td></tr>'


def card_rows(card: ModelCard, language: Language) -> list[tuple[str, str]]:
    """What a model's statement rests on, as rows of the citation drawer."""
    distance = "" if card.distance is None else f"{card.distance:.2f}" + ("" if card.limit is None else f" / {card.limit:.2f}")
    return [
        (text("card_weights", language), card.weights),
        (text("card_trained", language), card.trained_on),
        (text("card_licence", language), card.licence),
        (text("card_domain", language), named("domain", card.domain, language)),
        (text("card_distance", language), distance),
        (text("card_threshold", language), "" if card.threshold is None else f"{card.threshold:.2f}"),
        (text("card_calibrated", language), "" if card.calibrated is None else text("yes" if card.calibrated else "no", language)),
    ]
