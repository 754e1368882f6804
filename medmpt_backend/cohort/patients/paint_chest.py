"""What diseases of heart, vessels, pleura and wall paint, and tumours; by id of `diseases.toml`."""

from dataclasses import replace

import numpy as np

from medmpt_backend.cohort import findings as f
from medmpt_backend.cohort.anatomy import LLL, LUL, RLL, RUL, Canvas
from medmpt_backend.cohort.patients.paint_lungs import ALL, LOWER, Paint, Painted, lobe_of, side_of


def _checkpoint(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobe = lobe_of(rng)
    mass = _tumour(rng, c, lobe, rng.uniform(18, 40), spiculated=True)
    return (
        mass,
        f.ground_glass(rng, c, lobes=LOWER, amount=0.2 + 0.3 * s),
        f.consolidation(rng, c, lobe=lobe_of(rng, LOWER), amount=0.1, patchy=True),
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
    out: list[f.PaintedFinding] = [f.pulmonary_embolus(rng, c, side=side_of(rng))]  # type: ignore[arg-type]
    if s > 0.4:
        out.append(f.consolidation(rng, c, lobe=lobe_of(rng, LOWER), amount=0.06, patchy=True))
        out.append(f.pleural_effusion(rng, c, side=side_of(rng), depth_mm=12))  # type: ignore[arg-type]
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
    lobe, size = lobe_of(rng), rng.uniform(9, 28)
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
    lobe = lobe_of(rng)
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
        out.append(f.adrenal_mass(rng, c, side=side_of(rng), diameter_mm=rng.uniform(18, 35)))  # type: ignore[arg-type]
    return tuple(replace(found, malignant=True) for found in out)


def _screened(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    """Benign nodules of a screening participant, some as large as a cancer."""
    out: list[f.PaintedFinding] = []
    for _ in range(int(rng.choice(4, p=(0.4, 0.35, 0.15, 0.1)))):
        kind, size = rng.random(), float(np.clip(rng.lognormal(np.log(6), 0.4), 4, 22))
        if kind < 0.45:
            lobe, spiculated = lobe_of(rng), bool(rng.random() < 0.1)
            out.append(replace(f.solid_nodule(rng, c, lobe=lobe, diameter_mm=size, spiculated=spiculated), spiculated=spiculated))
        elif kind < 0.65:
            out.append(f.calcified_granuloma(rng, c, lobe=lobe_of(rng), diameter_mm=size))
        elif kind < 0.8:
            out.append(f.perifissural_nodule(rng, c, diameter_mm=min(size, 9.0)))
        else:
            out.append(f.ground_glass_nodule(rng, c, lobe=lobe_of(rng), diameter_mm=max(6.0, size)))
    return tuple(out)


def _metastases(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return tuple(_tumour(rng, c, lobe_of(rng), rng.uniform(7, 22), spiculated=False) for _ in range(4 + int(6 * s)))


def _pneumothorax(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    side = side_of(rng)
    lobe = RUL if side == "right" else LUL
    return (f.bullae(rng, c, lobe=lobe, number=1, diameter_mm=18), f.pneumothorax(rng, c, side=side, depth_mm=12 + 35 * s))  # type: ignore[arg-type]


def _trauma(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    side = side_of(rng)
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
    side = side_of(rng)
    lobe = RUL if side == "right" else LUL
    return (
        f.fibrotic_bands(rng, c, lobe=lobe, number=3),
        f.pleural_thickening(rng, c, side=side, thickness_mm=5),  # type: ignore[arg-type]
        f.atelectasis(rng, c, side=side, amount=0.06 + 0.05 * s),  # type: ignore[arg-type]
    )


CHEST: dict[str, Paint] = {
    "screening": _screened,
    "checkpoint": _checkpoint,
    "heart_failure": _heart_failure,
    "ards": _ards,
    "pulmonary_embolism": _embolism,
    "pulmonary_hypertension": _hypertension,
    "lung_cancer_early": _cancer_early,
    "lung_cancer_advanced": _cancer_advanced,
    "metastases": _metastases,
    "pneumothorax": _pneumothorax,
    "trauma": _trauma,
    "post_resection": _post_resection,
}
