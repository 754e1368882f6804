"""Batches that depend on the step only: the same studies and the same random views on one process or on many."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from medmpt_backend.config import MedMPTConfig
from medmpt_backend.errors import BadInput
from medmpt_backend.labs import lab_inputs
from medmpt_backend.preprocess import scale
from medmpt_backend.tokens import ReportTokenizer
from medmpt_backend.train.augment import Augmentation, augment, generator_for
from medmpt_backend.train.settings import TrainSettings
from medmpt_backend.train.shards import ShardDataset, StudyRecord


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
        return self.collate(chosen)

    def collate(self, chosen: list[tuple[int, int]], augmented: bool = True) -> Batch:
        """Batch of `(epoch, study)` pairs."""
        records = [self.data.records[i] for _, i in chosen]
        views, others, noises, masks = [], [], [], []
        for epoch, i in chosen:
            image, mask = scale(self.data.image(i)), self._mask(i)
            generator = generator_for(self.settings.seed, epoch, i)
            wide = Augmentation(flip=self.settings.flip)
            style = wide if self.settings.strong_views else replace(wide, crop=(0.85, 1.0), degrees=8.0, shift=0.04, blur=0.0)
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

    def covered(self, most: int = 384) -> Tensor | None:
        """`(labels,)` mean covered share of the cells over the first studies, unknown as not covered; None without masks."""
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
