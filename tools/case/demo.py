"""Demo cases: synthetic patients that ship with the project; their CTs are generated on this machine when first opened."""

import hashlib
import json
import os
import shutil
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.case.files import LoadedCase, load_case, open_case, parse_case
from tools.errors import BadInput
from tools.evidence import Language


class Recipe(BaseModel):
    """How one demo study is generated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    seed: int
    description: str


class Entry(BaseModel):
    """One demo case: its titles and the recipes of its studies by handle."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    title_zh: str
    studies: dict[str, Recipe] = {}


@cache
def _entries() -> dict[str, Entry]:
    """Demo cases by id; every entry must have its case file and the other way round."""
    root = files("tools") / "data" / "cases"
    found = {c: Entry.model_validate(e) for c, e in tomllib.loads((root / "recipes.toml").read_text(encoding="utf-8")).items()}
    folders = {entry.name for entry in root.iterdir() if (entry / "case.json").is_file()}
    if folders != set(found):
        raise ValueError(f"recipes.toml and the case folders differ: {sorted(folders ^ set(found))}")
    return found


def demo_cases() -> tuple[str, ...]:
    """Ids of the demo cases, in the order of `recipes.toml`."""
    return tuple(_entries())


def demo_title(case_id: str, language: Language = "en") -> str:
    """One line for a case picker."""
    entry = _entries()[case_id]
    return entry.title_zh if language == "zh" else entry.title


def open_demo(case_id: str, cache_dir: Path, *, lazy: bool = False) -> LoadedCase:
    """Open a demo case; generate its CT studies into the cache when they are not there yet.

    Args:
        case_id: One of `demo_cases()`.
        cache_dir: For derived things; the studies land under `demo/`.
        lazy: Leave the studies to `tools.imaging.studies`, which the CT tools ask; their paths are given all the same.

    Raises:
        BadInput: No such demo case.
    """
    if case_id not in demo_cases():
        raise BadInput(f"no demo case {case_id!r}; there are: {', '.join(demo_cases())}")
    text = (files("tools") / "data" / "cases" / case_id / "case.json").read_text(encoding="utf-8")
    case = parse_case(json.loads(text), f"{case_id}/case.json")
    folder = (cache_dir / "demo" / f"{case_id}-{_fingerprint(case_id)}").resolve()
    studies = {study.id: folder / study.path for study in case.studies if study.id in _entries()[case_id].studies}
    if lazy:
        return LoadedCase(case, folder, studies)
    for path in studies.values():
        materialise_demo(path)
    folder.mkdir(parents=True, exist_ok=True)
    return open_case(case, folder)


def demo_studies(cache_dir: Path) -> tuple[Path, ...]:
    """Where the CT of every demo case lies once it is generated."""
    return tuple(path for case_id in demo_cases() for path in open_demo(case_id, cache_dir, lazy=True).studies.values())


def open_named(name: str, cache_dir: Path) -> LoadedCase:
    """A demo case by id (its CT is generated when it is first looked at), or any case by path."""
    return open_demo(name, cache_dir, lazy=True) if name in demo_cases() else load_case(Path(name))


def materialise_demo(path: Path) -> None:
    """Generate the study of a demo case that was opened lazily; any other path is left alone."""
    if path.exists():
        return
    case_id = path.parent.name.rpartition("-")[0]
    if case_id not in demo_cases() or path.parent.name != f"{case_id}-{_fingerprint(case_id)}":
        return
    text = (files("tools") / "data" / "cases" / case_id / "case.json").read_text(encoding="utf-8")
    study = next(s for s in parse_case(json.loads(text), case_id).studies if s.path == path.name)
    _generate(_entries()[case_id].studies[study.id], path, study.date)


def _fingerprint(case_id: str) -> str:
    """Changes when a recipe or the generator's code changes, so that a cached study is never stale."""
    return code_fingerprint(repr(_entries()[case_id].studies))


def code_fingerprint(recipe: str) -> str:
    """Digest of a recipe and of the generator's code."""
    digest = hashlib.sha256(recipe.encode())
    cohort, writer = files("medmpt_backend") / "cohort", files("tools") / "case" / "virtual" / "dicom_writer.py"
    for source in [*sorted(_sources(Path(str(cohort)))), Path(str(writer))]:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:10]


def _sources(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*.py") if p.is_file()]


def _generate(recipe: Recipe, target: Path, date: str | None) -> None:
    from medmpt_backend.cohort.demo import generate
    from tools.case.virtual.dicom_writer import write_series

    study = generate(recipe.recipe, recipe.seed)
    partial = target.with_name(f".{target.name}-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    write_series(study.hu, study.spacing, partial, description=recipe.description, study_date=(date or "2025-03-01").replace("-", ""))
    try:
        partial.replace(target)
    except OSError:
        # Another process finished the same study first; the content is the same by construction.
        if not target.is_dir():
            raise
        shutil.rmtree(partial)
