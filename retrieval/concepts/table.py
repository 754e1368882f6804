"""The one table of concepts: what there is, how it is called in two languages, what it is a kind of, what its opposite is.

`data/concepts/concepts.tsv` holds what no other table names, `cues.tsv` the words that only widen a search (never names); drugs and classes
come from the drug tables and laboratory analytes from `data/concepts/analytes.tsv`, joined by id, and the packs in use add rows of the same
form (one of the same id takes the place of that of the house). A concept is *filed* under a topic of the search index (`topic`, see
`topics.tsv`) and read by the agent under `group`, where that is wider than itself.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast, get_args

from retrieval import packs
from retrieval.concepts.finder import Finder, key_of
from retrieval.concepts.words import DATA, HAN, STEMS
from retrieval.errors import BadInput

Polarity = Literal["", "low", "high"]
COLUMNS = ("id", "kind", "en", "zh", "group", "topic", "is_a", "about", "polarity", "opposite", "detected_as", "same", "exact")
FOLDER = DATA / "concepts"
# What is known to the search index only: words that bring a topic up, which the reader of messages does not take for a subject.
UNREAD = "-"
# Shorter words count only as written.
_INFLECTED = 6
# Kinds whose single words are proper names, or words that mean something else in other forms: `Wells` and well, `mean` and meaning.
_EXACT = frozenset({"score", "drug", "drug_class", "measure", "history", "age", "vital", "enzyme", "other", "population"})


@dataclass(frozen=True)
class Concept:
    """One thing that texts speak of.

    Attributes:
        id: Its own.
        kind: What sort of thing it is.
        en: English names and abbreviations; the first is the one to show.
        zh: Chinese names.
        group: The concept under which the agent reads it; itself where empty, nothing where `-`.
        topic: The topic of the search index under which passages about it are filed.
        is_a: Wider concepts.
        about: What a state is a state of, what a score measures.
        polarity: Whether the state is less or more of it.
        opposite: Its antonym.
        detected_as: What detectors of a CT call it.
        same: Its id in the drug tables, where that is another.
        exact: Its single words count only as written, not in other forms of the word.
    """

    id: str
    kind: str
    en: tuple[str, ...]
    zh: tuple[str, ...]
    group: str = ""
    topic: str = ""
    is_a: tuple[str, ...] = ()
    about: str = ""
    polarity: Polarity = ""
    opposite: str = ""
    detected_as: tuple[str, ...] = ()
    same: str = ""
    exact: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All names."""
        return (*self.en, *self.zh)

    def written(self, name: str, text: str, alone: bool) -> bool:
        """Whether `text`, which has the stems and characters of `name`, is a way of writing it.

        Args:
            name: One of the names.
            text: As it stands.
            alone: No Chinese character adjoins it; one character within others is part of another word.
        """
        if not name.isascii() or not name.isalnum():
            return alone or len(name) > 1
        if not self.exact and len(name) >= _INFLECTED:
            return True
        said, known = text.lower(), name.lower()
        plural = len(known) > 4 and said in (known + "s", known + "es")
        return said == known or plural or (self.kind in ("drug", "drug_class") and said + "s" == known)

    @property
    def read_as(self) -> str | None:
        """The id under which the agent reads it; None where it does not."""
        return None if self.group == UNREAD else self.group or self.id


@dataclass(frozen=True)
class AnalyteNames:
    """How an analyte is called and coded.

    Attributes:
        id: Its own, the same as in the concept table.
        en: English names; the first is the one to show.
        zh: Chinese names.
        sheet: How laboratory sheets print it, too short or too common to be read in a sentence.
        loinc: Codes.
    """

    id: str
    en: tuple[str, ...]
    zh: tuple[str, ...]
    sheet: tuple[str, ...]
    loinc: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """What the search index files passages under: its kind, and its name for a ranker that reads English."""

    id: str
    kind: str
    name: str


def listed(cell: str) -> tuple[str, ...]:
    """The parts of a cell that are separated by bars."""
    return tuple(part.strip() for part in cell.split("|") if part.strip())


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a tab-separated file; lines that start with `#` are comments.

    Raises:
        BadInput: A row has another number of cells than the first line.
    """
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    head = lines[0].split("\t")
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) > len(head) or len(cells) < 2:
            raise BadInput(f"{path.name} row {number}: {line!r:.100} does not have the columns {', '.join(head)}")
        yield dict(zip(head, [*cells, *[""] * (len(head) - len(cells))], strict=True))


def _rows_of(path: Path) -> Iterator[dict[str, str]]:
    return read_rows(path) if path.exists() else iter(())


def sources() -> tuple[Path, ...]:
    """The files that decide which concepts a text has; an index is stale when one of them changes."""
    own = (
        FOLDER / "concepts.tsv",
        FOLDER / "topics.tsv",
        FOLDER / "analytes.tsv",
        FOLDER / "cues.tsv",
        STEMS,
        *(DATA / "drugs" / f"{file}.csv" for file in ("drugs", "classes")),
    )
    return (*own, *(path for name in ("concepts.tsv", "topics.tsv", "cues.tsv") for path in packs.parts(name)))


def _concept(row: Mapping[str, str], where: str) -> Concept:
    polarity = row.get("polarity", "")
    if polarity not in get_args(Polarity) or not row["id"] or not row["kind"]:
        raise BadInput(f"{where}: {row['id']!r} needs an id, a kind, and a polarity of low, high or nothing")
    return Concept(
        row["id"], row["kind"], listed(row.get("en", "")), listed(row.get("zh", "")), row.get("group", ""), row.get("topic", ""),
        listed(row.get("is_a", "")), row.get("about", ""), cast(Polarity, polarity), row.get("opposite", ""),
        listed(row.get("detected_as", "")), row.get("same", ""),
        row.get("exact", "") == "1" or row["kind"] in _EXACT,
    )  # fmt: skip


@dataclass(frozen=True)
class Vocabulary:
    """Concepts, topics, words that bring a topic up, drugs by class or group, and the finder of all names."""

    concepts: Mapping[str, Concept]
    topics: Mapping[str, Topic]
    cues: Mapping[str, tuple[str, ...]]
    members: Mapping[str, frozenset[str]]
    analytes: Mapping[str, "AnalyteNames"]
    finder: Finder[tuple[str, str]]

    def narrower(self, wide: str) -> frozenset[str]:
        """Everything that is a kind of `wide`, at any depth."""
        return _below(self, wide)

    def translated(self, name: str, language: Literal["en", "zh"]) -> str | None:
        """The name of a concept in `language`, given any of its names; None for a cue, an unknown word, or a name of two concepts."""
        wanted = name.strip().lower()
        own = {c.id: c for ident, n in self.finder.named(name) if n.lower() == wanted for c in (self.concepts[ident],)}
        only = next(iter(own.values())) if len(own) == 1 else None
        shown = (only.en if language == "en" else only.zh) if only else ()
        return shown[0] if shown else None


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The table, its sources joined; read once.

    Raises:
        BadInput: A row is malformed, an id occurs twice, or a row refers to what is not there.
    """
    table: dict[str, Concept] = {}
    topics: dict[str, Topic] = {}
    cues: dict[str, tuple[str, ...]] = {}
    for folder in (FOLDER, *packs.active()):
        own = [_concept(row, "concepts.tsv") for row in _rows_of(folder / "concepts.tsv")]
        if len({c.id for c in own}) < len(own):
            raise BadInput(f"concepts.tsv: {', '.join(i for i, n in Counter(c.id for c in own).items() if n > 1)} occurs twice")
        table.update((c.id, c) for c in own)
        topics.update((row["topic"], Topic(row["topic"], row["kind"], row["name"])) for row in _rows_of(folder / "topics.tsv"))
        for row in _rows_of(folder / "cues.tsv"):
            cues[row["topic"]] = (*cues.get(row["topic"], ()), *listed(row["words"]))
    analytes = {row["id"]: _analyte(row) for row in read_rows(FOLDER / "analytes.tsv")}
    drugs = _join(table)
    _join_analytes(table, analytes)
    _check(table, topics, cues)
    names = ((name, (concept.id, name)) for concept in table.values() for name in concept.names)
    return Vocabulary(table, topics, cues, drugs, analytes, Finder(names))


def _analyte(row: Mapping[str, str]) -> AnalyteNames:
    return AnalyteNames(row["id"], *(listed(row[cell]) for cell in ("en", "zh", "sheet", "loinc")))


def _join_analytes(table: dict[str, Concept], analytes: Mapping[str, AnalyteNames]) -> None:
    """Analytes become concepts, or give their names to those of the same id; a name that another concept has keeps its owner."""
    owner = {key_of(name).text: concept.id for concept in table.values() for name in concept.names}
    for names in analytes.values():
        old = table.get(names.id, Concept(names.id, "analyte", (), (), exact=True))
        new = [n for n in (*names.en, *names.zh) if owner.setdefault(key_of(n).text, names.id) == names.id]
        if old.kind == "analyte" and (new or names.id in table):
            table[names.id] = _named(old, new)


def _join(table: dict[str, Concept]) -> dict[str, frozenset[str]]:
    """Drugs and classes of the drug tables; a name that another concept has keeps its owner. Returns the drugs of each class or group."""
    home = {drug: concept.id for concept in table.values() for drug in listed(concept.same)}
    owner = {name.lower(): concept.id for concept in table.values() if concept.read_as for name in concept.names}
    groups: dict[str, set[str]] = {}
    for file, kind in (("drugs", "drug"), ("classes", "drug_class")):
        for row in _drug_rows(file):
            names = [n.strip() for cell in ("name", "synonyms", "name_zh", "synonyms_zh") for n in (row.get(cell) or "").split(";")]
            ident = home.get(row["id"], row["id"])
            old = table.get(ident, Concept(ident, kind, (), (), exact=True))
            new = [n for n in dict.fromkeys(names) if n and owner.setdefault(n.lower(), ident) == ident and n not in old.names]
            if old.kind == kind and (new or ident in table):
                table[ident] = _named(old, new)
            for group in (row.get("drug_class") or "", *(row.get("groups") or "").split(";")):
                if group.strip():
                    groups.setdefault(home.get(group.strip(), group.strip()), set()).add(ident)
    return {group: frozenset(drugs) for group, drugs in groups.items()}


def _drug_rows(file: str) -> Iterator[dict[str, str]]:
    for path in (DATA / "drugs" / f"{file}.csv", *packs.parts(f"drugs/{file}.csv")):
        yield from csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))


def _named(concept: Concept, more: Iterable[str]) -> Concept:
    known = {n.lower() for n in concept.names}
    fresh = [n for n in more if n.lower() not in known]
    chinese = [n for n in fresh if HAN.search(n) or not n.isascii()]
    return replace(concept, en=(*concept.en, *(n for n in fresh if n not in chinese)), zh=(*concept.zh, *chinese))


def _check(table: Mapping[str, Concept], topics: Mapping[str, Topic], cues: Iterable[str]) -> None:
    lost = [topic for topic in cues if topic not in topics]
    if lost:
        raise BadInput(f"cues.tsv: {', '.join(lost)} is no topic")
    for c in table.values():
        strange = [i for i in (*c.is_a, c.about, c.opposite, "" if c.group == UNREAD else c.group) if i and i not in table]
        if strange or (c.topic and c.topic not in topics):
            raise BadInput(f"concepts.tsv: {c.id!r} refers to {', '.join(strange) or c.topic}, which is not there")
        if c.opposite and table[c.opposite].opposite != c.id:
            raise BadInput(f"concepts.tsv: the opposite of {c.id!r} is {c.opposite!r}, but not the other way round")


def _below(known: Vocabulary, wide: str) -> frozenset[str]:
    found: set[str] = set()
    ahead = [wide]
    while ahead:
        here = ahead.pop()
        new = {c.id for c in known.concepts.values() if here in c.is_a} - found
        found |= new
        ahead += new
    return frozenset(found)
