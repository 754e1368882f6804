"""A pasted CT report against the lesions that were marked on the study: sizes, sides, and marks that it does not mention."""

from retrieval.concepts.context import denies
from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.imaging.marks.mark import Mark
from tools.imaging.marks.statements import noun, place
from tools.imaging.marks.words import of_lesion
from tools.reports.lint import Remark

pair = messages("tools.reports").pair

_WORDS = patterns("tools.reports")
_SIZE = _WORDS.regex("marked_size")
_LEFT, _RIGHT = _WORDS.regex("marked_left"), _WORDS.regex("marked_right")
# Two readers of one nodule differ by about this much: MacMahon et al., Fleischner Society 2017 count changes below 2 mm as none.
_NEAR_MM, _NEAR_SHARE = 2.0, 0.2


def against_marks(sentences: list[str], marks: tuple[Mark, ...]) -> list[Remark]:
    """What the report says otherwise than the marks, and that it speaks of no lesion where there are marks."""
    if not marks:
        return []
    about = [s for s in sentences if of_lesion(s) and not denies(s)]
    found = [remark for s in about for remark in _sized(s, marks)]
    if not about:
        found += [_unsaid(mark) for mark in marks]
    return found


def _sized(sentence: str, marks: tuple[Mark, ...]) -> list[Remark]:
    match = _SIZE.search(sentence)
    side = _side(sentence)
    if match is None or (side is None and len(marks) > 1):
        return []
    scale = 10.0 if match[3].lower() in _WORDS.words("centimetre") else 1.0
    stated = float(match[1]) * scale
    here = [m for m in marks if side in (None, m.lesion.side)]
    if any(_near(stated, m) for m in here):
        return []
    elsewhere = [m for m in marks if m not in here and _near(stated, m)]
    if elsewhere:
        return [_remark("side", sentence, stated, elsewhere[0])]
    return [_remark("size", sentence, stated, min(here, key=lambda m: abs(m.lesion.long_mm - stated)))] if here else []


def _side(sentence: str) -> str | None:
    left, right = bool(_LEFT.search(sentence)), bool(_RIGHT.search(sentence))
    return None if left == right else "left" if left else "right"


def _near(stated: float, mark: Mark) -> bool:
    sizes = (mark.lesion.long_mm, mark.lesion.mean_mm)
    return any(abs(stated - size) <= max(_NEAR_MM, _NEAR_SHARE * size) for size in sizes)


def _remark(kind: str, sentence: str, stated: float, mark: Mark) -> Remark:
    (_, what_zh), (where, where_zh) = noun(mark.lesion), place(mark.lesion)
    size = f"{mark.lesion.long_mm:.1f} x {mark.lesion.short_mm:.1f} mm"
    en, zh = pair(
        "The report gives {stated:g} mm for a lesion; mark {number} in the {where} measures {size}.",
        stated=stated,
        number=mark.number,
        size=size,
        where=(where, where_zh),
        what=what_zh,
    )
    suggestion = pair("Compare side and size with the mark.")
    return Remark("side" if kind == "side" else "size", en, zh, (sentence,), *suggestion)


def _unsaid(mark: Mark) -> Remark:
    (what, what_zh), (where, where_zh) = noun(mark.lesion), place(mark.lesion)
    en, zh = pair(
        "The report names no nodule or mass; mark {number} is a {what} of {long_mm:.1f} mm in the {where}.",
        number=mark.number,
        long_mm=mark.lesion.long_mm,
        what=(what, what_zh),
        where=(where, where_zh),
    )
    return Remark("presence", en, zh, (), *pair("Describe the marked lesion, or delete the mark."))
