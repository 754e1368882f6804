"""The agent's view of the terms of the concept table (`retrieval.concepts.terms`): which of them a message or a sentence mentions.

Serves the planner (routing) and `verify` (does the claim speak of what its evidence speaks of), and puts misspelt names right.
"""

import re
from functools import lru_cache

from retrieval.concepts.speller import one_slip
from retrieval.concepts.terms import DRUG_KINDS, Mention, Term, concepts, ids, kin, members, mentions, narrower, terms
from retrieval.concepts.words import language_of
from retrieval.guidelines.strange import is_general

__all__ = ["DRUG_KINDS", "Mention", "Term", "concepts", "ids", "kin", "language_of", "members", "mentions", "narrower", "spelt", "terms"]

# Words of names shorter than this are too like others.
_SHORTEST = 6
_LONGEST_SPELT = 100
_QUOTED = re.compile(r"[\"“”\n]|:.{40}")
_LONG_WORD = re.compile(rf"(?<![A-Za-z-])[A-Za-z]{{{_SHORTEST},}}(?![A-Za-z-])")


@lru_cache(maxsize=1024)
def spelt(text: str) -> str:
    """The text with medicines and diseases that are misspelt by one letter as they are written; a word that could be two stays."""
    if len(text) > _LONGEST_SPELT or _QUOTED.search(text):
        return text  # a report to be checked stays as it is
    known = {(m.start, m.end) for m in mentions(text)}

    def written(found: re.Match[str]) -> str:
        word = found.group().lower()
        if word in _known_words() or is_general(word) or any(a < found.end() and found.start() < b for a, b in known):
            return found.group()
        meant = one_slip(word, _known_words())
        return meant if meant and meant.rstrip("s") != word.rstrip("s") else found.group()

    return _LONG_WORD.sub(written, text)


@lru_cache(maxsize=1)
def _known_words() -> frozenset[str]:
    named = [n.lower() for t in terms().values() if t.kind in ("drug", "disease") for n in t.en]
    salts = [n.lower().split()[0] for t in terms().values() if t.kind == "drug" for n in t.en[:1]]
    return frozenset(w for w in (*named, *salts) if len(w) > _SHORTEST and w.isascii() and w.isalpha())
