"""Bilingual terms: which clinical concepts a text mentions, in English or Chinese.

One table (`data/terms.tsv`: id, kind, English variants, Chinese variants), joined with the names of the drug graph, serves the planner
(routing) and `verify` (does the claim speak of what its evidence speaks of). Matching is longest first; English variants match on word
boundaries, Chinese ones anywhere.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from retrieval import packs
from retrieval.drugs.tables import DATA as DRUG_TABLES
from retrieval.drugs.tables import table_files
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
    """All terms by id: the agent's own table, then drugs and classes of the drug graph that it does not name."""
    table: dict[str, Term] = {}
    own = files("agent").joinpath("data/terms.tsv").read_text(encoding="utf-8").splitlines()
    for line in (*own, *(row for path in packs.parts("terms.tsv") for row in path.read_text(encoding="utf-8").splitlines())):
        if line.startswith("#") or not line.strip():
            continue
        ident, kind, en, zh = line.split("\t")
        table[ident] = Term(ident, kind, tuple(en.split("|")), tuple(zh.split("|")))
    named = {n.lower(): i for i, t in table.items() for n in (*t.en, *t.zh)}
    for name, kind in (("drugs", "drug"), ("classes", "drug_class")):
        for row in _graph_rows(name):
            _add_graph_term(table, named, row, kind)
    return table


def _graph_rows(name: str) -> list[dict[str, str]]:
    texts = (path.read_text(encoding="utf-8") for path in table_files(DRUG_TABLES, name))
    return [row for text in texts for row in csv.DictReader(io.StringIO(text))]


def _add_graph_term(table: dict[str, Term], named: dict[str, str], row: dict[str, str], kind: str) -> None:
    en = [n.strip() for n in (row["name"], *(row.get("synonyms") or "").split(";")) if n.strip()]
    zh = [n.strip() for n in (row["name_zh"], *(row.get("synonyms_zh") or "").split(";")) if n.strip()]
    known = next((named[n.lower()] for n in (*en, *zh) if n.lower() in named), None)
    ident = known or row["id"]
    old = table.get(ident)
    if old is not None and old.kind != kind:
        return
    new = [n for n in (*en, *zh) if n.lower() not in named]
    table[ident] = Term(
        ident,
        kind,
        (*(old.en if old else ()), *(n for n in new if n.isascii())),
        (*(old.zh if old else ()), *(n for n in new if not n.isascii())),
    )
    named.update({n.lower(): ident for n in new})


@lru_cache(maxsize=1)
def members() -> dict[str, frozenset[str]]:
    """Ids of the drugs of each class or group, as the drug graph has them."""
    named = {n.lower(): i for i, t in terms().items() for n in (*t.en, *t.zh)}
    classes = {row["id"]: named.get(row["name"].lower(), row["id"]) for row in _graph_rows("classes")}
    found: dict[str, set[str]] = {}
    for row in _graph_rows("drugs"):
        drug = named.get(row["name"].lower(), row["id"])
        for group in (row["drug_class"], *row["groups"].split(";")):
            if group.strip():
                found.setdefault(classes.get(group.strip(), group.strip()), set()).add(drug)
    return {group: frozenset(drugs) for group, drugs in found.items()}


@lru_cache(maxsize=1)
def _names() -> dict[str, list[tuple[str, Term]]]:
    """Names by their first two characters, longest first."""
    table: dict[str, dict[str, Term]] = {}
    for term in terms().values():
        for name in (*term.en, *term.zh):
            table.setdefault(name.lower()[:2], {}).setdefault(name.lower(), term)
    return {start: sorted(names.items(), key=lambda pair: -len(pair[0])) for start, names in table.items()}


def mentions(text: str) -> tuple[Mention, ...]:
    """Terms that `text` mentions, in order, longest match first, without overlaps."""
    names, plain = _names(), text.lower()
    if len(plain) != len(text):
        plain = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    found: list[Mention] = []
    at = 0
    while at < len(plain):
        hit = next(_at(plain, at, names.get(plain[at : at + 2], [])), None)
        if hit is not None:
            found.append(hit)
        at = hit.end if hit is not None else at + 1
    return tuple(found)


def _at(plain: str, start: int, names: list[tuple[str, Term]]) -> Iterator[Mention]:
    for name, term in names:
        end = start + len(name)
        if not plain.startswith(name, start):
            continue
        if name.isascii() and len(name) > 4 and plain[end : end + 1] == "s":
            end += 1  # a plural
        if not (name.isascii() and (_wordy(plain, start - 1) or _wordy(plain, end))):
            yield Mention(term, start, end)


def _wordy(plain: str, at: int) -> bool:
    """Whether an ASCII letter or digit stands there: then an English name does not end or begin."""
    return 0 <= at < len(plain) and plain[at].isascii() and plain[at].isalnum()


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
