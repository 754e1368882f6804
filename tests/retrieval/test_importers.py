import gzip
from pathlib import Path

import pytest

from retrieval.drugs.public_graphs.engine import KnowledgeGraph
from retrieval.drugs.public_graphs.facts import imported_facts
from retrieval.drugs.public_graphs.readers import GraphEdge, GraphNode, drkg, drkg_nodes, hetionet_edges, hetionet_nodes, primekg
from retrieval.errors import BadInput

SHARED = Path(__file__).resolve().parents[2] / "../shared/data/drugs"
needs_hetionet = pytest.mark.skipif(not (SHARED / "hetionet_nodes.tsv").is_file(), reason="shared Hetionet files are absent")
KG = "relation,display_relation,x_index,x_id,x_type,x_name,x_source,y_index,y_id,y_type,y_name,y_source\n"


@pytest.fixture(scope="module")
def hetionet() -> KnowledgeGraph:
    return KnowledgeGraph.build(hetionet_nodes(SHARED / "hetionet_nodes.tsv"), hetionet_edges(SHARED / "hetionet_edges_5k.sif.gz"))


@needs_hetionet
def test_hetionet_keeps_every_node_and_edge(hetionet: KnowledgeGraph) -> None:
    assert len(hetionet.nodes) == 47031
    assert hetionet.edge_count == 99676


@needs_hetionet
def test_hetionet_edges_equal_the_file_and_keep_their_provenance(hetionet: KnowledgeGraph) -> None:
    with gzip.open(SHARED / "hetionet_edges_5k.sif.gz", "rt") as handle:
        treats = [line.split("\t") for line in handle if "\tCtD\t" in line]
    drug = treats[0][0]
    expected = {row[2].strip() for row in treats if row[0] == drug}
    hops = [h for h in hetionet.neighbours(drug, frozenset({"treats"})) if h.forward]
    assert {h.target for h in hops} == expected
    assert {h.provenance for h in hops} == {"Hetionet v1.0"}


@needs_hetionet
def test_two_hops_agree_with_a_plain_walk(hetionet: KnowledgeGraph) -> None:
    (warfarin,) = hetionet.find("Warfarin")
    plain: dict[str, int] = {}
    for first in hetionet.neighbours(warfarin.id):
        for second in hetionet.neighbours(first.target):
            plain[second.target] = plain.get(second.target, 0) + 1
    plain.pop(warfarin.id, None)
    assert hetionet.two_hops(warfarin.id) == plain
    diseases = {n.id for n in hetionet.nodes if n.kind == "Disease"}
    assert hetionet.two_hops(warfarin.id, "Disease") == {k: v for k, v in plain.items() if k in diseases}


def test_a_saved_graph_is_the_same_graph(tmp_path: Path) -> None:
    nodes = [GraphNode("a", "Alpha", "Drug"), GraphNode("b", "Beta", "Gene"), GraphNode("c", "Gamma", "Disease")]
    edges = [GraphEdge("a", "binds", "b", "CbG", "x"), GraphEdge("c", "associates", "b", "DaG", "x")]
    graph = KnowledgeGraph.build(nodes, edges)
    graph.save(tmp_path / "g.npz")
    again = KnowledgeGraph.load(tmp_path / "g.npz")
    assert again.nodes == graph.nodes
    assert list(again.neighbours("b")) == list(graph.neighbours("b"))
    assert [tuple(map(str, path)) for path in again.paths("a", "c")] == [("a -binds-> b", "c -associates-> b")]


def test_primekg_rows_become_the_schema_with_provenance(tmp_path: Path) -> None:
    file = tmp_path / "kg.csv"
    file.write_text(
        KG
        + 'indication,indication,1,DB00682,drug,Warfarin,DrugBank,2,5,disease,"embolism, pulmonary",MONDO\n'
        + "drug_drug,synergistic interaction,1,DB00682,drug,Warfarin,DrugBank,3,DB01045,drug,Rifampicin,DrugBank\n"
    )
    rows = list(primekg(file))
    assert [edge.relation for _, edge, _ in rows] == ["treats", "interacts_with"]
    assert rows[0][2].name == "embolism, pulmonary"
    assert "DrugBank" in rows[0][1].provenance
    graph = KnowledgeGraph.build([n for x, _, y in rows for n in (x, y)], [edge for _, edge, _ in rows])
    assert graph.edge_count == 2
    assert len(graph.nodes) == 3


def test_drkg_rows_become_the_schema_with_provenance(tmp_path: Path) -> None:
    file = tmp_path / "drkg.tsv"
    file.write_text(
        "Compound::DB00682\tDRUGBANK::treats::Compound:Disease\tDisease::MESH:D011655\n"
        "Compound::DB00682\tDRUGBANK::ddi-interactor-in::Compound:Compound\tCompound::DB01045\n"
        "Gene::2157\tbioarx::HumGenHumGen:Gene:Gene\tGene::5264\n"
    )
    edges = list(drkg(file))
    assert [e.relation for e in edges] == ["treats", "interacts_with", "HumGenHumGen"]
    assert edges[2].provenance == "DRKG (bioarx)"
    assert KnowledgeGraph.build(drkg_nodes(iter(edges)), edges).edge_count == 3


@pytest.mark.parametrize(
    ("name", "text", "reader"),
    [
        ("kg.csv", "relation,x\n", primekg),
        ("edges.sif", "source\tmetaedge\ttarget\na\tXYZ\tb\n", hetionet_edges),
        ("drkg.tsv", "a\tno-source\tb\n", drkg),
        ("drkg.tsv", "a\tonly two\n", drkg),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_name(tmp_path: Path, name: str, text: str, reader: object) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(BadInput, match=name):
        list(reader(file))  # type: ignore[operator]


def test_an_edge_to_an_unlisted_node_is_refused() -> None:
    with pytest.raises(BadInput, match="no listed node"):
        KnowledgeGraph.build([GraphNode("a", "A", "Drug")], [GraphEdge("a", "binds", "z", "CbG", "x")])


@needs_hetionet
def test_imported_edges_become_facts_that_name_their_graph(hetionet: KnowledgeGraph) -> None:
    drug = next(n for n in hetionet.nodes if n.kind == "Compound" and any(True for _ in hetionet.neighbours(n.id, frozenset({"treats"}))))
    facts = imported_facts(hetionet, drug.name)
    treats = [f for f in facts if f.relation == "treats"]
    assert treats
    assert all("Hetionet v1.0" in f.source and f.year == 2017 for f in facts)
    assert all(f.path and f.text.endswith(".") and f.text_zh.endswith("。") for f in facts)
    assert imported_facts(hetionet, "zorvamycin") == ()
