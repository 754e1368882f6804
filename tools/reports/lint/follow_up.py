"""Nodules that need a decision, and the advice given for them: none, without interval and modality, or an interval that cannot be meant."""

import re
from collections.abc import Iterator

from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Remark

# Nodules from this size need a decision: Fleischner 2017 (MacMahon et al., Radiology 2017;284:228).
_FOLLOW_MM = 6.0
# No guideline lets a nodule of that size wait longer for its first control; ground glass every 2 years until 5.
_LONGEST_MONTHS = 36.0
_UNITS = {"d": 1 / 30, "w": 0.25, "m": 1.0, "y": 12.0, "天": 1 / 30, "周": 0.25, "月": 1.0, "年": 12.0}
_HAN = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "半": 0.5}
_WAIT = re.compile(
    r"(?:in|at|after|every)\s+(?:about )?(?P<n>\d+(?:\.\d+)?)(?:\s*(?:-|–|to)\s*\d+)?[\s-]*(?P<u>day|week|month|year)s?"
    r"|(?P<zn>\d+(?:\.\d+)?|[一二两三四五六七八九十半]{1,3})\s*(?:个)?(?P<zu>天|周|月|年)(?:后|内|复查|随访)",
    re.IGNORECASE,
)
_PLANNED = re.compile(r"follow[- ]?up|repeat|surveillance|monitor|recheck|re-?scan|随访|随诊|复查|观察", re.IGNORECASE)
_REPEAT = re.compile(
    r"(?:repeat|follow[- ]?up|interval|further) (?:low[- ]dose )?(?:chest )?(?:CT|HRCT|imaging|scan|radiograph"
    r"|x-?ray|film|CXR)\b|(?:建议|定期|随诊|请)?(?:CT|胸片|影像|X线)?复查(?:CT|胸片|影像|X线)?",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"\b(?:after (?:treatment|therapy|antibiotics|drainage|diuresis|completion)|if |when |once |pending"
    r"|today|tomorrow|tonight|urgent|immediate|annual|yearly|weekly|daily|as per|per protocol)"
    r"|治疗后|抗炎后|引流后|必要时|立即|尽快|短期|近期|每年|年度|术后|如|若|\d",
    re.IGNORECASE,
)
_DECIDED = re.compile(
    r"biops|PET|resect|MDT|multidisciplinary|tumou?r board|refer|bronchosc|tissue|surg|no (?:further|routine"
    r"|additional)|goals of care|活检|穿刺|会诊|手术|外科|无需|不需|切除|支气管镜",
    re.IGNORECASE,
)


def unfollowed(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """A nodule that needs a decision, and none is given; or advice that says neither when nor how, or far too late."""
    words = group("follow_up")
    advice = [
        p.text for p in _advice_parts(sentences) if words["words"].search(p.text) and not _about_benign(p.text)
    ]  # fmt: skip
    needing = [p for p in pieces if _needs(p)]
    explained = group("explained")["words"]
    if (
        not needing
        or not any(s.section in ("impression", "recommendation") for s in sentences)
        or any(explained.search(s.text) for s in sentences if s.section != "technique")
    ):
        return
    largest = max(needing, key=lambda p: max(p.figures.now))
    size = max(largest.figures.now)
    whole = " ".join(advice)
    if not advice:
        if not _benign_impression(pieces):
            yield _remark(
                largest.sentence.text,
                f"A nodule of {size:g} mm is reported and no follow-up or further step is given.",
                f"报告了 {size:g} mm 的结节，但未给出随访或进一步处理建议。",
            )
    elif _PLANNED.search(whole) and not _DECIDED.search(whole) and not words["interval"].search(whole):
        yield _remark(advice[-1], "Follow-up is advised without interval and modality.", "建议随访，但未写明间隔和检查方式。")


def undated(sentences: list[Sentence]) -> Iterator[Remark]:
    """A repeat of imaging that is advised without saying when."""
    words = group("follow_up")
    for s in sentences:
        if s.section not in ("impression", "recommendation") or not _REPEAT.search(s.text) or _DECIDED.search(s.text):
            continue
        if not words["interval"].search(s.text) and not _WHEN.search(s.text):
            yield _remark(s.text, "A repeat examination is advised without a time.", "建议复查，但未写明时间。")
            return


def too_late(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """A lesion whose next control is many years away."""
    if not any("lesion" in p.topics and p.states("lesion") for p in pieces):
        return
    for s in _advice_parts(sentences):
        months = _wait(s.text) if group("follow_up")["words"].search(s.text) else None
        if months and months > _LONGEST_MONTHS and not _DECIDED.search(s.text):
            yield _remark(s.text, f"The next control is {months / 12:g} years away.", f"随访间隔长达 {months / 12:g} 年。")
            return


def _advice_parts(sentences: list[Sentence]) -> Iterator[Sentence]:
    yield from (s for s in sentences if s.section not in ("technique", "history", "comparison"))


def _about_benign(text: str) -> bool:
    """Advice that is only about something harmless: "granuloma, no action needed"."""
    return (
        bool(group("benign")["words"].search(text))
        and bool(re.search(r"no (?:further|action|follow)|无需|不需", text, re.IGNORECASE))
        and not re.search(r"nodule|结节", text)
    )


def _needs(p: Piece) -> bool:
    if "lesion" not in p.topics or not p.states("lesion") or not p.figures.now or max(p.figures.now) < _FOLLOW_MM:
        return False
    if any(pattern.search(p.sentence.text) for pattern in group("organ").values()):
        return False
    return not group("benign")["words"].search(p.text) and "historical" not in p.status["lesion"]


def _benign_impression(pieces: list[Piece]) -> bool:
    """Every lesion of the impression is called benign."""
    said = [p for p in pieces if p.sentence.section == "impression" and "lesion" in p.topics and p.states("lesion")]
    return bool(said) and all(group("benign")["words"].search(p.text) for p in said)


def _wait(text: str) -> float | None:
    """The longest wait that is advised, in months."""
    waits = []
    for m in _WAIT.finditer(text):
        raw = m["n"] or m["zn"]
        number = float(raw) if raw[0].isdigit() else _han(raw)
        waits.append(number * _UNITS[(m["u"] or m["zu"])[0].lower()])
    return max(waits, default=None)


def _han(raw: str) -> float:
    """A Chinese number up to 99."""
    tens, ten, ones = raw.rpartition("十")
    return (_HAN.get(tens, 1) * 10 if ten else 0) + float(_HAN.get(ones, 0))


def _remark(place: str, en: str, zh: str) -> Remark:
    return Remark(
        "follow_up",
        en,
        zh,
        (place,),
        "Give interval and modality (Fleischner 2017, Lung-RADS v2022 or BTS 2015).",
        "请给出间隔和方式（Fleischner 2017、Lung-RADS v2022 或 BTS 2015）。",
    )
