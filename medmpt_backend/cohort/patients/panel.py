"""The laboratory panel of the cohort: 100 tests driven by a few latent processes, and blood gases that obey physiology.

Reference limits are adult SI values in common use (for example Tietz; WS/T 404/405 in China). A value is drawn around the middle of its
interval and moved by the latent processes of the disease, so that tests are correlated as they are in patients.
"""

from dataclasses import dataclass, field

import numpy as np

Latents = dict[str, float]

# Latent processes: inflammation, bacterial, viral, renal, hepatic, cholestasis, anaemia, cardiac, clot, eosinophil, necrosis (LDH), tumour,
# autoimmune, muscle, diabetes, nutrition, adrenal_salt (SIADH), fibrosis (KL-6), fungal, tuberculosis, thyroid, bone, lipid, iron.


@dataclass(frozen=True)
class LabTest:
    """One test of the panel.

    Attributes:
        id: Canonical lower-case name.
        unit: UCUM unit.
        low: Lower reference limit.
        high: Upper reference limit.
        pull: How many half-intervals one unit of each latent moves the value (log scale where `log`).
        log: Whether the value is log-normal.
        ward: How often it is measured on a general ward; sicker patients get more.
        decimals: Decimals reported.
    """

    id: str
    unit: str
    low: float
    high: float
    pull: dict[str, float] = field(default_factory=dict)
    log: bool = False
    ward: float = 0.5
    decimals: int = 1


def _t(id: str, unit: str, low: float, high: float, ward: float, decimals: int, log: bool = False, **pull: float) -> LabTest:
    return LabTest(id, unit, low, high, pull, log, ward, decimals)


PANEL: tuple[LabTest, ...] = (
    # Blood count
    _t("leukocytes", "10*9/L", 3.5, 9.5, 0.98, 1, True, bacterial=1.3, inflammation=0.35, viral=-0.35),
    _t("neutrophils", "10*9/L", 1.8, 6.3, 0.98, 1, True, bacterial=1.5, inflammation=0.45, viral=-0.2),
    _t("lymphocytes", "10*9/L", 1.1, 3.2, 0.98, 2, True, viral=-1.4, inflammation=-0.6, autoimmune=-0.2),
    _t("monocytes", "10*9/L", 0.1, 0.6, 0.97, 2, True, inflammation=0.3, tuberculosis=0.6),
    _t("eosinophils", "10*9/L", 0.02, 0.52, 0.97, 2, True, eosinophil=1.5, bacterial=-0.8),
    _t("basophils", "10*9/L", 0.0, 0.06, 0.9, 2, False, eosinophil=0.5),
    _t("haemoglobin", "g/L", 115, 175, 0.98, 0, False, anaemia=-1.6, nutrition=-0.3, hypoxia=0.35),
    _t("haematocrit", "%", 35, 50, 0.95, 1, False, anaemia=-1.6, hypoxia=0.35),
    _t("erythrocytes", "10*12/L", 3.8, 5.8, 0.95, 2, False, anaemia=-1.5, hypoxia=0.35),
    _t("mcv", "fL", 82, 100, 0.95, 1, False, iron=-1.2),
    _t("mch", "pg", 27, 34, 0.95, 1, False, iron=-1.2),
    _t("mchc", "g/L", 316, 354, 0.9, 0, False, iron=-0.8),
    _t("rdw", "%", 11.5, 14.5, 0.9, 1, False, iron=0.8, anaemia=0.7),
    _t("platelets", "10*9/L", 125, 350, 0.98, 0, True, inflammation=0.45, viral=-0.6, iron=0.3),
    _t("mpv", "fL", 7.6, 12.0, 0.6, 1),
    # Inflammation
    _t("crp", "mg/L", 0.5, 8.0, 0.9, 1, True, inflammation=1.5, bacterial=0.9),
    _t("procalcitonin", "ng/mL", 0.02, 0.05, 0.55, 2, True, bacterial=3.4, renal=0.5),
    _t("esr", "mm/h", 2, 20, 0.5, 0, True, inflammation=1.0, autoimmune=0.9, tuberculosis=0.8),
    _t("interleukin_6", "pg/mL", 1.0, 7.0, 0.25, 1, True, inflammation=1.6, bacterial=0.8),
    _t("ferritin", "ug/L", 20, 300, 0.35, 0, True, inflammation=0.9, viral=0.6, iron=-1.6, hepatic=0.4),
    _t("serum_amyloid_a", "mg/L", 1, 10, 0.3, 1, True, inflammation=1.6),
    # Renal and electrolytes
    _t("urea", "mmol/L", 2.9, 8.2, 0.97, 1, True, renal=1.2, bacterial=0.25),
    _t("creatinine", "umol/L", 45, 104, 0.97, 0, True, renal=1.3),
    _t("urate", "umol/L", 150, 420, 0.8, 0, False, renal=0.6),
    _t("cystatin_c", "mg/L", 0.6, 1.1, 0.4, 2, True, renal=1.1),
    _t("sodium", "mmol/L", 137, 147, 0.97, 0, False, adrenal_salt=-1.9, bacterial=-0.25),
    _t("potassium", "mmol/L", 3.5, 5.3, 0.97, 1, False, renal=0.8),
    _t("chloride", "mmol/L", 99, 110, 0.97, 0, False, adrenal_salt=-1.4, co2=-0.9),
    _t("calcium", "mmol/L", 2.1, 2.6, 0.9, 2, False, granuloma=0.7, bone=0.9, nutrition=-0.6),
    _t("phosphate", "mmol/L", 0.85, 1.5, 0.7, 2, False, renal=0.7, bacterial=-0.4),
    _t("magnesium", "mmol/L", 0.75, 1.02, 0.7, 2, False, nutrition=-0.4),
    _t("bicarbonate_serum", "mmol/L", 22, 29, 0.8, 1, False, co2=1.2, renal=-0.6),
    # Liver
    _t("alt", "U/L", 9, 50, 0.95, 0, True, hepatic=1.3, viral=0.3),
    _t("ast", "U/L", 13, 40, 0.95, 0, True, hepatic=1.2, muscle=0.8, viral=0.4),
    _t("alp", "U/L", 45, 125, 0.9, 0, True, cholestasis=1.2, bone=0.8),
    _t("ggt", "U/L", 7, 60, 0.9, 0, True, cholestasis=1.4, hepatic=0.4),
    _t("bilirubin_total", "umol/L", 3, 21, 0.95, 1, True, cholestasis=1.1, hepatic=0.4),
    _t("bilirubin_direct", "umol/L", 0.5, 7, 0.9, 1, True, cholestasis=1.2),
    _t("albumin", "g/L", 40, 55, 0.95, 1, False, nutrition=-1.4, inflammation=-0.9),
    _t("globulin", "g/L", 20, 40, 0.9, 1, False, autoimmune=0.9, tuberculosis=0.4),
    _t("total_protein", "g/L", 65, 85, 0.9, 1, False, nutrition=-0.9, autoimmune=0.4),
    _t("prealbumin", "mg/L", 180, 400, 0.5, 0, False, nutrition=-1.4, inflammation=-0.9),
    _t("cholinesterase", "kU/L", 4.3, 11.2, 0.5, 1, False, nutrition=-1.0),
    _t("bile_acids", "umol/L", 0.5, 10, 0.5, 1, True, cholestasis=1.0),
    # Enzymes and heart
    _t("ldh", "U/L", 120, 250, 0.8, 0, True, necrosis=1.4, viral=0.4, tumour=0.4),
    _t("ck", "U/L", 50, 310, 0.6, 0, True, muscle=1.8),
    _t("ck_mb", "U/L", 2, 24, 0.5, 1, True, cardiac=0.5, muscle=0.7),
    _t("troponin_i", "ng/L", 1, 26, 0.5, 1, True, cardiac=1.4, clot=0.5),
    _t("nt_probnp", "ng/L", 15, 300, 0.5, 0, True, cardiac=2.0, clot=0.5, renal=0.5, pressure=1.2),
    _t("myoglobin", "ug/L", 20, 80, 0.3, 0, True, muscle=1.3),
    _t("aldolase", "U/L", 1, 7.6, 0.1, 1, True, muscle=1.1),
    _t("hbdh", "U/L", 72, 182, 0.4, 0, True, necrosis=1.1),
    # Coagulation
    _t("d_dimer", "mg/L", 0.05, 0.5, 0.6, 2, True, clot=2.3, inflammation=0.7, tumour=0.5),
    _t("fibrinogen", "g/L", 2.0, 4.0, 0.7, 2, False, inflammation=1.4),
    _t("inr", "1", 0.85, 1.15, 0.7, 2, True, hepatic=0.5, nutrition=0.3),
    _t("aptt", "s", 25, 37, 0.7, 1, False, hepatic=0.3),
    _t("thrombin_time", "s", 14, 21, 0.6, 1),
    _t("fdp", "mg/L", 0.5, 5, 0.4, 1, True, clot=1.6, inflammation=0.4),
    _t("antithrombin", "%", 75, 125, 0.3, 0, False, clot=-0.6, hepatic=-0.5),
    # Metabolism
    _t("glucose", "mmol/L", 3.9, 6.1, 0.95, 1, True, diabetes=1.6, bacterial=0.4),
    _t("hba1c", "%", 4.0, 6.0, 0.4, 1, False, diabetes=2.6),
    _t("lactate", "mmol/L", 0.5, 1.7, 0.4, 1, True, shock=1.7, bacterial=0.3),
    _t("cholesterol", "mmol/L", 3.0, 5.2, 0.7, 2, False, lipid=1.0, nutrition=-0.6),
    _t("triglycerides", "mmol/L", 0.4, 1.7, 0.7, 2, True, lipid=1.0),
    _t("hdl_cholesterol", "mmol/L", 1.0, 1.9, 0.6, 2, False, inflammation=-0.4),
    _t("ldl_cholesterol", "mmol/L", 1.6, 3.4, 0.6, 2, False, lipid=1.0),
    # Tumour markers
    _t("cea", "ug/L", 0.5, 5.0, 0.45, 1, True, tumour=1.9, fibrosis=0.3),
    _t("cyfra21_1", "ug/L", 0.5, 3.3, 0.4, 1, True, tumour=1.5, fibrosis=0.2),
    _t("nse", "ug/L", 5, 16.3, 0.4, 1, True, small_cell=1.8, tumour=0.3),
    _t("pro_grp", "ng/L", 15, 65, 0.3, 0, True, small_cell=2.4, renal=0.4),
    _t("scc_antigen", "ug/L", 0.3, 1.5, 0.35, 1, True, squamous=1.9),
    _t("ca125", "kU/L", 4, 35, 0.3, 1, True, tumour=1.0, effusion=0.9),
    _t("ca19_9", "kU/L", 2, 37, 0.3, 1, True, tumour=0.5, cholestasis=0.5),
    _t("afp", "ug/L", 0.8, 7, 0.3, 1, True, hepatic=0.3),
    # Immunology and fibrosis
    _t("ige_total", "kU/L", 5, 100, 0.3, 0, True, eosinophil=1.2, abpa=2.6),
    _t("iga", "g/L", 0.8, 4.2, 0.3, 2, False, autoimmune=0.5),
    _t("igg", "g/L", 7.5, 16, 0.3, 1, False, autoimmune=1.1),
    _t("igm", "g/L", 0.5, 2.5, 0.3, 2, False),
    _t("c3", "g/L", 0.8, 1.6, 0.25, 2, False, inflammation=0.5, autoimmune=-0.4),
    _t("c4", "g/L", 0.1, 0.4, 0.25, 2, False, autoimmune=-0.4),
    _t("rheumatoid_factor", "kU/L", 2, 20, 0.25, 0, True, autoimmune=1.8),
    _t("ana_titre", "1", 10, 80, 0.25, 0, True, autoimmune=2.0),
    _t("anti_ccp", "kU/L", 2, 17, 0.15, 0, True, autoimmune=1.5),
    _t("ace", "U/L", 15, 65, 0.15, 0, True, granuloma=1.5),
    _t("kl_6", "kU/L", 150, 500, 0.2, 0, True, fibrosis=1.5),
    # Infection tests
    _t("beta_d_glucan", "ng/L", 5, 60, 0.25, 0, True, fungal=2.2, pneumocystis=2.8),
    _t("galactomannan_index", "1", 0.05, 0.5, 0.2, 2, True, fungal=2.0),
    _t("igra_tb_antigen", "kU/L", 0.01, 0.35, 0.25, 2, True, tuberculosis=3.0),
    _t("mycoplasma_titre", "1", 10, 80, 0.2, 0, True, atypical=2.0),
    _t("asl_o", "kU/L", 20, 200, 0.15, 0, True),
    _t("cd4_count", "10*6/L", 450, 1400, 0.1, 0, True, immunodeficiency=-2.6),
    # Endocrine and iron
    _t("tsh", "mU/L", 0.35, 4.9, 0.25, 2, True, thyroid=0.8),
    _t("free_t4", "pmol/L", 9, 19, 0.25, 1),
    _t("vitamin_d", "nmol/L", 50, 125, 0.15, 0, True, nutrition=-0.6),
    _t("iron", "umol/L", 9, 30, 0.2, 1, True, iron=-1.3, inflammation=-0.8),
    _t("transferrin_saturation", "%", 20, 50, 0.15, 0, False, iron=-1.4, inflammation=-0.6),
    # Blood gases: replaced by `blood_gas`
    _t("ph", "1", 7.35, 7.45, 0.5, 2),
    _t("paco2", "mm[Hg]", 35, 45, 0.5, 0),
    _t("pao2", "mm[Hg]", 80, 100, 0.5, 0),
    _t("bicarbonate_arterial", "mmol/L", 22, 26, 0.5, 1),
)
GASES = ("ph", "paco2", "pao2", "bicarbonate_arterial")


def draw_labs(rng: np.random.Generator, latents: Latents, gas: dict[str, float], acuity: float) -> dict[str, float | None]:
    """One set of results; None where the ward did not send the test.

    Args:
        rng: Source of randomness.
        latents: Strength of each latent process; absent means 0.
        gas: The blood gas of the same moment.
        acuity: 0 outpatient to 1 intensive care; decides how many tests are sent.
    """
    values: dict[str, float] = {}
    sent: dict[str, bool] = {}
    for test in PANEL:
        shift = sum(strength * latents.get(name, 0.0) for name, strength in test.pull.items()) + 0.42 * rng.standard_normal()
        if test.id in GASES:
            value = gas[test.id]
        elif test.log:
            low = max(test.low, test.high / 60, 1e-3)
            value = float(np.sqrt(low * test.high) * np.exp(shift * 0.5 * np.log(test.high / low)))
        else:
            value = (test.low + test.high) / 2 + shift * (test.high - test.low) / 2
        sent[test.id] = bool(rng.random() < np.clip(test.ward + 0.35 * (acuity - 0.35), 0.02, 0.99))
        values[test.id] = max(value, 0.0)
    _derive(values)
    return {test.id: round(values[test.id], test.decimals) if sent[test.id] else None for test in PANEL}


def _derive(v: dict[str, float]) -> None:
    """Replace what an analyser computes from other values by that computation, so that sums and ratios agree."""
    v["leukocytes"] = sum(v[part] for part in ("neutrophils", "lymphocytes", "monocytes", "eosinophils", "basophils"))
    v["total_protein"] = v["albumin"] + v["globulin"]
    # Red cell indices: erythrocytes in 10*12/L, haemoglobin in g/L, haematocrit in %.
    v["erythrocytes"] = 10 * v["haematocrit"] / v["mcv"]
    v["haemoglobin"] = v["mch"] * v["erythrocytes"]
    v["mchc"] = 100 * v["haemoglobin"] / v["haematocrit"]
    v["bilirubin_direct"] = min(v["bilirubin_direct"], 0.9 * v["bilirubin_total"])
    v["ck_mb"] = min(v["ck_mb"], 0.5 * v["ck"])
    v["bicarbonate_serum"] = v["bicarbonate_arterial"] + 1.0
    # Friedewald et al., Clin Chem 1972;18:499, in mmol/L.
    v["cholesterol"] = v["ldl_cholesterol"] + v["hdl_cholesterol"] + v["triglycerides"] / 2.2


def blood_gas(rng: np.random.Generator, shunt: float, hypercapnia: float, shock: float, fio2: float) -> dict[str, float]:
    """A blood gas consistent with its FiO2.

    Alveolar gas equation at sea level: PAO2 = FiO2 (760 - 47) - PaCO2 / 0.8. Henderson-Hasselbalch: pH = 6.1 + log10(HCO3 / (0.03 PaCO2)).

    Args:
        rng: Source of randomness.
        shunt: 0 healthy to 1 severe impairment of oxygenation.
        hypercapnia: 0 to 1, chronic with renal compensation.
        shock: 0 to 1, adds a metabolic acidosis.
        fio2: Inspired oxygen fraction.
    """
    paco2 = 39 + 32 * hypercapnia - 7 * shunt * (1 - hypercapnia) - 4 * shock + rng.normal(0, 1.6)
    bicarbonate = 24.5 + 0.33 * max(0.0, paco2 - 40) - 9 * shock + rng.normal(0, 0.9)
    alveolar = fio2 * (760 - 47) - paco2 / 0.8
    # Impairment takes a growing share of the alveolar tension; a healthy adult loses about 10 mmHg on air.
    pao2 = alveolar * (1 - 0.09 - 0.62 * shunt) + rng.normal(0, 2.5)
    ph = 6.1 + np.log10(bicarbonate / (0.03 * paco2))
    return {"ph": float(ph), "paco2": float(paco2), "pao2": float(max(28.0, pao2)), "bicarbonate_arterial": float(bicarbonate)}


def saturation(pao2: float) -> float:
    """Oxygen saturation in %, from PaO2 in mmHg (Severinghaus, J Appl Physiol 1979;46:599)."""
    return 100.0 / (23400.0 / (pao2**3 + 150.0 * pao2) + 1.0)
