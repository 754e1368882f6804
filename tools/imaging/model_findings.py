"""What the heads of the model say of a study, as evidence: findings with their operating points, and the classes of further heads.

A negative is stated only where a detector for it ran inside its domain and stayed below its operating point.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medmpt_backend.findings import MIDLINE
from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.evidence import Evidence, Quantity, ToolResult
from tools.imaging.model_card import abstained, card_line, card_of, card_row, reason_of, status_of
from tools.imaging.results.model import Classified, ClassRow, DetectedRow
from tools.quantities import fill

each = messages("tools.imaging").each

pair = messages("tools.imaging").pair
say = messages("tools.imaging").say

if TYPE_CHECKING:
    from medmpt_backend.imaging.volume import Volume
    from medmpt_backend.inference.engine import MedMPTEngine
    from medmpt_backend.inference.results import Classification, FindingScore
    from medmpt_backend.inference.training_domain import Validity

# Findings that can be assessed only with contrast.
_NEED_CONTRAST = frozenset({"pulmonary_embolus"})
_NO_CONTRAST = each("pulmonary embolus cannot be assessed on a scan that is not marked as given with contrast")
# Below this score a finding above its operating point is worded as possible.
_LIKELY = 0.5
SIDE_ZH = messages("tools.imaging").table("model_findings_side_zh")
SIDE_EN = {"left": "left side", "right": "right side", "both": "both sides"}


@dataclass(frozen=True)
class Task:
    """A head besides `findings`: what it is asked, its classes in words, and the findings without one of which it is not asked."""

    name: str
    name_zh: str
    classes: tuple[tuple[str, str], ...]
    needs: tuple[str, ...] = ()


# Classes in the order of `medmpt_backend.cohort.truth`; extent grades the CT, not the patient.
TASKS: dict[str, Task] = {
    "extent": Task(
        *pair("CT extent of opacities"),
        (
            pair("grade 0 of 3 (none)"),
            pair("grade 1 of 3 (up to 25 % of the lungs)"),
            pair("grade 2 of 3 (up to 50 % of the lungs)"),
            pair("grade 3 of 3 (more than 50 % of the lungs)"),
        ),
    ),
    "covid": Task(
        *pair("COVID-19 against other pneumonias"),
        (pair("another pneumonia"), pair("COVID-19 pneumonia")),
        ("lung_opacity", "ground_glass", "consolidation"),
    ),
    "screening": Task(
        *pair("lung cancer screening"),
        (pair("no lung cancer"), pair("suspicious for lung cancer")),
        ("lung_nodule", "mass"),
    ),
}


def classified(engine: "MedMPTEngine", volume: "Volume", deps: Deps, study: str) -> ToolResult:
    """The answer of `classify_ct`."""
    found = engine.classify(volume)
    validity, trusted = found.validity, found.validity.domain != "out"
    seen = [f for f in found.findings if f.id not in _NEED_CONTRAST or volume.series.contrast == "yes"]
    ordered = sorted(seen, key=lambda f: (f.present is not True, -f.probability))
    further = [c for task in TASKS if engine.serves(task) and (c := _class_of(engine, volume, task, found)) is not None]
    statements = [_finding(f, validity, study) for f in ordered] + [_classes(c, study) for c in further]
    absent = _absent(ordered, validity, study)
    warnings = [card_line(card_of(validity), deps.language)]
    if not all(f.calibrated for f in found.findings):
        warnings.append(say(deps.language, "the scores are not calibrated probabilities"))
    if len(seen) < len(found.findings):
        warnings.append(_NO_CONTRAST[deps.language])
    return ToolResult(
        tool="classify_ct",
        status=status_of(validity),
        reason=reason_of(validity, deps.language),
        query={"study": study},
        counts={"findings": len(ordered), "present": sum(f.present is True for f in ordered)},
        warnings=tuple(warnings) if trusted else (),
        evidence=(*statements, *absent) if trusted else (abstained(validity, study, "classify"),),
        data=Classified(findings=tuple(map(_row, ordered)), classes=_class_rows(further), validity=card_row(validity)),
    )


def _row(f: "FindingScore") -> DetectedRow:
    return DetectedRow(
        id=f.id,
        name=f.name,
        name_zh=f.name_zh,
        probability=f.probability,
        calibrated=f.calibrated,
        threshold=f.threshold,
        present=f.present,
        side=f.side,
        slices=tuple(f.slices),
    )


def _finding(f: "FindingScore", validity: "Validity", study: str) -> Evidence:
    denied = f.present is False and validity.domain == "in"
    numbers, numbers_zh = pair("score {probability:.2f}", probability=f.probability)
    if f.threshold is not None:
        numbers, numbers_zh = pair("{numbers}, operating point {threshold:.2f}", threshold=f.threshold, numbers=(numbers, numbers_zh))
    if f.slices and not denied:
        slices = [str(s) for s in f.slices]
        numbers, numbers_zh = pair(
            "{numbers}; slices {slices}", numbers=(numbers, numbers_zh), slices=(", ".join(slices), "、".join(slices))
        )
    name = f.name[:1].lower() + f.name[1:]
    if f.present:
        placed = f.side if f.id not in MIDLINE else None
        side = f", {SIDE_EN[placed]}" if placed else ""
        says, says_zh = pair("finds") if f.probability >= _LIKELY else pair("flags possible")
        text, text_zh = pair(
            "The model {says} {name}{side} ({numbers}).",
            says=(says, says_zh),
            numbers=(numbers, numbers_zh),
            name=(name, SIDE_ZH.get(placed or "", "")),
            side=(side, f.name_zh),
        )
    elif denied:
        text, text_zh = pair("The model finds no {name} ({numbers}).", numbers=(numbers, numbers_zh), name=(name, f.name_zh))
    else:
        text, text_zh = pair("The model does not decide on {name} ({numbers}).", numbers=(numbers, numbers_zh), name=(name, f.name_zh))
    known = [Quantity(name=f.id, value=f.probability, unit="", decimals=2)]
    if f.threshold is not None:
        known.append(Quantity(name=f"{f.id}_threshold", value=f.threshold, unit="", decimals=2))
    return _evidence(
        validity,
        study,
        key=f.id,
        text=text,
        text_zh=text_zh,
        locator=f"{study} slice {f.slices[0]}" if f.slices else study,
        quantities=fill(tuple(known), text, text_zh),
        subjects=(f.id.replace("_", " "), f.name.casefold()),
        side=f.side if f.present and f.id not in MIDLINE else None,
        present=True if f.present else False if denied else None,
        card=card_of(validity, f.threshold, f.calibrated),
    )


def _evidence(validity: "Validity", study: str, *, key: str, **more: object) -> Evidence:
    fixed: dict[str, object] = {
        "key": f"M-{study}-{key}",
        "kind": "model",
        "source": f"MedMPT weights {validity.weights}, trained on {validity.trained_on}",
        "locator": study,
        "validity": validity.domain,
        "card": card_of(validity),
    }
    return Evidence.model_validate(fixed | more)


def _absent(ordered: "list[FindingScore]", validity: "Validity", study: str) -> list[Evidence]:
    """One sentence on everything whose detector ran inside its domain and stayed below its operating point."""
    none = [f for f in ordered if f.present is False]
    if validity.domain != "in" or not none:
        return []
    names = ", ".join(f.name[:1].lower() + f.name[1:] for f in none)
    text, text_zh = pair(
        "The model finds none of these above their operating points: {names}.", names=(names, "、".join(f.name_zh for f in none))
    )
    subjects = tuple(f.name.casefold() for f in none)
    return [_evidence(validity, study, key="absent", text=text, text_zh=text_zh, subjects=subjects, present=False)]


@dataclass(frozen=True)
class ClassScore:
    """The most probable class of one head."""

    task: str
    index: int
    probability: float
    probabilities: tuple[float, ...]
    validity: "Validity"


def _class_of(engine: "MedMPTEngine", volume: "Volume", task: str, found: "Classification") -> ClassScore | None:
    """The class of a head, None where its question does not arise or its classes are not those of `TASKS`."""
    known = TASKS[task]
    ran = {f.id for f in found.findings}
    if known.needs and ran & set(known.needs) and not any(f.present for f in found.findings if f.id in known.needs):
        return None
    scores = tuple(f.probability for f in engine.classify(volume, task, key_slices=0).findings)
    if len(scores) != len(known.classes):
        return None
    index = max(range(len(scores)), key=scores.__getitem__)
    return ClassScore(task, index, scores[index], scores, found.validity)


def _classes(c: ClassScore, study: str) -> Evidence:
    known = TASKS[c.task]
    word, word_zh = known.classes[c.index]
    text, text_zh = pair(
        "For {name} the model favours {word} (score {probability:.2f}).",
        probability=c.probability,
        name=(known.name, known.name_zh),
        word=(word, word_zh),
    )
    score = Quantity(name=c.task, value=c.probability, unit="", decimals=2)
    return _evidence(
        c.validity,
        study,
        key=c.task,
        text=text,
        text_zh=text_zh,
        quantities=fill((score,), text, text_zh),
        subjects=(c.task, known.name.casefold()),
    )


def _class_rows(found: list[ClassScore]) -> tuple[ClassRow, ...]:
    return tuple(
        ClassRow(task=c.task, label=TASKS[c.task].classes[c.index][0], index=c.index, probabilities=c.probabilities) for c in found
    )
