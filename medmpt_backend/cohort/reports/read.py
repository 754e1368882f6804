"""Read a report back: which findings it states or denies, on which side, in which lobes and how large.

Works on reports of the cohort and on texts that a model learned from them. Suggested diagnoses are not findings and are skipped.
"""

import re
from dataclasses import dataclass

from medmpt_backend.cohort.findings import Side
from medmpt_backend.cohort.reports.words import lobes_of
from medmpt_backend.cohort.truth import MEANS


@dataclass(frozen=True)
class Mention:
    """One finding that a report speaks of.

    Attributes:
        key: Painter id, or a label id where the text says no more (`lung_nodule`).
        labels: Ids of `medmpt_backend.findings`.
        present: False for a denied finding.
        side: None where the sentence names none.
        lobes: Lobes named; empty where none are.
        mm: Size; None where none is given.
        impression: Whether it stands in the impression.
    """

    key: str
    labels: tuple[str, ...]
    present: bool
    side: Side | None
    lobes: frozenset[str]
    mm: float | None
    impression: bool


# Key -> pattern; read in this order, and what one pattern has read is gone for the next.
TERMS: tuple[tuple[str, str], ...] = (
    ("thyroid_nodule", r"thyroid nodule|nodule in the \w+ thyroid lobe|甲状腺(?:左侧|右侧|双侧)?叶?结节"),
    ("adrenal_mass", r"adrenal mass|肾上腺(?:见)?肿块"),
    ("nodule_perifissural", r"perifissural nodules?|叶间裂旁小?结节"),
    ("granuloma_calcified", r"calcified (?:granuloma|nodule)s?|钙化结节|(?:致密)?钙化灶"),
    ("halo_sign", r"nodules?[^.;]*?halo(?: sign)?|结节[^。；]*?晕征"),
    ("nodule_part_solid", r"part-solid nodules?|部分实性结节|混合磨玻璃结节"),
    ("nodule_ground_glass", r"ground-glass nodules?|(?:纯)?磨玻璃结节"),
    ("nodules_miliary", r"miliary nodules?|粟粒样?结节"),
    (
        "nodules_perilymphatic",
        r"perilymphatic nodules?|small nodules[^.;]*?perilymphatic|小结节，呈淋巴道周围分布|淋巴道周围(?:分布小)?结节",
    ),
    ("nodules_centrilobular", r"centrilobular nodules?|小叶中心性?结节"),
    ("tree_in_bud", r"tree-in-bud(?: nodules| opacities| pattern)?|bronchiolitis|树芽样小结节|树芽征|细支气管炎"),
    ("crazy_paving", r"crazy[- ]paving|铺路石"),
    ("ground_glass", r"ground-glass|磨玻璃"),
    ("pulmonary_embolus", r"filling defect|embol(?:us|ism)|充盈缺损|栓塞|栓子"),
    ("enlarged_pulmonary_artery", r"(?:main )?pulmonary artery enlarged|(?:enlarged|dilated)(?: main)? pulmonary artery|肺动脉干?增宽"),
    ("enlarged_right_ventricle", r"enlarged right ventricle|right ventricle is wider|right ventricular enlargement|右心室增大"),
    ("mucus_plugs", r"mucus plugs?|黏液栓(?!塞)"),
    ("hamartoma", r"hamartoma|错构瘤"),
    ("pneumothorax", r"pneumothorax|air in the \w+ pleural space|气胸|无肺纹理透亮区|积气"),
    ("pleural_effusion_loculated", r"loculated [\w ]*effusion|包裹性(?:胸腔)?积液"),
    ("pericardial_effusion", r"pericardial (?:effusion|fluid)|心包腔?(?:见)?积液"),
    ("pleural_effusion", r"pleural (?:effusion|fluid)|胸腔(?:见)?(?:少量|中等量|大量)?积液|液性密度影"),
    ("pleural_plaque", r"pleural plaques?|胸膜斑"),
    ("pleural_thickening", r"pleural thickening|胸膜(?:局部)?增厚"),
    ("mass", r"\bmass\b|肿块"),
    ("nodule_solid", r"solid nodules?|nodule in [\w ]+, solid|实性结节"),
    ("lung_nodule", r"\bnodules?\b|结节"),
    ("cavity", r"cavit(?:y|ary)|空洞"),
    ("honeycombing", r"honeycombing|蜂窝"),
    ("traction_bronchiectasis", r"traction bronchiectasis|牵拉性支气管扩张"),
    ("bronchiectasis", r"bronchiectasis|支气管扩张|支气管呈柱状扩张"),
    ("peribronchial_thickening", r"peribronchial thickening|bronchial walls? thicken(?:ed|ing)|支气管管?壁增厚"),
    ("reticulation", r"reticulation|reticular|\bfibrosis\b|网状影|网格|间质纤维化"),
    ("pulmonary_fibrotic_sequela", r"fibrotic (?:bands|strands|sequelae)|条索|陈旧性纤维灶|纤维灶"),
    ("interlobular_septal_thickening", r"septal thickening|小叶间隔(?:光滑)?增厚"),
    ("mosaic_attenuation", r"mosaic attenuation|马赛克"),
    ("emphysema", r"emphysema(?:tous)?|肺气肿"),
    ("bulla", r"\bbulla\b|肺大疱"),
    ("cysts", r"thin-walled (?:lung )?cysts|lung cysts|薄壁(?:含气)?囊腔"),
    ("consolidation", r"consolidation|实变"),
    ("atelectasis", r"atelectasis|肺不张|膨胀不全"),
    ("lymphadenopathy", r"lymphadenopathy|enlarged mediastinal lymph nodes|淋巴结肿大|肿大淋巴结"),
    ("cardiomegaly", r"cardiomegaly|heart is enlarged|enlarged heart|心影增大|心脏(?:体积)?增大"),
    (
        "coronary_artery_calcification",
        r"coronary (?:artery )?calcification|calcified coronary arteries|冠状动脉(?:走行区见)?钙化|冠脉壁见钙化",
    ),
    ("arterial_wall_calcification", r"aortic (?:wall )?calcification|calcified aortic wall|主动脉壁?见?钙化"),
    ("hiatal_hernia", r"hiatal hernia|食管裂孔疝"),
    ("medical_material", r"medical device|医疗器材|置入物"),
    ("rib_fracture", r"rib fractures?|肋骨骨折|肋骨骨质不连续"),
    ("bone_metastasis", r"vertebral (?:bone )?lesion|bone metastasis|骨质破坏|骨转移"),
)
# "Right" is part of the name.
_NO_SIDE = {"enlarged_right_ventricle"}
_SUGGESTS = re.compile(r"^(?:consider|suggests|favour|compatible with)\b|^(?:考虑|提示|符合)|可能大$|^lung-rads", re.IGNORECASE)
_DENIES = re.compile(r"^(?:no|there is no|no evidence of|without)\b|^(?:未见|无|未发现)", re.IGNORECASE)
_MM = re.compile(r"(\d+(?:\.\d+)?) ?mm", re.IGNORECASE)
_READ = tuple((key, re.compile(pattern, re.IGNORECASE)) for key, pattern in TERMS)


def read_report(text: str) -> tuple[Mention, ...]:
    """Every finding that a report states or denies, in the order of the text."""
    before, _, after = re.sub(r"^(?:Findings: |影像所见：)", "", text).partition("印象：" if "印象：" in text else "Impression: ")
    out: list[Mention] = []
    for part, impression in ((before, False), (after, True)):
        for sentence in re.split(r"[。；;]|\.(?= |$)", part):
            told = re.sub(r"^\d+\.\s*", "", sentence.strip())
            if told and not _SUGGESTS.search(told) and not told.isdigit():
                out += _sentence(told, impression)
    return tuple(out)


def labels_of(text: str) -> dict[str, bool]:
    """Label id -> stated (True) or denied (False); absent labels are not spoken of. Stated wins over denied."""
    out: dict[str, bool] = {}
    for mention in read_report(text):
        for label in mention.labels:
            out[label] = out.get(label, False) or mention.present
    return out


def _sentence(text: str, impression: bool) -> list[Mention]:
    side, lobes = lobes_of(text)
    sizes = _MM.findall(text)
    present = not _DENIES.search(text)
    found: list[tuple[int, str]] = []
    left = text
    for key, pattern in _READ:
        for match in pattern.finditer(left):
            found.append((match.start(), key))
        left = pattern.sub(lambda m: "·" * len(m.group()), left)
    # A comparison names the old size first.
    mm = float(sizes[-1]) if sizes else None
    return [Mention(key, _labels(key), present, None if key in _NO_SIDE else side, lobes, mm, impression) for _, key in sorted(found)]


def _labels(key: str) -> tuple[str, ...]:
    return MEANS.get(key, (key,))
