"""The planner routes forty paraphrases (half Chinese) and what people say around them to the right tools."""

from pathlib import Path

import pytest

from agent.reading.plan import make_plan
from agent.turn.prompts import CaseCard

CARD = CaseCard(
    age_years=67,
    sex="male",
    allergies=("penicillin",),
    conditions=("COPD", "atrial fibrillation"),
    medications=("warfarin", "tiotropium"),
    question="Cause of fever and right chest pain?",
    symptoms=("fever", "productive cough"),
    analytes=("urea", "crp", "procalcitonin"),
    studies=("ct-1",),
    has_vitals=True,
)
ROWS = [
    line.split("\t")
    for line in (Path(__file__).parent / "paraphrases.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def tools_for(question: str, card: CaseCard | None = CARD, earlier: tuple[str, ...] = ()) -> set[str]:
    return {name for name, _ in make_plan(question, card, list(earlier)).calls}


def test_paraphrases_reach_their_tools() -> None:
    assert len(ROWS) == 40
    assert sum(any("\u4e00" <= c <= "\u9fff" for c in q) for q, _ in ROWS) == 20
    wrong = [(q, sorted(tools_for(q)), want) for q, want in ROWS if tools_for(q) != set(want.split(",")) - {"-"}]
    # The reader is not fitted on these; where it differs it asks a reasonable tool more, or one part of three less.
    assert len(wrong) <= 8, "\n".join(map(str, wrong))


@pytest.mark.parametrize(
    ("question", "tools"),
    [
        ("Draft the report", {"draft_report"}),
        ("What abnormalities do you see?", {"classify_ct"}),
        ("Is there a pleural effusion?", {"classify_ct"}),
        ("Show similar cases", {"find_similar_cases"}),
        ("Which drug would you start, and why not the others?", {"rank_drugs"}),
        ("Interpret the labs and draft the report", {"interpret_labs", "draft_report"}),
        ("起草报告", {"draft_report"}),
        ("看到哪些异常？", {"classify_ct"}),
        ("有胸腔积液吗？", {"classify_ct"}),
        ("有没有类似病例？", {"find_similar_cases"}),
        ("应该先用哪种药，为什么不用其他的？", {"rank_drugs"}),
        ("解读化验结果并起草报告", {"interpret_labs", "draft_report"}),
    ],
)
def test_questions_to_the_model_reach_its_tools(question: str, tools: set[str]) -> None:
    assert tools_for(question) == tools


def test_a_finding_is_not_sought_on_a_case_without_a_study() -> None:
    assert tools_for("Is there a pleural effusion?", CARD.model_copy(update={"studies": ()})) == {"search_guidelines"}


@pytest.mark.parametrize(
    ("question", "notice"),
    [
        ("Hello!", "greeting"),
        ("你好", "greeting"),
        ("What can you do?", "greeting"),
        ("Thanks a lot", "thanks"),
        ("Who won the world cup?", "out_of_scope"),
        ("今天天气怎么样？", "out_of_scope"),
        ("Tell me the patient's date of birth", "identifiers"),
        ("病人的身份证号是多少", "identifiers"),
    ],
)
def test_what_needs_no_tool_gets_a_notice(question: str, notice: str) -> None:
    plan = make_plan(question, CARD, [])
    assert (plan.notice, plan.calls) == (notice, ())


def test_patient_questions_need_a_case() -> None:
    assert make_plan("Interpret the labs", None, []).notice == "no_case"
    mixed = make_plan("Interpret the labs and say what the guideline recommends for pneumonia", None, [])
    assert [name for name, _ in mixed.calls] == ["search_guidelines"]


def test_one_named_analyte_narrows_the_labs() -> None:
    assert make_plan("Is the procalcitonin raised?", CARD, []).calls == (("interpret_labs", {"analytes": ["procalcitonin"]}),)


@pytest.mark.parametrize(
    ("earlier", "question", "words"),
    [
        (
            "What is the first-line treatment of community-acquired pneumonia?",
            "And in penicillin allergy?",
            ("pneumonia", "penicillin allergy"),
        ),
        ("社区获得性肺炎首选什么治疗？", "青霉素过敏呢？", ("社区获得性肺炎", "青霉素过敏")),
        ("Compute CURB-65 and say what the guideline recommends", "What about pregnancy?", ("pneumonia", "pregnancy")),
        ("How long should anticoagulation last after PE?", "and with active cancer?", ("anticoagulation last after PE", "cancer")),
    ],
)
def test_a_continuation_keeps_the_subject(earlier: str, question: str, words: tuple[str, ...]) -> None:
    query = str(dict(make_plan(question, CARD, [earlier]).calls)["search_guidelines"]["query"])
    assert all(w in query for w in words)


def test_a_new_question_does_not_inherit() -> None:
    calls = make_plan("What is the first-line treatment of asthma?", CARD, ["How long is PE anticoagulated?"]).calls
    assert calls
    assert "embolism" not in str(calls)


def test_why_asks_again_what_was_asked() -> None:
    before = "Interpret the labs and compute CURB-65"
    assert make_plan("Why?", CARD, [before]).calls == make_plan(before, CARD, []).calls
    assert make_plan("为什么？", CARD, [before]).detail


def test_an_antibiotic_is_ranked_for_the_infection_of_the_case() -> None:
    assert make_plan("Which antibiotic is best for this patient?", CARD, []).calls == (
        ("rank_drugs", {"condition": "community-acquired pneumonia"}),
    )


def test_medicines_under_consideration_are_named() -> None:
    assert make_plan("Can I give clarithromycin?", CARD, []).calls == (("check_medications", {"add": ["clarithromycin"]}),)


def test_every_calculator_can_be_asked_for_by_name() -> None:
    from agent.reading.lexicon import terms
    from tools.scores.registry import calculators

    for name in calculators():
        for language in ("en", "zh"):
            question = f"What is the {terms()[name].name('en')}?" if language == "en" else f"{terms()[name].name('zh')}是多少？"
            calls = make_plan(question, CARD, []).calls
            assert name in [args["name"] for tool, args in calls if tool == "calculate_score"], question


@pytest.mark.parametrize(
    ("question", "inputs"),
    [
        (
            "CURB-65 for an 80-year-old woman with urea 9 mmol/L, RR 32, BP 85/50, confused",
            {"age": "80", "urea": "9 mmol/L", "respiratory_rate": "32", "sbp": "85", "dbp": "50", "confusion": "yes"},
        ),
        (
            "72岁男性，尿素 8 mmol/L，呼吸频率 28，血压 110/70，无意识障碍，CURB-65几分？",
            {"age": "72", "urea": "8 mmol/L", "respiratory_rate": "28", "sbp": "110", "dbp": "70", "confusion": "no"},
        ),
        ("What would CURB-65 be if urea were 5 mmol/L?", {"urea": "5 mmol/L"}),
        ("P/F ratio with PaO2 60 mmHg on FiO2 40%", {"pao2": "60 mmHg", "fio2": "40 %"}),
    ],
)
def test_values_in_the_question_are_inputs(question: str, inputs: dict[str, str]) -> None:
    calls = dict(make_plan(question, None, []).calls)
    assert calls["calculate_score"]["inputs"] == inputs


def test_limits_in_the_question_are_not_the_patients_values() -> None:
    assert make_plan("Why does CURB-65 count urea above 7 mmol/L?", CARD, []).calls[0] == ("calculate_score", {"name": "curb_65"})


@pytest.mark.parametrize(
    "question",
    [
        "wk 6, patient says the red looks washed out, cannot read number plates",
        "three nebs and pred in, still words only. next drug, how fast?",
    ],
)
def test_a_report_that_nobody_asked_for_is_neither_drafted_nor_checked_without_a_study(question: str) -> None:
    card = CARD.model_copy(update={"studies": ()})
    assert {name for name, _ in make_plan(question, card, []).calls}.isdisjoint({"draft_report", "check_report", "find_similar_cases"})
    assert [name for name, _ in make_plan("Draft the report", card, []).calls] == ["draft_report"]


@pytest.mark.parametrize(
    ("first", "then"),
    [("Treatment of pneumonia in a pregnant woman?", "Why not doxycycline?"), ("社区获得性肺炎门诊用什么药", "为什么不用阿奇霉素")],
)
def test_why_not_asks_what_speaks_against_another_medicine(first: str, then: str) -> None:
    plan = make_plan(then, None, [first], ["Amoxicillin 500 mg three times daily."])
    assert plan.about is None
    assert not plan.detail
    assert any("doxy" in str(args) or "阿奇" in str(args) or "azithro" in str(args) for _, args in plan.calls)
