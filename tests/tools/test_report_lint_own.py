"""Reports of our own (`own_reports.txt`), written before the rules of 30 November: errors found, sound ones left alone."""

import re
from datetime import date
from pathlib import Path

import pytest

from tools.reports.lint import lint

ROWS = Path(__file__).with_name("own_reports.txt")


def rows() -> list[tuple[bool, str, str]]:
    """Whether there is an error, what it was called, and the report."""
    parts = re.split(r"^([fs]) (\w+)$\n", ROWS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [(mark == "f", kind, text.strip()) for mark, kind, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)]


def test_most_errors_are_found_and_hardly_a_sound_report_is_bothered() -> None:
    found = [(error, kind, text, bool(lint(text, today=date(2026, 11, 29)).remarks)) for error, kind, text in rows()]
    missed = [(kind, text) for error, kind, text, hit in found if error and not hit]
    bothered = [(kind, text) for error, kind, text, hit in found if hit and not error]
    assert (sum(error for error, *_ in found), sum(not error for error, *_ in found)) == (113, 74)
    assert len(missed) <= 10, missed
    assert not bothered, bothered


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("CT chest. 30-year-old woman. Thymectomy 35 years ago.\nImpression: no recurrence.", True),
        ("CT chest. 30-year-old woman. Thymectomy 5 years ago.\nImpression: no recurrence.", False),
        ("CT chest. 30-year-old woman. Her father had lung cancer 35 years ago.\nImpression: no nodule.", False),
        ("胸部CT。男，22岁，吸烟30年。\n印象：未见结节。", True),
        ("胸部CT。男，52岁，吸烟30年，20年前患结核。\n印象：未见结节。", False),
    ],
)
def test_the_past_does_not_lie_before_the_birth(text: str, told: bool) -> None:
    assert any(r.kind == "identity" for r in lint(text, today=date(2026, 11, 29)).remarks) is told


@pytest.mark.parametrize(
    "text",
    [
        "CT after a road accident. 44F.\nRight: 4th rib fracture, small pneumothorax. No haemothorax.\n"
        "Left: no rib fracture. No pneumothorax. Trace haemothorax.\n"
        "Impression: right 4th rib fracture, small right pneumothorax, trace left haemothorax.",
        "CT chest. 51M, fell 4 m from a ladder. No fracture. No pneumothorax.\nImpression: no injury.",
        "CT chest. 58F. Well defined 21 mm nodule in the lingula with macroscopic fat and popcorn calcification.\n"
        "Impression: hamartoma, 21 mm. No follow-up required.",
        "胸部CT。女，80岁。呼吸伪影，6mm以下结节可能漏检。两肺未见实变。\n印象：未见肺炎。",
    ],
)
def test_sound_reports_of_daily_work_are_left_alone(text: str) -> None:
    assert lint(text, today=date(2026, 11, 29)).remarks == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "CT chest. 70M. Large right pleural effusion. Trace left pleural effusion.\n"
            "Impression: moderate left pleural effusion; trace right pleural effusion.",
            "size",
        ),
        ("低剂量CT筛查。男，60岁。左肺下叶实性结节7mm。\n印象：Lung-RADS 3类，左肺下叶实性结节7mm。建议戒烟。", "follow_up"),
    ],
)
def test_errors_of_daily_work_are_found(text: str, kind: str) -> None:
    assert kind in {r.kind for r in lint(text, today=date(2026, 11, 29)).remarks}
