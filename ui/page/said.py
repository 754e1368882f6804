"""An answer's parts as sentences with their citations, and a sentence as HTML: numbers, slices and drugs lead to where they come from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from agent.answering.answer import Answer
from retrieval.drugs.graph import DrugGraph
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence, Language
from tools.labs.value import shown
from tools.wording import typeset
from ui.i18n import html, named
from ui.page.marks import led, mark

_INFERRED = patterns("ui.page").words("inferred")

_CITED = re.compile(r"(.*?)\s*((?:\[\d+\])+)(?:\s+|$)", re.DOTALL)
_HEADING = re.compile(r"\*\*(.+)\*\*")
_SLICE = re.compile(r"(\S+) slice (\d+)")  # locator of a CT statement: study handle, index from the head
_TRAILING = re.compile(r"\s*(?:\[\d+\])+\s*$")
_LAST = re.compile(r"(?:[^\s<>&;\u2e80-\uffef]{1,24}|[\u2e80-\uffef]{1,2})$")
_DRUG_KINDS = frozenset({"drug_graph", "guideline", "document", "case"})


@dataclass(frozen=True)
class Sentence:
    """A sentence with the keys that carry it and how they do."""

    text: str
    keys: tuple[str, ...]
    support: str = ""


@dataclass(frozen=True)
class Row:
    """Sentences that share a line, under a heading."""

    heading: str
    sentences: tuple[Sentence, ...]


def rows_of(part: str, answer: Answer) -> list[Row]:
    """The lines of one part of an answer; a citation number that the answer does not have is dropped."""
    support = {claim.text.strip(): claim.support for claim in answer.claims}
    rows, heading = [], ""
    for line in part.splitlines():
        titled = _HEADING.fullmatch(line.strip())
        if titled:
            heading = titled[1]
        elif line.strip():
            rows.append(Row(heading, tuple(_sentences(line, answer, support))))
    return rows


def _sentences(line: str, answer: Answer, support: Mapping[str, str]) -> list[Sentence]:
    found, end = [], 0
    for match in _CITED.finditer(line):
        numbers = [int(n) for n in re.findall(r"\d+", match[2])]
        keys = tuple(answer.evidence[n - 1].key for n in numbers if 0 < n <= len(answer.evidence))
        words = match[1].strip()
        # A line of laboratory values begins with the name of its system.
        said = words.split(": ", 1)[-1]
        found.append(Sentence(words, keys, support.get(words, support.get(said, ""))))
        end = match.end()
    rest = line[end:].strip()
    return [*found, Sentence(rest, ())] if rest else found


def sentence_html(
    sentence: Sentence, order: Sequence[str], cited: Mapping[str, Evidence], language: Language, *, first: bool = False
) -> str:
    """One sentence: its words with links inside, then its marks; how it is supported shows as a quiet underline and in the tooltip.

    Args:
        sentence: What is said.
        order: Keys as the answer numbers them.
        cited: Evidence by key.
        language: Of the page.
        first: Whether an answer begins with it: what stands before its first full stop is then set in bold.
    """
    evidence = [cited[key] for key in sentence.keys if key in cited]
    marks = "".join(mark(key, order, cited.get(key), language) for key in sentence.keys)
    jumps = "".join(jump(e, language) for e in evidence)
    marked = sentence.text.lower().startswith(_INFERRED)
    inferred = f'<em class="tag">{html("inference", language)}</em>' if sentence.support == "inferred" and not marked else ""
    how = named("support", sentence.support, language) if sentence.support else ""
    plain = _TRAILING.sub("", sentence.text)
    lead, rest = led(plain) if first else ("", plain)
    words = linked(rest, tuple(evidence), language)
    words = (f'<b class="lead">{linked(lead, tuple(evidence), language)}</b>' if lead else "") + words
    title = f' data-how="{escape(how)}"' if how else ""
    said = _ended(words, f'{inferred}<span class="marks">{marks}</span>')
    return f'<span class="say {sentence.support}"{title}>{said}{jumps}</span>'


def _ended(words: str, marks: str) -> str:
    """The words with their marks; the last word and the marks stay on one line."""
    found = _LAST.search(words)
    if found is None:
        return f"{words}{marks}"
    return f'{words[: found.start()]}<span class="end">{found[0]}{marks}</span>'


def jump(evidence: Evidence, language: Language) -> str:
    """A link that moves the viewer, when a CT statement names its slice."""
    found = _SLICE.search(evidence.locator or "") if evidence.kind in ("ct", "model") else None
    if found is None:
        return ""
    label = html("slice_link", language, n=found[2])
    detected = evidence.present is True and evidence.card is not None and evidence.card.threshold is not None
    finding = f' data-finding="{escape(evidence.key.rsplit("-", 1)[-1])}"' if detected else ""
    return f'<button type="button" class="jump" data-study="{escape(found[1])}" data-slice="{found[2]}"{finding}>{label}</button>'


@lru_cache(maxsize=4096)
def linked(words: str, evidence: tuple[Evidence, ...], language: Language) -> str:
    """Escaped words in which laboratory numbers lead to their row and drugs to their card."""
    places: list[tuple[int, int, str]] = []
    for item in evidence:
        if item.kind == "lab" and not item.inferred and item.quantities:
            places += _number(words, item)
    if any(e.kind in _DRUG_KINDS for e in evidence):
        places += _drugs(words)
    out, end = [], 0
    for start, stop, opening in sorted(places):
        if start >= end:
            out.append(f"{_flat(words[end:start])}{opening}{escape(typeset(words[start:stop]))}</button>")
            end = stop
    return "".join((*out, _flat(words[end:])))


def _flat(words: str) -> str:
    """Escaped, units as a laboratory prints them, blanks kept; line breaks become `<br>`: a message is one line."""
    return "<br>".join(escape(typeset(piece)) for piece in words.splitlines()) + ("<br>" if words.endswith("\n") else "")


def _number(words: str, item: Evidence) -> list[tuple[int, int, str]]:
    value = re.escape(shown(item.quantities[0].value))
    unit = re.escape(item.quantities[0].unit)
    found = re.search(rf"(?<![\d.]){value}(?![\d.]*\d)(?:\s*{unit})?", words)
    opening = f'<button type="button" class="num" data-row="{escape(item.key)}">'
    return [(found.start(), found.end(), opening)] if found else []


def _drugs(words: str) -> list[tuple[int, int, str]]:
    graph = DrugGraph.load()
    places = []
    for mention in graph.scan(words):
        if mention.kind != "drug" or len(mention.ids) != 1:
            continue
        pattern = r"[\s/-]+".join(re.escape(piece) for piece in mention.surface.split())
        found = re.search(pattern, words, re.IGNORECASE)
        if found:
            places.append((found.start(), found.end(), f'<button type="button" class="drug" data-drug="{escape(mention.ids[0])}">'))
    return places
