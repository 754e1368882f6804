"""Sizes in questions and the ranges that passages speak of: a 7 mm nodule is answered by "6 to 8 mm", not by "smaller than 6 mm"."""

import math
import re
from functools import lru_cache

from retrieval.guidelines.passages import Passage
from retrieval.messages.patterns import patterns

Range = tuple[float, float]

_NUMBER = r"(\d+(?:\.\d+)?)"
_WORDS = patterns("retrieval.guidelines")
_UNIT = _WORDS.text("size_unit")
# How much a passage that holds the size rises, and one that speaks of other sizes only falls, in log-odds.
HOLDS, MISSES = 0.8, -1.6

_SIZE = re.compile(rf"{_NUMBER}\s*-?\s*{_UNIT}", re.IGNORECASE)
_BETWEEN = re.compile(
    rf"{_NUMBER}\s*(?:{_UNIT})?\s*(?:{_WORDS.text('size_to')})\s*(?:{_WORDS.text('size_to_below')})?{_NUMBER}\s*{_UNIT}", re.IGNORECASE
)
_BELOW = re.compile(rf"(?:{_WORDS.text('size_below')})\s*{_NUMBER}\s*{_UNIT}", re.IGNORECASE)
_ABOVE = re.compile(rf"(?:{_WORDS.text('size_above')})\s*{_NUMBER}\s*{_UNIT}", re.IGNORECASE)
_AT_LEAST = re.compile(rf"{_NUMBER}\s*{_UNIT}\s*(?:{_WORDS.text('size_at_least')})", re.IGNORECASE)


def size_of(question: str) -> float | None:
    """The one size in mm that a question names; None when it names none or several."""
    found = {float(m) for m in _SIZE.findall(question)}
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=4096)
def ranges_of(text: str) -> tuple[Range, ...]:
    """Ranges in mm that a text speaks of, half-open where they have one end."""
    out: list[Range] = []
    rest = text
    for match in _BETWEEN.finditer(text):
        out.append((float(match[1]), float(match[2])))
    rest = _BETWEEN.sub(" ", rest)
    out += [(float(m[1]), math.inf) for m in _AT_LEAST.finditer(rest)]
    rest = _AT_LEAST.sub(" ", rest)
    # The limit itself belongs to the neighbour: a 6 mm nodule is not "smaller than 6 mm".
    out += [(0.0, math.nextafter(float(m[1]), 0.0)) for m in _BELOW.finditer(rest)]
    out += [(math.nextafter(float(m[1]), math.inf), math.inf) for m in _ABOVE.finditer(rest)]
    return tuple(out)


def shift(size: float | None, passage: Passage) -> float:
    """What to add to the log-odds of a passage: it speaks of this size, of other sizes only, or of none."""
    if size is None:
        return 0.0
    ranges = ranges_of(passage.section) or ranges_of(passage.text)
    if not ranges:
        return 0.0
    return HOLDS if any(low <= size <= high for low, high in ranges) else MISSES
