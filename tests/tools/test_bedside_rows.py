"""Rows of criteria, regimens, doses and cautions: what they ask for exists, texts can be written, passages are in the corpus."""

import re
from itertools import chain

import pytest

from retrieval.drugs.graph import DrugGraph
from retrieval.guidelines.corpus import load_corpus
from tools.bedside.cautions import cautions
from tools.bedside.doses import dose_rows
from tools.bedside.instead import alternatives
from tools.bedside.record.expression import names_of
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import notions, numbers
from tools.bedside.regimens import regimens
from tools.bedside.topics import topics
from tools.case.record import Case
from tools.labs.analytes import analytes
from tools.scores.registry import calculators

GRAPH = DrugGraph.load()
CALLS = {"on", "allergic", "severe_allergy", "asked", "smoker", "sex", "known", "true", "causing", "infusion_reaction"}
BASE = {
    *notions(), *numbers(), *analytes(),
    "temperature", "hr", "rr", "sbp", "dbp", "bp", "spo2", "fio2", "gcs", "age", "weight", "height", "bmi", "fev1_pct", "fvc_pct",
    "dlco_pct", "fev1_fvc", "fev1_l", "crcl", "egfr", "pf", "aa", "days", "pack_years", "quit_years", "alt_times", "fvc_drop", "dlco_drop",
    "fluid30", "gas_fio2", "news2_co2", "ppo_fev1", "ppo_dlco",
    "cd4", "hiv_rna", "amount", "water_deficit", "ratio_protein", "ratio_ldh",
}  # fmt: skip
# Scores that rows may ask for before the house has them: unknown until then.
LATER = {"spesi", "brock", "mayo"}


def _known(name: str, own: set[str]) -> bool:
    if name in BASE or name in own or re.fullmatch(r"(met|open|all)(_\w+)?|(m[gl]kg|perkg)_\d+(p\d+)?|tv_[4-8]", name):
        return True
    if name.startswith("score_"):
        return name.removeprefix("score_") in calculators() or name.removeprefix("score_") in LATER
    stem = re.sub(r"^(worst_|base_|si_)|_rise$", "", name)
    listed = name.removeprefix("list_")
    effects = {e.id.replace("-", "_") for e in GRAPH.tables.effects}
    groups = {c.id for c in GRAPH.tables.classes}
    return stem in BASE or (name != listed and (listed.removeprefix("causing_") in effects or listed in groups))


def _check(test: str, where: str, own: set[str]) -> None:
    if not test.strip():
        return
    names, calls = names_of(test)
    assert not {n for n in names if not _known(n, own)}, (where, test)
    assert calls <= CALLS, (where, test)
    for group in re.findall(r"@(\w+)", test):
        assert any(c.id == group for c in GRAPH.tables.classes), (where, group)


def _text(texts: tuple[str, str], where: str, own: set[str]) -> None:
    for text in texts:
        assert text.count("[[") == text.count("]]"), (where, text)
        for test in re.findall(r"\[\[([^\[\]?]*)\?", text):
            _check(test, where, own)
        assert not {s for s in re.findall(r"\{([a-z_0-9]+)\}", text) if not _known(s, own)}, (where, text)


def test_topics_ask_only_for_what_exists() -> None:
    for topic in topics().values():
        own = {i.key for i in topic.item}
        _check(topic.test, topic.id, set())
        for item in topic.item:
            _check(item.test, topic.id, set())
            _text((item.en, item.zh), topic.id, set())
        for said in (*topic.verdict, *topic.note):
            _check(said.test, topic.id, own)
            _text((said.en, said.zh), topic.id, own)


def test_regimens_doses_and_cautions_ask_only_for_what_exists() -> None:
    ids = {d.id for d in GRAPH.drugs()}
    for regimen in regimens():
        _check(regimen.case, regimen.id, set())
        _check(regimen.test, regimen.id, set())
        for option in regimen.option:
            _check(option.test, regimen.id, set())
            assert {p.drug for p in option.part} <= ids, regimen.id
            doses = chain.from_iterable(p.dose for p in option.part)
            for dose in (*doses, *regimen.note, *regimen.before):
                _check(dose.test, regimen.id, set())
                _text((dose.en, dose.zh), regimen.id, set())
    for row in dose_rows():
        assert row.drug in ids
        _check(row.test, row.drug, set())
        _text((row.en, row.zh), row.drug, set())
    for caution in (*cautions(), *alternatives()):
        _check(caution.test, caution.drugs, set())
        _text((caution.en, caution.zh), caution.drugs, set())


def test_every_row_names_its_source_and_cited_passages_stand_in_the_corpus() -> None:
    known = {p.key for p in load_corpus().passages} | {p.id for p in load_corpus().passages if hasattr(p, "id")}
    cited = (
        [(t.id, t.passage) for t in topics().values()]
        + [(r.id, r.passage) for r in regimens()]
        + [(d.drug, d.passage) for d in dose_rows()]
    )
    assert not [(who, passage) for who, passage in cited if passage and passage not in known]
    assert all(row.source for row in (*topics().values(), *regimens(), *dose_rows(), *cautions()))


@pytest.mark.parametrize("name", sorted(notions()))
def test_every_notion_can_be_asked_of_an_empty_record(name: str) -> None:
    assert Record(Case(case_id="empty"), GRAPH).notion(name) in (None, False)
