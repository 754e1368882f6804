"""Settings of one training run."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainSettings(BaseModel):
    """Everything that decides a run's course; saved with each checkpoint.

    Defaults of the optimiser are the released model's: AdamW, weight decay 0.05, linear warm-up, cosine, gradient clipping at 3; no decay
    for one-dimensional parameters.

    Attributes:
        task: `pretrain`, `joint` (every head, report and prescription at once), `caption`, `medication`, or the name of a head.
        steps: Optimiser steps.
        batch: Studies per process and micro-step.
        accumulate: Micro-steps per optimiser step.
        lr: Peak rate of pretrained parts.
        new_lr: Peak rate of heads and medication parts; None: `lr`.
        min_lr: Rate at the end.
        warmup: Steps of linear warm-up.
        clip: Largest gradient norm.
        precision: `bf16` and `fp16` are automatic mixed precision.
        freeze: Prefixes of parameter names that stay as they are, for example `vision_encoder.`.
        checkpoint_every: Steps between checkpoints; the last two are kept.
        flip: Left-right flips, as in the released training; they make laterality meaningless.
        augment: Random views; the second view of pretraining is always random.
        strong_views: The released training's wide random views (crop from 0.6 of the area, 20 degrees); False keeps lesions in the picture:
            crop from 0.85, 8 degrees, no blur.
        mask_weight: Weight of the loss per patch or cell where the data has masks.
        mask_gain: A cell counts as covered by the share that a finding covers times this, at most 1; small nodules need more than 1.
        mask_balance: How far that loss weighs rare labels up: 0 not at all, 1 until every label counts the same. A label that covers few
            cells (a nodule) is otherwise drowned by one that covers many (emphysema).
        crop_slices: Train a head's patches alone, on parts of studies of so many slices; 0 trains on whole studies.
        spots: With `crop_slices`: train the branch for spots alone, on the labels that it scores; all else stays.
        crop_patches: Side of such a part in patches. Three parts in four lie about a finding, such as cover few
            cells first: large and common ones lie in most parts anyway.
        whole_every: Every so many steps the parts have whole slices, of as many fewer studies, so that the model keeps to what it will see.
        evaluate_every: Steps between looks at the validation studies; 0 never looks.
        patience: Looks without a lower validation loss after which training stops and returns to the best; 0 never stops early.
        recompute: Recompute activations in the backward pass to save memory.
        strategy: Of several processes: `ddp` keeps the whole model on each, `fsdp` a part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str = "pretrain"
    steps: int = Field(default=1000, ge=1)
    batch: int = Field(default=2, ge=1)
    accumulate: int = Field(default=1, ge=1)
    lr: float = 1e-4
    new_lr: float | None = None
    min_lr: float = 1e-8
    warmup: int = Field(default=0, ge=0)
    weight_decay: float = 0.05
    clip: float = 3.0
    seed: int = 0
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    freeze: tuple[str, ...] = ()
    checkpoint_every: int = Field(default=200, ge=1)
    flip: bool = False
    augment: bool = True
    strong_views: bool = True
    mask_weight: float = 1.0
    mask_gain: float = Field(default=1.0, gt=0)
    mask_balance: float = Field(default=0.0, ge=0, le=1)
    crop_slices: int = Field(default=0, ge=0)
    crop_patches: int = Field(default=6, ge=1)
    spots: bool = False
    whole_every: int = Field(default=4, ge=1)
    evaluate_every: int = Field(default=0, ge=0)
    patience: int = Field(default=0, ge=0)
    recompute: bool = False
    strategy: Literal["ddp", "fsdp"] = "ddp"
