"""The one list of CT findings: id, English and Chinese name, and the mapping to CT-RATE's 18 labels.

CT-RATE: Hamamci et al., "Developing generalist foundation models from a multimodal dataset for 3D computed tomography", arXiv 2403.17834.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FindingName:
    """One finding.

    Attributes:
        id: Snake-case id, used everywhere.
        en: English name.
        zh: Chinese name.
        ct_rate: The CT-RATE label it corresponds to, None where that vocabulary has none.
    """

    id: str
    en: str
    zh: str
    ct_rate: str | None = None


_ROWS: tuple[tuple[str, str, str, str | None], ...] = (
    ("medical_material", "Medical material", "体内医疗器材", "Medical material"),
    ("arterial_wall_calcification", "Arterial wall calcification", "动脉壁钙化", "Arterial wall calcification"),
    ("cardiomegaly", "Cardiomegaly", "心影增大", "Cardiomegaly"),
    ("pericardial_effusion", "Pericardial effusion", "心包积液", "Pericardial effusion"),
    ("coronary_calcification", "Coronary artery wall calcification", "冠状动脉钙化", "Coronary artery wall calcification"),
    ("hiatal_hernia", "Hiatal hernia", "食管裂孔疝", "Hiatal hernia"),
    ("lymphadenopathy", "Lymphadenopathy", "淋巴结肿大", "Lymphadenopathy"),
    ("emphysema", "Emphysema", "肺气肿", "Emphysema"),
    ("atelectasis", "Atelectasis", "肺不张", "Atelectasis"),
    ("lung_nodule", "Lung nodule", "肺结节", "Lung nodule"),
    ("lung_opacity", "Lung opacity", "肺部模糊影", "Lung opacity"),
    ("fibrotic_sequela", "Pulmonary fibrotic sequela", "肺纤维化后遗改变", "Pulmonary fibrotic sequela"),
    ("pleural_effusion", "Pleural effusion", "胸腔积液", "Pleural effusion"),
    ("mosaic_attenuation", "Mosaic attenuation pattern", "马赛克密度", "Mosaic attenuation pattern"),
    ("peribronchial_thickening", "Peribronchial thickening", "支气管壁增厚", "Peribronchial thickening"),
    ("consolidation", "Consolidation", "肺实变", "Consolidation"),
    ("bronchiectasis", "Bronchiectasis", "支气管扩张", "Bronchiectasis"),
    ("septal_thickening", "Interlobular septal thickening", "小叶间隔增厚", "Interlobular septal thickening"),
    # Finer than CT-RATE: each maps to the label that a CT-RATE reader would have chosen.
    ("ground_glass", "Ground-glass opacity", "磨玻璃影", "Lung opacity"),
    ("reticulation", "Reticulation", "网状影", "Pulmonary fibrotic sequela"),
    ("honeycombing", "Honeycombing", "蜂窝影", "Pulmonary fibrotic sequela"),
    ("mass", "Lung mass", "肺部肿块", "Lung nodule"),
    ("tree_in_bud", "Tree-in-bud pattern", "树芽征", "Lung opacity"),
    ("cavity", "Cavity", "空洞", None),
    ("pneumothorax", "Pneumothorax", "气胸", None),
    ("bulla", "Bulla", "肺大疱", "Emphysema"),
    ("air_trapping", "Air trapping", "空气潴留", "Mosaic attenuation pattern"),
    ("crazy_paving", "Crazy-paving pattern", "铺路石征", "Lung opacity"),
    ("solid_nodule", "Solid nodule", "实性结节", "Lung nodule"),
    ("part_solid_nodule", "Part-solid nodule", "部分实性结节", "Lung nodule"),
    ("ground_glass_nodule", "Ground-glass nodule", "磨玻璃结节", "Lung nodule"),
    ("perifissural_nodule", "Perifissural nodule", "叶间裂旁结节", "Lung nodule"),
    ("calcified_granuloma", "Calcified granuloma", "钙化灶", "Lung nodule"),
    ("halo_sign", "Nodule with halo sign", "结节伴晕征", "Lung nodule"),
    ("centrilobular_nodules", "Centrilobular nodules", "小叶中心结节", "Lung nodule"),
    ("perilymphatic_nodules", "Perilymphatic nodules", "淋巴道周围结节", "Lung nodule"),
    ("miliary_nodules", "Miliary nodules", "粟粒结节", "Lung nodule"),
    ("cysts", "Lung cysts", "肺囊肿", None),
    ("traction_bronchiectasis", "Traction bronchiectasis", "牵拉性支气管扩张", "Bronchiectasis"),
    ("loculated_effusion", "Loculated pleural effusion", "包裹性胸腔积液", "Pleural effusion"),
    ("pleural_thickening", "Pleural thickening", "胸膜增厚", None),
    ("pleural_plaque", "Pleural plaques", "胸膜斑", None),
    ("pulmonary_embolus", "Pulmonary embolus", "肺动脉栓子", None),
    ("enlarged_pulmonary_artery", "Enlarged pulmonary artery", "肺动脉增宽", None),
    ("enlarged_right_ventricle", "Enlarged right ventricle", "右心室增大", None),
    ("mucus_plugs", "Mucus plugs", "黏液栓", None),
    ("hamartoma", "Hamartoma", "错构瘤", "Lung nodule"),
    ("rib_fracture", "Rib fracture", "肋骨骨折", None),
    ("bone_metastasis", "Bone metastasis", "骨转移", None),
    ("thyroid_nodule", "Thyroid nodule", "甲状腺结节", None),
    ("adrenal_mass", "Adrenal mass", "肾上腺肿块", None),
)
FINDINGS: dict[str, FindingName] = {row[0]: FindingName(*row) for row in _ROWS}
# The rows that are CT-RATE's own labels, in its order.
COARSE: tuple[str, ...] = tuple(row[0] for row in _ROWS[:18])
FINE: tuple[str, ...] = tuple(row[0] for row in _ROWS[18:])
# Findings of the middle, which have no side.
MIDLINE = frozenset(
    {
        "cardiomegaly",
        "pericardial_effusion",
        "coronary_calcification",
        "arterial_wall_calcification",
        "hiatal_hernia",
        "lymphadenopathy",
        "medical_material",
        "enlarged_pulmonary_artery",
    }
)


def finding(finding_id: str) -> FindingName:
    """The finding of an id; a label that is not in the list is its own name."""
    known = FINDINGS.get(finding_id)
    return known or FindingName(finding_id, finding_id.replace("_", " "), finding_id.replace("_", " "))


def to_ct_rate(probabilities: dict[str, float]) -> dict[str, float]:
    """CT-RATE label to the largest probability among the findings that map to it."""
    out: dict[str, float] = {}
    for finding_id, probability in probabilities.items():
        label = finding(finding_id).ct_rate
        if label is not None:
            out[label] = max(out.get(label, 0.0), probability)
    return out
