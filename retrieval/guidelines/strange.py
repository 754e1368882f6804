"""Words of a question that nobody here knows, and how likely one of them is what the question is about.

`What is the dose of zorbifloxacin?` is about a name that does not exist here; `back from Benidorm, pneumonia and sodium 124` only mentions
one. A logistic model over readable signs of the word and its place tells them apart (`data/strange.json`; `retrieval.evaluation.strange`
fits it). An unknown word alone therefore never empties a search; an unknown *subject* does.
"""

import csv
import json
import math
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from retrieval import packs
from retrieval.concepts.lexicon import DATA, GLUE_HAN, HAN, STOP_HAN, STOPWORDS, Lexicon, Word, normalise, stem, words
from retrieval.concepts.table import vocabulary as vocabulary_of_concepts
from retrieval.errors import BadInput, Unavailable
from retrieval.index.embed import minilm_folder
from retrieval.messages.patterns import patterns

_PATTERNS = patterns("retrieval.guidelines")

MODEL = DATA / "strange.json"
SIGNS = (
    "before_guideline", "capitals_before_head", "name_before_head", "capitals", "drug_ending", "disease_ending", "heads_a_name",
    "after_cue", "dose_asked",
    "first", "short", "entities", "known_words", "others", "chinese", "after_entity",
)  # fmt: skip
_WORDS: dict[str, list[str]] = tomllib.loads((DATA / "name_words.toml").read_text(encoding="utf-8"))
DRUG_ENDING = re.compile(f"^[a-z]{{3,}}(?:{'|'.join(_WORDS['drug_endings_en'])})$")
DRUG_ENDING_HAN = re.compile(f"(?:{'|'.join(_WORDS['drug_endings_zh'])})$")
_DISEASE_ENDING = re.compile(f"[a-z]{{3}}(?:{'|'.join(_WORDS['disease_endings_en'])})$|(?:{'|'.join(_WORDS['disease_endings_zh'])})$")
# Kinds of concepts that can be what a question is about.
NAMED_KINDS = frozenset({"disease", "drug", "test", "organism", "score"})
_HEADS = frozenset(stem(w) for w in _WORDS["heads_en"])
_HEAD_HAN = re.compile(f"{_PATTERNS.text('head_before')}(?:{'|'.join(_WORDS['heads_zh'])})")
_GUIDELINE = frozenset(stem(w) for w in ("guideline", "guidance", "consensus", "recommendation"))
_GUIDELINE_HAN = _PATTERNS.regex("strange_guideline_han", 0)
# What a Chinese name ends in; the longest first.
_NAME_END_HAN = re.compile("|".join([*_WORDS["heads_zh"], *_WORDS["drug_endings_zh"]]))
# Endings of drugs wherever they begin, also inside one another.
_DRUG_END_HAN = re.compile(f"(?=({'|'.join(_WORDS['drug_endings_zh'])}))")
_BEFORE_DRUG_HAN = re.compile("|".join(_WORDS["before_drug_zh"]))
_LONGEST_NAME_HAN = 4
# A score or trial with a number: letters that are no unit, gene or virus.
_CODE = re.compile(r"[A-Z]{5,}-?\d{1,3}")
# Germs whose last two characters were never seen side by side are names.
_GERM_HAN = frozenset(_WORDS["germs_zh"])
_GERM_WORDS_HAN = tuple(_WORDS["germ_words_zh"])
# Characters after which an ending is none but the inside of another word (a colony, a strain).
_INSIDE_HAN: dict[str, list[str]] = dict.fromkeys(_GERM_HAN, _WORDS["after_germ_zh"])
_CLASS_PREFIX_HAN = tuple(_WORDS["class_prefixes_zh"])
_VERBS_HAN = frozenset(_WORDS["verbs_zh"])
_CLASS_HAN = frozenset(_WORDS["class_words_zh"])
# Share of the character pairs of a Chinese name that the corpus has never seen side by side.
_LOST = 0.6
_CUES = frozenset(_WORDS["cues_en"])
_DOSE = _PATTERNS.regex("strange_dose")
# Endings that make an adjective of another word; the stemmer takes them off.
DERIVED = frozenset({"ic", "al", "ical", "ous", "ian", "oid", "ine"})
# What makes a Chinese modifier of a disease ("crystal-like asthma").
_MODIFIER_HAN = tuple(_WORDS["modifier_endings_zh"])
# A Chinese drug name of which so many characters at its end stand nowhere is not one of ours.
_OWN_HAN = 3
_SUFFIXES = (("'s", ""), ("ies", "y"), ("s", ""), ("es", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("ly", ""), ("er", ""),
             ("er", "e"), ("ness", ""), ("d", ""), ("est", ""), ("est", "e"), ("ish", ""), ("ist", ""),
             ("able", ""), ("al", ""))  # fmt: skip
_PREFIXES = ("un", "re", "pre", "post", "non")
# How an adjective differs from the noun that a text may hold instead (`cirrhotic`, `epileptic`).
_ADJECTIVES = (("otic", "osis"), ("itic", "itis"), ("eptic", "epsy"), ("emic", "emia"), ("aemic", "aemia"))


@dataclass(frozen=True)
class Strange:
    """One unknown word with its signs, in the order of `SIGNS`."""

    text: str
    signs: tuple[float, ...]


@lru_cache(maxsize=1)
def general_words() -> frozenset[str]:
    """Words common in general English: the whole words of MiniLM's vocabulary."""
    try:
        vocabulary = (minilm_folder() / "vocab.txt").read_text(encoding="utf-8").split()
    except Unavailable:
        return frozenset()
    return frozenset(word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 2)


@lru_cache(maxsize=65536)
def is_general(word: str) -> bool:
    """Whether a lower-case word, what it is derived from, or both words it is made of are common in general English."""
    known = general_words()
    if any(word[:i] in known and word[i:] in known for i in range(3, len(word) - 2)):
        return True
    if word in known or stem(word) in known or stem(word) + "e" in known:
        return True
    bases = _bases(word)
    bases |= {b for base in bases if len(base) > 6 for b in _bases(base)}
    bases |= {b.removeprefix(start) for start in _PREFIXES for b in (word, *bases) if b.startswith(start) and len(b) > len(start) + 3}
    return any(len(b) > 2 and (b in known or stem(b) in known or stem(b) + "e" in known) for b in bases)


def _bases(word: str) -> set[str]:
    """What a word may be derived from."""
    bases = {word.removesuffix(end) + new for end, new in _SUFFIXES if word.endswith(end)}
    return bases | {b[:-1] for b in bases if len(b) > 3 and b[-1:] == b[-2:-1]}


def _noun_of(word: str) -> str:
    """The noun of a medical adjective, or the word itself."""
    return next((word.removesuffix(end) + noun for end, noun in _ADJECTIVES if word.endswith(end)), word)


def is_strange(word: Word, vocabulary: frozenset[str]) -> bool:
    """Whether an English word is one that nobody here knows: no part of it is a number, a short piece or general English."""
    lower = word.text.lower()
    if _CODE.fullmatch(word.text) and not {lower, lower.split("-")[0]} & (drug_names() | concept_names()):
        return stem(lower.split("-")[0]) not in vocabulary
    if lower in STOPWORDS or not word.text.isascii() or any(c.isdigit() for c in lower) or lower in drug_names() | concept_names():
        return False
    if word.text.isupper():
        return len(word.text) >= 3 and not set(word.stems) <= vocabulary
    if word.text[-1:] == "s" and word.text[:-1].isupper():
        return False
    parts = [p for p in re.split(r"[-/+.']", lower) if len(p) > 3]
    lost = [p for p in parts if not {stem(p), stem(_noun_of(p))} & vocabulary and p not in STOPWORDS and not is_general(p)]
    lost = [p for p in lost if stem(p) not in table_words()]
    return bool(lost) or any(is_derived(p, None) for p in parts)


def is_derived(word: str, written: Callable[[str], bool] | None) -> bool:
    """Whether a word is an adjective that nobody writes, of a word that the corpus holds by chance (`zephyric`, Zephyr valve)."""
    base = stem(word)
    if word.removeprefix(base) not in DERIVED or not base.isalpha() or stem(_noun_of(word)) != base:
        return False
    if is_general(word) or is_general(base) or {word, base} & (concept_words() | table_words()):
        return False
    return written is None or not written(word)


def signs_of(word: str, start: int, end: int, text: str, entity_ends: Sequence[int], entities: int, known: int, others: int) -> Strange:
    """The signs of the unknown word at `text[start:end]`.

    Args:
        word: The word.
        start: Where it begins.
        end: Where it ends.
        text: The question.
        entity_ends: Where the diseases, drugs, tests, ... that the lexicon knows end.
        entities: How many of them there are.
        known: How many other words of the question the corpus knows.
        others: How many other unknown words there are.
    """
    before = re.findall(r"[a-z]+|[\u3400-\u9fff]", text[:start].lower())
    after = re.findall(r"[a-z]+", text[end : end + 40].lower())
    chinese = bool(HAN.search(word))
    head = any(stem(w) in _HEADS for w in after[:2]) or bool(_HEAD_HAN.match(text[end:].lstrip())) or bool(_HEAD_HAN.search(word[-3:]))
    values = {
        "before_guideline": any(stem(w) in _GUIDELINE for w in after[:2])
        or bool(_GUIDELINE_HAN.match(text[end:]) or word.endswith(_PATTERNS.words("guideline_endings"))),
        "capitals_before_head": head and _capitals(word),
        "name_before_head": head and word[:1].isupper() and not _capitals(word),
        "capitals": _capitals(word),
        "drug_ending": bool(DRUG_ENDING.match(word.lower()) or DRUG_ENDING_HAN.search(word)),
        "disease_ending": bool(_DISEASE_ENDING.search(word.lower())),
        "heads_a_name": head,
        "after_cue": bool(set(before[-2:]) & _CUES),
        "dose_asked": bool(_DOSE.search(text)),
        "first": not [w for w in before if w not in STOPWORDS],
        "short": len(word) <= (3 if chinese else 5),
        "entities": min(entities, 3) / 3,
        "known_words": min(known, 8) / 8,
        "others": min(others, 3) / 3,
        "chinese": chinese,
        "after_entity": any(0 <= start - e <= 2 for e in entity_ends),
    }
    return Strange(word, tuple(float(values[name]) for name in SIGNS))


def _capitals(word: str) -> bool:
    return word.isupper() and word.isascii()


@dataclass(frozen=True)
class SubjectModel:
    """Weights of the signs, the intercept, and the probability from which an unknown word is taken for the subject."""

    weights: tuple[float, ...]
    bias: float
    threshold: float

    @classmethod
    def load(cls, path: Path = MODEL) -> "SubjectModel":
        """Read the weights.

        Raises:
            BadInput: the file names other signs than this code computes.
        """
        data = json.loads(path.read_text(encoding="utf-8"))
        if tuple(data["weights"]) != SIGNS:
            raise BadInput(f"{path.name} has signs {list(data['weights'])!r}, expected {list(SIGNS)!r}; run `medmpt eval retrieval --fit`")
        return cls(tuple(map(float, data["weights"].values())), float(data["bias"]), float(data["threshold"]))

    def probability(self, strange: Strange) -> float:
        """That the question is about this word."""
        return 1 / (1 + math.exp(-self.bias - sum(w * s for w, s in zip(self.weights, strange.signs, strict=True))))

    def subjects(self, strange: Sequence[Strange]) -> tuple[str, ...]:
        """The unknown words that the question is about."""
        return tuple(s.text for s in strange if self.probability(s) > self.threshold)


@lru_cache(maxsize=1)
def subject_model() -> SubjectModel:
    """The fitted model."""
    return SubjectModel.load()


@lru_cache(maxsize=1)
def table_words() -> frozenset[str]:
    """Stems of every English word of the drug tables: a real word that the guidelines do not hold is no name."""
    texts = (path.read_text(encoding="utf-8") for path in _drug_tables("*"))
    return frozenset(stem(w) for text in texts for w in re.findall(r"[a-z]{4,}", normalise(text).lower()))


@lru_cache(maxsize=1)
def concept_names() -> frozenset[str]:
    """Names of the concept table in lower case: a score that no guideline speaks of is no unknown word either."""
    return frozenset(n.lower() for c in vocabulary_of_concepts().concepts.values() for n in c.names)


@lru_cache(maxsize=1)
def concept_words() -> frozenset[str]:
    """Single words and stems of these names."""
    found = {w for name in concept_names() for w in re.findall(r"[a-z]{4,}", name)}
    return frozenset(found | {stem(w) for w in found})


@lru_cache(maxsize=1)
def drug_names() -> frozenset[str]:
    """Names of the drug graph in lower case: a drug that the guidelines do not speak of is no unknown word."""
    cells: list[str] = []
    for path in _drug_tables("drugs"):
        with path.open(encoding="utf-8", newline="") as stream:
            cells += [f"{r['name']};{r['synonyms']};{r['name_zh']};{r['synonyms_zh']}" for r in csv.DictReader(stream)]
    return frozenset(n.strip().lower() for cell in cells for n in cell.split(";") if n.strip())


def _drug_tables(name: str) -> list[Path]:
    """Drug tables of the house and of the packs in use."""
    return [path for place in (DATA / "drugs", *packs.parts("drugs")) for path in sorted(place.glob(f"{name}.csv"))]


def drug_spans_han(text: str) -> list[tuple[int, int]]:
    """Where Chinese names of the drug graph stand in `text`."""
    runs = [(m.start(), m.group()) for m in HAN.finditer(text)]
    names = drug_names()
    return [
        (at + i, at + i + size)
        for at, run in runs
        for i in range(len(run))
        for size in range(min(8, len(run) - i), 2, -1)
        if run[i : i + size] in names
    ]


def strangers(
    text: str,
    unknown: Sequence[Word],
    spans: Sequence[tuple[str, int, int]],
    lexicon: Lexicon,
    vocabulary: frozenset[str],
    unknown_han: Sequence[str] = (),
    written: Callable[[str], bool] | None = None,
) -> list[Strange]:
    """The unknown words of a question that look like names, with their signs.

    Args:
        text: The question, normalised.
        unknown: English words that corpus and lexicon do not know.
        spans: Concepts of the lexicon in the question.
        lexicon: The lexicon.
        vocabulary: Of the index.
        unknown_han: Chinese pieces that the corpus does not know.
        written: Whether a Chinese name stands in a text of the index; None where that is not to be asked.
    """
    here = [(w.text, w.start, w.start + len(w.text)) for w in unknown if is_strange(w, vocabulary) or _proper(w, text, vocabulary)]
    known_han = [(start, end) for _, start, end in spans]
    here += _names_han(text, known_han, vocabulary)
    more = [*(_drugs_han(text, known_han, written) if written else ()), *_modifiers_han(text, unknown_han, spans, lexicon)]
    for name in more:
        here += [name] if not any(a < name[2] and name[1] < b for _, a, b in here) else []
    entities = [(start, end) for name, start, end in spans if lexicon.concepts[name].kind in NAMED_KINDS]
    known = sum(w.text.lower() not in STOPWORDS for w in words(text)) - len(unknown)
    ends = [end for _, end in entities]
    return [signs_of(word, start, end, text, ends, len(entities), known, len(here) - 1) for word, start, end in here]


def _proper(word: Word, text: str, vocabulary: frozenset[str]) -> bool:
    """Whether a word of general English that the corpus does not hold is written as a name before a head ("Meridian lung disease")."""
    end = word.start + len(word.text)
    after = re.findall(r"[a-z]+", text[end : end + 40].lower())
    inside = word.start > 0 and not text[: word.start].rstrip().endswith((".", "?", "!", ":"))
    title = word.text.istitle() and word.text[0].isalpha() and inside and not set(word.stems) & vocabulary
    return title and any(stem(w) in _HEADS for w in after[:2])


def _modifiers_han(
    text: str, unknown: Sequence[str], spans: Sequence[tuple[str, int, int]], lexicon: Lexicon
) -> list[tuple[str, int, int]]:
    """Unknown Chinese pieces that make a name with what they touch: a modifier before a disease, a new member of a class of drugs."""
    diseases = {start: end for name, start, end in spans if lexicon.concepts[name].kind == "disease"}
    found = []
    for piece in unknown:
        start = text.find(piece)
        end = start + len(piece)
        if start >= 0 and end in diseases and piece.endswith(_MODIFIER_HAN):
            found.append((text[start : diseases[end]], start, diseases[end]))
        elif start >= 0 and piece.startswith(_CLASS_PREFIX_HAN) and len(piece) > _OWN_HAN:
            found.append((piece, start, end))
    return found


def _names_han(text: str, spans: Sequence[tuple[int, int]], vocabulary: frozenset[str]) -> list[tuple[str, int, int]]:
    """Unknown Chinese names: an ending of a drug, a disease, a guideline or a score behind characters never seen together in the corpus."""
    taken = {i for start, end in [*spans, *drug_spans_han(text)] for i in range(start, end)}
    found = []
    for match in _NAME_END_HAN.finditer(text):
        start, end = match.span()
        if start - 1 in taken or text[end : end + 1] in _INSIDE_HAN.get(match.group(), ()):
            continue
        first = start
        while first > 0 and start - first < _LONGEST_NAME_HAN and HAN.match(text[first - 1]) and first - 1 not in taken:
            if GLUE_HAN.match(text[first - 1]) or any(text[:first].endswith(stop) for stop in STOP_HAN):
                break
            first -= 1
        while first < start and text[first] in _VERBS_HAN:
            first += 1
        pairs = [text[i : i + 2] for i in range(first, start)]
        lost = sum(pair not in vocabulary for pair in pairs)
        # What ends like a drug and is none of the graph's is a name as soon as anything of it is new.
        drug = DRUG_ENDING_HAN.search(match.group()) and match.group() not in _CLASS_HAN
        # One character before an ending is a word of the sentence (found *pneumonia*), not a name.
        common = text[:end].endswith(_GERM_WORDS_HAN)
        germ = match.group() in _GERM_HAN and pairs and not common and (pairs[-1] not in vocabulary or len(pairs) > 2)
        if len(pairs) > 1 and lost >= (1 if drug or germ else max(1.0, _LOST * len(pairs))):
            found.append((text[first:end], first, end))
    return found


def _drugs_han(text: str, spans: Sequence[tuple[int, int]], written: Callable[[str], bool]) -> list[tuple[str, int, int]]:
    """Chinese names that end like a drug and stand in no table and no text, though each pair of their characters does."""
    taken = {i for start, end in [*spans, *drug_spans_han(text)] for i in range(start, end)}
    found = []
    for match in _DRUG_END_HAN.finditer(text):
        start, end = match.start(), match.end(1)
        first = start
        while first > 0 and start - first < _LONGEST_NAME_HAN and HAN.match(text[first - 1]) and first - 1 not in taken:
            first -= 1
        first = max((i + 1 for i in range(first, start) if text[i] in _VERBS_HAN), default=first)
        name = text[first:end]
        inside = not taken.isdisjoint(range(first, end)) or _BEFORE_DRUG_HAN.search(name) or match.group(1) in _CLASS_HAN
        ends = [name[i:] for i in range(len(name) - _OWN_HAN + 1)]
        if not inside and len(name) > _OWN_HAN and not any(part in drug_names() or _misspelt_han(part) or written(part) for part in ends):
            found.append((name, first, end))
    return found


def _misspelt_han(name: str) -> bool:
    """Whether a Chinese name is a known drug's with one character wrong."""
    return len(name) > _OWN_HAN and any(
        len(known) == len(name) and known[-1] == name[-1] and sum(a != b for a, b in zip(name, known, strict=True)) == 1
        for known in drug_names()
    )
