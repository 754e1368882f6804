"""Marks of the open study against those of the prior one: which belong together and how they grew."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from medmpt_backend.messages import Said, halves
from retrieval.messages.catalogue import messages
from tools.case.record import StudyRef
from tools.deps import Deps
from tools.evidence import Evidence, Quantity
from tools.imaging.marks.mark import Mark
from tools.imaging.marks.measuring import marks_of
from tools.imaging.marks.words import asks_growth
from tools.imaging.studies import study_of
from tools.quantities import fill

told = messages("tools.imaging").pair

if TYPE_CHECKING:
    from medmpt_backend.imaging.candidates import Candidate
    from medmpt_backend.imaging.compare import Pair

_STATUS = {
    "grown": told("has grown"),
    "stable": told("is stable (changes below 25% are within the error of measuring)"),
    "shrunk": told("has shrunk"),
}


@dataclass(frozen=True)
class Growth:
    """What was compared: statements, and why there are none."""

    statements: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def growth_of(deps: Deps, study: str) -> Growth:
    """Pair the marks of `study` with those of its prior study; nothing where the case has no prior one or `study` has no mark."""
    marks, prior = marks_of(deps, study), prior_of(deps, study)
    if not marks:
        return Growth()
    if prior is None:
        alone = told("No earlier CT is open beside {study}: one scan alone does not show whether a lesion has grown.", study=study)
        return Growth((_not_judged(study, alone),), missing=(Said(*told("an earlier CT")),)) if asks_growth(deps.question) else Growth()
    earlier = marks_of(deps, prior.id)
    if not earlier:
        return Growth(missing=(Said(*told("the same lesion marked on the prior study {study}", study=prior.id)),))
    from medmpt_backend.errors import BackendError
    from medmpt_backend.imaging.compare import compare_lesions

    both = study_of(deps, study), study_of(deps, prior.id)
    try:
        found = compare_lesions(
            (both[0].volume, both[1].volume),
            (both[0].lungs, both[1].lungs),
            (tuple(map(_lesion, marks)), tuple(map(_lesion, earlier))),
            _days(deps, study, prior),
        )
    except BackendError as failure:
        return Growth(warnings=(str(failure),))
    pairs = [pair for pair in found.pairs if pair.current is not None and pair.prior is not None]
    said = tuple(_statement(pair, (marks, earlier), (study, prior.id), found.because or pair.because) for pair in pairs)
    if not found.because or not said:
        return Growth(said)
    return Growth(
        said,
        warnings=(Said(*told("sizes cannot be compared: {because}", because=halves(found.because))),),
    )


def _not_judged(study: str, said: tuple[str, str]) -> Evidence:
    """Why growth cannot be told."""
    text, text_zh = said
    return Evidence(
        key=f"CT-{study}-growth-none",
        kind="ct",
        text=text,
        text_zh=text_zh,
        source=f"marks of {study}",
        quantities=fill((), text, text_zh),
        subjects=("growth", "lesion", "mark", study),
    )


def prior_of(deps: Deps, study: str) -> StudyRef | None:
    """The study before `study`: one that is called prior, else the latest with an earlier date."""
    refs = deps.case.studies if deps.case is not None else ()
    own = next((r for r in refs if r.id == study), None)
    others = [r for r in refs if r.id != study and r.id in deps.studies]
    if own is None or own.prior:
        return None
    named = [r for r in others if r.prior]
    dated = [r for r in others if r.date and own.date and r.date < own.date]
    return max(named or dated, key=lambda r: r.date or "", default=None)


def _days(deps: Deps, study: str, prior: StudyRef) -> float | None:
    now = next((r.date for r in deps.case.studies if r.id == study), None) if deps.case is not None else None
    try:
        days = (date.fromisoformat((now or "")[:10]) - date.fromisoformat((prior.date or "")[:10])).days
    except ValueError:
        return None
    return float(days) if days > 0 else None


def _lesion(mark: Mark) -> "Candidate":
    from medmpt_backend.imaging.candidates import Candidate

    lesion = mark.lesion
    box = (lesion.box.x, lesion.box.y, lesion.box.z)
    middle = tuple((low + high) // 2 for low, high in box)
    third = lesion.lobe_or_third
    return Candidate(
        at=(middle[0], middle[1], middle[2]),
        long_mm=lesion.long_mm,
        volume_mm3=lesion.volume_mm3,
        type=lesion.type,
        side=lesion.side,
        third="upper" if "upper" in third else "lower" if "lower" in third else "middle",
        score=float(mark.number),
    )


def _statement(pair: "Pair", marks: tuple[tuple[Mark, ...], tuple[Mark, ...]], studies: tuple[str, str], because: str | None) -> Evidence:
    assert pair.current is not None
    assert pair.prior is not None
    now = next(m for m in marks[0] if m.number == int(pair.current.score))
    then = next(m for m in marks[1] if m.number == int(pair.prior.score))
    said, said_zh = _STATUS[pair.status]
    percent = f"{pair.growth_pct:+.0f}%"
    volumes = f"{then.lesion.volume_mm3:.0f} mm³", f"{now.lesion.volume_mm3:.0f} mm³"
    doubling, doubling_zh = "", ""
    if pair.doubling_days is not None:
        doubling, doubling_zh = told(" The volume doubles in {days:.0f} days.", days=pair.doubling_days)
    if because is not None:
        said, said_zh = told("cannot be judged for growth")
        doubling, doubling_zh = told(" {because}", because=halves(because))
    text, text_zh = told(
        "Mark {number} {said}: volume {volume_then} on {study_then} (mark {earlier}), {volume_now} on {study_now} "
        "({percent}); long diameter {long_then:.1f} mm then, {long_now:.1f} mm now.{doubling}",
        number=now.number,
        volume_then=volumes[0],
        study_then=studies[1],
        earlier=then.number,
        volume_now=volumes[1],
        study_now=studies[0],
        percent=percent,
        long_then=then.lesion.long_mm,
        long_now=now.lesion.long_mm,
        said=(said, said_zh),
        doubling=(doubling, doubling_zh),
    )
    known = [Quantity(name="growth_pct", value=pair.growth_pct or 0.0, unit="%", decimals=0)]
    if pair.doubling_days is not None and because is None:
        known.append(Quantity(name="doubling_days", value=pair.doubling_days, unit="days", decimals=0))
    return Evidence(
        key=f"CT-{studies[0]}-growth-{now.number}",
        kind="ct",
        text=text,
        text_zh=text_zh,
        source=f"marks of {studies[0]} and {studies[1]} compared",
        locator=f"{studies[0]} slice {now.lesion.slice}",
        validity="out" if because else "in",
        quantities=fill(tuple(known), text, text_zh),
        subjects=("growth", "lesion", "mark", f"mark {now.number}", studies[0]),
        side=now.lesion.side,
    )
