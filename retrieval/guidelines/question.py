"""A question as the index understands it: language, tokens, concepts, English rendering, named editions, and words nobody here knows."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from retrieval.concepts.lexicon import GLUE_HAN, STOP_HAN, STOPWORDS, Lexicon, Word, bigrams, han_runs, language_of, normalise, stem, words
from retrieval.concepts.shorthand import written_out
from retrieval.concepts.speller import one_slip
from retrieval.guidelines.asks import with_full_names
from retrieval.guidelines.countries import countries_in
from retrieval.guidelines.passages import Guideline
from retrieval.guidelines.sizes import size_of
from retrieval.guidelines.strange import (
    DERIVED,
    DRUG_ENDING_HAN,
    Strange,
    concept_names,
    concept_words,
    drug_spans_han,
    general_words,
    is_derived,
    is_general,
    strangers,
    subject_model,
)
from retrieval.index.lexical import text_tokens
from retrieval.messages.patterns import patterns

_WORDS = patterns("retrieval.guidelines")

# Kinds of concepts that say what a question is about; the others say what it asks about it.
ENTITY_KINDS = frozenset({"disease", "drug", "test", "organism", "score", "anatomy", "issuer"})
_YEAR = _WORDS.regex("question_year")
_NODULE = "nodule"
_ASKS = _WORDS.regex("size_asks")


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
        strange: Those of `unknown` that general English and the drug graph do not know either.
        names: Those of `strange` that the question is about.
        corrected: Misspelt word and what it was read as.
        issuers: Issuers named.
        countries: Countries named, when no issuer is.
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
    strange: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()
    issuers: tuple[str, ...] = ()
    year: int | None = None
    countries: frozenset[str] = frozenset()

    @property
    def units(self) -> int:
        """How many concepts and other words it has."""
        return len({*self.concepts, *self.plain})


def issuer_names(guidelines: Collection[Guideline]) -> dict[str, set[str]]:
    """Short names of issuers (`ATS`, `GOLD`) to the ids of their guidelines.

    A word of an issuer's name that means something by itself (`ARDS` of the ARDS Network, `Treatment`) is no short name.
    """
    names: dict[str, set[str]] = {}
    whole = {g.issuer for g in guidelines}
    alone = {part for g in guidelines for part in re.split(r"[/,;]\s*| and ", g.issuer)}
    for guideline in guidelines:
        for name in re.findall(r"[A-Z][A-Za-z]*[A-Z]{1,}[A-Za-z]*|[A-Z][a-z]{8,}", guideline.issuer):
            if name in whole or not (
                name.lower() in concept_names() or countries_in(name) or (name not in alone and is_general(name.lower()))
            ):
                names.setdefault(name, set()).add(guideline.id)
    return names


def understand(
    raw: str,
    lexicon: Lexicon,
    vocabulary: frozenset[str],
    issuers: dict[str, set[str]],
    written: Callable[[str], bool] | None = None,
) -> Question:
    """Analyse `raw` against the lexicon and the vocabulary of the index; `written` tells whether a Chinese name stands in its texts."""
    text = " ".join(normalise(raw).split())
    text, corrected = _correct(text, lexicon, vocabulary)
    language = language_of(text)
    spans = lexicon.find(text, question=True)
    if _only_sized(text, {name for name, _, _ in spans}, lexicon):
        text = f"{text} {_WORDS.text('size_task_zh' if language == 'zh' else 'size_task')}"
        spans = lexicon.find(text, question=True)
    concepts = tuple(dict.fromkeys(name for name, _, _ in spans))
    named = tuple(name for name in issuers if re.search(rf"(?<![A-Za-z]){re.escape(name)}(?![a-z])", text))
    outside = _outside(text, spans, named)
    plain_en = [s for w in outside for s in w.stems if s not in STOPWORDS and (len(s) > 1 or s.isdigit()) and not _YEAR.fullmatch(s)]
    unknown_en = [w.text for w in outside if _is_unknown(w.text, w.stems, vocabulary) or (written and is_derived(w.text.lower(), written))]
    plain_zh, unknown_zh = _left_over_han(text, [(start, end) for _, start, end in spans], vocabulary)
    strange = strangers(text, [w for w in outside if w.text in unknown_en], spans, lexicon, vocabulary, unknown_zh, written)
    year = _YEAR.search(text)
    return Question(
        text=text,
        language=language,
        rendered=lexicon.render(text, spans) if language == "zh" else with_full_names(text, concepts, lexicon),
        tokens=tuple(text_tokens(text, lexicon, question=True)),
        concepts=concepts,
        entities=tuple(name for name in concepts if lexicon.concepts[name].kind in ENTITY_KINDS),
        plain=tuple(dict.fromkeys([*plain_en, *plain_zh])),
        unknown=(*unknown_en, *unknown_zh),
        strange=tuple(s.text for s in strange),
        names=subject_model().subjects(strange),
        corrected=corrected,
        issuers=named,
        year=int(year.group(1)) if year else None,
        countries=countries_in(text) if not named else frozenset(),
    )


def _only_sized(text: str, named: Collection[str], lexicon: Lexicon) -> bool:
    """Whether a question gives the size of a nodule and says not what it asks: it asks what follows."""
    if size_of(text) is None or _ASKS.search(text) or not any(name.endswith(_NODULE) for name in named):
        return False
    return not any(lexicon.concepts[name].kind in ("action", "question") for name in named)


def _outside(text: str, spans: Sequence[tuple[str, int, int]], named: Collection[str] = ()) -> list[Word]:
    return [w for w in words(text) if not any(start <= w.start < end for _, start, end in spans) and w.text not in named]


def strange_of(raw: str, lexicon: Lexicon, vocabulary: frozenset[str]) -> list[Strange]:
    """The unknown names of a question with their signs, as `understand` sees them (for fitting)."""
    text, _ = _correct(" ".join(normalise(raw).split()), lexicon, vocabulary)
    spans = lexicon.find(text, question=True)
    unknown = [w for w in _outside(text, spans) if _is_unknown(w.text, w.stems, vocabulary)]
    return strangers(text, unknown, spans, lexicon, vocabulary)


def _is_unknown(word: str, stems: tuple[str, ...], vocabulary: frozenset[str]) -> bool:
    if word.lower() in STOPWORDS or not any(char.isalpha() for char in word):
        return False
    if word.isupper() and len(word) >= 2:
        return not set(stems) <= vocabulary
    return any(len(s) > 3 and s.isalpha() and s not in vocabulary for s in stems)


def _left_over_han(text: str, spans: list[tuple[int, int]], vocabulary: frozenset[str]) -> tuple[list[str], list[str]]:
    """Chinese bigrams outside all concepts, and the pieces that the corpus does not know; a drug stem stays joined to what is before it."""
    spans = [*spans, *drug_spans_han(text)]
    spans = [(start, end) for start, end in spans if not DRUG_ENDING_HAN.fullmatch(text[start:end])]
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
            if len(piece) >= 2 and (lost >= 0.6 * len(pairs) or (lost and DRUG_ENDING_HAN.search(piece))):
                unknown.append(piece)
    return plain, unknown


def _correct(text: str, lexicon: Lexicon, vocabulary: frozenset[str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Write out short forms, and replace words of seven letters and more that are one edit away from exactly one known word."""
    text, short = written_out(text)
    changes: list[tuple[str, str]] = []
    for word in list(words(text)):
        lower = word.text.lower()
        if len(lower) < 7 or not lower.isascii() or not lower.isalpha() or word.text.isupper():
            continue
        if stem(lower) in vocabulary or stem(lower) in lexicon.stems or is_general(lower):
            continue
        right = one_slip(stem(lower), vocabulary | lexicon.stems)
        if right is not None and _same_form(lower, right):
            changes.append((word.text, right))
    for wrong, right in changes:
        text = text.replace(wrong, right)
    return text, (*short, *changes)


def _same_form(word: str, right: str) -> bool:
    """Whether a stem that is read for a misspelt word takes that word's ending: `marrow` has no `-ic`, so that `marlowic` is a name."""
    ending = word.removeprefix(stem(word))
    return ending not in DERIVED or right + ending in general_words() | concept_words()
