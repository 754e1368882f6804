"""The phrases of the reports, from the records of findings and of diseases."""

from functools import cache

from medmpt_backend.findings import FINDINGS, PAINTED, Phrase

ORGANS: tuple[str, ...] = ("lung", "airway", "pleura", "mediastinum", "heart", "other")


@cache
def phrases() -> dict[str, Phrase]:
    """Every kind of finding, by painter id; several of a kind by the id of their phrase."""
    found = [(key, f.painted) for key, f in PAINTED.items() if f.painted is not None]
    return {key: p.report for key, p in found} | {p.several.id: p.several for _, p in found if p.several is not None}


# Negatives: label of `medmpt_backend.findings` -> English and Chinese; stated only where the label is 0.
NEGATIVES: dict[str, tuple[str, str]] = {
    key: denied.words for denied, key in sorted(((f.denied, f.id) for f in FINDINGS.values() if f.denied), key=lambda pair: pair[0].order)
}

# What a radiologist may suggest for a disease, in words that no finding uses.
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
