"""Claims made of the corpus itself: a sentence reworded, and the same with a number, a name or a word turned."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agent.reading.lexicon import mentions
from agent.verify.numbers import located
from retrieval.guidelines.passages import Passage

_SENTENCES = {"en": re.compile(r"(?<=[.])\s+|[;；]"), "zh": re.compile("[\u3002\uff1b;]")}
_PARTS = re.compile(",\\s|\uff0c")
_LENGTHS = {"en": (25, 170), "zh": (9, 70)}
_NAMES = frozenset({"drug", "drug_class", "disease", "finding", "score", "action", "analyte", "organism"})


@dataclass(frozen=True)
class Made:
    """One claim made of a passage."""

    text: str
    passage: Passage
    fault: bool


@lru_cache(maxsize=1)
def _turns() -> dict[tuple[str, str], list[tuple[re.Pattern[str], str]]]:
    lines = files("agent").joinpath("data/opinion/turns.tsv").read_text(encoding="utf-8").splitlines()
    out: dict[tuple[str, str], list[tuple[re.Pattern[str], str]]] = {}
    for kind, language, wording, replacement in (line.split("\t") for line in lines[2:]):
        pattern = re.compile(rf"\b{re.escape(wording)}\b" if language == "en" else re.escape(wording))
        out.setdefault((kind, language), []).append((pattern, replacement))
    return out


def made_of(passages: Sequence[Passage], count: int, seed: int = 5) -> list[Made]:
    """`count` claims or a few more, sound and faulty in both languages."""
    chance = random.Random(seed)
    out: list[Made] = []
    while len(out) < count:
        passage = chance.choice(passages)
        language = chance.choice(("en", "zh"))
        text = passage.text_zh if language == "zh" else passage.text
        sentence = sentence_of(text, language, chance)
        if sentence is None:
            continue
        same = reworded(sentence, language, chance)
        if same != sentence:
            out.append(Made(begun(same), passage, fault=False))
        turned = _turned(chance.choice((same, sentence)), text, language, chance)
        if turned and turned not in text:
            out.append(Made(begun(turned), passage, fault=True))
    return out


def begun(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence_of(text: str, language: str, chance: random.Random) -> str | None:
    low, high = _LENGTHS[language]
    found = [s.strip(" .\u3002") for s in _SENTENCES[language].split(text)]
    found = [s for s in found if low < len(s) < high]
    if not found:
        return None
    whole = chance.choice(found)
    part = _PARTS.split(whole)[-1]
    return part if len(part) > low and chance.random() < 0.5 else whole


def reworded(text: str, language: str, chance: random.Random) -> str:
    turns = list(_turns()["same", language])
    chance.shuffle(turns)
    for pattern, replacement in [t for t in turns if t[0].search(text)][:2]:
        text = pattern.sub(replacement.replace("\\", r"\\"), text, count=1)
    return text


def _turned(text: str, passage: str, language: str, chance: random.Random) -> str | None:
    """The text with one thing turned, None where nothing can be."""
    ways: list[Callable[[], str | None]] = [
        lambda: _other_word(text, language, chance),
        lambda: _other_word(text, language, chance),
        lambda: _other_number(text, passage, chance),
        lambda: _other_name(text, passage, chance),
    ]
    chance.shuffle(ways)
    return next((found for way in ways if (found := way())), None)


def _other_word(text: str, language: str, chance: random.Random) -> str | None:
    found = [t for t in _turns()["other", language] if t[0].search(text)]
    if not found:
        return None
    pattern, replacement = chance.choice(found)
    return pattern.sub(lambda _: replacement, text, count=1)


def _other_number(text: str, passage: str, chance: random.Random) -> str | None:
    """A number exchanged for another of the passage; years only for years."""
    held = [(s, e) for s, e, _ in located(text) if re.fullmatch(r"\d+(\.\d+)?", text[s:e])]
    others = [passage[s:e] for s, e, _ in located(passage) if re.fullmatch(r"\d+(\.\d+)?", passage[s:e])]
    chance.shuffle(held)
    for start, end in held:
        fit = [o for o in others if o != text[start:end] and (float(o) > 1980) == (float(text[start:end]) > 1980)]
        if fit:
            return text[:start] + chance.choice(fit) + text[end:]
    return None


def _other_name(text: str, passage: str, chance: random.Random) -> str | None:
    """A name exchanged for another of its kind in the passage."""
    named = [m for m in mentions(text) if m.term.kind in _NAMES]
    chance.shuffle(named)
    for mention in named:
        written = [passage[m.start : m.end] for m in mentions(passage) if m.term.kind == mention.term.kind and m.term.id != mention.term.id]
        fit = [w for w in written if w.lower() not in text.lower()]
        if fit:
            return text[: mention.start] + chance.choice(fit) + text[mention.end :]
    return None
