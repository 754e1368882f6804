"""What a language model buys: the question set of `data/questions.jsonl` through the whole house, the planner beside it.

Each question has the tools it should reach and the facts (short strings) its answer must hold; half are Chinese.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.answering.answer import Answer
from agent.assistant import Assistant
from agent.evaluation.figures import Figure, mean, share, share_in_clusters
from agent.turn.prompts import FINISHED_BY_PLANNER
from agent.verify import check
from agent.verify.text import normalise

EVALUATION = "evaluation"


class Question(BaseModel):
    """One question with what a good answer does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    case: str | None
    question: str
    tools: tuple[str, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """What one answer came to."""

    question: Question
    facts: float
    tool_f1: float
    unsupported_before: tuple[int, int]
    unsupported_after: tuple[int, int]
    tokens: int
    seconds: float
    fell_back: bool


def questions() -> tuple[Question, ...]:
    """The question set."""
    text = files("agent").joinpath("data/questions.jsonl").read_text(encoding="utf-8")
    return tuple(Question.model_validate_json(line) for line in text.splitlines() if line)


def case_folder(case: str) -> Path:
    """A demo case as it ships: its record; its images are not needed here."""
    return Path(str(files("tools").joinpath("data/cases", case)))


def run(assistant: Assistant, chosen: Sequence[Question], progress: Callable[[int, int], None] | None = None) -> list[Row]:
    """Ask every question in a thread of its own."""
    handles = {c: assistant.open_case(case_folder(c), session=EVALUATION).handle for c in sorted({q.case for q in chosen if q.case})}
    rows = []
    for count, question in enumerate(chosen, start=1):
        case = handles[question.case] if question.case else None
        answer: Answer | None = None
        for event in assistant.ask(question.question, thread=assistant.new_thread(EVALUATION), case=case, session=EVALUATION):
            answer = event.answer if event.type == "done" else answer
        assert answer is not None
        rows.append(judge(question, answer))
        if progress is not None:
            progress(count, len(chosen))
    return rows


def judge(question: Question, answer: Answer) -> Row:
    """Score one answer; support is checked again from the answer alone."""
    text = normalise(answer.answer)
    evidence = {e.key: e for e in answer.evidence}
    failing = sum(check(c.text, c.evidence, evidence).support is None for c in answer.claims)
    written = len(answer.claims) + len(answer.removed)
    facts = [normalise(f) in text for f in question.facts]
    return Row(
        question=question,
        facts=sum(facts) / len(facts) if facts else float(answer.status == "refused"),
        tool_f1=_f1({t.name for t in answer.tool_calls}, set(question.tools)),
        unsupported_before=(len(answer.removed), written),
        unsupported_after=(failing, len(answer.claims)),
        tokens=answer.tokens,
        seconds=answer.seconds,
        fell_back=any(said in w for w in answer.warnings for said in FINISHED_BY_PLANNER.values()),
    )


def _f1(got: set[str], wanted: set[str]) -> float:
    if not got and not wanted:
        return 1.0
    return 2 * len(got & wanted) / (len(got) + len(wanted))


def figures(rows: Sequence[Row]) -> dict[str, Figure]:
    """Figures over all rows, and facts per language; shares of sentences are clustered by question."""
    zh = [r for r in rows if not r.question.question.isascii()]
    en = [r for r in rows if r.question.question.isascii()]
    return {
        "facts_present": mean([r.facts for r in rows]),
        "facts_present_en": mean([r.facts for r in en]),
        "facts_present_zh": mean([r.facts for r in zh]),
        "tool_set_f1": mean([r.tool_f1 for r in rows]),
        "unsupported_before_verify": share_in_clusters([r.unsupported_before for r in rows]),
        "unsupported_after_verify": share_in_clusters([r.unsupported_after for r in rows]),
        "finished_by_planner": share([r.fell_back for r in rows]),
        "tokens": mean([float(r.tokens) for r in rows]),
        "seconds": mean([r.seconds for r in rows]),
    }
