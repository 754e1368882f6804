"""CT tools on the MedMPT model: `encode_ct`, `classify_ct`, and how every tool of the model reaches it.

Without weights each answers `unavailable` with the command that installs them. A study outside the domain of the weights gives
`out_of_domain`, and no finding of the model is citable; that the model abstains, and why, is.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import JsonValue

from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.evidence import Evidence, ToolName, ToolResult
from tools.imaging.model_card import NO_STUDY, NO_WEIGHTS, abstained, card_line, card_of, card_row, reason_of, status_of
from tools.imaging.model_findings import classified
from tools.imaging.results.model import Encoded
from tools.imaging.studies import study_of
from tools.quantities import fill

pair = messages("tools.imaging").pair

if TYPE_CHECKING:
    from medmpt_backend.imaging.volume import Volume
    from medmpt_backend.inference.encodings import Encoding
    from medmpt_backend.inference.engine import MedMPTEngine


def on_engine(tool: ToolName, deps: Deps, study: str, work: "Callable[[MedMPTEngine, Volume], ToolResult]") -> ToolResult:
    """Run `work` on the loaded study, or say honestly why not."""
    query: dict[str, JsonValue] = {"study": study}
    if deps.engine is None:
        return ToolResult(tool=tool, status="unavailable", reason=NO_WEIGHTS, query=query)
    if not deps.studies:
        return ToolResult(tool=tool, status="empty", reason=NO_STUDY, query=query, missing=("CT study",))
    opened = study_of(deps, study)
    from medmpt_backend.errors import BackendError

    try:
        return work(deps.engine, opened.volume)
    except BackendError as error:
        return ToolResult(tool=tool, status=error.status, reason=str(error), query=query)


def encode_ct(deps: Deps, study: str = "ct-1") -> ToolResult:
    """Encode a CT study with MedMPT: sizes and validity; the arrays stay on this machine."""

    def work(engine: "MedMPTEngine", volume: "Volume") -> ToolResult:
        encoding = engine.encode(volume)
        validity = encoding.validity
        shape = Encoded(
            scan=tuple(encoding.scan.shape),
            slices=tuple(encoding.slices.shape),
            config_hash=encoding.config_hash,
            validity=card_row(validity),
        )
        return ToolResult(
            tool="encode_ct",
            status=status_of(validity),
            reason=reason_of(validity, deps.language),
            query={"study": study},
            warnings=(card_line(card_of(validity), deps.language),),
            evidence=(abstained(validity, study, "encode") if validity.domain == "out" else _encoded(encoding, study),),
            data=shape,
        )

    return on_engine("encode_ct", deps, study, work)


def _encoded(encoding: "Encoding", study: str) -> Evidence:
    count, width = encoding.slices.shape
    text, text_zh = pair(
        "The study {study} is encoded as {count} slice vectors and one scan vector of {width} numbers; they stay on this machine.",
        study=study,
        count=count,
        width=width,
    )
    v = encoding.validity
    return Evidence(
        key=f"M-{study}-encoding",
        kind="model",
        text=text,
        text_zh=text_zh,
        source=f"MedMPT weights {v.weights}, trained on {v.trained_on}",
        locator=study,
        validity=v.domain,
        quantities=fill((), text, text_zh),
        subjects=("encoding", study),
        card=card_of(v),
    )


def classify_ct(deps: Deps, study: str = "ct-1") -> ToolResult:
    """Findings of a CT study as the model sees them, with scores, operating points, sides and key slices."""
    return on_engine("classify_ct", deps, study, lambda engine, volume: classified(engine, volume, deps, study))
