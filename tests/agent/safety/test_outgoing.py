"""Eighty identifiers planted in every field that a model could see: none leaves; what a model needs stays."""

from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage

from agent.safety.outgoing import FreeText, sent
from agent.turn.prompts import CaseCard, system_prompt
from tools.case.record import Allergy, Case, Condition, Medication, Note, Observation, Patient, Presentation, StudyRef
from tools.case.scrub import scrub
from tools.case.summary import summarize_case
from tools.deps import Deps

ROWS = [line.split("\t") for line in (Path(__file__).parent / "identifiers.tsv").read_text(encoding="utf-8").splitlines()]
PLANTED = [(shape.format(value), value) for shape, value in ROWS]


def _case(texts: list[str]) -> Case:
    """A case with the texts spread over every field that takes words."""
    take = iter(texts)
    return Case(
        case_id="planted",
        patient=Patient(
            age_years=67,
            sex="male",
            allergies=tuple(Allergy(substance=next(take), reaction=next(take)) for _ in range(3)),
            conditions=(Condition(name="COPD"), *(Condition(name=next(take)) for _ in range(10))),
        ),
        presentation=Presentation(
            question=next(take), symptoms=("fever", *(next(take) for _ in range(8))), findings=tuple(next(take) for _ in range(8))
        ),
        medications=(
            Medication(name="warfarin", dose=3.0, unit="mg"),
            *(Medication(name=next(take), unit=next(take), route=next(take), frequency=next(take)) for _ in range(3)),
        ),
        labs=(
            Observation(analyte="urea", value=11.2, unit="mmol/L"),
            *(Observation(analyte=next(take), value=1.0, unit=next(take), specimen=next(take)) for _ in range(4)),
        ),
        studies=(StudyRef(id="ct-1", path="ct", report=" ".join(next(take) for _ in range(5))),),
        notes=(Note(kind="admission", text="。 ".join(take)),),
    )


def _bytes(texts: list[str], free_text: FreeText) -> str:
    case = _case(texts)
    summary = summarize_case(Deps(cache_dir="unused", case=case)).for_model()  # type: ignore[arg-type]
    everything = " ; ".join(texts)
    messages: list[AnyMessage] = [
        SystemMessage(content=system_prompt("en", CaseCard.of(case)), additional_kwargs={"card": {"question": everything}}),
        HumanMessage(content=f"What is the matter? {everything}"),
        AIMessage(
            content=everything, tool_calls=[{"name": "search_guidelines", "args": {"query": everything}, "id": "1", "type": "tool_call"}]
        ),
        ToolMessage(content=f"{summary}\n[R-1] {everything}\n[X-aaaaaa] {everything}", artifact={"raw": everything}, tool_call_id="1"),
    ]
    return "\n".join(m.model_dump_json() for m in sent(messages, case, free_text))


def test_there_are_eighty_identifiers() -> None:
    assert len(PLANTED) == len({v for _, v in PLANTED}) == 80


@pytest.mark.parametrize("free_text", ["scrub", "home"])
def test_no_planted_identifier_leaves(free_text: FreeText) -> None:
    out = _bytes([text for text, _ in PLANTED], free_text)
    assert [value for _, value in PLANTED if value in out and len(value) > 1] == []


def test_what_the_model_needs_stays() -> None:
    out = _bytes([text for text, _ in PLANTED], "scrub")
    for word in ("COPD", "warfarin", "11.2 mmol/L", "67", "fever"):
        assert word in out


@pytest.mark.parametrize(
    "text",
    [
        "Community-acquired pneumonia with COPD; Legionella antigen positive; CURB-65 3",
        "Urea is 11.2 mmol/L (reference 2.5–7.8 mmol/L): high",
        "What does Fleischner 2017 say about a 7 mm nodule?",
        "HBV DNA 1200000 copies/mL, platelets 250000/uL",
        "高血压病史10年，白细胞升高，周围血管未见异常",
        "医院获得性肺炎用哌拉西林他唑巴坦",
        "患者于今晨出现胸痛，时有咳嗽",
    ],
)
def test_clinical_text_is_not_touched(text: str) -> None:
    assert scrub(text) == text
