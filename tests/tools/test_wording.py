"""Warnings and reasons of the rooms below in Chinese: every sentence that limits a CT figure, joined reasons, and what is kept as JSON."""

import re
from pathlib import Path

import pytest

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging import validity as limits
from medmpt_backend.imaging.readers import read
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.inference.training_domain import judge
from medmpt_backend.messages import BOTH, Said, joined, messages
from medmpt_backend.weights.checkpoint import Provenance
from tools.evidence import ToolResult
from tools.imaging.marks.mark import Mark
from tools.wording import in_language, localised_result

_LATIN = re.compile(r"[A-Za-z]{4,}")
_NAMES = {"MedMPT", "RescaleIntercept", "DICOM"}


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
        assert in_language(text, "zh") != text
        assert not english_left(in_language(text, "zh").replace("ODD", "").replace("B70f", "")), text


def test_sentences_keep_their_numbers_and_an_error_keeps_its_chinese(tmp_path: Path) -> None:
    said = messages("medmpt_backend.imaging").said
    text = said("slice {index} (0-based from the head) was missing and was interpolated from its neighbours", index=12)
    assert "12" in text
    assert in_language(text, "zh") == "第 12 层（自头侧从 0 计）缺失，已由相邻层面插值补上"
    assert in_language(text, "en") == text
    with pytest.raises(BadInput) as refused:
        read(tmp_path)
    assert str(refused.value).startswith("the folder is empty")
    assert in_language(str(refused.value), "zh").startswith("文件夹为空")


def test_joined_reasons_of_the_domain_are_chinese_as_a_whole() -> None:
    import numpy as np

    about = {"name": "w", "source": "here", "source_sha256": "0" * 64, "licence": "own", "trained_on": "virtual studies"}
    provenance = Provenance.model_validate({**about, "model_sha256": "0" * 64, "synthetic_training": True})
    validity = judge(np.zeros(2, np.float32), False, provenance, None)
    assert validity.reason is not None
    found = in_language(joined(["the file", validity.reason]), "zh")
    assert found == "the file；权重仅用合成检查训练，而本检查不是合成检查"


def test_a_result_is_turned_as_a_whole_and_the_unknown_stays() -> None:
    reason = Said("the case has no CT study", "该病例没有 CT 检查")
    result = ToolResult(tool="quantify_ct", status="partial", reason=reason, warnings=("never heard of",))
    turned = localised_result(result, "zh")
    assert (turned.reason, turned.warnings) == ("该病例没有 CT 检查", ("never heard of",))
    assert localised_result(result, "en") is result
    assert result.model_dump(mode="json")["reason"] == "the case has no CT study"


def test_no_value_may_be_none() -> None:
    with pytest.raises(ValueError, match="None"):
        messages("medmpt_backend.imaging").said("kernel {name}", name=None)


def test_a_kept_mark_keeps_both_languages_and_an_old_one_is_still_read() -> None:
    limit = Said("Pixels are 1.50 mm wide.", "像素宽 1.50 mm")
    lesion = {
        "long_mm": 8.0, "short_mm": 6.0, "mean_mm": 7.0, "volume_mm3": 150.0, "type": "solid", "solid_mm": 8.0, "mean_hu": 20.0,
        "box": {"x": (1, 2), "y": (1, 2), "z": (1, 2)}, "lobe_or_third": "upper", "side": "left", "slice": 1,
        "axis_ends": ((0.0, 0.0), (1.0, 1.0)), "warnings": (limit,),
    }  # fmt: skip
    mark = Mark.model_validate({"number": 1, "at": (1, 1, 1), "made": "2026-01-01T00:00:00+00:00", "lesion": lesion})
    again = Mark.model_validate_json(mark.model_dump_json(context=BOTH))
    assert in_language(again.lesion.warnings[0], "zh") == "像素宽 1.50 mm"
    assert mark.model_dump(mode="json")["lesion"]["warnings"] == ["Pixels are 1.50 mm wide."]
    assert Mark.model_validate_json(mark.model_dump_json()).lesion.warnings == ("Pixels are 1.50 mm wide.",)
