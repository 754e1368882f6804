"""Which findings a report of the cohort states, in Chinese or English: mentions, negation and side.

A clause ends at a full stop or semicolon. What follows a word of negation up to the end of its clause is denied. More special terms come
first and take their words away, so that a thyroid nodule is no lung nodule and crazy paving no bare ground glass.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Side = Literal["left", "right", "both"]

# Pattern (English, then Chinese) -> labels that the words stand for; order matters.
_TERMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (r"thyroid nodules?", r"甲状腺(?:左侧|右侧|双侧)?结节", ("thyroid_nodule",)),
    (r"adrenal mass(?:es)?", r"肾上腺(?:肿块|占位)", ("adrenal_mass",)),
    (r"rib fractures?", r"肋骨骨折", ("rib_fracture",)),
    (r"destructive vertebral lesions?|bone metastas[ie]s", r"椎体骨质破坏|骨转移", ("bone_metastasis",)),
    (r"crazy[- ]paving", r"铺路石", ("lung_opacity", "septal_thickening", "crazy_paving", "ground_glass")),
    (r"ground[- ]glass nodules?|part-solid nodules?", r"磨玻璃结节|部分实性结节|混合磨玻璃结节", ("lung_nodule",)),
    (r"tree[- ]in[- ]bud(?: opacities| pattern)?|bronchiolitis", r"树芽(?:征|样)(?:小结节影)?|细支气管炎", ("lung_opacity", "tree_in_bud")),
    (r"ground[- ]glass(?: opacit(?:y|ies))?", r"磨玻璃(?:密度)?影?", ("lung_opacity", "ground_glass")),
    (r"(?:interlobular )?septal thickening", r"小叶间隔增厚", ("septal_thickening",)),
    (r"consolidations?", r"实变", ("consolidation",)),
    (r"cavit(?:y|ary)(?: lesion)?", r"空洞", ("cavity",)),
    (r"traction bronchiectasis", r"牵拉性支气管扩张", ("bronchiectasis", "traction_bronchiectasis")),
    (r"bronchiectasis", r"支气管扩张", ("bronchiectasis",)),
    (r"(?:peri)?bronchial wall(?:s)? (?:are )?thicken(?:ed|ing)|peribronchial thickening|bronchial wall thickening", r"支气管壁增厚",
     ("peribronchial_thickening",)),
    (r"honeycombing", r"蜂窝(?:影|样)", ("fibrotic_sequela", "honeycombing")),
    (r"reticulation|fibrosis", r"网[状格]影|间质纤维化", ("fibrotic_sequela", "reticulation")),
    (r"fibrotic (?:bands?|strands?|sequelae?)", r"纤维条索(?:影|灶)|陈旧性?纤维灶", ("fibrotic_sequela",)),
    (r"bullae?", r"肺?大疱", ("emphysema", "bulla")),
    (r"emphysema", r"肺气肿", ("emphysema",)),
    (r"mosaic attenuation|mosaic", r"马赛克", ("mosaic_attenuation",)),
    (r"atelectasis", r"肺不张|膨胀不全", ("atelectasis",)),
    (r"pericardial effusion", r"心包积液", ("pericardial_effusion",)),
    (r"(?:pleural )?effusions?|pleural fluid", r"胸腔积液|胸腔见液性密度影|包裹性(?:胸腔)?积液", ("pleural_effusion",)),
    (r"pneumothorax|air in the (?:left|right|bilateral) pleural space", r"气胸|胸腔见无肺纹理透亮区", ("pneumothorax",)),
    (r"pleural thickening", r"胸膜增厚", ("pleural_thickening",)),
    (r"pleural plaques?", r"胸膜斑", ("pleural_plaque",)),
    (r"pulmonary (?:artery )?embol(?:us|ism)|filling defect", r"肺动脉栓塞|充盈缺损|栓子", ("pulmonary_embolus",)),
    (r"lymphadenopathy|enlarged (?:mediastinal |hilar )?lymph nodes|enlarged nodes", r"淋巴结肿大|肿大淋巴结", ("lymphadenopathy",)),
    (r"cardiomegaly|heart is enlarged|enlarged heart", r"心影增大|心脏增大", ("cardiomegaly",)),
    (r"(?:coronary|calcified coronary)[a-z ]*", r"冠(?:状动)?脉壁?[见有]?钙化|冠状动脉壁?钙化", ("coronary_calcification",)),
    (r"aortic(?: wall)? calcifications?|calcified aort[a-z]*", r"主动脉壁?钙化", ("arterial_wall_calcification",)),
    (r"hiatal hernia", r"食管裂孔疝", ("hiatal_hernia",)),
    (r"medical device|indwelling|pacemaker|port catheter", r"医疗器材|体内置入物|起搏器", ("medical_material",)),
    (r"calcified granulomas?", r"钙化灶|钙化性?肉芽肿", ("lung_nodule", "calcified_granuloma")),
    (r"miliary nodules?", r"粟粒样?结节", ("lung_nodule", "miliary_nodules")),
    (r"(?:perilymphatic|centrilobular) nodules?", r"淋巴道周围[^。；]{0,4}结节|小叶中心结节", ("lung_nodule",)),
    (r"mass(?:es)?", r"肿块", ("lung_nodule", "mass")),
    (r"nodules?", r"结节", ("lung_nodule",)),
    (r"(?:thin-walled )?cysts?", r"薄壁囊腔|囊肿", ("cysts",)),
)  # fmt: skip
_PATTERNS = tuple((re.compile(f"{en}|{zh}", re.IGNORECASE), labels) for en, zh, labels in _TERMS)
_CLAUSE = re.compile(r"[。；;!?！？\n]|\.(?!\d)|(?<=\D)\.(?=\d)")
_DENIAL = re.compile(r"\b(?:no|without|not?|neither|free of|absence of)\b|未见|无(?!肺纹理)|没有|未发现", re.IGNORECASE)
_BUT = re.compile(r"\bbut\b|但", re.IGNORECASE)
# What a radiologist suggests is no finding of its own.
_SUGGESTED = re.compile(
    r"\b(?:consider|suggests?|favou?r)\b.*|(?:考虑|提示).*|[^，：；。]*可能大?$|(?:印象|impression|findings|影像所见)[:：]", re.IGNORECASE
)
_SIDES: tuple[tuple[re.Pattern[str], Side], ...] = (
    (re.compile(r"\bboth\b|\bbilateral\b|双", re.IGNORECASE), "both"),
    (re.compile(r"\bleft\b|左", re.IGNORECASE), "left"),
    (re.compile(r"\bright\b|右", re.IGNORECASE), "right"),
)


@dataclass(frozen=True)
class Stated:
    """What a report says: finding to its side (None where it gives none), and the findings it denies."""

    present: dict[str, Side | None]
    absent: frozenset[str]


def _side(clause: str) -> Side | None:
    found = {side for pattern, side in _SIDES if pattern.search(clause)}
    if not found:
        return None
    return "both" if len(found) > 1 or "both" in found else next(iter(found))


def _together(one: Side | None, other: Side | None) -> Side | None:
    if one is None or other is None or one == other:
        return one or other
    return "both"


def extract(report: str) -> Stated:
    """Findings that a report states and denies."""
    present: dict[str, Side | None] = {}
    absent: set[str] = set()
    for clause in _CLAUSE.split(report):
        told = _SUGGESTED.sub(" ", clause)
        denial = _DENIAL.search(told)
        limit = denial.start() if denial else len(told)
        back = _BUT.search(told, limit) if denial else None
        side = _side(told)
        for pattern, labels in _PATTERNS:
            for match in list(pattern.finditer(told)):
                denied = match.start() > limit and not (back and match.start() > back.start())
                if denied:
                    absent.update(labels)
                else:
                    for label in labels:
                        present[label] = _together(present[label], side) if label in present else side
            told = pattern.sub(lambda m: "_" * len(m.group()), told)
    return Stated(present, frozenset(absent - set(present)))


def is_chinese(text: str) -> bool:
    """Whether a report is written in Chinese."""
    return len(re.findall(r"[㐀-鿿]", text)) > len(re.findall(r"[a-zA-Z]", text)) / 4


def stated_sides(findings: Iterable[tuple[Iterable[str], Side | None]]) -> dict[str, Side | None]:
    """Label to side of painted findings `(labels, side)`, several of one label together."""
    out: dict[str, Side | None] = {}
    for labels, side in findings:
        for label in labels:
            out[label] = _together(out[label], side) if label in out else side
    return out
