"""Demo cases open with their generated CT."""

from pathlib import Path

import pytest

from tools.case.demo import demo_cases, demo_title, open_demo
from tools.errors import BadInput


def test_titles_in_two_languages() -> None:
    for name in demo_cases():
        assert demo_title(name, "en") != demo_title(name, "zh")
    with pytest.raises(BadInput, match="demo-cap-01"):
        open_demo("no-such-demo", Path())


def test_a_lazily_opened_demo_generates_nothing(tmp_path: Path) -> None:
    loaded = open_demo("demo-cap-01", tmp_path, lazy=True)
    assert list(loaded.studies) == ["ct-1"]
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_a_demo_study_is_generated_once_and_readable(tmp_path: Path) -> None:
    from medmpt_backend.imaging.load import load_volume

    first = open_demo("demo-cap-01", tmp_path)
    assert list(first.studies) == ["ct-1"]
    files = sorted(p.stat().st_mtime_ns for p in first.studies["ct-1"].iterdir())
    again = open_demo("demo-cap-01", tmp_path)
    assert sorted(p.stat().st_mtime_ns for p in again.studies["ct-1"].iterdir()) == files
    volume = load_volume(first.studies["ct-1"])
    assert volume.series.synthetic
    assert volume.series.contrast == "no"
    assert not first.warnings
