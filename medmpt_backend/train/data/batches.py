"""Batches that depend on the step only: the same studies and the same random views on one process or on many."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from medmpt_backend.errors import BadInput
from medmpt_backend.inference.preprocess import scale
from medmpt_backend.inference.tokens import ReportTokenizer
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.model.lab_encoder import lab_inputs
from medmpt_backend.train.data.augment import Augmentation, augment, generator_for
from medmpt_backend.train.data.shards import ShardDataset, StudyRecord
from medmpt_backend.train.settings import TrainSettings


@dataclass(frozen=True, eq=False)
class Batch:
    """`B` studies.

    Attributes:
        view: `(B, S, C, H, W)` float in [-1, 1].
        other: Second view, pretraining only.
        noise: `(B * S, N)` masking noise, pretraining only.
        ids: `(B, L)` report tokens.
        text_mask: `(B, L)`.
        target: `(B, labels)` float with NaN for unknown, or `(B,)` int64 with -1 for unknown.
        patches: `(B, S, labels, cells, cells)` share of each cell covered by a finding, NaN where there are no masks.
        labs: `(B, tests)` values and missing mask.
        targets: Task `joint` only: target per head, as `target`, and per drug for `medication`.
        origin: `(B, 2)` row and column of the first patch, where `view` and `patches` are parts of studies.
    """

    view: Tensor
    other: Tensor | None
    noise: Tensor | None
    ids: Tensor
    text_mask: Tensor
    target: Tensor | None
    patches: Tensor | None
    labs: tuple[Tensor, Tensor] | None
    targets: dict[str, Tensor] = field(default_factory=dict)
    origin: Tensor | None = None


# Random views that keep lesions in the picture.
MILD = Augmentation(crop=(0.85, 1.0), degrees=8.0, shift=0.04, blur=0.0)
# Share of parts that lie about a finding; studies whose masks say how much a label covers; cells that a label counts as having besides.
_ABOUT, _COUNTED, _FEW = 0.75, 512, 64


class BatchSource:
    """Builds the batch of a step from a data set."""

    def __init__(self, data: ShardDataset, config: MedMPTConfig, settings: TrainSettings, tokenizer: ReportTokenizer | None) -> None:
        """Check that data, model and task fit.

        Raises:
            BadInput: They do not.
        """
        info, vision = data.info, config.vision
        if (info.preprocess, info.slices, info.image) != (config.preprocess, vision.slices, vision.image):
            raise BadInput("the data set was prepared for another model: its preprocess, slices or image differ from the configuration")
        self.data, self.config, self.settings, self.tokenizer = data, config, settings, tokenizer
        self.pretraining = settings.task == "pretrain"
        if (self.pretraining or settings.task == "caption") and tokenizer is None:
            raise BadInput(f"{settings.task!r} needs a tokenizer")
        self.usable = [i for i, record in enumerate(data.records) if self._has_target(record)]
        if not self.usable:
            raise BadInput(f"no study of the data set has what {settings.task!r} learns from")
        self._order: tuple[int, list[int]] = (-1, [])

    def _has_target(self, record: StudyRecord) -> bool:
        task = self.settings.task
        if task == "joint":
            return True
        if task in ("pretrain", "caption"):
            return bool(record.report)
        if task == "medication":
            return record.drugs is not None
        if task not in self.config.heads:
            raise BadInput(f"unknown task {task!r}; use pretrain, caption, medication or a head: {', '.join(self.config.heads)}")
        head = self.config.heads[task]
        if head.kind == "multiclass":
            return record.classes.get(task) is not None
        return any(record.labels.get(label) is not None for label in head.labels)

    def indices(self, first: int, count: int) -> list[tuple[int, int]]:
        """`(epoch, study)` of the stream's entries first .. first + count; each epoch is a fresh permutation."""
        out = []
        for position in range(first, first + count):
            epoch, offset = divmod(position, len(self.usable))
            if self._order[0] != epoch:
                order = torch.randperm(len(self.usable), generator=generator_for(self.settings.seed, epoch)).tolist()
                self._order = (epoch, [self.usable[i] for i in order])
            out.append((epoch, self._order[1][offset]))
        return out

    def batch(self, micro: int, rank: int, world: int) -> Batch:
        """Batch of one micro-step for one process; all processes' batches together are that of one process with `world` times as many."""
        size = self.settings.batch
        chosen = self.indices((micro * world + rank) * size, size)
        if self.settings.crop_slices:
            return self.collate_parts(chosen, whole=micro % self.settings.whole_every == self.settings.whole_every - 1)
        return self.collate(chosen)

    def collate(self, chosen: list[tuple[int, int]], augmented: bool = True) -> Batch:
        """Batch of `(epoch, study)` pairs."""
        records = [self.data.records[i] for _, i in chosen]
        views, others, noises, masks = [], [], [], []
        for epoch, i in chosen:
            image, mask = scale(self.data.image(i)), self._mask(i)
            generator = generator_for(self.settings.seed, epoch, i)
            style = replace(Augmentation() if self.settings.strong_views else MILD, flip=self.settings.flip)
            moved = augment(image, style, generator, mask) if augmented and self.settings.augment else (image, mask)
            views.append(moved[0])
            masks.append(moved[1])
            if self.pretraining:
                others.append(augment(image, style, generator)[0])
                noises.append(torch.rand((len(image), self.config.vision.patches), generator=generator))
        text = self._text(records)
        return Batch(
            torch.stack(views),
            torch.stack(others) if others else None,
            torch.cat(noises) if noises else None,
            text[0],
            text[1],
            self._targets(records, self.settings.task),
            torch.stack([m for m in masks if m is not None]) if self.data.info.mask_labels else None,
            self._labs(records),
            self._all_targets(records) if self.settings.task == "joint" else {},
        )

    def collate_parts(self, chosen: list[tuple[int, int]], augmented: bool = True, whole: bool = False) -> Batch:
        """One part of each study, about a finding three times in four; with `whole` of whole slices."""
        views, masks, origins = [], [], []
        if whole:  # as many pixels as in parts
            chosen = chosen[: max(1, round(len(chosen) * (self.settings.crop_patches / self.config.vision.grid) ** 2))]
        side = self.config.vision.grid if whole else min(self.settings.crop_patches, self.config.vision.grid)
        for epoch, i in chosen:
            generator = generator_for(self.settings.seed, epoch, i)
            mask = self._mask(i)
            assert mask is not None
            first, row, column = self._place(mask, i, side, generator)
            slices = slice(first, first + self.settings.crop_slices)
            pixels = self.config.vision.patch
            image = self.data.part(i, slices, *(slice(at * pixels, (at + side) * pixels) for at in (row, column)))
            cells = mask.shape[-1] // self.config.vision.grid
            inner = mask[slices, :, row * cells : (row + side) * cells, column * cells : (column + side) * cells]
            moved = augment(scale(image), MILD, generator, inner) if augmented and self.settings.augment else (scale(image), inner)
            views.append(moved[0])
            masks.append(moved[1])
            origins.append((row, column))
        empty = torch.zeros((len(chosen), 0), dtype=torch.int64)
        stacked = torch.stack([m for m in masks if m is not None])
        return Batch(torch.stack(views), None, None, empty, empty, None, stacked, None, origin=torch.tensor(origins))

    def _place(self, mask: Tensor, index: int, side: int, generator: torch.Generator) -> tuple[int, int, int]:
        """First slice, row and column (in patches) of a part of one study."""
        slices, grid = mask.shape[0] - self.settings.crop_slices, self.config.vision.grid - side
        limits = (max(slices, 0), max(grid, 0), max(grid, 0))
        there = ((mask > 0).flatten(2).any(2).any(0) & (self._smallness > 0)).nonzero()[:, 0]
        if len(there) and float(torch.rand((), generator=generator)) < _ABOUT:
            label = int(there[torch.multinomial(self._smallness[there], 1, generator=generator)])
            cells = (mask[:, label] > 0).nonzero()
            cell = cells[int(torch.randint(len(cells), (), generator=generator))]
            ratio = mask.shape[-1] // self.config.vision.grid
            middle = (int(cell[0]), int(cell[1]) // ratio, int(cell[2]) // ratio)
            sides = (self.settings.crop_slices, side, side)
            back = [int(torch.randint(n, (), generator=generator)) for n in sides]
            return tuple(min(max(m - b, 0), limit) for m, b, limit in zip(middle, back, limits, strict=True))  # type: ignore[return-value]
        return tuple(int(torch.randint(limit + 1, (), generator=generator)) for limit in limits)  # type: ignore[return-value]

    @cached_property
    def _smallness(self) -> Tensor:
        """Per label of the head one over the root of the cells that it covers: what is large or common lies in most parts anyway.

        Where only spots are trained, 0 for all other labels.
        """
        studies = self.usable[:_COUNTED]
        cells = sum((mask > 0).flatten(2).sum((0, 2)) for i in studies if (mask := self._mask(i)) is not None)
        assert isinstance(cells, Tensor)
        found = (_FEW + cells * (len(self.usable) / len(studies))).rsqrt()
        if not self.settings.spots:
            return found
        head = self.config.heads[self.settings.task]
        return found * torch.tensor([float(label in head.spots) for label in head.labels])

    def covered(self, most: int = 384) -> Tensor | None:
        """`(labels,)` mean covered share of the cells over the first studies, unknown as not covered; None without masks."""
        if self.settings.crop_slices:
            parts = self.collate_parts([(0, i) for i in self.usable[:most]], augmented=False).patches
            return None if parts is None else parts.nan_to_num(0.0).mean((0, 1, 3, 4))
        masks = [m for i in self.usable[:most] if (m := self._mask(i)) is not None]
        return torch.stack([m.nan_to_num(0.0).mean((0, 2, 3)) for m in masks]).mean(0) if masks else None

    def _mask(self, index: int) -> Tensor | None:
        mask = self.data.mask(index)
        scored = [h for h in self.config.heads.values() if h.patches]
        head = scored[0] if self.settings.task == "joint" and scored else self.config.heads.get(self.settings.task)
        if mask is None or head is None:
            return self._covered(mask) if mask is not None else None
        order = {label: i for i, label in enumerate(self.data.info.mask_labels)}
        nothing = torch.full_like(mask[:, 0], 0).float().fill_(torch.nan)
        return torch.stack([self._covered(mask[:, order[label]]) if label in order else nothing for label in head.labels], 1)

    def _covered(self, mask: Tensor) -> Tensor:
        return (mask.float() * (self.settings.mask_gain / 255)).clamp(max=1)

    def _text(self, records: list[StudyRecord]) -> tuple[Tensor, Tensor]:
        if self.tokenizer is None or self.config.text is None:
            empty = torch.zeros((len(records), 0), dtype=torch.int64)
            return empty, empty
        tokens = self.tokenizer.encode([r.report or "" for r in records], self.config.text.max_length)
        pad = self.config.text.max_length - tokens.ids.shape[1]  # one length for all processes
        return torch.nn.functional.pad(tokens.ids, (0, pad), value=self.config.text.pad), torch.nn.functional.pad(tokens.mask, (0, pad))

    def wordings(self) -> tuple[Tensor, Tensor] | None:
        """Ids and mask `(K, N, L)` of the reports of all usable studies, first as they are, then in the other words that the data have."""
        records = [self.data.records[i] for i in self.usable]
        most = max((len(r.wordings) for r in records), default=0)
        if self.tokenizer is None or not most:
            return None
        told = [
            [r.model_copy(update={"report": (r.report, *r.wordings)[k % (1 + len(r.wordings))]}) for r in records] for k in range(most + 1)
        ]
        parts = [self._text(row) for row in told]
        return torch.stack([ids for ids, _ in parts]), torch.stack([mask for _, mask in parts])

    def _all_targets(self, records: list[StudyRecord]) -> dict[str, Tensor]:
        tasks = [*self.config.heads, *(["medication"] if self.config.medication is not None and self.config.medication.drugs else [])]
        found = {task: self._targets(records, task) for task in tasks}
        return {task: target for task, target in found.items() if target is not None}

    def _targets(self, records: list[StudyRecord], task: str) -> Tensor | None:
        if task == "medication":
            assert self.config.medication is not None
            rows = [[float(d in (r.drugs or ())) for d in self.config.medication.drugs] for r in records]
            return torch.tensor(rows)
        head = self.config.heads.get(task)
        if head is None:
            return None
        if head.kind == "multiclass":
            return torch.tensor([-1 if (c := r.classes.get(task)) is None else c for r in records])
        known = [[r.labels.get(label) for label in head.labels] for r in records]
        return torch.tensor([[torch.nan if v is None else float(v) for v in row] for row in known])

    def _labs(self, records: list[StudyRecord]) -> tuple[Tensor, Tensor] | None:
        config = self.config.labs
        if config is None or not config.panel:
            return None
        names = {test.analyte for test in config.panel}
        made = [lab_inputs(config, {k: v for k, v in r.labs.items() if k in names}) for r in records]
        return torch.stack([torch.from_numpy(v) for v, _ in made]), torch.stack([torch.from_numpy(m) for _, m in made])
