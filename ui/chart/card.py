"""The card of one drug: what it is, what the drug graph says of it in the open case."""

from html import escape

from agent.chart.desk import Chart
from retrieval.drugs.graph import DrugGraph
from tools.evidence import Language
from ui.i18n import html
from ui.page.marks import remark

_MOST = 12


def card_html(ident: str, chart: Chart | None, language: Language) -> str:
    """The card; a drug that the graph does not hold is said to be unknown.

    Args:
        ident: Id of the drug in the graph.
        chart: The open case, None without one.
        language: Of the page.
    """
    graph = DrugGraph.load()
    found = graph.resolve(ident.replace("-", " "))
    if not found:
        return f'<p class="note">{html("drug_unknown", language)}</p>'
    drug = found[0]
    zh = language == "zh"
    if chart is not None and chart.sealed:
        chart = None
    name, other = (drug.name_zh, drug.name) if zh else (drug.name, drug.name_zh)
    facts = [f for f in graph.facts((drug.id,), None) if f.severity is not None][:_MOST] if chart is None else []
    rows: list[tuple[str, str]] = [(f.severity or "", f.text_zh if zh else f.text) for f in facts]
    if chart is not None:
        rows = [(r.severity, r.text) for r in chart.remarks(drug.id, language)]
    listed = "".join(remark(severity, words, language) for severity, words in rows)
    title = html("drug_here" if chart is not None else "drug_general", language)
    body = f'<h3>{title}</h3><ul class="remarks">{listed}</ul>' if listed else f'<p class="note">{html("drug_quiet", language)}</p>'
    code = f" · ATC {escape(drug.atc)}" if drug.atc else ""
    head = f'<h2>{escape(name)}</h2><p class="note">{escape(other)}{code}</p>'
    return f'{head}{body}<p class="note">{html("drug_not_safe", language)}</p>'
