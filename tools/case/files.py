"""Load a case: a folder with `case.json`, a FHIR R4 bundle, a laboratory sheet or one CT study.

Study paths never leave the case folder; identity is refused by name.
"""

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from medmpt_backend.messages import Said
from retrieval.messages.catalogue import messages
from tools.case.fhir import import_bundle
from tools.case.identity import refuse
from tools.case.record import Case, StudyRef
from tools.errors import BadInput

pair = messages("tools.case").pair

_STUDY_ENDINGS = (".zip", ".nii", ".nii.gz", ".dcm")
_SHEET_ENDINGS = (".csv", ".tsv", ".txt")
_MAX_JSON_BYTES = 64 * 1024 * 1024
_MAX_SHEET_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True)
class LoadedCase:
    """A case with what stays on this machine.

    Attributes:
        case: The patient bundle.
        folder: Folder that study paths are relative to.
        studies: Study handle to absolute path; never shown to a model.
        warnings: What was dropped, generalised or not found.
    """

    case: Case
    folder: Path
    studies: dict[str, Path] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def load_case(path: Path) -> LoadedCase:
    """Load a case from whatever `--case` takes.

    Args:
        path: Folder with `case.json`, that file itself, a FHIR R4 Bundle, a laboratory sheet (CSV, text), or a study (DICOM folder,
            zip, NIfTI).

    Raises:
        BadInput: What is wrong, the value, and what to do.
    """
    if not path.exists():
        raise BadInput(f"case {str(path)!r} does not exist; give a folder with case.json, a FHIR bundle, or a CT study")
    if path.is_dir() and (path / "case.json").is_file():
        return _from_json(path / "case.json")
    if path.is_file() and path.suffix.casefold() == ".json":
        return _from_json(path)
    if path.is_file() and path.suffix.casefold() in _SHEET_ENDINGS:
        return _sheet(path)
    if path.is_dir() or path.name.casefold().endswith(_STUDY_ENDINGS):
        return _single_study(path)
    raise BadInput(
        Said(
            *pair(
                "{name} cannot be opened: give a folder, a .json, a laboratory sheet (.csv, .txt), a .zip or a NIfTI file",
                name=repr(path.name),
            )
        )
    )


def _read(path: Path) -> object:
    if path.stat().st_size > _MAX_JSON_BYTES:
        raise BadInput(f"{path.name}: {path.stat().st_size} bytes; a case file is at most {_MAX_JSON_BYTES}")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise BadInput(Said(*pair("{name} is not valid JSON: {error}", name=path.name, error=str(error)))) from error


def _from_json(path: Path) -> LoadedCase:
    data = _read(path)
    if not isinstance(data, dict):
        raise BadInput(Said(*pair("{name}: expected a JSON object, got {kind}", name=path.name, kind=type(data).__name__)))
    if data.get("resourceType") is not None:
        imported = import_bundle(data, path.name)
        return LoadedCase(imported.case, path.parent, {}, imported.warnings)
    case = parse_case(data, path.name)
    opened = open_case(case, path.parent)
    cut = cut_fields(data, case.model_dump(mode="json"))
    said = f"text that is no part of a record was left out of {', '.join(cut[:6])}" if cut else ""
    return replace(opened, warnings=(*opened.warnings, said)) if said else opened


def parse_case(data: dict[str, object], where: str = "case.json") -> Case:
    """Validate the JSON form of a case.

    Raises:
        BadInput: Field by name, value and reason.
    """
    try:
        return Case.model_validate(data)
    except ValidationError as error:
        extra = [".".join(str(p) for p in e["loc"]) for e in error.errors() if e["type"] == "extra_forbidden"]
        refuse(extra, where)
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"])
        raise BadInput(f"{where}: {place}: {first['msg']} (got {first.get('input')!r:.80})") from error


def cut_fields(raw: object, kept: object, place: str = "") -> list[str]:
    """Places of a record where text was left out when it was read, by name."""
    if isinstance(raw, dict) and isinstance(kept, dict):
        return [f for k, v in raw.items() if k in kept for f in cut_fields(v, kept[k], f"{place}.{k}" if place else k)]
    if isinstance(raw, list) and isinstance(kept, list):
        return [f for i, (a, b) in enumerate(zip(raw, kept, strict=False)) for f in cut_fields(a, b, f"{place}[{i}]")]
    return [place] if isinstance(raw, str) and isinstance(kept, str) and raw.strip() != kept.strip() else []


def open_case(case: Case, folder: Path) -> LoadedCase:
    """Resolve the studies of a case inside its folder.

    Raises:
        BadInput: A path that leaves the folder, or a handle used twice.
    """
    root = folder.resolve()
    studies: dict[str, Path] = {}
    warnings: list[str] = []
    for study in case.studies:
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", study.id) is None:
            raise BadInput(f"study id {study.id!r} is not a short handle like 'ct-1'")
        if study.id in studies:
            raise BadInput(f"study id {study.id!r} is used twice")
        target = (root / study.path).resolve()
        if not target.is_relative_to(root) or target == root:
            raise BadInput(f"study {study.id!r}: path {study.path!r} leaves the case folder; keep studies inside it")
        if target.exists():
            studies[study.id] = target
        else:
            warnings.append(Said(*pair("study {id}: its images are not in the case folder", id=study.id)))
    return LoadedCase(case, root, studies, tuple(warnings))


def _sheet(path: Path) -> LoadedCase:
    """A laboratory sheet alone: values without a patient."""
    from tools.labs.sheet import parse_labs

    if path.stat().st_size > _MAX_SHEET_BYTES:
        raise BadInput(f"{path.name}: {path.stat().st_size} bytes; a laboratory sheet is at most {_MAX_SHEET_BYTES}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(Said(*pair("{name} is not UTF-8 text", name=path.name))) from error
    case = Case(case_id="sheet", labs=parse_labs(text))
    return LoadedCase(case, path.resolve().parent, {}, (Said(*pair("only a laboratory sheet was given: no age and no sex")),))


def _single_study(path: Path) -> LoadedCase:
    if path.is_dir() and not any(p.is_file() for p in path.rglob("*")):
        raise BadInput(Said(*pair("folder {name} is empty: no case.json and no images", name=repr(path.name))))
    case = Case(case_id="study", studies=(StudyRef(id="ct-1", path=path.name),))
    return LoadedCase(case, path.resolve().parent, {"ct-1": path.resolve()}, (Said(*pair("only a CT study was given: no patient data")),))
