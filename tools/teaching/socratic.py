"""Questions to think about after a reading, from the corpus' passages on signs; the answer waits until it is asked for."""

import json
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from retrieval.guidelines.corpus import load_corpus, passage_key
from tools.evidence import Language
from tools.teaching.commit import Feedback

MOST = 3


class Question(BaseModel):
    """One question with its answer, both in one language.

    Attributes:
        finding: What on the study raises it.
        text: The question.
        answer: Sentences of the passage that answer it.
        key: Key of the passage, which the page opens.
        source: Issuer, title and year.
    """

    model_config = ConfigDict(frozen=True)

    finding: str
    text: str
    answer: str
    key: str
    source: str


def questions(rows: Sequence[Feedback], language: Language) -> tuple[Question, ...]:
    """At most `MOST` questions on what is there, what was missed or misplaced first.

    Args:
        rows: The comparison of a reading; a finding that the corpus says nothing about raises none.
        language: Of questions and answers.
    """
    there = [r for r in rows if r.truth is not None]
    wanted = sorted(there, key=lambda r: r.outcome == "hit")
    found: list[Question] = []
    for row in wanted:
        for passage in _passages().get(row.finding, ())[:1]:
            asked = _asked(passage, language)
            if asked is not None and all(q.key != passage_key(passage) for q in found):
                text, answer = asked
                found.append(Question(finding=row.finding, text=text, answer=answer, key=passage_key(passage), source=_source(passage)))
    return tuple(found[:MOST])


@cache
def _passages() -> dict[str, tuple[str, ...]]:
    table = tomllib.loads(files("tools").joinpath("data/teaching/signs.toml").read_text(encoding="utf-8"))
    return {name: tuple(ids) for name, ids in table.items()}


@cache
def _asks() -> dict[tuple[str, str], list[tuple[str, str]]]:
    wanted = {p for ids in _passages().values() for p in ids}
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for file in sorted(files("retrieval").joinpath("data/asks").iterdir(), key=lambda f: f.name):
        for line in file.read_text(encoding="utf-8").splitlines() if file.name.endswith(".jsonl") else ():
            row = json.loads(line)
            if row["id"] in wanted and row["answers"]:
                found.setdefault((row["id"], row["lang"]), []).append((row["q"], " ".join(row["answers"])))
    return found


def _asked(passage: str, language: Language) -> tuple[str, str] | None:
    """The fullest question of a passage and what answers it; None where nobody asked one in this language."""
    rows = _asks().get((passage, language), [])
    return max(rows, key=lambda r: (len(r[0]), r[0])) if rows else None


@cache
def _sources() -> dict[str, str]:
    return {p.id: p.source for p in load_corpus().passages}


def _source(passage: str) -> str:
    return _sources()[passage]
