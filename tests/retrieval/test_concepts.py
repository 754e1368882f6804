"""The whole concept table: antonyms apart, no name with two meanings unless listed, references that lead somewhere, one finder."""

import re
from collections import defaultdict
from typing import Literal

import pytest

from retrieval.concepts.finder import Finder, key_of
from retrieval.concepts.lexicon import Lexicon
from retrieval.concepts.table import FOLDER, listed, read_rows, vocabulary

TABLE = vocabulary().concepts
LESS = re.compile(
    r"hypo(?!static|pneumon|thyroid|glossal|vent)|\blow\b|bradyc|bradyp|penia|^低(?!分子|剂量|衰减|密度|危|风险|流量)|减少", re.IGNORECASE
)
MORE = re.compile(r"hyper(?!sens|infl|venti)|\bhigh\b|tachy|philia\b|cytosis|^高(?!龄|流量|危|风险|铁|分辨)|增多", re.IGNORECASE)
PAIRS = [
    ("hyponatraemia", "hypernatraemia"), ("hypokalaemia", "hyperkalaemia"), ("acidosis", "alkalosis"), ("smoking", "smoking_cessation"),
    ("hypocalcaemia", "hypercalcaemia"), ("hypotension", "hypertension"), ("hypoglycaemia", "hyperglycaemia"),
]  # fmt: skip


def test_no_state_has_names_of_its_antonym() -> None:
    states = [c for c in TABLE.values() if c.polarity]
    assert len(states) > 40
    wrong = [(c.id, n) for c in states for n in c.names if (MORE if c.polarity == "low" else LESS).search(n)]
    assert wrong == []


def test_an_analyte_is_not_called_by_its_states() -> None:
    wrong = [(c.id, n) for c in TABLE.values() if c.kind == "analyte" for n in c.names if re.search(r"a?emia$|血症$|中毒$|penia$|osis$", n)]
    assert wrong == []


def test_opposites_point_at_each_other_and_are_read_and_filed_apart() -> None:
    for c in TABLE.values():
        if c.opposite:
            other = TABLE[c.opposite]
            assert other.opposite == c.id
            assert other.id != c.id
            assert other.read_as is None or other.read_as != c.read_as, c.id
            assert not c.topic or c.topic != other.topic, c.id
            assert not {n.lower() for n in c.names} & {n.lower() for n in other.names}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_antonyms_of_the_clinic_are_marked(one: str, other: str) -> None:
    assert TABLE[one].opposite == other


def test_no_name_belongs_to_two_concepts_unless_listed() -> None:
    known = {row["key"]: set(listed(row["ids"])) for row in read_rows(FOLDER / "ambiguous.tsv")}
    owners: dict[str, set[str]] = defaultdict(set)
    for c in TABLE.values():
        for name in c.names:
            owners[key_of(name).text.strip()].add(c.id)
    shared = {key: ids for key, ids in owners.items() if len(ids) > 1}
    assert shared == known
    assert all(row["reason"] for row in read_rows(FOLDER / "ambiguous.tsv"))


def test_a_cue_is_no_name_and_is_never_translated() -> None:
    table = vocabulary()
    assert len(table.cues) > 300
    names = {name.lower() for c in TABLE.values() for name in c.names if c.topic}
    cues = [(topic, cue) for topic, words in table.cues.items() for cue in words]
    assert [(t, c) for t, c in cues if c.lower() in names] == []
    read = {name.lower() for c in TABLE.values() for name in c.names}
    loose = [c for _, c in cues if c.lower() not in read]
    assert len(loose) > 0.9 * len(cues)
    assert [c for c in loose for language in ("en", "zh") if table.translated(c, language)] == []


@pytest.mark.parametrize(
    ("name", "language", "shown"),
    [
        ("COVID-19", "zh", "新冠"), ("chylothorax", "zh", "乳糜胸"), ("低钾血症", "en", "hypokalaemia"), ("SOB", "zh", "呼吸困难"),
        ("milky", "zh", None), ("seagulls", "zh", None), ("滑石粉", "en", None),
    ],
)  # fmt: skip
def test_only_names_are_translated(name: str, language: Literal["en", "zh"], shown: str | None) -> None:
    assert vocabulary().translated(name, language) == shown


def test_a_topic_has_its_words_from_names_and_cues_but_only_names_show_it() -> None:
    lexicon = Lexicon.load()
    assert [t for t, _, _ in lexicon.find("milky sputum")][:1] == ["chylothorax"]
    assert "milky" not in lexicon.render("乳糜胸怎么治", lexicon.find("乳糜胸怎么治"))


def test_is_a_has_no_circle() -> None:
    assert [c.id for c in TABLE.values() if c.id in vocabulary().narrower(c.id)] == []


def test_narrower_goes_all_the_way_down() -> None:
    assert {"cephalosporin", "macrolide", "penicillin"} <= vocabulary().narrower("antibiotic")


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("β-lactams and beta lactam", ["β-lactams", "beta lactam"]),
        ("ＰＥ？ CT 肺动脉造影", ["ＰＥ", "CT 肺动脉造影"]),
        ("lung. Cancer, beta; lactam", []),
        ("做CT肺动脉造影前", ["CT肺动脉造影"]),
    ],
)
def test_the_finder_gives_places_in_the_text_as_written(text: str, spans: list[str]) -> None:
    finder = Finder([("beta-lactam", 1), ("PE", 2), ("CT肺动脉造影", 3), ("CT", 4), ("lung cancer", 5)])
    assert [text[f.start : f.end] for f in finder.find(text)] == spans
