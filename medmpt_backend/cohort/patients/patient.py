"""Draw one virtual patient: who, how ill, on which scan, with which results and treatment."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from medmpt_backend.cohort import findings as f
from medmpt_backend.cohort.anatomy import LLL, LUL, RLL, RML, RUL, Canvas, Habitus, heart_distance
from medmpt_backend.cohort.findings.base import record
from medmpt_backend.cohort.patients.diseases import BY_ID, DISEASES, Disease
from medmpt_backend.cohort.patients.drugs import Prescription, allowed
from medmpt_backend.cohort.patients.panel import blood_gas, draw_labs, saturation
from medmpt_backend.cohort.thorax import Scan

BACKGROUND = {
    "hypertension": 0.3,
    "diabetes": 0.15,
    "coronary artery disease": 0.12,
    "chronic kidney disease": 0.06,
    "COPD": 0.06,
    "atrial fibrillation": 0.05,
}
ALLERGIES = {"penicillin": 0.06, "sulfonamide": 0.02, "fluoroquinolone": 0.01, "macrolide": 0.008}


# Share of scans with electrodes, clasps or buttons on the skin.
SKIN_METAL = 0.3
# Chronic diseases that a second illness meets often.
COEXISTING = ("copd", "bronchiectasis", "tb_sequelae", "heart_failure", "asthma", "pneumoconiosis", "ipf")


@dataclass(frozen=True)
class VirtualPatient:
    """One patient without the images.

    Attributes:
        disease: Disease id.
        severity: 0..1.
        age: Years.
        sex: Sex.
        height_cm: Height.
        weight_kg: Weight.
        pack_years: Pack-years smoked; 0 for never smokers.
        quit_years: Years since quitting; None for current and never smokers.
        pregnant: Whether pregnant.
        symptoms: Presenting symptoms.
        duration_days: Since when.
        comorbidities: Known conditions.
        allergies: Recorded allergies.
        vitals: Temperature, heart rate, respiratory rate, blood pressure, SpO2, FiO2, GCS.
        labs: Panel of `panel.PANEL`; None where not measured.
        lung_function: FEV1, FVC and DLCO in % predicted; None where not done.
        clearance: Cockcroft-Gault, mL/min.
        prescription: What was given.
        screening: Whether the scan is a low-dose lung cancer screening.
        coexisting: Further diseases that are painted, at lower severity.
    """

    disease: str
    severity: float
    age: int
    sex: Literal["male", "female"]
    height_cm: float
    weight_kg: float
    pack_years: float
    quit_years: float | None
    pregnant: bool
    symptoms: tuple[str, ...]
    duration_days: float
    comorbidities: tuple[str, ...]
    allergies: tuple[str, ...]
    vitals: dict[str, float]
    labs: dict[str, float | None]
    lung_function: dict[str, float | None]
    clearance: float
    prescription: Prescription
    screening: bool = False
    coexisting: tuple[str, ...] = ()


def draw_patient(rng: np.random.Generator, disease: str | None = None) -> VirtualPatient:
    """Draw a patient, of one disease or of the department's mix."""
    d = BY_ID[disease] if disease else _pick(rng)
    severity = float(np.clip(rng.beta(1.6, 1.8), 0.03, 1.0))
    sex: Literal["male", "female"] = "male" if rng.random() < d.male else "female"
    age = int(np.clip(rng.normal(*d.age), 18, 92))
    height = float(rng.normal(170 if sex == "male" else 158, 6.5))
    weight = float(np.clip(rng.normal(24 - 3 * (d.latents.get("nutrition", 0) * severity), 3.4), 15.5, 42) * (height / 100) ** 2)
    smoked = rng.random() < d.smoker
    pack_years = float(np.clip(rng.gamma(3.2, 10), 2, 120)) if smoked else 0.0
    quit = float(rng.integers(1, 25)) if smoked and rng.random() < 0.5 else None
    if d.id == "screening":
        age, pack_years, quit = int(np.clip(age, 50, 80)), max(pack_years, 20.0), None if quit is None else min(quit, 15.0)
    screening = d.id == "screening" or (d.id == "lung_cancer_early" and eligible(age, pack_years, quit) and rng.random() < 0.7)
    coexisting = _coexisting(rng, d, age)
    pregnant = bool(sex == "female" and 18 <= age <= 42 and rng.random() < 0.02)
    comorbid = {**BACKGROUND, **d.comorbid}
    conditions = tuple(sorted(name for name, p in comorbid.items() if rng.random() < p * (1 if name in d.comorbid else min(1.0, age / 70))))
    allergies = tuple(name for name, p in ALLERGIES.items() if rng.random() < p)
    latents = {k: v * (0.35 + 0.9 * severity) * rng.lognormal(0, 0.25) for k, v in d.latents.items()}
    for other in coexisting:
        latents = {**latents, **{k: latents.get(k, 0) + 0.4 * v for k, v in BY_ID[other].latents.items()}}
    for name, extra in (
        ("diabetes", {"diabetes": 1.1}),
        ("chronic kidney disease", {"renal": 1.1}),
        ("atrial fibrillation", {"cardiac": 0.4}),
    ):
        if name in conditions:
            latents = {**latents, **{k: latents.get(k, 0) + v for k, v in extra.items()}}
    shunt, hypercapnia, shock = (x * severity * rng.uniform(0.6, 1.2) for x in d.gas)
    fio2 = 0.21 if shunt < 0.45 else float(rng.choice([0.28, 0.35, 0.4, 0.6]))
    gas = blood_gas(rng, min(shunt, 0.95), min(hypercapnia, 1.0), shock, fio2)
    acuity = float(np.clip(0.25 + 0.6 * severity * (shunt + shock + 0.3), 0, 1))
    labs = draw_labs(rng, latents, gas, acuity)
    creatinine = labs["creatinine"] or 75.0
    # Cockcroft and Gault, Nephron 1976;16:31; creatinine in umol/L.
    clearance = (140 - age) * weight * (1.23 if sex == "male" else 1.04) / creatinine
    return VirtualPatient(
        disease=d.id,
        severity=severity,
        age=age,
        sex=sex,
        height_cm=round(height, 1),
        weight_kg=round(weight, 1),
        pack_years=round(pack_years, 1),
        quit_years=quit,
        pregnant=pregnant,
        symptoms=tuple(sorted(s for s, p in d.symptoms.items() if rng.random() < p)),
        duration_days=float(np.ceil(rng.gamma(2.0, 2.5 if "fever" in d.symptoms else 40))),
        comorbidities=conditions,
        allergies=allergies,
        vitals=_vitals(rng, latents, gas, shunt, shock, fio2),
        labs=labs,
        lung_function=_lung_function(rng, d, severity),
        clearance=round(float(clearance), 1),
        prescription=_prescribe(rng, d, severity, allergies, float(clearance), pregnant, conditions),
        screening=screening,
        coexisting=coexisting,
    )


def eligible(age: int, pack_years: float, quit_years: float | None) -> bool:
    """Whether a person may be screened for lung cancer by low-dose CT."""
    # US Preventive Services Task Force, JAMA 2021;325:962: age 50-80, 20 pack-years, smoking now or within the past 15 years.
    return 50 <= age <= 80 and pack_years >= 20 and (quit_years is None or quit_years <= 15)


def _coexisting(rng: np.random.Generator, d: Disease, age: int) -> tuple[str, ...]:
    """A second, chronic disease in some patients, more often in the old."""
    others = [name for name in COEXISTING if name != d.id and not d.id.startswith(name)]
    if rng.random() >= 0.04 + 0.14 * min(1.0, age / 75) or d.id == "screening":
        return ()
    return (others[int(rng.integers(len(others)))],)


def _pick(rng: np.random.Generator) -> Disease:
    weights = np.array([d.weight for d in DISEASES])
    return DISEASES[int(rng.choice(len(DISEASES), p=weights / weights.sum()))]


def _vitals(
    rng: np.random.Generator, latents: dict[str, float], gas: dict[str, float], shunt: float, shock: float, fio2: float
) -> dict[str, float]:
    fever = 0.9 * latents.get("inflammation", 0) + 0.5 * latents.get("bacterial", 0) + 0.4 * latents.get("viral", 0)
    return {
        "temperature_c": round(float(np.clip(36.7 + 0.8 * fever + rng.normal(0, 0.3), 35.4, 41)), 1),
        "heart_rate": float(round(np.clip(78 + 10 * fever + 35 * shock + 18 * shunt + rng.normal(0, 8), 48, 165))),
        "respiratory_rate": float(round(np.clip(16 + 14 * shunt + 2 * fever + rng.normal(0, 1.5), 11, 45))),
        "sbp_mmhg": float(round(np.clip(130 - 55 * shock + rng.normal(0, 12), 62, 205))),
        "dbp_mmhg": float(round(np.clip(78 - 30 * shock + rng.normal(0, 8), 35, 115))),
        "spo2_pct": float(round(np.clip(saturation(gas["pao2"]) + rng.normal(0, 0.7), 60, 100))),
        "fio2": fio2,
        "gcs": float(15 - (1 if shock > 0.4 and rng.random() < 0.5 else 0)),
    }


def _lung_function(rng: np.random.Generator, d: Disease, severity: float) -> dict[str, float | None]:
    done = rng.random() < (0.75 if min(d.lung) < -15 else 0.2)
    base = rng.normal(97, 8)
    values = {
        k: round(float(np.clip(base + change * (0.4 + 0.9 * severity) + rng.normal(0, 4), 14, 135)), 0)
        for k, change in zip(("fev1_pct", "fvc_pct", "dlco_pct"), d.lung, strict=True)
    }
    return {k: (v if done else None) for k, v in values.items()}


def _prescribe(
    rng: np.random.Generator,
    d: Disease,
    severity: float,
    allergies: tuple[str, ...],
    clearance: float,
    pregnant: bool,
    conditions: tuple[str, ...],
) -> Prescription:
    """One drug per group, mostly the first allowed; a few departures from good practice, each named."""
    drugs: set[str] = set()
    deviations: list[str] = []
    for group in d.drugs:
        fit = [g for g in group if allowed(g, allergies, clearance, pregnant)]
        if rng.random() < 0.03 and len(fit) < len(group):
            wrong = next(g for g in group if g not in fit)
            drugs.add(wrong)
            deviations.append(f"{wrong} was given although allergy, renal function or pregnancy speaks against it")
            continue
        if rng.random() < 0.05:
            deviations.append(f"none of {', '.join(group)} was given")
            continue
        if fit:
            weights = np.array([3.0, *([1.0] * (len(fit) - 1))])
            drugs.add(fit[int(rng.choice(len(fit), p=weights / weights.sum()))])
    if "atrial fibrillation" in conditions and rng.random() < 0.7:
        drugs.add("warfarin" if rng.random() < 0.3 and not pregnant else "rivaroxaban" if clearance >= 15 else "warfarin")
    if severity > 0.7 and d.gas[0] > 0.4 and rng.random() < 0.5:
        drugs.add("enoxaparin" if clearance >= 15 else "omeprazole")
    if rng.random() < 0.04:
        drugs.add("meropenem")
        deviations.append("meropenem was given without a reason for so broad a spectrum")
    return Prescription(tuple(sorted(drugs)), tuple(deviations))


def draw_habitus(rng: np.random.Generator, patient: VirtualPatient) -> Habitus:
    """Body shape and technique of the patient's scan; these vary without carrying a label."""
    bmi = patient.weight_kg / (patient.height_cm / 100) ** 2
    size = patient.height_cm / 168
    d = BY_ID[patient.disease]
    copd, fibrotic = patient.disease.startswith("copd"), patient.disease in {"ipf", "fibrotic_hp", "nsip_ctd"}
    inflated = 0.16 * patient.severity if copd else -0.14 * patient.severity if fibrotic else rng.normal(0, 0.05)
    pah = patient.disease == "pulmonary_hypertension"
    failing = "heart_failure" in (patient.disease, *patient.coexisting)
    enlarged = 0.07 + 0.18 * patient.severity if failing else float(rng.uniform(0.1, 0.25)) if rng.random() < 0.07 else 0.0
    return Habitus(
        half_width=float(130 * size * rng.normal(1, 0.03) * (1 + 0.003 * (bmi - 23))),
        half_depth=float(91 * size * rng.normal(1, 0.035) * (1 + 0.5 * inflated)),
        apex=float(104 * size),
        base=float(163 * size * (1 + 0.6 * inflated) * rng.normal(1, 0.03)),
        dome=float(np.clip(74 * (1 - 1.2 * inflated) * rng.normal(1, 0.08), 40, 98)),
        fat=float(np.clip(8 + 1.6 * (bmi - 18) * rng.normal(1, 0.15), 4, 48)),
        muscle=float(np.clip(15 * rng.normal(1, 0.12) - 0.06 * max(0, patient.age - 55), 8, 22)),
        heart=float(np.clip(size * rng.normal(1.0, 0.04) + enlarged, 0.84, 1.32)),
        contrast=bool(patient.disease == "pulmonary_embolism" or rng.random() < (0.6 if d.contrast else 0.2)),
        lung_hu=float(rng.normal(-848, 14) - (28 if copd else 0) + 0.35 * (patient.age - 60) * -0.4),
        pa_radius=float(rng.normal(12.6 if patient.sex == "male" else 11.8, 0.9) + (5.5 * patient.severity if pah else 0)),
        aorta_radius=float(rng.normal(15.0, 1.2) + 0.05 * (patient.age - 55)),
        breast=float(np.clip(rng.normal(0.8, 0.25), 0.3, 1.3)) if patient.sex == "female" else 0.0,
    )


# Slices of the chest up to which they count as thick.
_THICK = 64


def draw_scan(rng: np.random.Generator, shape: tuple[int, int, int], habitus: Habitus, low_dose: bool = False) -> Scan:
    """Geometry that covers the thorax, and a random kernel, dose and field of view.

    Thick averaged slices carry little noise: around 8 HU, at low dose about 1.7 times that. Thinner ones of the same dose carry more, as
    the root of their number.
    """
    depth, height, width = shape
    length = habitus.apex + habitus.base + rng.uniform(8, 30)
    field = 2 * (habitus.half_width + habitus.muscle + habitus.fat + 9) * rng.uniform(1.0, 1.12)
    return Scan(
        shape=shape,
        spacing=(float(length / depth), float(field / height), float(field / width)),
        z_top=float(habitus.apex + rng.uniform(5, 20)),
        noise_hu=float(np.clip(rng.lognormal(np.log(8), 0.4) * (1.7 if low_dose else 1.0), 3, 25)) * max(1.0, depth / _THICK) ** 0.5,
        sharpness=float(rng.uniform(0.05, 0.9)),
    )


def paint_patient(rng: np.random.Generator, canvas: Canvas, patient: VirtualPatient) -> tuple[f.PaintedFinding, ...]:
    """The disease, then what ageing, smoking and chance add: confounders that no single disease explains."""
    out = [x for other in patient.coexisting for x in BY_ID[other].paint(rng, canvas, 0.6 * patient.severity)]
    out += BY_ID[patient.disease].paint(rng, canvas, patient.severity)
    painted = {x.id for x in out}
    if patient.pack_years > 15 and "emphysema" not in painted and rng.random() < min(0.6, patient.pack_years / 70):
        out.append(f.emphysema(rng, canvas, amount=float(rng.uniform(0.03, 0.14))))
    if rng.random() < np.clip((patient.age - 48) / 45, 0, 0.75):
        out.append(f.aortic_calcification(rng, canvas, number=int(rng.integers(3, 12))))
    if rng.random() < np.clip((patient.age - 50) / 55, 0, 0.6) or "coronary artery disease" in patient.comorbidities:
        out.append(f.coronary_calcification(rng, canvas, number=int(rng.integers(3, 10))))
    out += _incidental(rng, canvas)
    if rng.random() < SKIN_METAL:
        f.skin_metal(rng, canvas, number=int(rng.integers(1, 6)))
    if cardiothoracic_ratio(canvas.habitus) > CARDIOMEGALY_RATIO:
        out.append(record(canvas, "cardiomegaly", (heart_distance(canvas.grid, canvas.habitus) < 0) & ~canvas.lungs))
    if 2 * canvas.habitus.pa_radius > PULMONARY_ARTERY_MM[patient.sex]:
        out.append(f.mark_pulmonary_artery(canvas))
    return tuple(x for x in out if x.mask.any())


# Upper limit of the diameter of the main pulmonary artery, mm: Truong et al., Circ Cardiovasc Imaging 2012;5:147.
PULMONARY_ARTERY_MM = {"male": 29.0, "female": 27.0}
# Widest heart over widest inner thorax; supine CT shows hearts wider than the 0.5 of the erect film.
CARDIOMEGALY_RATIO = 0.56


def cardiothoracic_ratio(habitus: Habitus) -> float:
    """Transverse extent of the painted heart over the inner width of the thorax."""
    # Extents of the ellipsoids of `anatomy.heart_distance`: ventricles 22 + 60.2 s to the left, right atrium 18 + 34 s to the right.
    return (40 + 94.2 * habitus.heart) / (2 * habitus.half_width)


def _incidental(rng: np.random.Generator, canvas: Canvas) -> list[f.PaintedFinding]:
    """Small findings of no or other importance, each with its own probability."""
    lobe = int(rng.choice((RUL, RML, RLL, LUL, LLL)))
    side: Literal["left", "right"] = "right" if rng.random() < 0.5 else "left"
    out: list[f.PaintedFinding] = []
    if rng.random() < 0.08:
        out.append(f.calcified_granuloma(rng, canvas, lobe=lobe, diameter_mm=float(rng.uniform(4, 8))))
    if rng.random() < 0.07:
        out.append(f.solid_nodule(rng, canvas, lobe=lobe, diameter_mm=float(rng.uniform(4, 8))))
    if rng.random() < 0.06:
        out.append(f.perifissural_nodule(rng, canvas, diameter_mm=float(rng.uniform(4, 8))))
    if rng.random() < 0.1:
        out.append(f.fibrotic_bands(rng, canvas, lobe=lobe, number=2))
    if rng.random() < 0.1:
        out.append(f.atelectasis(rng, canvas, side=side, amount=float(rng.uniform(0.04, 0.1))))
    if rng.random() < 0.06:
        out.append(f.hiatal_hernia(rng, canvas, diameter_mm=float(rng.uniform(30, 60))))
    if rng.random() < 0.07:
        out.append(f.medical_material(rng, canvas, kind="port" if rng.random() < 0.5 else "pacemaker"))
    if rng.random() < 0.04:
        out.append(f.thyroid_nodule(rng, canvas, side=side))
    if rng.random() < 0.03:
        out.append(f.adrenal_mass(rng, canvas, side=side))
    if rng.random() < 0.06:
        out.append(f.pericardial_effusion(rng, canvas, thickness_mm=float(rng.uniform(6, 12))))
    return out
