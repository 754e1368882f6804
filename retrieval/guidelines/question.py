"""A question as the index understands it: language, tokens, concepts, English rendering, named editions, and words nobody here knows."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from retrieval.concepts.lexicon import GLUE_HAN, STOP_HAN, STOPWORDS, Lexicon, bigrams, han_runs, language_of, normalise, stem, words
from retrieval.errors import Unavailable
from retrieval.guidelines.passages import Guideline
from retrieval.index.embed import minilm_folder
from retrieval.index.lexical import text_tokens

# Kinds of concepts that say what a question is about; the others say what it asks about it.
ENTITY_KINDS = frozenset({"disease", "drug", "test", "organism", "score", "anatomy", "issuer"})
_YEAR = re.compile(r"(?<![\d.])((?:19|20)\d\d)(?![\d.])(?! ?(?:mg|ml|ug|iu|m\b|毫))", re.I)
# International non-proprietary name stems (WHO, "The use of stems in the selection of INN", 2018) and their Chinese counterparts.
_DRUG_STEM = re.compile(
    r"^[a-z]{3,}(?:floxacin|mycin|micin|cillin|cycline|penem|oxacin|sulfa|azole|conazole|fungin|vir|mab|nib|tinib|cept|sartan|pril|statin|terol|tropium|asone|"
    r"olone|onide|xaban|gatran|parin|plase|lukast|milast|fenidone|sentan|prost|ciguat|quine|zolid|tadine|setron|prazole|gliptin|gliflozin|platin|taxel|rubicin)$"
)
_DRUG_HAN = re.compile(
    "(?:沙星|霉素|西林|环素|培南|康唑|芬净|韦|单抗|替尼|沙坦|普利|他汀|特罗|溴铵|奈德|松龙|沙班|肝素|司特|生坦|前列素|唑胺|拉唑|列汀|列净|铂|紫杉|头孢)$"
)
# Words beside which an unknown name is the subject of the question, not small talk.
_CUE = frozenset(
    [
        "drug",
        "dose",
        "dosing",
        "dosage",
        "guideline",
        "score",
        "criteria",
        "syndrome",
        "disease",
        "trial",
        "scale",
        "index",
        "rule",
        "classification",
        "regimen",
        "protocol",
        "test",
        "therapy",
        "treatment",
    ]
)


@dataclass(frozen=True)
class Question:
    """What the index knows about a question.

    Attributes:
        text: As asked, normalised.
        language: Of the question.
        rendered: English for the dense ranker.
        tokens: For the lexical ranker.
        concepts: Lexicon concepts, in order, once each.
        entities: Those that say what it is about.
        plain: Stems and Chinese pieces outside all concepts, with weight in the coverage.
        unknown: Words that neither corpus nor lexicon knows.
        names: Those of `unknown` that are the subject (a drug name, an acronym, a term beside "guideline", "dose", ...).
        corrected: Misspelt word and what it was read as.
        issuers: Issuers named.
        year: Year of an edition named.
    """

    text: str
    language: Literal["en", "zh"]
    rendered: str
    tokens: tuple[str, ...]
    concepts: tuple[str, ...]
    entities: tuple[str, ...]
    plain: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()
    issuers: tuple[str, ...] = ()
    year: int | None = None


def issuer_names(guidelines: Collection[Guideline]) -> dict[str, set[str]]:
    """Short names of issuers (`ATS`, `GOLD`) to the ids of their guidelines."""
    names: dict[str, set[str]] = {}
    for guideline in guidelines:
        for name in re.findall(r"[A-Z][A-Za-z]*[A-Z]{1,}[A-Za-z]*|[A-Z][a-z]{8,}", guideline.issuer):
            names.setdefault(name, set()).add(guideline.id)
    return names


@lru_cache(maxsize=1)
def general_words() -> frozenset[str]:
    """Words common in general English: the whole words of MiniLM's vocabulary."""
    try:
        vocabulary = (minilm_folder() / "vocab.txt").read_text(encoding="utf-8").split()
    except Unavailable:
        return frozenset()
    return frozenset(word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 2)


def _is_general(word: str) -> bool:
    """Whether a lower-case word or its stem is common in general English."""
    return not general_words().isdisjoint({word, stem(word), word.removesuffix("s"), stem(word) + "e"})


def understand(raw: str, lexicon: Lexicon, vocabulary: frozenset[str], issuers: dict[str, set[str]]) -> Question:
    """Analyse `raw` against the lexicon and the vocabulary of the index."""
    text = " ".join(normalise(raw).split())
    text, corrected = _correct(text, lexicon, vocabulary)
    spans = lexicon.find(text, question=True)
    concepts = tuple(dict.fromkeys(name for name, _, _ in spans))
    language = language_of(text)
    named = tuple(name for name in issuers if re.search(rf"(?<![A-Za-z]){re.escape(name)}(?![a-z])", text))
    outside = [w for w in words(text) if not any(start <= w.start < end for _, start, end in spans) and w.text not in named]
    plain_en = [s for w in outside for s in w.stems if s not in STOPWORDS and (len(s) > 1 or s.isdigit()) and not _YEAR.fullmatch(s)]
    unknown_en = [w.text for w in outside if _is_unknown(w.text, w.stems, vocabulary)]
    plain_zh, unknown_zh = _left_over_han(text, [(start, end) for _, start, end in spans], vocabulary)
    year = _YEAR.search(text)
    return Question(
        text=text,
        language=language,
        rendered=lexicon.render(text, spans) if language == "zh" else _expand(text, concepts, lexicon),
        tokens=tuple(text_tokens(text, lexicon, question=True)),
        concepts=concepts,
        entities=tuple(name for name in concepts if lexicon.concepts[name].kind in ENTITY_KINDS),
        plain=tuple(dict.fromkeys([*plain_en, *plain_zh])),
        unknown=(*unknown_en, *unknown_zh),
        names=(*(w for w in unknown_en if _is_name(w, text)), *(w for w in unknown_zh if _DRUG_HAN.search(w))),
        corrected=corrected,
        issuers=named,
        year=int(year.group(1)) if year else None,
    )


def _expand(text: str, concepts: tuple[str, ...], lexicon: Lexicon) -> str:
    """The question with the full names of its abbreviations, which the embedder may not know."""
    lower = text.lower()
    full = [name for name in (lexicon.concepts[c].id for c in concepts) if name not in lower]
    return f"{text} ({', '.join(full)})" if full else text


def _is_unknown(word: str, stems: tuple[str, ...], vocabulary: frozenset[str]) -> bool:
    if word.lower() in STOPWORDS or not any(char.isalpha() for char in word):
        return False
    if word.isupper() and len(word) >= 2:
        return not set(stems) <= vocabulary
    return any(len(s) > 3 and s.isalpha() and s not in vocabulary for s in stems)


def _is_name(word: str, text: str) -> bool:
    """Whether an unknown word is what the question is about: no general English word, and it looks or stands like a name."""
    if word.isupper() and len(word) >= 3:
        return True
    if _DRUG_STEM.match(word.lower()):
        return True
    if _is_general(word.lower()):
        return False
    around = {s for w in words(text) for s in w.stems}
    return bool(around & _CUE) or bool(han_runs(text))


def _left_over_han(text: str, spans: list[tuple[int, int]], vocabulary: frozenset[str]) -> tuple[list[str], list[str]]:
    """Chinese bigrams outside all concepts, and the pieces that the corpus does not know; a drug stem stays joined to what is before it."""
    spans = [(start, end) for start, end in spans if not _DRUG_HAN.fullmatch(text[start:end])]
    rest = "".join(" " if any(start <= i < end for start, end in spans) else char for i, char in enumerate(text))
    plain: list[str] = []
    unknown: list[str] = []
    for run in han_runs(rest):
        for stop in STOP_HAN:
            run = run.replace(stop, " ")
        for piece in GLUE_HAN.sub(" ", run).split():
            pairs = list(bigrams(piece))
            plain.extend(pair for pair in pairs if pair in vocabulary)
            known = sum(pair in vocabulary for pair in pairs)
            lost = len(pairs) - known
            if len(piece) >= 2 and (lost >= 0.6 * len(pairs) or (lost and _DRUG_HAN.search(piece))):
                unknown.append(piece)
    return plain, unknown


def _correct(text: str, lexicon: Lexicon, vocabulary: frozenset[str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Replace words of seven letters and more that are one edit away from exactly one known word."""
    changes: list[tuple[str, str]] = []
    for word in list(words(text)):
        lower = word.text.lower()
        if len(lower) < 7 or not lower.isascii() or not lower.isalpha() or word.text.isupper():
            continue
        if stem(lower) in vocabulary or stem(lower) in lexicon.stems or _is_general(lower):
            continue
        near = {
            known
            for known in vocabulary | lexicon.stems
            if abs(len(known) - len(stem(lower))) <= 1 and known[:2] == lower[:2] and _one_edit(stem(lower), known)
        }
        if len(near) == 1:
            changes.append((word.text, near.pop()))
    for wrong, right in changes:
        text = text.replace(wrong, right)
    return text, tuple(changes)


def _one_edit(a: str, b: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours turns `a` into `b`."""
    if not a.isalpha() or not b.isalpha():
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[start:], b[start:]
    if len(a) == len(b):
        return rest_a[1:] == rest_b[1:] or (rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:])
    return rest_a[1:] == rest_b if len(a) > len(b) else rest_a == rest_b[1:]
