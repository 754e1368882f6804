"""Where a result comes from: slices, patches, words, laboratory values, modalities.

* Slice relevance: fall of a label's logit when one slice is replaced by the study's mean slice.
* Attention rollout: Abnar and Zuidema, ACL 2020, doi 10.18653/v1/2020.acl-main.385.
* Gradient-weighted attention: Chefer et al., ICCV 2021, "Generic attention-model explainability".
* Integrated gradients for laboratory values and modalities: Sundararajan et al., ICML 2017, through captum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medmpt_backend.errors import BadInput, of_extra
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.inference.preprocess import scale
from medmpt_backend.inference.training_domain import Validity
from medmpt_backend.model.attention import recording
from medmpt_backend.model.network import MedMPT

if TYPE_CHECKING:
    from medmpt_backend.inference.encodings import Encoding
    from medmpt_backend.inference.preprocess import ModelInput
    from medmpt_backend.inference.results import Draft

Floats = NDArray[np.float32]
Method = Literal["gradient", "rollout"]
METHODS = ("gradient", "rollout", "patch")


class Explainable(Protocol):
    """What an explanation needs of the engine."""

    @property
    def model(self) -> MedMPT: ...
    @property
    def device(self) -> torch.device: ...
    @property
    def precision(self) -> str: ...
    @property
    def chunk(self) -> int: ...
    def encode(self, volume: Volume) -> "Encoding": ...
    def prepare(self, volume: Volume) -> "ModelInput": ...
    def slice_relevance(self, encoding: "Encoding", task: str) -> Floats: ...


@dataclass(frozen=True, eq=False)
class Explanation:
    """Heatmaps of one label.

    Attributes:
        task: Head.
        label: Label.
        method: `gradient`, `rollout`, or `patch` (scores of heads that were trained on lesion masks).
        heatmaps: `(S, grid, grid)` float32, at least 0, one per input, comparable between inputs (weighted by slice relevance).
        relevance: `(S,)` slice relevance of the label's logit.
        slice_index: `(S,)` slice of the volume (0 = head) of each input.
        slice_ranges: `(S, 2)` half-open range of slices that each input stands for.
        key_slices: Strongest slices of the volume.
        validity: Domain verdict.
    """

    task: str
    label: str
    method: str
    heatmaps: Floats
    relevance: Floats
    slice_index: NDArray[np.int64]
    slice_ranges: NDArray[np.int64]
    key_slices: tuple[int, ...]
    validity: Validity


@torch.inference_mode()
def slice_relevance(model: MedMPT, slices: Tensor, task: str) -> Floats:
    """`slices` `(S, D)` to `(labels, S)`: fall of each logit when a slice is replaced by the mean slice."""
    count = len(slices)
    variants = slices.expand(count + 1, -1, -1).clone()
    variants[torch.arange(count), torch.arange(count)] = slices.mean(0)
    logits = model.head_logits(task, model.fuse(variants)[0]).float()
    return (logits[-1:] - logits[:-1]).T.cpu().numpy()


def rollout(layers: Sequence[Tensor]) -> Tensor:
    """Attention rollout: per layer mean over heads plus identity, rows normalised, multiplied. `(B, heads, L, L)` each to `(B, L, L)`."""
    size = layers[0].shape[-1]
    eye = torch.eye(size, device=layers[0].device)
    total = eye.expand(layers[0].shape[0], -1, -1)
    for probs in layers:
        mixed = probs.float().mean(1) + eye
        total = (mixed / mixed.sum(-1, keepdim=True)) @ total
    return total


def weighted_rollout(layers: Sequence[Tensor]) -> Tensor:
    """As rollout, each layer's attention weighted by its gradient's positive part. `(B, heads, L, L)` with gradients to `(B, L, L)`."""
    total = torch.eye(layers[0].shape[-1], device=layers[0].device).expand(layers[0].shape[0], -1, -1)
    for probs in layers:
        assert probs.grad is not None
        weighted = (probs.grad.float() * probs.detach().float()).clamp_min(0).mean(1)
        total = total + weighted @ total
    return total


def _label_index(model: MedMPT, task: str, label: str) -> int:
    labels = model.config.heads[task].labels
    if label not in labels:
        raise BadInput(f"{label!r} is no label of {task!r}; labels are {', '.join(labels)}")
    return labels.index(label)


def patch_maps(model: MedMPT, image: Tensor, task: str, index: int, method: Method, chunk: int = 8) -> Tensor:
    """Relevance of every patch of every slice, `(S, grid, grid)`, at least 0.

    Args:
        model: Model; parameters need no gradient.
        image: `(S, C, H, W)` in [-1, 1].
        task: Head.
        index: Label's position in the head.
        method: `gradient` or `rollout`.
        chunk: Slices at a time.
    """
    with torch.inference_mode():
        slices = model.encode_slices(image[None], chunk)[0]
    slices = slices.clone().requires_grad_(True)
    with torch.enable_grad():
        logit = model.head_logits(task, model.fuse(slices[None])[0])[0, index]
        (slice_gradient,) = torch.autograd.grad(logit, slices)
    maps = []
    for start in range(0, len(image), chunk):
        part = image[start : start + chunk].clone().requires_grad_(True)
        with recording() as tap, torch.enable_grad():
            cls = model.vision_encoder(part)[:, 0]
            if method == "gradient":
                (cls * slice_gradient[start : start + chunk]).sum().backward()
        mix = weighted_rollout(tap["vision"]) if method == "gradient" else rollout([p.detach() for p in tap["vision"]])
        maps.append(mix[:, 0, 1:].detach())
    grid = model.config.vision.grid
    return torch.cat(maps).reshape(-1, grid, grid)


def explain(engine: Explainable, volume: Volume, task: str, label: str, method: str) -> Explanation:
    """Heatmaps and slice relevance of one label of one study."""
    if method not in METHODS:
        raise BadInput(f"unknown method {method!r}; use {', '.join(METHODS)}")
    index = _label_index(engine.model, task, label)
    encoding = engine.encode(volume)
    if method == "patch":
        if task not in encoding.patches:
            raise BadInput(f"the head {task!r} of these weights does not score patches; use gradient or rollout")
        maps = (1 / (1 + np.exp(-encoding.patches[task][:, index]))).astype(np.float32)
    else:
        dtype = torch.bfloat16 if engine.precision == "bf16" else torch.float32
        image = scale(engine.prepare(volume).image).to(engine.device, dtype)
        maps = patch_maps(engine.model, image, task, index, cast(Method, method), engine.chunk).float().cpu().numpy()
    relevance = engine.slice_relevance(encoding, task)[index]
    strength = np.clip(relevance, 0, None)
    top = [j for j in np.argsort(-relevance)[:3] if relevance[j] > 0]
    peak = maps.reshape(len(maps), -1).max(1).clip(1e-12)[:, None, None]
    heatmaps = (maps / peak * (strength / max(float(strength.max()), 1e-12))[:, None, None]).astype(np.float32)
    key_slices = tuple(dict.fromkeys(int(encoding.slice_index[j]) for j in top))
    return Explanation(task, label, method, heatmaps, relevance, encoding.slice_index, encoding.slice_ranges, key_slices, encoding.validity)


@dataclass(frozen=True)
class Grounding:
    """Inputs that a range of drafted tokens looked at: `(input position, weight)`, strongest first; weights sum to at most 1."""

    text: str
    inputs: tuple[tuple[int, float], ...]


def ground_words(draft: "Draft", top: int = 3) -> list[Grounding]:
    """Each sentence of a draft with the inputs that its tokens attended to."""
    out = []
    for sentence in draft.sentences:
        weight = draft.cross[sentence.start : sentence.start + len(sentence.tokens)].mean(0)
        order = np.argsort(-weight)[:top]
        out.append(Grounding(sentence.text, tuple((int(i), float(weight[i])) for i in order)))
    return out


def _integrated_gradients() -> Any:
    """captum's class."""
    with of_extra("train"):
        from captum.attr import IntegratedGradients
    return IntegratedGradients


def lab_attributions(
    model: MedMPT, values: Tensor, missing: Tensor, modalities: tuple[Tensor, Tensor], drug: int, steps: int = 32
) -> Tensor:
    """Integrated gradients of one drug's logit over laboratory values, from the middle of each reference interval.

    Args:
        model: Model with a medication part.
        values: `(1, tests)` normalised.
        missing: `(1, tests)`.
        modalities: Scan embedding `(1, D)` and pooled report `(1, T)`.
        drug: Output index.
        steps: Integration steps.

    Returns:
        `(tests,)`; 0 where not measured.
    """
    IntegratedGradients = _integrated_gradients()

    assert model.labs is not None
    assert model.medication is not None
    labs, medication = model.labs, model.medication
    scan, text = modalities

    def logit(x: Tensor) -> Tensor:
        panel = labs(x, missing.expand(len(x), -1))[:, 0]
        logits: Tensor = medication([scan.expand(len(x), -1), text.expand(len(x), -1), panel])[0]
        return logits[:, drug]

    baseline = torch.where(missing.bool(), values, torch.full_like(values, 0.5))
    with torch.enable_grad():
        found: Any = IntegratedGradients(logit).attribute(values, baseline, n_steps=steps)
    attributions: Tensor = found[0].detach() * (~missing.bool())[0]
    return attributions


def modality_attributions(model: MedMPT, modalities: tuple[Tensor, Tensor, Tensor], drug: int, steps: int = 32) -> Tensor:
    """Integrated gradients of one drug's logit summed per modality (CT, report, laboratory), from zero vectors: `(3,)`."""
    IntegratedGradients = _integrated_gradients()

    assert model.medication is not None
    medication = model.medication

    def logit(*parts: Tensor) -> Tensor:
        logits: Tensor = medication(list(parts))[0]
        return logits[:, drug]

    with torch.enable_grad():
        found: Any = IntegratedGradients(logit).attribute(modalities, tuple(torch.zeros_like(m) for m in modalities), n_steps=steps)
    return torch.stack([part.sum().detach() for part in found])
