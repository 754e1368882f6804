"""A draft from measurements: what stands in it, what stays out of it, both languages alike."""

import re
from dataclasses import replace

import pytest

from medmpt_backend.imaging.draft.labels import table
from medmpt_backend.imaging.draft.write import Sentence, measured_draft
from medmpt_backend.imaging.findings.groups import (
    AirwayGroup,
    Aorta,
    BodyGroup,
    BoneGroup,
    CalciumGroup,
    ConsolidationGroup,
    Coronary,
    Findings,
    HeartGroup,
    PleuraGroup,
    Point,
    VesselGroup,
)
from medmpt_backend.imaging.quantify import LungFigures, Quantification, RegionFigures
from medmpt_backend.imaging.validity import Limit
from medmpt_backend.imaging.volume import SeriesInfo


def study(**findings: object) -> Quantification:
    """A chest with 12 % emphysema and 3 % ground glass; every group in its domain and empty unless given."""
    groups: dict[str, object] = {
        "airway": AirwayGroup("in", None, None),
        "effusion": PleuraGroup("in", None, 0.0, 0.0),
        "pneumothorax": PleuraGroup("in", None, 0.0, 0.0),
        "consolidation": ConsolidationGroup("in", None, 0.0, 0.0),
        "calcium": CalciumGroup("out", "", Coronary(None, None), Aorta(None)),
        "vessels": VesselGroup("out", "", None, None, None),
        "heart": HeartGroup("out", "", None, None),
        "bone": BoneGroup("out", "", None, None),
        "body": BodyGroup("out", "", None, None, None),
    }
    regions = tuple(
        RegionFigures(side, third, 1.0, -850.0, 12.0 if third == "upper" else 2.0, 3.0, 0.0)
        for side in ("right", "left")
        for third in ("upper", "middle", "lower")
    )
    return Quantification(
        series=SeriesInfo("x", thickness_mm=1.0, kernel="B30f", contrast="no"),
        slices=300,
        spacing_mm=(1.0, 0.7, 0.7),
        lungs=LungFigures(5.5, 2.6, 2.9, -850.0, -870.0, -930.0, 12.0, 5.0, 3.0, 0.0),
        regions=regions,
        key_slices={"most_emphysema": Point(40, 40.0), "most_ground_glass": Point(90, 90.0)},
        limits=(),
        definitions={},
        findings=Findings(**{**groups, **findings}),  # type: ignore[arg-type]
        warnings=(),
    )


def said(q: Quantification) -> dict[str, Sentence]:
    return {s.name: s for s in measured_draft(q)}


def test_sections_come_in_the_order_of_a_report() -> None:
    order = [s.section for s in measured_draft(study())]
    assert order == sorted(order, key=["technique", "findings", "impression", "recommendation", "limits"].index)


def test_looked_for_and_not_found_is_said_only_where_the_method_ran_in_its_domain() -> None:
    found = said(study())
    assert found["pleura"].present is False
    assert found["pneumothorax"].present is False
    outside = said(study(effusion=PleuraGroup("unknown", "few scans", 0.0, 0.0), pneumothorax=PleuraGroup("out", "bullae", 30.0, 0.0)))
    assert "pleura" not in outside
    assert "pneumothorax" not in outside
    assert "pleural fluid" in outside["outside"].en
    assert "胸腔积液" in outside["outside"].zh


def test_an_experimental_finding_stays_out() -> None:
    found = measured_draft(study(consolidation=ConsolidationGroup("unknown", "few scans", 333.0, 6.0)))
    assert not any("333" in s.en for s in found)


def test_fluid_with_dense_lung_takes_the_row_of_the_combination() -> None:
    wet = PleuraGroup("in", None, 0.0, 640.0, 200)
    alone, both = (
        said(study(effusion=wet)),
        said(study(effusion=wet, consolidation=ConsolidationGroup("in", None, 90.0, 1.6, 210, 80.0, 10.0))),
    )
    assert "dense lung" not in alone["pleura"].en
    assert "dense lung" in both["pleura"].en
    assert "90 mL on the left," in both["dense"].en
    assert "左侧" in both["dense"].zh
    assert "640" in both["pleura"].en
    assert "右侧" in both["pleura"].zh
    assert both["pleura"].slice == 200
    assert "too little to say" in both["pleura"].en
    sides = said(study(effusion=PleuraGroup("in", None, 120.0, 640.0, 200, 9.0, 21.0, "loculated", "free")))
    assert "right about 640 mL, free, mean 21 HU; left about 120 mL, loculated, mean 9 HU" in sides["pleura"].en
    assert "包裹性，平均 9 HU" in sides["pleura"].zh
    assert "both sides" in sides["pleura"].en
    assert "760" in sides["impression_pleura"].en


def test_the_impression_is_ordered_by_weight() -> None:
    q = study(pneumothorax=PleuraGroup("in", None, 300.0, 0.0, 60), effusion=PleuraGroup("in", None, 0.0, 640.0, 200))
    impression = [s.name for s in measured_draft(q) if s.section == "impression"]
    assert impression[0] == "impression_pneumothorax"
    assert impression.index("impression_pleura") < impression.index("impression_emphysema")


def test_emphysema_brings_its_rule_with_its_source_and_contrast_takes_both_away() -> None:
    found = said(study())
    assert "12.0 %" in found["emphysema"].en
    assert "GOLD" in (found["rule_spirometry"].source or "")
    limit = Limit("contrast", "out", ("laa950_pct",), "contrast")
    shaded = said(replace(study(), limits=(limit,)))
    assert "emphysema" not in shaded
    assert "rule_spirometry" not in shaded


@pytest.mark.parametrize("row", table()["row"], ids=lambda row: "+".join(row["when"]))
def test_both_languages_hold_the_same_figures(row: dict[str, str]) -> None:
    for name in ("", "impression_"):
        if f"{name}en" in row:
            numbers = [sorted(re.findall(r"\{(\w+?)(?:_en|_zh)?\}", row[f"{name}{language}"])) for language in ("en", "zh")]
            assert numbers[0] == numbers[1]


def test_numbers_in_a_sentence_are_its_figures() -> None:
    for s in measured_draft(study(effusion=PleuraGroup("in", None, 0.0, 640.4, 200))):
        shown = {f"{value:.{decimals}f}" for _, value, _, decimals in s.figures} | {"950", "5"}
        assert set(re.findall(r"\d+(?:\.\d+)?", s.en)) <= shown | {"30"}, s.en


def test_an_empty_impression_says_what_was_looked_at() -> None:
    lungs = replace(study().lungs, laa950_pct=1.0, ggo_pct=0.5)
    found = said(replace(study(), lungs=lungs))
    assert "pleural fluid" in found["impression_nothing"].en
    assert "肺气肿" in found["impression_nothing"].zh
    blind = PleuraGroup("unknown", "pixels", 0.0, 0.0)
    limit = Limit("contrast", "out", ("laa950_pct",), "contrast")
    assert "impression_nothing" not in said(replace(study(effusion=blind, pneumothorax=blind), lungs=lungs, limits=(limit,)))


def test_dense_lung_names_its_third_and_a_small_area_is_a_place_to_look_at() -> None:
    spans = {"right": (0, 299), "left": (0, 299)}
    placed = said(replace(study(consolidation=ConsolidationGroup("in", None, 90.0, 1.6, 210, 80.0, 10.0)), spans=spans))
    assert "most in the lower third (slice 210)" in placed["dense"].en
    assert "以下三分之一最多（第 210 层）" in placed["dense"].zh
    small = said(replace(study(consolidation=ConsolidationGroup("in", None, 3.0, 0.1, 42, 3.0, 0.0)), spans=spans))
    assert small["dense"].finding == "ground_glass"
    assert "at least 3 mL on the left, most in the upper third (slice 42)" in small["small_dense"].en
    assert small["small_dense"].present is None
    assert "slice 42" in small["impression_small_dense"].en
    assert "small_dense" not in said(study(consolidation=ConsolidationGroup("in", None, 0.4, 0.0, 42, 0.4, 0.0)))


def test_a_lung_that_holds_less_than_its_share_is_named() -> None:
    q = study()
    assert "less than usual" not in said(q)["volume"].en
    small = said(replace(q, lungs=replace(q.lungs, total_l=4.0, right_l=1.6, left_l=2.4)))["volume"]
    assert "the right lung holds 40 % of the air" in small.en
    assert "右肺占含气容积 40 %" in small.zh


def test_what_no_method_looks_at_is_said() -> None:
    limits = said(study())["not_assessed"]
    assert all(name in limits.en for name in ("fractures of ribs and vertebrae", "airways", "bullae"))
    assert all(name in limits.zh for name in ("肋骨与椎体骨折", "气道", "肺大疱"))
