"""The guideline corpus on disk: reading, validating and linting `data/guidelines/*.toml`.

A file holds `[[guideline]]` tables (one edition each) and `[[passage]]` tables (one citable recommendation each). `read_corpus` collects
every problem instead of stopping at the first; `load_corpus` refuses a corpus with any. Conflicts stand in `conflicts*.csv`.
"""

import csv
import hashlib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retrieval import packs
from retrieval.errors import BadInput
from retrieval.guidelines.passages import Certainty, Guideline, Passage, PassageKind, Strength

DATA = Path(__file__).parents[1] / "data"
GUIDELINES = DATA / "guidelines"
MAX_WORDS = 180
# A Chinese text of 180 English words runs to about 1.7 characters per word; the limit leaves room for drug names.
MAX_HAN = 400
# Light's criteria (1972) are the oldest rule still in use here.
FIRST_YEAR = 1970
_HAN = re.compile(r"[\u4e00-\u9fff]")
# Small whole numbers are often written as words ("two"), so they do not count.
_NUMBER = re.compile(r"(?<![\d.])(?:\d+\.\d+|[1-9]\d+)(?![\d.])")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_.-]*")


class GuidelineRow(BaseModel):
    """One `[[guideline]]` table."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    issuer: str = Field(min_length=2)
    title: str = Field(min_length=5)
    year: int
    topic: str = Field(min_length=2)
    status: Literal["current", "superseded"]
    superseded_by: str = ""
    doi: str = Field(default="", pattern=r"^(10\.\d{4,9}/\S+)?$")
    pmid: str = Field(default="", pattern=r"^\d{0,9}$")
    url: str = Field(default="", pattern=r"^(https?://\S+)?$")


class PassageRow(BaseModel):
    """One `[[passage]]` table."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*/[a-z0-9][a-z0-9.-]*$")
    guideline: str
    section: str = Field(min_length=2)
    strength: Strength
    certainty: Certainty
    kind: PassageKind = "recommendation"
    population: str = ""
    tags: list[str]
    text: str = Field(min_length=20)
    text_zh: str = Field(min_length=8)


@dataclass(frozen=True)
class Conflict:
    """Two passages that disagree, and about what."""

    a: str
    b: str
    about: str
    about_zh: str


@dataclass(frozen=True)
class Problem:
    """One fault: file, row id, what is wrong. Warnings do not fail the lint."""

    file: str
    row: str
    what: str
    level: Literal["error", "warning"] = "error"


@dataclass(frozen=True)
class Corpus:
    """Everything of the guideline folder."""

    guidelines: tuple[Guideline, ...]
    passages: tuple[Passage, ...]
    conflicts: tuple[Conflict, ...]


def passage_key(passage_id: str) -> str:
    """Key of a guideline passage: `G-` and six hex digits of the SHA-256 of its id."""
    return "G-" + hashlib.sha256(passage_id.encode()).hexdigest()[:6]


def corpus_files(folder: Path, pattern: str) -> list[Path]:
    """Files of a corpus folder; beside the corpus of the house those of the packs in use."""
    more = packs.parts("guidelines") if folder == GUIDELINES else iter(())
    return [path for place in (folder, *more) for path in sorted(place.glob(pattern))]


def load_corpus(folder: Path = GUIDELINES) -> Corpus:
    """Read `folder`.

    Raises:
        BadInput: any row is wrong; names the first three faults.
    """
    corpus, problems = read_corpus(folder)
    errors = [f"{p.file}: {p.row}: {p.what}" for p in problems if p.level == "error"]
    if errors:
        raise BadInput(
            f"{len(errors)} faults in the guideline corpus {folder.name!r}: {'; '.join(errors[:3])}; run `medmpt corpus lint` for all"
        )
    return corpus


def read_corpus(folder: Path = GUIDELINES) -> tuple[Corpus, list[Problem]]:
    """Read `folder` and return what is usable together with every fault."""
    problems: list[Problem] = []
    guidelines: dict[str, Guideline] = {}
    rows: list[tuple[str, PassageRow]] = []
    for path in corpus_files(folder, "*.toml"):
        for row in _tables(path, problems):
            if isinstance(row, PassageRow):
                rows.append((path.name, row))
            elif row.id in guidelines:
                problems.append(Problem(path.name, row.id, "guideline id occurs twice"))
            else:
                guidelines[row.id] = _guideline(row)
                problems.extend(_check_guideline(path.name, row))
    problems.extend(_check_editions(guidelines))
    passages = _passages(rows, guidelines, problems)
    conflicts = _conflicts(folder, passages, problems)
    return Corpus(tuple(guidelines.values()), tuple(passages.values()), tuple(conflicts)), problems


def _tables(path: Path, problems: list[Problem]) -> Iterable[GuidelineRow | PassageRow]:
    """Validated tables of one file; faults go to `problems`."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem(path.name, "-", f"not valid TOML: {error}"))
        return
    problems.extend(Problem(path.name, name, "unknown table") for name in sorted(set(data) - {"guideline", "passage"}))
    for name, model in (("guideline", GuidelineRow), ("passage", PassageRow)):
        for table in data.get(name, []):
            try:
                yield model.model_validate(table)
            except ValidationError as error:
                what = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']} (got {e['input']!r:.60})" for e in error.errors())
                problems.append(Problem(path.name, str(table.get("id", f"a {name} without id")), what))


def _guideline(row: GuidelineRow) -> Guideline:
    values: dict[str, Any] = row.model_dump()
    values |= {name: values[name] or None for name in ("superseded_by", "doi", "pmid", "url")}
    return Guideline(**values)


def _check_guideline(file: str, row: GuidelineRow) -> Iterable[Problem]:
    if not FIRST_YEAR <= row.year <= datetime.now(UTC).year + 1:
        yield Problem(file, row.id, f"year {row.year} is not plausible")
    if (row.status == "superseded") != bool(row.superseded_by):
        yield Problem(file, row.id, f"status {row.status!r} with superseded_by {row.superseded_by!r}")
    if not _SLUG.fullmatch(row.topic):
        yield Problem(file, row.id, f"topic {row.topic!r} is not a lower-case slug")
    if not (row.doi or row.pmid or row.url):
        yield Problem(file, row.id, "no DOI, PMID or URL", "warning")


def _check_editions(guidelines: dict[str, Guideline]) -> Iterable[Problem]:
    for guideline in guidelines.values():
        if guideline.superseded_by is None:
            continue
        successor = guidelines.get(guideline.superseded_by)
        if successor is None:
            yield Problem("-", guideline.id, f"superseded by {guideline.superseded_by!r}, which is not in the corpus")
        elif successor.year < guideline.year or successor.id == guideline.id:
            yield Problem("-", guideline.id, f"superseded by {successor.id!r} of {successor.year}, which is not newer")


def _passages(rows: list[tuple[str, PassageRow]], guidelines: dict[str, Guideline], problems: list[Problem]) -> dict[str, Passage]:
    passages: dict[str, Passage] = {}
    seen: dict[str, str] = {}
    for file, row in rows:
        faults = list(_check_passage(row, guidelines))
        for name, text in (("key", passage_key(row.id)), ("text", row.text.strip()), ("text_zh", row.text_zh.strip())):
            first = seen.setdefault(f"{name}:{text}", row.id)
            if first != row.id or row.id in passages:
                faults.append((f"same {name} as {first}", "error"))
        problems.extend(Problem(file, row.id, what, level) for what, level in faults)
        if row.guideline in guidelines and row.id not in passages:
            passages[row.id] = _passage(row, guidelines[row.guideline])
    used = {p.guideline.id for p in passages.values()}
    problems.extend(Problem("-", g, "guideline without a passage") for g in guidelines if g not in used)
    return passages


def _passage(row: PassageRow, guideline: Guideline) -> Passage:
    return Passage(
        key=passage_key(row.id),
        id=row.id,
        guideline=guideline,
        section=row.section,
        text=" ".join(row.text.split()),
        text_zh=" ".join(row.text_zh.split()),
        strength=row.strength,
        certainty=row.certainty,
        population=row.population or None,
        tags=tuple(row.tags),
        genre=row.kind,
    )


def _check_passage(row: PassageRow, guidelines: dict[str, Guideline]) -> Iterable[tuple[str, Literal["error", "warning"]]]:
    if row.guideline not in guidelines:
        yield f"guideline {row.guideline!r} is not in the corpus", "error"
    if not row.id.startswith(row.guideline + "/"):
        yield f"id does not start with its guideline {row.guideline!r}", "error"
    if (words := len(row.text.split())) > MAX_WORDS:
        yield f"{words} words, at most {MAX_WORDS}", "error"
    if (han := len(_HAN.findall(row.text_zh))) > MAX_HAN:
        yield f"{han} Chinese characters, at most {MAX_HAN}", "error"
    if _HAN.search(row.text) or not _HAN.search(row.text_zh):
        yield "text must be English and text_zh Chinese", "error"
    missing = set(_NUMBER.findall(row.text)) ^ set(_NUMBER.findall(row.text_zh))
    if missing:
        yield f"numbers in one language only: {', '.join(sorted(missing))}", "warning"


def _conflicts(folder: Path, passages: dict[str, Passage], problems: list[Problem]) -> list[Conflict]:
    conflicts: list[Conflict] = []
    for path in corpus_files(folder, "conflicts*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            for number, row in enumerate(csv.DictReader(stream), 2):
                if set(row) != {"a", "b", "about", "about_zh"} or not all(row.values()):
                    problems.append(Problem(path.name, f"line {number}", "needs the filled columns a, b, about, about_zh"))
                elif row["a"] == row["b"]:
                    problems.append(Problem(path.name, f"line {number}", "pairs a passage with itself"))
                elif unknown := [row[side] for side in ("a", "b") if row[side] not in passages]:
                    problems.append(Problem(path.name, f"line {number}", f"unknown passage {', '.join(unknown)}"))
                else:
                    conflicts.append(Conflict(row["a"], row["b"], row["about"], row["about_zh"]))
    return conflicts


def read_conflicts(folder: Path) -> list[tuple[str, str]]:
    """Pairs of passage keys that disagree, without validation (the corpus was validated when the index was built)."""
    pairs: list[tuple[str, str]] = []
    for path in corpus_files(folder, "conflicts*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            pairs += [(passage_key(row["a"]), passage_key(row["b"])) for row in csv.DictReader(stream)]
    return pairs
