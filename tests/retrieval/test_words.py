import pytest

from retrieval.concepts.lexicon import DATA, Lexicon, language_of, normalise, stem, words
from retrieval.guidelines.question import understand
from retrieval.index.lexical import LexicalIndex, text_tokens

LEXICON = Lexicon.load()
PASSAGES = [
    "Rivaroxaban treats pulmonary embolism; the P/F ratio (PaO2/FiO2) and CURB-65 are recorded. 利伐沙班用于肺栓塞。",
    "Community-acquired pneumonia is treated for five days with amoxicillin 1 g. 社区获得性肺炎疗程五天。",
    "Oxygen is titrated to 88 to 92% in COPD. 慢阻肺氧疗目标为88%至92%。",
]
INDEX = LexicalIndex.build([text_tokens(text, LEXICON) for text in PASSAGES])


@pytest.mark.parametrize(
    ("a", "b"),
    [("oedema", "edema"), ("haemoptysis", "hemoptysis"), ("treatments", "treated"), ("screening", "screened"), ("studies", "study")],
)
def test_stems_meet(a: str, b: str) -> None:
    assert stem(a) == stem(b)


@pytest.mark.parametrize("compound", ["CURB-65", "PaO2/FiO2", "mg/kg", "Lung-RADS"])
def test_compounds_are_one_word_with_parts(compound: str) -> None:
    (word,) = words(compound)
    tokens = text_tokens(compound, LEXICON)
    assert compound.lower() in tokens
    assert set(word.stems) <= set(tokens)


@pytest.mark.parametrize("question", ["PE", "pulmonary thromboembolism", "肺栓塞", "pe treatment", "肺血栓栓塞症怎么治"])
def test_synonyms_and_languages_meet_in_one_concept(question: str) -> None:
    assert "c:pulmonary embolism" in text_tokens(question, LEXICON, question=True)
    assert int(INDEX.scores(text_tokens(question, LEXICON, question=True)).argmax()) == 0


def test_a_wider_concept_is_found_by_its_narrower_passage() -> None:
    assert "c:pneumonia" in text_tokens(PASSAGES[1], LEXICON)
    assert "c:pneumonia" not in text_tokens("community-acquired pneumonia", LEXICON, question=True)


@pytest.mark.parametrize(
    ("text", "absent"),
    [("over 65 years", "years algorithm"), ("a pH of 7.2", "pulmonary hypertension"), ("pass the act", "asthma control")],
)
def test_ordinary_words_are_no_abbreviations(text: str, absent: str) -> None:
    assert absent not in [name for name, _, _ in LEXICON.find(normalise(text), question=True)]


def test_a_chinese_question_is_rendered_in_english() -> None:
    question = understand("利伐沙班治疗肺栓塞的疗程是多久？", LEXICON, INDEX.vocabulary, {})
    assert question.language == "zh"
    assert "DOAC" in question.rendered
    assert "pulmonary embolism" in question.rendered
    assert "duration" in question.rendered
    assert question.unknown == ()


@pytest.mark.parametrize(
    ("text", "expected"), [("CURB-65评分", "zh"), ("COPD", "en"), ("患者", "zh"), ("a long English sentence about treatment, 肺", "en")]
)
def test_language(text: str, expected: str) -> None:
    assert language_of(text) == expected


def test_a_slip_of_one_letter_is_corrected_and_said() -> None:
    question = understand("amoxicilin for pneumonia", LEXICON, INDEX.vocabulary, {})
    assert question.corrected == (("amoxicilin", "amoxicillin"),)
    assert "antibiotic" not in question.unknown
    assert understand("zorbifloxacin for pneumonia", LEXICON, INDEX.vocabulary, {}).names == ("zorbifloxacin",)


@pytest.mark.parametrize(
    "question",
    ["佐博沙星的剂量", "替奈利尼单抗有效吗", "斯维拉韦治疗新冠的剂量", "CT findings of Meridian lung disease", "cut-off of LUMASCORE-7"],
)
def test_made_up_drugs_and_proper_names_are_names(question: str) -> None:
    assert understand(question, LEXICON, INDEX.vocabulary, {}).names


@pytest.mark.parametrize("question", ["宝宝还要打单抗吗", "尿抗原查出肺炎链球菌怎么办", "A-DROP 各项怎么打分", "haemoptysis workup order"])
def test_words_of_a_sentence_are_no_names(question: str) -> None:
    assert not understand(question, LEXICON, INDEX.vocabulary, {}).names


def test_case_tells_egfr_from_egfr() -> None:
    assert [name for name, _, _ in LEXICON.find("eGFR 40 and EGFR mutation")] == ["renal impairment", "egfr mutation"]


def test_no_name_brings_up_two_topics() -> None:
    seen: dict[str, str] = {}
    names = [name for name in LEXICON.names if name.topic]
    assert [name for name in names if seen.setdefault(name.text, name.topic) != name.topic] == []


def test_a_compound_name_keeps_its_parts_from_being_read_alone() -> None:
    assert [name for name, _, _ in LEXICON.find("SMART-COP and COP")] == ["organizing pneumonia"]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [("喷他脒有哪些毒性?", "pentamidine"), ("扩张器可以进多深?", "dilator"), ("类癌 核分裂 分型", "carcinoid mitoses classification")],
)
def test_chinese_words_that_are_no_topic_are_rendered_too(question: str, wanted: str) -> None:
    assert wanted in understand(question, LEXICON, INDEX.vocabulary, {}).rendered


def test_words_for_the_rendering_stand_once() -> None:
    lines = (DATA / "rendering_zh.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert all(len(row) == 2 and all(row) for row in rows)
    assert len({row[0] for row in rows}) == len(rows)
