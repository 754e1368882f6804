"""What diseases of lungs and airways paint: infections, obstructive and interstitial disease; by id of `diseases.toml`."""

from collections.abc import Callable

import numpy as np

from medmpt_backend.cohort import findings as f
from medmpt_backend.cohort.anatomy import LLL, LUL, RLL, RML, RUL, Canvas

Painted = tuple[f.PaintedFinding, ...]
# `(rng, canvas, severity)`; severity is 0..1.
Paint = Callable[[np.random.Generator, Canvas, float], Painted]
ALL = (RUL, RML, RLL, LUL, LLL)
UPPER, LOWER = (RUL, LUL), (RLL, LLL)


def side_of(rng: np.random.Generator) -> str:
    """A side, the right a little more often."""
    return "right" if rng.random() < 0.55 else "left"


def lobe_of(rng: np.random.Generator, lobes: tuple[int, ...] = ALL) -> int:
    """One of the lobes."""
    return int(lobes[rng.integers(len(lobes))])


def _normal(_: np.random.Generator, __: Canvas, ___: float) -> Painted:
    return ()


def _lobar(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobe = lobe_of(rng)
    out: list[f.PaintedFinding] = [
        f.ground_glass(rng, c, lobes=(lobe,), amount=0.3 + 0.5 * s, peripheral=False),
        f.consolidation(rng, c, lobe=lobe, amount=0.2 + 0.6 * s),
    ]
    if rng.random() < 0.3 + 0.4 * s:
        out.append(f.pleural_effusion(rng, c, side="right" if lobe <= RLL else "left", depth_mm=10 + 20 * s))
    return tuple(out)


def _bronchopneumonia(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobes = LOWER if rng.random() < 0.6 else (lobe_of(rng), RLL)
    out: list[f.PaintedFinding] = [f.tree_in_bud(rng, c, lobes=lobes, amount=0.3 + 0.3 * s)]
    out += [f.consolidation(rng, c, lobe=n, amount=0.08 + 0.25 * s, patchy=True) for n in sorted(set(lobes))]
    out.append(f.peribronchial_thickening(rng, c, lobes=lobes))
    return tuple(out)


def _legionella(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    first, second = lobe_of(rng, UPPER), lobe_of(rng, LOWER)
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
        out.append(f.consolidation(rng, c, lobe=lobe_of(rng, LOWER), amount=0.05 + 0.12 * s, patchy=True))
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
    out: list[f.PaintedFinding] = [f.halo_nodule(rng, c, lobe=lobe_of(rng), diameter_mm=rng.uniform(10, 22)) for _ in range(1 + int(3 * s))]
    if s > 0.5:
        out.append(f.cavity(rng, c, lobe=lobe_of(rng, UPPER), diameter_mm=rng.uniform(20, 35), wall_mm=6))
    return tuple(out)


def _abpa(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    return (
        f.bronchiectasis(rng, c, lobes=UPPER, widen_mm=2 + 1.5 * s, plugged=0.25),
        f.mucus_plugs(rng, c, lobes=UPPER, share=0.25, dense=bool(rng.random() < 0.4)),
        f.tree_in_bud(rng, c, lobes=UPPER, amount=0.25),
    )


def _tuberculosis(rng: np.random.Generator, c: Canvas, s: float) -> Painted:
    lobe = lobe_of(rng, UPPER)
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
    lobe = lobe_of(rng, UPPER)
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
    lobe = lobe_of(rng, LOWER)
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
        out.append(f.bullae(rng, c, lobe=lobe_of(rng, UPPER), diameter_mm=rng.uniform(20, 50)))
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
    lobes = sorted({lobe_of(rng), lobe_of(rng, LOWER), lobe_of(rng, LOWER)})
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


LUNGS: dict[str, Paint] = {
    "normal": _normal,
    "cap_lobar": _lobar,
    "bronchopneumonia": _bronchopneumonia,
    "legionella": _legionella,
    "aspiration": _aspiration,
    "covid": _covid,
    "viral": _viral,
    "pneumocystis": _pneumocystis,
    "aspergillosis": _aspergillosis,
    "abpa": _abpa,
    "tuberculosis": _tuberculosis,
    "miliary_tb": _miliary,
    "tb_sequelae": _tb_sequelae,
    "ntm": _ntm,
    "abscess_empyema": _abscess,
    "copd": _copd,
    "copd_exacerbation": _copd_exacerbation,
    "asthma": _asthma,
    "bronchiectasis": _bronchiectasis,
    "ipf": _ipf,
    "fibrotic_hp": _fibrotic_hp,
    "nsip_ctd": _nsip,
    "organising": _organising,
    "sarcoidosis": _sarcoidosis,
    "pneumoconiosis": _pneumoconiosis,
    "drug_pneumonitis": _drug_pneumonitis,
}
