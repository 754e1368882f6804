"""What the second reading of the fourth batch of drugs put right: facts that a reader would look for first."""

import csv

import pytest

from retrieval.drugs.graph import DrugGraph
from retrieval.drugs.tables import DATA

GRAPH = DrugGraph.load()


def rows(table: str) -> set[tuple[str, str, str]]:
    """The first three cells of every row of a table."""
    with (DATA / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return {(r[0], r[1], r[2]) for r in csv.reader(file)}


@pytest.mark.parametrize(
    ("a", "b", "severity"),
    [
        ("desmopressin", "furosemide", "contraindicated"),
        ("desmopressin", "budesonide", "major"),
        ("voriconazole", "nimodipine", "contraindicated"),
        ("ciclosporin", "lercanidipine", "contraindicated"),
        ("nirmatrelvir-ritonavir", "propafenone", "contraindicated"),
        ("clonidine", "bisoprolol", "major"),
        ("selegiline", "nortriptyline", "contraindicated"),
        ("cytisine", "isoniazid", "major"),
        ("cytisine", "rifampicin", "major"),
        ("chloramphenicol", "carboplatin", "contraindicated"),
        ("phenytoin", "upadacitinib", "major"),
        ("levofloxacin", "chlorpromazine", "major"),
        ("granisetron", "moxifloxacin", "moderate"),
        ("carbimazole", "theophylline", "moderate"),
        ("calcium-gluconate", "digoxin", "major"),
        ("caffeine-citrate", "aminophylline", "major"),
    ],
)
def test_pairs(a: str, b: str, severity: str) -> None:
    assert GRAPH.interactions(a, b)[0].severity == severity


@pytest.mark.parametrize("allergen", ["trimethoprim-sulfamethoxazole", "aspirin"])
def test_sulfasalazine_after_a_reaction_to_either_of_its_parts(allergen: str) -> None:
    assert [f.severity for f in GRAPH.cross_reactions(allergen, "sulfasalazine")] == ["contraindicated"]


@pytest.mark.parametrize(("crcl", "words"), [(55.0, "at most 600 mg"), (30.0, "half the dose"), (15.0, "little experience")])
def test_imatinib_by_clearance(crcl: float, words: str) -> None:
    (fact,) = GRAPH.dose_rules("imatinib", crcl=crcl)
    assert words in fact.text


def test_conditions_and_pregnancy() -> None:
    against, carried = rows("contraindications"), rows("pregnancy")
    assert {("doxapram", "pulmonary-embolism", "absolute"), ("doxapram", "asthma-exacerbation", "absolute")} <= against
    assert {("entecavir", "hiv", "avoid"), ("upadacitinib", "pulmonary-embolism", "avoid")} <= against
    assert not any(drug in {"entecavir", "lamivudine"} and condition == "hepatitis-b" for drug, condition, _ in against)
    assert ("chloramphenicol", "pregnancy", "contraindicated") in carried


def test_carbimazole_is_no_second_name_of_methimazole_and_cytisine_is_not_sparteine() -> None:
    found = GRAPH.find("卡比马唑")
    assert found is not None
    assert found.id == "carbimazole"
    assert GRAPH.find("司巴丁碱") is None
