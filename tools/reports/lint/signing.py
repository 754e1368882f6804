"""What must be settled before signing: follow-up, identity, dates, template left-overs, hedges."""

import itertools
import re
from collections.abc import Iterator
from datetime import date

from tools.reports.lint.mentions import Mention
from tools.reports.lint.parts import Sentence
from tools.reports.lint.remarks import Remark
from tools.reports.lint.vocabulary import group, left_over

# Solid nodules from this size need a decision: Fleischner 2017 (MacMahon et al., Radiology 2017;284:228).
_FOLLOW_MM = 6.0
_AGE = re.compile(
    r"(?<!\d)(\d{1,3})[\s-]*(?:year[\s-]*old|years? of age|y/o|yo\b|yrs?\b|岁)|(?:aged?|年龄)\s*[:：]?\s*(\d{1,3})(?!\d|\s*(?:mm|cm))",
    re.IGNORECASE,
)
_MONTHS = {m: i for i, m in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}
_DATE = re.compile(
    r"(?<!\d)(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})|(?<!\d)(\d{1,2})\s+(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,?\s+(\d{4})"
    r"|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(\d{1,2}),?\s+(\d{4})|(?<!\d)(\d{1,2})[/.](\d{1,2})[/.](\d{4})",
    re.IGNORECASE,
)
_PRIOR = re.compile(
    r"compar|prior|previous|earlier|last (?:ct|scan|study|examination)|old study|对比|比较|较|前片|旧片|上次|前次|既往|复查前",
    re.IGNORECASE,
)
_EXAM = re.compile(
    r"(?:date of (?:exam\w*|study|scan)|exam\w* date|study date|scan date|exam(?:ination)?|performed on|检查(?:日期|时间)|报告日期|检查)\s*[:：]?",
    re.IGNORECASE,
)


def unfollowed(mentions: list[Mention], sentences: list[Sentence]) -> Iterator[Remark]:
    """A nodule that needs a decision, and none is given; or advice without interval or modality."""
    words, benign = group("follow_up"), group("benign")["words"]
    advice = [s for s in sentences if s.section not in ("technique", "history") and words["words"].search(s.text)]
    needing = [
        m
        for m in mentions
        if m.finding.id in ("lung_nodule", "mass") and m.stated and "historical" not in m.status
        and m.sizes and max(m.sizes) >= _FOLLOW_MM and not benign.search(m.sentence.text)
    ]  # fmt: skip
    explained = group("explained")["words"]
    settled = any(benign.search(s.text) for s in sentences if s.section == "impression") or any(explained.search(s.text) for s in sentences)
    if needing and not advice and not settled:
        largest = max(needing, key=lambda m: max(m.sizes))
        yield _follow_up(
            largest.sentence.text,
            f"A nodule of {max(largest.sizes):g} mm is reported and no follow-up or further step is given.",
            f"报告了 {max(largest.sizes):g} mm 的结节，但未给出随访或进一步处理建议。",
        )
    elif needing and advice and not settled:
        whole = " ".join(s.text for s in advice)
        planned = re.search(r"follow[- ]?up|repeat|surveillance|recommend|advis|随访|复查|建议|动态观察", whole, re.IGNORECASE)
        decided = re.search(
            r"biops|PET|resect|MDT|multidisciplinary|tumou?r board|refer|bronchosc|tissue|no (?:further|routine|additional)|活检|穿刺|会诊|手术|无需",
            whole,
            re.IGNORECASE,
        )
        if planned and not decided and not words["interval"].search(whole):
            yield _follow_up(
                advice[-1].text,
                "Follow-up is advised without interval and modality.",
                "建议随访，但未写明间隔和检查方式。",
            )


def _follow_up(place: str, en: str, zh: str) -> Remark:
    return Remark(
        "follow_up",
        en,
        zh,
        (place,),
        "Give interval and modality (Fleischner 2017, Lung-RADS v2022 or BTS 2015).",
        "请给出间隔和方式（Fleischner 2017、Lung-RADS v2022 或 BTS 2015）。",
    )


def identity(report: str, sentences: list[Sentence], sex: str | None, age: float | None) -> Iterator[Remark]:
    """Sex and age of the text against each other and against the open case."""
    words = {name: [s for s in sentences if group(name)["words"].search(_patient_words(s.text))] for name in ("male", "female")}
    organs = {name: [s for s in sentences if group(name)["organs"].search(s.text) and not _absent(s.text)] for name in ("male", "female")}
    said = {name: words[name] + organs[name] for name in ("male", "female")}
    if said["male"] and said["female"]:
        yield _who((said["male"][0].text, said["female"][0].text), "The report speaks of a man and of a woman.", "报告中性别前后不一致。")
    elif sex in ("male", "female") and said["female" if sex == "male" else "male"]:
        yield _who(
            (said["female" if sex == "male" else "male"][0].text,),
            f"The report does not fit the open case ({sex}).",
            "报告性别与当前病例不符。",
        )
    ages = sorted({int(a or b) for a, b in _AGE.findall(report) if 0 < int(a or b) < 121})
    if len(ages) > 1:
        yield _who(
            tuple(m.group() for m in _AGE.finditer(report)),
            f"The report gives {len(ages)} ages: {', '.join(map(str, ages))}.",
            f"报告中出现 {len(ages)} 个年龄：{'、'.join(map(str, ages))}。",
        )
    elif ages and age is not None and abs(ages[0] - age) > 1:
        yield _who(
            (str(ages[0]),), f"The report says {ages[0]} years, the open case {age:g}.", f"报告年龄 {ages[0]} 岁，当前病例 {age:g} 岁。"
        )


def _patient_words(text: str) -> str:
    """Without relatives, whose sex is their own."""
    return re.sub(
        r"(?:his|her|the|patient's) (?:father|mother|brother|sister|son|daughter|wife|husband)\w*|男女", "", text, flags=re.IGNORECASE
    )


def _absent(text: str) -> bool:
    return bool(re.search(r"gynaecologist|gynecologist|family history", text, re.IGNORECASE))


def _who(places: tuple[str, ...], en: str, zh: str) -> Remark:
    return Remark("identity", en, zh, places, "Make sure that this is the right patient's report.", "请确认是否为该患者的报告。")


def _dates(text: str) -> Iterator[tuple[date | None, str]]:
    """Dates with their words; None for one that no calendar has."""
    for m in _DATE.finditer(text):
        g = m.groups()
        if g[0]:
            y, mo, d = int(g[0]), int(g[1]), int(g[2])
        elif g[4]:
            y, mo, d = int(g[5]), _MONTHS[g[4][:3].lower()], int(g[3])
        elif g[6]:
            y, mo, d = int(g[8]), _MONTHS[g[6][:3].lower()], int(g[7])
        else:
            y, mo, d = int(g[11]), int(g[10]), int(g[9])
            mo, d = (d, mo) if mo > 12 else (mo, d)
        try:
            yield date(y, mo, d), m.group()
        except ValueError:
            yield None, m.group()


def dates(report: str, sentences: list[Sentence], studied: date | None, today: date) -> Iterator[Remark]:
    """Prior studies that lie after this one or in the future, two dates for one prior study, impossible dates."""
    for when, words in _dates(report):
        if when is None:
            yield _when((words,), f"{words} is no date.", f"{words} 不是有效日期。")
    priors: list[tuple[date, Sentence]] = []
    exam = studied
    for sentence in sentences:
        for when, words in _dates(sentence.text):
            role = _role(sentence, sentence.text[: sentence.text.find(words)])
            if when is not None and role == "prior":
                priors.append((when, sentence))
            elif when is not None and role == "now":
                exam = exam or when
    exam = exam or _exam_date(report)
    for when, sentence in priors:
        if when > (exam or today) or (exam is not None and when == exam):
            yield _when(
                (sentence.text,),
                f"The prior study of {when.isoformat()} is not before this one.",
                f"对比检查日期 {when.isoformat()} 不早于本次检查。",
            )


def _role(sentence: Sentence, lead: str) -> str | None:
    """Whether a date is said of a prior study or of this one, by the nearest word before it."""
    places = {
        "prior": [m.end() for m in _PRIOR.finditer(lead)],
        "now": [m.end() for m in group("today")["words"].finditer(lead)] + [m.end() for m in _EXAM.finditer(lead)],
    }
    nearest = max(((ends[-1] if ends else -1), role) for role, ends in places.items())
    if nearest[0] >= 0:
        return nearest[1]
    return {"comparison": "prior", "technique": "now"}.get(sentence.section)


def _exam_date(report: str) -> date | None:
    """The date of the study from a line at the head of the report."""
    for m in _DATE.finditer(report):
        lead = report[max(0, m.start() - 30) : m.start()]
        if (_EXAM.search(lead) or group("today")["words"].search(lead)) and not _PRIOR.search(lead):
            return next((d for d, _ in _dates(m.group()) if d), None)
    return None


def _when(places: tuple[str, ...], en: str, zh: str) -> Remark:
    return Remark("date", en, zh, places, "Correct the date.", "请更正日期。")


def left_overs(report: str) -> Iterator[Remark]:
    """What a template or dictation left behind."""
    found = list(dict.fromkeys(m.group().strip() for m in left_over().finditer(report)))
    found += [m.group() for m in re.finditer(r"\b(the|of|in|is|and|a|to)\s+\1\b", report, re.IGNORECASE)]
    if found:
        yield Remark(
            "leftover",
            f"Left over from a template: {', '.join(found[:4])}.",
            f"疑似模板残留：{'、'.join(found[:4])}。",
            tuple(found),
            "Fill in or delete.",
            "请填写或删除。",
        )


def hedged(sentences: list[Sentence]) -> Iterator[Remark]:
    """Three or more words of doubt in one sentence, or two that double each other."""
    words = group("hedge")["words"]
    for s in sentences:
        hits = list(words.finditer(s.text))
        doubled = any(b.start() - a.end() <= 2 for a, b in itertools.pairwise(hits))
        if s.section != "history" and (len(hits) >= 3 or (doubled and len(hits) >= 2)):
            yield Remark(
                "hedge",
                "The sentence stacks words of doubt.",
                "该句叠加多个不确定用语。",
                (s.text,),
                "Say how likely and why, once.",
                "请用一个词说明可能性及理由。",
            )
