"""A small real assistant for the page's tests: two cases, a fixed script of steps and sentences, nothing learned or searched."""

import base64
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from agent.answering.answer import Answer, Claim, Done, Event, Removed, Sections, Sentence, StepFinished, StepStarted, ToolCall
from agent.chart.desk import Chart
from agent.errors import AgentError, BadInput, OutOfDomain
from agent.keeping.feedback import Feedback
from agent.keeping.library import Library
from agent.models.choices import Models
from agent.sessions.handles import Cases
from agent.sessions.lessons import Lessons
from agent.sessions.marks import MarkChange, MarksView
from agent.sessions.teaching import TeachingDesk
from agent.sessions.viewer import Viewer
from agent.sessions.views import (
    CaseView,
    DemoCase,
    FindingsView,
    FindingView,
    HeatView,
    KeySlice,
    PassageView,
    PlaneView,
    StudyHandle,
    StudyInfo,
)
from agent.settings import Settings
from retrieval.drugs.graph import DrugGraph
from tools.case.demo import open_demo
from tools.case.files import LoadedCase, load_case
from tools.evidence import Evidence, Language, ModelCard, Quantity
from tools.imaging.marks.mark import MarkBox, MarkedLesion
from tools.imaging.marks.store import MarkStore
from tools.registry import TOOLS
from tools.teaching.store import TeachingStore

SHAPE = (24, 64, 64)
GUIDELINE = Evidence(
    key="G-000001",
    kind="guideline",
    text="A score of 3 or more calls for hospital care.",
    text_zh="评分达到 3 分或以上应住院治疗。",
    source="Test Society: Pneumonia <2019>",
    year=2019,
    locator="Section 2",
)
LAB = Evidence(
    key="L-urea@2025-03-01",
    kind="lab",
    text="Urea is 11.2 mmol/L.",
    text_zh="尿素 11.2 mmol/L。",
    source="Laboratory",
    locator="2025-03-01",
    quantities=(Quantity(name="urea", value=11.2, unit="mmol/L"),),
)
CT = Evidence(
    key="CT-lesion", kind="ct", text="A nodule on slice 7.", text_zh="第 7 层有结节。", source="Measurement", locator="ct-1 slice 7"
)


INFO = StudyInfo(status="ok", shape=SHAPE, spacing=(5.0, 1.5, 1.5), synthetic=True)
PASSAGE = PassageView(
    key=GUIDELINE.key,
    text_en=GUIDELINE.text,
    text_zh=str(GUIDELINE.text_zh),
    source=GUIDELINE.source,
    year=2019,
    locator="Section 2",
    current=False,
    superseded_by="G-000002",
)


def view(handle: str, card_en: str, card_zh: str, warnings: tuple[str, ...] = (), name: str = "") -> CaseView:
    """A synthetic case with one CT."""
    studies = (StudyHandle(id="ct-1", label="CT 1"),)
    return CaseView(handle=handle, name=name, card_en=card_en, card_zh=card_zh, synthetic=True, studies=studies, warnings=warnings)


LESION = MarkedLesion(
    long_mm=12.34,
    short_mm=8.1,
    mean_mm=10.2,
    volume_mm3=512.0,
    type="solid",
    solid_mm=12.34,
    mean_hu=35.0,
    box=MarkBox(x=(0, 0), y=(0, 0), z=(0, 0)),
    lobe_or_third="upper",
    side="right",
    slice=0,
    axis_ends=((28.0, 32.0), (36.0, 32.0)),
)


class Parts:
    """The tools, for the trial of a model."""

    def tools(self) -> tuple[object, ...]:
        return TOOLS


def real_models(llm: str = "planner", choices: tuple[str, ...] = ()) -> Models:
    """The real choice of models over given settings."""
    settings = Settings(Path("/nonexistent"), Path("/nonexistent"), llm=llm, llm_choices=choices, llm_seconds=10)
    return Models(settings, Parts(), None)  # type: ignore[arg-type]


@dataclass
class ScriptedAssistant:
    """`pause` is waited before each event, so that a browser can watch or stop a turn."""

    pause: float = 0.0
    models: Models = field(default_factory=real_models)
    asked_of: list[str | None] = field(default_factory=list)
    asked_about: list[str | None] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    loaded: dict[str, LoadedCase] = field(default_factory=dict)
    opened: list[Path] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    threads: int = 0
    pages: None = None
    forgotten: list[str] = field(default_factory=list)
    told: list[Feedback] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    store: MarkStore = field(default_factory=lambda: MarkStore(Path(tempfile.mkdtemp()) / "marks.sqlite"))

    def demo_cases(self) -> tuple[DemoCase, ...]:
        titles = {"demo-cap-01": ("Pneumonia", "肺炎"), "demo-ipf-01": ("Interstitial disease", "间质性肺病")}
        return tuple(DemoCase(id=key, title_en=en, title_zh=zh) for key, (en, zh) in titles.items())

    def open_case(self, source: str | Path, *, session: str) -> CaseView:
        if isinstance(source, Path):
            self.opened.append(source)
            loaded = load_case(source)
        elif source in ("demo-cap-01", "demo-ipf-01"):
            loaded = replace(open_demo(source, Path("/nonexistent"), lazy=True), studies={})
        else:
            raise BadInput(f"no demo case {source!r}")
        handle = f"case-{len(self.owners)}"
        self.owners[handle], self.loaded[handle] = session, loaded
        name = loaded.case.case_id
        return view(handle, f"Case: {name}\nAge: 67\nMedicines: <warfarin>", f"病例：{name}\n年龄：67", name=name)

    def _own(self, case: str, session: str) -> None:
        if self.owners.get(case) != session:
            raise BadInput(f"no case {case!r} in this session")

    def ask(
        self,
        question: str,
        *,
        thread: str,
        case: str | None,
        session: str,
        language: Language | None = None,
        stop: threading.Event | None = None,
        llm: str | None = None,
    ) -> Iterator[Event]:
        self.asked_of.append(llm)
        self.asked_about.append(case)
        if "abdomen" in question:
            raise OutOfDomain("this CT shows an abdomen, not a chest")
        if "crash" in question:
            raise AgentError("the chat model did not answer; start it again")
        if case is not None:
            self._own(case, session)
        spoken: Language = "zh" if any("一" <= c <= "鿿" for c in question) else "en"
        yield StepStarted(call_id="1", name="interpret_labs")
        yield StepStarted(call_id="2", name="search_guidelines", args={"query": question})
        time.sleep(self.pause)
        yield StepFinished(call_id="1", name="interpret_labs", status="ok", summary="12 values, 3 out of range", seconds=0.1)
        time.sleep(self.pause)
        yield StepFinished(call_id="2", name="search_guidelines", status="partial", summary="1 passage <b>", seconds=0.2)
        claims = []
        for evidence, support in ((LAB, "calculated"), (GUIDELINE, "quoted"), (CT, "measured")):
            if stop is not None and stop.is_set():
                break
            words = str(evidence.text_zh if spoken == "zh" else evidence.text)
            claims.append(Claim.model_validate({"text": words, "evidence": (evidence.key,), "support": support}))
            yield Sentence(claim=claims[-1])
            time.sleep(self.pause)
            if stop is not None and "until stopped" in question:
                stop.wait(30)
        said = [f"{c.text} [{n}]" for n, c in enumerate(claims, 1)]
        kept = [e for e in (LAB, GUIDELINE, CT) if any(e.key in c.evidence for c in claims)]
        answer = Answer(
            status="answered",
            question=question,
            language=spoken,
            answer=" ".join(said),
            sections=Sections(headline="\n".join(said[:1]), patient="\n".join(said[1:2]), evidence="\n".join(said[2:])),
            followups=("How long is it treated?",),
            claims=tuple(claims),
            removed=(Removed(text="The sodium is 99 mmol/L.", because="no such value in the evidence"),),
            missing=("respiratory rate",),
            evidence=tuple(kept),
            tool_calls=(ToolCall(name="interpret_labs", status="ok", seconds=0.1),),
            emergencies=("Systolic pressure 82 mmHg.",) if "shock" in question else (),
            model=llm or "scripted",
            thread=thread,
            seconds=0.3,
        )
        self.answers.setdefault(thread, []).append(answer)
        yield Done(answer=answer)

    def history(self, thread: str, session: str) -> tuple[Answer, ...]:
        return tuple(self.answers.get(thread, ()))

    def new_thread(self, session: str) -> str:
        self.threads += 1
        return f"t-{self.threads}"

    def passage(self, key: str) -> PassageView | None:
        return PASSAGE if key == GUIDELINE.key else None

    def study_info(self, case: str, study: str, session: str) -> StudyInfo:
        self._own(case, session)
        return INFO

    def key_slices(self, case: str, study: str, session: str) -> tuple[KeySlice, ...]:
        self._own(case, session)
        return (KeySlice(name="carina", index=11),)

    def pixels(self, case: str, study: str, view: PlaneView, session: str) -> bytes:
        self._own(case, session)
        axis = ("axial", "coronal", "sagittal").index(view.plane)
        if not 0 <= view.index < SHAPE[axis]:
            raise BadInput(f"no slice {view.index}")
        slices, rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
        disc = (rows - 32) ** 2 + (columns - 32) ** 2 < (10 + slices) ** 2
        return bytes(np.where(disc, -800, 40).astype("<i2").take(view.index, axis=axis).tobytes())

    def overlay(self, case: str, study: str, view: PlaneView, session: str) -> bytes:
        self._own(case, session)
        axis = ("axial", "coronal", "sagittal").index(view.plane)
        return bytes([1]) * int(np.prod([n for a, n in enumerate(SHAPE) if a != axis]))

    def marks(self, case: str, study: str, change: MarkChange, session: str) -> MarksView:
        self._own(case, session)
        key = (session, study)
        if change.do == "add" and change.at is not None:
            x, y, z = change.at
            box = MarkBox(x=(x - 4, x + 4), y=(y - 4, y + 4), z=(z - 1, z + 1))
            self.store.add(session, study, change.at, LESION.model_copy(update={"box": box, "slice": z}), "")
        elif change.do == "rename":
            self.store.rename(*key, change.number or 0, change.name)
        elif change.do == "delete":
            self.store.delete(*key, change.number or 0)
        elif change.do == "undo":
            self.store.undo(*key)
        found = self.store.of(*key)
        number = found[-1].number if change.do == "add" else None
        return MarksView(status="ok", number=number, marks=found, undoable=self.store.undoable(*key))

    def warm(self) -> None:
        """Nothing to load."""

    def teaching_cases(self) -> tuple[DemoCase, ...]:
        return ()

    def teaching(self, case: str, session: str) -> None:
        self._own(case, session)

    @property
    def lessons(self) -> Lessons:
        store = TeachingStore(Path("/nonexistent/teaching.sqlite"))  # nothing is read there, and no reading is finished
        return Lessons(Cases(), TeachingDesk(frozenset, store), store, Viewer(Path("/nonexistent")), lambda: None)

    def evidence(self, thread: str, key: str, session: str) -> None:
        return None

    def model_findings(self, case: str, study: str, session: str) -> FindingsView:
        self._own(case, session)
        rows = (
            FindingView(id="lung_nodule", name_en="Lung nodule", name_zh="肺结节", probability=0.9, threshold=0.5, present=True, slice=7),
            FindingView(id="emphysema", name_en="Emphysema", name_zh="肺气肿", probability=0.1, threshold=0.5, present=False),
        )
        card = ModelCard(weights="tiny", trained_on="synthetic patients", licence="test", domain="in", distance=0.9)
        return FindingsView(status="ok", card=card, findings=rows)

    def heatmap(self, case: str, study: str, finding: str, session: str) -> HeatView:
        self._own(case, session)
        maps = np.zeros((2, 4, 4), np.uint8)
        maps[0, 1, 1] = 255
        values = base64.b64encode(maps.tobytes()).decode()
        return HeatView(status="ok", finding=finding, method="patch", grid=4, ranges=((0, 12), (12, 24)), values=values, key_slices=(7,))

    def chart(self, case: str, session: str) -> Chart:
        self._own(case, session)
        return Chart(self.loaded[case], DrugGraph.load(), Path("/nonexistent"))

    def forget_thread(self, thread: str, session: str) -> None:
        self.forgotten.append(thread)

    def give_feedback(self, thread: str, session: str, feedback: Feedback) -> None:
        self.told.append(feedback)

    @property
    def library(self) -> Library:
        return Library(Settings(Path("/nonexistent"), Path("/nonexistent")), lambda: None)

    def close_session(self, session: str) -> None:
        self.closed.append(session)
