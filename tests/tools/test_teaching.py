"""Commit before reveal, the comparison itself: every outcome, sizes at their tolerance, joined sides, what may be committed."""

import pytest

from tools.errors import BadInput
from tools.teaching.commit import (
    CHOICES,
    Entry,
    MachineFinding,
    MachineRead,
    Reading,
    TrueFinding,
    check_reading,
    compare,
    merge_truth,
    size_off,
    summary,
)

NODULE = TrueFinding(finding="lung_nodule", side="right", size_mm=10.0, slice=28)
EFFUSION = TrueFinding(finding="pleural_effusion", side="both", slice=40)
HEART = TrueFinding(finding="cardiomegaly")
MACHINE = MachineRead(
    called=(MachineFinding(finding="lung_nodule", side="left", score=0.8, threshold=0.4),), denied=("pleural_effusion", "consolidation")
)


def said(finding: str, side: str | None = None, size: float | None = None, confidence: int = 3) -> Entry:
    return Entry.model_validate({"finding": finding, "side": side, "size_mm": size, "confidence": confidence})


def outcomes(*entries: Entry) -> dict[str, str]:
    return {row.finding: row.outcome for row in compare(Reading(entries=entries), (NODULE, EFFUSION, HEART), MACHINE)}


def test_everything_found_is_a_hit_each() -> None:
    full = outcomes(said("lung_nodule", "right", 11), said("pleural_effusion", "both"), said("cardiomegaly"))
    assert full == {"lung_nodule": "hit", "pleural_effusion": "hit", "cardiomegaly": "hit"}


def test_miss_wrong_side_size_and_overcall_are_told_apart() -> None:
    assert outcomes() == {"lung_nodule": "miss", "pleural_effusion": "miss", "cardiomegaly": "miss"}
    found = outcomes(said("lung_nodule", "left", 10), said("pleural_effusion", "left"), said("consolidation", "right", confidence=5))
    assert found["lung_nodule"] == found["pleural_effusion"] == "wrong_side"
    assert found["consolidation"] == "overcall"
    assert outcomes(said("lung_nodule", "right", 14))["lung_nodule"] == "size_off"


@pytest.mark.parametrize(
    ("stated", "true", "off"), [(12.0, 10.0, False), (12.1, 10.0, True), (47.0, 40.0, False), (49.0, 40.0, True), (None, 10.0, False)]
)
def test_a_size_is_right_within_two_millimetres_or_a_fifth(stated: float | None, true: float, off: bool) -> None:
    assert size_off(stated, true) is off


def test_right_and_left_recorded_apart_are_both_sides() -> None:
    apart = outcomes(said("pleural_effusion", "left"), said("pleural_effusion", "right"))
    assert apart["pleural_effusion"] == "hit"


def test_feedback_names_the_machine_and_both_languages() -> None:
    rows = {r.finding: r for r in compare(Reading(entries=(said("lung_nodule", "left", 10),)), (NODULE, EFFUSION, HEART), MACHINE)}
    assert (rows["lung_nodule"].machine, rows["lung_nodule"].machine_side) == (True, "left")
    assert rows["pleural_effusion"].machine is False
    assert rows["cardiomegaly"].machine is None  # no detector for it ran
    assert "right" in rows["lung_nodule"].text
    assert "右侧" in rows["lung_nodule"].text_zh
    assert "10 mm" in rows["lung_nodule"].text_zh or "侧别有误" in rows["lung_nodule"].text_zh
    told = summary(rows.values())
    assert (told.hits, told.partly, told.misses, told.overcalls) == (0, 1, 2, 0)
    assert "0 of 3" in told.text


def test_a_sure_overcall_is_pointed_out() -> None:
    sure, guess = (compare(Reading(entries=(said("mass", "left", 40, c),)), (), MACHINE)[0] for c in (5, 2))
    assert "sure" in sure.text
    assert "sure" not in guess.text


def test_only_complete_readings_can_be_committed() -> None:
    assert check_reading(Reading()).entries == ()  # says that the study is normal
    for wrong in (said("unicorn", "left"), said("consolidation"), said("lung_nodule", "left")):
        with pytest.raises(BadInput):
            check_reading(Reading(entries=(wrong,)))
    with pytest.raises(BadInput, match="twice"):
        check_reading(Reading(entries=(said("consolidation", "left"), said("consolidation", "left"))))
    with pytest.raises(ValueError, match="confidence"):
        said("cardiomegaly", confidence=6)


def test_truth_of_one_finding_is_merged() -> None:
    two = (NODULE, TrueFinding(finding="lung_nodule", side="left", size_mm=14.0, slice=9), HEART)
    merged = merge_truth(two)
    assert [(t.finding, t.side, t.size_mm, t.slice) for t in merged] == [
        ("lung_nodule", "both", 14.0, 9),
        ("cardiomegaly", None, None, None),
    ]
    assert {t.finding for t in merged} <= set(CHOICES)
