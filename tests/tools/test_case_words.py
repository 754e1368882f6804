"""The free text of a record in the other language: exact names are translated, anything else says that it is as recorded."""

import pytest

from retrieval.drugs.graph import DrugGraph
from tools.case.record import Allergy, Case, Condition, Medication, Patient, Presentation
from tools.case.summary import case_card
from tools.case.words import allergy_words, as_recorded, condition_name, finding_name, medicine_words

GRAPH = DrugGraph.load()


@pytest.mark.parametrize(
    ("recorded", "zh"),
    [
        ("productive cough", "湿性咳嗽"),
        ("stridor", "喉喘鸣"),
        ("wheeze", "哮鸣音"),
        ("no haemoptysis", "无咯血"),
        ("right pleuritic chest pain", "右侧胸膜炎性胸痛"),
        ("No heart failure", "无心力衰竭"),
        ("no left crackles at night", "no left crackles at night（原文）"),
        ("smells burnt toast", "smells burnt toast（原文）"),
        ("无咯血", "无咯血"),
    ],
)
def test_findings(recorded: str, zh: str) -> None:
    assert finding_name(recorded, "zh") == zh


def test_the_way_back_is_english_and_a_foreign_word_says_so() -> None:
    assert [finding_name(w, "en") for w in ("无咯血", "发热", "闻到焦味")] == ["no haemoptysis", "fever", "闻到焦味 (as recorded)"]
    assert condition_name("慢性阻塞性肺疾病", None, GRAPH, "en").casefold() in ("copd", "chronic obstructive pulmonary disease")
    allergy = Allergy(substance="左氧氟沙星", reaction="皮疹", severity="mild")
    assert allergy_words(allergy, GRAPH, "en") == "levofloxacin (rash, mild)"
    metformin = Medication(name="二甲双胍", dose=500, unit="mg", route="口服", frequency="每日两次")
    assert medicine_words(metformin, GRAPH, "en") == "metformin 500 mg oral twice daily"
    assert [as_recorded("COPD", "zh"), as_recorded("FEV1 52%", "zh")] == ["COPD", "FEV1 52%"]


def test_a_case_is_told_in_the_readers_language() -> None:
    case = Case(
        case_id="t",
        patient=Patient(conditions=(Condition(name="atrial fibrillation"), Condition(name="Yellow nail trouble"))),
        presentation=Presentation(symptoms=("闻到焦味", "怕光"), question="What now?"),
    )
    zh, en = case_card(case, "zh"), case_card(case, "en")
    assert "心房颤动；Yellow nail trouble（原文）" in zh
    assert "What now?（原文）" in zh
    assert "闻到焦味, 怕光 (as recorded)" in en, "said once where all of it is foreign"
