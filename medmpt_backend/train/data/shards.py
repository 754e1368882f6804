"""Training data on disk: shards of prepared images and one line of text per study.

A data set is a folder:

* `dataset.json`: `{"schema_version": 1, "preprocess": {…}, "slices": S, "image": pixels, "count": N, "synthetic": bool, "source": str}`.
  `preprocess` is `PreprocessConfig`; images fit a model only if it is equal to the model's.
* `shard-00000.safetensors`, …: `image` `(n, S, C, H, W)` uint8, foot first; optionally `mask` `(n, S, L, cells, cells)` uint8, the
  share (0..255) of each cell that a finding covers, findings in the order of `dataset.json` → `mask_labels`; a cell is a patch, or half of
  one for models with a local branch (`dataset.json` → `cells` along one side).
* `index.jsonl`: one object per study, in the order of the shards' rows: `{"id": str, "shard": int, "row": int, "split": "train|val|test",
  "report": str|null, "wordings": [str], "labels": {finding: 0|1|null}, "classes": {task: int|null}, "labs": {analyte: number|null},
  "drugs": [name] | null}`. `wordings` are the same report in other words or languages. `null` and absent mean not known; they are never a
  target. Ids are the data owner's own pseudonyms.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from medmpt_backend.errors import BadInput
from medmpt_backend.model.config import PreprocessConfig

Split = Literal["train", "val", "test"]


class StudyRecord(BaseModel):
    """One line of `index.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    shard: int = 0
    row: int = 0
    split: Split = "train"
    report: str | None = None
    wordings: tuple[str, ...] = ()
    labels: dict[str, Literal[0, 1] | None] = Field(default_factory=dict)
    classes: dict[str, int | None] = Field(default_factory=dict)
    labs: dict[str, float | None] = Field(default_factory=dict)
    drugs: tuple[str, ...] | None = None


class DatasetInfo(BaseModel):
    """`dataset.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    preprocess: PreprocessConfig
    slices: int
    image: int
    count: int = 0
    synthetic: bool = False
    source: str = ""
    mask_labels: tuple[str, ...] = ()
    cells: int | None = None


class ShardWriter:
    """Writes a data set; use as a context manager. `dataset.json` is written last: a folder without it is unfinished."""

    def __init__(self, folder: Path, info: DatasetInfo, per_shard: int = 64) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "dataset.json").exists():
            raise BadInput(f"{folder.name!r} already holds a data set; choose an empty folder")
        self.folder, self.info, self.per_shard = folder, info, per_shard
        self._images: list[Tensor] = []
        self._masks: list[Tensor] = []
        self._shards = self._count = 0
        self._index = (folder / "index.jsonl").open("w", encoding="utf-8")

    def add(self, record: StudyRecord, image: Tensor, mask: Tensor | None = None) -> None:
        """Add one study: `image` `(S, C, H, W)` uint8, `mask` `(S, L, cells, cells)` uint8."""
        if (mask is None) == bool(self.info.mask_labels):
            raise BadInput("every study of a data set with mask_labels needs a mask, and none of a data set without")
        placed = record.model_copy(update={"shard": self._shards, "row": len(self._images)})
        self._index.write(placed.model_dump_json() + "\n")
        self._images.append(image)
        if mask is not None:
            self._masks.append(mask)
        self._count += 1
        if len(self._images) >= self.per_shard:
            self._flush()

    def _flush(self) -> None:
        from safetensors.torch import save_file

        if self._images:
            tensors = {"image": torch.stack(self._images)} | ({"mask": torch.stack(self._masks)} if self._masks else {})
            save_file(tensors, self.folder / f"shard-{self._shards:05d}.safetensors")
            self._shards += 1
            self._images, self._masks = [], []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._flush()
        self._index.close()
        if error is None:
            info = self.info.model_copy(update={"count": self._count})
            (self.folder / "dataset.json").write_text(info.model_dump_json(indent=1), encoding="utf-8")


class ShardDataset:
    """Random access to one split."""

    def __init__(self, folder: Path, split: Split | None = "train") -> None:
        """Open a data set.

        Raises:
            BadInput: It is unfinished or damaged.
        """
        self.folder = folder
        try:
            self.info = DatasetInfo.model_validate_json((folder / "dataset.json").read_text(encoding="utf-8"))
            lines = (folder / "index.jsonl").read_text(encoding="utf-8").splitlines()
            records = [StudyRecord.model_validate_json(line) for line in lines]
        except (OSError, ValidationError, json.JSONDecodeError) as error:
            raise BadInput(f"{folder.name!r} is not a finished data set: {str(error)[:200]}") from error
        if len(records) != self.info.count:
            raise BadInput(f"{folder.name!r} lists {len(records)} studies, dataset.json says {self.info.count}")
        self.records: Sequence[StudyRecord] = [r for r in records if split is None or r.split == split]
        if not self.records:
            raise BadInput(f"{folder.name!r} has no study in split {split!r}")

    def __len__(self) -> int:
        return len(self.records)

    def _row(self, name: str, index: int, part: tuple[slice, ...] = ()) -> Tensor:
        from safetensors import safe_open

        record = self.records[index]
        with safe_open(self.folder / f"shard-{record.shard:05d}.safetensors", "pt") as shard:
            tensor: Tensor = shard.get_slice(name)[(record.row, *part)] if part else shard.get_slice(name)[record.row]
        return tensor

    def part(self, index: int, slices: slice, rows: slice, columns: slice) -> Tensor:
        """A part of one study's image, `(slices, C, rows, columns)` uint8."""
        return self._row("image", index, (slices, slice(None), rows, columns))

    def image(self, index: int) -> Tensor:
        """`(S, C, H, W)` uint8 of one study."""
        return self._row("image", index)

    def mask(self, index: int) -> Tensor | None:
        """`(S, L, cells, cells)` uint8 of one study, None for a data set without masks."""
        return self._row("mask", index) if self.info.mask_labels else None
