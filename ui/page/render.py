"""From turns, cases and passages to HTML. Everything that comes from outside is escaped here and nowhere else.

A message is one line of HTML: the chat component would read a blank line as Markdown.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

from agent.answering.answer import Answer, StepFinished, StepStarted
from agent.sessions.views import CaseView, PassageView
from tools.evidence import Evidence, Language
from ui.i18n import named, text
from ui.page.exhibits import card_rows, drugs_html, report_html
from ui.page.marks import lines, mark
from ui.session import Turn

_MARK = re.compile(r"\s*(?:\[\d+\])+\s*$")
_SLICE = re.compile(r"(\S+) slice (\d+)")  # locator of a CT statement: study handle, index from the head
_NAMED = re.compile(r"([^:：]{1,32})(?:: |：)\s*(.+)")
Sentence = tuple[str, tuple[str, ...], str]


def question_html(turn: Turn) -> str:
    """The person's message."""
    return f'<div class="question">{lines(turn.question)}</div>'


def turn_html(turn: Turn, language: Language) -> str:
    """The assistant's message: steps, emergencies, sentences with citations, then what is missing, limited or removed."""
    answer = turn.answer
    about = " · ".join(filter(None, (answer.patient if answer is not None else None, turn.about)))
    parts = [f'<p class="about note">{escape(about)}</p>' if about else "", _steps(turn, language)]
    if answer is not None:
        parts.append(_box("emergency", text("emergency", language), answer.emergencies, role="alert"))
    if answer is not None:
        parts.append(drugs_html(answer, language))
    parts.append(_sentences(turn, language))
    if answer is not None:
        parts += [report_html(answer, language), _after(answer, language)]
    if turn.stopped:
        parts.append(f'<p class="note">{escape(text("stopped", language))}</p>')
    if turn.error is not None:
        kept = escape(text("kept", language))
        parts.append(f'<div class="box failure" role="alert"><p>{lines(turn.error)}</p><p class="note">{kept}</p></div>')
    return f'<div class="answer" lang="{answer.language if answer else language}">{"".join(parts)}</div>'


def _steps(turn: Turn, language: Language) -> str:
    if not turn.steps:
        running = turn.answer is None and turn.error is None and not turn.stopped
        return f'<p class="note working">{escape(text("steps_running", language))}</p>' if running else ""
    done = turn.answer is not None or turn.error is not None or turn.stopped
    seconds = turn.answer.seconds if turn.answer else sum(s.seconds for s in turn.steps.values() if isinstance(s, StepFinished))
    key = "steps_one" if len(turn.steps) == 1 else "steps_done"
    title = text(key, language, n=len(turn.steps), seconds=f"{seconds:.1f}") if done else text("steps_running", language)
    rows = "".join(_step(step, language) for step in turn.steps.values())
    return f'<details class="steps"{"" if done else " open"}><summary>{escape(title)}</summary><ol>{rows}</ol></details>'


def _step(step: StepStarted | StepFinished, language: Language) -> str:
    name = escape(named("tool", step.name, language))
    if isinstance(step, StepStarted):
        return f'<li class="step running"><b>{name}</b> <i>{escape(named("status", "running", language))}</i></li>'
    seconds = escape(text("seconds", language, seconds=f"{step.seconds:.2f}"))
    status = escape(named("status", step.status, language))
    return f'<li class="step {step.status}"><b>{name}</b> <i>{status}</i> <time>{seconds}</time><span>{lines(step.summary)}</span></li>'


def _sentences(turn: Turn, language: Language) -> str:
    answer = turn.answer
    said: Sequence[Sentence] = [(c.text, c.evidence, c.support) for c in answer.claims] if answer is not None else turn.sentences
    if not said:
        if answer is None or turn.stopped:
            return ""
        return f'<p class="said">{lines(answer.reason or answer.answer or text("no_answer", language))}</p>'
    cited = {e.key: e for e in answer.evidence} if answer is not None else {}
    order = list(cited) or list(dict.fromkeys(key for _, keys, _ in said for key in keys))
    parts, heading = [], None
    in_report = {row.evidence for section in answer.report for row in section.sentences} if answer is not None else set()
    for sentence in said:
        if set(sentence[1]) & in_report:
            continue
        kind = next((_heading_kind(cited[key]) for key in sentence[1] if key in cited), None)
        if kind is not None and kind != heading:
            parts.append(f"<h3>{escape(named('kind', kind, language))}</h3>")
            heading = kind
        parts.append(_sentence(sentence, order, cited, language))
    return "".join(parts)


def _heading_kind(evidence: Evidence) -> str:
    """The heading a statement stands under: what the model says of drugs stands with the drugs."""
    return "drug_graph" if evidence.key.startswith("M-drug-") else evidence.kind


def _sentence(sentence: Sentence, order: Sequence[str], cited: dict[str, Evidence], language: Language) -> str:
    words, keys, support = sentence
    marks = "".join(mark(key, order, cited.get(key), language) for key in keys)
    jumps = "".join(_jump(cited[key], language) for key in keys if key in cited)
    marked = words.lower().startswith(("inference", "推断", "推论"))
    inferred = f'<em class="tag">{escape(text("inference", language))}</em>' if support == "inferred" and not marked else ""
    title = escape(named("support", support, language))
    return f'<p class="said {support}" title="{title}">{lines(_MARK.sub("", words))}{inferred}<span class="marks">{marks}{jumps}</span></p>'


def _jump(evidence: Evidence, language: Language) -> str:
    """A link that moves the viewer, when a CT statement names its slice."""
    found = _SLICE.search(evidence.locator or "") if evidence.kind in ("ct", "model") else None
    if found is None:
        return ""
    label = escape(text("slice_link", language, n=found[2]))
    detected = evidence.present is True and evidence.card is not None and evidence.card.threshold is not None
    finding = f' data-finding="{escape(evidence.key.rsplit("-", 1)[-1])}"' if detected else ""
    return f'<button type="button" class="jump" data-study="{escape(found[1])}" data-slice="{found[2]}"{finding}>{label}</button>'


def _after(answer: Answer, language: Language) -> str:
    removed = [f"{r.text} — {r.because}" for r in answer.removed]
    folded = ""
    if removed:
        summary = escape(text("removed" if len(removed) > 1 else "removed_one", language, n=len(removed)))
        rows = "".join(f"<li>{lines(item)}</li>" for item in removed)
        folded = f'<details class="removed"><summary>{summary}</summary><ul>{rows}</ul></details>'
    return (
        _box("missing", text("missing", language), answer.missing)
        + _box("limits", text("limits", language), answer.warnings)
        + folded
        + _sources(answer, language)
        + f'<p class="note by">{escape(text("answered_by", language, name=model_name(answer.model, language)))}</p>'
    )


def model_name(name: str, language: Language) -> str:
    """A chat model for people; not escaped."""
    return text("model_planner", language) if name == "planner" else name


def _sources(answer: Answer, language: Language) -> str:
    if not answer.evidence:
        return ""
    order = [e.key for e in answer.evidence]
    rows = "".join(f"<li>{mark(e.key, order, e, language)} <span>{escape(_source(e))}</span></li>" for e in answer.evidence)
    return (
        f'<details class="sources"><summary>{escape(text("sources", language))} ({len(answer.evidence)})</summary><ul>{rows}</ul></details>'
    )


def _source(evidence: Evidence) -> str:
    year = str(evidence.year or "")
    return f"{evidence.source} · {year}" if year and year not in evidence.source else evidence.source


def _box(kind: str, title: str, items: Iterable[str], role: str = "note") -> str:
    rows = "".join(f"<li>{lines(item)}</li>" for item in items)
    return f'<div class="box {kind}" role="{role}"><b>{escape(title)}</b><ul>{rows}</ul></div>' if rows else ""


def card_html(case: CaseView | None, language: Language, problem: str | None = None) -> str:
    """The case card, with the reason when opening another one failed."""
    failed = ""
    if problem is not None:
        kept = f"<p>{escape(text('case_kept', language))}</p>" if case is not None else ""
        failed = f'<div class="box failure" role="alert"><b>{escape(text("open_failed", language))}</b><p>{lines(problem)}</p>{kept}</div>'
    if case is None:
        return f'{failed}<p class="note">{escape(text("card_empty", language))}</p>'
    card = case.card_zh if language == "zh" else case.card_en
    badge = f'<span class="badge">{escape(text("synthetic", language))}</span>' if case.synthetic else ""
    warnings = _box("limits", text("limits", language), case.warnings)
    facts = [line for line in card.strip().splitlines() if line.strip()]
    if case.synthetic and facts and not _NAMED.match(facts[0]):
        facts = facts[1:]  # the line that says "synthetic", which the badge shows
    rows = "".join(_card_line(line) for line in facts)
    return f'{failed}<div class="card" data-case="{escape(case.handle)}">{badge}<dl>{rows}</dl>{warnings}</div>'


def _card_line(line: str) -> str:
    named = _NAMED.match(line)
    return f"<dt>{escape(named[1])}</dt><dd>{escape(named[2])}</dd>" if named else f"<dd class='free'>{escape(line)}</dd>"


def passage_panel(key: str, cited: Evidence | None, passage: PassageView | None, language: Language) -> str:
    """What a citation opens: the statement in both languages and everything known of where it comes from."""
    source = passage.source if passage is not None else cited.source if cited is not None else key
    texts = [("en", passage.text_en), ("zh", passage.text_zh)] if passage is not None else _both(cited)
    if language == "zh":
        texts.reverse()
    body = "".join(f'<blockquote lang="{code}">{lines(words)}</blockquote>' for code, words in texts if words)
    year, where = (passage or cited).year, (passage or cited).locator  # type: ignore[union-attr]
    rows = [(text("year", language), str(year or "")), (text("locator", language), where or "")]
    rows += card_rows(cited.card, language) if cited is not None and cited.card is not None else []
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows if value)
    head = f"<h2>{escape(source)}</h2>{_standing(cited, passage, language)}"
    return f'{head}{body}<dl>{facts}</dl>{_link(passage, language)}<p class="key">{escape(key)}</p>'


def _both(cited: Evidence | None) -> list[tuple[str, str]]:
    return [("en", cited.text), ("zh", cited.text_zh or "")] if cited is not None else []


def _standing(cited: Evidence | None, passage: PassageView | None, language: Language) -> str:
    tags: list[tuple[str, str]] = []
    standing = passage or cited
    guideline = passage is not None or (cited is not None and cited.kind == "guideline")
    if standing is not None and guideline:
        if standing.current and standing.superseded_by is None:
            tags.append(("good", text("current", language)))
        else:
            by = standing.superseded_by
            tags.append(("old", text("superseded", language, by=by) if by else text("superseded_plain", language)))
    if cited is not None and cited.validity in ("out", "unknown"):
        tags.append(("old", text(f"validity_{cited.validity}", language)))
    return "".join(f'<span class="badge {kind}">{escape(words)}</span>' for kind, words in tags) + _conflicts(cited, passage, language)


def _conflicts(cited: Evidence | None, passage: PassageView | None, language: Language) -> str:
    """Keys of statements that disagree, each a citation that opens it."""
    keys = dict.fromkeys((*(cited.conflicts if cited else ()), *(passage.conflicts if passage else ())))
    links = " ".join(f'<button type="button" class="cite conflict" data-key="{escape(key)}">{escape(key)}</button>' for key in keys)
    return f'<p class="badge conflict">{escape(text("conflict", language))} {links}</p>' if links else ""


def _link(passage: PassageView | None, language: Language) -> str:
    if passage is None or not passage.doi_link or not passage.doi_link.startswith("https://"):
        return ""
    href = escape(passage.doi_link, quote=True)
    return f'<p><a href="{href}" target="_blank" rel="noopener noreferrer">{escape(text("open_source", language))}</a></p>'
