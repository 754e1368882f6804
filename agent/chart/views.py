"""What the page shows of the open case, in the language of the reader."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

State = Literal["", "low", "high", "urgent"]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class Sign(_View):
    """One vital sign or key value of the bar; `key` is its laboratory row, where it has one."""

    name: str
    value: str
    state: State = ""
    key: str = ""


class Bar(_View):
    """The patient in one line: `allergies` is None where none is recorded, which is not the same as none."""

    name: str
    synthetic: bool
    sealed: bool = False
    age: str = ""
    sex: str = ""
    weight: str = ""
    pregnant: bool | None = None
    may_be_pregnant: bool = False
    allergies: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    kidney: tuple[Sign, ...] = ()
    clotting: Sign | None = None
    vitals: tuple[Sign, ...] = ()
    vitals_at: str = ""
    question: str = ""
    emergencies: tuple[str, ...] = ()


class Point(_View):
    """A value at a time."""

    time: str
    value: float


class LabRow(_View):
    """The latest value of an analyte: as reported, with interval, flag and all values in the same unit, oldest first."""

    id: str
    key: str
    name: str
    value: str
    number: float
    unit: str
    flag: str
    low: float | None = None
    high: float | None = None
    interval: str = ""
    source: str = ""
    problem: str = ""
    time: str = ""
    points: tuple[Point, ...] = ()


class LabSystem(_View):
    """Values of one system."""

    name: str
    rows: tuple[LabRow, ...]


class LabPattern(_View):
    """Values that mean something together, with the rule and the values it rests on."""

    text: str
    because: str
    source: str


class Labs(_View):
    """The laboratory tab."""

    systems: tuple[LabSystem, ...] = ()
    patterns: tuple[LabPattern, ...] = ()
    warnings: tuple[str, ...] = ()
    times: tuple[str, ...] = ()


class Remark(_View):
    """One fact about a medicine or a pair of them."""

    key: str
    text: str
    severity: str
    inferred: bool = False


class Medicine(_View):
    """A current medicine with what the drug graph says about it in this patient; `known` is False where the graph does not hold it."""

    name: str
    dose: str
    known: bool
    remarks: tuple[Remark, ...] = ()


class Candidate(_View):
    """One drug of a ranking: why (its place, what it is used for) and why not."""

    name: str
    line: str
    score: float
    dose: str = ""
    setting: str = ""
    parts: tuple[tuple[str, float], ...] = ()
    rejected: str = ""
    taken: bool = False
    against: tuple[Remark, ...] = ()


class RegimenCard(_View):
    """A regimen of a guideline as it reads in this patient: the choice first, then what was passed over and what to mind."""

    lines: tuple[str, ...]
    source: str


class Edge(_View):
    """A fact between two nodes of the neighbourhood."""

    a: str
    b: str
    severity: str
    text: str


class Drugs(_View):
    """The medicines tab, for the record or for a supposed copy of it (`assumed`)."""

    medicines: tuple[Medicine, ...] = ()
    regimens: tuple[RegimenCard, ...] = ()
    condition: str = ""
    conditions: tuple[tuple[str, str], ...] = ()
    ranked: tuple[Candidate, ...] = ()
    rejected: tuple[Candidate, ...] = ()
    edges: tuple[Edge, ...] = ()
    missing: tuple[str, ...] = ()
    reason: str = ""
    assumed: tuple[str, ...] = ()
    egfr: float | None = None
    clearance: float | None = None
    minor: bool = False


class Moment(_View):
    """One event: `lane` is studies, labs, vitals, treatments or notes."""

    time: str
    lane: Literal["studies", "labs", "vitals", "treatments", "notes"]
    text: str
    urgent: bool = False


class Timeline(_View):
    """The timeline tab, oldest first; what has no date stands in `undated`."""

    moments: tuple[Moment, ...] = ()
    undated: tuple[Moment, ...] = ()
