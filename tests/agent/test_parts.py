"""A question that asks for several things is parted, each part with the subject it shares; one that asks for one thing is not."""

import pytest

from agent.reading.plan import make_plan
from retrieval.guidelines.parts import several


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("dose and duration of oseltamivir for influenza?", ("dose of oseltamivir for influenza", "duration of oseltamivir for influenza")),
        ("PCP prophylaxis: who and with what drug?", ("PCP prophylaxis: who", "PCP prophylaxis with what drug")),
        ("What is trapped lung and how is it managed?", ("What is trapped lung", "trapped lung how is it managed")),
        ("变应性支气管肺曲霉病的诊断标准和一线治疗？", ("变应性支气管肺曲霉病的诊断标准", "变应性支气管肺曲霉病 一线治疗")),
        ("奥司他韦治疗剂量和疗程", ("奥司他韦治疗剂量", "奥司他韦 疗程")),
    ],
)
def test_each_part_is_a_whole_question(text: str, parts: tuple[str, ...]) -> None:
    assert tuple(p.whole for p in several(text)) == parts


@pytest.mark.parametrize(
    "text",
    [
        "Is salbutamol safe with propranolol and digoxin?",
        "Mantoux cut-off in mm: HIV vs healthy low risk adult",
        "利福平和避孕药一起吃行不行",
        "What is the target saturation in COPD?",
        "high risk and low risk nodules",
    ],
)
def test_one_question_stays_whole(text: str) -> None:
    assert several(text) == ()


def test_every_part_is_searched_with_the_whole_question_first() -> None:
    plan = make_plan("What are the diagnostic criteria and first-line treatment of ABPA?", None, [], "")
    queries = [args["query"] for name, args in plan.calls if name == "search_guidelines"]
    assert queries[0] == "What are the diagnostic criteria and first-line treatment of ABPA?"
    assert queries[1:] == [p.whole for p in plan.parts]
    assert len(plan.parts) == 2
