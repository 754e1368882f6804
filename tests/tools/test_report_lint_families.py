"""Reports of our own in families that a fresh author's reports had shown to be weak (`family_reports.txt`): every error, no sound one."""

import re
from datetime import date
from pathlib import Path

import pytest

from tools.reports.lint import lint

ROWS = Path(__file__).with_name("family_reports.txt")


def rows() -> list[tuple[str, str, str]]:
    """`f` or `s` (faulty or sound), the kind of the remark, and the report."""
    parts = re.split(r"^([fs]) (\w+)$\n", ROWS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [(mark, kind, text.strip()) for mark, kind, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)]


def remarks(text: str) -> list[tuple[str, str]]:
    return [(r.kind, r.text) for r in lint(text, today=date(2026, 12, 1)).remarks]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for mark, kind, text in rows() if mark == "f"])
def test_every_error_is_found(kind: str, text: str) -> None:
    assert kind in {k for k, _ in remarks(text)}


@pytest.mark.parametrize("text", [text for mark, _, text in rows() if mark == "s"])
def test_sound_reports_are_left_alone(text: str) -> None:
    assert remarks(text) == []


def test_both_languages_and_both_sorts_are_there() -> None:
    chinese = [(mark, any("\u4e00" <= c <= "\u9fff" for c in text)) for mark, _, text in rows()]
    assert {(mark, zh) for mark, zh in chinese} == {("f", True), ("f", False), ("s", True), ("s", False)}
