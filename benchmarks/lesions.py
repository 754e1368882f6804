"""Lesions read by people against `measure` from many clicks: LIDC contours and boxes of Lung-PET-CT-Dx, in `../shared/data`.

    python benchmarks/lesions.py [--clicks 12]

For each lesion: the readers' range of diameter and volume, what the clicks gave, and how far the volumes of the clicks spread.
"""

import argparse
import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging import diameters
from medmpt_backend.imaging.anatomy.lungs import Lungs, segment
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.measure import Lesion, measure
from medmpt_backend.imaging.volume import Volume

DATA = Path(__file__).resolve().parents[1] / "../shared/data/chest_ct"
WIDER, VOLUME, JITTER = 0.10, 0.15, 0.05
SCANS = {"LIDC-IDRI-0001": "069.xml", "LIDC-IDRI-0003": "072.xml"}


@dataclass(frozen=True, eq=False)
class Read:
    """One reader's outline of one lesion."""

    mask: NDArray[np.bool_]
    long_mm: float
    volume_mm3: float


def reads(volume: Volume, folder: Path, xml: str) -> list[Read]:
    """Every outline with an area."""
    heads = [pydicom.dcmread(file, stop_before_pixels=True) for file in folder.glob("*.dcm")]
    tops = sorted((float(head.ImagePositionPatient[2]) for head in heads), reverse=True)
    found = []
    for text in re.split("<unblindedReadNodule>", (folder / xml).read_text())[1:]:
        mask = np.zeros(volume.hu.shape, dtype=bool)
        for roi in re.findall("<roi>.*?</roi>", text, re.DOTALL):
            z = min(range(len(tops)), key=lambda k: abs(tops[k] - float(re.search(r"<imageZposition>([-\d.]+)", roi)[1])))  # type: ignore[index]
            points = [(int(y), int(x)) for x, y in re.findall(r"<xCoord>(\d+)</xCoord>\s*<yCoord>(\d+)", roi)]
            if len(points) > 2:
                mask[z] |= _filled(points, mask.shape[1:])
        if mask.any():
            axes = diameters.longest(mask, volume.spacing[1:])
            assert axes is not None
            found.append(Read(mask, axes.long_mm, float(mask.sum() * np.prod(volume.spacing))))
    return found


def _filled(points: list[tuple[int, int]], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The inside of an outline; the outline itself lies outside the lesion by the rules of LIDC."""
    edge = np.zeros(shape, dtype=bool)
    for (y0, x0), (y1, x1) in zip(points, [*points[1:], points[0]], strict=True):
        steps = max(abs(y1 - y0), abs(x1 - x0), 1)
        edge[np.linspace(y0, y1, steps + 1).round().astype(int), np.linspace(x0, x1, steps + 1).round().astype(int)] = True
    return ndimage.binary_fill_holes(edge) & ~edge


def lesions(found: list[Read]) -> list[list[Read]]:
    """Outlines of the same lesion together."""
    groups: list[list[Read]] = []
    for read in found:
        for group in groups:
            if any((read.mask & other.mask).any() for other in group):
                group.append(read)
                break
        else:
            groups.append([read])
    return groups


def clicks(inside: NDArray[np.bool_], count: int) -> list[tuple[int, int, int]]:
    """The middle, and points within three voxels of it, all inside."""
    rng = np.random.default_rng(0)
    z, y, x = np.nonzero(inside)
    middle = np.array([z.mean(), y.mean(), x.mean()]).round().astype(int)
    near = [p for p in zip(z, y, x, strict=True) if np.abs(np.array(p) - middle).max() <= 3]
    picked = rng.permutation(len(near))[:count]
    return [(int(near[i][2]), int(near[i][1]), int(near[i][0])) for i in picked]


def tried(volume: Volume, lungs: Lungs, points: list[tuple[int, int, int]]) -> list[Lesion | str]:
    """The lesion from each click, or the reason."""
    out: list[Lesion | str] = []
    for point in points:
        try:
            out.append(measure(volume, point, lungs))
        except BackendError as error:
            out.append(str(error))
    return out


def spread(values: list[float]) -> float:
    """Largest deviation from the median, as a share of it."""
    middle = float(np.median(values))
    return max(abs(value / middle - 1) for value in values)


def shown(name: str, results: list[Lesion | str], truth: str, long: tuple[float, float], size: tuple[float, float]) -> None:
    """One lesion."""
    good = [result for result in results if isinstance(result, Lesion)]
    print(f"{name}: readers {truth}")
    if good:
        volumes, longs = [result.volume_mm3 for result in good], [result.long_mm for result in good]
        right_long = sum(long[0] * (1 - WIDER) <= value <= long[1] * (1 + WIDER) for value in longs)
        right_size = sum(size[0] * (1 - VOLUME) <= value <= size[1] * (1 + VOLUME) for value in volumes)
        kinds = sorted({f"{result.type} {result.side} {result.lobe_or_third}" for result in good})
        print(f"    {len(good)}/{len(results)} measured; long {min(longs):.1f} to {max(longs):.1f} mm ({right_long} in range)")
        said = f"{right_size} in range, spread {100 * spread(volumes):.1f} %, {kinds}"
        print(f"    volume {min(volumes):.0f} to {max(volumes):.0f} mm3, {said}")
    for reason in sorted({result for result in results if isinstance(result, str)}):
        print(f"    refused: {reason[:150]}")


def main() -> None:
    """Print every lesion."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=12)
    count = parser.parse_args().clicks
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    for scan, xml in SCANS.items():
        volume = load_volume(DATA / scan)
        lungs = segment(volume)
        for group in lesions(reads(volume, DATA / scan, xml)):
            votes = np.sum([read.mask for read in group], axis=0)
            points = clicks(votes >= max(1, len(group) / 2), count)
            longs, sizes = [read.long_mm for read in group], [read.volume_mm3 for read in group]
            truth = f"{len(group)}, {min(longs):.1f} to {max(longs):.1f} mm, {min(sizes):.0f} to {max(sizes):.0f} mm3, at {points[0]}"
            shown(scan, tried(volume, lungs, points), truth, (min(longs), max(longs)), (min(sizes), max(sizes)))
    boxes: dict[str, list[dict[str, str]]] = {}
    with (DATA / "Lung_Dx_boxes.csv").open() as file:
        for row in csv.DictReader(file):
            boxes.setdefault(row["series"], []).append(row)
    for scan, rows in boxes.items():
        volume = load_volume(DATA / scan)
        wide = [max(int(r["xmax"]) - int(r["xmin"]), int(r["ymax"]) - int(r["ymin"])) * volume.spacing[2] for r in rows]
        points = [((int(r["xmin"]) + int(r["xmax"])) // 2, (int(r["ymin"]) + int(r["ymax"])) // 2, int(r["slice_from_head"])) for r in rows]
        area = sum((int(r["xmax"]) - int(r["xmin"])) * (int(r["ymax"]) - int(r["ymin"])) for r in rows) * float(np.prod(volume.spacing))
        truth = f"box to {max(wide):.0f} mm, boxes hold {area / 1000:.1f} ml"
        shown(scan, tried(volume, segment(volume), points[1:-1]), truth, (0.8 * max(wide), 1.3 * max(wide)), (0.3 * area, area))


if __name__ == "__main__":
    main()
