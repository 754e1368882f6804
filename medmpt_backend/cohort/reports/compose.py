"""Compose a report: a radiologist's style, the most important findings, negatives that are true, an impression."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medmpt_backend.cohort.findings import Side
from medmpt_backend.cohort.reports.phrases import NEGATIVES, ORGANS, SUGGESTION, phrases
from medmpt_backend.cohort.reports.words import compared, degree, joined, region, side_words, table
from medmpt_backend.cohort.truth import FindingTruth, Truth
from medmpt_backend.findings import PAINTED, painters

_REPORT = table()["report"]
# Findings told of one study; the report decoder writes at most 120 tokens.
MOST = 6
# Focal findings told one by one while they are few, else together, some in words for several.
SINGLE = painters(lambda p: p.single)
MOST_SINGLE = {key: f.painted.single for key, f in PAINTED.items() if f.painted is not None and f.painted.single}
PLURAL = {key: f.painted.several.id for key, f in PAINTED.items() if f.painted is not None and f.painted.several is not None}


@dataclass(frozen=True)
class Item:
    """One sentence's worth of findings of the same kind.

    Attributes:
        key: Key of `phrases()`.
        lobes: Lobes together.
        side: Side together.
        mm: Largest size in whole mm; None for diffuse findings.
        ml: Volume together.
        share: Share of the lungs together.
    """

    key: str
    lobes: tuple[str, ...]
    side: Side
    mm: int | None
    ml: float
    share: float = 0.0


@dataclass(frozen=True)
class Style:
    """How one radiologist writes.

    Attributes:
        by_organ: Findings organ by organ, else the most important first.
        numbered: Impression as a numbered list.
        negatives: How many absent findings are named.
        suggests: Whether a diagnosis is suggested.
        technique: Whether low dose and contrast are named.
    """

    by_organ: bool
    numbered: bool
    negatives: int
    suggests: bool
    technique: bool


def write_reports(rng: np.random.Generator, disease: str, truth: Truth) -> dict[str, str]:
    """`zh` and `en`: findings and impression of one study in one string.

    Args:
        rng: Source of randomness.
        disease: Disease id, for the suggested diagnosis.
        truth: What is told.
    """
    return {"zh": _write(rng, disease, truth, True), "en": _write(rng, disease, truth, False)}


def ranked(truth: Truth) -> list[Item]:
    """Visible findings, one item per kind, the most important first."""
    groups: dict[str, list[FindingTruth]] = {}
    for found in truth.findings:
        if found.visible:
            groups.setdefault(found.id, []).append(found)
    items = []
    for key, group in groups.items():
        if key in SINGLE and len(group) <= MOST_SINGLE[key]:
            items += [_item(key, [one]) for one in group]
        else:
            items.append(_item(PLURAL.get(key, key), group))
    if truth.labels["enlarged_pulmonary_artery"] and "enlarged_pulmonary_artery" not in groups:
        items.append(Item("enlarged_pulmonary_artery", (), "both", round(truth.pulmonary_artery_mm), 0.0))
    return sorted(items, key=lambda item: (phrases()[item.key].rank, -item.ml))


def _item(key: str, found: list[FindingTruth]) -> Item:
    sizes = [f.size_mm for f in found if f.size_mm is not None]
    lobes = tuple(sorted({lobe for f in found for lobe in f.lobes}))
    side = joined(f.side for f in found)
    return Item(key, lobes, side, round(max(sizes)) if sizes else None, sum(f.volume_ml for f in found), sum(f.lung_share for f in found))


def fill(template: str, item: Item, chinese: bool) -> str:
    """A phrase about one item."""
    article, adjective, zh = region(item.lobes, item.side)
    side, deg = side_words(item.side)[chinese], degree(item.key, item.mm, item.share)[chinese]
    made = template.format(
        loc=zh if chinese else article,
        adj=adjective,
        Adj=_upper(adjective),
        side=side,
        Side=_upper(side),
        deg=deg,
        Deg=_upper(deg),
        mm=item.mm,
    )
    return made if chinese else _upper(made)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _pick(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _style(rng: np.random.Generator, items: list[Item]) -> Style:
    most = 3 if len(items) < 4 else 2
    return Style(
        by_organ=bool(rng.random() < 0.35),
        numbered=bool(rng.random() < 0.25),
        negatives=most if rng.random() < 0.8 else 1,
        suggests=bool(rng.random() < 0.7),
        technique=bool(rng.random() < 0.2),
    )


def _write(rng: np.random.Generator, disease: str, truth: Truth, chinese: bool) -> str:
    items = ranked(truth)[:MOST]
    style = _style(rng, items)
    shown = sorted(items, key=lambda i: ORGANS.index(phrases()[i.key].organ)) if style.by_organ else items
    lines = [fill(_pick(rng, phrases()[i.key].zh if chinese else phrases()[i.key].en), i, chinese) for i in shown]
    if not items:
        lines.append(_pick(rng, _REPORT["clear"][chinese]))
    lines += [compared(change, truth.prior.months, chinese) for change in truth.prior.changes] if truth.prior else []
    low_dose = truth.screening is not None
    if style.technique and (low_dose or truth.contrast):
        lines.insert(0, _REPORT["low_dose" if low_dose else "contrast"][chinese])
    lines += _absent(rng, truth, style.negatives, chinese)
    told = _impression(rng, disease, truth, items, style, chinese)
    whole: str = _REPORT["whole"][chinese]
    return whole.format(findings=("" if chinese else " ").join(lines), impression=told)


def _absent(rng: np.random.Generator, truth: Truth, most: int, chinese: bool) -> list[str]:
    names = [words[chinese] for label, words in NEGATIVES.items() if truth.labels[label] == 0]
    order = sorted(rng.permutation(len(names))[:most])
    chosen = [names[i] for i in order]
    if not chosen:
        return []
    if chinese:
        return [_pick(rng, _REPORT["none"][1]).format(_REPORT["list"][1].join(chosen))]
    listed = chosen[0] if len(chosen) == 1 else f"{', '.join(chosen[:-1])} or {chosen[-1]}"
    return [_pick(rng, _REPORT["none"][0]).format(listed)]


def _impression(rng: np.random.Generator, disease: str, truth: Truth, items: list[Item], style: Style, chinese: bool) -> str:
    choices = [(p.short_zh if chinese else p.short_en, i) for i in items if (p := phrases()[i.key]).short_en][:3]
    short = [fill(_pick(rng, words), i, chinese) for words, i in choices]
    stop = _REPORT["stop"][chinese]
    if not short:
        told = [_pick(rng, _REPORT["normal"][chinese])]
    elif style.numbered and len(short) > 1:
        told = [f"{n}. {text}{stop}" for n, text in enumerate(short, 1)]
    else:
        told = [_REPORT["clauses"][chinese].join(short if chinese else [short[0], *map(_lower, short[1:])]) + stop]
    if short and style.suggests and disease in SUGGESTION:
        told.append(_pick(rng, _REPORT["suggest"][chinese]).format(SUGGESTION[disease][chinese]))
    if truth.screening is not None and rng.random() < 0.5:
        told.append(_REPORT["lung_rads"][chinese].format(category=truth.screening.lung_rads))
    return ("" if chinese else " ").join(told)
