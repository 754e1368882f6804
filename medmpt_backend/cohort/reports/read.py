"""Read a report back: which findings it states or denies, on which side, in which lobes and how large.

Works on reports of the cohort and on texts that a model learned from them. Suggested diagnoses are not findings and are skipped.
"""

import re
from dataclasses import dataclass

from medmpt_backend.cohort.findings import Side
from medmpt_backend.cohort.reports.words import lobes_of, table
from medmpt_backend.cohort.truth import MEANS
from medmpt_backend.findings import FINDINGS, painters


@dataclass(frozen=True)
class Mention:
    """One finding that a report speaks of.

    Attributes:
        key: Painter id, or a label id where the text says no more (`lung_nodule`).
        labels: Ids of `medmpt_backend.findings`.
        present: False for a denied finding.
        side: None where the sentence names none.
        lobes: Lobes named; empty where none are.
        mm: Size; None where none is given.
        impression: Whether it stands in the impression.
    """

    key: str
    labels: tuple[str, ...]
    present: bool
    side: Side | None
    lobes: frozenset[str]
    mm: float | None
    impression: bool


# Key -> pattern; read in this order, and what one pattern has read is gone for the next.
TERMS: tuple[tuple[str, str], ...] = tuple(
    (f.painter or f.id, f.read.words) for f in sorted(FINDINGS.values(), key=lambda f: f.read.order if f.read else 0) if f.read is not None
)
_NO_SIDE = painters(lambda p: p.no_side)
_WORDS = table()["read"]
_SUGGESTS = re.compile(_WORDS["suggests"], re.IGNORECASE)
_DENIES = re.compile(_WORDS["denies"], re.IGNORECASE)
_MM = re.compile(r"(\d+(?:\.\d+)?) ?mm", re.IGNORECASE)
_READ = tuple((key, re.compile(pattern, re.IGNORECASE)) for key, pattern in TERMS)


def read_report(text: str) -> tuple[Mention, ...]:
    """Every finding that a report states or denies, in the order of the text."""
    en, zh = _WORDS["impression"]
    before, _, after = re.sub(_WORDS["beginning"], "", text).partition(zh if zh in text else en)
    out: list[Mention] = []
    for part, impression in ((before, False), (after, True)):
        for sentence in re.split(_WORDS["sentence"], part):
            told = re.sub(r"^\d+\.\s*", "", sentence.strip())
            if told and not _SUGGESTS.search(told) and not told.isdigit():
                out += _sentence(told, impression)
    return tuple(out)


def labels_of(text: str) -> dict[str, bool]:
    """Label id -> stated (True) or denied (False); absent labels are not spoken of. Stated wins over denied."""
    out: dict[str, bool] = {}
    for mention in read_report(text):
        for label in mention.labels:
            out[label] = out.get(label, False) or mention.present
    return out


def _sentence(text: str, impression: bool) -> list[Mention]:
    side, lobes = lobes_of(text)
    sizes = _MM.findall(text)
    present = not _DENIES.search(text)
    found: list[tuple[int, str]] = []
    left = text
    for key, pattern in _READ:
        for match in pattern.finditer(left):
            found.append((match.start(), key))
        left = pattern.sub(lambda m: "·" * len(m.group()), left)
    # A comparison names the old size first.
    mm = float(sizes[-1]) if sizes else None
    return [Mention(key, _labels(key), present, None if key in _NO_SIDE else side, lobes, mm, impression) for _, key in sorted(found)]


def _labels(key: str) -> tuple[str, ...]:
    return MEANS.get(key, (key,))
