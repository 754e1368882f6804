"""Places with a name of their own: vertebrae, ribs, node stations and segments that the impression names and the findings do not."""

import re
from collections.abc import Callable, Iterator

from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.listing import ribs_in, vertebrae_in
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Kind, Remark, differ

_WORDS = patterns("tools.report_lint")
_STATION = _WORDS.regex("names_station", 0)
_RIB = _WORDS.regex("listing_rib_word")
_SEGMENT = _WORDS.regex("names_segment")
_PARTS = {name: re.compile(words, re.IGNORECASE) for name, words in _WORDS.table("names_parts").items()}


def misnamed(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """One remark for each kind of place of which findings and impression share none."""
    yield from _unshared("count", "fracture", sentences, _vertebrae)
    if all(_ribs(s.text) for s in sentences if s.section == "findings" and _RIB.search(s.text) and _broken(s.text)):
        yield from _unshared("count", "fracture", sentences, _ribs)
    yield from _unshared("lobe", "node", sentences, _stations)
    yield from _segments(pieces)


def _unshared(kind: Kind, topic: str, sentences: list[Sentence], names: Callable[[str], set[str]]) -> Iterator[Remark]:
    """Names of the impression of which the findings have none, though they have others."""
    seen = [(s, found) for s in sentences if s.section == "findings" and (found := names(s.text))]
    known: set[str] = set().union(*(found for _, found in seen))
    elsewhere: set[str] = set().union(*(names(s.text) for s in sentences if s.section not in ("findings", "impression")))
    for s in (s for s in sentences if s.section == "impression"):
        said = names(s.text)
        if said and known and not said & (known | elsewhere):
            yield differ(kind, topic, min(said), min(seen[0][1]), seen[0][0].text, s.text)
            return


def _broken(text: str) -> bool:
    return bool(_WORDS.regex("listing_broken").search(text))


def _vertebrae(text: str) -> set[str]:
    return vertebrae_in(text) if _broken(text) else set()


def _ribs(text: str) -> set[str]:
    return {str(n) for _, n in ribs_in(text)} if _broken(text) else set()


def _stations(text: str) -> set[str]:
    return {m.group().upper() for m in _STATION.finditer(text)} if group("part")["nodes"].search(text) else set()


def _segments(pieces: list[Piece]) -> Iterator[Remark]:
    """A segment of a lobe where the findings of this lobe name only others."""
    seen = [p for p in pieces if p.sentence.section == "findings" and _lobe(p) and _named(p.text)]
    for said in (p for p in pieces if p.sentence.section == "impression" and _lobe(p)):
        own = _named(said.text)
        there = [p for p in seen if _lobe(p) == _lobe(said)]
        if own and there and not any(own & _named(p.text) for p in there):
            topic = next((t for t in said.topics if not t.startswith("~")), "lesion")
            other = min(_named(there[0].text))
            yield differ("lobe", topic, min(own), other, there[0].sentence.text, said.sentence.text)
            return


def _lobe(p: Piece) -> tuple[str, str] | None:
    """Side and lobe of a piece that names one of each."""
    one = len(p.sides) == 1 and "both" not in p.sides and len(p.lobes) == 1
    return (next(iter(p.sides)), next(iter(p.lobes))) if one else None


def _named(text: str) -> frozenset[str]:
    """Parts of the segments that a text names ("posterior basal segment": posterior); "basal" alone is all of them."""
    found = [{name for name, part in _PARTS.items() if part.search(m.group())} for m in _SEGMENT.finditer(text)]
    return frozenset(name for parts in found for name in (parts - {"basal"} or parts))
