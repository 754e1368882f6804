"""The whole concept table: antonyms apart, no name with two meanings unless listed, references that lead somewhere, one finder."""

import re
from collections import defaultdict
from typing import Literal

import pytest

from retrieval.concepts.finder import Finder, key_of
from retrieval.concepts.lexicon import Lexicon
from retrieval.concepts.table import FOLDER, Concept, listed, read_rows, vocabulary
from retrieval.drugs.tables import read_tables

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


# Words that say the opposite of each other: no concept has names with both.
ANTONYMS = [
    ("hypo", "hyper"),
    ("brady", "tachy"),
    ("acidosis", "alkalosis"),
    ("penia", "cytosis|philia"),
    (r"\bincreas", r"\bdecreas"),
    (r"\bleft", r"\bright"),
    ("obstructive", "restrictive"),
    (r"\blow", r"\bhigh"),
    ("cessation|quit", "smoker"),
    ("inspirat", "expirat"),
    (r"\bupper", r"\blower"),
    ("inhibitor", "inducer"),
    (r"\bacute", r"\bchronic"),
    ("benign", "malignant"),
    ("transudat", "exudat"),
    ("intubat", "extubat"),
    (r"\bagonist", "antagonist"),
    ("positive", "negative"),
    ("(?<!non-)small", "non-small"),
    ("(?<!低)高", "低"),
    ("减少", "增多"),
    ("左", "右"),
    ("阻塞性", "限制性"),
    ("吸气", "呼气"),
    ("上呼吸道", "下呼吸道"),
    ("抑制剂", "诱导剂"),
    ("急性", "慢性"),
    ("良性", "恶性"),
    ("酸中毒", "碱中毒"),
    ("过缓", "过速"),
    ("戒烟", "吸烟"),
    ("插管", "拔管"),
    ("漏出", "渗出"),
    ("阳性", "阴性"),
]
# Opposites by name that are no antonyms of one state: two lipoproteins; two disorders filed together under the thyroid.
NO_ANTONYMS = {("ldl", "hdl"), ("hypothyroidism", "hyperthyroidism"), ("hyperthyroidism", "hypothyroidism"), ("hdl", "ldl")}


@pytest.mark.parametrize(("one", "other"), ANTONYMS)
def test_no_concept_has_names_that_say_the_opposite(one: str, other: str) -> None:
    first, second = re.compile(one, re.IGNORECASE), re.compile(other, re.IGNORECASE)

    def says(concept: Concept, this: re.Pattern[str], that: re.Pattern[str]) -> bool:
        return any(this.search(n) and not that.search(n) for n in concept.names)

    assert [c.id for c in TABLE.values() if says(c, first, second) and says(c, second, first)] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hypo", "hyper"),
        ("brady", "tachy"),
        ("acidosis", "alkalosis"),
        ("penia", "cytosis"),
        ("penia", "philia"),
        ("low ", "high "),
        ("低", "高"),
        ("减少", "增多"),
        ("酸中毒", "碱中毒"),
        ("过缓", "过速"),
    ],
)
def test_two_names_that_differ_in_an_antonym_are_marked_as_opposites(one: str, other: str) -> None:
    owner = {name.lower(): c for c in TABLE.values() for name in c.names}
    pairs = [(c, owner[n.replace(one, other)]) for n, c in owner.items() if one in n and n.replace(one, other) in owner]
    assert {(a.id, b.id) for a, b in pairs if a.opposite != b.id and b.id != a.id} <= NO_ANTONYMS
    assert [a.id for a, b in pairs if a.id == b.id] == []


@pytest.mark.parametrize(
    ("text", "ident"),
    [
        ("preg and has a PE", "pregnancy"),
        ("which abx", "antibiotic"),
        ("peds dose", "children"),
        ("pt is SOB", "dyspnea"),
        ("3 month f/u", "follow_up"),
        ("known CHF", "heart_failure"),
        ("肺栓怎么抗凝", "pe"),
        ("肺ca术后", "lung_cancer"),
        ("老慢支", "chronic_bronchitis"),
        ("HTN", "hypertension"),
    ],
)
def test_shorthand_of_the_ward_is_known(text: str, ident: str) -> None:
    assert ident in {v[0] for found in vocabulary().finder.find(text) for v in found.values}


@pytest.mark.parametrize("text", ["the doe ran", "bf", "pt", "a dm to the team", "mi casa"])
def test_shorthand_that_means_too_much_is_not_guessed(text: str) -> None:
    assert vocabulary().finder.find(text) == []


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


def test_conditions_of_the_drug_graph_have_no_names_of_their_own() -> None:
    conditions = read_tables().conditions
    assert len(conditions) > 120
    owner = {name.lower(): c.id for c in TABLE.values() for name in c.names}
    assert [(c.id, i) for c in conditions for i in listed(c.concepts.replace(";", "|")) if i not in TABLE] == []
    assert [(c.id, cue) for c in conditions for cue in c.cues.split(";") if cue.lower() in owner] == []
    assert len([c for c in conditions if c.concepts]) > 110
