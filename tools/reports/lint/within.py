"""A report against itself: numbers of things against their list, and figures that cannot be or have no unit."""

import math
import re
from collections.abc import Iterator

from retrieval.messages.catalogue import Pair, messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.listing import times_in
from tools.reports.lint.reading.mentions import Mention
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.topics import Piece, plausible
from tools.reports.lint.reading.units import to_litres, to_mm, to_mm3
from tools.reports.lint.reading.vocabulary import group, table
from tools.reports.lint.remarks import Kind, Remark, label

pair = messages("tools.report_lint").pair

_WORDS = patterns("tools.report_lint")
_GROWS = _WORDS.regex("within_grows")

_NO_UNIT = _WORDS.regex("within_no_unit")
_HU_AS_LENGTH = _WORDS.regex("within_hu_as_length")
_HU = re.compile(r"(-?\d{1,5})\s*HU", re.IGNORECASE)
_METRES = _WORDS.regex("within_metres", 0)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_RATIO = _WORDS.regex("within_ratio")
_AXES = _WORDS.regex("within_axes")
_SOLID = _WORDS.regex("within_solid")
_SOLID_BEHIND = _WORDS.regex("within_solid_behind")
_VOLUME = _WORDS.regex("within_volume")
# A tube or line this far from the carina is in the mouth.
_CARINA = _WORDS.regex("within_carina")
_FARTHEST_MM = 120.0
_LITRES = _WORDS.regex("within_litres", 0)
_SLICE = _WORDS.regex("within_slice")
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
            and not times_in(m.sentence.text)
            and not group("prior")["words"].search(m.sentence.text)
        ):
            said = pair("{count} are announced and {sizes} sizes are listed.", count=m.count, sizes=sizes)
            yield Remark("count", *said, (m.sentence.text,), *pair("Count again."))


def impossible(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """Sizes, densities and ratios that cannot be, and figures without or with a foreign unit."""
    for p in pieces:
        yield from _odd_sizes(p)
    for sentence in sentences:
        for m in _SLICE.finditer(sentence.text):
            if float(m[1]) * to_mm(m[2]) > _THICKEST_MM:
                yield Remark(
                    "unit",
                    *pair("No CT slice is {thick} thick.", thick=f"{m[1]} {m[2]}"),
                    (sentence.text,),
                    *pair("Check the unit."),
                )
        if sentence.section in ("technique", "history"):
            continue
        for kind, said in _figures(sentence.text):
            yield Remark(kind, *said, (sentence.text,), *pair("Measure again."))
        if _METRES.search(sentence.text) or _HU_AS_LENGTH.search(sentence.text) or _NO_UNIT.search(sentence.text):
            said = pair("A figure has no unit, or one that does not belong to it.")
            yield Remark("unit", *said, (sentence.text,), *pair("Give the unit."))


def _odd_sizes(p: Piece) -> Iterator[Remark]:
    """A diameter that the thing cannot have: usually a slip of mm and cm, or of a digit."""
    found = plausible(p)
    if found is None or group("branching")["words"].search(p.text):
        return
    topic, low, high = found
    odd = next((s for s in (*p.figures.now, *p.figures.before) if not low <= s <= high), None)
    if odd is not None and p.states(topic):
        slip = any(low <= odd * f <= high for f in (0.1, 10.0))
        yield Remark(
            "unit" if slip else "measurement",
            *pair("{odd:g} mm is not a plausible size ({what}): a slip of mm and cm?", odd=odd, what=label(topic)),
            (p.sentence.text,),
            *pair("Check figure and unit."),
        )


def _figures(text: str) -> Iterator[tuple[Kind, Pair]]:
    for m in _HU.finditer(text):
        value = int(m[1])
        if not -1100 <= value <= 3100:
            yield "measurement", pair("{value} HU is outside the scale of CT.", value=value)
        elif (what := _foreign_density(text[max(0, m.start() - 30) : m.end()], value)) is not None:
            yield "measurement", pair("{value} HU does not fit what is said to be {what}.", value=value, what=label(what))
    for share in (float(v) for v in _PERCENT.findall(text)):
        if share > 100 and not _GROWS.search(text):
            yield "measurement", pair("{share:g} % cannot be.", share=share)
    for ratio in (float(v) for v in _RATIO.findall(text)):
        if 1 < ratio < 20 or ratio > 100:
            yield "measurement", pair("A cardiothoracic ratio of {ratio:g} cannot be.", ratio=ratio)
    for m in _AXES.finditer(text):
        long, short = m["long"] or m["l2"] or m[1], m["short"] or m["s2"] or m[2]
        if float(short) > float(long):
            yield "measurement", pair("The short axis ({short}) is longer than the long axis ({long}).", short=short, long=long)
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


def _parts(text: str) -> Iterator[tuple[Kind, Pair]]:
    """A solid part larger than its nodule."""
    sizes = [float(v) * to_mm(u) for v, u in _SIZED.findall(text)]
    solid = _SOLID_BEHIND.search(text) or _SOLID.search(text)
    if solid and len(sizes) > 1:
        core = float(solid[1]) * to_mm(solid[2])
        if all(core > s for s in sizes if s != core) and sizes.count(core) < len(sizes):
            yield "measurement", pair("The solid part ({core:g} mm) is larger than the whole.", core=core)


def _tubes(text: str) -> Iterator[tuple[Kind, Pair]]:
    """A tip farther from the carina than the trachea is long."""
    for m in _CARINA.finditer(text):
        value, unit = m["a"] or m["b"] or m["c"], (m["au"] or m["bu"] or m["cu"]).lower()
        if float(value) * to_mm(unit) > _FARTHEST_MM:
            yield "unit", pair("{far} from the carina is outside the trachea.", far=f"{value} {unit}")


def _volumes(text: str) -> Iterator[tuple[Kind, Pair]]:
    """Cubic metres, more litres than a chest holds, and a volume that no such diameter has."""
    sizes = [float(v) * to_mm(u) for v, u in _SIZED.findall(text)]
    for m in _VOLUME.finditer(text):
        unit = m[2].lower()
        factor = to_mm3(unit)
        if factor is None:
            yield "unit", pair("{volume}: cubic metres do not fit into a chest.", volume=m.group())
            continue
        nodule = bool(group("nodule")["words"].search(text))
        if nodule and float(m[1]) * factor > _LARGEST_NODULE_MM3:
            yield "unit", pair("No nodule has {volume}.", volume=m.group())
        if sizes and (nodule or unit not in table("words")["fluid_units"]["words"]):
            expected = math.pi / 6 * (sum(sizes[:3]) / len(sizes[:3])) ** 3
            if not 1 / 4 <= float(m[1]) * factor / expected <= 4:
                yield "measurement", pair("A volume of {volume} does not fit the diameter.", volume=m.group())
    for value, unit in _LITRES.findall(text):
        litres = float(value) * to_litres(unit)
        if litres > _MOST_LITRES and not re.search(r"min", text):
            yield "unit", pair("{volume} is more than a chest holds.", volume=f"{value} {unit}")
