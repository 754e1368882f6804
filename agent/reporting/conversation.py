"""A conversation as a page to print: questions, answers, and the sources under numbers."""

from collections.abc import Sequence

from agent.answering.answer import Answer
from tools.evidence import Language
from tools.reports.export.cited import cited
from tools.reports.export.sheet import Block, Heading, Line, Sheet
from tools.reports.export.words import say
from tools.wording import typeset


def conversation_sheet(answers: Sequence[Answer], language: Language) -> Sheet:
    """The page of a conversation, oldest turn first."""
    blocks = [block for n, answer in enumerate(answers, 1) for block in _turn(n, answer, language)]
    return Sheet(title=say("conversation", language), language=language, blocks=tuple(blocks), foot=say("device", language))


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
