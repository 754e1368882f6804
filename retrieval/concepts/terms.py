"""What a message or a sentence mentions: the concept table (`retrieval.concepts.table`) read as terms.

A concept that is narrower than a reader needs is read under its `group`; a state such as hyperkalaemia is a term of its own, and says what
it is a state of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from retrieval.concepts.table import Concept, vocabulary
from retrieval.messages.catalogue import Language

DRUG_KINDS = frozenset({"drug", "drug_class"})


@dataclass(frozen=True)
class Term:
    """One concept with its names; the first of each language is the name to show.

    Attributes:
        id: Its own.
        kind: What sort of thing it is; a state has the kind of what it is a state of.
        en: English names.
        zh: Chinese names.
        about: What a state is a state of, what a score measures.
        opposite: Its antonym.
        detected_as: What detectors of a CT call it.
    """

    id: str
    kind: str
    en: tuple[str, ...]
    zh: tuple[str, ...]
    about: str = ""
    opposite: str = ""
    detected_as: tuple[str, ...] = ()

    def name(self, language: Language) -> str:
        """Name in `language`; in the other one where it has none."""
        return next(iter(self.zh or self.en)) if language == "zh" else next(iter(self.en or self.zh))

    @property
    def measured(self) -> str:
        """What is measured: of a state the analyte or vital sign, of anything else itself."""
        return self.about if self.about and self.kind != "score" else self.id


@dataclass(frozen=True)
class Mention:
    """One occurrence of a term; `start:end` are offsets in the text."""

    term: Term
    start: int
    end: int


@lru_cache(maxsize=1)
def terms() -> dict[str, Term]:
    """All terms by id, each with the names of the narrower concepts that are read under it."""
    table = vocabulary().concepts
    below: dict[str, list[Concept]] = {}
    for concept in table.values():
        if concept.read_as is not None:
            below.setdefault(concept.read_as, []).append(concept)
    return {ident: _term(table, ident, parts) for ident, parts in below.items()}


def _term(table: Mapping[str, Concept], ident: str, parts: list[Concept]) -> Term:
    head = table[ident]
    ordered = [head, *(p for p in parts if p.id != ident)]
    kind = table[head.about].kind if head.kind == "state" else head.kind
    english = tuple(dict.fromkeys(n for p in ordered for n in p.en))
    chinese = tuple(dict.fromkeys(n for p in ordered for n in p.zh))
    return Term(ident, kind, english, chinese, head.about, head.opposite, head.detected_as)


def members() -> Mapping[str, frozenset[str]]:
    """Ids of the drugs of each class or group, as the drug graph has them."""
    return vocabulary().members


@lru_cache(maxsize=512)
def narrower(wide: str) -> frozenset[str]:
    """Ids of everything that is a kind of `wide`, that measures it, or that is a state of it."""
    table = vocabulary()
    kinds = table.narrower(wide)
    drugs = {drug for group in (wide, *kinds) for drug in members().get(group, ())}
    return frozenset({*kinds, *drugs, *(c.id for c in table.concepts.values() if c.about == wide)})


@lru_cache(maxsize=512)
def kin(ident: str) -> frozenset[str]:
    """Ids of the terms that a term is a kind of or that are kinds of it, with itself: what a text about one may say of the other."""
    table = vocabulary()
    above: set[str] = set()
    ahead = [ident]
    while ahead:
        wider = set(table.concepts[ahead.pop()].is_a) - above
        above |= wider
        ahead += wider
    return frozenset({ident, *(i for i in above | table.narrower(ident) if table.concepts[i].read_as == i)})


@lru_cache(maxsize=8192)
def mentions(text: str) -> tuple[Mention, ...]:
    """Terms that `text` mentions, in order, longest match first, without overlaps."""
    table = vocabulary()
    known = terms()

    def read(value: tuple[str, str], written: str, alone: bool) -> bool:
        concept = table.concepts[value[0]]
        return concept.read_as is not None and concept.written(value[1], written, alone)

    out = []
    for found in table.finder.find(text, read):
        written = text[found.start : found.end]
        ident, _ = next((v for v in found.values if v[1].lower() == written.lower()), found.values[0])
        out.append(Mention(known[table.concepts[ident].read_as or ident], found.start, found.end))
    return tuple(out)


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
