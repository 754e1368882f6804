"""Montages of every painted finding for docs/cohort: the plain image, and beside it the outline of its mask.

`python scripts/montage.py [SHEET ...]` writes docs/cohort/SHEET.jpg.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from medmpt_backend.cohort import findings as f
from medmpt_backend.cohort.anatomy import LLL, LUL, RLL, RML, RUL, Canvas, Habitus
from medmpt_backend.cohort.findings import PaintedFinding
from medmpt_backend.cohort.findings.base import record
from medmpt_backend.cohort.thorax import Scan, finish, start

ALL, LOWER, UPPER = (RUL, RML, RLL, LUL, LLL), (RLL, LLL), (RUL, LUL)
SCAN = Scan(shape=(86, 288, 304), spacing=(3.4, 1.15, 1.15), z_top=122.0, noise_hu=11.0, sharpness=0.5)
WINDOWS = {"lung": (-1350.0, 150.0), "soft": (-160.0, 240.0), "bone": (-350.0, 1150.0), "air": (-1050.0, -650.0)}
TILE = 250
OUT = Path(__file__).resolve().parents[1] / "docs" / "cohort"
Painter = Callable[[np.random.Generator, Canvas], PaintedFinding | tuple[PaintedFinding, ...]]


@dataclass(frozen=True)
class Panel:
    """One finding of a montage.

    Attributes:
        name: Caption.
        paint: Paints it; of several findings the last one is outlined.
        window: Display window.
        wide_mm: Width of the picture around the lesion; None shows the whole section.
        plane: Section.
        contrast: Whether the patient received contrast agent.
        scan: How the picture is scanned.
        seed: Of the painter.
        below_mm: Sections higher above the carina are not chosen.
    """

    name: str
    paint: Painter
    window: Literal["lung", "soft", "bone", "air"] = "lung"
    wide_mm: float | None = None
    plane: Literal["axial", "coronal", "sagittal"] = "axial"
    contrast: bool = False
    scan: Scan = SCAN
    seed: int = 11
    below_mm: float = np.inf


def _skin_metal(rng: np.random.Generator, canvas: Canvas) -> PaintedFinding:
    """What lies on the skin is no finding: its outline here is what it changed."""
    before = canvas.hu.copy()
    f.skin_metal(rng, canvas, number=6)
    return record(canvas, "skin_metal", canvas.hu > before + 500)


SHEETS: dict[str, list[Panel]] = {
    "nodules": [
        Panel("solid nodule 12 mm", lambda r, c: f.solid_nodule(r, c, lobe=RUL, diameter_mm=12), wide_mm=90),
        Panel("spiculated nodule 22 mm", lambda r, c: f.solid_nodule(r, c, lobe=LUL, diameter_mm=22, spiculated=True), wide_mm=90),
        Panel("the same, with rays", lambda r, c: f.solid_nodule(r, c, lobe=LUL, diameter_mm=22, spiculated=True, rays=70), wide_mm=90),
        Panel("spiculated mass 45 mm", lambda r, c: f.solid_nodule(r, c, lobe=RLL, diameter_mm=45, spiculated=True), wide_mm=130),
        Panel("ground-glass nodule 16 mm", lambda r, c: f.ground_glass_nodule(r, c, lobe=LUL, diameter_mm=16), wide_mm=90),
        Panel("part-solid nodule 22/9 mm", lambda r, c: f.part_solid_nodule(r, c, lobe=RUL, diameter_mm=22, solid_mm=9), wide_mm=90),
        Panel("perifissural nodule 7 mm", lambda r, c: f.perifissural_nodule(r, c, diameter_mm=7), wide_mm=70),
        Panel("halo sign", lambda r, c: f.halo_nodule(r, c, lobe=LLL, diameter_mm=18), wide_mm=90),
        Panel("granuloma, diffuse calcium", lambda r, c: f.calcified_granuloma(r, c, lobe=RUL, diameter_mm=11), "soft", 60),
        Panel(
            "granuloma, central calcium",
            lambda r, c: f.calcified_granuloma(r, c, lobe=LUL, diameter_mm=16, pattern="central"),
            "soft",
            60,
        ),
        Panel("granuloma, laminated", lambda r, c: f.calcified_granuloma(r, c, lobe=RLL, diameter_mm=19, pattern="laminated"), "soft", 60),
        Panel("hamartoma, popcorn", lambda r, c: f.calcified_granuloma(r, c, lobe=LLL, diameter_mm=26, pattern="popcorn"), "soft", 60),
        Panel("cavity, 5 mm wall", lambda r, c: f.cavity(r, c, lobe=RUL, diameter_mm=36, wall_mm=5), wide_mm=110),
        Panel("abscess, air-fluid level", lambda r, c: f.cavity(r, c, lobe=RLL, diameter_mm=48, wall_mm=6, fluid=True), wide_mm=120),
        Panel("centrilobular nodules", lambda r, c: f.diffuse_nodules(r, c, pattern="centrilobular", density=1.5), wide_mm=150),
        Panel("perilymphatic nodules", lambda r, c: f.diffuse_nodules(r, c, pattern="perilymphatic", density=1.5), wide_mm=150),
        Panel("miliary nodules", lambda r, c: f.diffuse_nodules(r, c, pattern="miliary", density=5), wide_mm=150),
    ],
    "airspace": [
        Panel("ground glass, peripheral", lambda r, c: f.ground_glass(r, c, lobes=ALL, amount=0.35)),
        Panel("ground glass, diffuse", lambda r, c: f.ground_glass(r, c, lobes=ALL, amount=0.5, peripheral=False)),
        Panel("crazy paving", lambda r, c: f.crazy_paving(r, c, lobes=ALL, amount=0.45)),
        Panel("consolidation, lobar", lambda r, c: f.consolidation(r, c, lobe=RLL, amount=0.6)),
        Panel("consolidation, patchy", lambda r, c: f.consolidation(r, c, lobe=LLL, amount=0.3, patchy=True)),
        Panel("atelectasis", lambda r, c: f.atelectasis(r, c, side="left", amount=0.12)),
    ],
    "airways": [
        Panel("bronchiectasis", lambda r, c: f.bronchiectasis(r, c, lobes=LOWER, plugged=0.0)),
        Panel("mucus plugs", lambda r, c: f.mucus_plugs(r, c, lobes=UPPER)),
        Panel("dense mucus", lambda r, c: f.mucus_plugs(r, c, lobes=UPPER, dense=True), "soft", 150),
        Panel("peribronchial thickening", lambda r, c: f.peribronchial_thickening(r, c, lobes=ALL)),
        Panel("tree-in-bud", lambda r, c: f.tree_in_bud(r, c, lobes=(RLL,), amount=0.95), wide_mm=100),
        Panel("mosaic attenuation", lambda r, c: f.mosaic_attenuation(r, c), "air"),
        Panel("emphysema, centrilobular", lambda r, c: f.emphysema(r, c, amount=0.3), "air"),
        Panel("emphysema, paraseptal", lambda r, c: f.emphysema(r, c, kind="paraseptal", amount=0.1), "air"),
        Panel("emphysema, panlobular", lambda r, c: f.emphysema(r, c, kind="panlobular", amount=0.5), "air", plane="coronal"),
        Panel("bullae", lambda r, c: f.bullae(r, c, lobe=RUL)),
        Panel("cysts", lambda r, c: f.cysts(r, c, number=160)),
    ],
    "interstitial": [
        Panel("septal thickening", lambda r, c: f.septal_thickening(r, c)),
        Panel("UIP: honeycombing", lambda r, c: f.fibrosis(r, c, amount=0.25, honeycombing=True)),
        Panel("probable UIP: traction", lambda r, c: f.fibrosis(r, c, amount=0.25, honeycombing=False)),
        Panel("NSIP: ground glass", lambda r, c: f.nsip(r, c)[0]),
        Panel("NSIP: fine lines", lambda r, c: f.nsip(r, c)[1], wide_mm=150),
        Panel("fibrotic bands", lambda r, c: f.fibrotic_bands(r, c, lobe=RUL, number=5), wide_mm=150),
    ],
    "pleura": [
        Panel("effusion, free", lambda r, c: f.pleural_effusion(r, c, side="right", depth_mm=40), "soft"),
        Panel("effusion, loculated", lambda r, c: f.loculated_effusion(r, c, side="left"), "soft"),
        Panel("pneumothorax", lambda r, c: f.pneumothorax(r, c, side="left")),
        Panel("pleural thickening", lambda r, c: f.pleural_thickening(r, c, side="right", thickness_mm=8), "soft", below_mm=40.0),
        Panel("pleural plaques", lambda r, c: f.pleural_plaques(r, c), "bone"),
        Panel("pericardial effusion", lambda r, c: f.pericardial_effusion(r, c), "soft"),
    ],
    "mediastinum": [
        Panel(
            "lymphadenopathy 4R, 7",
            lambda r, c: f.lymphadenopathy(r, c, stations=("4R", "7"), short_axis_mm=20),
            "soft",
            160,
            contrast=True,
        ),
        Panel(
            "enlarged pulmonary artery 38 mm", lambda r, c: f.enlarged_pulmonary_artery(r, c, diameter_mm=38), "soft", 180, contrast=True
        ),
        Panel("enlarged right ventricle", lambda r, c: f.enlarged_right_ventricle(r, c, ratio=1.5), "soft", 180, contrast=True),
        Panel("coronary calcification", lambda r, c: f.coronary_calcification(r, c), "soft", 160),
        Panel("aortic calcification", lambda r, c: f.aortic_calcification(r, c), "soft", 160, seed=5),
        Panel("pulmonary embolus", lambda r, c: f.pulmonary_embolus(r, c, side="right"), "soft", 160, contrast=True),
        Panel("hiatal hernia", lambda r, c: f.hiatal_hernia(r, c), "soft", 200),
        Panel("port", lambda r, c: f.medical_material(r, c, kind="port"), "soft", plane="coronal"),
        Panel("pacemaker", lambda r, c: f.medical_material(r, c, kind="pacemaker"), "bone", 160),
        Panel("thyroid nodule", lambda r, c: f.thyroid_nodule(r, c, side="right"), "soft", 120),
        Panel("adrenal mass", lambda r, c: f.adrenal_mass(r, c, side="left"), "soft", 150),
    ],
    "bones": [
        Panel("rib fracture", lambda r, c: f.rib_fracture(r, c, side="right"), "bone", 100),
        Panel("rib metastasis, lytic", lambda r, c: f.bone_metastasis(r, c, site="rib", diameter_mm=22), "bone", 100),
        Panel("rib metastasis, sclerotic", lambda r, c: f.bone_metastasis(r, c, site="rib", lytic=False, diameter_mm=28), "bone", 100),
        Panel("metastasis, lytic", lambda r, c: f.bone_metastasis(r, c, lytic=True), "bone", 100),
        Panel("metastasis, sclerotic", lambda r, c: f.bone_metastasis(r, c, lytic=False), "bone", 100),
    ],
    "artefacts": [
        Panel(
            "breathing 14 mm",
            lambda r, c: f.solid_nodule(r, c, lobe=RLL, diameter_mm=14),
            plane="coronal",
            scan=replace(SCAN, motion_mm=14.0),
        ),
        Panel("low dose", lambda r, c: f.thyroid_nodule(r, c, side="right"), "soft", scan=replace(SCAN, low_dose=True, noise_hu=20.0)),
        Panel("metal", lambda r, c: f.medical_material(r, c, kind="pacemaker"), "soft", scan=replace(SCAN, metal=True)),
        Panel("metal on the skin, no finding", _skin_metal, "bone", 160),
    ],
}


def main() -> None:
    """Draw the sheets named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sheets", nargs="*", choices=[*SHEETS, []], help="which sheets; all by default")
    names = parser.parse_args().sheets or list(SHEETS)
    flags = {panel.contrast for name in names for panel in SHEETS[name]}
    healthy = {flag: start(np.random.default_rng(3), SCAN, Habitus(contrast=flag)) for flag in flags}
    OUT.mkdir(parents=True, exist_ok=True)
    for name in names:
        tiles = [_pair(panel, healthy[panel.contrast]) for panel in SHEETS[name]]
        _sheet(tiles).save(OUT / f"{name}.jpg", quality=82, optimize=True)


def _sheet(tiles: list[Image.Image], columns: int = 3) -> Image.Image:
    rows = [tiles[i : i + columns] for i in range(0, len(tiles), columns)]
    heights = [max(t.height for t in row) for row in rows]
    sheet = Image.new("RGB", (columns * tiles[0].width, sum(heights)), "white")
    for i, row in enumerate(rows):
        for k, tile in enumerate(row):
            sheet.paste(tile, (k * tile.width, sum(heights[:i])))
    return sheet


def _pair(panel: Panel, healthy: Canvas) -> Image.Image:
    """The plain picture, the outlined one and the caption."""
    canvas = replace(healthy, hu=healthy.hu.copy(), lobes=healthy.lobes.copy(), vessels=healthy.vessels.copy())
    painted = panel.paint(np.random.default_rng(panel.seed), canvas)
    found = painted[-1] if isinstance(painted, tuple) else painted
    hu, mask, mm = _section(canvas, found.mask, panel)
    low, high = WINDOWS[panel.window]
    grey = (np.clip((hu - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    size = (TILE, round(TILE * mm[0] / mm[1]))
    plain = Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC).convert("RGB")
    inside = np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)) > 127
    outlined = np.array(plain)
    outlined[inside ^ ndimage.binary_erosion(inside)] = (255, 210, 0)
    tile = Image.new("RGB", (2 * TILE + 8, size[1] + 22), "white")
    tile.paste(plain, (0, 0))
    tile.paste(Image.fromarray(outlined), (TILE + 2, 0))
    ImageDraw.Draw(tile).text((4, size[1] + 3), panel.name, fill="black", font=ImageFont.load_default(13))
    return tile


def _section(canvas: Canvas, mask: NDArray[np.bool_], panel: Panel) -> tuple[NDArray[np.int16], NDArray[np.bool_], tuple[float, float]]:
    """The section with most of the finding, scanned; its mask; and its size in mm."""
    axis = ("axial", "coronal", "sagittal").index(panel.plane)
    eligible = mask & (canvas.grid.z < panel.below_mm)
    where = int(np.argmax(eligible.sum(axis=tuple({0, 1, 2} - {axis}))))
    if panel.wide_mm and panel.plane == "axial":
        where = _central(mask)
    slab = [slice(None)] * 3
    slab[axis] = slice(max(0, where - 3), where + 4)
    box = (slab[0], slab[1], slab[2])
    hu = np.ascontiguousarray(canvas.hu[box])
    study = finish(np.random.default_rng(5), replace(canvas, hu=hu), replace(panel.scan, shape=hu.shape), ())
    plane = np.take(study.hu, where - (slab[axis].start or 0), axis)
    outline = np.take(mask, where, axis)
    spacing = [s for k, s in enumerate(SCAN.spacing) if k != axis]
    if panel.wide_mm is None:
        crop = (slice(32, -36), slice(10, -10)) if axis == 0 else (slice(None), slice(14, -14))
    else:
        rows, columns = np.nonzero(outline)
        labels, _ = ndimage.label(outline)
        biggest = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
        rows, columns = np.nonzero(biggest)
        crop = tuple(  # type: ignore[assignment]
            slice(max(0, round(at.mean() - panel.wide_mm / 2 / s)), round(at.mean() + panel.wide_mm / 2 / s))
            for at, s in zip((rows, columns), spacing, strict=True)
        )
    plane, outline = plane[crop], outline[crop]
    return plane, outline, (plane.shape[0] * spacing[0], plane.shape[1] * spacing[1])


def _central(mask: NDArray[np.bool_]) -> int:
    """Slice through the largest connected part in one slice."""
    best, where = 0, 0
    for z in np.flatnonzero(mask.any(axis=(1, 2))):
        labels, _ = ndimage.label(mask[z])
        area = int(np.bincount(labels.ravel())[1:].max())
        if area > best:
            best, where = area, int(z)
    return where


if __name__ == "__main__":
    main()
