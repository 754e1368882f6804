"""No placeholder reaches a person: every tool on every demo case and on made-up cases with holes, in both languages."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from retrieval.drugs.graph import DrugGraph
from tools.case.demo import demo_cases, open_named
from tools.case.record import (
    Allergy,
    Case,
    Condition,
    LungFunction,
    Medication,
    Observation,
    Patient,
    Presentation,
    Smoking,
    StudyRef,
    Vitals,
)
from tools.deps import Deps
from tools.errors import ToolsError
from tools.evidence import Language, ToolResult
from tools.scores.registry import calculators
from tools.spec import specs
from tools.summary.page import summarise
from tools.summary.record import AUDIENCES
from tools.wording import localised_result

# What a missing value, a number that is none, a sentinel or an unfilled slot would look like.
UNSAID = re.compile(r"\bNone\b(?! of)|\bnan\b|\bNaN\b(?!\))|\bnull\b|\binf\b|(?<![\d.])9{3,}(?:\.0+)?(?![\d.])|[{}]|\bTrue\b|\bFalse\b")
# Fields that a program reads: ids, versions, file names.
_NOT_SHOWN = {"key", "kind", "tool", "status", "definitions", "query"}


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a record with where it stands."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, BaseModel):
        yield from texts(value.model_dump(mode="json"), path)
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in _NOT_SHOWN:
                yield from texts(part, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts(part, path)


def unsaid(value: Any) -> list[str]:
    return [f"{path}: {text}" for path, text in texts(value) if UNSAID.search(text)]


@cache
def graph() -> DrugGraph:
    return DrugGraph.load()


def deps_of(case: Case | None, language: Language, question: str = "") -> Deps:
    return Deps(cache_dir=Path("unused"), case=case, language=language, drugs=graph(), question=question)


CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    *((name, {}) for name in ("quantify_ct", "encode_ct", "classify_ct", "draft_report", "find_similar_cases", "check_report")),
    *((name, {}) for name in ("interpret_labs", "summarize_case", "rank_drugs", "check_medications")),
    ("check_report", {"text": "Nodule of 8 mm in the right upper lobe. Impression: no nodule."}),
    ("check_report", {"text": "右肺上叶见8mm结节。印象：未见结节。"}),
    ("interpret_labs", {"analytes": ["potassium", "no such analyte"]}),
    ("rank_drugs", {"condition": "community-acquired pneumonia"}),
    ("rank_drugs", {"condition": "no such condition"}),
    ("check_medications", {"add": ["clarithromycin", "no such drug"]}),
    ("query_drug_graph", {"question": "Does warfarin interact with clarithromycin?"}),
    ("query_drug_graph", {"question": "华法林与克拉霉素有相互作用吗？"}),
    ("search_guidelines", {"query": "pneumonia"}),
)


def results(case: Case | None, language: Language, scores: tuple[str, ...]) -> Iterator[tuple[str, ToolResult]]:
    deps = deps_of(case, language)
    calls = (*CALLS, *(("calculate_score", {"name": name, "explain": explain}) for name in scores for explain in (False, True)))
    for name, arguments in calls:
        try:
            result = specs()[name].load()(deps, **arguments)
        except ToolsError as refusal:
            result = ToolResult(tool=name, status=refusal.status, reason=str(refusal))  # type: ignore[arg-type]
        yield f"{name} {arguments}", localised_result(result, language)


def shown(case: Case | None, language: Language, scores: tuple[str, ...]) -> list[str]:
    found = [f"{call}{one}" for call, result in results(case, language, scores) for one in unsaid(result)]
    if case is not None:
        found += [f"summary{one}" for audience in AUDIENCES for one in unsaid(summarise(deps_of(case, language), audience))]
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", demo_cases())
def test_demo_cases(name: str, language: Language, tmp_path: Path) -> None:
    share = demo_cases().index(name)  # every score on one case or other, all of them on an empty one below
    assert shown(open_named(name, tmp_path).case, language, tuple(calculators())[share::4]) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_case_and_an_empty_case(language: Language) -> None:
    scores = tuple(calculators())[language == "zh" :: 2]
    assert shown(None, language, scores[:3]) == []
    assert shown(Case(case_id="x"), language, scores) == []


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


NUMBER = st.sampled_from([0.0, 0.1, 1.0, 7.35, 45.0, 140.0, 5000.0])
TIME = maybe(st.sampled_from(["2026-01-02", "2026-01-02T08:00", "2025-11-30T23:59:00+00:00"]))
LAB = st.builds(
    Observation,
    analyte=st.sampled_from(["urea", "creatinine", "potassium", "procalcitonin", "d-dimer", "PaO2", "NT-proBNP", "nonsense"]),
    value=maybe(NUMBER),
    unit=maybe(st.sampled_from(["mmol/L", "umol/L", "mg/dL", "ng/mL", "mmHg", "furlong"])),
    comparator=maybe(st.sampled_from(["<", ">"])),
    time=TIME,
)
DRUG = st.builds(
    Medication,
    name=st.sampled_from(["warfarin", "prednisolone", "theophylline", "metformin", "made-up drug", "氨茶碱"]),
    dose=maybe(NUMBER),
    unit=maybe(st.just("mg")),
    frequency=maybe(st.just("twice daily")),
)
PATIENT = st.builds(
    Patient,
    age_years=maybe(st.sampled_from([0.0, 0.5, 64.0, 130.0])),
    sex=st.sampled_from(["male", "female", "unknown"]),
    weight_kg=maybe(st.sampled_from([0.5, 70.0, 300.0])),
    height_cm=maybe(st.sampled_from([40.0, 170.0])),
    pregnant=maybe(st.booleans()),
    smoking=maybe(st.builds(Smoking, status=st.sampled_from(["never", "former", "current", "unknown"]), pack_years=maybe(NUMBER))),
    allergies=st.lists(
        st.builds(Allergy, substance=st.sampled_from(["penicillin", "unheard"]), reaction=maybe(st.just("rash"))), max_size=1
    ).map(tuple),
    conditions=st.lists(st.builds(Condition, name=st.sampled_from(["asthma", "cirrhosis", "pneumonia"]), since=TIME), max_size=2).map(
        tuple
    ),
)
CASES = st.builds(
    Case,
    case_id=st.just("x"),
    patient=PATIENT,
    presentation=st.builds(Presentation, question=maybe(st.just("Breathless")), duration_days=maybe(NUMBER)),
    vitals=st.lists(
        st.builds(
            Vitals, time=TIME, heart_rate=maybe(st.just(120.0)), spo2_pct=maybe(st.sampled_from([0.0, 88.0])), gcs=maybe(st.just(15))
        ),
        max_size=2,
    ).map(tuple),
    labs=st.lists(LAB, max_size=5).map(tuple),
    lung_function=st.lists(
        st.builds(LungFunction, time=TIME, fev1_l=maybe(NUMBER), fev1_fvc=maybe(st.sampled_from([0.0, 0.62]))), max_size=1
    ).map(tuple),
    medications=st.lists(DRUG, max_size=3).map(tuple),
    studies=st.lists(
        st.builds(StudyRef, id=st.just("ct-1"), path=st.just("ct"), date=TIME, report=maybe(st.just("No nodule."))), max_size=1
    ).map(tuple),
)


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(case=CASES, language=st.sampled_from(["en", "zh"]), first=st.integers(0, 11))
def test_cases_with_holes(case: Case, language: Language, first: int) -> None:
    assert shown(case, language, tuple(calculators())[first::12]) == []


def test_the_pattern_sees_what_it_looks_for() -> None:
    for text in ("a clearance of 999 mL/min", "dose None mg", "value nan", "is {value}", "9999.0 mL"):
        assert unsaid({"text": text})
    for text in ("None of these", "pH 7.999", "INR 2.0", "nanogram", "(NaN)"):
        assert not unsaid({"text": text})
