"""A conversation as a page to print: questions, answers, and the sources under numbers."""

from collections.abc import Sequence

from agent.answering.answer import Answer
from agent.chart.views import Bar
from tools.evidence import Language
from tools.reports.export.cited import cited
from tools.reports.export.sheet import Block, Heading, Line, Sheet
from tools.reports.export.words import say
from tools.wording import typeset


def conversation_sheet(answers: Sequence[Answer], language: Language, about: Bar | None = None) -> Sheet:
    """The page of a conversation, oldest turn first.

    Args:
        answers: Its turns.
        language: Of the page.
        about: The open case, whose name and patient stand at the top; None without one.
    """
    blocks = [block for n, answer in enumerate(answers, 1) for block in _turn(n, answer, language)]
    head = _head(about, language) if about is not None else ()
    return Sheet(title=say("conversation", language), language=language, head=head, blocks=tuple(blocks), foot=say("device", language))


def _head(about: Bar, language: Language) -> tuple[tuple[str, str], ...]:
    comma = "，" if language == "zh" else ", "
    synthetic = say("synthetic", language) if about.synthetic else ""
    patient = comma.join(filter(None, (about.age, about.sex, about.weight, synthetic)))
    return tuple(row for row in ((say("case", language), about.name), (say("patient", language), patient)) if row[1])


def _turn(number: int, answer: Answer, language: Language) -> list[Block]:
    blocks: list[Block] = [Heading(f"{number}. {answer.question}")]
    blocks += [Line(e, look="danger") for e in answer.emergencies]
    blocks += [Line(typeset(row)) for row in answer.answer.splitlines() if row.strip()]
    if answer.missing:
        blocks.append(Line(f"{say('missing', language)}: {'; '.join(answer.missing)}", look="small"))
    blocks += [Line(f"{say('removed', language)}: {r.text} ({r.because})", look="small") for r in answer.removed]
    if answer.evidence:
        blocks.append(Heading(say("sources", language), level=2))
    for n, item in enumerate(answer.evidence, 1):
        text = (item.text_zh if language == "zh" else None) or item.text
        blocks.append(Line(f"[{n}] {typeset(text)}", note=cited(item, language), look="small"))
    by = say("planner", language) if answer.model == "planner" else answer.model
    blocks.append(Line(say("answered_by", language, name=by), look="small"))
    return blocks
