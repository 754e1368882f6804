"""What the page shows besides answers: cases, studies and passages, without paths and without identity."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from medmpt_backend.messages import Told
from tools.evidence import ModelCard, Side, Status
from tools.imaging.planes import Plane, Projection
from tools.teaching.commit import Feedback, MachineRead, Reading, Summary, TrueFinding
from tools.teaching.hints import Hint
from tools.teaching.planted import RATE, Planted
from tools.teaching.socratic import Question


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class DemoCase(_View):
    """A synthetic case that ships with the product; a teaching case has a level, 1 to 3."""

    id: str
    title_en: str
    title_zh: str
    level: int | None = None


class ModelChoice(_View):
    """A chat model of the settings: `id` says nothing of its address, `name` is safe to show."""

    id: str
    name: str


class TrialStep(_View):
    """One thing that a chat model was tried on."""

    name: str
    ok: bool
    detail: str


class ModelTrial(_View):
    """A quick trial of a chat model; `name` is safe to show."""

    name: str
    ok: bool
    steps: tuple[TrialStep, ...] = ()
    seconds: float = 0.0


class StudyHandle(_View):
    """A CT study of the open case as the page may name it."""

    id: str
    label: str
    prior: bool = False


class CaseView(_View):
    """An open case: an opaque handle and what may be shown of it."""

    handle: str
    name: str = ""
    card_en: str
    card_zh: str
    synthetic: bool
    studies: tuple[StudyHandle, ...] = ()
    warnings: tuple[str, ...] = ()


class PassageView(_View):
    """One guideline passage as a reader opens it from a citation."""

    key: str
    text_en: str
    text_zh: str
    source: str
    year: int | None
    locator: str | None
    doi_link: str | None = None
    current: bool = True
    superseded_by: str | None = None
    conflicts: tuple[str, ...] = ()


class KeySlice(_View):
    """A slice worth opening; `index` is 0-based from the head."""

    name: str
    index: int


class StudyInfo(_View):
    """Geometry of a study for the viewer: shape `(D, H, W)`, spacing `(z, y, x)` in mm.

    `sealed` is True while a teaching case waits for the trainee's reading: then nothing that a machine found is in here.
    """

    status: Status
    reason: Told | None = None
    shape: tuple[int, int, int] | None = None
    spacing: tuple[float, float, float] | None = None
    warnings: tuple[Told, ...] = ()
    synthetic: bool = False
    sealed: bool = False


class PlaneView(_View):
    """One plane of a study, or `count` that follow each other: which, its number along the axis it cuts, slab, and what lies over it."""

    plane: Plane = "axial"
    index: int
    count: int = Field(default=1, ge=1, le=16)
    slab_mm: float = 0.0
    projection: Projection = "max"
    layers: frozenset[str] = frozenset()


class FindingView(_View):
    """One finding as the model scores it; `slice` is the strongest one, 0-based from the head."""

    id: str
    name_en: str
    name_zh: str
    probability: float
    threshold: float | None = None
    present: bool | None = None
    side: Side | None = None
    slice: int | None = None


class FindingsView(_View):
    """What the model finds on a study, or why it abstains; `card` says what that rests on."""

    status: Status
    reason: str | None = None
    reason_zh: str | None = None
    card: ModelCard | None = None
    findings: tuple[FindingView, ...] = ()


class HeatView(_View):
    """Heatmap of one finding: base64 of uint8 `(inputs, grid, grid)` over the whole slice, and the half-open slices each input shows."""

    status: Status
    reason: Told | None = None
    finding: str
    method: str | None = None
    grid: int = 0
    ranges: tuple[tuple[int, int], ...] = ()
    values: str = ""
    key_slices: tuple[int, ...] = ()


class Choice(_View):
    """One finding that a trainee may record; `focal` ones have a size, `midline` ones no side, `lung` ones a lobe."""

    id: str
    name_en: str
    name_zh: str
    focal: bool
    midline: bool
    lung: bool = False


class TeachingView(_View):
    """A teaching case by stage.

    `reading`: the form, with the draft and the hints taken so far. `machine`: the first reading is committed and the machine's read is
    shown, with an error at `error_rate`; the truth waits for the decision. `done`: truth, feedback, the planted error, questions by
    language, and what the own report leaves out (`report_notes`) or says without ground (`report_extra`).
    """

    case_id: str
    committed: bool
    stage: Literal["reading", "machine", "done"] = "reading"
    level: int = 1
    error_rate: float = RATE
    choices: tuple[Choice, ...]
    draft: Reading = Reading()
    hints: tuple[Hint, ...] = ()
    reading: Reading | None = None
    final: Reading | None = None
    planted: Planted | None = None
    questions: dict[str, tuple[Question, ...]] = {}
    report_notes: tuple[Choice, ...] = ()
    report_extra: tuple[Choice, ...] = ()
    truth: tuple[TrueFinding, ...] = ()
    machine: MachineRead | None = None
    feedback: tuple[Feedback, ...] = ()
    summary: Summary | None = None
