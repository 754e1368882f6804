"""A joined case written as a folder that `load_case` opens: `case.json` and its studies beside it."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tools.case.demo import materialise_demo
from tools.case.joining.merge import Merged, Source
from tools.errors import BadInput


def write_case(merged: Merged, sources: Sequence[Source], folder: Path) -> Path:
    """Write the case into a new private folder; studies are linked where the disk allows it and copied where not.

    Raises:
        BadInput: The folder exists and is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder} is not empty: name a new folder")
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    studies = []
    for study in merged.case.studies:
        place, handle = merged.parts[study.id]
        origin = sources[place].loaded.studies.get(handle)
        if origin is None:
            if study.report:  # what was written about it is compared with, images or none
                studies.append(study.model_copy(update={"path": study.id}))
            continue
        materialise_demo(origin)
        target = folder / f"{study.id}{''.join(origin.suffixes[-2:]) if origin.is_file() else ''}"
        _link(origin, target)
        studies.append(study.model_copy(update={"path": target.name}))
    case = merged.case.model_copy(update={"studies": tuple(studies)})
    record = folder / "case.json"
    record.write_text(case.model_dump_json(exclude_none=True), encoding="utf-8")
    os.chmod(record, 0o600)
    return folder


def _link(origin: Path, target: Path) -> None:
    if origin.is_dir():
        shutil.copytree(origin, target, copy_function=_one)
    else:
        _one(str(origin), str(target))


def _one(origin: str, target: str) -> None:
    try:
        os.link(origin, target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(origin, target)
