"""Part `claims`: what is said of a study must change when its image is replaced by a blank or by another patient's.

Reports and laboratory values stay those of the patient; domain abstention is left aside, so that the claims themselves are seen.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medmpt_backend.evaluation.corruptions import corrupt
from medmpt_backend.evaluation.features import EVIDENCE, probabilities
from medmpt_backend.evaluation.figures import Figure, PartResult
from medmpt_backend.evaluation.findings import TASK
from medmpt_backend.evaluation.medication import modalities, scores_of
from medmpt_backend.evaluation.text.context import Context
from medmpt_backend.evaluation.text.drafts import draft_tokens, nearest
from medmpt_backend.inference.preprocess import scale

Array = NDArray[np.float64]
_STUDIES = 24
# Smallest change of a probability that a reader would see in two decimals.
_SEEN = 0.005


def run(context: Context, studies: int = _STUDIES) -> PartResult:
    """Share of studies whose claim changes, per claim and replacement."""
    result = PartResult(name="claims")
    count = min(studies, len(context.test))
    chosen = np.unique(np.linspace(0, len(context.test) - 1, count).round().astype(int))
    other = np.array([_most_different(context, int(i)) for i in chosen])
    blank = corrupt("blank", context.test.data.image(context.test.rows[int(chosen[0])]), context.weights.config.preprocess.windows, 0)
    found, nothing = context.found, _encode(context, blank)
    own, swapped = (
        _Seen(found.scan[i], found.tokens[i], *({k: v[i] for k, v in x.items()} for x in (found.logits, found.told)))
        for i in (chosen, other)
    )
    empty = nothing.repeated(len(chosen))
    for name, seen in (("blank", empty), ("another patient", swapped)):
        for claim, changed in _changes(context, chosen, own, seen).items():
            result.figures[f"{claim}/{name}"] = Figure(value=round(float(np.mean(changed)), 4), n=len(chosen))
    result.notes.append("share of test studies whose claim changes; another patient: the study whose labels differ most")
    return result


@dataclass(frozen=True, eq=False)
class _Seen:
    """Image features of the chosen studies under one condition; fields as in `Features`."""

    scan: NDArray[np.float32]
    tokens: NDArray[np.float16]
    logits: dict[str, NDArray[np.float32]]
    told: dict[str, NDArray[np.float32]]

    def repeated(self, times: int) -> "_Seen":
        """One study so many times."""
        logits, told = ({k: v.repeat(times, 0) for k, v in x.items()} for x in (self.logits, self.told))
        return _Seen(self.scan.repeat(times, 0), self.tokens.repeat(times, 0), logits, told)


def _most_different(context: Context, position: int) -> int:
    """The study whose known labels differ most from those of one."""
    own = context.test.records[position].labels
    gaps = [sum(own.get(k) is not None and v is not None and own[k] != v for k, v in r.labels.items()) for r in context.test.records]
    gaps[position] = -1
    return int(np.argmax(gaps))


@torch.inference_mode()
def _encode(context: Context, image: Tensor) -> _Seen:
    model = context.model
    parameter = next(p for p in model.parameters() if not p.is_meta)
    slices, patches = model.see(scale(image)[None].to(parameter.device, parameter.dtype))
    scan, tokens = model.fuse(slices)
    logits = {t: model.head_logits(t, scan, patches.get(t)).float().cpu().numpy() for t in context.found.logits}
    evidence = model.evidence(scan, patches)
    told = {} if evidence is None else {EVIDENCE: evidence.float().cpu().numpy()}
    return _Seen(scan.float().cpu().numpy(), tokens.to(torch.float16).cpu().numpy(), logits, told)


def _changes(context: Context, chosen: NDArray[np.int64], own: _Seen, seen: _Seen) -> dict[str, NDArray[np.bool_]]:
    config, out = context.weights.config, {}
    for task, before in own.logits.items():
        head = config.heads[task]
        a, b = (probabilities(x, head.kind == "multilabel") for x in (before, seen.logits[task]))
        out[f"{task} probabilities"] = np.abs(a - b).max(1) > _SEEN
        if task == TASK:
            limits = np.array(head.thresholds or (0.5,) * len(head.labels))
            out["findings called present"] = ((a >= limits) != (b >= limits)).any(1)
    if context.serves("report") and context.tokenizer is not None:
        first, second = (draft_tokens(context, x.tokens, x.told.get(EVIDENCE)) for x in (own, seen))
        out["drafted report"] = np.array([x != y for x, y in zip(first, second, strict=True)])
    pool = context.learned.scan if context.learned is not None else context.found.scan
    out["most similar study"] = nearest(pool, own.scan) != nearest(pool, seen.scan)
    if context.serves("medication") and context.model.medication is not None and context.tokenizer is not None:
        rows = [m[torch.from_numpy(chosen)] for m in modalities(context, context.test, context.found.scan)]
        ranked = [scores_of(context.model.medication, [torch.from_numpy(x.scan), *rows[1:]]) for x in (own, seen)]
        out["drug probabilities"] = np.abs(ranked[0] - ranked[1]).max(1) > _SEEN
    return out
