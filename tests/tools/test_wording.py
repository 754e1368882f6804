"""Warnings and reasons of the rooms below in Chinese: every sentence that limits a CT figure, and joined reasons."""

import re

import pytest

from medmpt_backend.imaging import validity as limits
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from tools.evidence import ToolResult
from tools.wording import in_language, localised_result

_LATIN = re.compile(r"[A-Za-z]{4,}")
_NAMES = {"MedMPT", "RescaleIntercept"}


def english_left(text: str) -> list[str]:
    return [w for w in _LATIN.findall(text) if w not in _NAMES]


def _volume(**facts: object) -> Volume:
    import numpy as np

    series = SeriesInfo.__new__(SeriesInfo)
    defaults = dict.fromkeys(SeriesInfo.__dataclass_fields__) | {"uid_hash": "0" * 16, "synthetic": False, "contrast": "no"}
    for name, value in {**defaults, **facts}.items():
        object.__setattr__(series, name, value)
    return Volume(np.zeros((4, 4, 4), np.int16), (3.0, 1.5, 1.5), series)


def test_every_limit_of_a_figure_has_its_chinese_form() -> None:
    said = []
    for contrast in ("yes", "unknown"):
        for kernel in (None, "B70f", "ODD"):
            for thickness in (None, 5.0):
                volume = _volume(contrast=contrast, kernel=kernel, thickness_mm=thickness)
                parts = (limits._contrast(volume.series), limits._thickness(volume), limits._kernel(volume.series), limits._pixel(volume))
                said += [limit.reason for part in parts for limit in part]
    assert len(set(said)) >= 6
    for text in said:
        assert not english_left(in_language(text, "zh").replace("ODD", "").replace("B70f", "")), text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("the study lies 3.82 from the training studies; 1.50 is the limit (its grey values, its anatomy)", "3.82"),
        ("the weights were trained on synthetic studies only, and this study is not one of them", ""),
        ("slice 12 (0-based from the head) was missing and was interpolated from its neighbours", "12"),
        ("3 duplicate slices dropped", "3"),
    ],
)
def test_sentences_keep_their_numbers(text: str, number: str) -> None:
    found = in_language(text, "zh")
    assert number in found
    assert not english_left(found)
    assert in_language(text, "en") == text


def test_joined_reasons_are_taken_apart() -> None:
    joined = (
        "the study lies 3.82 from the training studies; 1.50 is the limit (its anatomy); "
        "the weights were trained on synthetic studies only, and this study is not one of them"
    )
    found = in_language(f"the report cannot be compared: {joined}", "zh")
    assert not english_left(found)
    assert "3.82" in found
    assert "；" in found


def test_a_result_is_turned_as_a_whole_and_the_unknown_stays() -> None:
    result = ToolResult(tool="quantify_ct", status="partial", reason="the case has no CT study", warnings=("never heard of",))
    turned = localised_result(result, "zh")
    assert (turned.reason, turned.warnings) == ("该病例没有 CT 检查", ("never heard of",))
    assert localised_result(result, "en") is result
