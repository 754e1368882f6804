"""General bedside questions on small cases: rows are linted; courses, causes, doses, formulas, reports and meanings come out right."""

import re
from pathlib import Path

import pytest

from tests.tools.test_bedside_rows import GRAPH, _check, _text
from tools.bedside.asks import dosing, effects, formula, general, part, reading
from tools.bedside.asks.compared import compared
from tools.bedside.asks.subject import rows, values_named
from tools.bedside.attach import judgements
from tools.bedside.instead import supports
from tools.bedside.record.view import Record
from tools.bedside.subject import treated
from tools.bedside.topics import topics
from tools.case.files import load_case
from tools.labs.analytes import analytes
from tools.scores.registry import calculators

CASES = Path(__file__).parents[1] / "outside" / "cases"
_OWN = {"mm", "hu", "kg1", "kg15", "kg20", *rows("findings")["said"]}


def _says(case: str, question: str) -> str:
    record = general.written_out(Record(load_case(CASES / case).case, GRAPH, question))
    return " ".join(e.text for e in judgements(record.question, record))


def test_rows_of_effects_ask_only_for_what_exists() -> None:
    known = {e.id for e in GRAPH.tables.effects}
    drugs = {d.id for d in GRAPH.drugs()} | {c.id for c in GRAPH.tables.classes}
    for effect in effects.effects():
        _check(effect.test, effect.id, set())
        assert set(effect.known_by) <= {*analytes(), "hr"}, effect.id
        assert effect.pattern.pattern != "(?!)" or effect.known_by, effect.id
        for said in (*effect.before, *effect.do, *effect.other):
            _check(said.test, effect.id, set())
            _text((said.en, said.zh), effect.id, set())
        for cause in effect.cause:
            assert bool(cause.drugs) != bool(cause.written), effect.id
            assert set(cause.drugs.replace("@", "").split(";")) - {""} <= drugs, effect.id
            _check(cause.test, effect.id, set())
            _text((cause.en, cause.zh), effect.id, set())
        assert len(known & set(effect.graph)) >= min(1, len(effect.graph)), effect.id


def test_rows_of_doses_meanings_findings_and_formulas_ask_only_for_what_exists() -> None:
    for check in dosing.checks():
        _check(check.test, check.drug, set())
        _text(check.advice, check.drug, _OWN)
        assert check.drug in {d.id for d in GRAPH.drugs()}
        assert check.per_kg or check.most is not None
    for meaning in reading.meaning_rows():
        _check(meaning.test, meaning.value, set())
        _text((meaning.en, meaning.zh), meaning.value, set())
    for follow in part.follows():
        _check(follow.test, follow.en, _OWN)
        assert {*follow.all, *follow.none} <= {*rows("findings")["site"], *rows("findings")["finding"]}, follow.en
    for row in formula.formulas():
        assert row.name in calculators(), row.name
        assert not row.topic or row.topic in topics(), row.name
    for support in supports():
        _check(support.test, support.drugs, set())
        _text((support.en, support.zh), support.drugs, set())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("K 3.1, is that the nebs?", ("potassium",)),
        ("血钾多少", ("potassium",)),
        ("Kidneys ok?", ("creatinine",)),
        ("FEV1/FVC 0.6", ("fev1_fvc",)),
        ("胸水pH说明什么", ("pleural_ph",)),
        ("can she go home", ()),
        ("give magnesium 2 mg", ("magnesium",)),
    ],
)
def test_values_are_known_by_their_colloquial_names(text: str, named: tuple[str, ...]) -> None:
    assert values_named(text) == named


@pytest.mark.parametrize(
    ("case", "question", "said"),
    [
        ("own-ipf-01", "FVC over the last year?", r"82%.*76%.*70%.*falling"),
        ("own-elder-01", "which way is the potassium going", r"4\.9.*6\.3.*5\.8.*falling again.*above the first"),
        ("own-hiv-01", "肌酐这几天的变化", r"72.*96.*118.*rising"),
        ("own-copd-01", "P/F on the first gas", r"is 219 mmHg.*first values, 2025-11-02 08:10"),
        ("own-copd-01", "latest P/F?", r"is 221 mmHg"),
        ("own-elder-01", "what is driving the potassium", r"spironolactone.*ramipril.*Stop them now"),
        ("own-als-01", "ALT from the riluzole?", r"Yes, likely: riluzole.*3\.0 times"),
        ("own-tki-01", "is the low potassium from the low magnesium?", r"Yes, it can: low magnesium 0\.58"),
        ("own-ipf-01", "has the omeprazole raised the ALT?", r"Omeprazole: not listed here.*nintedanib"),
        ("own-elder-01", "apixaban 5 mg right dose?", r"^No, not at this dose.*2\.5 mg twice daily"),
        ("own-ntm-01", "ethambutol dose right for her weight?", r"No, too high.*1000 mg / 42 kg = 23\.8 mg/kg"),
        ("own-ntm-01", "rifampicin 450 mg right for her weight?", r"Yes, in range"),
        ("own-tki-01", "and the left adrenal?", r"14 mm, 4 HU.*benign lipid-rich adenoma"),
        ("own-tki-01", "what about the liver lesion on the CT?", r"simple cyst.*no follow-up"),
        ("own-ntm-01", "左下叶那个结节呢", r"8 mm.*CT at 6–12 months"),
        ("own-als-01", "bicarbonate 31, what does that mean for him?", r"chronic CO2 retention"),
        ("own-ntm-01", "肺功能说明什么", r"Obstructive.*0\.69"),
        ("own-elder-01", "clarithro added, leave the statin on?", r"hold simvastatin while clarithromycin"),
        ("own-ntm-01", "rivaroxaban instead of her warfarin?", r"^No: avoid rivaroxaban.*mechanical"),
        ("own-copd-01", "propranolol ok?", r"^Better changed: propranolol"),
    ],
)
def test_general_questions_are_answered_from_record_and_rows(case: str, question: str, said: str) -> None:
    assert re.search(said, _says(case, question)), _says(case, question)[:400]


def test_a_part_of_the_body_is_no_beginning_of_a_drug() -> None:
    record = Record(load_case(CASES / "own-tki-01").case, GRAPH, "what is that adrenal thing, and osimerti?")
    assert general.written_out(record).question == "what is that adrenal thing, and osimertinib?"


def test_a_question_of_general_knowledge_gets_nothing_of_the_record() -> None:
    assert _says("own-ipf-01", "What does the guideline say about nodules of 7 mm in general?") == ""


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("怎么治疗骨折？", "骨折"),
        ("how do I treat a fracture?", "fracture"),
        ("How should his migraine be treated?", "migraine"),
        ("How do I treat this patient?", None),
        ("How should his pneumonia be treated?", None),
        ("这个病人怎么治？", None),
        ("怎么治疗？", None),
    ],
)
def test_another_disease_than_the_open_one_is_heard(question: str, named: str | None) -> None:
    assert treated(question) == named


def test_figures_typed_for_another_person_take_nothing_from_the_record() -> None:
    found = formula.computed(
        Record(load_case(CASES / "own-ipf-01").case, GRAPH, "creatinine clearance of a 70-year-old woman, 60 kg, creatinine 120 umol/L")
    )
    assert "36.5 mL/min" in found[0].text
    assert " cm" not in found[0].text
    assert "in place of the record: age, sex" in found[0].text


def test_medicines_are_compared_by_what_speaks_against_each() -> None:
    record = Record(load_case(CASES.parents[2] / "tools" / "data" / "cases" / "demo-cap-01").case, GRAPH, "")
    told = compared("levofloxacin, ceftriaxone, amoxicillin: which of these is safest with warfarin?", record)
    assert told[0].text.startswith("Least stands against ceftriaxone")
    assert any(e.text.startswith("Not amoxicillin") for e in told)  # a recorded allergy
    assert any("evofloxacin" in e.text and "warfarin" in e.text for e in told)
    assert compared("is ceftriaxone safest?", record) == []
    assert compared("ceftriaxone or levofloxacin?", record) == []
