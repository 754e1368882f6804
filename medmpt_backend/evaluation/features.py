"""Each study through the model once; every part works on what is kept here, cached by weights and data."""

import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput
from medmpt_backend.evaluation.data import StudySet
from medmpt_backend.inference.appearance import input_statistics
from medmpt_backend.inference.preprocess import scale
from medmpt_backend.model.network import MedMPT
from medmpt_backend.model.precision import choose_device, choose_precision, convert
from medmpt_backend.weights.checkpoint import LoadedWeights, load_model

Floats = NDArray[np.float32]
Progress = Callable[[str, int, int], None]
_BATCH = 4
_KINDS = ("logits", "peaks", "inputs", "told")
# The one entry of `told`.
EVIDENCE = "evidence"


@dataclass(frozen=True, eq=False)
class Features:
    """What the model made of the studies of a set.

    Attributes:
        scan: `(N, D)` scan embeddings.
        tokens: `(N, S, D)` float16 scan tokens; empty where only embeddings were wanted.
        logits: Head to `(N, labels)`.
        peaks: Head that scores patches to `(N, labels, 3)`: slice, row and column of the strongest cell.
        inputs: Block of `appearance` to `(N, F)`.
        told: `evidence`: `(N, findings, figures)` what the report decoder is told, where it is told.
        cells: Cells along one side of a slice in `peaks`.
    """

    scan: Floats
    tokens: NDArray[np.float16]
    logits: dict[str, Floats]
    peaks: dict[str, NDArray[np.int64]]
    inputs: dict[str, Floats]
    told: dict[str, Floats]
    cells: int


def open_model(weights: LoadedWeights) -> MedMPT:
    """The model in the precision that the hardware is best at."""
    device = choose_device()
    return convert(load_model(weights), choose_precision("auto", device), device)


def features(
    weights: LoadedWeights,
    studies: StudySet,
    cache: Path,
    *,
    whole: bool = True,
    model: MedMPT | None = None,
    progress: Progress | None = None,
) -> Features:
    """Features of a set of studies, from the cache where they are known.

    Args:
        weights: Checked weights.
        studies: What to encode.
        cache: Folder of the cache.
        whole: Also tokens, peaks and input statistics; without, embeddings and logits.
        model: The loaded model, where there is one already.
        progress: Told what is encoded, how many are done, and of how many.

    Raises:
        BadInput: The data were prepared for another model.
    """
    info, config = studies.data.info, weights.config
    if (info.preprocess, info.slices, info.image) != (config.preprocess, config.vision.slices, config.vision.image):
        raise BadInput(
            "the data set was prepared for another model: its preprocess, slices or image differ from the weights' configuration"
        )
    path = cache / f"features-{weights.provenance.model_sha256[:16]}-{studies.digest}-{'whole' if whole else 'scan'}.npz"
    found = _read(path)
    if found is None:
        found = _encode(model or open_model(weights), studies, whole, weights.provenance.name, progress)
        _write(path, found)
    return found


@torch.inference_mode()
def _encode(model: MedMPT, studies: StudySet, whole: bool, name: str, progress: Progress | None) -> Features:
    parameter = next(p for p in model.parameters() if not p.is_meta)
    rows: dict[str, list[NDArray[np.generic]]] = {}
    cells = 0

    def keep(key: str, values: NDArray[np.generic]) -> None:
        rows.setdefault(key, []).append(values)

    for start in range(0, len(studies), _BATCH):
        images = [studies.data.image(i) for i in studies.rows[start : start + _BATCH]]
        view = scale(torch.stack(images)).to(parameter.device, parameter.dtype)
        slices, patches = model.see(view)
        scan, tokens = model.fuse(slices)
        keep("scan", scan.float().cpu().numpy())
        for task in model.heads:
            if not next(model.heads[task].parameters()).is_meta:
                keep(f"logits/{task}", model.head_logits(task, scan, patches.get(task)).float().cpu().numpy())
        if whole:
            keep("tokens", tokens.to(torch.float16).cpu().numpy())
            evidence = model.evidence(scan, patches)
            if evidence is not None:
                keep(f"told/{EVIDENCE}", evidence.float().cpu().numpy())
            for task, scores in patches.items():
                cells = scores.shape[-1]
                strongest = scores.float().transpose(1, 2).flatten(2).argmax(-1).cpu().numpy()
                keep(f"peaks/{task}", np.stack(np.unravel_index(strongest, (scores.shape[1], cells, cells)), -1))
            for image in images:
                for block, values in input_statistics(image).items():
                    keep(f"inputs/{block}", values[None])
        if progress is not None:
            progress(f"encode with {name}", min(start + _BATCH, len(studies)), len(studies))
    return _unpack({key: np.concatenate(values) for key, values in rows.items()} | {"cells": np.array(cells)})


def _unpack(arrays: dict[str, NDArray[np.generic]]) -> Features:
    def part(kind: str) -> dict[str, NDArray[np.generic]]:
        return {key.removeprefix(f"{kind}/"): values for key, values in arrays.items() if key.startswith(f"{kind}/")}

    logits, peaks, inputs, told = (part(kind) for kind in _KINDS)
    tokens = arrays.get("tokens", np.zeros((0, 0, 0), np.float16))
    return Features(arrays["scan"], tokens, logits, peaks, inputs, told, int(arrays["cells"]))  # type: ignore[arg-type]


def _read(path: Path) -> Features | None:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return _unpack({key: archive[key] for key in archive.files})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        path.unlink(missing_ok=True)  # a damaged file is computed again
        return None


def _write(path: Path, found: Features) -> None:
    arrays: dict[str, NDArray[np.generic]] = {"scan": found.scan, "cells": np.array(found.cells)}
    if found.tokens.size:
        arrays["tokens"] = found.tokens
    for kind in _KINDS:
        arrays |= {f"{kind}/{name}": values for name, values in getattr(found, kind).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(suffix=".part", dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    Path(name).replace(path)


def probabilities(logits: Floats, multilabel: bool) -> NDArray[np.float64]:
    """Sigmoid or softmax of logits `(N, labels)`."""
    wide = logits.astype(np.float64)
    if multilabel:
        out: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(wide, -60, 60)))
        return out
    raised = np.exp(wide - wide.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))
