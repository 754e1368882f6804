"""What lies over a plane: lungs, emphysema, findings by measurement and marked lesions, as bits of one byte per pixel."""

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from tools.imaging.marks.mark import unpacked
from tools.imaging.planes import AXIS, Plane, section
from tools.imaging.studies import Study

if TYPE_CHECKING:
    from medmpt_backend.imaging.findings.calcium import Spot
    from medmpt_backend.imaging.volume import Volume

# Bits of a pixel; the viewer's script reads the same.
LAYERS = {"lungs": 1, "emphysema": 2, "effusion": 4, "lesions": 8, "pneumothorax": 16, "dense": 32, "calcium": 64, "other": 128}
EMPHYSEMA_BELOW_HU = -950
T = TypeVar("T", bound=np.generic)


def overlay(study: Study, plane: Plane, index: int, layers: frozenset[str], voxels: dict[int, str]) -> NDArray[np.uint8]:
    """Bits of the wanted layers over one plane, in the plane's own shape.

    Args:
        study: The study.
        plane: Which plane.
        index: Its number.
        layers: Names of `LAYERS`.
        voxels: Packed voxels of its marks.

    Raises:
        BackendError: Lungs are wanted of what is no chest.
        BadInput: No such plane.
    """
    volume = study.volume
    hu = section(volume, plane, index)
    out = np.zeros(hu.shape, dtype=np.uint8)
    if layers & {"lungs", "emphysema"}:
        lungs = study.lungs
        inside = _coarse(lungs.labels, lungs.grid.factors, volume, plane, index) > 0
        if "lungs" in layers:
            out[inside] |= LAYERS["lungs"]
        if "emphysema" in layers:
            out[inside & (hu < EMPHYSEMA_BELOW_HU)] |= LAYERS["emphysema"]
    for name in sorted(layers & {"effusion", "pneumothorax", "dense"}):
        out[_coarse(study.seen.pockets[name], study.seen.factors, volume, plane, index)] |= LAYERS[name]
    if "calcium" in layers:
        _dot(out, study.seen.spots, plane, index)
    if "other" in layers:
        _others(out, study, plane, index)
    if "lesions" in layers:
        for packed in voxels.values():
            _paint(out, packed, plane, index)
    return out


def _coarse(mask: NDArray[T], factors: tuple[int, int, int], volume: "Volume", plane: Plane, index: int) -> NDArray[T]:
    """A plane of the volume out of a mask on a coarser grid."""
    axis = AXIS[plane]
    places = [
        np.minimum((np.array([index]) if a == axis else np.arange(n)) // f, m - 1)
        for a, (n, f, m) in enumerate(zip(volume.hu.shape, factors, mask.shape, strict=True))
    ]
    found: NDArray[T] = mask[np.ix_(*places)].squeeze(axis)
    return found


def _dot(out: NDArray[np.uint8], spots: "tuple[Spot, ...]", plane: Plane, index: int) -> None:
    """The plaques that the plane cuts."""
    axis = AXIS[plane]
    for spot in spots:
        places = np.stack([np.full(len(spot.y), spot.z), spot.y, spot.x])
        here = places[:, places[axis] == index]
        rows, columns = (here[a] for a in range(3) if a != axis)
        out[rows, columns] |= LAYERS["calcium"]


def _others(out: NDArray[np.uint8], study: Study, plane: Plane, index: int) -> None:
    """Metal, pericardial fluid, low vertebral bodies and the circles of the great vessels."""
    volume, found, axis = study.volume, study.looked, AXIS[plane]
    if found.pericardium.mask is not None:
        out[_coarse(found.pericardium.mask, study.lungs.grid.factors, volume, plane, index)] |= LAYERS["other"]
    for voxels in (found.metal.voxels, found.spine.voxels):
        if voxels is None:
            continue
        here = voxels[voxels[:, axis] == index]
        rows, columns = (here[:, a] for a in range(3) if a != axis)
        out[rows, columns] |= LAYERS["other"]
    if found.vessels is None or plane != "axial":
        return
    _, dy, dx = volume.spacing
    y, x = np.arange(out.shape[0])[:, None], np.arange(out.shape[1])[None]
    for disc in (*found.vessels.aorta, *found.vessels.trunk):
        if disc.z == index:
            away = np.hypot((y - disc.y) * dy, (x - disc.x) * dx)
            out[np.abs(away - disc.radius) <= max(dy, dx)] |= LAYERS["other"]


def _paint(out: NDArray[np.uint8], packed: str, plane: Plane, index: int) -> None:
    """The cut of one lesion."""
    mask, first = unpacked(packed)
    axis = AXIS[plane]
    here = index - first[axis]
    if not 0 <= here < mask.shape[axis]:
        return
    cut = mask[(slice(None),) * axis + (here,)]
    y, x = [first[a] for a in range(3) if a != axis]
    window = out[y : y + cut.shape[0], x : x + cut.shape[1]]
    window |= np.where(cut, np.uint8(LAYERS["lesions"]), np.uint8(0))
