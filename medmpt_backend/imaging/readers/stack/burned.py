"""Text that an exporter burned into the pixels: found because it stands at the same place in every slice."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.messages import Said, messages

message = messages("medmpt_backend.imaging").said

# Anatomy does not keep one bright value along the whole body; burned text does.
_BRIGHT_HU = 200


def blank(hu: NDArray[np.int16]) -> str:
    """Replace burned-in text by the nearest pixel without text, in place.

    Args:
        hu: `(D, H, W)` int16.

    Returns:
        What was found, one sentence.
    """
    low, high = hu.min(axis=0), hu.max(axis=0)
    text = (low >= _BRIGHT_HU) & (high.astype(np.int32) - low <= 1)
    if not text.any():
        return message("the header says that text is burned into the pixels; none that stands in every slice was found")
    nearest = ndimage.distance_transform_edt(text, return_distances=False, return_indices=True)
    rows, columns = np.nonzero(text)
    hu[:, rows, columns] = hu[:, nearest[0][text], nearest[1][text]]
    return message(
        "text is burned into the pixels (rows {rows}, columns {columns}); it was painted over from beside, and "
        "nothing true is measured there",
        rows=_span(rows),
        columns=_span(columns),
    )


def _span(places: NDArray[np.intp]) -> Said:
    return message("{first} to {last}", first=places.min(), last=places.max())
