from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import typer

from retrieval.drugs.commands import import_graph, imported, query
from retrieval.errors import BadInput as RetrievalBadInput
from tools.drugs.commands import check_case, rank_case
from tools.errors import BadInput

CASE = Path(__file__).resolve().parents[2] / "tools/data/cases/demo-ipf-01"
KG = "relation,display_relation,x_index,x_id,x_type,x_name,x_source,y_index,y_id,y_type,y_name,y_source\n"


@dataclass
class Settings:
    cache_dir: Path
    data_dir: Path


@pytest.fixture
def ctx(tmp_path: Path) -> typer.Context:
    return typer.Context(click.Command("drugs"), obj=Settings(tmp_path / "cache", tmp_path / "data"))


def test_query_prints_facts_with_the_contract_fields() -> None:
    report = query("Can I give clarithromycin with simvastatin?").model_dump()
    assert report["status"] == "ok"
    assert {"text", "subjects", "relation", "severity", "source", "year", "inferred", "path"} <= set(report["facts"][0])


def test_query_for_a_made_up_drug_is_empty() -> None:
    report = query("zorvamycin with warfarin")
    assert report.status == "empty"
    assert report.facts == []
    assert "zorvamycin" in (report.reason or "")


def test_check_and_rank_read_a_demo_case(ctx: typer.Context) -> None:
    report = check_case(ctx, CASE, add=["pirfenidone"])
    assert report.facts
    assert any("Fluvoxamine with pirfenidone is contraindicated" in text for text in report.emergencies)
    ranking = rank_case(ctx, CASE)
    assert ranking.status == "partial"
    assert ranking.ranked
    assert ranking.rejected


def test_a_missing_case_is_bad_input(ctx: typer.Context, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        check_case(ctx, tmp_path / "nowhere")


def test_a_graph_is_imported_once_and_asked_later(ctx: typer.Context, tmp_path: Path) -> None:
    file = tmp_path / "kg.csv"
    file.write_text(KG + "contraindication,contraindication,1,DB00682,drug,Warfarin,DrugBank,2,5,disease,haemorrhage,MONDO\n")
    assert import_graph(ctx, "primekg", [file]).edges == 1
    facts = imported(ctx, "warfarin", "primekg").facts
    assert [f.relation for f in facts] == ["contraindicated_in"]
    assert "PrimeKG" in facts[0].source
    assert imported(ctx, "zorvamycin", "primekg").status == "empty"


@pytest.mark.parametrize(("form", "count"), [("wikidata", 1), ("hetionet", 1)])
def test_an_unknown_format_or_a_missing_file_is_refused(ctx: typer.Context, tmp_path: Path, form: str, count: int) -> None:
    with pytest.raises(RetrievalBadInput, match=form):
        import_graph(ctx, form, [tmp_path / "x.tsv"] * count)
