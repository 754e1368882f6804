"""Diseases of the cohort: what each paints, how it moves laboratory tests, whom it befalls and how it is treated.

Frequencies are plausible for a respiratory department and are not epidemiology; the truth of a virtual patient is what was painted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from medmpt_backend.cohort import findings as f
from medmpt_backend.cohort.anatomy import LLL, LUL, RLL, RML, RUL, Canvas

Painted = tuple[f.PaintedFinding, ...]
Paint = Callable[[np.random.Generator, Canvas, float], Painted]
ALL = (RUL, RML, RLL, LUL, LLL)
UPPER, LOWER = (RUL, LUL), (RLL, LLL)


@dataclass(frozen=True)
class Disease:
    """One disease of the generative model.

    Attributes:
        id: Stable id.
        en: English name.
        zh: Chinese name.
        paint: `(rng, canvas, severity)`; severity is 0..1.
        latents: Strength of each laboratory process at severity 1.
        age: Mean and deviation, years.
        male: Probability of male sex.
        smoker: Probability of a smoking history.
        symptoms: Probability of each symptom.
        gas: Shunt, hypercapnia and shock at severity 1.
        lung: Change of FEV1, FVC and DLCO (% predicted) at severity 1.
        drugs: Groups of alternatives; one drug of each group is given, the first allowed one most often.
        comorbid: Probability of each comorbidity above the background.
        weight: Relative frequency.
        contrast: Whether the study is done with contrast.
    """

    id: str
    en: str
    zh: str
    paint: Paint
    latents: dict[str, float] = field(default_factory=dict)
    age: tuple[float, float] = (60, 15)
    male: float = 0.55
    smoker: float = 0.4
    symptoms: dict[str, float] = field(default_factory=dict)
    gas: tuple[float, float, float] = (0.1, 0.0, 0.0)
    lung: tuple[float, float, float] = (-5, -5, -5)
    drugs: tuple[tuple[str, ...], ...] = ()
    comorbid: dict[str, float] = field(default_factory=dict)
    weight: float = 1.0
    contrast: bool = False


def _side(rng: np.random.Generator) -> str:
    return "right" if rng.random() < 0.55 else "left"


def _lobe(rng: np.random.Generator, lobes: tuple[int, ...] = ALL) -> int:
    return int(lobes[rng.integers(len(lobes))])


def _normal(_: np.random.Generator, __: Canvas, ___: float) -> Painted:
    return ()


def _lobar(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobe = _lobe(rng)
    out: list[f.PaintedFinding] = [
        f.ground_glass(rng, c, lobes=(lobe,), amount=0.3 + 0.5 * s, peripheral=False),
        f.consolidation(rng, c, lobe=lobe, amount=0.2 + 0.6 * s),
    ]
    if rng.random() < 0.3 + 0.4 * s:
        out.append(f.pleural_effusion(rng, c, side="right" if lobe <= RLL else "left", depth_mm=10 + 20 * s))
    return tuple(out)


def _bronchopneumonia(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobes = LOWER if rng.random() < 0.6 else (_lobe(rng), RLL)
    out: list[f.PaintedFinding] = [f.tree_in_bud(rng, c, lobes=lobes, amount=0.3 + 0.3 * s)]
    out += [f.consolidation(rng, c, lobe=n, amount=0.08 + 0.25 * s, patchy=True) for n in sorted(set(lobes))]
    out.append(f.peribronchial_thickening(rng, c, lobes=lobes))
    return tuple(out)


def _legionella(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    first, second = _lobe(rng, UPPER), _lobe(rng, LOWER)
    return (
        f.ground_glass(rng, c, lobes=(first, second), amount=0.4 + 0.3 * s, peripheral=False),
        f.consolidation(rng, c, lobe=first, amount=0.25 + 0.4 * s, patchy=True),
        f.consolidation(rng, c, lobe=second, amount=0.25 + 0.4 * s),
    )


def _aspiration(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    side = (RLL,) if rng.random() < 0.6 else LOWER
    out: list[f.PaintedFinding] = [f.tree_in_bud(rng, c, lobes=side, amount=0.4)]
    out += [f.consolidation(rng, c, lobe=n, amount=0.1 + 0.35 * s) for n in side]
    if rng.random() < 0.35:
        out.append(f.hiatal_hernia(rng, c))
    return tuple(out)


def _covid(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    """Mostly peripheral; one in five looks indeterminate or like another infection."""
    typical = bool(rng.random() < 0.8)
    out: list[f.PaintedFinding] = [f.ground_glass(rng, c, lobes=LOWER if s < 0.3 else ALL, amount=0.12 + 0.45 * s, peripheral=typical)]
    if s > 0.4 and rng.random() < 0.7:
        out.append(f.crazy_paving(rng, c, lobes=LOWER, amount=0.1 + 0.2 * s))
    if rng.random() < 0.1 + 0.4 * s:
        out.append(f.consolidation(rng, c, lobe=_lobe(rng, LOWER), amount=0.05 + 0.12 * s, patchy=True))
    if rng.random() < (0.1 if typical else 0.4):
        out.append(f.diffuse_nodules(rng, c, pattern="centrilobular", density=0.2 + 0.5 * s))
    if rng.random() < 0.12:
        out.append(f.peribronchial_thickening(rng, c, lobes=LOWER))
    return tuple(out)


def _viral(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    """Airway-centred; three in ten are indistinguishable from COVID-19."""
    if rng.random() < 0.3:
        return _covid(rng, c, s)
    out: list[f.PaintedFinding] = [
        f.diffuse_nodules(rng, c, pattern="centrilobular", density=0.3 + s),
        f.ground_glass(rng, c, lobes=ALL, amount=0.08 + 0.3 * s, peripheral=bool(rng.random() < 0.3)),
    ]
    if rng.random() < 0.7:
        out.append(f.peribronchial_thickening(rng, c, lobes=ALL))
    return tuple(out)


def _pneumocystis(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    out: list[f.PaintedFinding] = [f.ground_glass(rng, c, lobes=ALL, amount=0.3 + 0.45 * s, peripheral=bool(rng.random() < 0.15))]
    if rng.random() < 0.3:
        out.append(f.cysts(rng, c, number=int(10 + 20 * s), diameter_mm=11))
    if rng.random() < 0.3:
        out.append(f.crazy_paving(rng, c, lobes=ALL, amount=0.1 + 0.15 * s))
    return tuple(out)


def _aspergillosis(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    out: list[f.PaintedFinding] = [f.halo_nodule(rng, c, lobe=_lobe(rng), diameter_mm=rng.uniform(10, 22)) for _ in range(1 + int(3 * s))]
    if s > 0.5:
        out.append(f.cavity(rng, c, lobe=_lobe(rng, UPPER), diameter_mm=rng.uniform(20, 35), wall_mm=6))
    return tuple(out)


def _abpa(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return (
        f.bronchiectasis(rng, c, lobes=UPPER, widen_mm=2 + 1.5 * s, plugged=0.25),
        f.mucus_plugs(rng, c, lobes=UPPER, share=0.25, dense=bool(rng.random() < 0.4)),
        f.tree_in_bud(rng, c, lobes=UPPER, amount=0.25),
    )


def _tuberculosis(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobe = _lobe(rng, UPPER)
    out: list[f.PaintedFinding] = [
        f.tree_in_bud(rng, c, lobes=(lobe,), amount=0.4 + 0.3 * s),
        f.consolidation(rng, c, lobe=lobe, amount=0.08 + 0.2 * s, patchy=True),
    ]
    if rng.random() < 0.4 + 0.4 * s:
        out.append(f.cavity(rng, c, lobe=lobe, diameter_mm=rng.uniform(18, 40), wall_mm=rng.uniform(3, 7)))
    if rng.random() < 0.3:
        out.append(f.lymphadenopathy(rng, c, stations=("4R", "7"), short_axis_mm=rng.uniform(12, 20)))
    return tuple(out)


def _miliary(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return (f.diffuse_nodules(rng, c, pattern="miliary", density=2 + 4 * s),)


def _tb_sequelae(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobe = _lobe(rng, UPPER)
    return (
        f.fibrotic_bands(rng, c, lobe=lobe, number=3 + int(4 * s)),
        f.calcified_granuloma(rng, c, lobe=lobe, diameter_mm=rng.uniform(5, 11)),
        f.pleural_thickening(rng, c, side="right" if lobe <= RLL else "left", thickness_mm=4 + 3 * s),
    )


def _ntm(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return (
        f.bronchiectasis(rng, c, lobes=(RML, LUL), widen_mm=1.5 + s, plugged=0.2),
        f.tree_in_bud(rng, c, lobes=(RML, LUL, RLL), amount=0.35),
    )


def _abscess(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobe = _lobe(rng, LOWER)
    side = "right" if lobe <= RLL else "left"
    if rng.random() < 0.5:
        return (
            f.cavity(rng, c, lobe=lobe, diameter_mm=rng.uniform(35, 65), wall_mm=6, fluid=True),
            f.ground_glass(rng, c, lobes=(lobe,), amount=0.3),
        )
    return (
        f.consolidation(rng, c, lobe=lobe, amount=0.25),
        f.loculated_effusion(rng, c, side=side, thickness_mm=20 + 25 * s),  # type: ignore[arg-type]
    )


def _copd(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    kind = "panlobular" if rng.random() < 0.15 else "centrilobular"
    out: list[f.PaintedFinding] = [f.emphysema(rng, c, amount=0.06 + 0.35 * s, kind=kind)]  # type: ignore[arg-type]
    if rng.random() < 0.6:
        out.append(f.peribronchial_thickening(rng, c, lobes=ALL))
    if rng.random() < 0.25:
        out.append(f.emphysema(rng, c, amount=0.04 + 0.05 * s, kind="paraseptal"))
    if rng.random() < 0.2 * s + 0.05:
        out.append(f.bullae(rng, c, lobe=_lobe(rng, UPPER), diameter_mm=rng.uniform(20, 50)))
    return tuple(out)


def _copd_exacerbation(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return (*_copd(rng, c, s), f.tree_in_bud(rng, c, lobes=LOWER, amount=0.25))


def _asthma(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return (f.peribronchial_thickening(rng, c, lobes=ALL, wall_mm=1 + s), f.mosaic_attenuation(rng, c, amount=0.2 + 0.3 * s))


def _bronchiectasis(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return (
        f.bronchiectasis(rng, c, lobes=LOWER, widen_mm=1.6 + 2 * s, plugged=0.25),
        f.tree_in_bud(rng, c, lobes=LOWER, amount=0.2 + 0.2 * s),
    )


def _ipf(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return f.fibrosis(rng, c, amount=0.08 + 0.2 * s, honeycombing=bool(rng.random() < 0.65))


def _fibrotic_hp(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return (
        f.mosaic_attenuation(rng, c, amount=0.35),
        f.diffuse_nodules(rng, c, pattern="centrilobular", density=0.6),
        *f.fibrosis(rng, c, amount=0.05 + 0.12 * s, honeycombing=False),
    )


def _nsip(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return f.nsip(rng, c, amount=0.2 + 0.25 * s)


def _organising(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    """Patchy consolidation with ground glass; one in four is ground glass alone."""
    lobes = sorted({_lobe(rng), _lobe(rng, LOWER), _lobe(rng, LOWER)})
    haze = rng.random() < 0.25
    return (
        *(() if haze else (f.consolidation(rng, c, lobe=n, amount=0.08 + 0.15 * s, patchy=True) for n in lobes)),
        f.ground_glass(rng, c, lobes=tuple(lobes), amount=0.2 + (0.25 * s if haze else 0)),
    )


def _sarcoidosis(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    nodes = f.lymphadenopathy(
        rng, c, stations=("4R", "7", "10R", "10L"), short_axis_mm=rng.uniform(14, 24), calcified=bool(rng.random() < 0.2)
    )
    return (nodes, f.diffuse_nodules(rng, c, pattern="perilymphatic", density=0.4 + 1.2 * s))


def _pneumoconiosis(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    if rng.random() < 0.5:
        return (f.pleural_plaques(rng, c, number=5 + int(6 * s)), *f.fibrosis(rng, c, amount=0.04 + 0.08 * s, honeycombing=False))
    nodes = f.lymphadenopathy(rng, c, stations=("4R", "10R", "10L"), short_axis_mm=13, calcified=True)
    return (f.diffuse_nodules(rng, c, pattern="perilymphatic", density=1 + s), nodes)


def _drug_pneumonitis(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    """Diffuse ground glass, mostly with thickened septa; one in three is peripheral, as in organising pneumonia."""
    peripheral = bool(rng.random() < 0.35)
    out: list[f.PaintedFinding] = [f.ground_glass(rng, c, lobes=ALL, amount=0.15 + 0.3 * s, peripheral=peripheral)]
    if rng.random() < (0.3 if peripheral else 0.85):
        out.append(f.septal_thickening(rng, c, amount=0.25))
    return tuple(out)


def _checkpoint(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobe = _lobe(rng)
    mass = _tumour(rng, c, lobe, rng.uniform(18, 40), spiculated=True)
    return (
        mass,
        f.ground_glass(rng, c, lobes=LOWER, amount=0.2 + 0.3 * s),
        f.consolidation(rng, c, lobe=_lobe(rng, LOWER), amount=0.1, patchy=True),
    )


def _heart_failure(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    out: list[f.PaintedFinding] = [
        f.septal_thickening(rng, c, amount=0.35 + 0.35 * s),
        f.ground_glass(rng, c, lobes=LOWER, amount=0.15 + 0.35 * s, peripheral=False),
        f.pleural_effusion(rng, c, side="right", depth_mm=10 + 35 * s),
    ]
    if rng.random() < 0.6:
        out.append(f.pleural_effusion(rng, c, side="left", depth_mm=8 + 25 * s))
    return tuple(out)


def _ards(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return (
        f.ground_glass(rng, c, lobes=ALL, amount=0.6, peripheral=False),
        *(f.consolidation(rng, c, lobe=n, amount=0.35 + 0.3 * s) for n in LOWER),
        f.medical_material(rng, c, kind="tube"),
    )


def _embolism(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    out: list[f.PaintedFinding] = [f.pulmonary_embolus(rng, c, side=_side(rng))]  # type: ignore[arg-type]
    if s > 0.4:
        out.append(f.consolidation(rng, c, lobe=_lobe(rng, LOWER), amount=0.06, patchy=True))
        out.append(f.pleural_effusion(rng, c, side=_side(rng), depth_mm=12))  # type: ignore[arg-type]
    if s > 0.6:
        out.append(f.enlarged_right_ventricle(rng, c, ratio=1.0 + 0.4 * s))
    return tuple(out)


def _hypertension(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    out: list[f.PaintedFinding] = [f.mosaic_attenuation(rng, c, amount=0.3)]
    if rng.random() < 0.4 * s:
        out.append(f.pericardial_effusion(rng, c, thickness_mm=8))
    if s > 0.5 and c.habitus.contrast:
        out.append(f.enlarged_right_ventricle(rng, c, ratio=1.0 + 0.4 * s))
    return tuple(out)


def _cancer_early(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobe, size = _lobe(rng), rng.uniform(9, 28)
    kind = rng.random()
    if kind < 0.3:
        core = max(5.0, 0.45 * size)
        part_solid = f.part_solid_nodule(rng, c, lobe=lobe, diameter_mm=max(12.0, size), solid_mm=core)
        return (replace(part_solid, solid_mm=core, malignant=True),)
    if kind < 0.45:
        return (replace(f.ground_glass_nodule(rng, c, lobe=lobe, diameter_mm=max(11.0, size)), malignant=True),)
    return (_tumour(rng, c, lobe, size, spiculated=bool(rng.random() < 0.7)),)


def _tumour(rng: np.random.Generator, c: Canvas, lobe: int, size: float, spiculated: bool) -> f.PaintedFinding:
    made = f.solid_nodule(rng, c, lobe=lobe, diameter_mm=size, spiculated=spiculated)
    return replace(made, spiculated=spiculated, malignant=True)


def _cancer_advanced(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobe = _lobe(rng)
    side = "right" if lobe <= RLL else "left"
    out: list[f.PaintedFinding] = [_tumour(rng, c, lobe, rng.uniform(32, 60), spiculated=True)]
    out.append(
        f.lymphadenopathy(rng, c, stations=("4R", "7", "10R") if side == "right" else ("4L", "7", "10L"), short_axis_mm=rng.uniform(14, 26))
    )
    if rng.random() < 0.2 + 0.3 * s:
        out.append(f.pleural_effusion(rng, c, side=side, depth_mm=15 + 35 * s))  # type: ignore[arg-type]
    if rng.random() < 0.2 + 0.2 * s:
        out.append(f.bone_metastasis(rng, c, lytic=bool(rng.random() < 0.7)))
    if rng.random() < 0.15:
        out.append(f.adrenal_mass(rng, c, side=_side(rng), diameter_mm=rng.uniform(18, 35)))  # type: ignore[arg-type]
    return tuple(replace(found, malignant=True) for found in out)


def _screened(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    """Benign nodules of a screening participant, some as large as a cancer."""
    out: list[f.PaintedFinding] = []
    for _ in range(int(rng.choice(4, p=(0.4, 0.35, 0.15, 0.1)))):
        kind, size = rng.random(), float(np.clip(rng.lognormal(np.log(6), 0.4), 4, 22))
        if kind < 0.45:
            lobe, spiculated = _lobe(rng), bool(rng.random() < 0.1)
            out.append(replace(f.solid_nodule(rng, c, lobe=lobe, diameter_mm=size, spiculated=spiculated), spiculated=spiculated))
        elif kind < 0.65:
            out.append(f.calcified_granuloma(rng, c, lobe=_lobe(rng), diameter_mm=size))
        elif kind < 0.8:
            out.append(f.perifissural_nodule(rng, c, diameter_mm=min(size, 9.0)))
        else:
            out.append(f.ground_glass_nodule(rng, c, lobe=_lobe(rng), diameter_mm=max(6.0, size)))
    return tuple(out)


def _metastases(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return tuple(_tumour(rng, c, _lobe(rng), rng.uniform(7, 22), spiculated=False) for _ in range(4 + int(6 * s)))


def _pneumothorax(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    side = _side(rng)
    lobe = RUL if side == "right" else LUL
    return (f.bullae(rng, c, lobe=lobe, number=1, diameter_mm=18), f.pneumothorax(rng, c, side=side, depth_mm=12 + 35 * s))  # type: ignore[arg-type]


def _trauma(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    side = _side(rng)
    out: list[f.PaintedFinding] = [
        f.rib_fracture(rng, c, side=side, number=2 + int(3 * s)),  # type: ignore[arg-type]
        f.ground_glass(rng, c, lobes=(RLL,) if side == "right" else (LLL,), amount=0.2 + 0.2 * s),
    ]
    if rng.random() < 0.5:
        out.append(f.pneumothorax(rng, c, side=side, depth_mm=12))  # type: ignore[arg-type]
    if rng.random() < 0.5:
        out.append(f.pleural_effusion(rng, c, side=side, depth_mm=14))  # type: ignore[arg-type]
    return tuple(out)


def _post_resection(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    side = _side(rng)
    lobe = RUL if side == "right" else LUL
    return (
        f.fibrotic_bands(rng, c, lobe=lobe, number=3),
        f.pleural_thickening(rng, c, side=side, thickness_mm=5),  # type: ignore[arg-type]
        f.atelectasis(rng, c, side=side, amount=0.06 + 0.05 * s),  # type: ignore[arg-type]
    )


FEVER = {"fever": 0.85, "cough": 0.85, "sputum": 0.6, "dyspnoea": 0.5}
CHRONIC = {"cough": 0.7, "dyspnoea": 0.85}
CAP_DRUGS = (
    ("ceftriaxone", "amoxicillin-clavulanate", "moxifloxacin"),
    ("azithromycin", "doxycycline", "levofloxacin"),
    ("ambroxol", "acetylcysteine"),
)
STEROID = (("prednisone", "methylprednisolone"), ("omeprazole",))

DISEASES: tuple[Disease, ...] = (
    Disease(
        "screening",
        "lung cancer screening, no cancer",
        "肺癌筛查，未见肺癌",
        _screened,
        age=(63, 7),
        smoker=1.0,
        gas=(0.02, 0, 0),
        lung=(-8, -2, -6),
        weight=4,
    ),
    Disease("normal", "no acute disease", "未见急性病变", _normal, weight=5, symptoms={"cough": 0.3}, gas=(0.02, 0, 0), lung=(0, 0, 0)),
    Disease(
        "cap_lobar",
        "lobar bacterial pneumonia",
        "细菌性大叶性肺炎",
        _lobar,
        {"bacterial": 1.5, "inflammation": 1.2, "renal": 0.4, "shock": 0.4},
        symptoms=FEVER | {"chest pain": 0.4},
        gas=(0.6, 0, 0.3),
        drugs=CAP_DRUGS,
        weight=2,
    ),
    Disease(
        "bronchopneumonia",
        "bronchopneumonia",
        "支气管肺炎",
        _bronchopneumonia,
        {"bacterial": 1.2, "inflammation": 1.1},
        symptoms=FEVER,
        gas=(0.5, 0.1, 0.2),
        drugs=CAP_DRUGS,
        weight=2,
    ),
    Disease(
        "legionella",
        "Legionella pneumonia",
        "军团菌肺炎",
        _legionella,
        {"bacterial": 1.0, "inflammation": 1.4, "adrenal_salt": 1.1, "hepatic": 0.7, "muscle": 0.7, "renal": 0.5},
        male=0.7,
        symptoms=FEVER | {"diarrhoea": 0.4, "confusion": 0.3},
        gas=(0.7, 0, 0.2),
        drugs=(("levofloxacin", "azithromycin"),),
    ),
    Disease(
        "aspiration",
        "aspiration pneumonia",
        "吸入性肺炎",
        _aspiration,
        {"bacterial": 1.2, "inflammation": 1.0, "nutrition": 0.8},
        age=(76, 10),
        symptoms=FEVER | {"dysphagia": 0.6},
        gas=(0.6, 0.1, 0.2),
        drugs=(("amoxicillin-clavulanate", "cefoperazone-sulbactam", "moxifloxacin"),),
        comorbid={"stroke": 0.5},
    ),
    Disease(
        "covid",
        "COVID-19 pneumonia",
        "新型冠状病毒肺炎",
        _covid,
        {"viral": 1.2, "inflammation": 1.0, "clot": 0.5, "necrosis": 0.5},
        symptoms={"fever": 0.8, "cough": 0.8, "dyspnoea": 0.5, "anosmia": 0.2},
        gas=(0.8, 0, 0),
        drugs=(("nirmatrelvir-ritonavir", "remdesivir"), ("dexamethasone",), ("enoxaparin",)),
        weight=3,
    ),
    Disease(
        "viral",
        "viral pneumonia (not COVID-19)",
        "病毒性肺炎（非新冠）",
        _viral,
        {"viral": 1.1, "inflammation": 0.7, "muscle": 0.3},
        age=(52, 18),
        symptoms={"fever": 0.85, "cough": 0.8, "myalgia": 0.5},
        gas=(0.5, 0, 0),
        drugs=(("oseltamivir",),),
        weight=1.5,
    ),
    Disease(
        "pneumocystis",
        "Pneumocystis pneumonia",
        "肺孢子菌肺炎",
        _pneumocystis,
        {"pneumocystis": 1.3, "necrosis": 1.0, "immunodeficiency": 1.2, "inflammation": 0.6, "viral": 0.6},
        age=(48, 13),
        symptoms={"fever": 0.7, "cough": 0.7, "dyspnoea": 0.9},
        gas=(0.9, 0, 0),
        drugs=(("trimethoprim-sulfamethoxazole",), ("prednisone",)),
        comorbid={"immunosuppression": 0.9},
    ),
    Disease(
        "aspergillosis",
        "invasive pulmonary aspergillosis",
        "侵袭性肺曲霉病",
        _aspergillosis,
        {"fungal": 1.3, "inflammation": 1.0, "anaemia": 0.8},
        symptoms={"fever": 0.7, "cough": 0.6, "haemoptysis": 0.3},
        gas=(0.4, 0, 0),
        drugs=(("voriconazole", "liposomal-amphotericin-b"),),
        comorbid={"immunosuppression": 0.9},
    ),
    Disease(
        "abpa",
        "allergic bronchopulmonary aspergillosis",
        "变应性支气管肺曲霉病",
        _abpa,
        {"abpa": 1.3, "eosinophil": 1.4},
        age=(42, 14),
        symptoms={"cough": 0.8, "wheeze": 0.8},
        gas=(0.2, 0.1, 0),
        lung=(-30, -10, -8),
        drugs=(("prednisone",), ("itraconazole",), ("budesonide-formoterol",)),
        comorbid={"asthma": 0.95},
    ),
    Disease(
        "tuberculosis",
        "active pulmonary tuberculosis",
        "活动性肺结核",
        _tuberculosis,
        {"tuberculosis": 1.2, "inflammation": 0.7, "nutrition": 0.7, "anaemia": 0.5},
        age=(46, 18),
        male=0.65,
        symptoms={"cough": 0.85, "night sweats": 0.5, "weight loss": 0.6, "haemoptysis": 0.25, "fever": 0.5},
        gas=(0.2, 0, 0),
        drugs=(("isoniazid",), ("rifampicin",), ("pyrazinamide",), ("ethambutol",)),
        weight=2,
    ),
    Disease(
        "miliary_tb",
        "miliary tuberculosis",
        "粟粒性肺结核",
        _miliary,
        {"tuberculosis": 1.0, "inflammation": 1.1, "hepatic": 0.6, "anaemia": 0.9, "adrenal_salt": 0.6},
        age=(45, 19),
        symptoms={"fever": 0.9, "weight loss": 0.6, "dyspnoea": 0.4},
        gas=(0.4, 0, 0),
        drugs=(("isoniazid",), ("rifampicin",), ("pyrazinamide",), ("ethambutol",)),
    ),
    Disease(
        "tb_sequelae",
        "sequelae of tuberculosis",
        "陈旧性肺结核",
        _tb_sequelae,
        {"tuberculosis": 0.5},
        age=(66, 12),
        symptoms={"cough": 0.3},
        gas=(0.05, 0, 0),
        lung=(-12, -14, -8),
        weight=1.5,
    ),
    Disease(
        "ntm",
        "non-tuberculous mycobacterial lung disease",
        "非结核分枝杆菌肺病",
        _ntm,
        {"inflammation": 0.4, "nutrition": 0.5},
        age=(64, 11),
        male=0.3,
        symptoms={"cough": 0.85, "sputum": 0.6, "weight loss": 0.3},
        drugs=(("clarithromycin", "azithromycin"), ("rifampicin",), ("ethambutol",)),
    ),
    Disease(
        "abscess_empyema",
        "lung abscess or empyema",
        "肺脓肿或脓胸",
        _abscess,
        {"bacterial": 1.6, "inflammation": 1.5, "anaemia": 0.5, "nutrition": 0.7, "effusion": 0.6},
        male=0.7,
        symptoms=FEVER | {"chest pain": 0.5},
        gas=(0.4, 0, 0.3),
        drugs=(("piperacillin-tazobactam", "meropenem"), ("metronidazole",)),
        comorbid={"diabetes": 0.4},
    ),
    Disease(
        "copd",
        "COPD with emphysema",
        "慢性阻塞性肺疾病伴肺气肿",
        _copd,
        {"hypoxia": 0.6, "inflammation": 0.2, "co2": 0.4},
        age=(69, 9),
        male=0.8,
        smoker=0.95,
        symptoms=CHRONIC | {"sputum": 0.5},
        gas=(0.25, 0.5, 0),
        lung=(-50, -15, -45),
        drugs=(("indacaterol-glycopyrronium", "tiotropium"), ("salbutamol",)),
        weight=2.5,
    ),
    Disease(
        "copd_exacerbation",
        "acute exacerbation of COPD",
        "慢性阻塞性肺疾病急性加重",
        _copd_exacerbation,
        {"hypoxia": 0.5, "inflammation": 0.9, "bacterial": 0.6, "co2": 0.8},
        age=(71, 9),
        male=0.8,
        smoker=0.95,
        symptoms=CHRONIC | {"sputum": 0.9, "fever": 0.3, "wheeze": 0.6},
        gas=(0.35, 0.8, 0),
        lung=(-55, -18, -45),
        drugs=(
            ("salbutamol",),
            ("ipratropium",),
            ("prednisone", "methylprednisolone"),
            ("amoxicillin-clavulanate", "doxycycline", "levofloxacin"),
        ),
        weight=2,
    ),
    Disease(
        "asthma",
        "asthma",
        "支气管哮喘",
        _asthma,
        {"eosinophil": 1.0},
        age=(40, 16),
        male=0.42,
        smoker=0.2,
        symptoms={"wheeze": 0.9, "dyspnoea": 0.8, "cough": 0.7},
        gas=(0.15, 0.05, 0),
        lung=(-35, -8, 0),
        drugs=(("budesonide-formoterol",), ("montelukast", "salbutamol")),
    ),
    Disease(
        "bronchiectasis",
        "bronchiectasis",
        "支气管扩张症",
        _bronchiectasis,
        {"inflammation": 0.5, "bacterial": 0.4, "autoimmune": 0.2},
        age=(60, 14),
        male=0.42,
        symptoms={"cough": 0.95, "sputum": 0.9, "haemoptysis": 0.3},
        gas=(0.2, 0.15, 0),
        lung=(-28, -18, -10),
        drugs=(("acetylcysteine", "ambroxol"), ("amoxicillin-clavulanate", "levofloxacin")),
        weight=1.5,
    ),
    Disease(
        "ipf",
        "idiopathic pulmonary fibrosis",
        "特发性肺纤维化",
        _ipf,
        {"fibrosis": 1.4, "hypoxia": 0.3},
        age=(71, 7),
        male=0.75,
        smoker=0.75,
        symptoms=CHRONIC | {"crackles": 0.9},
        gas=(0.45, 0, 0),
        lung=(-22, -32, -55),
        drugs=(("nintedanib", "pirfenidone", "nerandomilast"),),
        weight=1.5,
    ),
    Disease(
        "fibrotic_hp",
        "fibrotic hypersensitivity pneumonitis",
        "纤维化性过敏性肺炎",
        _fibrotic_hp,
        {"fibrosis": 1.1, "inflammation": 0.2},
        age=(60, 12),
        smoker=0.2,
        symptoms=CHRONIC,
        gas=(0.35, 0, 0),
        lung=(-22, -28, -40),
        drugs=(*STEROID, ("mycophenolate",)),
    ),
    Disease(
        "nsip_ctd",
        "NSIP with connective tissue disease",
        "结缔组织病相关非特异性间质性肺炎",
        _nsip,
        {"autoimmune": 1.2, "fibrosis": 1.0, "muscle": 0.5},
        age=(54, 12),
        male=0.3,
        symptoms=CHRONIC | {"arthralgia": 0.6},
        gas=(0.35, 0, 0),
        lung=(-20, -28, -38),
        drugs=(*STEROID, ("mycophenolate",)),
    ),
    Disease(
        "organising",
        "organising pneumonia",
        "机化性肺炎",
        _organising,
        {"inflammation": 0.9},
        symptoms={"cough": 0.8, "fever": 0.5, "dyspnoea": 0.6},
        gas=(0.4, 0, 0),
        lung=(-10, -20, -25),
        drugs=STEROID,
    ),
    Disease(
        "sarcoidosis",
        "sarcoidosis",
        "结节病",
        _sarcoidosis,
        {"granuloma": 1.3, "viral": 0.4},
        age=(45, 12),
        male=0.45,
        smoker=0.2,
        symptoms={"cough": 0.5, "dyspnoea": 0.4, "fatigue": 0.6},
        gas=(0.08, 0, 0),
        lung=(-8, -12, -15),
        drugs=(("prednisone",),),
    ),
    Disease(
        "pneumoconiosis",
        "pneumoconiosis",
        "尘肺病",
        _pneumoconiosis,
        {"fibrosis": 0.6},
        age=(62, 9),
        male=0.95,
        smoker=0.7,
        symptoms=CHRONIC,
        gas=(0.15, 0.05, 0),
        lung=(-18, -18, -20),
        drugs=(("tiotropium",), ("acetylcysteine",)),
    ),
    Disease(
        "drug_pneumonitis",
        "drug-induced pneumonitis",
        "药物性肺炎",
        _drug_pneumonitis,
        {"inflammation": 0.6, "eosinophil": 0.6, "necrosis": 0.4},
        symptoms={"dyspnoea": 0.8, "cough": 0.7, "fever": 0.4},
        gas=(0.55, 0, 0),
        lung=(-12, -22, -35),
        drugs=STEROID,
    ),
    Disease(
        "checkpoint",
        "checkpoint inhibitor pneumonitis",
        "免疫检查点抑制剂相关肺炎",
        _checkpoint,
        {"inflammation": 0.7, "tumour": 0.9, "necrosis": 0.4},
        age=(65, 9),
        male=0.7,
        smoker=0.85,
        symptoms={"dyspnoea": 0.8, "cough": 0.7},
        gas=(0.55, 0, 0),
        drugs=STEROID,
        comorbid={"lung cancer": 1.0},
    ),
    Disease(
        "heart_failure",
        "heart failure with pulmonary oedema",
        "心力衰竭伴肺水肿",
        _heart_failure,
        {"cardiac": 1.4, "renal": 0.7, "cholestasis": 0.3},
        age=(74, 10),
        symptoms={"dyspnoea": 0.95, "orthopnoea": 0.7, "oedema": 0.6},
        gas=(0.5, 0, 0.1),
        drugs=(("furosemide",), ("spironolactone",), ("bisoprolol",)),
        comorbid={"hypertension": 0.7, "atrial fibrillation": 0.4},
        weight=2,
    ),
    Disease(
        "ards",
        "acute respiratory distress syndrome",
        "急性呼吸窘迫综合征",
        _ards,
        {"bacterial": 1.5, "inflammation": 1.6, "shock": 1.2, "renal": 1.0, "clot": 0.8, "hepatic": 0.5},
        symptoms={"dyspnoea": 1.0, "fever": 0.7, "confusion": 0.4},
        gas=(1.0, 0, 0.7),
        drugs=(("meropenem", "piperacillin-tazobactam"), ("linezolid", "vancomycin"), ("dexamethasone",), ("morphine",)),
    ),
    Disease(
        "pulmonary_embolism",
        "pulmonary embolism",
        "肺栓塞",
        _embolism,
        {"clot": 1.5, "cardiac": 0.6, "inflammation": 0.4},
        symptoms={"dyspnoea": 0.85, "chest pain": 0.6, "haemoptysis": 0.15, "leg swelling": 0.4},
        gas=(0.45, 0, 0.3),
        drugs=(("rivaroxaban", "enoxaparin", "warfarin"),),
        weight=1.5,
        contrast=True,
    ),
    Disease(
        "pulmonary_hypertension",
        "pulmonary arterial hypertension",
        "肺动脉高压",
        _hypertension,
        {"pressure": 1.4, "cardiac": 0.4, "cholestasis": 0.3},
        age=(48, 15),
        male=0.25,
        smoker=0.2,
        symptoms={"dyspnoea": 0.95, "syncope": 0.3, "oedema": 0.4},
        gas=(0.3, 0, 0),
        lung=(-5, -5, -40),
        drugs=(("macitentan",), ("sildenafil",), ("furosemide",)),
        contrast=True,
    ),
    Disease(
        "lung_cancer_early",
        "primary lung cancer, stage I-II",
        "原发性肺癌（I–II 期）",
        _cancer_early,
        {"tumour": 0.4},
        age=(65, 9),
        smoker=0.7,
        symptoms={"cough": 0.4},
        gas=(0.03, 0, 0),
        drugs=(),
        weight=2.5,
    ),
    Disease(
        "lung_cancer_advanced",
        "primary lung cancer, stage III-IV",
        "原发性肺癌（III–IV 期）",
        _cancer_advanced,
        {"tumour": 1.3, "anaemia": 0.6, "nutrition": 0.7, "small_cell": 0.4, "squamous": 0.3, "bone": 0.3},
        age=(67, 9),
        male=0.65,
        smoker=0.8,
        symptoms={"cough": 0.8, "weight loss": 0.6, "haemoptysis": 0.3, "chest pain": 0.4},
        gas=(0.15, 0, 0),
        drugs=(("osimertinib", "pembrolizumab"), ("carboplatin",), ("pemetrexed",)),
        weight=2,
        contrast=True,
    ),
    Disease(
        "metastases",
        "pulmonary metastases",
        "肺转移瘤",
        _metastases,
        {"tumour": 1.1, "anaemia": 0.6, "nutrition": 0.6, "hepatic": 0.3},
        age=(63, 12),
        symptoms={"cough": 0.4, "weight loss": 0.5},
        gas=(0.1, 0, 0),
        comorbid={"extrathoracic cancer": 1.0},
    ),
    Disease(
        "pneumothorax",
        "spontaneous pneumothorax",
        "自发性气胸",
        _pneumothorax,
        {},
        age=(34, 15),
        male=0.85,
        smoker=0.6,
        symptoms={"chest pain": 0.95, "dyspnoea": 0.8},
        gas=(0.2, 0, 0),
    ),
    Disease(
        "trauma",
        "blunt chest trauma",
        "胸部钝挫伤",
        _trauma,
        {"muscle": 1.1, "anaemia": 0.5, "clot": 0.7},
        age=(46, 17),
        male=0.75,
        symptoms={"chest pain": 1.0, "dyspnoea": 0.4},
        gas=(0.25, 0, 0.2),
        drugs=(("morphine",),),
    ),
    Disease(
        "post_resection",
        "state after lung resection",
        "肺切除术后改变",
        _post_resection,
        {},
        age=(65, 10),
        smoker=0.7,
        symptoms={"cough": 0.3},
        gas=(0.08, 0, 0),
        lung=(-18, -18, -15),
        comorbid={"lung cancer": 0.9},
    ),
)
BY_ID = {d.id: d for d in DISEASES}
