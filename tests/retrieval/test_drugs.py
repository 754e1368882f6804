import csv

import pytest

from retrieval.drugs.facts import DrugFact, Severity
from retrieval.drugs.graph import DrugGraph
from retrieval.drugs.tables import DATA

GRAPH = DrugGraph.load()


def pair(a: str, b: str) -> DrugFact:
    """The first interaction of two drugs named in any language."""
    first, second = GRAPH.find(a), GRAPH.find(b)
    assert first is not None
    assert second is not None
    return GRAPH.interactions(first.id, second.id)[0]


def test_the_graph_holds_at_least_120_drugs_with_names_in_both_languages() -> None:
    drugs = GRAPH.drugs()
    assert len(drugs) >= 120
    assert all(d.name and d.name_zh and d.drug_class for d in drugs)
    assert sum(d.atc is not None for d in drugs) > 0.95 * len(drugs)


@pytest.mark.parametrize(
    ("name", "drug"),
    [
        ("albuterol", "salbutamol"),
        ("Salbutamol", "salbutamol"),
        ("沙丁胺醇", "salbutamol"),
        ("rifampin", "rifampicin"),
        ("PAXLOVID", "nirmatrelvir-ritonavir"),
        ("复方新诺明", "trimethoprim-sulfamethoxazole"),
        ("co-trimoxazole", "trimethoprim-sulfamethoxazole"),
        ("acetaminophen", "paracetamol"),
        ("B01AA03", "warfarin"),
    ],
)
def test_brand_synonym_chinese_and_code_find_the_drug(name: str, drug: str) -> None:
    found = GRAPH.find(name)
    assert found is not None
    assert found.id == drug


@pytest.mark.parametrize("name", ["zorvamycin", "amoxicilin", "佐尔霉素", "", "Symbicort"])
def test_an_unknown_name_or_a_combined_product_is_no_drug(name: str) -> None:
    assert GRAPH.find(name) is None


def test_a_combined_product_gives_its_parts() -> None:
    assert {d.id for d in GRAPH.resolve("Symbicort Turbuhaler 160/4.5")} == {"budesonide", "formoterol"}


@pytest.mark.parametrize(
    ("a", "b", "severity"),
    [
        ("rifampicin", "warfarin", "major"),
        ("rifampicin", "voriconazole", "contraindicated"),
        ("rifampicin", "apixaban", "major"),
        ("clarithromycin", "simvastatin", "contraindicated"),
        ("clarithromycin", "colchicine", "major"),
        ("ciprofloxacin", "tizanidine", "contraindicated"),
        ("ciprofloxacin", "theophylline", "major"),
        ("linezolid", "sertraline", "major"),
        ("linezolid", "tramadol", "major"),
        ("voriconazole", "sirolimus", "contraindicated"),
        ("itraconazole", "vincristine", "major"),
        ("riociguat", "sildenafil", "contraindicated"),
        ("riociguat", "nitroglycerin", "contraindicated"),
        ("bosentan", "glyburide", "contraindicated"),
        ("bosentan", "cyclosporine", "contraindicated"),
        ("pirfenidone", "fluvoxamine", "contraindicated"),
        ("propranolol", "salbutamol", "major"),
        ("莫西沙星", "胺碘酮", "contraindicated"),
        ("奈玛特韦/利托那韦", "辛伐他汀", "contraindicated"),
        ("metronidazole", "warfarin", "major"),
        ("isoniazid", "phenytoin", "major"),
    ],
)
def test_known_interactions_have_their_severity_in_both_directions(a: str, b: str, severity: Severity) -> None:
    fact = pair(a, b)
    assert fact.severity == severity
    assert not fact.inferred
    assert fact.management
    assert pair(b, a) == fact


def test_a_row_of_the_pair_wins_over_a_row_of_its_class() -> None:
    assert pair("gemfibrozil", "simvastatin").severity == "contraindicated"
    assert pair("gemfibrozil", "atorvastatin").severity == "major"


def test_an_unlisted_interaction_is_inferred_and_shows_its_path() -> None:
    fact = pair("itraconazole", "tamsulosin")
    assert fact.inferred
    assert fact.path == ("itraconazole -inhibits-> CYP3A4", "tamsulosin -substrate_of-> CYP3A4")


def test_every_fact_is_a_sentence_in_both_languages_with_source_key_and_path() -> None:
    keys = set()
    for fact in GRAPH.all_facts():
        assert fact.text[0].isupper() or fact.text[0].isdigit(), fact.text
        assert fact.text.endswith((".", "!")), fact.text
        assert fact.text_zh.endswith("。"), fact.text_zh
        assert "{" not in fact.text + fact.text_zh, fact.text
        assert fact.source
        assert fact.path
        assert len(fact.key) == 8
        keys.add(fact.key)
    assert len(keys) == len(GRAPH.all_facts())


@pytest.mark.parametrize(
    "question", ["Does zorvamycin interact with warfarin?", "佐尔霉素和华法林能一起用吗？", "Is quinzorib safe in pregnancy?"]
)
def test_a_made_up_drug_gives_nothing_and_is_named(question: str) -> None:
    result = GRAPH.query(question)
    assert result.status == "empty"
    assert result.facts == ()
    assert result.understood.unknown
    assert result.understood.unknown[0] in (result.reason or ("",))[0]


def test_a_misspelling_is_offered_and_never_used() -> None:
    result = GRAPH.query("amoxicilin and warfarin")
    assert result.facts == ()
    assert "did you mean amoxicillin" in (result.reason or ("",))[0]


def test_a_pair_without_an_edge_is_said_to_be_absent_and_not_safe() -> None:
    result = GRAPH.query("Does oseltamivir interact with zanamivir?")
    assert result.status == "empty"
    assert "does not mean safe" in (result.reason or ("",))[0]


def test_the_same_pair_is_found_from_both_languages() -> None:
    english = GRAPH.query("Can clarithromycin be combined with simvastatin?").facts
    chinese = GRAPH.query("克拉霉素能和辛伐他汀同时服用吗？").facts
    assert english == chinese != ()


def test_the_tables_hold_what_the_docs_say() -> None:
    graph = DrugGraph.load()
    assert len(graph.drugs()) >= 400
    reviewed = list(csv.DictReader((DATA / "pairs_review.csv").read_text(encoding="utf-8").splitlines()))
    assert len(reviewed) == 330
    assert all(row["reason"] for row in reviewed)
    for row in reviewed:
        worst = {f.severity for f in graph.interactions(row["a"], row["b"])}
        assert row["severity"] in worst or (row["severity"] == "none" and not worst & {"major", "contraindicated"}), row


@pytest.mark.parametrize(
    ("a", "b", "severity"),
    [
        ("cimetidine", "theophylline", "major"),
        ("simnotrelvir-ritonavir", "simvastatin", "contraindicated"),
        ("amoxicillin-clavulanate", "methotrexate", "major"),
        ("omeprazole", "selpercatinib", "major"),
        ("febuxostat", "azathioprine", "contraindicated"),
    ],
)
def test_new_rows_carry_the_word_of_the_label(a: str, b: str, severity: str) -> None:
    assert severity in {f.severity for f in DrugGraph.load().interactions(a, b)}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("中风险肺栓塞，可定期随访", ["pulmonary-embolism"]),
        ("既往中风，服可定，莫西沙星过敏", ["ischaemic-stroke", "rosuvastatin", "moxifloxacin"]),
        ("雷莫西尤单抗后，DEXA scan, cortisol 300, after RTx", []),
        ("阿莫西林克拉维酸，咪唑安定", ["amoxicillin-clavulanate", "midazolam"]),
    ],
)
def test_a_name_inside_another_word_is_none(text: str, ids: list[str]) -> None:
    assert [m.ids[0] for m in GRAPH.scan(text)] == ids
