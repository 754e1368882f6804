"""One NIfTI file: any axis order and direction, HU by its own scaling."""

import hashlib
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.readers import geometry, hounsfield
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Two transforms of one file may differ by rounding, not by more.
_MAX_TURN_DEGREES = 2.0
_MAX_SIZE_SHARE = 0.02


def is_nifti(path: Path) -> bool:
    """Whether the name says NIfTI, as one file or as a pair."""
    return path.name.lower().endswith((".nii", ".nii.gz", ".hdr", ".img"))


def read_nifti(path: Path) -> Volume:
    """Read a 3-D NIfTI CT.

    Args:
        path: `.nii`, `.nii.gz`, or one file of a `.hdr`/`.img` pair.

    Returns:
        HU, LPS, head first. Kernel, contrast and thickness are unknown: NIfTI does not carry them.

    Raises:
        BadInput: Damaged, not 3-D, colour, no orientation, oblique, sheared, or not HU.
    """
    import nibabel

    damage = (
        nibabel.filebasedimages.ImageFileError,
        nibabel.spatialimages.HeaderDataError,
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        zlib.error,
    )
    try:
        image: Any = nibabel.load(path)
    except damage as error:
        raise BadInput(
            message("{file!r} is not a readable NIfTI file: it is truncated or damaged; export it again", file=path.name)
        ) from error
    _require_3d(image, path.name)
    _require_one_orientation(image, path.name)
    directions, spacing = _axes(np.asarray(image.affine, dtype=np.float64), path.name)
    values, warnings = _values(image, path.name)
    hu, turned_spacing, angle = geometry.to_lps(values, directions, spacing)
    hounsfield.require_hounsfield(hu, declared=False)
    if angle > 1.0:
        warnings.append(message("the axes are rotated by {angle:.1f} degrees against the body axes; read as if straight", angle=angle))
    digest = hashlib.sha256(hu.tobytes()).hexdigest()[:16]
    return Volume(hu, turned_spacing, SeriesInfo(uid_hash=digest), tuple(warnings))


def _require_3d(image: Any, name: str) -> None:
    """Refuse colour, 4-D and sizes out of bounds, before any voxel is read."""
    shape = tuple(int(n) for n in image.shape)
    if image.get_data_dtype().fields is not None:
        raise BadInput(message("{name!r} is a colour image (RGB); give the CT itself in HU", name=name))
    if len(shape) != 3:
        raise BadInput(
            message(
                "{name!r} has {count} dimensions {shape}; give one 3-D volume (one phase, one time point)",
                name=name,
                count=len(shape),
                shape=shape,
            )
        )
    geometry.require_size(min(shape), *sorted(shape)[1:])
    if "qform_code" not in image.header or (int(image.header["qform_code"]) == 0 and int(image.header["sform_code"]) == 0):
        raise BadInput(
            message(
                "{name!r} has no orientation (qform and sform codes are 0): left and right are unknown; convert it from DICOM again",
                name=name,
            )
        )


def _require_one_orientation(image: Any, name: str) -> None:
    """Refuse a file whose two transforms place the axes differently.

    Raises:
        BadInput: With what differs.
    """
    if int(image.header["qform_code"]) == 0 or int(image.header["sform_code"]) == 0:
        return
    pair = [np.asarray(affine, dtype=np.float64)[:3, :3] for affine in (image.header.get_sform(), image.header.get_qform())]
    lengths = [np.linalg.norm(axes, axis=0) for axes in pair]
    if not all(np.all(np.isfinite(axes)) for axes in pair) or min(float(sizes.min()) for sizes in lengths) < 1e-3:
        return
    cosines = np.einsum("ij,ij->j", pair[0] / lengths[0], pair[1] / lengths[1])
    if np.any(cosines < 0):
        flipped = message("left and right") if cosines[int(np.argmax(np.abs(pair[0][0])))] < 0 else message("a direction")
        raise BadInput(
            message(
                "{name!r}: its sform and its qform disagree: {flipped} would be swapped by one of them; convert it from DICOM again",
                name=name,
                flipped=flipped,
            )
        )
    turned = math.degrees(math.acos(float(np.clip(cosines.min(), -1, 1))))
    sized = float(np.abs(lengths[0] / lengths[1] - 1).max())
    if turned > _MAX_TURN_DEGREES or sized > _MAX_SIZE_SHARE:
        raise BadInput(
            message(
                "{name!r}: its sform and its qform disagree (by {turned:.0f} degrees, {sized:.0f} % of the voxel size); "
                "convert it from DICOM again",
                name=name,
                turned=turned,
                sized=100 * sized,
            )
        )


def _axes(affine: NDArray[np.float64], name: str) -> tuple[NDArray[np.float64], tuple[float, float, float]]:
    """Directions in LPS and spacing in mm of the three array axes."""
    columns = affine[:3, :3].T
    lengths = np.linalg.norm(columns, axis=1)
    if not np.all(np.isfinite(affine)) or np.any(lengths < 1e-3) or abs(np.linalg.det(affine[:3, :3])) < 1e-6:
        raise BadInput(
            message(
                "{name!r} has an unusable affine (voxel sizes {sizes} mm); convert it from DICOM again",
                name=name,
                sizes=[round(float(v), 4) for v in lengths],
            )
        )
    # NIfTI is RAS; LPS turns the first two signs.
    directions = columns / lengths[:, None] * np.array([-1.0, -1.0, 1.0])
    overlap = max(abs(float(directions[a] @ directions[b])) for a, b in ((0, 1), (0, 2), (1, 2)))
    lean = math.degrees(math.asin(min(1.0, overlap)))
    if lean > geometry.MAX_TILT_DEGREES:
        raise BadInput(
            message(
                "{name!r} is sheared by {lean:.1f} degrees (a tilted gantry); give a series without gantry tilt or resample it",
                name=name,
                lean=lean,
            )
        )
    return directions, (float(lengths[0]), float(lengths[1]), float(lengths[2]))


def _values(image: Any, name: str) -> tuple[NDArray[np.int16], list[str]]:
    """HU of the file's voxels, slab by slab so that no float copy of the whole exists."""
    warnings: list[str] = []
    try:
        raw = np.asanyarray(image.dataobj.get_unscaled())
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise BadInput(message("{name!r} is truncated or damaged: its voxels cannot be read; export it again", name=name)) from error
    raw = raw.reshape(raw.shape[:3])
    if np.iscomplexobj(raw):
        raise BadInput(message("{name!r} holds complex numbers; give the CT itself in HU", name=name))
    slope, inter = float(image.dataobj.slope), float(image.dataobj.inter)
    hu = np.empty(raw.shape, dtype=np.int16, order="F" if raw.flags.f_contiguous else "C")
    for k in range(raw.shape[2]):
        hu[:, :, k] = hounsfield.to_int16(raw[:, :, k], slope, inter)
    if np.issubdtype(raw.dtype, np.floating) and not bool(np.isfinite(raw).all()):
        warnings.append(message("voxels without a number (NaN) were read as air"))
    return hu, warnings
