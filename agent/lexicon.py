"""Bilingual terms: which clinical concepts a text mentions, in English or Chinese.

One table (`data/terms.tsv`: id, kind, English variants, Chinese variants) serves the planner (routing) and `verify` (does the claim speak
of what its evidence speaks of). Matching is longest first; English variants match on word boundaries, Chinese ones anywhere.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from tools.evidence import Language

DRUG_KINDS = frozenset({"drug", "drug_class"})
RESPIRATORY_KINDS = frozenset(
    {"disease", "finding", "score", "respiratory", "drug", "drug_class", "action", "analyte", "vital", "symptom", "organism"}
)


@dataclass(frozen=True)
class Term:
    """One concept with its names; the first of each language is the name to show."""

    id: str
    kind: str
    en: tuple[str, ...]
    zh: tuple[str, ...]

    def name(self, language: Language) -> str:
        """Name in `language`."""
        return self.zh[0] if language == "zh" else self.en[0]


@dataclass(frozen=True)
class Mention:
    """One occurrence of a term; `start:end` are offsets in the text."""

    term: Term
    start: int
    end: int


@lru_cache(maxsize=1)
def terms() -> dict[str, Term]:
    """All terms by id."""
    table: dict[str, Term] = {}
    for line in files("agent").joinpath("data/terms.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        ident, kind, en, zh = line.split("\t")
        table[ident] = Term(ident, kind, tuple(en.split("|")), tuple(zh.split("|")))
    return table


@lru_cache(maxsize=1)
def _matcher() -> tuple[re.Pattern[str], dict[str, Term]]:
    by_name: dict[str, Term] = {}
    for term in terms().values():
        for name in (*term.en, *term.zh):
            by_name.setdefault(name.lower(), term)
    ordered = sorted(by_name, key=len, reverse=True)
    # A plural or possessive ending belongs to the word; digits and letters on either side do not.
    parts = [rf"(?<![a-z0-9]){re.escape(n)}(?![a-z0-9])" if n.isascii() else re.escape(n) for n in ordered]
    return re.compile("|".join(parts), re.IGNORECASE), by_name


def mentions(text: str) -> tuple[Mention, ...]:
    """Terms that `text` mentions, in order, longest match first, without overlaps."""
    pattern, by_name = _matcher()
    found = []
    for match in pattern.finditer(text):
        term = by_name.get(match.group(0).lower())
        if term is not None:
            found.append(Mention(term, match.start(), match.end()))
    return tuple(found)


def concepts(text: str, *kinds: str) -> tuple[Term, ...]:
    """Distinct terms that `text` mentions in order of appearance; only of `kinds` where given."""
    seen: dict[str, Term] = {}
    for mention in mentions(text):
        if not kinds or mention.term.kind in kinds:
            seen.setdefault(mention.term.id, mention.term)
    return tuple(seen.values())


def ids(text: str, *kinds: str) -> frozenset[str]:
    """Ids of the terms that `text` mentions."""
    return frozenset(t.id for t in concepts(text, *kinds))


def language_of(text: str) -> Language:
    """Chinese as soon as a CJK character occurs, else English."""
    return "zh" if re.search(r"[\u4e00-\u9fff]", text) else "en"
