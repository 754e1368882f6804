"""The 55-drug vocabulary of the cohort and prescribing rules drawn from guideline practice.

Chosen as what respiratory wards give most: antibacterials, antivirals, antifungals, antituberculous drugs, bronchodilators, steroids,
antifibrotics, anticoagulants, heart failure and pulmonary hypertension drugs, lung cancer drugs, and supportive medicines.
"""

from dataclasses import dataclass

VOCABULARY: tuple[str, ...] = (
    "amoxicillin-clavulanate",
    "ceftriaxone",
    "cefoperazone-sulbactam",
    "piperacillin-tazobactam",
    "meropenem",
    "azithromycin",
    "doxycycline",
    "levofloxacin",
    "moxifloxacin",
    "vancomycin",
    "linezolid",
    "amikacin",
    "metronidazole",
    "trimethoprim-sulfamethoxazole",
    "clarithromycin",
    "oseltamivir",
    "nirmatrelvir-ritonavir",
    "remdesivir",
    "voriconazole",
    "itraconazole",
    "liposomal-amphotericin-b",
    "isoniazid",
    "rifampicin",
    "pyrazinamide",
    "ethambutol",
    "salbutamol",
    "ipratropium",
    "tiotropium",
    "indacaterol-glycopyrronium",
    "budesonide-formoterol",
    "montelukast",
    "prednisone",
    "methylprednisolone",
    "dexamethasone",
    "mycophenolate",
    "pirfenidone",
    "nintedanib",
    "nerandomilast",
    "enoxaparin",
    "rivaroxaban",
    "warfarin",
    "furosemide",
    "spironolactone",
    "bisoprolol",
    "sildenafil",
    "macitentan",
    "osimertinib",
    "carboplatin",
    "pemetrexed",
    "pembrolizumab",
    "acetylcysteine",
    "ambroxol",
    "omeprazole",
    "morphine",
    "potassium-chloride",
)

PENICILLINS = frozenset({"amoxicillin-clavulanate", "piperacillin-tazobactam"})
FLUOROQUINOLONES = frozenset({"levofloxacin", "moxifloxacin"})
MACROLIDES = frozenset({"azithromycin", "clarithromycin"})
# Cockcroft-Gault clearance (mL/min) under which the cohort's prescribers avoid the drug.
RENAL_FLOOR = {
    "enoxaparin": 15,
    "rivaroxaban": 15,
    "amikacin": 30,
    "spironolactone": 30,
    "pemetrexed": 45,
    "nirmatrelvir-ritonavir": 30,
    "metformin": 30,
}


@dataclass(frozen=True)
class Prescription:
    """Drugs that a patient received.

    Attributes:
        drugs: Ids of `VOCABULARY`, sorted.
        deviations: What departs from guideline practice, in words; empty when it follows it.
    """

    drugs: tuple[str, ...]
    deviations: tuple[str, ...] = ()


def allowed(drug: str, allergies: tuple[str, ...], clearance: float, pregnant: bool) -> bool:
    """Whether a careful prescriber would give the drug to this patient."""
    if "penicillin" in allergies and drug in PENICILLINS:
        return False
    if "fluoroquinolone" in allergies and drug in FLUOROQUINOLONES:
        return False
    if "macrolide" in allergies and drug in MACROLIDES:
        return False
    if "sulfonamide" in allergies and drug == "trimethoprim-sulfamethoxazole":
        return False
    if pregnant and drug in {"doxycycline", "warfarin", "mycophenolate", "macitentan", "voriconazole", *FLUOROQUINOLONES}:
        return False
    return clearance >= RENAL_FLOOR.get(drug, 0)
