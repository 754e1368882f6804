"""Which of several drafts is best, by the ledger alone: is every sentence carried, and does what is shown speak of what was asked.

The same figures for a draft of the planner and for one of a language model; no model judges here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.answering.draft import Draft
from agent.verify import verify
from retrieval.index.selector import selector
from tools.evidence import Evidence

# Characters of an answer that are read.
_READ = 1150
# Shares of the score: whether a sentence answers, and how much of the question's words stand in what is shown.
_ANSWERS, _COVERED = 0.5, 0.5
# A later candidate replaces an earlier one only where it is better by this much: the first is the ordinary answer.
_MARGIN = 0.05


@dataclass(frozen=True)
class Weight:
    """What the ledger says of one draft.

    Attributes:
        supported: Share of its sentences that their evidence carries.
        answers: The selector's highest probability that one of the supported sentences shown answers the question.
        covered: Share of the question's words and concepts, weighted by idf, that the supported sentences shown hold together.
    """

    supported: float
    answers: float
    covered: float

    @property
    def score(self) -> float:
        """Between 0 and 1; an unsupported sentence costs its share of everything."""
        return self.supported * (_ANSWERS * self.answers + _COVERED * self.covered)


def weigh(draft: Draft, question: str, evidence: Mapping[str, Evidence]) -> Weight:
    """Weigh one draft; one without a sentence weighs nothing."""
    verdicts = verify(draft, evidence)
    if not verdicts:
        return Weight(0.0, 0.0, 0.0)
    shown, room = list[str](), _READ
    for sentence, verdict in zip(draft.sentences, verdicts, strict=True):
        if verdict.support is not None and sentence.part != "more" and room > 0:
            shown.append(verdict.text)
            room -= len(verdict.text)
    supported = sum(v.support is not None for v in verdicts) / len(verdicts)
    answers = max(selector().score(question, shown), default=0.0)
    return Weight(supported, answers, selector().shared(question, [" ".join(shown)]) if shown else 0.0)


def best(drafts: Sequence[Draft], question: str, evidence: Mapping[str, Evidence]) -> int:
    """Index of the draft to hand in: the first, unless a later one is better by a margin.

    Raises:
        ValueError: No draft at all.
    """
    if not drafts:
        raise ValueError("there is no draft to choose from")
    scores = [weigh(d, question, evidence).score for d in drafts]
    chosen = max(range(len(drafts)), key=lambda i: (scores[i], -i))
    return chosen if scores[chosen] > scores[0] + _MARGIN else 0
