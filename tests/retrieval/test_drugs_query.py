import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from retrieval.drugs.facts import Relation, Severity
from retrieval.drugs.graph import DrugGraph
from retrieval.drugs.lint import checked_tables
from retrieval.drugs.tables import DATA
from retrieval.errors import BadInput

GRAPH = DrugGraph.load()


@pytest.mark.parametrize(
    ("question", "relation", "subjects", "words"),
    [
        ("What dose of enoxaparin in CrCl 20?", "adjusts_for", "enoxaparin", "once daily"),
        ("左氧氟沙星 肌酐清除率 15 mL/min 怎么调整剂量", "adjusts_for", "levofloxacin", "500 mg every 48 hours"),
        ("how to dose vancomycin in CKD", "adjusts_for", "vancomycin", "AUC"),
        ("voriconazole in Child-Pugh A cirrhosis dose", "adjusts_for", "voriconazole", "half the maintenance dose"),
        ("Is bosentan safe in pregnancy?", "pregnancy", "bosentan", "contraindicated"),
        ("孕妇能用左氧氟沙星吗", "pregnancy", "levofloxacin", "avoided"),
        ("Can a breastfeeding mother take codeine?", "lactation", "codeine", "avoided"),
        ("重症肌无力患者可以用莫西沙星吗？", "contraindicated_in", "moxifloxacin", "avoided"),
        ("propranolol in asthma", "contraindicated_in", "propranolol", "contraindicated in asthma"),
        ("乙胺丁醇需要监测什么", "monitors", "ethambutol", "colour vision"),
        ("side effects of pirfenidone", "causes", "pirfenidone", "commonly causes"),
        ("Does azithromycin prolong QT?", "causes", "azithromycin", "QT prolongation"),
        ("Is clarithromycin a CYP3A4 inhibitor?", "inhibits", "clarithromycin", "strong inhibitor of CYP3A4"),
        ("IPF 用什么药治疗", "treats", "nintedanib", "first-line"),
        ("treatment of drug-resistant TB", "treats", "bedaquiline", "BPaLM"),
        ("alternatives to amoxicillin in the same class", "same_class", "ampicillin", "both penicillins"),
        ("allergic to ceftriaxone, can I use cefepime", "cross_reacts_with", "cefepime", "same methoxyimino R1 side chain"),
        ("Can sulfa-allergic patients take furosemide?", "cross_reacts_with", "furosemide", "non-antibiotic sulfonamide"),
    ],
)
def test_a_question_gets_facts_of_the_relation_it_asks_for(question: str, relation: Relation, subjects: str, words: str) -> None:
    result = GRAPH.query(question)
    assert result.status == "ok"
    assert any(f.relation == relation and subjects in f.subjects and words in f.text for f in result.facts), [f.text for f in result.facts]


def test_an_allergy_question_answers_in_the_direction_asked() -> None:
    facts = GRAPH.query("青霉素过敏可以用头孢曲松吗").facts
    assert [f.subjects for f in facts] == [("benzylpenicillin", "ceftriaxone")]


def test_a_narrower_question_never_gives_more() -> None:
    wide = GRAPH.query("What does linezolid interact with?").facts
    narrow = GRAPH.query("Does linezolid interact with SSRIs?").facts
    narrower = GRAPH.query("Does linezolid interact with sertraline?").facts
    assert set(narrower) < set(narrow) < set(wide)
    all_doses = GRAPH.query("cefepime in renal failure").facts
    one_dose = GRAPH.query("cefepime with CrCl 20").facts
    assert set(one_dose) < set(all_doses)


def test_one_unknown_among_known_drugs_makes_the_answer_partial() -> None:
    result = GRAPH.query("Can I combine clarithromycin, simvastatin and zorvamycin?")
    assert result.status == "partial"
    assert result.understood.unknown == ("zorvamycin",)
    assert "zorvamycin" in result.warnings[0][0]


@pytest.mark.parametrize("question", ["", "hello there", "今天天气怎么样？", "What is the capital of France?"])
def test_a_question_without_a_drug_is_empty_with_a_reason(question: str) -> None:
    result = GRAPH.query(question)
    assert result.status == "empty"
    assert result.reason


@pytest.mark.parametrize(
    ("a", "b", "severity"),
    [("clopidogrel", "fluvoxamine", "moderate"), ("omeprazole", "fluvoxamine", "major"), ("citalopram", "haloperidol", "major")],
)
def test_inferred_severity_follows_the_grid_and_the_margin_of_safety(a: str, b: str, severity: Severity) -> None:
    fact = GRAPH.interactions(a, b)[0]
    assert fact.inferred
    assert fact.severity == severity
    assert len(fact.path) == 2


def test_inhibition_of_a_prodrug_reduces_its_activation() -> None:
    assert any("reduce the activation of clopidogrel" in f.text for f in GRAPH.interactions("clopidogrel", "fluvoxamine"))


def test_every_fact_has_a_year_and_every_drug_more_than_its_class() -> None:
    assert all(f.year is not None and 1990 <= f.year <= 2026 for f in GRAPH.all_facts())
    bare = [d.id for d in GRAPH.drugs() if not any(f.relation != "allergy_class" for f in GRAPH.facts((d.id,)))]
    assert len(bare) <= 1, bare


def test_bands_of_one_drug_do_not_overlap() -> None:
    bands: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in GRAPH.tables.adjustments:
        if row.metric != "child_pugh":
            bands.setdefault((row.drug, row.metric), []).append((float(row.low), float(row.high)))
    for key, found in bands.items():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(found))), key


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        ("interactions.csv", ",contraindicated,", ",deadly,", "unknown severity"),
        ("drugs.csv", "B01AA03", "B01A3", "malformed"),
        ("treats.csv", "ats-cap-2019", "no-such-source", "unknown line or source"),
        ("adjustments.csv", "crcl,0,30", "crcl,30,30", "empty band"),
        ("sources.csv", "source_id,issuer", "source,issuer", "header"),
        ("sources.csv", ",2019,", ",1019,", "implausible year"),
    ],
)
def test_a_bad_row_is_refused_with_its_table(tmp_path: Path, table: str, old: str, new: str, message: str) -> None:
    folder = tmp_path / "drugs"
    shutil.copytree(DATA, folder)
    text = (folder / table).read_text(encoding="utf-8")
    assert old in text
    (folder / table).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        checked_tables(folder)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("entecavir dose with creatinine clearance 25", "0.15 mg daily"),
        ("恩替卡韦肾功能不全怎么调整", "0.15 mg"),
        ("propafenone in asthma", "bronchospastic"),
        ("leflunomide and interstitial lung disease", "avoided"),
        ("rifampicin with praziquantel", "contraindicated"),
        ("ACE inhibitor with sacubitril", "angioedema"),
        ("methyldopa in pregnancy", "may be used"),
        ("calcium gluconate with ceftriaxone", "precipitate"),
        ("hydroxyzine with long QT", "contraindicated"),
    ],
)
def test_medicines_of_the_ward_are_known(question: str, said: str) -> None:
    assert said in " ".join(f.text for f in GRAPH.query(question).facts)
