"""One de-identified patient bundle: `Case` and the file formats that become one.

The JSON form is the contract in `docs/architecture.md` (schema version 1). A missing value is absent or None, never 0.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from retrieval.documents.orders import drug_or_name, finding_only, term_only, without_orders
from tools.case.sex import Sex as Sex

# Text planted in a field reaches neither a tool nor an answer: whatever makes a `Case` passes through these.
Name = Annotated[str, AfterValidator(drug_or_name)]
Term = Annotated[str, AfterValidator(term_only)]
Finding = Annotated[str, AfterValidator(finding_only)]
FreeText = Annotated[str, AfterValidator(without_orders)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Smoking(_Model):
    """Smoking history; `quit_years_ago` is None for current and never smokers."""

    status: Literal["never", "former", "current", "unknown"] = "unknown"
    pack_years: float | None = Field(default=None, ge=0)
    quit_years_ago: float | None = Field(default=None, ge=0)


class Allergy(_Model):
    """A recorded allergy or intolerance."""

    substance: Name
    reaction: Name | None = None
    severity: Name | None = None


class Condition(_Model):
    """A diagnosis the patient is known to have."""

    name: Name
    code: str | None = None
    since: str | None = None


class Patient(_Model):
    """Demographics without identity."""

    age_years: float | None = Field(default=None, ge=0, le=130)
    sex: Sex = "unknown"
    weight_kg: float | None = Field(default=None, gt=0)
    height_cm: float | None = Field(default=None, gt=0)
    pregnant: bool | None = None
    smoking: Smoking | None = None
    allergies: tuple[Allergy, ...] = ()
    conditions: tuple[Condition, ...] = ()


class Presentation(_Model):
    """Why the patient is here."""

    question: FreeText | None = None
    symptoms: tuple[Finding, ...] = ()
    duration_days: float | None = Field(default=None, ge=0)
    findings: tuple[Finding, ...] = ()


class Vitals(_Model):
    """One set of vital signs; temperature in °C, pressures in mmHg, SpO2 in %, FiO2 as a fraction."""

    time: str | None = None
    temperature_c: float | None = Field(default=None, ge=10, le=47)
    heart_rate: float | None = Field(default=None, ge=0, le=400)
    respiratory_rate: float | None = Field(default=None, ge=0, le=150)
    sbp_mmhg: float | None = Field(default=None, ge=0, le=400)
    dbp_mmhg: float | None = Field(default=None, ge=0, le=300)
    spo2_pct: float | None = Field(default=None, ge=0, le=100)
    fio2: float | None = Field(default=None, ge=0.2, le=1.0)
    gcs: int | None = Field(default=None, ge=3, le=15)


class Observation(_Model):
    """One laboratory value as reported; `comparator` holds `<` or `>` where the value is a bound.

    `reference_low` and `reference_high` are the interval printed on the sheet, in `unit`; it takes precedence over ours.
    """

    time: str | None = None
    analyte: Term
    loinc: str | None = None
    value: float | None = None
    unit: Term | None = None
    comparator: Literal["<", "<=", ">", ">="] | None = None
    specimen: Name | None = None
    reference_low: float | None = None
    reference_high: float | None = None


class LungFunction(_Model):
    """One spirometry and diffusion record; `fev1_fvc` is a ratio (0.62), the rest as their names say."""

    time: str | None = None
    fev1_l: float | None = None
    fev1_pct: float | None = None
    fvc_l: float | None = None
    fvc_pct: float | None = None
    fev1_fvc: float | None = None
    dlco_pct: float | None = None


class Medication(_Model):
    """One current medicine."""

    name: Name
    atc: str | None = None
    dose: float | None = None
    unit: Term | None = None
    route: Name | None = None
    frequency: Name | None = None
    since: str | None = None


class StudyRef(_Model):
    """A CT study of the case; `path` is relative to the case folder and never leaves this room."""

    id: str
    path: str
    date: str | None = None
    report: FreeText | None = None
    prior: bool = False


class Note(_Model):
    """A clinical note."""

    time: str | None = None
    kind: Name | None = None
    text: FreeText


class Case(_Model):
    """One de-identified patient bundle."""

    schema_version: Literal[1] = 1
    case_id: str
    synthetic: bool = False
    language: Literal["en", "zh"] = "en"
    patient: Patient = Patient()
    presentation: Presentation = Presentation()
    vitals: tuple[Vitals, ...] = ()
    labs: tuple[Observation, ...] = ()
    lung_function: tuple[LungFunction, ...] = ()
    medications: tuple[Medication, ...] = ()
    studies: tuple[StudyRef, ...] = ()
    notes: tuple[Note, ...] = ()
