"""From turns to HTML, the answer first. Everything that comes from outside is escaped here and in the modules beside, nowhere else.

A message is one line of HTML: the chat component would read a blank line as Markdown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape

from agent.answering.answer import Answer, StepFinished, StepStarted
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence, Language
from ui.i18n import html, named, named_or_same, text
from ui.page.exhibits import drugs_html, report_html
from ui.page.marks import lines, mark
from ui.page.said import Row, Sentence, rows_of, sentence_html
from ui.session import Turn

_TITLE = patterns("ui.page").regex("under_title")


def question_html(turn: Turn) -> str:
    """The person's message."""
    return f'<div class="question">{lines(turn.question)}</div>'


def turn_html(turn: Turn, language: Language, number: int = 0, known: Sequence[str] = ()) -> str:
    """The assistant's message: the answer, then what is folded below it.

    Args:
        turn: What is known so far.
        language: Of the page.
        number: Place of the turn in the conversation, for its buttons.
        known: Emergencies that the patient bar already shows.
    """
    answer = turn.answer
    case = named_or_same("case_name", turn.about, language) if turn.about else None
    about = " · ".join(filter(None, (answer.patient if answer is not None else None, case)))
    parts = [f'<p class="about note">{escape(about)}</p>' if about else ""]
    if answer is None:
        parts += [_steps(turn, language), _streamed(turn, language)]
    else:
        urgent = [e for e in answer.emergencies if e not in known]
        parts += [_box("emergency", text("emergency", language), urgent, role="alert"), _answer(turn, answer, language)]
    if turn.stopped:
        parts.append(f'<p class="note">{html("stopped", language)}</p>')
    if turn.error is not None:
        kept = html("kept", language)
        parts.append(f'<div class="box failure" role="alert"><p>{lines(turn.error)}</p><p class="note">{kept}</p></div>')
    if answer is not None:
        parts += [_folded(turn, answer, language), _next(answer, language), _acts(number, language)]
    elif turn.error is not None or turn.stopped:
        parts.append(_acts(number, language, finished=False))
    replaced = ' data-replaced="1"' if turn.replaced else ""
    spoken = answer.language if answer else language
    return f'<div class="answer" lang="{spoken}" data-turn="{number}"{replaced}>{"".join(parts)}</div>'


def _answer(turn: Turn, answer: Answer, language: Language) -> str:
    """Headline and what holds for this patient; the evidence is folded where they say something, open where they do not."""
    order, cited = [e.key for e in answer.evidence], {e.key: e for e in answer.evidence}
    sections = answer.sections
    if not (sections.headline or sections.patient or sections.evidence):
        return drugs_html(answer, language) + _claims(answer, language) + report_html(answer, language)
    in_report = {row.evidence for section in answer.report for row in section.sentences}

    def shown(part: str) -> list[Row]:
        return [row for row in rows_of(part, answer) if not any(set(s.keys) & in_report for s in row.sentences)]

    head, own, rest = shown(sections.headline), shown(sections.patient), shown(sections.evidence)
    parts = [f'<div class="headline">{_rows(head, order, cited, language, lead=True)}</div>' if head else ""]
    if own:
        title = f"<h3>{html('for_this_patient', language)}</h3>" if head else ""
        parts.append(f'<section class="own">{title}{_rows([_under_title(row) for row in own], order, cited, language)}</section>')
    parts.append(drugs_html(answer, language) + report_html(answer, language))
    if rest:
        opened = "" if head or own else " open"
        summary = html("evidence_part", language, n=sum(len(r.sentences) for r in rest))
        parts.append(f'<details class="fold evidence"{opened}><summary>{summary}</summary>{_rows(rest, order, cited, language)}</details>')
    return "".join(parts)


def _under_title(row: Row) -> Row:
    """A line without the words that its title says already."""
    first, *rest = row.sentences
    words = _TITLE.sub("", first.text)
    return replace(row, sentences=(replace(first, text=words[:1].upper() + words[1:]), *rest))


def _rows(rows: Sequence[Row], order: Sequence[str], cited: dict[str, Evidence], language: Language, *, lead: bool = False) -> str:
    """Lines under their headings; a headline (`lead`) has none, and its first sentence is the one to be read first."""
    parts, heading = [], ""
    for at, row in enumerate(rows):
        if not lead and row.heading and row.heading != heading:
            parts.append(f"<h4>{escape(row.heading)}</h4>")
        heading = row.heading
        said = " ".join(sentence_html(s, order, cited, language, first=lead and at == n == 0) for n, s in enumerate(row.sentences))
        parts.append(f'<p class="said">{said}</p>')
    return "".join(parts)


def _claims(answer: Answer, language: Language) -> str:
    """An answer without parts, as older threads hold: its claims under the kind of their evidence."""
    cited = {e.key: e for e in answer.evidence}
    if not answer.claims:
        return f'<p class="said">{lines(answer.reason or answer.answer or text("no_answer", language))}</p>'
    parts, heading = [], None
    in_report = {row.evidence for section in answer.report for row in section.sentences}
    for claim in answer.claims:
        if set(claim.evidence) & in_report:
            continue
        kind = next((_heading_kind(cited[key]) for key in claim.evidence if key in cited), None)
        if kind is not None and kind != heading:
            parts.append(f"<h3>{escape(named('kind', kind, language))}</h3>")
            heading = kind
        said = sentence_html(Sentence(claim.text, claim.evidence, claim.support), list(cited), cited, language)
        parts.append(f'<p class="said">{said}</p>')
    return "".join(parts)


def _heading_kind(evidence: Evidence) -> str:
    """The heading a statement stands under: what the model says of drugs stands with the drugs."""
    return "drug_graph" if evidence.key.startswith("M-drug-") else evidence.kind


def _streamed(turn: Turn, language: Language) -> str:
    """Checked sentences as they arrive, before the answer is put in order."""
    order = list(dict.fromkeys(key for _, keys, _ in turn.sentences for key in keys))
    said = (sentence_html(Sentence(*sentence), order, {}, language) for sentence in turn.sentences)
    return "".join(f'<p class="said">{words}</p>' for words in said)


def _steps(turn: Turn, language: Language) -> str:
    """What is being done, live, with the time that has passed."""
    running = turn.answer is None and turn.error is None and not turn.stopped
    rows = "".join(_step(step, language) for step in turn.steps.values())
    if not running:
        return _done_steps(turn, language)
    clock = f'<time class="elapsed" data-since="{turn.started:.0f}"></time>'
    title = html("steps_running", language)
    return f'<div class="steps live" role="status"><p class="note working">{title} {clock}</p><ol>{rows}</ol></div>'


def _done_steps(turn: Turn, language: Language) -> str:
    if not turn.steps:
        return ""
    seconds = turn.answer.seconds if turn.answer else sum(s.seconds for s in turn.steps.values() if isinstance(s, StepFinished))
    key = "steps_one" if len(turn.steps) == 1 else "steps_done"
    title = text(key, language, n=len(turn.steps), seconds=f"{seconds:.1f}")
    rows = "".join(_step(step, language) for step in turn.steps.values())
    return f'<details class="fold steps"><summary>{escape(title)}</summary><ol>{rows}</ol></details>'


def _step(step: StepStarted | StepFinished, language: Language) -> str:
    name = escape(named("tool", step.name, language))
    if isinstance(step, StepStarted):
        return f'<li class="step running"><b>{name}</b> <i>{escape(named("status", "running", language))}</i></li>'
    seconds = html("seconds", language, seconds=f"{step.seconds:.2f}")
    status = escape(named("status", step.status, language))
    return f'<li class="step {step.status}"><b>{name}</b> <i>{status}</i> <time>{seconds}</time><span>{lines(step.summary)}</span></li>'


def _folded(turn: Turn, answer: Answer, language: Language) -> str:
    """One quiet row of what stands behind the answer: missing, limits, removed, sources, steps."""
    removed = [f"{r.text} — {r.because}" for r in answer.removed]
    count = text("removed" if len(removed) > 1 else "removed_one", language, n=len(removed))
    folds = (
        _fold("missing", f"{text('missing', language)} ({len(answer.missing)})", answer.missing),
        _fold("limits", f"{text('limits', language)} ({len(answer.warnings)})", answer.warnings),
        _fold("removed", count, removed),
        _sources(answer, language),
        _done_steps(turn, language),
    )
    by = html("answered_by", language, name=model_name(answer.model, language))
    return f'<div class="folds">{"".join(folds)}</div><p class="note by">{by}</p>'


def _fold(kind: str, title: str, items: Sequence[str]) -> str:
    rows = "".join(f"<li>{lines(item)}</li>" for item in items)
    return f'<details class="fold {kind}"><summary>{escape(title)}</summary><ul>{rows}</ul></details>' if rows else ""


def _next(answer: Answer, language: Language) -> str:
    """Questions that fit this answer: parts that were left open, then what the evidence would answer next."""
    asked = dict.fromkeys((*answer.unanswered, *answer.followups))
    chips = "".join(f'<button type="button" class="chip" data-ask="{escape(q)}">{escape(q)}</button>' for q in asked)
    return f'<div class="next" role="group" aria-label="{html("next_questions", language)}">{chips}</div>' if chips else ""


def _acts(number: int, language: Language, *, finished: bool = True) -> str:
    """Copy, retry, edit, feedback: buttons that the page's script serves."""
    does = ("copy", "retry", "edit", "good", "bad") if finished else ("retry", "edit")
    buttons = "".join(
        f'<button type="button" class="act" data-do="{do}" data-turn="{number}">{html(f"act_{do}", language)}</button>' for do in does
    )
    return f'<div class="acts">{buttons}</div>'


def model_name(name: str, language: Language) -> str:
    """A chat model for people; not escaped."""
    return text("model_planner", language) if name == "planner" else name


def _sources(answer: Answer, language: Language) -> str:
    if not answer.evidence:
        return ""
    order = [e.key for e in answer.evidence]
    rows = "".join(f"<li>{mark(e.key, order, e, language)} <span>{escape(source_of(e))}</span></li>" for e in answer.evidence)
    title = f"{html('sources', language)} ({len(answer.evidence)})"
    return f'<details class="fold sources"><summary>{title}</summary><ul>{rows}</ul></details>'


def source_of(evidence: Evidence) -> str:
    """Source and year of a statement."""
    year = str(evidence.year or "")
    return f"{evidence.source} · {year}" if year and year not in evidence.source else evidence.source


def plain(answer: Answer, language: Language) -> str:
    """An answer as text with numbered citations and the list of sources, to paste elsewhere."""
    order = "\n".join(f"[{n}] {source_of(e)}{f', {e.locator}' if e.locator else ''}" for n, e in enumerate(answer.evidence, 1))
    parts = [answer.question, answer.answer, f"{text('sources', language)}\n{order}" if order else "", text("footer", language)]
    return "\n\n".join(p for p in parts if p)


def _box(kind: str, title: str, items: Iterable[str], role: str = "note") -> str:
    rows = "".join(f"<li>{lines(item)}</li>" for item in items)
    return f'<div class="box {kind}" role="{role}"><b>{escape(title)}</b><ul>{rows}</ul></div>' if rows else ""
