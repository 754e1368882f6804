"""The phrases of the reports, from the records of findings and of diseases."""

from functools import cache

from medmpt_backend.cohort.patients.diseases import DISEASES
from medmpt_backend.findings import FINDINGS, PAINTED, Phrase

ORGANS: tuple[str, ...] = ("lung", "airway", "pleura", "mediastinum", "heart", "other")


@cache
def phrases() -> dict[str, Phrase]:
    """Every kind of finding, by painter id; several of a kind by the id of their phrase."""
    found = [(key, f.painted) for key, f in PAINTED.items() if f.painted is not None]
    return {key: p.report for key, p in found} | {p.several.id: p.several for _, p in found if p.several is not None}


# Negatives: label of `medmpt_backend.findings` -> English and Chinese; stated only where the label is 0.
NEGATIVES: dict[str, tuple[str, str]] = {
    key: denied.words for denied, key in sorted(((f.denied, f.id) for f in FINDINGS.values() if f.denied), key=lambda pair: pair[0].order)
}

# What a radiologist may suggest for a disease.
SUGGESTION: dict[str, tuple[str, str]] = {d.id: d.suggests for d in DISEASES if d.suggests is not None}
