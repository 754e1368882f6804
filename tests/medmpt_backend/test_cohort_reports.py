"""Reports agree with the truth: every phrase and whole reports are read back."""

import numpy as np
import pytest

from medmpt_backend.cohort.findings import Side
from medmpt_backend.cohort.patients.diseases import DISEASES
from medmpt_backend.cohort.reports.compose import MOST, Item, fill, ranked, write_reports
from medmpt_backend.cohort.reports.phrases import NEGATIVES, SUGGESTION, phrases
from medmpt_backend.cohort.reports.read import labels_of, read_report
from medmpt_backend.cohort.truth import MEANS, Change, FindingTruth, Prior, Screening, Truth
from medmpt_backend.findings import FINDINGS

RIGHT, LEFT = ("RUL", "RML", "RLL"), ("LUL", "LLL")
SIZED = (
    "mass",
    "cavity",
    "nodule_",
    "granuloma",
    "halo",
    "effusion",
    "pneumothorax",
    "lymph",
    "bulla",
    "hiatal",
    "thyroid",
    "adrenal",
    "bone",
)
LATERAL = {"pulmonary_embolus", "rib_fracture", "thyroid_nodule", "adrenal_mass", "pleural_plaque"}


def _labels(key: str) -> set[str]:
    return set(MEANS.get({"nodules": "nodule_solid", "halos": "halo_sign"}.get(key, key), (key,)))


@pytest.mark.parametrize("chinese", [True, False])
@pytest.mark.parametrize("key", sorted(phrases()))
def test_every_phrase_can_be_read_back(key: str, chinese: bool) -> None:
    phrase = phrases()[key]
    places: list[tuple[tuple[str, ...], Side]] = [
        (("RUL",), "right"),
        (("LLL", "LUL"), "left"),
        (("LLL", "RLL"), "both"),
        (RIGHT + LEFT, "both"),
        ((), "left"),
    ]
    for lobes, side in places:
        item = Item(key, lobes, side, 17, 3.0, 0.1)
        words = phrase.zh + phrase.short_zh if chinese else phrase.en + phrase.short_en
        assert words
        for template in words:
            text = fill(template, item, chinese)
            found = read_report(text)
            read = {label for m in found for label in m.labels}
            assert read == _labels(key) or (template in phrase.short_en + phrase.short_zh and read and read < _labels(key)), text
            assert all(m.present for m in found), text
            assert all(m.mm == (17 if "{mm}" in template else None) for m in found), text
            if any(place in template.lower() for place in ("{loc}", "{adj}", "{side}")):
                assert all(m.side == side for m in found), text
                assert all(m.lobes in (frozenset(), frozenset(lobes)) or not lobes for m in found), text


def test_every_disease_but_the_unremarkable_has_a_suggestion() -> None:
    told_by_findings = {"normal", "screening", "bronchiectasis", "pulmonary_embolism", "pneumothorax"}
    assert {d.id for d in DISEASES} - set(SUGGESTION) == told_by_findings


def _random_truth(rng: np.random.Generator) -> Truth:
    found = []
    for key in rng.choice(sorted(MEANS), size=int(rng.integers(0, 9))):
        lobes = tuple(sorted(rng.choice(RIGHT + LEFT, size=int(rng.integers(1, 6)), replace=False)))
        focal = key.startswith(("hamartoma", "nodule_", "granuloma", "mass", "cavity", "halo", "bulla"))
        lobes = lobes[:1] if focal else () if key in LATERAL else lobes
        sides = {"right" if lobe in RIGHT else "left" for lobe in lobes} or {"left", "right"} - {str(rng.choice(["left", "right", "none"]))}
        side: Side = "both" if len(sides) == 2 else "right" if "right" in sides else "left"
        size = round(float(rng.uniform(4, 60)), 1) if key.startswith(SIZED) or "effusion" in key else None
        volume = float(rng.uniform(0.1, 50))
        visible = bool(rng.random() < 0.9)
        found.append(
            FindingTruth(
                id=str(key), labels=MEANS[key], side=side, lobes=lobes, size_mm=size, volume_ml=volume,
                lung_share=volume / 200, voxels=50, visible=visible,
            )
        )  # fmt: skip
    seen = {label for f in found if f.visible for label in f.labels}
    hidden = {label for f in found for label in f.labels} - seen
    labels = {label: 1 if label in seen else None if label in hidden else 0 for label in FINDINGS}
    return Truth(
        findings=tuple(found), labels=labels, classes={}, opacity_share=0.1, lung_ml=4000, contrast=bool(rng.random() < 0.5),
        cardiothoracic_ratio=0.5, pulmonary_artery_mm=25, screening=Screening(eligible=True, lung_rads="2") if rng.random() < 0.2 else None,
    )  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_reports_say_what_is_true(language: str) -> None:
    rng = np.random.default_rng(4)
    texts = set()
    for i in range(200):
        truth, disease = _random_truth(rng), DISEASES[i % len(DISEASES)].id
        text = write_reports(rng, disease, truth)[language]
        texts.add(text)
        told = ranked(truth)[:MOST]
        stated = {label for label, present in labels_of(text).items() if present}
        assert stated == {label for item in told for label in _labels(item.key)}, text
        denied = {label for label, present in labels_of(text).items() if not present}
        assert denied <= set(NEGATIVES), text
        assert all(truth.labels[label] == 0 for label in denied), text
        for mention in read_report(text):
            same = [i for i in told if set(mention.labels) & _labels(i.key)]
            assert not mention.present or mention.side is None or mention.side in {i.side for i in same}, text
            assert mention.mm is None or mention.mm in {i.mm for i in same}, text
    assert len(texts) > 190


def test_a_comparison_names_both_sizes() -> None:
    rng = np.random.default_rng(1)
    grown = Change(id="nodule_solid", lobes=("RUL",), from_mm=8.2, to_mm=12.1, doubling_days=150)
    stable = Change(id="nodule_ground_glass", lobes=("LLL",), from_mm=9.0, to_mm=9.0, doubling_days=None)
    truth = _random_truth(rng).model_copy(update={"prior": Prior(study="1-000001", months=6, changes=(grown, stable))})
    reports = write_reports(rng, "screening", truth)
    assert "the right upper lobe solid nodule has grown from 8 to 12 mm" in reports["en"]
    assert "右肺上叶实性结节由8mm增大至12mm" in reports["zh"]
    assert "unchanged at 9 mm" in reports["en"]
    assert "无明显变化（9mm）" in reports["zh"]
    sizes = {(m.key, m.mm) for m in read_report(reports["zh"])}
    assert {("nodule_solid", 12.0), ("nodule_ground_glass", 9.0)} <= sizes
