import json
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.drugs.graph import DrugGraph
from tools.case.record import Allergy, Case, Condition, Medication, Observation, Patient, Presentation, Smoking
from tools.deps import Deps
from tools.drugs.medications import check_medications, query_drug_graph, rank_drugs
from tools.drugs.payload import FactsData, RankingData
from tools.evidence import ToolResult

GRAPH = DrugGraph.load()


def deps(case: Case | None = None) -> Deps:
    return Deps(cache_dir=Path("unused"), case=case, drugs=GRAPH)


def patient(
    drugs: tuple[str, ...] = (),
    allergies: tuple[str, ...] = (),
    conditions: tuple[str, ...] = (),
    creatinine: float | None = 80.0,
    age: float = 60.0,
    pregnant: bool | None = False,
    question: str | None = None,
) -> Case:
    labs = () if creatinine is None else (Observation(analyte="creatinine", value=creatinine, unit="umol/L", time="2025-03-01T08:00:00"),)
    return Case(
        case_id="t",
        patient=Patient(
            age_years=age,
            sex="female",
            weight_kg=60.0,
            pregnant=pregnant,
            allergies=tuple(Allergy(substance=a) for a in allergies),
            conditions=tuple(Condition(name=c) for c in conditions),
        ),
        presentation=Presentation(question=question),
        medications=tuple(Medication(name=d) for d in drugs),
        labs=labs,
    )


def texts(result: ToolResult) -> str:
    return "\n".join(e.text for e in result.evidence)


def test_a_contraindicated_pair_is_evidence_with_source_and_an_emergency() -> None:
    result = check_medications(deps(patient(("simvastatin", "clarithromycin"))))
    assert result.status == "ok"
    assert result.evidence[0].text.startswith("Clarithromycin with simvastatin is contraindicated")
    assert result.evidence[0].source
    assert result.evidence[0].kind == "drug_graph"
    assert result.emergencies[0] == result.evidence[0].text


def test_adding_a_drug_shows_only_what_concerns_it() -> None:
    case = patient(("warfarin", "simvastatin", "amiodarone"))
    without = check_medications(deps(case))
    added = check_medications(deps(case), add=["疏莫辛", "metronidazole"])
    assert all("metronidazole" in e.subjects for e in added.evidence)
    assert added.counts["shown"] < added.counts["facts"]
    assert "metronidazole" not in texts(without)
    assert "疏莫辛" in added.missing
    assert added.status == "partial"


@pytest.mark.parametrize("name", ["zorvamycin", "佐尔霉素"])
def test_a_made_up_drug_is_named_and_not_checked(name: str) -> None:
    result = check_medications(deps(patient(("warfarin",))), add=[name])
    assert result.status == "partial"
    assert name in result.missing
    assert result.evidence == ()
    query = query_drug_graph(deps(), f"Does {name} interact with warfarin?")
    assert query.status == "empty"
    assert name in (query.reason or "")
    assert query.evidence == ()


def test_a_class_is_no_drug_to_add_and_emergencies_speak_the_language() -> None:
    case = patient(("simvastatin", "clarithromycin"))
    assert any("name the drug" in m for m in check_medications(deps(case), add=["statins"]).missing)
    chinese = Deps(cache_dir=Path("unused"), case=case, drugs=GRAPH, language="zh")
    assert check_medications(chinese).emergencies[0].startswith("克拉霉素与辛伐他汀合用属禁忌")


def test_penicillin_allergy_stops_amoxicillin_and_not_aztreonam() -> None:
    case = patient(allergies=("penicillin",))
    amoxicillin = check_medications(deps(case), add=["amoxicillin"])
    assert any(f.startswith("After an allergy to") and "contraindicated" in f for f in amoxicillin.emergencies)
    aztreonam = check_medications(deps(case), add=["aztreonam"])
    assert aztreonam.emergencies == ()
    assert "may be given as a rule" in texts(aztreonam)


def test_cephalosporins_cross_react_by_side_chain() -> None:
    case = patient(allergies=("ceftazidime",))
    assert "contraindicated" in texts(check_medications(deps(case), add=["aztreonam"]))
    assert "identical or similar R1" in texts(check_medications(deps(patient(allergies=("amoxicillin",))), add=["cefalexin"]))


def test_kidney_bands_follow_the_creatinine_of_the_case() -> None:
    good = check_medications(deps(patient(("levofloxacin",), creatinine=60.0)))
    poor = check_medications(deps(patient(("levofloxacin",), creatinine=180.0)))
    worse = check_medications(deps(patient(("levofloxacin",), creatinine=500.0)))
    assert "creatinine clearance" not in texts(good)
    assert "750 mg every 48 hours" in texts(poor)
    assert "500 mg every 48 hours" in texts(worse)


def test_without_creatinine_the_clearance_is_missing_and_the_result_partial() -> None:
    result = check_medications(deps(patient(("levofloxacin",), creatinine=None)))
    assert result.status == "partial"
    assert any("creatinine" in m for m in result.missing)


def test_pregnancy_speaks_only_when_the_patient_is_pregnant() -> None:
    assert "in pregnancy" in texts(check_medications(deps(patient(("bosentan",), pregnant=True, age=30))))
    assert "in pregnancy" not in texts(check_medications(deps(patient(("bosentan",), age=30))))
    unknown = check_medications(deps(patient(("bosentan",), pregnant=None, age=30)))
    assert "pregnancy status" in unknown.missing


def test_conditions_age_and_duplication_are_checked() -> None:
    text = texts(check_medications(deps(patient(("propranolol", "apixaban", "rivaroxaban"), conditions=("哮喘",), age=80))))
    assert "Propranolol is contraindicated in asthma" in text
    assert "duplicate each other" in text


def test_a_long_acting_beta_agonist_beside_an_inhaled_steroid_is_no_fault() -> None:
    alone = texts(check_medications(deps(patient(("formoterol",), conditions=("asthma",)))))
    both = texts(check_medications(deps(patient(("Symbicort",), conditions=("asthma",)))))
    assert "never without an inhaled corticosteroid" in alone
    assert "never without an inhaled corticosteroid" not in both


def test_a_current_smoker_is_warned_of_pirfenidone() -> None:
    case = patient()
    smoker = case.model_copy(update={"patient": case.patient.model_copy(update={"smoking": Smoking(status="current")})})
    assert "Tobacco smoke" not in texts(check_medications(deps(case), add=["pirfenidone"]))
    assert "Tobacco smoke with pirfenidone" in texts(check_medications(deps(smoker), add=["pirfenidone"]))


def test_unknown_allergies_and_conditions_are_named() -> None:
    result = check_medications(deps(patient(("warfarin",), allergies=("moon dust",), conditions=("gremlin disease",))))
    assert any("moon dust" in w for w in result.warnings)
    assert any("gremlin disease" in w for w in result.warnings)


def test_nothing_found_is_empty_and_not_safe() -> None:
    result = check_medications(deps(patient(("carbocisteine",))))
    assert result.status == "empty"
    assert "not proof of safety" in (result.reason or "")


def test_a_result_survives_json_and_facts_have_the_contract_fields() -> None:
    result = check_medications(deps(patient(("linezolid", "sertraline"))))
    again = ToolResult.model_validate(json.loads(json.dumps(result.model_dump(mode="json"))))
    assert again == result
    assert isinstance(again.data, FactsData)
    facts = result.model_dump(mode="json")["data"]["facts"]
    assert {"text", "subjects", "relation", "severity", "source", "year", "inferred", "path"} <= set(facts[0])


def ranked(result: ToolResult) -> list[str]:
    data = result.payload(RankingData)
    return [row.drug for row in data.ranked] if data else []


def rejected(result: ToolResult) -> dict[str, str]:
    data = result.payload(RankingData)
    return {row.drug: str(row.because) for row in data.rejected} if data else {}


def test_ranking_rejects_by_allergy_and_says_why() -> None:
    free = rank_drugs(deps(patient()), "community-acquired pneumonia")
    allergic = rank_drugs(deps(patient(allergies=("penicillin",))), "社区获得性肺炎")
    assert free.status == allergic.status == "partial"
    assert "amoxicillin" in ranked(free)
    assert "amoxicillin" not in ranked(allergic)
    assert "allergy" in rejected(allergic)["amoxicillin"]
    assert "levofloxacin" in ranked(allergic)


def test_ranking_rejects_by_interaction_with_what_is_taken() -> None:
    result = rank_drugs(deps(patient(("fluvoxamine",), question="Which drug for IPF?")))
    assert result.query["condition"] == ["idiopathic pulmonary fibrosis"]
    assert "pirfenidone" in rejected(result)
    assert "nintedanib" in ranked(result)


def test_ranking_parts_add_up_to_the_score() -> None:
    data = rank_drugs(deps(patient(("warfarin", "amiodarone"))), "community-acquired pneumonia").payload(RankingData)
    assert data is not None
    assert data.ranked
    for row in data.ranked:
        assert row.score == pytest.approx(max(0.0, sum(row.parts.values())), abs=0.02)


@pytest.mark.parametrize("condition", ["gremlin disease", "hypertension"])
def test_a_condition_without_treatment_edges_gives_an_empty_ranking(condition: str) -> None:
    result = rank_drugs(deps(patient()), condition)
    assert result.status == "empty"
    assert condition in (result.reason or "")


def test_a_negated_condition_is_not_treated() -> None:
    result = rank_drugs(deps(patient(question="No pulmonary embolism. Treatment?")))
    assert result.status == "empty"
    assert "condition" in result.missing


def test_what_was_not_checked_is_said_in_the_language_of_the_question() -> None:
    asked = replace(deps(patient(("bosentan",), pregnant=None, age=30, creatinine=None)), language="zh")
    result = check_medications(asked, add=["nosuchdrug"])
    assert any("nosuchdrug" in w and "未核查" in w for w in result.warnings)
    assert not any("None" in w or "drug graph" in w for w in (*result.warnings, *result.missing, result.reason or ""))
    assert "是否妊娠" in result.missing
    assert rank_drugs(asked, condition="moonsickness").reason == "疾病“moonsickness”不在药物图谱中"
