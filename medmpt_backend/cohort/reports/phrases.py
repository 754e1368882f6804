"""Phrases of the reports: per finding the sentences of the findings section and the words of the impression.

`{loc}` is a region of the lungs (`the right lower lobe`, `both lungs`), `{adj}` the same before a noun (`right lower lobe`, `bilateral`),
`{side}` a side, `{mm}` a size in whole millimetres; a capital gives a capital.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrase:
    """How one kind of finding is reported.

    Attributes:
        rank: Order of importance; lower is mentioned first and kept when space is short.
        en: English sentences of the findings section.
        zh: Chinese ones.
        short_en: Words of the impression; empty where the finding is not repeated there.
        short_zh: Chinese ones.
    """

    rank: int
    en: tuple[str, ...]
    zh: tuple[str, ...]
    short_en: str = ""
    short_zh: str = ""


# Key: painter id (`truth.MEANS`); `nodules` and `halos` stand for several.
PHRASES: dict[str, Phrase] = {
    "pneumothorax": Phrase(
        1,
        ("{Side} pneumothorax, {mm} mm deep.", "Air in the {side} pleural space up to {mm} mm."),
        ("{side}胸腔见无肺纹理透亮区，深约{mm}mm。", "{side}气胸，宽约{mm}mm。"),
        "{side} pneumothorax",
        "{side}气胸",
    ),
    "pulmonary_embolus": Phrase(
        1,
        ("Filling defect in the {side} pulmonary artery.", "{Side} pulmonary artery embolus."),
        ("{side}肺动脉内见充盈缺损。", "{side}肺动脉可见栓子充盈缺损影。"),
        "{side} pulmonary embolism",
        "{side}肺动脉栓塞",
    ),
    "mass": Phrase(
        2,
        ("A {mm} mm mass in {loc}.", "{Adj} mass measuring {mm} mm."),
        ("{loc}见肿块影，大小约{mm}mm。", "{loc}肿块，最大径约{mm}mm。"),
        "{adj} mass",
        "{loc}肿块",
    ),
    "consolidation": Phrase(
        3,
        ("Consolidation in {loc}.", "{Adj} consolidation with air bronchograms."),
        ("{loc}见实变影。", "{loc}实变，内见支气管充气征。"),
        "{adj} consolidation",
        "{loc}实变",
    ),
    "cavity": Phrase(
        3,
        ("A {mm} mm cavity in {loc}.", "{Adj} cavitary lesion, {mm} mm."),
        ("{loc}见空洞，直径约{mm}mm。", "{loc}空洞性病变，约{mm}mm。"),
        "{adj} cavity",
        "{loc}空洞",
    ),
    "crazy_paving": Phrase(
        4,
        ("Crazy-paving pattern in {loc}.", "Ground-glass with septal thickening (crazy paving) in {loc}."),
        ("{loc}见铺路石征。", "{loc}磨玻璃影伴小叶间隔增厚，呈铺路石样。"),
        "crazy paving in {loc}",
        "{loc}铺路石征",
    ),
    "ground_glass": Phrase(
        4,
        ("Ground-glass opacities in {loc}.", "{Adj} ground-glass opacity."),
        ("{loc}见磨玻璃影。", "{loc}可见片状磨玻璃密度影。"),
        "{adj} ground-glass opacities",
        "{loc}磨玻璃影",
    ),
    "honeycombing": Phrase(
        3,
        ("Honeycombing in {loc}.", "Subpleural honeycombing in {loc}."),
        ("{loc}见蜂窝影。", "{loc}胸膜下蜂窝样改变。"),
        "honeycombing",
        "蜂窝影",
    ),
    "reticulation": Phrase(
        4,
        ("Reticulation in {loc}.", "{Adj} subpleural reticulation."),
        ("{loc}见网状影。", "{loc}胸膜下网格影。"),
        "{adj} fibrosis",
        "{loc}间质纤维化",
    ),
    "traction_bronchiectasis": Phrase(6, ("Traction bronchiectasis in {loc}.",), ("{loc}牵拉性支气管扩张。",)),
    "nodules_miliary": Phrase(
        2,
        ("Innumerable miliary nodules in {loc}.", "Diffuse miliary nodules in {loc}."),
        ("{loc}弥漫粟粒结节。", "{loc}见弥漫分布粟粒样结节影。"),
        "miliary nodules",
        "{loc}粟粒结节",
    ),
    "nodules_perilymphatic": Phrase(
        4, ("Perilymphatic nodules in {loc}.",), ("{loc}见淋巴道周围分布小结节。",), "perilymphatic nodules", "{loc}淋巴道周围结节"
    ),
    "nodules_centrilobular": Phrase(
        4, ("Centrilobular nodules in {loc}.",), ("{loc}见小叶中心结节。",), "centrilobular nodules", "{loc}小叶中心结节"
    ),
    "tree_in_bud": Phrase(
        5,
        ("Tree-in-bud opacities in {loc}.", "{Adj} tree-in-bud pattern."),
        ("{loc}见树芽征。", "{loc}可见树芽样小结节影。"),
        "{adj} bronchiolitis",
        "{loc}细支气管炎",
    ),
    "halo_sign": Phrase(
        3, ("{mm} mm nodule with halo sign in {loc}.",), ("{loc}结节伴晕征，约{mm}mm。",), "{adj} nodule with halo", "{loc}结节伴晕征"
    ),
    "halos": Phrase(
        3,
        ("Nodules with halo sign in {loc}, up to {mm} mm.",),
        ("{loc}多发结节伴晕征，大者约{mm}mm。",),
        "nodules with halo",
        "{loc}多发结节伴晕征",
    ),
    "nodule_part_solid": Phrase(
        3,
        ("{mm} mm part-solid nodule in {loc}.", "{Adj} part-solid nodule, {mm} mm."),
        ("{loc}见部分实性结节，约{mm}mm。", "{loc}混合磨玻璃结节，直径约{mm}mm。"),
        "{adj} part-solid nodule",
        "{loc}部分实性结节",
    ),
    "nodule_ground_glass": Phrase(
        4,
        ("{mm} mm ground-glass nodule in {loc}.", "{Adj} pure ground-glass nodule, {mm} mm."),
        ("{loc}见磨玻璃结节，约{mm}mm。", "{loc}纯磨玻璃结节，直径约{mm}mm。"),
        "{adj} ground-glass nodule",
        "{loc}磨玻璃结节",
    ),
    "nodule_solid": Phrase(
        4,
        ("{mm} mm solid nodule in {loc}.", "{Adj} solid nodule, {mm} mm."),
        ("{loc}见实性结节，约{mm}mm。", "{loc}实性结节，直径约{mm}mm。"),
        "{adj} nodule",
        "{loc}结节",
    ),
    "nodules": Phrase(
        3, ("Multiple solid nodules in {loc}, up to {mm} mm.",), ("{loc}多发实性结节，大者约{mm}mm。",), "multiple nodules", "{loc}多发结节"
    ),
    "nodule_perifissural": Phrase(8, ("{mm} mm perifissural nodule in {loc}.",), ("{loc}叶间裂旁结节，约{mm}mm。",)),
    "granuloma_calcified": Phrase(9, ("Calcified granuloma in {loc}, {mm} mm.",), ("{loc}钙化灶，约{mm}mm。",)),
    "emphysema": Phrase(5, ("Emphysema in {loc}.", "{Adj} emphysema."), ("{loc}肺气肿。", "{loc}见肺气肿改变。"), "emphysema", "肺气肿"),
    "bulla": Phrase(6, ("Bulla in {loc}, {mm} mm.",), ("{loc}肺大疱，约{mm}mm。",), "bulla", "肺大疱"),
    "cysts": Phrase(6, ("Thin-walled cysts in {loc}.",), ("{loc}多发薄壁囊腔。",)),
    "bronchiectasis": Phrase(
        4,
        ("Bronchiectasis in {loc}.", "{Adj} bronchiectasis with wall thickening."),
        ("{loc}支气管扩张。", "{loc}支气管扩张，管壁增厚。"),
        "{adj} bronchiectasis",
        "{loc}支气管扩张",
    ),
    "peribronchial_thickening": Phrase(
        7,
        ("Peribronchial thickening in {loc}.", "Bronchial walls thickened in {loc}."),
        ("{loc}支气管壁增厚。",),
        "bronchial wall thickening",
        "支气管壁增厚",
    ),
    "mosaic_attenuation": Phrase(
        6, ("Mosaic attenuation in {loc}.",), ("{loc}呈马赛克密度。", "{loc}密度不均，呈马赛克征。"), "mosaic attenuation", "马赛克密度"
    ),
    "interlobular_septal_thickening": Phrase(
        5, ("Interlobular septal thickening in {loc}.",), ("{loc}小叶间隔增厚。",), "septal thickening", "小叶间隔增厚"
    ),
    "pulmonary_fibrotic_sequela": Phrase(
        8,
        ("Fibrotic bands in {loc}.", "{Adj} fibrotic strands."),
        ("{loc}见纤维条索影。", "{loc}少许纤维条索灶。"),
        "fibrotic sequelae",
        "{loc}陈旧性纤维灶",
    ),
    "atelectasis": Phrase(
        7, ("{Adj} atelectasis.", "Band atelectasis in {loc}."), ("{loc}肺不张。", "{loc}见条带状膨胀不全。"), "atelectasis", "肺不张"
    ),
    "pleural_effusion": Phrase(
        4,
        ("{Side} pleural effusion, {mm} mm deep.", "{Side} pleural fluid up to {mm} mm."),
        ("{side}胸腔积液，深约{mm}mm。", "{side}胸腔见液性密度影，厚约{mm}mm。"),
        "{side} pleural effusion",
        "{side}胸腔积液",
    ),
    "pleural_effusion_loculated": Phrase(
        3,
        ("Loculated {side} pleural effusion, {mm} mm.",),
        ("{side}包裹性胸腔积液，厚约{mm}mm。",),
        "loculated {side} effusion",
        "{side}包裹性积液",
    ),
    "pleural_thickening": Phrase(8, ("{Side} pleural thickening.",), ("{side}胸膜增厚。",), "{side} pleural thickening", "{side}胸膜增厚"),
    "pleural_plaque": Phrase(7, ("{Side} calcified pleural plaques.",), ("{side}胸膜斑伴钙化。",), "pleural plaques", "胸膜斑"),
    "lymphadenopathy": Phrase(
        4,
        ("Enlarged mediastinal lymph nodes, short axis {mm} mm.", "Lymphadenopathy up to {mm} mm."),
        ("纵隔淋巴结肿大，短径约{mm}mm。", "纵隔及肺门见肿大淋巴结，短径约{mm}mm。"),
        "lymphadenopathy",
        "淋巴结肿大",
    ),
    "cardiomegaly": Phrase(7, ("Cardiomegaly.", "The heart is enlarged."), ("心影增大。", "心脏增大。"), "cardiomegaly", "心影增大"),
    "enlarged_pulmonary_artery": Phrase(
        6,
        ("Main pulmonary artery enlarged to {mm} mm.",),
        ("肺动脉干增宽，约{mm}mm。",),
        "enlarged pulmonary artery",
        "肺动脉增宽",
    ),
    "pericardial_effusion": Phrase(7, ("Pericardial effusion, {mm} mm.",), ("心包积液，厚约{mm}mm。",), "pericardial effusion", "心包积液"),
    "coronary_artery_calcification": Phrase(
        9, ("Coronary calcification.", "Calcified coronary arteries."), ("冠状动脉钙化。", "冠脉壁见钙化。")
    ),
    "arterial_wall_calcification": Phrase(10, ("Aortic wall calcification.",), ("主动脉壁钙化。",)),
    "hiatal_hernia": Phrase(9, ("Hiatal hernia.",), ("食管裂孔疝。",)),
    "medical_material": Phrase(9, ("Medical device in place.", "Indwelling medical device."), ("体内见医疗器材影。", "可见体内置入物。")),
    "rib_fracture": Phrase(3, ("{Side} rib fractures.",), ("{side}肋骨骨折。",), "{side} rib fractures", "{side}肋骨骨折"),
    "bone_metastasis": Phrase(3, ("Destructive vertebral lesion, {mm} mm.",), ("椎体骨质破坏，约{mm}mm。",), "bone metastasis", "骨转移"),
    "thyroid_nodule": Phrase(10, ("{Side} thyroid nodule, {mm} mm.",), ("甲状腺{side}结节，约{mm}mm。",)),
    "adrenal_mass": Phrase(
        8, ("{Side} adrenal mass, {mm} mm.",), ("{side}肾上腺肿块，约{mm}mm。",), "{side} adrenal mass", "{side}肾上腺肿块"
    ),
}

# Negatives: label of `medmpt_backend.findings` -> English and Chinese; stated only where the label is 0.
NEGATIVES: dict[str, tuple[str, str]] = {
    "pleural_effusion": ("pleural effusion", "胸腔积液"),
    "pneumothorax": ("pneumothorax", "气胸"),
    "lymphadenopathy": ("lymphadenopathy", "肿大淋巴结"),
    "consolidation": ("consolidation", "实变"),
    "lung_nodule": ("nodule", "结节"),
    "pericardial_effusion": ("pericardial effusion", "心包积液"),
}

# What a radiologist may suggest for a disease.
SUGGESTION: dict[str, tuple[str, str]] = {
    "cap_lobar": ("lobar pneumonia", "大叶性肺炎"),
    "bronchopneumonia": ("bronchopneumonia", "支气管肺炎"),
    "legionella": ("atypical pneumonia such as Legionella", "非典型肺炎（军团菌）"),
    "aspiration": ("aspiration pneumonia", "吸入性肺炎"),
    "covid": ("COVID-19 pneumonia", "新型冠状病毒肺炎"),
    "viral": ("viral pneumonia", "病毒性肺炎"),
    "pneumocystis": ("Pneumocystis pneumonia", "肺孢子菌肺炎"),
    "aspergillosis": ("invasive aspergillosis", "侵袭性肺曲霉病"),
    "abpa": ("allergic bronchopulmonary aspergillosis", "变应性支气管肺曲霉病"),
    "tuberculosis": ("active tuberculosis", "活动性肺结核"),
    "miliary_tb": ("miliary tuberculosis", "粟粒性肺结核"),
    "tb_sequelae": ("old tuberculosis", "陈旧性肺结核"),
    "ntm": ("non-tuberculous mycobacterial disease", "非结核分枝杆菌肺病"),
    "abscess_empyema": ("lung abscess or empyema", "肺脓肿或脓胸"),
    "copd": ("COPD", "慢性阻塞性肺疾病"),
    "copd_exacerbation": ("COPD with airway infection", "慢阻肺合并感染"),
    "asthma": ("airways disease", "气道疾病"),
    "ipf": ("UIP pattern", "普通型间质性肺炎"),
    "fibrotic_hp": ("fibrotic hypersensitivity pneumonitis", "纤维化性过敏性肺炎"),
    "nsip_ctd": ("NSIP", "非特异性间质性肺炎"),
    "organising": ("organising pneumonia", "机化性肺炎"),
    "sarcoidosis": ("sarcoidosis", "结节病"),
    "pneumoconiosis": ("pneumoconiosis", "尘肺"),
    "drug_pneumonitis": ("drug-induced pneumonitis", "药物性肺炎"),
    "checkpoint": ("treatment-related pneumonitis with lung cancer", "肺癌伴免疫治疗相关肺炎"),
    "heart_failure": ("pulmonary oedema", "肺水肿"),
    "ards": ("ARDS", "急性呼吸窘迫综合征"),
    "pulmonary_hypertension": ("pulmonary hypertension", "肺动脉高压"),
    "lung_cancer_early": ("lung cancer", "肺癌"),
    "lung_cancer_advanced": ("lung cancer", "肺癌"),
    "metastases": ("metastases", "转移瘤"),
    "trauma": ("contusion", "外伤性改变"),
    "post_resection": ("postoperative change", "术后改变"),
}
