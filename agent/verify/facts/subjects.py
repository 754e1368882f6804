"""Of which drug a statement holds: the drug that a claim says it of against the drugs named beside the same words in its evidence."""

from collections.abc import Iterable

from agent.reading.lexicon import DRUG_KINDS, ids, members, terms
from agent.verify.facts.segments import words_of
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")

_CHUNK = _TEXT.regex("subjects_chunk")
# Share of a claim's other words that a place must hold to be where the statement stands.
_STANDS = 0.7
# By how much it must hold more than any place that names the claim's drug.
_CLEAR = 0.25


def other_subject(claim: str, texts: Iterable[str]) -> bool:
    """Whether the evidence says of other drugs alone what the claim says of its one."""
    mine = ids(claim, *DRUG_KINDS)
    rest = frozenset(w for w in words_of(claim) if w.lstrip("@") not in mine and w[0] not in "<>")
    if len(mine) != 1 or len(rest) < 2:
        return False
    (drug,) = mine
    for text in texts:
        chunks = [(ids(c, *DRUG_KINDS), _share(rest, words_of(c))) for c in _CHUNK.split(text) if c and c.strip()]
        if not any(drug in named for named, _ in chunks):
            continue
        topic = frozenset(w for w in rest if _is_topic(w))
        theirs = max((share for named, share in chunks if named and not _meant(drug, named)), default=0.0)
        own = max((share for named, share in _of_rest(text, rest, topic) if not named or _meant(drug, named)), default=0.0)
        if theirs >= _STANDS and theirs - own >= _CLEAR:
            return True
    return False


def _of_rest(text: str, rest: frozenset[str], topic: frozenset[str]) -> list[tuple[frozenset[str], float]]:
    """Shares of chunks in a claim's words; a disease counts as named in a chunk that names none of its own."""
    out = []
    for chunk in _CHUNK.split(text):
        if chunk and chunk.strip():
            there = words_of(chunk)
            named_before = topic if not any(_is_topic(w) for w in there) else frozenset()
            out.append((ids(chunk, *DRUG_KINDS), _share(rest, there | named_before)))
    return out


def _is_topic(word: str) -> bool:
    return word.startswith("@") and word[1:] in terms() and terms()[word[1:]].kind in ("disease", "comorbidity", "population")


def _meant(drug: str, named: frozenset[str]) -> bool:
    return any(drug == n or drug in members().get(n, ()) or n in members().get(drug, ()) for n in named)


def _share(rest: frozenset[str], there: frozenset[str]) -> float:
    weight = sum(_heft(w) for w in rest)
    return sum(_heft(w) for w in rest & there) / weight if weight else 0.0


def _heft(word: str) -> float:
    return 1.5 if word[0] in "@!#" else 0.5 if word >= "\u4e00" else 1.0
