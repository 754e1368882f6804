"""Lesions of the lung as they are written, marked and modelled."""

from collections.abc import Iterator

from retrieval.messages.patterns import patterns
from tools.evidence import Evidence
from tools.reports.lint.reading.mentions import mentions_of
from tools.reports.lint.reading.parts import sentences_of
from tools.summary.gather import Gathered
from tools.summary.record import Pair, SummaryLine, line, words

_WORDS = patterns("tools.summary")

_FINDINGS = frozenset({"lung_nodule", "mass"})
_DETECTORS = ("lung_nodule", "mass")
_ASKS = _WORDS.regex("lesions_asks")


def lesions(g: Gathered) -> list[SummaryLine]:
    """What report, notes, marks and detectors say of a nodule or a mass."""
    return [*_written(g), *_marks(g), *_modelled(g)]


def asks_lesion(g: Gathered) -> bool:
    """Whether the presenting question speaks of one."""
    return _ASKS.search(g.case.presentation.question or "") is not None


def _written(g: Gathered) -> Iterator[SummaryLine]:
    """Sentences of report and notes that state a nodule or a mass, and conditions that name a cancer."""
    for written in g.texts:
        stated = [m for m in mentions_of(sentences_of(written.text)) if m.stated and m.finding.family in _FINDINGS]
        for text in dict.fromkeys(m.sentence.text for m in stated):
            yield line(words("written", text=text.rstrip(".。")), written.key, level="serious")
    if g.record.notion("cancer") or g.record.notion("own_cancer"):
        known = {e.key: e for e in g.basics.evidence}
        if "C-conditions" in known:
            yield line(_pair(known["C-conditions"]), "C-conditions", level="serious")


def _marks(g: Gathered) -> Iterator[SummaryLine]:
    """Marks that the measurement carries, where the viewer's marks are kept."""
    for item in g.ct.evidence if g.ct else ():
        if "mark" in item.subjects or "-mark-" in item.key:
            yield line(_pair(item), item.key, level="serious")


def _modelled(g: Gathered) -> Iterator[SummaryLine]:
    for item in g.model.evidence if g.model else ():
        if item.present is True and item.key.rsplit("-", 1)[-1] in _DETECTORS:
            yield line(_pair(item), item.key, level="watch")


def _pair(item: Evidence) -> Pair:
    return item.text, item.text_zh or item.text
