"""Volumes as other packages want them, and their masks as ours."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.volume import Volume

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image


def affine(volume: Volume) -> NDArray[np.float64]:
    """From voxels `(x, y, z)` of a volume to RAS mm: columns run to the left, rows backwards, slices to the feet."""
    dz, dy, dx = volume.spacing
    return np.diag([-dx, -dy, -dz, 1.0])


def to_nifti(volume: Volume) -> "Nifti1Image":
    """The volume as NIfTI, `(x, y, z)` with the affine above."""
    import nibabel

    image: Nifti1Image = nibabel.Nifti1Image(np.ascontiguousarray(volume.hu.transpose(2, 1, 0)), affine(volume))  # type: ignore[no-untyped-call]
    return image


def from_ras(points: NDArray[np.float64], volume: Volume) -> NDArray[np.float64]:
    """Voxels `(x, y, z)` of a volume at RAS points in mm, `(N, 3)`."""
    return points / np.diag(affine(volume))[:3]
