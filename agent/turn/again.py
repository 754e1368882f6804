"""The last answer once more in another form: shorter, in another language, or as its sources."""

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from agent.answering.compose import say
from agent.answering.draft import Draft, DraftSentence, keyed_sentences
from agent.reading.dialogue import About, sentences_asked
from agent.turn.ledger import Ledger, is_aside
from tools.evidence import Language


def last_answer(messages: Sequence[AnyMessage]) -> tuple[DraftSentence, ...]:
    """Sentences of the last finished answer that made a claim, with their keys."""
    asked = [i for i, m in enumerate(messages) if isinstance(m, HumanMessage) and not is_aside(m)]
    for message in reversed(messages[: asked[-1]] if asked else []):
        if isinstance(message, AIMessage) and not message.tool_calls:
            found = tuple(s for s in keyed_sentences(str(message.text)) if s.evidence)
            if found and not found[0].text.startswith(("Source: ", "出处：")):
                return found
    return ()


def again(wanted: About, said: Sequence[DraftSentence], ledger: Ledger, question: str, language: Language) -> Draft:
    """The last answer in the form that is asked for.

    Args:
        wanted: Which form.
        said: Its sentences.
        ledger: Evidence of the thread.
        question: What the person typed.
        language: Of the answer.
    """
    cited = [ledger.evidence[k] for k in dict.fromkeys(k for s in said for k in s.evidence) if k in ledger.evidence]
    if wanted == "sources":
        return _draft([DraftSentence(text=e.citations[language == "zh"], evidence=(e.key,)) for e in cited])
    whole = [DraftSentence(text=say(e, language), evidence=(e.key,)) for e in cited] if wanted == "translate" else list(said)
    half = max(2, (len(whole) + 1) // 2) if wanted == "shorter" else None
    return _draft(whole[: sentences_asked(question) or half])


def _draft(sentences: Sequence[DraftSentence]) -> Draft:
    return Draft(sentences=tuple(sentences), notice=None if sentences else "which_one")
