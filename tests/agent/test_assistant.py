"""The whole house: real tools, real guideline corpus, real drug graph, a demo case without its images."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from agent.answering.answer import Answer
from agent.assistant import Assistant
from agent.settings import Settings
from tools.evidence import ToolName

TRIO = "Interpret the labs, compute CURB-65 and say what the guideline recommends"


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[Assistant]:
    place = tmp_path_factory.mktemp("house")
    assistant = Assistant.open(Settings(data_dir=place / "data", cache_dir=place / "cache", embedder="hashing"))
    yield assistant
    assistant.close()


def _case(folder: Path, **labs: float) -> Path:
    """The demo pneumonia case without its study, with other laboratory values where given."""
    raw = json.loads((files("tools") / "data" / "cases" / "demo-cap-01" / "case.json").read_text(encoding="utf-8"))
    raw["studies"] = []
    for row in raw["labs"]:
        row["value"] = labs.get(row["analyte"], row["value"])
    folder.mkdir()
    (folder / "case.json").write_text(json.dumps(raw), encoding="utf-8")
    return folder


def ask(assistant: Assistant, question: str, case: str | None) -> Answer:
    *_, last = assistant.ask(question, thread=assistant.new_thread("s"), case=case, session="s")
    assert last.type == "done"
    return last.answer


def test_the_demo_question_is_answered_with_evidence(house: Assistant, tmp_path: Path) -> None:
    case = house.open_case(_case(tmp_path / "a"), session="s").handle
    answer = ask(house, TRIO, case)
    assert answer.status == "answered", answer.reason
    assert {c.name for c in answer.tool_calls} == {"interpret_labs", "calculate_score", "search_guidelines"}
    # Notes on the drugs that the passages name (`P-`) come from the drug graph.
    assert {e.kind for e in answer.evidence if not e.key.startswith("P-")} == {"lab", "score", "guideline"}
    assert not answer.removed
    for item in answer.evidence:
        if item.kind == "guideline":
            passage = house.passage(item.key)
            assert passage is not None
            assert passage.text_en == item.text
            assert passage.text_zh


def test_other_labs_change_exactly_the_dependent_claims(house: Assistant, tmp_path: Path) -> None:
    pair = [ask(house, TRIO, house.open_case(_case(tmp_path / n, **v), session="s").handle) for n, v in (("a", {}), ("b", {"sodium": 128}))]
    # What did not fit into the answer stands folded in its sections.
    before, after = ({t.strip() for t in re.split(r"\[\d+\]|\n", " ".join(a.sections.model_dump().values()))} for a in pair)
    changed = before ^ after
    assert changed
    assert all("sodium" in t.lower() or "131" in t or "128" in t for t in changed), changed


def test_both_languages_rest_on_the_same_labs_and_score(house: Assistant, tmp_path: Path) -> None:
    case = house.open_case(_case(tmp_path / "a"), session="s").handle
    en, zh = ask(house, TRIO, case), ask(house, "请解读化验结果，计算CURB-65评分，并说明指南如何推荐", case)
    kept = [{e.key for e in a.evidence if e.kind in ("lab", "score")} for a in (en, zh)]
    assert kept[0] == kept[1]
    assert zh.language == "zh"
    assert not zh.removed


# May be asked besides: two medicines of an open case concern its list too.
REASONABLE: set[ToolName] = {"check_medications", "query_drug_graph"}


@pytest.mark.parametrize(
    ("question", "tools", "said"),
    [
        ("Can I give clarithromycin?", {"check_medications"}, "warfarin"),
        ("Do clarithromycin and warfarin interact?", {"query_drug_graph"}, "bleeding"),
        ("克拉霉素和华法林能一起用吗？", {"query_drug_graph"}, "华法林"),
        ("Give me an overview of the patient", {"summarize_case"}, "67-year-old"),
        ("Which antibiotic is best for him?", {"rank_drugs"}, "pneumonia"),
    ],
)
def test_other_questions_reach_their_tools(house: Assistant, tmp_path: Path, question: str, tools: set[ToolName], said: str) -> None:
    answer = ask(house, question, house.open_case(_case(tmp_path / "a"), session="s").handle)
    assert tools <= {c.name for c in answer.tool_calls} <= tools | REASONABLE
    assert answer.claims
    assert said in answer.answer
    assert not answer.removed, "what the planner quotes is always supported"


def test_every_evidence_of_the_house_can_be_quoted(house: Assistant, tmp_path: Path) -> None:
    from agent.answering.compose import say
    from agent.verify import check

    case = house.open_case(_case(tmp_path / "a"), session="s").handle
    thread = house.new_thread("s")
    for question in (TRIO, "Check the medications", "Summarise the case", "Compute PSI, Wells and PERC"):
        *_, last = house.ask(question, thread=thread, case=case, session="s")
        assert last.type == "done"
        for item in last.answer.evidence:
            for language in ("en", "zh"):
                verdict = check(say(item, language), (item.key,), {item.key: item})
                assert verdict.support is not None, (item.key, verdict.because, verdict.text)


def test_a_drug_that_the_patient_is_allergic_to_is_only_named_as_ruled_out(house: Assistant, tmp_path: Path) -> None:
    answer = ask(house, "Which antibiotic is best for this patient?", house.open_case(_case(tmp_path / "a"), session="s").handle)
    about = [c.text for c in answer.claims if "moxicillin" in c.text]
    assert about
    assert all("contraindicated" in text for text in about)
