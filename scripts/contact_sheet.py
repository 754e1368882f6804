#!/usr/bin/env python3
"""Every mask of every real scan on one sheet, to be looked at.

    python scripts/contact_sheet.py OUT.png [--scans FOLDER ...] [--candidates]

One row per scan: five axial slices from apex to base, the carina, the great vessels, a coronal and a sagittal plane, and the slices that
show most metal, pericardial fluid and calcium, where there is any. Colours: right lung blue, left lung green, airway yellow, inside the
ribs grey outline, fluid cyan, air magenta, dense tissue red, between the lungs orange outline, heart as the pericardium is looked for
around dark orange outline, pericardial fluid light blue, ascending aorta and pulmonary trunk pink and violet circles, metal bright red,
plaques, vertebra and candidates white.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.anatomy.grid import Grid, fraction, refine
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.anatomy.space import cavity_of
from medmpt_backend.imaging.asked.look import look
from medmpt_backend.imaging.candidates import candidates
from medmpt_backend.imaging.findings import mediastinum, pleura, skeleton
from medmpt_backend.imaging.findings.discs import Disc
from medmpt_backend.imaging.findings.seen import seen
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.quantify import CONSOLIDATION_CLUMP_MM, CONSOLIDATION_HU, GGO_CLUMP_MM, GGO_HU, clumps
from medmpt_backend.imaging.volume import Volume

DATA = Path(__file__).resolve().parents[1] / "../shared/data/chest_ct"
TILE = 220
Colour = tuple[int, int, int]
Layer = tuple[NDArray[np.bool_], Colour, bool]


def layers(lungs: Lungs) -> list[Layer]:
    """Masks on the lungs' grid, their colour, and whether only the outline is drawn."""
    cavity = cavity_of(lungs)
    shape, factors = lungs.labels.shape, cavity.grid.factors

    def fine(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return refine(mask, factors, shape)

    airway = np.zeros(shape, dtype=bool) if lungs.airway is None else lungs.airway.mask
    wet = pleura.fluid(cavity)
    dense = pleura.dense_tissue(cavity, wet.mask)
    small = cavity.grid.hu.shape
    air = pleura.air(cavity, fraction(lungs.inside, factors, small) >= 0.5, fraction(airway, factors, small) > 0.2)
    codes = (lungs.labels > 0).astype(np.uint8)
    return [
        (lungs.labels == RIGHT, (70, 120, 255), False),
        (lungs.labels == LEFT, (60, 200, 90), False),
        (clumps(lungs, codes, GGO_HU, GGO_CLUMP_MM), (200, 160, 255), False),
        (clumps(lungs, codes, CONSOLIDATION_HU, CONSOLIDATION_CLUMP_MM), (255, 90, 60), False),
        (airway, (255, 230, 0), False),
        (fine(cavity.side > 0), (190, 190, 190), True),
        (mediastinum.between_lungs(lungs).mask, (255, 150, 0), True),
        (fine(wet.mask), (0, 255, 255), False),
        (fine(dense.mask), (255, 40, 40), False),
        (fine(air.mask), (255, 0, 255), False),
    ]


def others(volume: Volume, lungs: Lungs) -> tuple[list[Layer], list[int]]:
    """What is found only where it is asked for, and plaques: masks on the lungs' grid, and the slices of the volume that show most."""
    seen_here, shape, factors = look(volume, lungs), lungs.labels.shape, np.array(lungs.grid.factors)
    slices: list[int] = []

    def dotted(voxels: NDArray[np.intp]) -> NDArray[np.bool_]:
        mask = np.zeros(shape, dtype=bool)
        if len(voxels):
            mask[tuple(np.minimum(voxels // factors, np.array(shape) - 1).T)] = True
            slices.append(int(np.argmax(np.bincount(voxels[:, 0]))))
        return mask

    def ringed(discs: tuple[Disc, ...]) -> NDArray[np.bool_]:
        mask = np.zeros(shape, dtype=bool)
        y, x = np.arange(shape[1])[:, None] * factors[1], np.arange(shape[2])[None] * factors[2]
        for disc in discs:
            away = np.hypot((y - disc.y) * volume.spacing[1], (x - disc.x) * volume.spacing[2])
            mask[min(disc.z // factors[0], shape[0] - 1)] |= np.abs(away - disc.radius) <= 0.6 * lungs.grid.spacing[1]
        return mask

    none = np.zeros((0, 3), dtype=np.intp)
    spots = seen(volume, lungs).spots
    plaques = np.concatenate([none, *[np.stack([np.full(len(s.y), s.z), s.y, s.x], axis=1) for s in spots]])
    found: list[Layer] = [
        (dotted(none if seen_here.metal.voxels is None else seen_here.metal.voxels), (255, 0, 0), False),
        (dotted(plaques), (255, 255, 255), True),
    ]
    if seen_here.pericardium.mask is not None and seen_here.pericardium.slice is not None:
        found.append((seen_here.pericardium.mask, (120, 220, 255), False))
        slices.append(seen_here.pericardium.slice)
    if seen_here.pericardium.heart is not None:
        found.append((seen_here.pericardium.heart, (200, 90, 0), True))
    if seen_here.vessels is not None:
        found += [(ringed(seen_here.vessels.aorta), (255, 80, 160), False), (ringed(seen_here.vessels.trunk), (170, 60, 255), False)]
        slices.append(seen_here.vessels.slice)
    return found, slices


def tile(
    plane: NDArray[np.int16], spacing: tuple[float, float], found: list[tuple[NDArray[np.bool_], Colour, bool]], name: str
) -> Image.Image:
    """One plane with its masks, in true proportions."""
    grey = np.clip((plane.astype(np.float32) + 1100) / 1500 * 255, 0, 255)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    for mask, colour, outline in found:
        shown = mask & ~ndimage.binary_erosion(mask) if outline else mask
        share = 0.9 if outline else 0.35
        rgb[shown] = (1 - share) * rgb[shown] + share * np.array(colour)
    height, width = plane.shape[0] * spacing[0], plane.shape[1] * spacing[1]
    scale = TILE / max(height, width)
    image = Image.fromarray(rgb.astype(np.uint8)).resize((max(1, round(width * scale)), max(1, round(height * scale))))
    out = Image.new("RGB", (TILE, TILE))
    out.paste(image, ((TILE - image.width) // 2, (TILE - image.height) // 2))
    ImageDraw.Draw(out).text((4, 2), name, fill=(255, 255, 0))
    return out


def row(path: Path, wanted: bool) -> Image.Image:
    """One scan."""
    volume = load_volume(path)
    lungs = segment(volume)
    grid: Grid = lungs.grid
    found = layers(lungs)
    spans = np.flatnonzero((lungs.labels > 0).any(axis=(1, 2)))
    picked = [int(spans[round(share * (len(spans) - 1))]) for share in (0.12, 0.3, 0.5, 0.7, 0.88)]
    if lungs.airway is not None and lungs.airway.carina is not None:
        picked.append(lungs.airway.carina[0])
    spots: list[tuple[int, int, int]] = []
    if wanted:
        try:
            spots = [
                (p.at[2] // grid.factors[0], p.at[1] // grid.factors[1], p.at[0] // grid.factors[2]) for p in candidates(volume, 6, lungs)
            ]
            picked += [spot[0] for spot in spots[:3]]
        except BackendError as refused:
            sys.stderr.write(f"{path.name}: {refused}\n")
    bone = skeleton.vertebra(lungs)
    more, further = others(volume, lungs)
    found += more
    picked += [min(z // grid.factors[0], len(grid.hu) - 1) for z in further]
    tiles = []
    for z in dict.fromkeys(picked):
        here = [(mask[z], colour, outline) for mask, colour, outline in found]
        marks = np.zeros(grid.hu.shape[1:], dtype=bool)
        for spot in spots:
            if spot[0] == z:
                marks[max(0, spot[1] - 8) : spot[1] + 9, max(0, spot[2] - 8) : spot[2] + 9] = True
        if bone is not None and bone.z == z:
            marks[bone.y - 2 : bone.y + 3, bone.x - 2 : bone.x + 3] = True
        tiles.append(
            tile(grid.hu[z], grid.spacing[1:], [*here, (marks, (255, 255, 255), True)], f"{path.name[-12:]} z{z * grid.factors[0]}")
        )
    y = int(np.argmax(np.count_nonzero(lungs.labels, axis=(0, 2))))
    x = int(np.argmax(np.count_nonzero(lungs.labels == RIGHT, axis=(0, 1))))
    tiles.append(tile(grid.hu[:, y], (grid.spacing[0], grid.spacing[2]), [(m[:, y], c, o) for m, c, o in found], f"coronal y{y}"))
    tiles.append(tile(grid.hu[:, :, x], (grid.spacing[0], grid.spacing[1]), [(m[:, :, x], c, o) for m, c, o in found], f"sagittal x{x}"))
    out = Image.new("RGB", (TILE * len(tiles), TILE))
    for i, image in enumerate(tiles):
        out.paste(image, (TILE * i, 0))
    return out


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scans", type=Path, nargs="*")
    parser.add_argument("--candidates", action="store_true", help="look for nodule candidates too, and show the slices of the first three")
    given = parser.parse_args()
    scans = given.scans or sorted(p for p in DATA.iterdir() if p.is_dir())
    rows = [row(path, given.candidates) for path in scans]
    sheet = Image.new("RGB", (max(r.width for r in rows), TILE * len(rows)))
    for i, image in enumerate(rows):
        sheet.paste(image, (0, TILE * i))
    sheet.save(given.out)


if __name__ == "__main__":
    main()
