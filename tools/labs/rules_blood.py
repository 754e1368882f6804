"""Pattern rules on blood count, clotting, heart markers, calcium and allergy."""

from collections.abc import Callable

from retrieval.messages.catalogue import messages
from tools.labs.panel import Panel, Pattern, Reference, pattern, quantity

pair = messages("tools.labs").pair

_IDA = Reference("BSG: Guidelines for the management of iron deficiency anaemia in adults, doi:10.1136/gutjnl-2021-325210", 2021)
_MCV = Reference("National Health Commission of China, WS/T 405: Reference intervals for blood cell analysis", 2012)
_GOLD = Reference("GOLD: Global strategy for prevention, diagnosis and management of COPD, 2026 report", 2026)
_ABPA = Reference("ISHAM: Revised guidelines on allergic bronchopulmonary aspergillosis, doi:10.1183/13993003.00061-2024", 2024)
_EOS = Reference("Valent P et al.: Contemporary consensus proposal on eosinophilic disorders, J Allergy Clin Immunol 130:607", 2012)
_ADJUST = Reference(
    "Righini M et al.: Age-adjusted D-dimer cutoff levels to rule out pulmonary embolism, JAMA 311:1117, doi:10.1001/jama.2014.2135", 2014
)
_ESC_HF = Reference(
    "ESC: Guidelines for the diagnosis and treatment of acute and chronic heart failure, doi:10.1093/eurheartj/ehab368", 2021
)
_MI = Reference("Fourth universal definition of myocardial infarction", 2018)
_WARFARIN = Reference("British Society for Haematology: Guidelines on oral anticoagulation with warfarin, fourth edition", 2011)
_SARCOID = Reference("ATS: Diagnosis and detection of sarcoidosis, doi:10.1164/rccm.202002-0251ST", 2020)
# Acute heart failure is likely above these NT-proBNP values, ng/L, by age (ESC 2021; upper age exclusive).
_NT_PROBNP_RULE_IN = ((50.0, 450.0), (75.0, 900.0), (200.0, 1800.0))
_NT_PROBNP_RULE_OUT = 300.0


def anaemia(p: Panel) -> Pattern | None:
    """Type of anaemia by cell volume, with iron stores where known."""
    if not p.low("haemoglobin"):
        return None
    mcv, ferritin = p.value("mcv"), p.value("ferritin")
    uses = ("haemoglobin", "mcv", "ferritin")
    # Ferritin below 30 ug/L confirms absent or low stores; with inflammation below 100 still allows it (BSG 2021).
    if ferritin is not None and ferritin < 30:
        text, zh = pair("iron deficiency anaemia is likely because ferritin is low")
        return pattern(p, "anaemia", "iron deficiency anaemia", *pair("Haemoglobin is low and {text}.", text=(text, zh)), uses, _IDA)
    if mcv is None:
        return None
    kind, kind_zh = pair("microcytic") if p.low("mcv") else pair("macrocytic") if p.high("mcv") else pair("normocytic")
    need = "is needed" if ferritin is None else "must be read with the inflammation in mind"
    return pattern(
        p,
        "anaemia",
        f"{kind} anaemia",
        *pair(
            "The anaemia is {kind} by mean cell volume; ferritin {need}.",
            kind=(kind, kind_zh),
            need=(need, "需查铁蛋白" if ferritin is None else "解读铁蛋白时须考虑炎症影响"),
        ),
        uses,
        _MCV,
    )


def eosinophils(p: Panel) -> Pattern | None:
    """Eosinophils: hypereosinophilia, allergic aspergillosis hint, steroid response in COPD."""
    count, ige = p.value("eosinophils"), p.value("ige")
    if count is None:
        return None
    if count >= 0.5 and ige is not None and ige >= 500:
        text = (
            "Eosinophils of at least 0.5 10^9/L with total IgE of at least 500 kU/L fit allergic bronchopulmonary aspergillosis in a "
            "patient with asthma; Aspergillus-specific IgE decides."
        )
        zh = "嗜酸性粒细胞 ≥ 0.5 10^9/L 且总 IgE ≥ 500 kU/L，在哮喘患者中符合变应性支气管肺曲霉病表现；需查曲霉特异性 IgE。"
        limits = (quantity("eosinophil_limit", 0.5, "10^9/L"), quantity("ige_limit", 500, "kU/L", 0))
        return pattern(p, "eosinophilia-ige", "eosinophilia with high IgE", text, zh, ("eosinophils", "ige"), _ABPA, *limits)
    if count >= 1.5:
        text = "Eosinophils of at least 1.5 10^9/L are hypereosinophilia: drugs, parasites, EGPA and eosinophilic pneumonia need thought."
        zh = "嗜酸性粒细胞 ≥ 1.5 10^9/L 为高嗜酸性粒细胞增多：需考虑药物、寄生虫、EGPA 及嗜酸性粒细胞性肺炎。"
        limit = quantity("eosinophil_limit", 1.5, "10^9/L")
        return pattern(p, "hypereosinophilia", "hypereosinophilia", text, zh, ("eosinophils",), _EOS, limit)
    if p.mentions("copd", "慢性阻塞性肺", "慢阻肺", "chronic obstructive") and count >= 0.3:
        text = "In COPD with exacerbations, blood eosinophils of at least 0.3 10^9/L favour adding an inhaled corticosteroid."
        zh = "慢阻肺有急性加重者，血嗜酸性粒细胞 ≥ 0.3 10^9/L 支持加用吸入性糖皮质激素。"
        limit = quantity("eosinophil_limit", 0.3, "10^9/L")
        return pattern(p, "eosinophils-copd", "eosinophils in COPD", text, zh, ("eosinophils",), _GOLD, limit)
    return None


def d_dimer(p: Panel) -> Pattern | None:
    """D-dimer against the age-adjusted cut-off."""
    value, age = p.value("d_dimer"), p.case.patient.age_years
    if value is None or age is None or age < 18:
        return None
    # 0.5 mg/L FEU up to 50 years, then age x 0.01 mg/L (Righini 2014).
    limit = 0.5 if age <= 50 else age / 100
    over = value >= limit
    return pattern(
        p,
        "d-dimer",
        "D-dimer by age",
        f"D-dimer is {'not below' if over else 'below'} the age-adjusted cut-off of {limit:.2f} mg/L FEU"
        + ("; it cannot exclude pulmonary embolism." if over else "; with a non-high clinical probability pulmonary embolism is excluded."),
        f"D-二聚体{'不低于' if over else '低于'}年龄校正界值 {limit:.2f} mg/L FEU"
        + ("，不能排除肺栓塞。" if over else "，若临床可能性非高度则可排除肺栓塞。"),
        ("d_dimer",),
        _ADJUST,
        quantity("d_dimer_limit", limit, "mg/L", 2),
    )


def heart_failure(p: Panel) -> Pattern | None:
    """NT-proBNP in acute breathlessness by age."""
    value, age = p.value("nt_probnp"), p.case.patient.age_years
    if value is None or age is None or age < 18:
        return None
    rule_in = next(limit for upper, limit in _NT_PROBNP_RULE_IN if age < upper)
    if value < _NT_PROBNP_RULE_OUT:
        text, zh, limit = *pair("below 300 ng/L makes acute heart failure unlikely"), _NT_PROBNP_RULE_OUT
    elif value > rule_in:
        text = f"above {rule_in:.0f} ng/L makes acute heart failure likely at this age; pneumonia, embolism and kidney failure raise it too"
        zh, limit = f"高于 {rule_in:.0f} ng/L，该年龄急性心力衰竭可能性大；肺炎、肺栓塞和肾衰竭也可使其升高", rule_in
    else:
        text, zh, limit = (
            *pair("between 300 and {rule_in:.0f} ng/L is a grey zone at this age", rule_in=rule_in),
            rule_in,
        )
    numbers = (quantity("nt_probnp_limit", limit, "ng/L", 0), quantity("nt_probnp_rule_out", _NT_PROBNP_RULE_OUT, "ng/L", 0))
    return pattern(p, "nt-probnp", "NT-proBNP by age", f"NT-proBNP {text}.", f"NT-proBNP {zh}。", ("nt_probnp",), _ESC_HF, *numbers)


def troponin(p: Panel) -> Pattern | None:
    """Raised troponin needs a second sample."""
    name = "troponin_i" if p.high("troponin_i") else "troponin_t" if p.high("troponin_t") else None
    if name is None:
        return None
    text = "Troponin above the 99th centile is myocardial injury; a rise or fall in a second sample tells acute from chronic."
    zh = "肌钙蛋白高于第 99 百分位提示心肌损伤；需复查动态变化以区分急性与慢性。"
    return pattern(p, "troponin", "myocardial injury", text, zh, (name,), _MI, quantity("centile", 99, "", 0))


def warfarin(p: Panel) -> Pattern | None:
    """INR above the usual target on warfarin."""
    inr = p.value("inr")
    if inr is None or inr <= 3.0 or not p.takes("warfarin", "华法林"):
        return None
    text = "INR is above the usual target of 2.0–3.0 while on warfarin; look for a new interacting drug and for bleeding."
    zh = "服用华法林期间 INR 高于常用目标 2.0–3.0；应查找新加用的相互作用药物及出血。"
    limits = (quantity("inr_target_low", 2.0, ""), quantity("inr_target_high", 3.0, ""))
    return pattern(p, "inr-warfarin", "INR above target on warfarin", text, zh, ("inr",), _WARFARIN, *limits)


def granulomatous(p: Panel) -> Pattern | None:
    """Hypercalcaemia with raised ACE."""
    calcium = p.value("calcium")
    albumin = p.value("albumin")
    if calcium is None or not p.high("ace"):
        return None
    # Adjusted calcium: +0.02 mmol/L per g/L of albumin below 40 (Payne 1973).
    adjusted = calcium + (0.02 * (40 - albumin) if albumin is not None else 0.0)
    if adjusted <= 2.6:
        return None
    text = "Hypercalcaemia with a raised angiotensin-converting enzyme fits granulomatous disease such as sarcoidosis; neither is specific."
    zh = "高钙血症伴血管紧张素转换酶升高，符合结节病等肉芽肿性疾病；两者均不特异。"
    return pattern(p, "calcium-ace", "hypercalcaemia with raised ACE", text, zh, ("calcium", "albumin", "ace"), _SARCOID)


RULES: tuple[Callable[[Panel], Pattern | None], ...] = (anaemia, eosinophils, d_dimer, heart_failure, troponin, warfarin, granulomatous)
