"""What a second search should look for: the part of the question that the first draft does not speak of."""

from pydantic import JsonValue

from agent.answering.draft import Draft
from retrieval.concepts.lexicon import normalise
from retrieval.index.selector import lexicon, selector, tokens_of
from tools.evidence import ToolName

# Share of the question's words, weighted by idf, that must be absent from the draft before a second search is worth it.
_WORTH = 0.35
_FEWEST = 2


def gap_calls(question: str, draft: Draft) -> tuple[tuple[ToolName, dict[str, JsonValue]], ...]:
    """One more search with the words that nothing shown holds, beside what the question is about; none where little is left.

    Args:
        question: As understood, for a follow-up with what it goes on from.
        draft: The first answer.
    """
    shown = " ".join(s.text for s in draft.sentences if s.part != "more")
    left = _left(question, shown)
    if len(left) < _FEWEST or (shown and selector().shared(question, [shown]) > 1 - _WORTH):
        return ()
    return (("search_guidelines", {"query": f"{_subject(question)} {' '.join(left)}".strip()}),)


def _left(question: str, shown: str) -> list[str]:
    """Words of the question whose tokens stand nowhere in what is shown, in their order."""
    have = tokens_of(normalise(shown)) if shown else frozenset()
    words = normalise(question).replace("?", " ").replace("？", " ").split()
    return [w for w in words if (mine := tokens_of(w)) and not mine & have]


def _subject(question: str) -> str:
    """The named things of the question, as they stand there."""
    found = lexicon().find(normalise(question), question=True)
    return " ".join(dict.fromkeys(normalise(question)[start:end] for _, start, end in found))
