"""A virtual study as files: a DICOM series, `case.json` without the answers, and `truth.json` with them."""

import json
from pathlib import Path

from medmpt_backend.cohort.patients.panel import GASES, PANEL
from medmpt_backend.cohort.patients.patient import VirtualPatient
from medmpt_backend.cohort.shards import describe
from medmpt_backend.cohort.studies import CohortStudy
from retrieval.messages.catalogue import messages
from tools.case.record import Allergy, Case, Condition, LungFunction, Observation, Patient, Presentation, Smoking, StudyRef, Vitals
from tools.case.virtual.dicom_writer import write_series
from tools.labs.analytes import find_analyte

pair = messages("tools.case").pair

# Virtual patients are all seen on the same day.
DATE = "2025-03-01"
_TIME = f"{DATE}T08:00:00"
# Names of the panel that the laboratory tables know under another name, with the specimen.
_NAMES = {"bicarbonate_serum": ("bicarbonate", "serum"), "bicarbonate_arterial": ("bicarbonate", "arterial blood")}
# Kernels sharper than this are declared as a lung kernel.
_SHARP = 0.5


def write_case(studies: list[CohortStudy], folder: Path) -> Case:
    """Write one patient: the studies in the order of time, the last one the current.

    Args:
        studies: One study, or a study and its follow-up.
        folder: New folder.
    """
    folder.mkdir(parents=True)
    refs = []
    for number, made in enumerate(studies, 1):
        prior = number < len(studies)
        date = _months_before(studies[-1].truth.prior.months) if prior and studies[-1].truth.prior else DATE
        write_series(
            made.study.hu,
            made.study.spacing,
            folder / f"ct-{number}",
            description="CHEST LOW DOSE" if made.patient.screening else "CHEST",
            patient="SYNTHETIC^COHORT",
            study_date=date.replace("-", ""),
            kernel="LUNG" if made.scan.sharpness > _SHARP else "STANDARD",
            contrast_agent="IODINATED" if made.habitus.contrast else "NONE",
        )
        report = made.reports[made.language] if prior else None
        refs.append(StudyRef(id=f"ct-{number}", path=f"ct-{number}", date=date, report=report, prior=prior))
    case = case_of(studies[-1], tuple(refs))
    _write(folder / "case.json", case.model_dump(mode="json"))
    _write(folder / "truth.json", {"schema_version": 1, "studies": [describe(made) for made in studies]})
    return case


def case_of(made: CohortStudy, studies: tuple[StudyRef, ...]) -> Case:
    """What a doctor would know before reading the scan; the diagnosis and what was prescribed are left out."""
    p = made.patient
    return Case(
        case_id=f"cohort-{made.id}",
        synthetic=True,
        language=made.language,
        patient=_patient(p),
        presentation=Presentation(question=_question(p, made.language == "zh"), symptoms=p.symptoms, duration_days=p.duration_days),
        vitals=(Vitals.model_validate({"time": _TIME, **p.vitals, "gcs": int(p.vitals["gcs"])}),),
        labs=tuple(_labs(p)),
        lung_function=_lung_function(p),
        studies=studies,
    )


def _patient(p: VirtualPatient) -> Patient:
    status = "never" if p.pack_years == 0 else "current" if p.quit_years is None else "former"
    return Patient(
        age_years=p.age,
        sex=p.sex,
        weight_kg=p.weight_kg,
        height_cm=p.height_cm,
        pregnant=p.pregnant if p.sex == "female" else None,
        smoking=Smoking(status=status, pack_years=p.pack_years if status != "never" else None, quit_years_ago=p.quit_years),
        allergies=tuple(Allergy(substance=name) for name in p.allergies),
        conditions=tuple(Condition(name=name) for name in p.comorbidities),
    )


def _question(p: VirtualPatient, chinese: bool) -> str:
    if p.screening:
        return pair("Low-dose CT screening for lung cancer")[chinese]
    return pair("Cause of the present illness?")[chinese]


def _labs(p: VirtualPatient) -> list[Observation]:
    out = []
    for test in PANEL:
        value = p.labs[test.id]
        if value is None:
            continue
        name, specimen = _NAMES.get(test.id, (test.id, "arterial blood" if test.id in GASES else None))
        known = find_analyte(name) is not None
        out.append(
            Observation(
                time=_TIME,
                analyte=name,
                value=value,
                unit=test.unit,
                specimen=specimen,
                reference_low=None if known else test.low,
                reference_high=None if known else test.high,
            )
        )
    return out


def _lung_function(p: VirtualPatient) -> tuple[LungFunction, ...]:
    known = {k: v for k, v in p.lung_function.items() if v is not None}
    return (LungFunction(time=DATE, **known),) if known else ()


def _months_before(months: int) -> str:
    year, month = divmod(2025 * 12 + 2 - months, 12)
    return f"{year}-{month + 1:02d}-01"


def _write(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
