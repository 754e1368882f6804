"""Tool `draft_report`: a preliminary report by sections, each sentence with its origin.

Origins: `measured` (quantitative CT), `model` (MedMPT: report decoder and finding detectors), `metadata` (the series itself) and
`template` (fixed words on what was not assessed). A sentence of the decoder that denies or asserts something that the detector of the same
weights contradicts is left out and listed. Without weights, or outside their domain, the measured part stands and the model's abstains.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.evidence import Evidence, Quantity, ToolResult
from tools.imaging.model_card import abstained, card_line, card_of, card_row, reason_of, status_of
from tools.imaging.model_findings import classified
from tools.imaging.model_tools import on_engine
from tools.imaging.quantify import quantify_ct
from tools.imaging.results.measured import Measured
from tools.quantities import fill
from tools.reports.draft_words import blank_sizes, contradiction, denies, split_sections, tidy
from tools.reports.payload import DraftData, Origin, SectionRow, SentenceRow, WithheldRow
from tools.reports.real_scan import sentences

each = messages("tools.reports").each

pair = messages("tools.reports").pair

if TYPE_CHECKING:
    from medmpt_backend.imaging.volume import Volume
    from medmpt_backend.inference.engine import MedMPTEngine
    from medmpt_backend.inference.results import DraftSentence
    from medmpt_backend.inference.training_domain import Validity

SECTIONS = ("technique", "comparison", "measurements", "findings", "impression", "recommendation", "limits")
_PRELIMINARY = each("this is a preliminary draft; a person must check and sign it")
_SIDES = each("left and right in the model's sentences are not verified for these weights")
_SIZES = each("sizes in the model's sentences are left blank (__): measure the lesion")
# What no detector and no measurement of this project looks at.
_NOT_ASSESSED = pair("Not assessed: comparison with earlier studies, soft tissues, and abdominal organs beyond what is named above.")
_MEASURED_ONLY = pair("This draft holds measurements only; a finding that is not mentioned was not looked for.")
# Where the model gives no opinion, the draft is built from measurements.
_SILENT = frozenset({"out_of_domain", "unavailable"})


@dataclass
class _Draft:
    """Sections as they are filled."""

    sections: dict[str, list[SentenceRow]] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    withheld: list[WithheldRow] = field(default_factory=list)

    def put(self, section: str, item: Evidence, origin: Origin) -> None:
        row = SentenceRow(text=item.text, text_zh=item.text_zh, origin=origin, evidence=item.key)
        self.sections.setdefault(section, []).append(row)
        self.evidence.append(item)

    def rows(self) -> tuple[SectionRow, ...]:
        return tuple(SectionRow(name=n, sentences=tuple(self.sections[n])) for n in SECTIONS if n in self.sections)


def draft_report(deps: Deps, study: str = "ct-1") -> ToolResult:
    """A preliminary report by sections: measurements, what the model sees, impression, limits; a person must sign it."""
    draft = _Draft()
    measured = quantify_ct(deps, study)
    _measured(draft, measured, study)
    found = on_engine("draft_report", deps, study, lambda engine, volume: _by_model(draft, engine, volume, deps, study))
    if not draft.sections:
        return found
    if found.status in _SILENT:
        _by_measurement(draft, deps, study)
    spoke = any(e.kind == "model" and not e.key.endswith("-abstains") for e in draft.evidence)
    text, text_zh = _NOT_ASSESSED if spoke else _MEASURED_ONLY
    draft.put("limits", _statement(study, "limits", text, text_zh), "template")
    asked = found.payload(DraftData)
    card = asked.validity if asked is not None else None
    counts = {"sentences": len(draft.evidence), "withheld": len(draft.withheld)}
    return found.model_copy(
        update={
            "counts": counts,
            "warnings": tuple(dict.fromkeys((_PRELIMINARY[deps.language], *found.warnings, *measured.warnings))),
            "evidence": tuple(draft.evidence),
            "data": DraftData(validity=card, sections=draft.rows(), withheld=tuple(draft.withheld)),
        }
    )


def _by_measurement(draft: _Draft, deps: Deps, study: str) -> None:
    """Replace the model's part by sentences from measurements, if there are any; that the model abstains moves to the limits."""
    rows = sentences(deps, study)
    if not rows:
        return
    _once(draft, {item.key.rsplit("-", 1)[-1] for _, item, _ in rows}, study)
    kept = draft.sections.pop("findings", [])
    draft.sections.pop("technique", None)
    draft.evidence = [e for e in draft.evidence if e.key != f"R-{study}-technique"]
    abstention = [row for row in kept if row.evidence.endswith("-abstains")]
    for section, item, origin in rows:
        draft.put(section, item, origin)
    draft.sections.setdefault("findings", []).extend(row for row in kept if row not in abstention)
    draft.sections.setdefault("limits", []).extend(abstention)


# Figures that the sentences of the findings say themselves, by the name of such a sentence.
_SAID_BY = {
    "volume": {"volume"},
    "effusion": {"pleura"},
    "pneumothorax": {"pneumothorax"},
    "consolidation_ml": {"dense", "small_dense"},
}


def _once(draft: _Draft, said: set[str], study: str) -> None:
    """Leave out of the measurements what a sentence of the findings says, what is part of it, and figures outside their domain."""
    doubled = {f"CT-{study}-{name}" for name, rows in _SAID_BY.items() if rows & said}
    if any(item.key == f"CT-{study}-consolidation_ml" for item in draft.evidence):
        doubled |= {f"CT-{study}-consolidation_pct", f"CT-{study}-consolidation_pct_region"}
    doubled |= {item.key for item in draft.evidence if item.kind == "ct" and item.validity == "out"}
    draft.sections["measurements"] = [row for row in draft.sections.get("measurements", []) if row.evidence not in doubled]
    draft.evidence = [e for e in draft.evidence if e.key not in doubled]


def _measured(draft: _Draft, measured: ToolResult, study: str) -> None:
    """Technique out of the series, then the lungs in figures; key slices stay with `quantify_ct`."""
    figures = measured.payload(Measured)
    if figures is None:
        return
    series = figures.series
    spacing, (contrast, contrast_zh) = series.spacing_mm[0], _CONTRAST[series.contrast]
    text, text_zh = pair(
        "Chest CT, {slices} axial slices at {spacing:.2f} mm, {contrast}.",
        slices=series.slices,
        spacing=spacing,
        contrast=(contrast, contrast_zh),
    )
    draft.put("technique", _statement(study, "technique", text, text_zh), "metadata")
    for item in measured.evidence:
        if item.key.startswith((f"CT-{study}-mark-", f"CT-{study}-growth-")):
            draft.put("findings", item, "measured")
        elif not item.key.startswith(f"CT-{study}-slice_"):
            draft.put("measurements", item, "measured")


_CONTRAST = {
    "yes": pair("with contrast"),
    "no": pair("without contrast"),
    "unknown": pair("contrast not stated"),
}


def _statement(study: str, name: str, text: str, text_zh: str) -> Evidence:
    return Evidence(
        key=f"R-{study}-{name}",
        kind="report",
        text=text,
        text_zh=text_zh,
        source=f"report draft of {study}",
        locator=study,
        quantities=fill((), text, text_zh),
        subjects=("report", name),
    )


def _by_model(draft: _Draft, engine: "MedMPTEngine", volume: "Volume", deps: Deps, study: str) -> ToolResult:
    """Add what the model says; its status, warnings and validity."""
    if not engine.serves("report") and not engine.serves("findings"):
        engine.require("report")
    encoding = engine.encode(volume)
    validity = encoding.validity
    data = DraftData(validity=card_row(validity))
    reason = reason_of(validity, deps.language)
    if validity.domain == "out":
        draft.put("findings", abstained(validity, study, "draft"), "model")
        return ToolResult(tool="draft_report", status="out_of_domain", reason=reason, query={"study": study}, data=data)
    scores = classified(engine, volume, deps, study) if engine.serves("findings") else None
    warnings = [card_line(card_of(validity), deps.language)]
    if engine.serves("report"):
        text = engine.draft_findings(encoding, language=deps.language)
        if not text.laterality_verified:
            warnings.append(_SIDES[deps.language])
        if any(blank_sizes(s.text) != s.text for s in text.sentences):
            warnings.append(_SIZES[deps.language])
        _decoded(draft, text.sentences, scores, validity, study)
    if scores is not None:
        _detected(draft, scores, decoded=engine.serves("report"))
    return ToolResult(
        tool="draft_report", status=status_of(validity), reason=reason, query={"study": study}, warnings=tuple(warnings), data=data
    )


def _decoded(draft: _Draft, sentences: "tuple[DraftSentence, ...]", scores: ToolResult | None, validity: "Validity", study: str) -> None:
    """Sentences of the decoder, those that the detectors contradict left out."""
    number = 0
    for section, sentence in split_sections(sentences):
        written = tidy(sentence.text)
        if not written:
            continue
        words = blank_sizes(written)
        number += 1
        against = contradiction(words, scores.evidence if scores is not None else (), denials=validity.domain == "in")
        if against is not None:
            draft.withheld.append(WithheldRow(text=words, because=against))
            continue
        draft.put(section, _sentence(words, number, sentence, validity, study), "model")


def _sentence(words: str, number: int, s: "DraftSentence", validity: "Validity", study: str) -> Evidence:
    return Evidence(
        key=f"M-{study}-draft-{number}",
        kind="model",
        text=words,
        text_zh=words,
        source=f"report decoder of the MedMPT weights {validity.weights}",
        locator=f"{study} slice {s.slices[0]}" if s.slices else study,
        validity=validity.domain,
        quantities=fill((Quantity(name="log_probability", value=s.logprob, unit="", decimals=2),), words),
        subjects=("draft",),
        present=False if denies(words) else None,
        card=card_of(validity),
    )


def _detected(draft: _Draft, scores: ToolResult, decoded: bool) -> None:
    """What the detectors add: findings above their operating point, then the one sentence of those below it."""
    for item in scores.evidence:
        if item.present is True or item.key.endswith(("-absent", "-extent")):
            draft.put("findings", item, "model")
