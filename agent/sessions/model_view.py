"""What the model sees, for the viewer: findings of a study with their scores, and the heatmap of one finding."""

import base64
from typing import TYPE_CHECKING

import numpy as np

from agent.sessions.views import FindingsView, FindingView, HeatView
from medmpt_backend.errors import BackendError
from tools.imaging.model_card import NO_WEIGHTS, card_of, reason_of
from tools.wording import in_language

if TYPE_CHECKING:
    from medmpt_backend.imaging.volume import Volume
    from medmpt_backend.inference.engine import MedMPTEngine
    from medmpt_backend.inference.results import Classification

_TASK = "findings"


def findings_of(engine: "MedMPTEngine | None", volume: "Volume") -> FindingsView:
    """Findings for the viewer's list, the ones above their operating point first; with the reason where the model abstains."""
    if engine is None:
        return FindingsView(status="unavailable", reason=NO_WEIGHTS, reason_zh=NO_WEIGHTS.zh)
    try:
        found = engine.classify(volume, _TASK, key_slices=1)
    except BackendError as failure:
        return FindingsView(status=failure.status, reason=str(failure), reason_zh=in_language(str(failure), "zh"))
    return _findings(found)


def _findings(found: "Classification") -> FindingsView:
    validity = found.validity
    card = card_of(validity)
    if validity.domain == "out":
        why = {"reason": reason_of(validity, "en"), "reason_zh": reason_of(validity, "zh")}
        return FindingsView(status="out_of_domain", card=card, **why)
    # An embolus cannot be assessed without contrast; `tools.imaging.model_findings` says so in words.
    ordered = sorted((f for f in found.findings if f.id != "pulmonary_embolus"), key=lambda f: (f.present is not True, -f.probability))
    rows = tuple(
        FindingView(
            id=f.id,
            name_en=f.name,
            name_zh=f.name_zh,
            probability=round(f.probability, 4),
            threshold=f.threshold,
            present=f.present,
            side=f.side,
            slice=f.slices[0] if f.slices else None,
        )
        for f in ordered
    )
    status = "ok" if validity.domain == "in" else "partial"
    return FindingsView(status=status, reason=reason_of(validity, "en"), reason_zh=reason_of(validity, "zh"), card=card, findings=rows)


def heat_of(engine: "MedMPTEngine | None", volume: "Volume", finding: str) -> HeatView:
    """Where the model's score of one finding comes from: lesion scores of patches where the weights have them, else gradients."""
    if engine is None:
        return HeatView(status="unavailable", reason=NO_WEIGHTS, finding=finding)
    try:
        encoding = engine.encode(volume)
        if encoding.validity.domain == "out":
            return HeatView(status="out_of_domain", reason=encoding.validity.reason, finding=finding)
        method = "patch" if _TASK in encoding.patches else "gradient"
        found = engine.explain(volume, finding, _TASK, method)
    except BackendError as failure:
        return HeatView(status=failure.status, reason=str(failure), finding=finding)
    maps = np.clip(np.rint(found.heatmaps * 255), 0, 255).astype(np.uint8)
    return HeatView(
        status="ok",
        finding=finding,
        method=method,
        grid=maps.shape[-1],
        ranges=tuple((int(a), int(b)) for a, b in found.slice_ranges),
        values=base64.b64encode(maps.tobytes()).decode("ascii"),
        key_slices=found.key_slices,
    )
