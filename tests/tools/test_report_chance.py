"""The chance of a remark, what stands apart because of it, and the causes of false alarms that were mended on strangers' reports."""

from datetime import date

import pytest

from tools.reports.lint import lint
from tools.reports.lint.chance.model import model
from tools.reports.lint.chance.signs import NAMES, rule_of

TODAY = date(2026, 11, 29)

SOUND = [
    "CT chest. Man, 69. His mother had ovarian cancer.\nFindings: Lungs clear.\nImpression: Lungs clear.",
    "女，58岁。2019年右下肺动脉栓塞，抗凝1年。\n所见：肺动脉未见充盈缺损。\n结论：未见肺栓塞。",
    "Findings: Right aortic arch with aberrant left subclavian artery.\nImpression: Right aortic arch, aberrant left subclavian artery.",
    "Findings: No nodule at the stump. Left lower lobe 4 mm nodule unchanged since 2021.\nImpression: Stable 4 mm nodule, no recurrence.",
    "Findings: Right upper lobe nodule 21 mm, left lower lobe nodule 13 mm.\n"
    "Impression: New nodules in the right upper and left lower lobes, biopsy advised.",
    "所见：左侧肋骨骨质不连续，呈骨折改变。\n印象：左侧肋骨骨折。",
]
WRONG = [
    ("size", "Findings: On the left, an upper lobe nodule of 6 mm is unchanged.\nImpression: 10 mm left upper lobe nodule, PET-CT."),
    ("size", "所见：右肺下叶脓肿由48mm缩小为30mm。\n印象：右肺下叶脓肿好转（44mm），3周后复查CT。"),
    ("side", "检查：左侧胸腔镜术后胸片。\n所见：左上肺见吻合钉。\n意见：右侧胸腔镜术后改变。"),
    ("follow_up", "所见：左肺上叶混合磨玻璃结节12mm。\n诊断：左肺上叶混合磨玻璃结节，12mm，建议定期复查。"),
]  # fmt: skip


@pytest.mark.parametrize("text", SOUND)
def test_sound_reports_are_left_alone(text: str) -> None:
    assert [r.text for r in lint(text, today=TODAY).remarks] == []


@pytest.mark.parametrize(("kind", "text"), WRONG)
def test_errors_are_found(kind: str, text: str) -> None:
    assert kind in {r.kind for r in lint(text, today=TODAY).remarks}


def test_every_remark_has_a_chance_and_the_doubtful_stand_apart() -> None:
    found = lint("所见：右肺下叶实性结节，约7mm。\n印象：右肺下叶7mm实性结节，建议6个月后复查。", today=TODAY)
    assert found.remarks == ()
    (doubtful,) = found.look
    assert rule_of(doubtful) == "follow_up: Follow-up is advised without saying by which examination."
    assert 0.0 < doubtful.chance < model().limit
    sure = lint("Findings: Small right pleural effusion.\nImpression: Small left pleural effusion.", today=TODAY).remarks
    assert all(model().limit <= r.chance < 1.0 for r in sure)
    assert sure


def test_the_model_knows_every_sign_and_no_other() -> None:
    assert set(model().signs) == set(NAMES)
