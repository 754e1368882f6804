"""A hospital's own studies to a training data set: a folder of DICOM or NIfTI studies and one CSV line per study.

CSV columns: `id`, `path` (relative to the studies' folder), and any of `split`, `report`, `drugs` (separated by `;`), `label:FINDING`
(0, 1 or empty), `class:TASK` (class number or empty), `lab:ANALYTE` (number in the panel's unit or empty).
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from medmpt_backend.errors import BackendError, BadInput
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.inference.preprocess import prepare
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.train.data.shards import DatasetInfo, ShardWriter, StudyRecord


@dataclass(frozen=True)
class Converted:
    """How many studies were written, and `(id, reason)` of those that were not."""

    written: int
    bad: tuple[tuple[str, str], ...]


def _grouped(row: Mapping[str, str], prefix: str, number: Callable[[str], float | int]) -> dict[str, float | int | None]:
    cells = {k[len(prefix) :]: v.strip() for k, v in row.items() if k and k.startswith(prefix)}
    return {k: number(v) if v else None for k, v in cells.items()}


def parse_row(row: Mapping[str, str]) -> StudyRecord:
    """One CSV line.

    Raises:
        BadInput: A column is missing or holds something else than it should.
    """
    try:
        return StudyRecord.model_validate(
            {
                "id": row["id"],
                "split": row.get("split") or "train",
                "report": row.get("report") or None,
                "labels": _grouped(row, "label:", int),
                "classes": _grouped(row, "class:", int),
                "labs": _grouped(row, "lab:", float),
                "drugs": tuple(d.strip() for d in row["drugs"].split(";") if d.strip()) if row.get("drugs") else None,
            }
        )
    except (KeyError, ValueError, ValidationError) as error:
        raise BadInput(f"CSV line of study {row.get('id')!r}: {str(error)[:200]}") from error


def convert(studies: Path, table: Path, out: Path, config: MedMPTConfig, source: str, progress: Callable[[str], None]) -> Converted:
    """Prepare every study of the table for a model of `config`.

    Args:
        studies: Folder that `path` is relative to.
        table: CSV file.
        out: New data set folder.
        config: The model that will be trained.
        source: Where the studies come from, for provenance.
        progress: Told the id of each study.

    Raises:
        BadInput: The table cannot be read. A single bad study is listed, not fatal.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{table.name!r} cannot be read: {error}") from error
    vision, root = config.vision, studies.resolve()
    info = DatasetInfo(preprocess=config.preprocess, slices=vision.slices, image=vision.image, source=source)
    bad: list[tuple[str, str]] = []
    written = 0
    with ShardWriter(out, info) as writer:
        for row in rows:
            progress(row.get("id") or "?")
            try:
                record = parse_row(row)
                path = (root / (row.get("path") or record.id)).resolve()
                if not path.is_relative_to(root):
                    raise BadInput(f"{row.get('path')!r} leads out of the studies' folder")
                writer.add(record, prepare(load_volume(path), config.preprocess, vision.slices, vision.image).image)
                written += 1
            except BackendError as error:
                bad.append((row.get("id") or "?", str(error)))
    return Converted(written, tuple(bad))
