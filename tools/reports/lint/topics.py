"""Pieces of impression and findings that speak of the same thing, whatever it is: a nodule, a catheter, a diaphragm.

A piece's topics are what the tables know (`topic` of `words.toml`) and the plain words that are left (English stems, Chinese trigrams). An
impression is compared with every sentence of the findings that shares its rarest topic.
"""

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache

from retrieval.concepts.context import statuses
from tools.reports.lint.parts import Sentence
from tools.reports.lint.vocabulary import group

SIZE = re.compile(
    r"(?<![\d.A-Za-z/:])(\d+(?:\.\d+)?)(?:\s*(?:mm|cm)?\s*(?:[x×X*]|by|-|–|~|至|to)\s*(\d+(?:\.\d+)?))?(?:\s*(?:mm|cm)?\s*(?:[x×X*])\s*(\d+(?:\.\d+)?))?\s*-?\s*(mm|cm|毫米|厘米)(?![A-Za-z\d³²])",
    re.IGNORECASE,
)
_PIECE = re.compile(
    r"[;；。]|[,，、](?!\s*(?:and|measuring|up to|largest|with a|max|mean|径|大小|约|最大))|(?<![A-Za-z])(?:with|but|and(?! (?:lower|middle|upper)))(?![A-Za-z])|伴|并|及(?!其)",
    re.IGNORECASE,
)
_STOP = frozenset(
    [
        "there",
        "this",
        "that",
        "these",
        "those",
        "with",
        "without",
        "which",
        "from",
        "into",
        "near",
        "near",
        "close",
        "than",
        "then",
        "only",
        "seen",
        "noted",
        "again",
        "both",
        "each",
        "large",
        "small",
        "mild",
        "moderate",
        "severe",
        "right",
        "left",
        "upper",
        "lower",
        "middle",
        "lobe",
        "lobes",
        "lung",
        "lungs",
        "side",
        "bilateral",
        "unchanged",
        "stable",
        "increased",
        "decreased",
        "compared",
        "prior",
        "previous",
        "likely",
        "possible",
        "probable",
        "consistent",
        "suggest",
        "normal",
        "unremarkable",
        "within",
        "study",
        "scan",
        "image",
        "about",
        "approximately",
        "measuring",
        "measures",
        "size",
        "diameter",
        "largest",
        "other",
        "another",
        "more",
        "most",
        "less",
        "least",
        "first",
        "second",
        "third",
        "segment",
        "segmental",
        "basal",
        "apical",
        "recommended",
        "recommend",
        "follow",
        "months",
        "month",
        "weeks",
        "years",
    ]
)
_PLAIN_HAN = re.compile(r"[左右双两侧上中下叶肺内见示约大小较前次增减缩无未见考虑可能建议复查及伴性的为示个月枚处]")


@dataclass(frozen=True)
class Piece:
    """One thing that is said.

    Attributes:
        text: The words of the piece.
        sentence: Where it stands.
        topics: Topic to the place of its word in `text`.
        sides: Sides that are said.
        lobes: Lobes that are said.
        sizes: Diameters in mm.
        counts: Numbers of things; 99 for "multiple".
        denied: Topics that are denied.
    """

    text: str
    sentence: Sentence
    topics: dict[str, int]
    sides: frozenset[str]
    lobes: frozenset[str]
    sizes: tuple[float, ...]
    counts: dict[str, int]
    denied: frozenset[str]


def pieces_of(sentence: Sentence) -> list[Piece]:
    """A sentence cut where it changes its subject."""
    cuts = [0, *(m.start() for m in _PIECE.finditer(sentence.text)), len(sentence.text)]
    out = [piece(sentence.text[a:b], sentence, a) for a, b in itertools.pairwise(cuts) if re.search(r"\w", sentence.text[a:b])]
    return [p for p in out if p.topics]


def piece(text: str, sentence: Sentence, at: int = 0) -> Piece:
    """`text` of `sentence`, which begins at `at` in it, as a piece."""
    topics = _topics(text)
    sides = group("side")
    named = frozenset(name for name in ("left", "right", "both") if sides[name].search(text))
    return Piece(
        text=text,
        sentence=sentence,
        topics=topics,
        sides=named,
        lobes=frozenset(name for name, pattern in group("lobe").items() if pattern.search(text)),
        sizes=sizes_in(text),
        counts=_counts(text, topics),
        denied=frozenset(t for t, place in topics.items() if "negated" in statuses(sentence.text, at + place, at + place + 1)),
    )


def sizes_in(text: str) -> tuple[float, ...]:
    """All diameters of a text in mm."""
    out: list[float] = []
    for m in SIZE.finditer(text):
        factor = 10.0 if m[4].lower() in ("cm", "厘米") else 1.0
        out += [float(v) * factor for v in m.groups()[:3] if v]
    return tuple(out)


@lru_cache(maxsize=2048)
def _known(text: str) -> tuple[tuple[str, int, int], ...]:
    return tuple((name, m.start(), m.end()) for name, pattern in group("topic").items() for m in pattern.finditer(text))


def _topics(text: str) -> dict[str, int]:
    out: dict[str, int] = {}
    taken: list[tuple[int, int]] = []
    for name, start, end in _known(text):
        out.setdefault(_of_organ(name, text, start, end), start)
        taken.append((start, end))
    for m in re.finditer(r"[A-Za-z]{5,}", text):
        word = m.group().lower()
        if word not in _STOP and not any(a < m.end() and m.start() < b for a, b in taken):
            out.setdefault(word[:6], m.start())
    for m in re.finditer(r"[\u4e00-\u9fff]{3,}", text):
        run = m.group()
        for i in range(len(run) - 2):
            if not _PLAIN_HAN.search(run[i : i + 3]) and not any(a < m.start() + i + 3 and m.start() + i < b for a, b in taken):
                out.setdefault(run[i : i + 3], m.start() + i)
    return out


def _of_organ(name: str, text: str, start: int, end: int) -> str:
    """A lesion of the liver is another topic than one of the lung."""
    if name not in ("lesion", "cyst"):
        return name
    near = text[max(0, start - 18) : start] + " " + text[end : end + 18]
    organ = next((o for o, pattern in group("organ").items() if pattern.search(near)), None)
    return f"{organ} {name}" if organ else name


def _counts(text: str, topics: dict[str, int]) -> dict[str, int]:
    """Number said right before a topic's word, with plain words between ("two small solid nodules"), or right behind it (结节 3 枚)."""
    values = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "many": 99}
    out: dict[str, int] = {}
    for topic, place in topics.items():
        for name, pattern in group("count").items():
            for m in pattern.finditer(text):
                between = text[m.end() : place] if m.end() <= place else text[place : m.start()]
                behind = m.end() > place
                if len(between) <= (4 if behind else 34) and not re.search(
                    r"[,，;；:：()（）\d]|(?<![a-z])(?:year|month|week|day|and|in|of|station)", between, re.IGNORECASE
                ):
                    out.setdefault(topic, values[name])
    return out
