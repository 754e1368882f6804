"""A report against itself: numbers of things against their list, and figures that cannot be or have no unit."""

import math
import re
from collections.abc import Iterator

from tools.reports.lint.reading.mentions import Mention
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.topics import Piece, plausible
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Kind, Remark, label

_LENGTH = r"\s*(?:millimet(?:er|re)s?|centimet(?:er|re)s?|mm|cm|毫米|厘米|m\b)"
_NO_UNIT = re.compile(
    r"(?:measur\w+|diameter(?: of)?|size(?: of)?|大小约?|直径约?|径约)\s*(?:about |approximately |is |of )?"
    rf"(\d+(?:\.\d+)?(?:\s*(?:[x×X~～]|-|–|to|至)\s*\d+(?:\.\d+)?)*)(?!\s*(?:[x×X\d.~～]|-|–|to|至)|{_LENGTH})",
    re.IGNORECASE,
)
_HU_AS_LENGTH = re.compile(
    r"(?:attenuation|density|CT值|密度)(?: value)?(?: of| about| is|约|为|：|:)*\s*-?\d+(?:\.\d+)?\s*(?:mm|cm)"
    r"|\d+(?:\.\d+)?\s*(?:HU|ml|mL|kg|%)\s*(?:nodule|mass|in (?:diameter|size)|大小|结节)"
    r"|(?<![A-Za-z-])attenuation (?:value )?of [^.,;\d]{0,20}\d+(?:\.\d+)?\s*(?:mm|cm)"
    r"|CT值\D{0,4}-?\d+(?:\.\d+)?\s*(?!HU|H(?![A-Za-z]))[A-Za-z%]+"
    r"|(?:measuring|diameter of|大小约?|直径约?|[长短横前后]径约?|厚约?|深约?|宽约?)\s*[:：]?\s*\d+(?:\.\d+)?\s*(?:HU"
    r"|m?L|kg|g|%|μm|um|nm|mmHg|毫升)(?![A-Za-z])"
    r"|(?:VDT|doubling time|倍增时间)\D{0,8}\d+(?:\.\d+)?\s*(?!d|天|日|-|–|~)(?:[A-Za-z%]+|年|月)"
    r"|SUV(?:max)?\D{0,6}\d+(?:\.\d+)?\s*(?:mm|cm|HU|%)"
    r"|(?:净增|强化后|增强后)\D{0,4}\d+\s*(?:mm|cm)|管电压\D{0,4}\d+\s*mA|管电流\D{0,4}\d+\s*kV"
    r"|(?:LAA-?950|emphysema index|肺气肿指数|心胸比|(?<![A-Za-z])ratio)\D{0,6}\d+(?:\.\d+)?\s*(?:mm|cm|HU|mL)(?![A-Za-z])",
    re.IGNORECASE,
)
_HU = re.compile(r"(-?\d{1,5})\s*HU", re.IGNORECASE)
_METRES = re.compile(
    r"(?<!in )(?<!at )(?<!after )(?<!every )(?<![\d.])\d+(?:\.\d+)?\s?(?:m|米|dm|km"
    r"|inch(?:es)?)(?![A-Za-z³²\d/])(?! follow| CT| later| ago)"
)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_RATIO = re.compile(r"(?:cardiothoracic|CTR|心胸比)\D{0,20}(\d+(?:\.\d+)?)(?!\d*\s*(?:mm|cm))", re.IGNORECASE)
_AXES = re.compile(
    r"(?:long axis|longest diameter|长径)\D{0,12}(\d+(?:\.\d+)?)\s*(?:mm|cm)?\D{1,30}?(?:short axis|短径)\D{0,12}(\d+(?:\.\d+)?)"
    r"|短径\D{0,4}(?P<s2>\d+(?:\.\d+)?)\s*(?:mm|cm)?\D{1,8}?长径\D{0,4}(?P<l2>\d+(?:\.\d+)?)"
    r"|(?P<short>\d+(?:\.\d+)?)\s*(?:mm|cm) (?:in )?short[- ]axis\D{1,24}(?P<long>\d+(?:\.\d+)?)\s*(?:mm|cm) (?:in )?long[- ]axis",
    re.IGNORECASE,
)
_SOLID = re.compile(r"(?:solid (?:component|part|portion|core)|实性(?:成分|部分))\D{0,25}(\d+(?:\.\d+)?)\s*(mm|cm)", re.IGNORECASE)
_SOLID_BEHIND = re.compile(r"(\d+(?:\.\d+)?)\s*(mm|cm)\s*(?:solid (?:component|part|portion|core)|实性(?:成分|部分))", re.IGNORECASE)
_VOLUME = re.compile(r"(\d+(?:\.\d+)?)\s*(mm3|mm³|cubic mm|立方毫米|cm3|cm³|立方厘米|mL|cc|毫升|m3|m³|立方米)(?![\d/])", re.IGNORECASE)
_TO_MM3 = {
    "mm3": 1.0,
    "mm³": 1.0,
    "cubic mm": 1.0,
    "立方毫米": 1.0,
    "cm3": 1e3,
    "cm³": 1e3,
    "立方厘米": 1e3,
    "ml": 1e3,
    "cc": 1e3,
    "毫升": 1e3,
}
# A tube or line this far from the carina is in the mouth.
_CARINA = re.compile(
    r"(?P<a>\d+(?:\.\d+)?)\s*(?P<au>cm|mm|厘米|毫米)\s*(?:above|proximal to|from) the carina"
    r"|(?:距|高于)(?:气管)?隆[突嵴](?:上方)?约?\s*(?P<b>\d+(?:\.\d+)?)\s*(?P<bu>cm|mm|厘米|毫米)"
    r"|隆[突嵴]上方?约?\s*(?P<c>\d+(?:\.\d+)?)\s*(?P<cu>cm|mm|厘米|毫米)",
    re.IGNORECASE,
)
_FARTHEST_MM = 120.0
_LITRES = re.compile(r"(\d+(?:\.\d+)?)\s*(mL|ml|L|litres?|liters?|毫升|升)(?![A-Za-z/])")
_SLICE = re.compile(r"(?:slice thickness|slices? of|collimation|层厚)\D{0,6}?(\d+(?:\.\d+)?)\s*(mm|cm|毫米|厘米)", re.IGNORECASE)
_THICKEST_MM = 12.0
# A sphere of 4 cm.
_LARGEST_NODULE_MM3 = 34000.0
_MOST_LITRES = 12.0
_SIZED = re.compile(r"(\d+(?:\.\d+)?)\s*(mm|cm)(?![³²\d])", re.IGNORECASE)


def counted(mentions: list[Mention]) -> Iterator[Remark]:
    """A number of lesions against the sizes listed right behind it."""
    for m in mentions:
        sizes = len(re.findall(r"\d+(?:\.\d+)?\s*(?:mm|cm)", m.sentence.text))
        if (
            m.finding.kind == "focal"
            and m.stated
            and m.count in (2, 3, 4, 5)
            and sizes > m.count
            and not group("prior")["words"].search(m.sentence.text)
        ):
            en, zh = f"{m.count} are announced and {sizes} sizes are listed.", f"描述为 {m.count} 枚，但列出 {sizes} 个大小。"
            yield Remark("count", en, zh, (m.sentence.text,), "Count again.", "请核对数目。")


def impossible(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """Sizes, densities and ratios that cannot be, and figures without or with a foreign unit."""
    for p in pieces:
        yield from _odd_sizes(p)
    for sentence in sentences:
        for m in _SLICE.finditer(sentence.text):
            if float(m[1]) * (10 if m[2].lower() in ("cm", "厘米") else 1) > _THICKEST_MM:
                yield Remark(
                    "unit",
                    f"No CT slice is {m[1]} {m[2]} thick.",
                    f"层厚 {m[1]} {m[2]} 不可能。",
                    (sentence.text,),
                    "Check the unit.",
                    "请核对单位。",
                )
        if sentence.section in ("technique", "history"):
            continue
        for kind, what, what_zh in _figures(sentence.text):
            yield Remark(kind, what, what_zh, (sentence.text,), "Measure again.", "请重新测量。")
        if _METRES.search(sentence.text) or _HU_AS_LENGTH.search(sentence.text) or _NO_UNIT.search(sentence.text):
            what, what_zh = "A figure has no unit, or one that does not belong to it.", "数值缺少单位或单位不符。"
            yield Remark("unit", what, what_zh, (sentence.text,), "Give the unit.", "请补充或更正单位。")


def _odd_sizes(p: Piece) -> Iterator[Remark]:
    """A diameter that the thing cannot have: usually a slip of mm and cm, or of a digit."""
    found = plausible(p)
    if found is None:
        return
    topic, low, high = found
    odd = next((s for s in (*p.figures.now, *p.figures.before) if not low <= s <= high), None)
    if odd is not None and p.states(topic):
        en, zh = label(topic)
        slip = any(low <= odd * f <= high for f in (0.1, 10.0))
        yield Remark(
            "unit" if slip else "measurement",
            f"{odd:g} mm is not a plausible size ({en}): a slip of mm and cm?",
            f"{odd:g} mm 不合理（{zh}），疑为单位或数值错误。",
            (p.sentence.text,),
            "Check figure and unit.",
            "请核对数值与单位。",
        )


def _figures(text: str) -> Iterator[tuple[Kind, str, str]]:
    for m in _HU.finditer(text):
        value = int(m[1])
        if not -1100 <= value <= 3100:
            yield "measurement", f"{value} HU is outside the scale of CT.", f"{value} HU 超出 CT 值范围。"
        elif (what := _foreign_density(text[max(0, m.start() - 30) : m.end()], value)) is not None:
            yield "measurement", f"{value} HU does not fit what is said to be {what}.", f"{value} HU 与所述成分不符。"
    for share in (float(v) for v in _PERCENT.findall(text)):
        if share > 100 and not re.search(r"increas|grow|增", text, re.IGNORECASE):
            yield "measurement", f"{share:g} % cannot be.", f"{share:g}% 不可能。"
    for ratio in (float(v) for v in _RATIO.findall(text)):
        if 1 < ratio < 20 or ratio > 100:
            yield "measurement", f"A cardiothoracic ratio of {ratio:g} cannot be.", f"心胸比 {ratio:g} 不可能。"
    for m in _AXES.finditer(text):
        long, short = m["long"] or m["l2"] or m[1], m["short"] or m["s2"] or m[2]
        if float(short) > float(long):
            yield "measurement", f"The short axis ({short}) is longer than the long axis ({long}).", f"短径（{short}）大于长径（{long}）。"
    yield from _parts(text)
    yield from _volumes(text)
    yield from _tubes(text)


def _foreign_density(near: str, value: int) -> str | None:
    """The component beside a density that cannot have it."""
    for name, (low, high) in {"fat": (-200, 0), "gas": (-1100, -600), "calcium": (80, 3100), "water": (-20, 40)}.items():
        words = list(group("component")[name].finditer(near))
        if words and not re.search(r"[,，;；。.]\s*\S", near[words[-1].end() :]) and not low <= value <= high:
            return name
    return None


def _parts(text: str) -> Iterator[tuple[Kind, str, str]]:
    """A solid part larger than its nodule."""
    sizes = [float(v) * (10 if u.lower() == "cm" else 1) for v, u in _SIZED.findall(text)]
    solid = _SOLID_BEHIND.search(text) or _SOLID.search(text)
    if solid and len(sizes) > 1:
        core = float(solid[1]) * (10 if solid[2].lower() == "cm" else 1)
        if all(core > s for s in sizes if s != core) and sizes.count(core) < len(sizes):
            yield "measurement", f"The solid part ({core:g} mm) is larger than the whole.", f"实性成分（{core:g} mm）大于整个病灶。"


def _tubes(text: str) -> Iterator[tuple[Kind, str, str]]:
    """A tip farther from the carina than the trachea is long."""
    for m in _CARINA.finditer(text):
        value, unit = m["a"] or m["b"] or m["c"], (m["au"] or m["bu"] or m["cu"]).lower()
        if float(value) * (10 if unit in ("cm", "厘米") else 1) > _FARTHEST_MM:
            yield "unit", f"{value} {unit} from the carina is outside the trachea.", f"距隆突 {value} {unit} 超出气管长度。"


def _volumes(text: str) -> Iterator[tuple[Kind, str, str]]:
    """Cubic metres, more litres than a chest holds, and a volume that no such diameter has."""
    sizes = [float(v) * (10 if u.lower() == "cm" else 1) for v, u in _SIZED.findall(text)]
    for m in _VOLUME.finditer(text):
        unit = m[2].lower()
        if unit not in _TO_MM3:
            yield "unit", f"{m.group()}: cubic metres do not fit into a chest.", f"{m.group()}：胸部容积不可能以立方米计。"
            continue
        nodule = bool(group("nodule")["words"].search(text))
        if nodule and float(m[1]) * _TO_MM3[unit] > _LARGEST_NODULE_MM3:
            yield "unit", f"No nodule has {m.group()}.", f"结节体积不可能为 {m.group()}。"
        if sizes and (nodule or unit not in ("ml", "cc", "毫升")):
            expected = math.pi / 6 * (sum(sizes[:3]) / len(sizes[:3])) ** 3
            if not 1 / 4 <= float(m[1]) * _TO_MM3[unit] / expected <= 4:
                yield "measurement", f"A volume of {m.group()} does not fit the diameter.", f"体积 {m.group()} 与直径不符。"
    for value, unit in _LITRES.findall(text):
        litres = float(value) / (1 if unit in ("升",) or unit.startswith(("L", "l")) else 1000)
        if litres > _MOST_LITRES and not re.search(r"min", text):
            yield "unit", f"{value} {unit} is more than a chest holds.", f"{value} {unit} 超过胸腔容积。"
