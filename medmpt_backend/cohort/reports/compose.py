"""Compose a report: the most important findings first, negatives that are true, an impression."""

from dataclasses import dataclass

import numpy as np

from medmpt_backend.cohort.findings import Side
from medmpt_backend.cohort.patients.patient import VirtualPatient
from medmpt_backend.cohort.reports.phrases import NEGATIVES, PHRASES, SUGGESTION
from medmpt_backend.cohort.reports.words import joined, region, side_words
from medmpt_backend.cohort.truth import FindingTruth, Truth

# Findings told of one study; the report decoder writes at most 120 tokens.
MOST = 6
# Focal findings told one by one while they are few, else together.
SINGLE = {
    "mass",
    "cavity",
    "halo_sign",
    "nodule_part_solid",
    "nodule_ground_glass",
    "nodule_solid",
    "nodule_perifissural",
    "granuloma_calcified",
}
MOST_SINGLE = {"halo_sign": 1}
PLURAL = {"nodule_solid": "nodules", "halo_sign": "halos"}


@dataclass(frozen=True)
class Item:
    """One sentence's worth of findings of the same kind.

    Attributes:
        key: Key of `PHRASES`.
        lobes: Lobes together.
        side: Side together.
        mm: Largest size in whole mm; None for diffuse findings.
        ml: Volume together.
    """

    key: str
    lobes: tuple[str, ...]
    side: Side
    mm: int | None
    ml: float


def write_reports(rng: np.random.Generator, patient: VirtualPatient, truth: Truth) -> dict[str, str]:
    """`zh` and `en`: findings and impression of one study in one string."""
    items = ranked(truth)[:MOST]
    return {"zh": _chinese(rng, patient, truth, items), "en": _english(rng, patient, truth, items)}


def ranked(truth: Truth) -> list[Item]:
    """Visible findings, one item per kind, the most important first."""
    groups: dict[str, list[FindingTruth]] = {}
    for found in truth.findings:
        if found.visible:
            groups.setdefault(found.id, []).append(found)
    items = []
    for key, group in groups.items():
        if key in SINGLE and len(group) <= MOST_SINGLE.get(key, 2):
            items += [_item(key, [one]) for one in group]
        else:
            items.append(_item(PLURAL.get(key, key), group))
    if truth.labels["enlarged_pulmonary_artery"]:
        items.append(Item("enlarged_pulmonary_artery", (), "both", round(truth.pulmonary_artery_mm), 0.0))
    return sorted(items, key=lambda item: (PHRASES[item.key].rank, -item.ml))


def _item(key: str, found: list[FindingTruth]) -> Item:
    sizes = [f.size_mm for f in found if f.size_mm is not None]
    lobes = tuple(sorted({lobe for f in found for lobe in f.lobes}))
    return Item(key, lobes, joined(f.side for f in found), round(max(sizes)) if sizes else None, sum(f.volume_ml for f in found))


def _fill(template: str, item: Item, chinese: bool) -> str:
    article, adjective, zh = region(item.lobes)
    side = side_words(item.side)[chinese]
    return template.format(loc=zh if chinese else article, adj=adjective, Adj=_upper(adjective), side=side, Side=_upper(side), mm=item.mm)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _pick(rng: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _negatives(rng: np.random.Generator, truth: Truth, most: int) -> list[tuple[str, str]]:
    absent = [words for label, words in NEGATIVES.items() if truth.labels[label] == 0]
    order = rng.permutation(len(absent))[:most]
    return [absent[i] for i in sorted(order)]


def _english(rng: np.random.Generator, patient: VirtualPatient, truth: Truth, items: list[Item]) -> str:
    lines = [_fill(_pick(rng, PHRASES[i.key].en), i, False) for i in items]
    if not items:
        lines.append(_pick(rng, ("The lungs are clear.", "Both lungs are clear.", "No focal lung lesion.")))
    absent = [en for en, _ in _negatives(rng, truth, 3 if len(items) < 4 else 2)]
    if absent:
        lines.append(f"No {absent[0]}." if len(absent) == 1 else f"No {', '.join(absent[:-1])} or {absent[-1]}.")
    short = [_fill(p.short_en, i, False) for i in items if (p := PHRASES[i.key]).short_en][:3]
    told = _upper("; ".join(short)) + "." if short else _pick(rng, ("No acute abnormality.", "No active lung disease."))
    if short and patient.disease in SUGGESTION and rng.random() < 0.7:
        told += " " + _pick(rng, ("Consider {}.", "Suggests {}.", "Favour {}.")).format(SUGGESTION[patient.disease][0])
    return f"Findings: {' '.join(lines)} Impression: {told}"


def _chinese(rng: np.random.Generator, patient: VirtualPatient, truth: Truth, items: list[Item]) -> str:
    lines = [_fill(_pick(rng, PHRASES[i.key].zh), i, True) for i in items]
    if not items:
        lines.append(_pick(rng, ("双肺纹理清晰，未见实质性病变。", "双肺野清晰。", "双肺未见明显异常密度影。")))
    absent = [zh for _, zh in _negatives(rng, truth, 3 if len(items) < 4 else 2)]
    if absent:
        lines.append(_pick(rng, ("未见{}。", "无{}。")).format("、".join(absent)))
    short = [_fill(p.short_zh, i, True) for i in items if (p := PHRASES[i.key]).short_zh][:3]
    told = "；".join(short) + "。" if short else _pick(rng, ("胸部CT未见明显异常。", "未见活动性病变。"))
    if short and patient.disease in SUGGESTION and rng.random() < 0.7:
        told += _pick(rng, ("考虑{}。", "提示{}可能。", "{}可能大。")).format(SUGGESTION[patient.disease][1])
    return f"影像所见：{''.join(lines)}印象：{told}"
