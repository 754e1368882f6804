"""Tool `find_similar_cases`: reference cases of the weights (virtual patients) and own studies whose scan vectors lie closest."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from medmpt_backend.messages import Said
from retrieval.index.similar_cases import CaseIndex, SimilarCase
from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.evidence import Evidence, Quantity, ToolResult
from tools.imaging.model_card import abstained, card_line, card_of, card_row, reason_of, status_of
from tools.imaging.model_tools import on_engine
from tools.imaging.results.model import SimilarCases, SimilarRow
from tools.quantities import fill

pair = messages("tools.imaging").pair

if TYPE_CHECKING:
    from medmpt_backend.imaging.volume import Volume
    from medmpt_backend.inference.engine import MedMPTEngine
    from medmpt_backend.inference.reference import ReferenceCase

_NO_CASES = Said(*pair("the weights carry no reference cases and no own study was added: run `medmpt case remember STUDY --name NAME`"))


def own_folder(cases_dir: Path, engine: "MedMPTEngine") -> Path:
    """Where own studies are indexed for the weights in use."""
    return cases_dir / engine.provenance.model_sha256[:16]


def find_similar_cases(deps: Deps, study: str = "ct-1", k: int = 5) -> ToolResult:
    """Cases whose CT looks similar to the model: virtual reference patients with their truth, and own studies that were added."""
    return on_engine("find_similar_cases", deps, study, lambda engine, volume: _found(engine, volume, deps, study, k))


def _found(engine: "MedMPTEngine", volume: "Volume", deps: Deps, study: str, k: int) -> ToolResult:
    encoding = engine.encode(volume)
    validity, query = encoding.validity, {"study": study, "k": k}
    why = reason_of(validity, deps.language)
    card = card_row(validity)
    if validity.domain == "out":
        said = (abstained(validity, study, "similar"),)
        return ToolResult(
            tool="find_similar_cases", status="out_of_domain", reason=why, query={**query}, evidence=said, data=SimilarCases(validity=card)
        )
    from medmpt_backend.inference.reference import ReferenceCases

    reference = ReferenceCases.load(engine.weights.folder, engine.provenance.model_sha256)
    own = _own_index(deps.cases_dir, engine)
    if reference is None and own is None:
        return ToolResult(tool="find_similar_cases", status="unavailable", reason=_NO_CASES, query={**query})
    vector = engine.embed_scan(encoding)
    hits: list[SimilarCase] = []
    known: Mapping[str, ReferenceCase] = {}
    if reference is not None:
        index = CaseIndex(reference.scans.shape[1], reference.encoder)
        index.add([c.id for c in reference.cases], reference.scans)
        known = {c.id: c for c in reference.cases}
        hits += index.search(vector, k)
    hits += own.search(vector, k) if own is not None else []
    best = sorted(hits, key=lambda hit: -hit.score)[:k]
    searched = len(known) + (len(own) if own is not None else 0)
    return ToolResult(
        tool="find_similar_cases",
        status=status_of(validity),
        reason=why,
        query={**query},
        counts={"searched": searched, "shown": len(best)},
        warnings=(_synthetic(deps.language == "zh"), card_line(card_of(validity), deps.language)),
        evidence=tuple(_evidence(hit, known.get(hit.id), n) for n, hit in enumerate(best, 1)),
        data=SimilarCases(cases=tuple(_row(hit, known.get(hit.id)) for hit in best), validity=card),
    )


def _own_index(cases_dir: Path | None, engine: "MedMPTEngine") -> CaseIndex | None:
    if cases_dir is None or not own_folder(cases_dir, engine).is_dir():
        return None
    return CaseIndex.load(own_folder(cases_dir, engine), engine.provenance.model_sha256, mapped=False)


def _synthetic(chinese: bool) -> str:
    return pair(
        "reference cases are computer-generated virtual patients, not real ones; similarity is that of image features, not of the diagnosis"
    )[chinese]


def _evidence(hit: SimilarCase, case: "ReferenceCase | None", rank: int) -> Evidence:
    note = hit.facts.get("note", "").strip()
    if case is not None:
        text, text_zh = pair(
            "Similar case {rank} (synthetic, cosine {score:.2f}): {line}.",
            rank=rank,
            score=hit.score,
            line=(case.line(False), case.line(True)),
        )
        source, subjects = f"virtual reference patient {hit.id}", tuple(f.replace("_", " ") for f in case.findings)
    else:
        text, text_zh = (
            pair(
                "Similar case {rank} (own study {id!r}, cosine {score:.2f}): {note}.",
                rank=rank,
                id=hit.id,
                score=hit.score,
                note=(note.rstrip("."), note.rstrip("。")),
            )
            if note
            else pair("Similar case {rank} (own study {id!r}, cosine {score:.2f}).", rank=rank, id=hit.id, score=hit.score)
        )
        source, subjects = f"own study {hit.id}", ()
    return Evidence(
        key=f"K-{hit.id}",
        kind="similar_case",
        text=text,
        text_zh=text_zh,
        source=source,
        locator=hit.id,
        quantities=fill((Quantity(name="cosine", value=hit.score, unit="", decimals=2),), text, text_zh),
        subjects=(*subjects, "similar case"),
    )


def _row(hit: SimilarCase, case: "ReferenceCase | None") -> SimilarRow:
    row = SimilarRow(id=hit.id, score=round(hit.score, 4), synthetic=case is not None)
    if case is None:
        return row.model_copy(update={"note": hit.facts.get("note", "")})
    told = {"text": case.line(False), "text_zh": case.line(True), "findings": dict(case.findings), "disease": case.disease}
    return row.model_copy(update=told)


def remember_study(path: Path, name: str, note: str, cases_dir: Path, engine: "MedMPTEngine") -> int:
    """Add a study to the own cases of the weights in use; returns how many there are.

    Raises:
        medmpt_backend.errors.BackendError: It cannot be read, or lies outside the domain of the weights.
        retrieval.errors.BadInput: The name is taken.
    """
    from medmpt_backend.errors import OutOfDomain
    from medmpt_backend.imaging.load import load_volume

    encoding = engine.encode(load_volume(path))
    if encoding.validity.domain == "out":
        raise OutOfDomain(f"not added: {encoding.validity.reason}")
    index = _own_index(cases_dir, engine)
    vector = engine.embed_scan(encoding)
    index = index if index is not None else CaseIndex(len(vector), engine.provenance.model_sha256)
    index.add([name], vector[None], facts=[{"note": note}])
    index.save(own_folder(cases_dir, engine))
    return len(index)
