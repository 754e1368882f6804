"""The one spelling corrector: which known word a misspelt one must be. Door: `one_slip` for words of a question, `nearest` for names."""

from collections.abc import Collection, Iterable

from rapidfuzz.distance import OSA, Indel
from rapidfuzz.process import extractOne

# Share of the letters of two names that must agree, in order.
_CLOSE = 0.85


def one_slip(word: str, known: Collection[str]) -> str | None:
    """The one known word that a single slip (a letter missing, too much, wrong, or two swapped) turns into `word`; None where several are.

    Args:
        word: A lower-case word of letters, or its stem.
        known: Known words; the first two letters are taken as right.
    """
    if not word.isalpha():
        return None
    near = {
        other
        for other in known
        if abs(len(other) - len(word)) <= 1 and other[:2] == word[:2] and other.isalpha() and OSA.distance(word, other, score_cutoff=1) <= 1
    }
    return near.pop() if len(near) == 1 else None


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that is closest to a misspelt one, where one is close; only ever a suggestion."""
    found = extractOne(name, list(names), scorer=Indel.normalized_similarity, score_cutoff=_CLOSE)
    return found[0] if found else None
