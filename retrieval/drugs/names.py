"""Names in free text, English or Chinese: which drugs, classes, conditions and enzymes it mentions, and which names are unknown."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from retrieval.concepts.finder import Finder
from retrieval.concepts.speller import nearest
from retrieval.concepts.table import vocabulary
from retrieval.drugs.tables import Tables, listed
from retrieval.drugs.words import CHINESE_DRUG_ENDINGS, CHINESE_PHRASES, DRUG_ENDINGS, KNOWN_WORDS
from retrieval.messages.patterns import patterns

MentionKind = Literal["drug", "class", "combination", "condition", "target", "effect"]
# Enzymes and transporters that questions name; the alias is as people write it.
TARGET_ALIASES = patterns("retrieval.drugs").table("target_aliases")
CJK = re.compile(r"[\u4e00-\u9fff]")
_SPLIT = re.compile(r"[-_/\s\u00b7+]+")


@dataclass(frozen=True)
class Mention:
    """A known name in a text: span in the normalised text, what it is, and the ids it stands for."""

    start: int
    end: int
    kind: MentionKind
    ids: tuple[str, ...]
    surface: str


def normalise(text: str) -> str:
    """NFKC, lower case, with hyphens, slashes and runs of white space as one blank."""
    return _SPLIT.sub(" ", unicodedata.normalize("NFKC", text).casefold().replace("’", "'")).strip()


class Lexicon:
    """All names of the graph and the scanner of free text: the one finder over them."""

    def __init__(self, tables: Tables) -> None:
        self._names: dict[str, tuple[MentionKind, tuple[str, ...]]] = {}
        self._drug_names: list[str] = []
        concepts = vocabulary().concepts
        for group in tables.classes:
            self._add("class", (group.id,), (group.name, group.name_zh, *listed(group.synonyms)))
        for condition in tables.conditions:
            named = (name for ident in listed(condition.concepts) for name in concepts[ident].names)
            self._add("condition", (condition.id,), (condition.name, condition.name_zh, *named, *listed(condition.cues)))
        for effect in tables.effects:
            for name in (effect.name, effect.name_zh):
                if normalise(name) not in self._names:
                    self._add("effect", (effect.id,), (name,))
        for target in {row.target for row in tables.enzymes}:
            self._add("target", (target,), (target,))
        for alias, target in TARGET_ALIASES.items():
            self._add("target", (target,), (alias,))
        for drug in tables.drugs:
            names = (drug.id, drug.name, drug.name_zh, *listed(drug.synonyms), *listed(drug.synonyms_zh))
            self._add("drug", (drug.id,), names)
            self._drug_names += [normalise(name) for name in names]
        for combination in tables.combinations:
            self._add("combination", listed(combination.drugs), (combination.name,))
        self._finder = Finder((name, name) for name in self._names)

    def _add(self, kind: MentionKind, ids: tuple[str, ...], names: Iterable[str]) -> None:
        for name in names:
            key = normalise(name)
            if key:
                self._names[key] = (kind, ids)

    def lookup(self, name: str) -> tuple[MentionKind, tuple[str, ...]] | None:
        """Exact name, any case and hyphenation."""
        return self._names.get(normalise(name))

    def scan(self, text: str) -> tuple[Mention, ...]:
        """Known names in the text, longest first at each place, without overlaps."""
        flat = normalise(text)
        found = []
        for hit in self._finder.find(flat, _as_named):
            kind, ids = self._names[hit.values[0]]
            found.append(Mention(hit.start, hit.end, kind, ids, flat[hit.start : hit.end]))
        return tuple(found)

    def suggest(self, name: str) -> str | None:
        """The nearest drug name when it is a close misspelling; only ever a suggestion."""
        return nearest(normalise(name), self._drug_names)

    def unknown(self, text: str) -> tuple[str, ...]:
        """Words of the text that look like drug names and are not in the graph."""
        flat = normalise(text)
        for mention in reversed(self.scan(text)):
            flat = flat[: mention.start] + " \u0000 " + flat[mention.end :]
        return tuple(dict.fromkeys([*_unknown_latin(flat), *_unknown_chinese(flat)]))


def _as_named(name: str, written: str, _alone: bool) -> bool:
    """Whether a name stands as it is, or in the plural; other forms of its words are other words."""
    return written in (name, name + "s")


def _unknown_latin(flat: str) -> list[str]:
    found = []
    words = re.findall(r"[a-z][a-z0-9']*|\u0000|[^\sa-z\u0000]+", flat)
    for i, word in enumerate(words):
        if not re.fullmatch(r"[a-z][a-z0-9']{3,}", word) or word in KNOWN_WORDS or word.rstrip("s") in KNOWN_WORDS:
            continue
        before = words[i - 1] if i else ""
        after = words[i + 1] if i + 1 < len(words) else ""
        slot = before in {
            "with",
            "and",
            "add",
            "take",
            "taking",
            "give",
            "giving",
            "prescribe",
            "start",
            "is",
            "does",
            "can",
            "about",
            "of",
            "on",
        }
        slot = slot or after in {"and", "with", "interact", "interacts", "dose"} or CJK.search(before + after) is not None
        if slot or DRUG_ENDINGS.search(word):
            found.append(word)
    return found


def _unknown_chinese(flat: str) -> list[str]:
    for phrase in CHINESE_PHRASES:
        flat = flat.replace(phrase, " ")
    return [run for run in re.findall(r"[\u4e00-\u9fff]{2,}", flat) if CHINESE_DRUG_ENDINGS.search(run)]
