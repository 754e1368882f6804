"""Sentences of a drafted report: which section they belong to, which findings they name, and whether a detector contradicts them."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tools.evidence import Evidence

if TYPE_CHECKING:
    from medmpt_backend.inference.results import DraftSentence

_HEAD = re.compile(r"^\s*(?:(findings|影像所见|影像表现|检查所见)|(impression|conclusion|印象|诊断意见|结论))\s*[:：]\s*", re.IGNORECASE)
_BARE = re.compile(r"(?:findings|impression|影像所见|印象)?\W*", re.IGNORECASE)
_INSIDE = re.compile(r"(impression|印象)\s*[:：]", re.IGNORECASE)
_NEGATIVE = re.compile(
    r"^\s*(?:no|without|absence of|there is no)\b|\bno evidence of\b|^\s*(?:未见|无|没有|双肺未见|胸部CT未见)", re.IGNORECASE
)
# Words of a report -> the findings whose detectors speak about them, the wider label first.
_NAMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"pericardial effusion|心包积液", ("pericardial_effusion",)),
    (r"pleural (?:effusion|fluid)|胸腔(?:见液性|积液)|包裹性.{0,3}积液|loculated .{0,12}effusion", ("pleural_effusion",)),
    (r"pneumothorax|气胸|肺无肺纹理", ("pneumothorax",)),
    (r"consolidation|实变", ("consolidation",)),
    (r"centrilobular nodules?|小叶中心结节", ("centrilobular_nodules", "lung_nodule")),
    (r"perilymphatic nodules?|淋巴道周围.{0,3}结节", ("perilymphatic_nodules", "lung_nodule")),
    (r"miliary nodules?|粟粒(?:样)?结节", ("miliary_nodules", "lung_nodule")),
    (r"calcified granuloma|钙化灶", ("calcified_granuloma", "lung_nodule")),
    (r"traction bronchiectasis|牵拉性支气管扩张", ("traction_bronchiectasis", "bronchiectasis")),
    (r"pleural thickening|胸膜增厚", ("pleural_thickening",)),
    (r"pleural plaques?|胸膜斑", ("pleural_plaque",)),
    (r"\bbulla|肺大疱", ("bulla", "emphysema")),
    (r"\bcysts?\b|囊腔", ("cysts",)),
    (r"ground-glass (?:nodule|opacity nodule)|磨玻璃结节", ("lung_nodule",)),
    (r"ground[- ]glass|crazy[- ]paving|磨玻璃|铺路石", ("ground_glass", "lung_opacity")),
    (r"lymphadenopathy|lymph nodes?|淋巴结", ("lymphadenopathy",)),
    (r"\bmass\b|肺?.{0,4}肿块", ("mass", "lung_nodule")),
    (r"thyroid nodule|甲状腺", ()),
    (r"\bnodules?\b|结节", ("lung_nodule",)),
    (r"emphysema|肺气肿", ("emphysema",)),
    (r"atelectasis|肺不张|膨胀不全", ("atelectasis",)),
    (r"honeycomb|蜂窝", ("honeycombing", "fibrotic_sequela")),
    (r"reticulation|网状影|网格影", ("reticulation", "fibrotic_sequela")),
    (r"fibrotic|纤维(?:条索|灶|化)", ("fibrotic_sequela",)),
    (r"bronchiectasis|支气管扩张", ("bronchiectasis",)),
    (r"(?:peri)?bronchial (?:wall )?thicken\w*|支气管壁增厚", ("peribronchial_thickening",)),
    (r"septal thickening|小叶间隔增厚", ("septal_thickening",)),
    (r"mosaic|马赛克", ("mosaic_attenuation",)),
    (r"coronary|冠状动脉|冠脉", ("coronary_calcification",)),
    (r"aortic (?:wall )?calcification|主动脉壁钙化", ("arterial_wall_calcification",)),
    (r"cardiomegaly|heart is enlarged|心影增大|心脏增大", ("cardiomegaly",)),
    (r"hiatal hernia|裂孔疝", ("hiatal_hernia",)),
    (r"medical device|医疗器材|置入物", ("medical_material",)),
    (r"cavity|cavitary|空洞", ("cavity",)),
    (r"tree-in-bud|bronchiolitis|树芽|细支气管炎", ("tree_in_bud",)),
)
_CLEAR = re.compile(
    r"lungs? (?:are|is|fields? are) clear|no focal lung lesion|no acute abnormality|no active lung disease|肺野清晰|肺纹理清晰|未见明显异常"
    r"|未见活动性病变|未见实质性病变",
    re.IGNORECASE,
)
_OUTSIDE_LUNGS = frozenset(
    {
        "medical_material",
        "arterial_wall_calcification",
        "coronary_calcification",
        "cardiomegaly",
        "pericardial_effusion",
        "hiatal_hernia",
        "lymphadenopathy",
    }
)
_BOTH = re.compile(r"\bbilateral\b|\bboth\b|双侧|双肺|两肺", re.IGNORECASE)
_LEFT, _RIGHT = re.compile(r"\bleft\b|左", re.IGNORECASE), re.compile(r"\bright\b|右", re.IGNORECASE)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), ids) for pattern, ids in _NAMES)


def split_sections(sentences: "Sequence[DraftSentence]") -> "Iterable[tuple[str, DraftSentence]]":
    """Each sentence with `findings` or `impression`, by the headings that the decoder writes."""
    section = "findings"
    for sentence in sentences:
        head = _HEAD.match(sentence.text)
        if head is not None:
            section = "impression" if head.group(2) else "findings"
        yield section, sentence


def tidy(text: str) -> str:
    """A decoded sentence without its heading, beginning with a capital; empty when nothing is left."""
    body = _INSIDE.sub("", _HEAD.sub("", text)).strip()
    body = re.sub(r"[;；]$", "。" if re.search(r"[\u4e00-\u9fff]", body) else ".", body)
    return body[:1].upper() + body[1:] if re.search(r"\w", body) and not _BARE.fullmatch(body) else ""


_SIZE = re.compile(r"\d+(?:\.\d+)?(?:\s*[-–x×]\s*\d+(?:\.\d+)?)*(?=\s*(?:mm|cm|ml|毫米|厘米|毫升))", re.IGNORECASE)


def blank_sizes(text: str) -> str:
    """The sentence with `__` for every size: a decoder writes sizes that nothing measured, and the person who signs fills them in."""
    return _SIZE.sub("__", text)


def denies(text: str) -> bool:
    """Whether the sentence is a negative."""
    return _NEGATIVE.search(text) is not None


def named(text: str) -> tuple[tuple[str, ...], ...]:
    """Findings that a sentence names, each as the ids whose detectors speak about it; longer names take their words first."""
    found, rest = [], text
    for pattern, ids in _COMPILED:
        if pattern.search(rest):
            rest = pattern.sub(" ", rest)
            found.append(ids)
    return tuple(found)


def contradiction(text: str, detected: Iterable[Evidence], denials: bool) -> str | None:
    """Why a drafted sentence must not stand, None when it may.

    Args:
        text: The sentence.
        detected: Evidence of the detectors: key `M-STUDY-FINDING`, `present` True, False or None.
        denials: Whether negatives may be stated at all (inside the domain).
    """
    known = {e.key.rsplit("-", 1)[-1]: e for e in detected}
    negative = denies(text)
    if negative and not denials:
        return "a negative is stated only inside the domain of the model"
    if _CLEAR.search(text):
        seen = next((e for name, e in known.items() if e.present and name not in _OUTSIDE_LUNGS), None)
        return f"the detector finds {seen.subjects[0]}" if seen is not None and seen.subjects else None
    for ids in named(text):
        found = [known[i] for i in ids if i in known]
        label = ids[0].replace("_", " ") if ids else "this finding"
        states = {e.present for e in found}
        if negative and True in states:
            return f"the detector finds {label}"
        if negative and False not in states:
            return f"no detector for {label} stayed below its operating point"
        if not negative and states == {False}:
            return f"the detector finds no {label}"
        if not negative and (side := _other_side(text, found)):
            return f"the detector places {label} on the {side}"
    return None


def _other_side(text: str, found: list[Evidence]) -> str | None:
    """The detector's side where the sentence names the other one, or both."""
    left, right = _LEFT.search(text) is not None, _RIGHT.search(text) is not None
    sides = {e.side for e in found if e.present and e.side}
    if _BOTH.search(text) and len(sides) == 1 and "both" not in sides:
        return f"{next(iter(sides))} only"
    if left == right:
        return None
    return next((str(s) for s in sides), None) if sides == {"right" if left else "left"} else None
