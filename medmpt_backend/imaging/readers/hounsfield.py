"""From stored numbers to Hounsfield units, and the question whether they can be Hounsfield units at all."""

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Air: the floor of the scale of most scanners. Padding outside the reconstruction circle and noise below air become this value.
AIR_HU = -1024
MAX_HU = 32767
# A CT of a body on a scanner shows air around or inside it.
MUST_REACH_HU = -500
# Metal reaches the top of a 16-bit extended scale; a median beyond bone is no CT of a body.
MAX_MEDIAN_HU = 2000


def to_int16(values: NDArray[np.integer] | NDArray[np.floating], slope: float, intercept: float) -> NDArray[np.int16]:
    """Rescale stored values to HU, rounded, with everything below air raised to air.

    Args:
        values: Stored values, any shape; NaN becomes air.
        slope: Rescale slope.
        intercept: Rescale intercept, HU.

    Returns:
        Same shape, int16, HU.
    """
    if slope == 1.0 and intercept == int(intercept) and np.issubdtype(values.dtype, np.integer):
        if values.dtype.itemsize == 2 and -8192 <= intercept <= 0 and (values.dtype.kind == "i" or int(values.max(initial=0)) <= MAX_HU):
            raised = np.maximum(values.view(np.int16), np.int16(AIR_HU - intercept))
            return np.add(raised, np.int16(intercept), out=raised)
        shifted = values.astype(np.int32) + np.int32(intercept)
        clipped: NDArray[np.int16] = np.clip(shifted, AIR_HU, MAX_HU).astype(np.int16)
        return clipped
    scaled = values.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    scaled = np.nan_to_num(scaled, nan=AIR_HU, posinf=MAX_HU, neginf=AIR_HU)
    rounded: NDArray[np.int16] = np.clip(np.rint(scaled), AIR_HU, MAX_HU).astype(np.int16)
    return rounded


def require_hounsfield(hu: NDArray[np.int16], *, declared: bool) -> None:
    """Refuse a volume whose values cannot be Hounsfield units.

    Args:
        hu: `(D, H, W)` int16.
        declared: Whether the header says how to rescale to HU.

    Raises:
        BadInput: With the range found.
    """
    sample = hu[:: max(1, hu.shape[0] // 64), :: max(1, hu.shape[1] // 128), :: max(1, hu.shape[2] // 128)]
    low, high = int(sample.min()), int(sample.max())
    undeclared = "" if declared else message(" and the header has no RescaleIntercept")
    if low == high:
        raise BadInput(message("every voxel has the value {low}: this is an empty image; export the series again", low=low))
    if low > MUST_REACH_HU:
        raise BadInput(
            message(
                "the values run from {low} to {high}{undeclared}: not Hounsfield units (air is -1000); export the CT in HU",
                low=low,
                high=high,
                undeclared=undeclared,
            )
        )
    if float(np.median(sample)) > MAX_MEDIAN_HU:
        raise BadInput(
            message(
                "the median value is {median:.0f}{undeclared}: not Hounsfield units; export the CT in HU",
                median=float(np.median(sample)),
                undeclared=undeclared,
            )
        )
