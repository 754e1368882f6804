"""How much faster, and how much different, `quantify` is than a plain full-resolution pipeline; and how long clicks take.

Both measure the same volume of 512 x 512 x 300 int16 in one run; each runs in its own process, so that its peak memory is its own.

    python benchmarks/imaging.py [--study FOLDER] [--without-plain] [--alone]

Prints as it goes; about two minutes of CPU time, most of it the plain pipeline. Of a busy machine read `cpu_seconds`, or give `--alone`:
reading, `quantify` and the whole command then run before every other process (Linux, root; a few seconds), so that their seconds are
those of quiet cores.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from scipy import ndimage

from medmpt_backend.cohort.demo import generate
from medmpt_backend.cohort.thorax import Scan
from medmpt_backend.imaging.anatomy.airway import find_airway
from medmpt_backend.imaging.anatomy.grid import Grid
from medmpt_backend.imaging.anatomy.lungs import CLOSING_MM, LUNG_BELOW_HU, segment
from medmpt_backend.imaging.candidates import candidates
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.measure import measure
from medmpt_backend.imaging.quantify import CONSOLIDATION_CLUMP_MM, CONSOLIDATION_HU, GGO_CLUMP_MM, GGO_HU, quantify
from medmpt_backend.imaging.volume import SeriesInfo, Volume

SHAPE = (300, 512, 512)
Figures = dict[str, float]


def plain(volume: Volume) -> Figures:
    """The same figures by scipy at full resolution: threshold, components, erosion to part the lungs, closing, opening."""
    hu, spacing = volume.hu, volume.spacing
    inside = _inside(hu < LUNG_BELOW_HU)
    airway = find_airway(Grid(hu, (1, 1, 1), spacing), inside)
    if airway is not None:
        inside &= ~ndimage.binary_dilation(airway.mask)
    right, left = _parted(inside, spacing)
    lungs = [_closed(side, spacing) for side in (right, left)]
    mask = lungs[0] | lungs[1]
    values = hu[mask]
    ml = float(np.prod(spacing)) / 1000
    return {
        "total_l": values.size * ml / 1000,
        "right_l": float(np.count_nonzero(lungs[0])) * ml / 1000,
        "left_l": float(np.count_nonzero(lungs[1] & ~lungs[0])) * ml / 1000,
        "mean_hu": float(values.mean()),
        "median_hu": float(np.median(values)),
        "perc15_hu": float(np.percentile(values, 15)),
        "laa950_pct": 100 * float(np.mean(values < -950)),
        "haa_pct": 100 * float(np.mean((values >= -600) & (values <= -250))),
        "ggo_pct": 100 * _opened(mask & (hu >= GGO_HU[0]) & (hu <= GGO_HU[1]), GGO_CLUMP_MM, spacing) / values.size,
        "consolidation_pct": 100
        * _opened(mask & (hu >= CONSOLIDATION_HU[0]) & (hu <= CONSOLIDATION_HU[1]), CONSOLIDATION_CLUMP_MM, spacing)
        / values.size,
    }


def _inside(air: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Air that does not touch the edge of its slice."""
    out = np.zeros_like(air)
    for k, plane in enumerate(air):
        labels, count = ndimage.label(plane)
        keep = np.ones(count + 1, dtype=bool)
        keep[0] = False
        for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            keep[np.unique(edge)] = False
        out[k] = keep[labels]
    return out


def _parted(inside: NDArray[np.bool_], spacing: tuple[float, float, float]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Right and left lung: erode until two parts lie side by side, then give every voxel to the nearer one."""
    labels, _ = ndimage.label(inside)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    whole = (sizes >= sizes.max() / 12)[labels]
    box = _box(whole, 2.0, spacing)
    inside = whole[box]
    depth = ndimage.distance_transform_edt(inside, sampling=spacing)
    for radius in (0.0, 3.0, 6.0, 9.0):
        labels, count = ndimage.label(depth > radius)
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        order = np.argsort(-sizes)[:2]
        if count > 1 and sizes[order[1]] > 0.15 * sizes[order[0]]:
            break
    seeds = np.where(labels == order[0], 1, np.where(labels == order[1], 2, 0)).astype(np.uint8)
    index = ndimage.distance_transform_edt(seeds == 0, sampling=spacing, return_distances=False, return_indices=True)
    side = seeds[tuple(index)]
    parts = [inside & (side == n) for n in (1, 2)]
    parts.sort(key=lambda part: ndimage.center_of_mass(part)[2])
    out = np.zeros_like(whole), np.zeros_like(whole)
    out[0][box], out[1][box] = parts
    return out


def _box(mask: NDArray[np.bool_], margin_mm: float, spacing: tuple[float, float, float]) -> tuple[slice, ...]:
    """The box around a mask with a margin: distances outside it are not needed."""
    found = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        margin = int(margin_mm / spacing[axis]) + 2
        found.append(slice(max(0, int(hit[0]) - margin), int(hit[-1]) + margin + 1) if len(hit) else slice(0, 1))
    return tuple(found)


def _closed(mask: NDArray[np.bool_], spacing: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Closing with a ball, holes filled slice by slice."""
    box = _box(mask, 2 * CLOSING_MM, spacing)
    near = ndimage.distance_transform_edt(~mask[box], sampling=spacing) <= CLOSING_MM
    closed = mask.copy()
    closed[box] |= ndimage.distance_transform_edt(near, sampling=spacing) > CLOSING_MM
    return np.stack([ndimage.binary_fill_holes(plane) for plane in closed])


def _opened(mask: NDArray[np.bool_], radius: float, spacing: tuple[float, float, float]) -> int:
    """Voxels that survive an opening with a ball."""
    mask = mask[_box(mask, radius, spacing)]
    core = ndimage.distance_transform_edt(mask, sampling=spacing) > radius
    if not core.any():
        return 0
    return int(np.count_nonzero(mask & (ndimage.distance_transform_edt(~core, sampling=spacing) <= radius)))


def fast(volume: Volume) -> Figures:
    """The product's figures."""
    lungs = quantify(volume).lungs
    return {name: float(getattr(lungs, name)) for name in lungs.__dataclass_fields__}


def click_seconds(volume: Volume) -> list[float]:
    """Seconds of the first click on a candidate, lungs included, and of the next two, where the lungs are kept."""
    found = candidates(volume, 1)
    if not found:
        return []
    out, lungs = [], None
    for _ in range(3):
        start = time.perf_counter()
        lungs = lungs or segment(volume)
        measure(volume, found[0].at, lungs)
        out.append(time.perf_counter() - start)
    return out


def enlarge(hu: NDArray[np.int16], spacing: tuple[float, float, float]) -> tuple[NDArray[np.int16], tuple[float, float, float]]:
    """Linear interpolation of a study to `SHAPE`, slice by slice."""
    steps = [np.linspace(0, n - 1, m) for n, m in zip(hu.shape, SHAPE, strict=True)]
    out = np.empty(SHAPE, dtype=np.int16)
    for k, z in enumerate(steps[0]):
        low = min(int(z), hu.shape[0] - 2)
        plane = (1 - (z - low)) * hu[low].astype(np.float32) + (z - low) * hu[low + 1]
        rows = ndimage.map_coordinates(plane, np.meshgrid(steps[1], steps[2], indexing="ij"), order=1)
        out[k] = np.rint(rows)
    scale = [(n - 1) / (m - 1) for n, m in zip(hu.shape, SHAPE, strict=True)]
    return out, (spacing[0] * scale[0], spacing[1] * scale[1], spacing[2] * scale[2])


def write_series(folder: Path, hu: NDArray[np.int16], spacing: tuple[float, float, float]) -> None:
    """The volume as one uncompressed DICOM file per slice."""
    study, series = generate_uid(), generate_uid()
    folder.mkdir()
    for k, plane in enumerate(hu):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
            ExplicitVRLittleEndian,
            CTImageStorage,
            generate_uid(),
        )
        dataset = Dataset()
        dataset.file_meta = meta
        dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality, dataset.PatientID = study, series, "CT", "B"
        dataset.ImageType, dataset.InstanceNumber, dataset.SliceThickness = ["ORIGINAL", "PRIMARY", "AXIAL"], k + 1, round(spacing[0], 4)
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, round(-k * spacing[0], 4)], [1, 0, 0, 0, 1, 0]
        dataset.PixelSpacing = [round(spacing[1], 5), round(spacing[2], 5)]
        dataset.Rows, dataset.Columns = int(plane.shape[0]), int(plane.shape[1])
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 1
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.RescaleIntercept, dataset.RescaleSlope = 15, 0, 1
        dataset.PixelData = plane.tobytes()
        dataset.save_as(folder / f"{k:04d}.dcm", enforce_file_format=True)


def read_child(folder: Path) -> None:
    """Read the DICOM folder twice, and print the second time's seconds."""
    load_volume(folder)
    start, start_cpu = time.perf_counter(), time.process_time()
    load_volume(folder)
    print(json.dumps({"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - start_cpu}))


def child(path: Path, method: str) -> None:
    """Measure a saved volume by one method, and print the figures, the seconds and the peak memory of this process."""
    if method == "read":
        read_child(path.with_name("dicom"))
        return
    data = np.load(path.with_suffix(".json.npy"))
    volume = Volume(np.load(path), (float(data[0]), float(data[1]), float(data[2])), SeriesInfo(uid_hash="benchmark", contrast="no"))
    start, start_cpu = time.perf_counter(), time.process_time()
    figures = fast(volume) if method == "fast" else plain(volume)
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    clicks = click_seconds(volume) if method == "fast" else []
    peak = peak_gb()
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_gb": peak, "clicks": clicks, "figures": figures}))


def command_seconds(folder: Path, alone: bool) -> list[float]:
    """Seconds of `medmpt ct quantify` from its start to its end, five times, the shortest first."""
    first = (lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))) if alone else None
    call = [sys.executable, "-c", "import sys; from ui.cli import main; sys.exit(main())", "ct", "quantify", str(folder), "--json"]
    out = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(call, capture_output=True, check=True, preexec_fn=first)
        out.append(time.perf_counter() - start)
    return sorted(out)


def peak_gb() -> float:
    """Peak memory of this process alone: what `getrusage` says is inherited from the one that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024**2


def run(path: Path, method: str, alone: bool = False) -> dict[str, object]:
    """One method in its own process."""
    first = (lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))) if alone else None
    command = [sys.executable, __file__, "--child", str(path), method]
    done = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=first)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print both, the ratio of their times and the difference of their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, help="a real study, enlarged to 512 x 512 x 300; default: a synthetic one")
    parser.add_argument("--without-plain", action="store_true", help="reading, quantify and clicks only")
    parser.add_argument("--alone", action="store_true", help="reading and quantify before every other process")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(Path(arguments.child[0]), arguments.child[1])
        return
    if arguments.study:
        source = load_volume(arguments.study)
        hu, spacing = enlarge(source.hu, source.spacing)
    else:
        study = generate("copd", 1, Scan(shape=(150, 256, 256), spacing=(2.2, 1.4, 1.4), z_top=140.0))
        hu, spacing = enlarge(study.hu, study.spacing)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "volume.npy"
        np.save(path, hu)
        np.save(path.with_suffix(".json.npy"), np.array(spacing))
        write_series(path.with_name("dicom"), hu, spacing)
        results: dict[str, Any] = {}
        for method in ("read", "fast") if arguments.without_plain else ("read", "fast", "plain"):
            results[method] = run(path, method, arguments.alone and method != "plain")
            told = {name: round(value, 2) for name, value in results[method].items() if isinstance(value, float)}
            print(f"{method}: {told}", flush=True)
        seconds = command_seconds(path.with_name("dicom"), arguments.alone)
    print("the whole command, s: " + ", ".join(f"{s:.2f}" for s in seconds))
    quick, slow = results["fast"], results.get("plain")
    print("clicks on one candidate, s: " + ", ".join(f"{s:.2f}" for s in quick["clicks"]))
    if slow is None:
        return
    print(f"{'figure':18s} {'quantify':>10s} {'plain':>10s} {'difference':>11s}")
    for name, value in quick["figures"].items():
        print(f"{name:18s} {value:10.3f} {slow['figures'][name]:10.3f} {value - slow['figures'][name]:11.3f}")
    for name in ("seconds", "cpu_seconds"):
        print(f"{name:18s} {quick[name]:10.2f} {slow[name]:10.2f}   {slow[name] / quick[name]:.1f} times faster")
    print(f"{'peak memory, GB':18s} {quick['peak_gb']:10.2f} {slow['peak_gb']:10.2f}")


if __name__ == "__main__":
    main()
