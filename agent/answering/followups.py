"""Parts of a question that an answer leaves open, and questions that the evidence would answer next."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from retrieval import packs
from retrieval.concepts.lexicon import DATA, normalise
from retrieval.guidelines.asks import read_asks
from retrieval.guidelines.corpus import passage_key
from retrieval.index.selector import asked_kinds, selector, tokens_of
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence, Language

_WORDS = patterns("agent.answering")

# Where a question goes on to something else.
_NEXT = _WORDS.regex("followups_next")
_OPENS = _WORDS.regex("followups_opens")
_MOST = 3
# Words by which a question asks for what stands under a heading.
_ASKED_AS = _WORDS.table("asked_as")
# A part counts as answered when a sentence of the answer shares this much of it.
_SHARED = 0.2
_LEAST_WORDS = 2


def parts_of(question: str) -> list[str]:
    """The parts of a question of several parts; one part is the whole."""
    return [p for part in _NEXT.split(question) if part and (p := part.strip(" ,，。.")) and len(tokens_of(normalise(p))) >= _LEAST_WORDS]


def left_open(question: str, said: Sequence[str], headings: Collection[str] = ()) -> tuple[str, ...]:
    """Parts of a question of several parts that no sentence of the answer speaks of, nor any heading by its other names."""
    said = [*said, *(_ASKED_AS[h] for h in sorted(headings) if h in _ASKED_AS)]
    parts = [p for p in parts_of(question) if _asks(p, question)]
    if len(parts) < 2:
        return ()
    idf = selector().idf
    rarest = max(idf.values())
    together = frozenset().union(*(tokens_of(normalise(s)) for s in said)) if said else frozenset()
    return tuple(p for p in parts if _shared(tokens_of(normalise(p)), together, idf, rarest) < _SHARED)


def _asks(part: str, question: str) -> bool:
    """Whether a part asks something; what is only told with the question is not to be answered."""
    behind = question[question.find(part) + len(part) :].lstrip(" ,，。.")
    return behind.startswith(("?", "？")) or bool(asked_kinds(part)) or bool(_OPENS.match(part))


def _shared(part: frozenset[str], said: frozenset[str], idf: Mapping[str, float], rarest: float) -> float:
    weigh = {t: idf.get(t, rarest) for t in part}
    return float(sum(w for t, w in weigh.items() if t in said) / (sum(weigh.values()) or 1.0))


@lru_cache(maxsize=1)
def _asked() -> dict[tuple[str, str], list[str]]:
    """Questions of `data/asks` by passage key and language."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in (r for place in (DATA / "asks", *packs.parts("asks")) for r in read_asks(place)):
        found.setdefault((passage_key(row["id"]), row["lang"]), []).append(row["q"])
    return found


def next_questions(found: Sequence[Evidence], shown: Sequence[str], language: Language) -> tuple[str, ...]:
    """One question for each passage that was found and not shown: what the person may want to ask next."""
    out = []
    for item in found:
        asked = _asked().get((item.key, language), [])
        if item.key not in shown and len(asked) > 1:
            out.append(asked[1])
    return tuple(out[:_MOST])
