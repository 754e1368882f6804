from pathlib import Path

import pytest

from retrieval.errors import BadInput
from retrieval.guidelines.corpus import load_corpus, passage_key, read_corpus

GOOD = """
[[guideline]]
id = "old-2019"
issuer = "ATS"
title = "A guideline"
year = 2019
topic = "cap"
status = "superseded"
superseded_by = "new-2025"
doi = "10.1164/x.1"
pmid = ""
url = ""

[[guideline]]
id = "new-2025"
issuer = "ATS"
title = "A newer guideline"
year = 2025
topic = "cap"
status = "current"
superseded_by = ""
doi = "10.1164/x.2"
pmid = ""
url = ""

[[passage]]
id = "old-2019/duration"
guideline = "old-2019"
section = "Duration"
strength = "strong"
certainty = "low"
population = ""
tags = ["duration"]
text = "Antibiotics were given for at least 5 days, and 14 days in abscess."
text_zh = "抗菌药物至少使用5天,脓肿使用14天。"

[[passage]]
id = "new-2025/duration"
guideline = "new-2025"
section = "Duration"
strength = "conditional"
certainty = "low"
population = ""
tags = []
text = "Antibiotics are given for at least 3 days in stable adults."
text_zh = "病情稳定的成人抗菌药物至少使用3天。"
"""


def write(folder: Path, text: str = GOOD, conflicts: str = "old-2019/duration,new-2025/duration,days,天数\n") -> Path:
    (folder / "cap.toml").write_text(text, encoding="utf-8")
    (folder / "conflicts.csv").write_text("a,b,about,about_zh\n" + conflicts, encoding="utf-8")
    return folder


def test_a_good_corpus_loads(tmp_path: Path) -> None:
    corpus = load_corpus(write(tmp_path))
    assert [p.key for p in corpus.passages] == [passage_key("old-2019/duration"), passage_key("new-2025/duration")]
    assert corpus.guidelines[0].superseded_by == "new-2025"
    assert corpus.guidelines[1].pmid is None
    assert len(corpus.conflicts) == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('strength = "strong"', 'strength = "firm"', "strength"),
        ('section = "Duration"\nstrength = "conditional"', 'strength = "conditional"', "section"),
        ("year = 2019", "year = 1819", "1819"),
        ('superseded_by = "new-2025"', 'superseded_by = "gone-2030"', "gone-2030"),
        ('superseded_by = "new-2025"', 'superseded_by = ""', "superseded"),
        ("year = 2025", "year = 2018", "not newer"),
        ('id = "new-2025/duration"', 'id = "old-2019/duration"', "old-2019/duration"),
        ("Antibiotics are given", "word " * 181 + "Antibiotics are given", "words, at most 180"),
        ("病情稳定的成人抗菌药物至少使用3天。", "Three days in stable adults.", "Chinese"),
        ("Antibiotics are given for at least 3 days", "抗菌药物 are given for at least 3 days", "English"),
        ('doi = "10.1164/x.2"', 'doi = "doi:10.1164"', "doi"),
        ("[[guideline]]", "[guideline", "TOML"),
        ('guideline = "new-2025"', 'guideline = "other-2025"', "other-2025"),
        ('tags = ["duration"]', 'tags = ["duration"]\nextra = 1', "extra"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    _, problems = read_corpus(write(tmp_path, GOOD.replace(old, new, 1)))
    assert any(says in f"{p.row} {p.what}" and p.level == "error" for p in problems), problems
    with pytest.raises(BadInput, match="corpus lint"):
        load_corpus(tmp_path)


@pytest.mark.parametrize(
    "row", ["old-2019/duration,old-2019/duration,x,x", "old-2019/duration,none/x,x,x", "old-2019/duration,new-2025/duration,,x"]
)
def test_bad_conflicts_are_named(tmp_path: Path, row: str) -> None:
    _, problems = read_corpus(write(tmp_path, conflicts=row + "\n"))
    assert [p.file for p in problems if p.level == "error"] == ["conflicts.csv"]


def test_numbers_that_differ_between_languages_are_a_warning(tmp_path: Path) -> None:
    _, problems = read_corpus(write(tmp_path, GOOD.replace("脓肿使用14天", "脓肿使用41天")))
    assert [(p.level, p.what) for p in problems] == [("warning", "numbers in one language only: 14, 41")]


def test_the_kind_of_a_passage_is_read_and_checked(tmp_path: Path) -> None:
    kept = load_corpus(write(tmp_path, GOOD.replace('section = "Duration"', 'section = "Duration"\nkind = "criteria"', 1)))
    assert [p.genre for p in kept.passages] == ["criteria", "recommendation"]
    _, problems = read_corpus(write(tmp_path, GOOD.replace('section = "Duration"', 'section = "Duration"\nkind = "table"', 1)))
    assert any("kind" in p.what and p.level == "error" for p in problems)


def test_the_corpus_that_ships_is_clean() -> None:
    corpus, problems = read_corpus()
    assert [p for p in problems if p.level == "error"] == []
    assert len({p.guideline.topic for p in corpus.passages}) >= 8
    assert len(corpus.passages) >= 25
