"""Teaching cases: virtual patients from the cohort, opened without their truth; the truth stays in a file that only `truth_of` reads."""

import os
import shutil
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter

from medmpt_backend.findings import MIDLINE, finding
from tools.case.files import LoadedCase
from tools.case.record import Case, Patient, Presentation, Smoking, StudyRef
from tools.errors import BadInput
from tools.evidence import Language
from tools.teaching.commit import CHOICES, FOCAL, LUNG, TrueFinding, merge_truth

if TYPE_CHECKING:
    from medmpt_backend.cohort.studies import CohortStudy

_STUDY = "ct-1"
_TRUTHS = TypeAdapter(tuple[TrueFinding, ...])


class TeachingEntry(BaseModel):
    """One teaching case as `cases.toml` describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    title_zh: str
    age: int
    sex: Literal["male", "female"]
    question: str
    symptoms: tuple[str, ...]
    smoking: Literal["never", "former", "current", "unknown"]
    seed: int
    index: int
    shape: tuple[int, int, int]
    disease: str
    level: Literal[1, 2, 3]
    teaches: tuple[str, ...]


@cache
def _entries() -> dict[str, TeachingEntry]:
    text = (files("tools") / "data" / "teaching" / "cases.toml").read_text(encoding="utf-8")
    return {name: TeachingEntry.model_validate(row) for name, row in tomllib.loads(text).items()}


def teaching_cases() -> tuple[str, ...]:
    """Ids of the teaching cases."""
    return tuple(_entries())


def level_of(case_id: str) -> int:
    """1 (few, large findings) to 3 (small or many)."""
    return _entries()[case_id].level


def taught_by(case_id: str) -> tuple[str, ...]:
    """What is on the study of a case: for choosing the next one, never for a page."""
    return _entries()[case_id].teaches


def teaching_title(case_id: str, language: Language = "en") -> str:
    """One line for a case picker; it gives nothing away."""
    entry = _entries()[case_id]
    return entry.title_zh if language == "zh" else entry.title


def open_teaching(case_id: str, cache_dir: Path) -> LoadedCase:
    """Open a teaching case without its truth; its study is generated when first looked at.

    Raises:
        BadInput: No such case.
    """
    if case_id not in _entries():
        raise BadInput(f"no teaching case {case_id!r}; there are: {', '.join(_entries())}")
    entry, folder = _entries()[case_id], _folder(case_id, cache_dir)
    patient = Patient(age_years=entry.age, sex=entry.sex, smoking=Smoking(status=entry.smoking))
    case = Case(
        case_id=case_id,
        synthetic=True,
        patient=patient,
        presentation=Presentation(question=entry.question, symptoms=entry.symptoms),
        studies=(StudyRef(id=_STUDY, path=_STUDY),),
    )
    return LoadedCase(case, folder, {_STUDY: folder / _STUDY})


def _folder(case_id: str, cache_dir: Path) -> Path:
    from tools.case.demo import code_fingerprint

    return (cache_dir / "teaching" / f"{case_id}-{code_fingerprint(repr(_entries()[case_id]))}").resolve()


def _truth_file(folder: Path) -> Path:
    """Beside the case's folder, not in it."""
    return folder.with_name(f".{folder.name}.truth.json")


def materialise_teaching(path: Path) -> None:
    """Generate the study of a teaching case and its truth; any other path is left alone."""
    case_id = path.parent.name.rpartition("-")[0]
    if case_id not in _entries() or path != _folder(case_id, path.parents[2]) / _STUDY:
        return
    from medmpt_backend.cohort.studies import generate
    from tools.case.virtual.dicom_writer import write_series

    entry = _entries()[case_id]
    made = generate(entry.seed, entry.index, entry.shape, entry.disease)
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    write_series(made.study.hu, made.study.spacing, partial, description="TEACHING CHEST CT")
    _truth_file(path.parent).write_bytes(_TRUTHS.dump_json(truths(made)))
    try:
        partial.replace(path)
    except OSError:
        # Another process finished the same study first; the content is the same by construction.
        if not path.is_dir():
            raise
        shutil.rmtree(partial)


def truths(made: "CohortStudy") -> tuple[TrueFinding, ...]:
    """What a trainee could have found: visible findings under the names that are offered, each with its best slice."""
    found = []
    for painted, told in zip(made.study.truth, made.truth.findings, strict=True):
        names = [label for label in told.labels if label in CHOICES]
        if not told.visible or not names:
            continue
        name = names[-1]
        area = np.count_nonzero(painted.mask, axis=(1, 2))
        size = told.size_mm if name in FOCAL else None
        side = None if name in MIDLINE else told.side
        lobes = told.lobes if name in LUNG else ()
        found.append(TrueFinding(finding=name, side=side, lobes=lobes, size_mm=size, slice=int(area.argmax())))
    return merge_truth(found)


def truth_of(loaded_folder: Path) -> tuple[TrueFinding, ...]:
    """The truth of a teaching case whose study was generated.

    Raises:
        BadInput: The study was not generated yet.
    """
    file = _truth_file(loaded_folder)
    if not file.is_file():
        raise BadInput("this teaching case has no study yet; look at it first")
    return _TRUTHS.validate_json(file.read_bytes())


def names_of(ids: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """English and Chinese name of each finding id."""
    return {i: (finding(i).en, finding(i).zh) for i in ids}
