"""A report against itself: what it denies and states, sizes against their words, numbers that cannot be."""

import math
import re
from collections.abc import Iterator

from tools.reports.lint.reading.mentions import Mention
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.remarks import Remark

_LUNG = {"lung_nodule", "consolidation", "ground_glass", "mass", "fibrosis", "bronchiectasis", "emphysema", "atelectasis"}
_GROSS = {"mass", "pleural_effusion", "pneumothorax", "consolidation", "pulmonary_embolism", "lymphadenopathy", "aneurysm"}
_ENLARGED = re.compile(r"enlarg|pathological|adenopath|肿大|增大", re.IGNORECASE)
_NO_UNIT = re.compile(
    r"(?:measur\w+|diameter(?: of)?|size(?: of)?|大小约?|直径约?|径约)\s*(?:about |approximately |is |of )?(\d+(?:\.\d+)?(?:\s*[x×X]\s*\d+(?:\.\d+)?)*)(?!\s*[x×X\d.]|\s*(?:mm|cm|毫米|厘米|m\b))",
    re.IGNORECASE,
)
_HU_AS_LENGTH = re.compile(
    r"(?:attenuation|density|CT值|密度)(?: value)?(?: of| about| is|约|为|：)*\s*-?\d+(?:\.\d+)?\s*(?:mm|cm)|\d+(?:\.\d+)?\s*(?:HU|ml|mL)\s*(?:nodule|mass|in (?:diameter|size)|大小|结节)",
    re.IGNORECASE,
)
_HU = re.compile(r"(-?\d{2,5})\s*HU", re.IGNORECASE)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_RATIO = re.compile(r"(?:cardiothoracic|CTR|心胸比)\D{0,20}(\d+(?:\.\d+)?)(?!\d*\s*(?:mm|cm))", re.IGNORECASE)
_AXES = re.compile(
    r"(?:long axis|longest diameter|长径)\D{0,12}(\d+(?:\.\d+)?)\s*(?:mm|cm)?\D{1,30}?(?:short axis|短径)\D{0,12}(\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_SOLID = re.compile(r"(?:solid (?:component|part|portion)|实性(?:成分|部分))\D{0,25}(\d+(?:\.\d+)?)\s*(mm|cm)", re.IGNORECASE)
_VOLUME = re.compile(r"(\d+(?:\.\d+)?)\s*(?:mm3|mm³|cubic mm|立方毫米)", re.IGNORECASE)


def counted(mentions: list[Mention]) -> Iterator[Remark]:
    """A number of lesions against the sizes listed right behind it."""
    for m in mentions:
        sizes = len(re.findall(r"\d+(?:\.\d+)?\s*(?:mm|cm)", m.sentence.text))
        if m.finding.kind == "focal" and m.stated and m.count in (2, 3, 4, 5) and sizes > m.count and not m.before:
            yield Remark(
                "count",
                f"{m.count} are announced and {sizes} sizes are listed.",
                f"描述为 {m.count} 枚，但列出 {sizes} 个大小。",
                (m.sentence.text,),
                "Count again.",
                "请核对数目。",
            )


def impossible(mentions: list[Mention], sentences: list[Sentence]) -> list[Remark]:
    """Sizes, densities and ratios that cannot be, and figures without or with a foreign unit."""
    out = [_odd_size(m, s) for m in mentions if m.stated and m.finding.sizes for s in (*m.sizes, *m.before) if _outside(m, s)]
    for sentence in sentences:
        if sentence.section in ("technique", "history"):
            continue
        for what, what_zh in _figures(sentence.text):
            out.append(Remark("measurement", what, what_zh, (sentence.text,), "Measure again.", "请重新测量。"))
        if _HU_AS_LENGTH.search(sentence.text) or _NO_UNIT.search(sentence.text):
            out.append(
                Remark("unit", "A figure has no unit, or one that does not belong to it.", "数值缺少单位或单位不符。", (sentence.text,), "Give the unit.", "请补充或更正单位。")
            )  # fmt: skip
    return out


def _outside(m: Mention, size: float) -> bool:
    low, high = m.finding.sizes or (0.0, math.inf)
    return size < low * 0.8 or size > high * 1.15


def _odd_size(m: Mention, size: float) -> Remark:
    return Remark(
        "unit",
        f"{size:g} mm is not a plausible size of a {m.finding.en}: a slip of mm and cm?",
        f"{size:g} mm 不符合{m.finding.zh}的合理大小，疑为单位错误。",
        (m.sentence.text,),
        "Check figure and unit.",
        "请核对数值与单位。",
    )


def _figures(text: str) -> Iterator[tuple[str, str]]:
    for value in (int(v) for v in _HU.findall(text)):
        if not -1100 <= value <= 3100:
            yield f"{value} HU is outside the scale of CT.", f"{value} HU 超出 CT 值范围。"
    for value in (float(v) for v in _PERCENT.findall(text)):
        if value > 100:
            yield f"{value:g} % cannot be.", f"{value:g}% 不可能。"
    for value in (float(v) for v in _RATIO.findall(text)):
        if 1 < value < 20 or value > 100:
            yield f"A cardiothoracic ratio of {value:g} cannot be.", f"心胸比 {value:g} 不可能。"
    for long, short in _AXES.findall(text):
        if float(short) > float(long):
            yield f"The short axis ({short}) is longer than the long axis ({long}).", f"短径（{short}）大于长径（{long}）。"
    yield from _parts(text)


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """A solid part larger than its nodule; a volume that no such diameter has."""
    sizes = [
        float(v) * (10 if u.lower() == "cm" else 1) for v, u in re.findall(r"(\d+(?:\.\d+)?)\s*(mm|cm)(?![³²\d])", text, re.IGNORECASE)
    ]
    solid = _SOLID.search(text)
    if solid and len(sizes) > 1:
        core = float(solid[1]) * (10 if solid[2].lower() == "cm" else 1)
        if all(core > s for s in sizes if s != core) and sizes.count(core) < len(sizes):
            yield f"The solid part ({core:g} mm) is larger than the whole.", f"实性成分（{core:g} mm）大于整个病灶。"
    volume = _VOLUME.search(text)
    if volume and sizes:
        expected = math.pi / 6 * (sum(sizes[:3]) / len(sizes[:3])) ** 3
        if not 1 / 4 <= float(volume[1]) / expected <= 4:
            yield f"A volume of {volume[1]} mm³ does not fit the diameter.", f"体积 {volume[1]} mm³ 与直径不符。"
