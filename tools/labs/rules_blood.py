"""Pattern rules on blood count, clotting, heart markers, calcium and allergy."""

from collections.abc import Callable

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.labs.panel import Panel, Pattern, Reference, pattern, quantity

_WORDS = patterns("tools.labs")

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
        both = pair("Haemoglobin is low and iron deficiency anaemia is likely because ferritin is low.")
        return pattern(p, "anaemia", "iron deficiency anaemia", *both, uses, _IDA)
    if mcv is None:
        return None
    kind, kind_zh = pair("microcytic") if p.low("mcv") else pair("macrocytic") if p.high("mcv") else pair("normocytic")
    need = pair("is needed") if ferritin is None else pair("must be read with the inflammation in mind")
    return pattern(
        p,
        "anaemia",
        f"{kind} anaemia",
        *pair(
            "The anaemia is {kind} by mean cell volume; ferritin {need}.",
            kind=(kind, kind_zh),
            need=need,
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
        said = pair(
            "Eosinophils of at least 0.5 10^9/L with total IgE of at least 500 kU/L fit allergic bronchopulmonary aspergillosis in a "
            "patient with asthma; Aspergillus-specific IgE decides."
        )
        limits = (quantity("eosinophil_limit", 0.5, "10^9/L"), quantity("ige_limit", 500, "kU/L", 0))
        return pattern(p, "eosinophilia-ige", "eosinophilia with high IgE", *said, ("eosinophils", "ige"), _ABPA, *limits)
    if count >= 1.5:
        said = pair(
            "Eosinophils of at least 1.5 10^9/L are hypereosinophilia: drugs, parasites, EGPA and eosinophilic pneumonia need thought."
        )
        limit = quantity("eosinophil_limit", 1.5, "10^9/L")
        return pattern(p, "hypereosinophilia", "hypereosinophilia", *said, ("eosinophils",), _EOS, limit)
    if p.mentions(*_WORDS.words("copd")) and count >= 0.3:
        said = pair("In COPD with exacerbations, blood eosinophils of at least 0.3 10^9/L favour adding an inhaled corticosteroid.")
        limit = quantity("eosinophil_limit", 0.3, "10^9/L")
        return pattern(p, "eosinophils-copd", "eosinophils in COPD", *said, ("eosinophils",), _GOLD, limit)
    return None


def d_dimer(p: Panel) -> Pattern | None:
    """D-dimer against the age-adjusted cut-off."""
    value, age = p.value("d_dimer"), p.case.patient.age_years
    if value is None or age is None or age < 18:
        return None
    # 0.5 mg/L FEU up to 50 years, then age x 0.01 mg/L (Righini 2014).
    limit = 0.5 if age <= 50 else age / 100
    said = (
        pair("D-dimer is not below the age-adjusted cut-off of {limit:.2f} mg/L FEU; it cannot exclude pulmonary embolism.", limit=limit)
        if value >= limit
        else pair(
            "D-dimer is below the age-adjusted cut-off of {limit:.2f} mg/L FEU; with a non-high clinical probability pulmonary embolism "
            "is excluded.",
            limit=limit,
        )
    )
    return pattern(
        p,
        "d-dimer",
        "D-dimer by age",
        *said,
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
        said, limit = pair("NT-proBNP below 300 ng/L makes acute heart failure unlikely."), _NT_PROBNP_RULE_OUT
    elif value > rule_in:
        limit = rule_in
        said = pair(
            "NT-proBNP above {limit:.0f} ng/L makes acute heart failure likely at this age; pneumonia, embolism and kidney failure raise "
            "it too.",
            limit=limit,
        )
    else:
        limit = rule_in
        said = pair("NT-proBNP between 300 and {limit:.0f} ng/L is a grey zone at this age.", limit=limit)
    numbers = (quantity("nt_probnp_limit", limit, "ng/L", 0), quantity("nt_probnp_rule_out", _NT_PROBNP_RULE_OUT, "ng/L", 0))
    return pattern(p, "nt-probnp", "NT-proBNP by age", *said, ("nt_probnp",), _ESC_HF, *numbers)


def troponin(p: Panel) -> Pattern | None:
    """Raised troponin needs a second sample."""
    name = "troponin_i" if p.high("troponin_i") else "troponin_t" if p.high("troponin_t") else None
    if name is None:
        return None
    said = pair("Troponin above the 99th centile is myocardial injury; a rise or fall in a second sample tells acute from chronic.")
    return pattern(p, "troponin", "myocardial injury", *said, (name,), _MI, quantity("centile", 99, "", 0))


def warfarin(p: Panel) -> Pattern | None:
    """INR above the usual target on warfarin."""
    inr = p.value("inr")
    if inr is None or inr <= 3.0 or not p.takes(*_WORDS.words("warfarin")):
        return None
    said = pair("INR is above the usual target of 2.0–3.0 while on warfarin; look for a new interacting drug and for bleeding.")
    limits = (quantity("inr_target_low", 2.0, ""), quantity("inr_target_high", 3.0, ""))
    return pattern(p, "inr-warfarin", "INR above target on warfarin", *said, ("inr",), _WARFARIN, *limits)


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
    said = pair(
        "Hypercalcaemia with a raised angiotensin-converting enzyme fits granulomatous disease such as sarcoidosis; neither is specific."
    )
    return pattern(p, "calcium-ace", "hypercalcaemia with raised ACE", *said, ("calcium", "albumin", "ace"), _SARCOID)


RULES: tuple[Callable[[Panel], Pattern | None], ...] = (anaemia, eosinophils, d_dimer, heart_failure, troponin, warfarin, granulomatous)
