"""Small real tools over a small real case, so that the graph can be run without the other rooms."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from agent.assistant import Assistant
from agent.sessions.views import DemoCase
from agent.settings import Settings
from tools.case.record import Allergy, Case, Condition, Medication, Observation, Patient, Presentation, Vitals
from tools.deps import Deps
from tools.evidence import Evidence, Quantity, ToolResult

_UPPER = {"urea": 7.8, "crp": 5.0, "creatinine": 104.0, "sodium": 145.0}
_ZH = {"urea": "尿素", "crp": "C反应蛋白", "creatinine": "肌酐", "sodium": "钠"}
_PASSAGES = (
    Evidence(
        key="G-cap-high",
        kind="guideline",
        text="Adults with high-severity community-acquired pneumonia (CURB-65 score 3 to 5) should be treated in hospital with an "
        "intravenous beta-lactam plus a macrolide.",
        text_zh="高危社区获得性肺炎成人（CURB-65 评分 3–5 分）应住院治疗，静脉使用β-内酰胺类联合大环内酯类。",
        source="Test issuer: Pneumonia in adults (2024)",
        year=2024,
        locator="Section 1",
        subjects=("community-acquired pneumonia",),
    ),
    Evidence(
        key="G-cap-low",
        kind="guideline",
        text="Adults with low-severity community-acquired pneumonia (CURB-65 score 0 or 1) can be treated at home with "
        "oral amoxicillin for 5 days.",
        text_zh="低危社区获得性肺炎成人（CURB-65 评分 0 或 1 分）可居家口服阿莫西林 5 天。",
        source="Test issuer: Pneumonia in adults (2024)",
        year=2024,
        locator="Section 2",
        subjects=("community-acquired pneumonia",),
    ),
    Evidence(
        key="G-cap-allergy",
        kind="guideline",
        text="In adults with community-acquired pneumonia and penicillin allergy, doxycycline or clarithromycin can replace amoxicillin.",
        text_zh="对青霉素过敏的社区获得性肺炎成人，可用多西环素或克拉霉素代替阿莫西林。",
        source="Test issuer: Pneumonia in adults (2024)",
        year=2024,
        locator="Section 3",
        subjects=("community-acquired pneumonia",),
    ),
    Evidence(
        key="G-asthma",
        kind="guideline",
        text="Adults with asthma should receive inhaled corticosteroid with formoterol as needed.",
        text_zh="成人哮喘应按需使用吸入性糖皮质激素联合福莫特罗。",
        source="Test issuer: Asthma (2024)",
        year=2024,
        locator="Section 1",
        subjects=("asthma",),
    ),
)


@tool(response_format="content_and_artifact")
def interpret_labs(runtime: ToolRuntime[Deps], analytes: list[str] | None = None) -> tuple[str, dict[str, Any]]:
    """Interpret the laboratory values of the case."""
    case = runtime.context.case
    rows: list[Evidence] = []
    table: list[Any] = []
    for o in case.labs if case else ():
        if o.value is None or (analytes and o.analyte not in analytes):
            continue
        high = o.value > _UPPER.get(o.analyte, 1e9)
        limit = _UPPER.get(o.analyte, 0)
        rows.append(
            Evidence(
                key=f"L-{o.analyte}",
                kind="lab",
                text=f"{o.analyte.capitalize()} is {o.value:g} {o.unit} (reference ≤ {limit:g} {o.unit}): {'high' if high else 'normal'}.",
                text_zh=f"{_ZH[o.analyte]} {o.value:g} {o.unit}（参考区间 ≤ {limit:g} {o.unit}），{'升高' if high else '正常'}。",
                source="laboratory result of the case",
                locator=o.time,
                quantities=(Quantity(name=o.analyte, value=o.value, unit=o.unit or ""),),
                subjects=(o.analyte,),
            )
        )
        table.append({"analyte": o.analyte, "name": o.analyte, "value": o.value, "flag": "high" if high else "normal"})
    status = "ok" if rows else "empty"
    urgent = tuple(e.text for e in rows if e.quantities[0].value > 40 and e.key == "L-urea")
    return _out(ToolResult(tool="interpret_labs", status=status, evidence=tuple(rows), emergencies=urgent, data={"observations": table}))


@tool(response_format="content_and_artifact")
def calculate_score(name: str, runtime: ToolRuntime[Deps], inputs: dict[str, str] | None = None) -> tuple[str, dict[str, Any]]:
    """Calculate a clinical score from the case."""
    case = runtime.context.case
    if name != "curb_65" or case is None:
        return _out(ToolResult(tool="calculate_score", status="unavailable", reason=f"no calculator named {name!r}; see medmpt calc list"))
    v = case.vitals[-1]
    urea = next((o.value for o in case.labs if o.analyte == "urea"), None)
    points = sum(
        [
            "confusion" in case.presentation.findings,
            (urea or 0) > 7,
            (v.respiratory_rate or 0) >= 30,
            (v.sbp_mmhg or 999) < 90 or (v.dbp_mmhg or 999) <= 60,
            (case.patient.age_years or 0) >= 65,
        ]
    )
    band = "high severity" if points >= 3 else "moderate severity" if points == 2 else "low severity"
    zh = {"high severity": "高危", "moderate severity": "中危", "low severity": "低危"}[band]
    made = Evidence(
        key="S-curb_65",
        kind="score",
        text=f"CURB-65 is {points} of 5 points: {band}.",
        text_zh=f"CURB-65 评分为 {points} 分（满分 5 分）：{zh}。",
        source="Lim 2003",
        quantities=(Quantity(name="curb_65", value=points, unit="points", decimals=0),),
        subjects=("curb-65", "community-acquired pneumonia"),
    )
    return _out(ToolResult(tool="calculate_score", status="ok", evidence=(made,), data={"name": name, "value": points, "band": band}))


@tool(response_format="content_and_artifact")
def search_guidelines(
    query: str, runtime: ToolRuntime[Deps], k: int = 5, current_only: bool = False, topic: str | None = None
) -> tuple[str, dict[str, Any]]:
    """Search the guideline passages."""
    from agent.reading.lexicon import ids

    wanted = ids(query)
    ranked = sorted(_PASSAGES, key=lambda p: (-len(wanted & ids(p.text + " ".join(p.subjects))), p.key))
    found = tuple(p for p in ranked if wanted & ids(p.text, "disease"))[:k]
    status = "ok" if found else "empty"
    return _out(ToolResult(tool="search_guidelines", status=status, reason=None if found else "no passage fits", evidence=found))


@tool(response_format="content_and_artifact")
def draft_report(runtime: ToolRuntime[Deps], study: str = "ct-1") -> tuple[str, dict[str, Any]]:
    """Draft a CT report."""
    return _out(ToolResult(tool="draft_report", status="unavailable", reason="no weights: run medmpt weights install"))


@tool(response_format="content_and_artifact")
def summarize_case(runtime: ToolRuntime[Deps]) -> tuple[str, dict[str, Any]]:
    """Summarise the case."""
    case = runtime.context.case
    if case is None:
        return _out(ToolResult(tool="summarize_case", status="empty", reason="no case is open"))
    age = case.patient.age_years or 0
    made = Evidence(
        key="C-patient",
        kind="case",
        text=f"The patient is a {age:g}-year-old {case.patient.sex} with fever and cough.",
        text_zh=f"患者为 {age:g} 岁，有发热、咳嗽。",
        source="case record",
    )
    return _out(ToolResult(tool="summarize_case", status="ok", evidence=(made,)))


def _out(result: ToolResult) -> tuple[str, dict[str, Any]]:
    return result.for_model(), result.model_dump(mode="json")


def make_case(urea: float = 11.2, ident: str = "test-cap") -> Case:
    """A pneumonia case."""
    return Case(
        case_id=ident,
        synthetic=True,
        patient=Patient(age_years=67, sex="male", allergies=(Allergy(substance="penicillin"),), conditions=(Condition(name="COPD"),)),
        presentation=Presentation(question="Cause of fever and right chest pain?", symptoms=("fever", "cough"), findings=("confusion",)),
        vitals=(Vitals(respiratory_rate=31, sbp_mmhg=92, dbp_mmhg=58, spo2_pct=88),),
        labs=(
            Observation(time="2025-03-01T08:10:00", analyte="urea", value=urea, unit="mmol/L"),
            Observation(time="2025-03-01T08:10:00", analyte="crp", value=182, unit="mg/L"),
            Observation(time="2025-03-01T08:10:00", analyte="sodium", value=138, unit="mmol/L"),
        ),
        medications=(Medication(name="warfarin"),),
    )


@dataclass(frozen=True)
class Loaded:
    """A case with what stays here."""

    case: Case
    folder: Path
    studies: dict[str, Path] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class SmallHouse:
    """Parts of a house with four tools and two cases."""

    def __init__(self, folder: Path, more: tuple[BaseTool, ...] = ()) -> None:
        self.folder = folder
        self.more = more
        self.cases = {"a": make_case(), "b": make_case(urea=5.0), "c": make_case(urea=45.0)}

    def tools(self) -> tuple[BaseTool, ...]:
        mine = (interpret_labs, calculate_score, search_guidelines, draft_report, summarize_case)
        names = {t.name for t in self.more}
        return (*(t for t in mine if t.name not in names), *self.more)

    def index(self) -> None:
        return None

    def reopen_index(self) -> None:
        return None

    def drugs(self) -> None:
        return None

    def engine(self) -> None:
        return None

    def demo_cases(self) -> tuple[DemoCase, ...]:
        return (DemoCase(id="a", title_en="Pneumonia", title_zh="肺炎"),)

    def teaching_cases(self) -> tuple[DemoCase, ...]:
        return ()

    def load_case(self, source: str | Path) -> Loaded:
        return Loaded(self.cases[str(source)], self.folder)


MakeAssistant = Callable[..., Assistant]


@pytest.fixture
def make_assistant(tmp_path: Path) -> Iterator[MakeAssistant]:
    """Makes assistants on one data folder; closes them at the end."""
    made: list[Assistant] = []

    def make(
        llm: str = "planner", more: tuple[BaseTool, ...] = (), folder: Path | None = None, seconds: float = 30.0, **settled: Any
    ) -> Assistant:
        place = folder or tmp_path
        settings = Settings(data_dir=place / "data", cache_dir=place / "cache", llm=llm, llm_seconds=seconds, **settled)
        assistant = Assistant(settings, SmallHouse(place, more))
        made.append(assistant)
        return assistant

    yield make
    for assistant in made:
        assistant.close()
