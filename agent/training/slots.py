"""Claims made of the corpus by typed slot: a sentence in a natural frame, and the same with one slot turned; the kind of each is known.

Unlimited pairs in both languages: negation, bound, order, frequency, strength, population, side, severity, route, direction, and / or,
duration (words in `data/opinion/slots.tsv`); by program a dose times ten, two names exchanged, another drug of the class, another edition.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agent.reading.lexicon import DRUG_KINDS, Mention, members, mentions, terms
from agent.training.perturb import begun, reworded, sentence_of
from agent.verify.numbers import located
from retrieval.guidelines.passages import Passage

_DOSES = frozenset({"mass", "amount", "volume", "massrate"})
_YEAR = re.compile(r"(?<!\d)(20[012]\d)(?!\d)")
_FRAMES = {
    "en": ("{s}.", "According to {issuer}, {low}.", "{s}, per {issuer} {year}.", "In the words of {issuer}: {low}.", "Note that {low}."),
    "zh": ("{s}。", "根据{issuer}，{s}。", "{issuer} {year}：{s}。", "需注意，{s}。", "{s}（{issuer} {year}）。"),
}
# Tries for one kind and language before it is given up.
_TRIES = 60


@dataclass(frozen=True)
class Slotted:
    """One made claim: its text, passage, language, whether a slot was turned, and which."""

    text: str
    passage: Passage
    language: str
    fault: bool
    kind: str


@lru_cache(maxsize=1)
def _turns() -> dict[tuple[str, str], list[tuple[re.Pattern[str], str]]]:
    lines = files("agent").joinpath("data/opinion/slots.tsv").read_text(encoding="utf-8").splitlines()
    out: dict[tuple[str, str], list[tuple[re.Pattern[str], str]]] = defaultdict(list)
    for kind, language, pattern, replacement in (line.split("\t") for line in lines[2:]):
        out[kind, language].append((re.compile(pattern, re.IGNORECASE), replacement))
    return dict(out)


def kinds() -> tuple[str, ...]:
    """Kinds of slots that can be turned."""
    return (*sorted({kind for kind, _ in _turns()}), *_MADE)


def slotted(passages: Sequence[Passage], each: int, seed: int = 11) -> Iterator[Slotted]:
    """`each` turned claims of every kind and language, and as many sound ones, as far as the passages give them."""
    chance = random.Random(seed)
    for language in ("en", "zh"):
        for kind in ("sound", *kinds()):
            count = tries = 0
            while count < each and tries < _TRIES * each:
                tries += 1
                passage = chance.choice(passages)
                made = _made(kind, passage, language, chance)
                if made is not None:
                    count += 1
                    yield made


def _made(kind: str, passage: Passage, language: str, chance: random.Random) -> Slotted | None:
    text = passage.text_zh if language == "zh" else passage.text
    sentence = sentence_of(text, language, chance)
    if sentence is None:
        return None
    told = reworded(sentence, language, chance) if chance.random() < 0.5 else sentence
    turned: str | None = told
    if kind in _MADE:
        turned = _MADE[kind](told, passage, chance)
    elif kind != "sound":
        turned = _worded(told, kind, language, chance)
    if turned is None or (kind != "sound" and (turned == told or turned in text)):
        return None
    return Slotted(_framed(turned, passage, language, chance), passage, language, kind != "sound", kind)


def _framed(sentence: str, passage: Passage, language: str, chance: random.Random) -> str:
    frame = chance.choice(_FRAMES[language])
    low = sentence if re.match(r"[A-Z]{2}|[A-Z]\w*[A-Z0-9]", sentence) else sentence[:1].lower() + sentence[1:]
    return frame.format(s=begun(sentence), low=low, issuer=passage.guideline.issuer, year=passage.guideline.year)


def _worded(text: str, kind: str, language: str, chance: random.Random) -> str | None:
    found = [t for t in _turns().get((kind, language), []) if t[0].search(text)]
    if not found:
        return None
    pattern, replacement = chance.choice(found)
    return pattern.sub(replacement, text, count=1)


def _dose(text: str, passage: Passage, chance: random.Random) -> str | None:
    found = [
        (s, e, n.value) for s, e, n in located(text) if n.unit and n.unit[0] in _DOSES and n.value and re.fullmatch(r"[\d.]+", text[s:e])
    ]
    if not found:
        return None
    start, end, value = chance.choice(found)
    return f"{text[:start]}{value * 10:g}{text[end:]}"


def _swapped(text: str, passage: Passage, chance: random.Random) -> str | None:
    """Two names of one kind exchanged, with words of their own around each."""
    named = [m for m in mentions(text) if m.term.kind in (*DRUG_KINDS, "disease", "score", "organism")]
    pairs = [(a, b) for a in named for b in named if a.start < b.start and a.term.kind == b.term.kind and a.term.id != b.term.id]
    pairs = [(a, b) for a, b in pairs if not _listed(text, a, b)]
    if not pairs:
        return None
    a, b = chance.choice(pairs)
    return text[: a.start] + text[b.start : b.end] + text[a.end : b.start] + text[a.start : a.end] + text[b.end :]


def _listed(text: str, a: Mention, b: Mention) -> bool:
    """Whether two names only stand in a list, where their order says nothing."""
    between = text[a.end : b.start]
    return len(between) < 12 and not re.search(r"[;；]|than|over|before|after|not|于|而非|优", between)


def _other_drug(text: str, passage: Passage, chance: random.Random) -> str | None:
    """A drug exchanged for another of its class that the passage does not name."""
    named = [m for m in mentions(text) if m.term.kind == "drug"]
    chance.shuffle(named)
    there = {m.term.id for t in (passage.text, passage.text_zh) for m in mentions(t)}
    for mention in named:
        beside = {d for group in members().values() if mention.term.id in group for d in group if d in terms()} - there
        if beside:
            other = terms()[chance.choice(sorted(beside))]
            language = "zh" if re.search("[\u4e00-\u9fff]", text[mention.start : mention.end]) else "en"
            return text[: mention.start] + other.name("zh" if language == "zh" else "en") + text[mention.end :]
    return None


def _edition(text: str, passage: Passage, chance: random.Random) -> str | None:
    found = list(_YEAR.finditer(text))
    if not found:
        return None
    match = chance.choice(found)
    return text[: match.start()] + str(int(match.group(1)) - chance.choice((2, 3, 5))) + text[match.end() :]


_MADE: dict[str, Callable[[str, Passage, random.Random], str | None]] = {
    "dose x10": _dose,
    "swap": _swapped,
    "other drug": _other_drug,
    "edition": _edition,
}
