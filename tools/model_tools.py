"""CT tools on the MedMPT model: `encode_ct`, `classify_ct`, `draft_report`, `find_similar_cases`.

Without weights each answers `unavailable` with the command that installs them. A study outside the domain of the weights gives
`out_of_domain` and nothing citable.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from tools.deps import Deps
from tools.evidence import Evidence, Quantity, Status, ToolName, ToolResult
from tools.imaging import file_stamp, study_path
from tools.quantities import fill

if TYPE_CHECKING:
    from medmpt_backend.domain import Validity
    from medmpt_backend.engine import MedMPTEngine
    from medmpt_backend.results import Classification, Draft, FindingScore
    from medmpt_backend.volume import Volume

NO_WEIGHTS = "no MedMPT weights are installed: run `medmpt weights import CHECKPOINT`"
_NO_CASES = "no index of similar cases is built for the installed weights"


def _on_engine(tool: ToolName, deps: Deps, study: str, work: "Callable[[MedMPTEngine, Volume], ToolResult]") -> ToolResult:
    """Run `work` on the loaded study, or say honestly why not."""
    query: dict[str, JsonValue] = {"study": study}
    if deps.engine is None:
        return ToolResult(tool=tool, status="unavailable", reason=NO_WEIGHTS, query=query)
    if not deps.studies:
        return ToolResult(tool=tool, status="empty", reason="the case has no CT study", query=query, missing=("CT study",))
    path = study_path(deps, study)
    from medmpt_backend.errors import BackendError

    try:
        return work(deps.engine, _volume(path, file_stamp(path)))
    except BackendError as error:
        return ToolResult(tool=tool, status=error.status, reason=str(error), query=query)


@lru_cache(maxsize=2)
def _volume(path: Path, stamp: tuple[int, int]) -> "Volume":
    """The study, loaded once per state of its files."""
    from medmpt_backend.volume import load_volume

    return load_volume(path)


def encode_ct(deps: Deps, study: str = "ct-1") -> ToolResult:
    """Encode a CT study with MedMPT: sizes and validity; the arrays stay on this machine."""

    def work(engine: "MedMPTEngine", volume: "Volume") -> ToolResult:
        encoding = engine.encode(volume)
        shape: dict[str, JsonValue] = {
            "scan": list(encoding.scan.shape),
            "slices": list(encoding.slices.shape),
            "config_hash": encoding.config_hash,
            "validity": _validity(encoding.validity),
        }
        return ToolResult(
            tool="encode_ct", status=_status(encoding.validity), reason=encoding.validity.reason, query={"study": study}, data=shape
        )

    return _on_engine("encode_ct", deps, study, work)


def classify_ct(deps: Deps, study: str = "ct-1") -> ToolResult:
    """Findings of a CT study as the model sees them, with scores and key slices."""

    def work(engine: "MedMPTEngine", volume: "Volume") -> ToolResult:
        return _classified(engine.classify(volume), study)

    return _on_engine("classify_ct", deps, study, work)


def _status(validity: "Validity") -> Status:
    statuses: dict[str, Status] = {"in": "ok", "out": "out_of_domain", "unknown": "partial"}
    return statuses[validity.domain]


def _validity(v: "Validity") -> dict[str, JsonValue]:
    return {"domain": v.domain, "distance": v.distance, "weights": v.weights, "trained_on": v.trained_on, "reason": v.reason}


def _classified(found: "Classification", study: str) -> ToolResult:
    trusted = found.validity.domain != "out"
    ordered = sorted(found.findings, key=lambda f: (f.present is not True, -f.probability))
    rows: list[JsonValue] = [
        {
            "id": f.id,
            "name": f.name,
            "probability": f.probability,
            "calibrated": f.calibrated,
            "threshold": f.threshold,
            "present": f.present,
            "side": f.side,
            "slices": list(f.slices),
        }
        for f in ordered
    ]
    warnings = () if all(f.calibrated for f in found.findings) else ("the scores are not calibrated probabilities",)
    return ToolResult.model_validate(
        {
            "tool": "classify_ct",
            "status": _status(found.validity),
            "reason": found.validity.reason,
            "query": {"study": study},
            "counts": {"findings": len(rows), "present": sum(f.present is True for f in ordered)},
            "warnings": warnings,
            "evidence": [_finding(f, found.validity, study) for f in ordered] if trusted else [],
            "data": {"findings": rows, "validity": _validity(found.validity)},
        }
    )


def _finding(f: "FindingScore", validity: "Validity", study: str) -> Evidence:
    word, word_zh = ("present", "存在") if f.present else ("not present", "未见") if f.present is False else ("not decided", "未判定")
    slices = f"; slices {', '.join(str(s) for s in f.slices)}" if f.slices else ""
    slices_zh = f"；层面 {'、'.join(str(s) for s in f.slices)}" if f.slices else ""
    text = f"The model judges {f.name} as {word} with a score of {f.probability:.2f}{slices}."
    text_zh = f"模型判断{f.name_zh}：{word_zh}，评分 {f.probability:.2f}{slices_zh}。"
    score = Quantity(name=f.id, value=f.probability, unit="", decimals=2)
    return Evidence.model_validate(
        {
            "key": f"M-{study}-{f.id}",
            "kind": "model",
            "text": text,
            "text_zh": text_zh,
            "source": f"MedMPT weights {validity.weights}, trained on {validity.trained_on}",
            "locator": f"{study} slice {f.slices[0]}" if f.slices else study,
            "validity": validity.domain,
            "quantities": fill((score,), text, text_zh),
            "subjects": (f.id.replace("_", " "), f.name.casefold()),
            "side": f.side,
            "present": f.present,
        }
    )


def draft_report(deps: Deps, study: str = "ct-1") -> ToolResult:
    """A preliminary draft of the findings by the model; a person must sign it."""

    def work(engine: "MedMPTEngine", volume: "Volume") -> ToolResult:
        return _drafted(engine.draft_findings(volume), study)

    return _on_engine("draft_report", deps, study, work)


def _drafted(draft: "Draft", study: str) -> ToolResult:
    trusted = draft.validity.domain != "out"
    side = () if draft.laterality_verified else ("left and right in this draft are not verified for these weights",)
    evidence = [_sentence(i, draft, study) for i in range(len(draft.sentences))] if trusted else []
    sentences: list[JsonValue] = [
        {"text": s.text, "origin": "model", "evidence": f"M-{study}-draft-{i + 1}", "slices": list(s.slices)}
        for i, s in enumerate(draft.sentences)
    ]
    return ToolResult.model_validate(
        {
            "tool": "draft_report",
            "status": _status(draft.validity),
            "reason": draft.validity.reason,
            "query": {"study": study},
            "counts": {"sentences": len(sentences)},
            "warnings": ("this is a preliminary draft by a model; a person must check and sign it", *side),
            "evidence": evidence,
            "data": {"sections": [{"name": "findings", "sentences": sentences}], "validity": _validity(draft.validity)},
        }
    )


def _sentence(index: int, draft: "Draft", study: str) -> Evidence:
    s = draft.sentences[index]
    return Evidence.model_validate(
        {
            "key": f"M-{study}-draft-{index + 1}",
            "kind": "model",
            "text": s.text,
            "text_zh": s.text,
            "source": f"draft by MedMPT weights {draft.validity.weights}",
            "locator": f"{study} slice {s.slices[0]}" if s.slices else study,
            "validity": draft.validity.domain,
            "quantities": fill((), s.text),
            "subjects": ("draft",),
        }
    )


def find_similar_cases(deps: Deps, study: str = "ct-1", k: int = 5) -> ToolResult:
    """Cases whose CT looks similar; needs weights and an index of cases."""
    reason = NO_WEIGHTS if deps.engine is None else _NO_CASES
    return ToolResult(tool="find_similar_cases", status="unavailable", reason=reason, query={"study": study, "k": k})
