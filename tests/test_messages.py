"""Messages as data: both languages have each, nothing is left over, and no value is missing."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.messages.catalogue import Messages
from retrieval.messages.patterns import Patterns

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import check_messages

PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "D-dimer is {value:.2f} {unit}."
msgstr "D-二聚体为 {value:.2f} {unit}。"

msgctxt "flag"
msgid "high"
msgstr "偏高"

msgid "high"
msgstr "高"
"""


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A room of its own, with a catalogue and patterns."""
    folder = tmp_path / "teahouse"
    (folder / "data" / "messages" / "zh").mkdir(parents=True)
    (folder / "data" / "patterns").mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "data" / "messages" / "zh" / "tea.po").write_text(PO, encoding="utf-8")
    (folder / "data" / "patterns" / "tea.toml").write_text(
        'urine = "尿(?!素)"\nwords = ["a", "b"]\n[unit]\n"毫克" = "mg"\n', encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    sys.modules.pop("teahouse", None)


def test_a_message_is_said_in_both_languages_with_its_values(room: Path) -> None:
    tea = Messages("teahouse.tea")
    both = tea.pair("D-dimer is {value:.2f} {unit}.", value=0.449, unit=("units", "单位"))
    assert both == ("D-dimer is 0.45 units.", "D-二聚体为 0.45 单位。")
    assert (tea.say("en", "high"), tea.say("zh", "high"), tea.say("zh", "high", context="flag")) == ("high", "高", "偏高")
    assert tea.table("flag") == {"high": "偏高"}


def test_no_value_is_shown_as_none(room: Path) -> None:
    tea = Messages("teahouse.tea")
    with pytest.raises(ValueError, match="no value for unit"):
        tea.pair("D-dimer is {value:.2f} {unit}.", value=1.0, unit=None)  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        tea.pair("D-dimer is {value:.2f} {unit}.", value=1.0)
    with pytest.raises(KeyError):
        tea.pair("nobody translated this")


def test_patterns_are_data(room: Path) -> None:
    tea = Patterns("teahouse.tea")
    assert tea.regex("urine").search("尿常规")
    assert not tea.regex("urine").search("尿素")
    assert (tea.words("words"), tea.table("unit")) == (("a", "b"), {"毫克": "mg"})
    with pytest.raises(TypeError):
        tea.words("urine")


def test_every_message_of_the_house_has_its_chinese_and_none_is_left_over() -> None:
    assert check_messages.faults() == []


def test_the_check_finds_what_is_missing_and_what_is_left_over(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(room.parent)
    monkeypatch.setattr(check_messages, "ROOMS", ("teahouse",))
    (room / "pot.py").write_text(
        'pair = messages("teahouse.tea").pair\n'
        'pair("D-dimer is {value:.2f} {unit}.", value=1)\npair("lukewarm")\npair(f"hot {x}")\n中 = 1\n',
        encoding="utf-8",
    )
    found = "\n".join(check_messages.faults())
    assert "no Chinese for 'lukewarm'" in found
    assert "unit: slot without a value" in found
    assert "one literal" in found
    assert "nobody says 'high' (flag)" in found
    assert "1 lines with Chinese" in found
