"""A question about a part of a report (`and the one at the left?`): the sentence as it stands, and what follows from it here."""

import re
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel, ConfigDict

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.bedside.asks.subject import asks, rows
from tools.bedside.judging import Applied, evidence
from tools.bedside.record.expression import holds
from tools.bedside.record.said import clauses
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import pattern_of
from tools.bedside.record.wording import write
from tools.evidence import Evidence, Language

pair = messages("tools.bedside").pair

_REPORT = patterns("tools.bedside").regex("report_line")
_MM, _HU = re.compile(r"(\d+(?:\.\d+)?) ?mm"), re.compile(r"(-?\d+(?:\.\d+)?) ?HU")
_WEIGHT = {"side": 1, "site": 3, "finding": 2}
_MOST = 2


class Follow(BaseModel):
    """What follows from a sentence that holds all of `all` and nothing of `none`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    all: tuple[str, ...]
    none: tuple[str, ...] = ()
    test: str = ""
    en: str
    zh: str
    source: str
    year: int | None = None


@dataclass(frozen=True)
class _Sentence:
    """A report's sentence as the tests see it: its own size, density and words first, then the record."""

    text: str
    applied: Applied

    def value(self, name: str) -> float | bool | None:
        """Size, density or word of the sentence, else the record's."""
        if name in ("mm", "hu"):
            found = (_MM if name == "mm" else _HU).search(self.text)
            return float(found[1]) if found else None
        said = rows("findings")["said"]
        if name in said:
            return bool(_pattern("said", name).search(self.text))
        return self.applied.value(name)

    def call(self, name: str, argument: str) -> float | bool | None:
        """Calls go to the record."""
        return self.applied.call(name, argument)

    def shown(self, name: str, language: Language) -> str | None:
        """Values are the record's."""
        return self.applied.shown(name, language)


@cache
def _pattern(kind: str, name: str) -> re.Pattern[str]:
    return pattern_of(tuple(rows("findings")[kind][name]))


@cache
def follows() -> tuple[Follow, ...]:
    """All rows in order."""
    return tuple(Follow.model_validate(row) for row in rows("findings")["follow"])


def concepts(text: str) -> set[tuple[str, str]]:
    """Sides, sites and findings that a text names."""
    return {(kind, name) for kind in _WEIGHT for name in rows("findings")[kind] if _pattern(kind, name).search(text)}


def raised(question: str) -> bool:
    """Whether a question is about a part of a report: a site, a side with a finding, or a finding, and words that ask for it."""
    return bool(asks("part").search(question)) and bool(concepts(question))


def of_report(question: str) -> bool:
    """Whether a question says that it is about a report or its images."""
    return raised(question) and bool(asks("report").search(question))


def quoted(record: Record, *, loose: bool = False) -> list[Evidence]:
    """The sentences that fit best, at most two, each with its source, then what follows; `loose` where nothing else answers."""
    question = record.question
    if not (loose or raised(question)) or record.graph.mentions(question):
        return []
    wanted = concepts(question)
    sides = {n for k, n in wanted if k == "side"}
    scored: list[tuple[int, str, str]] = []
    for when, text in _reports(record):
        for sentence in clauses(text):
            have = concepts(sentence)
            there = {n for k, n in have if k == "side"}
            common = wanted & have
            if (
                (sides and there and not sides & there)
                or not common
                or (all(k == "side" for k, _ in common) and not any(k == "finding" for k, _ in have))
            ):
                continue
            scored.append((sum(_WEIGHT[k] for k, _ in common), when, sentence))
    best = max((s for s, _, _ in scored), default=0)
    sites = {n for k, n in wanted if k == "site"}
    if best < (_WEIGHT["site"] if sites else 1):
        return []
    chosen = [(when, sentence) for score, when, sentence in scored if score == best][:_MOST]
    return _said(chosen, record)


def _reports(record: Record) -> list[tuple[str, str]]:
    """Reports first, newest first, then what other notes say."""
    notes = sorted(record.case.notes, key=lambda n: n.time or "", reverse=True)
    found = [(n.time or "", n.text) for n in notes if "report" in (n.kind or "").casefold() or _REPORT.match(n.text)]
    found += [(n.time or "", n.text) for n in record.case.notes if n.text not in {text for _, text in found}]
    found += [(s.date or "", s.report) for s in record.case.studies if s.report]
    return found


def _said(chosen: list[tuple[str, str]], record: Record) -> list[Evidence]:
    lines = []
    source, year = "case record", None
    for when, sentence in chosen:
        day = f" ({when[:10]})" if when else ""
        day_zh = f"（{when[:10]}）" if when else ""
        lines.append(pair("The record{day} says: “{sentence}”.", sentence=sentence, day=(day, day_zh)))
    names = _Sentence(chosen[0][1], Applied(record, {}, {}))
    have = {n for _, n in concepts(chosen[0][1])}
    row = next((f for f in follows() if set(f.all) <= have and not set(f.none) & have and holds(f.test, names) is True), None)
    if row is not None:
        source, year = row.source, row.year
        lines.insert(1, (write(row.en, names, "en") + ".", write(row.zh, names, "zh") + "。"))
    else:
        lines.append(pair("Nothing else in the record speaks of it."))
    return [
        evidence(f"B-part-{n}", en, zh, source if n == 1 else "case record", year if n == 1 else None) for n, (en, zh) in enumerate(lines)
    ]
