"""The last answer once more in another form: shorter, in another language, or as its sources."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from agent.answering.compose import say
from agent.answering.draft import Draft, DraftSentence, keyed_sentences, split_sentences
from agent.reading.dialogue import About, sentences_asked
from agent.turn.ledger import Ledger, is_aside
from retrieval.messages.catalogue import messages
from tools.bedside.judging import stands_beside
from tools.evidence import Language

pair = messages("agent.turn").pair

# Characters of a shortened answer (a Chinese one says as much in fewer), and of one that is given again.
_SHORT: dict[Language, int] = {"en": 300, "zh": 180}
_ROOM = 1150
_SOURCE = pair("Source: ")


Said = tuple[DraftSentence, ...]


def earlier_answers(messages: Sequence[AnyMessage]) -> list[Said]:
    """What was said to each question before the last one; where that made no claim of its own, what was said before it."""
    out: list[Said] = []
    for message in messages:
        if isinstance(message, HumanMessage) and not is_aside(message):
            out.append(out[-1] if out else ())
        elif isinstance(message, AIMessage) and not message.tool_calls and out:
            kept = message.additional_kwargs.get("said")  # as claims; a thread of an older version holds only their text
            said = [DraftSentence(text=t, evidence=tuple(k)) for t, k in kept] if kept else keyed_sentences(str(message.text))
            out[-1] = _own(tuple(s for s in said if s.evidence)) or out[-1]
    return out[:-1]


def stored_answers(answers: Sequence[dict[str, Any]]) -> list[str]:
    """The same as text, out of stored answers."""
    out: list[str] = []
    for answer in answers:
        said = _own(tuple(DraftSentence(text=c["text"], evidence=tuple(c["evidence"])) for c in answer.get("claims", ())))
        out.append(" ".join(s.text for s in said) or (out[-1] if out else ""))
    return out


def _own(said: Said) -> Said:
    """Nothing for an answer that only named the sources of the one before."""
    return () if said and said[0].text.startswith(_SOURCE) else said


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
    whole = [t for s in said for t in _translated(s, ledger, language)] if wanted == "translate" else list(said)
    # What stood below the answer to another question goes first.
    whole = [s for s in whole if wanted != "shorter" or not all(map(stands_beside, s.evidence))] or whole
    pieces = [s.model_copy(update={"text": t}) for s in whole for t in split_sentences(s.text)]
    most = sentences_asked(question)
    if most is not None:
        return _draft(pieces[:most])
    room = min(_SHORT[language], sum(len(s.text) for s in whole) / 2) if wanted == "shorter" else _ROOM
    return _draft(_fitting(whole, pieces, room))


def _fitting(whole: Sequence[DraftSentence], pieces: Sequence[DraftSentence], room: float) -> list[DraftSentence]:
    """What fits: whole statements, or where the first is too long its first sentences; at least one sentence."""
    out: list[DraftSentence] = []
    for s in whole if whole and len(whole[0].text) <= room else pieces:
        if out and sum(len(o.text) for o in out) + len(s.text) > room:
            break
        out.append(s)
    return out


def _translated(said: DraftSentence, ledger: Ledger, language: Language) -> list[DraftSentence]:
    """A statement in the other language: the same sentences of its evidence where both languages have as many, else all of it."""
    out = []
    for item in (ledger.evidence[k] for k in said.evidence if k in ledger.evidence):
        theirs, ours = split_sentences(item.text_zh or "" if language == "en" else item.text), split_sentences(say(item, language))
        kept = [o for t, o in zip(theirs, ours, strict=False) if t in said.text] if len(theirs) == len(ours) else []
        glue = "" if language == "zh" else " "
        out.append(DraftSentence(text=glue.join(kept) if kept else say(item, language), evidence=(item.key,)))
    return out


def _draft(sentences: Sequence[DraftSentence]) -> Draft:
    return Draft(sentences=tuple(sentences), notice=None if sentences else "which_one")
