"""One chest CT series as an array: `Volume`; `medmpt_backend.imaging.load` reads one."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SeriesInfo:
    """What the header says about the series, without identity.

    Attributes:
        uid_hash: First 16 hex digits of the SHA-256 of the series UID (or of the file's content).
        thickness_mm: Nominal slice thickness, None when unknown.
        kernel: Convolution kernel, where its name is a known one.
        contrast: Whether a contrast agent was given.
        manufacturer: Scanner maker, where the name is a known one.
        synthetic: True for studies that this project generated.
        step_hu: Step between neighbouring stored values; densities are no finer than this.
        kvp: Tube voltage, kV, None where the header has none.
        day: Day of the study by the header, as a count of days; only differences of two are ever said. None where the header has none.
    """

    uid_hash: str
    thickness_mm: float | None = None
    kernel: str | None = None
    contrast: Literal["yes", "no", "unknown"] = "unknown"
    manufacturer: str | None = None
    synthetic: bool = False
    step_hu: float = 1.0
    kvp: float | None = None
    day: int | None = None


@dataclass(frozen=True, eq=False)
class Volume:
    """A CT volume in Hounsfield units.

    Attributes:
        hu: `(D, H, W)` int16, HU, slice 0 at the head; rows run anterior to posterior, columns from the patient's right to left
            (LPS, as a radiologist sees an axial slice).
        spacing: `(z, y, x)` in mm, all positive.
        series: Header facts.
        warnings: What was chosen or repaired while reading (series chosen, a missing slice by position, duplicates dropped).
    """

    hu: NDArray[np.int16]
    spacing: tuple[float, float, float]
    series: SeriesInfo
    warnings: tuple[str, ...] = field(default=())

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of voxels, shape and spacing: the same image has the same hash wherever it was read from."""
        digest = hashlib.sha256(f"{self.hu.shape} {self.spacing}".encode())
        digest.update(np.ascontiguousarray(self.hu).data)
        return digest.hexdigest()

    def axial_slice(self, index: int) -> NDArray[np.int16]:
        """Slice `index` from the head, `(H, W)` int16, HU; a view, not a copy.

        Raises:
            IndexError: Outside `0 <= index < D`.
        """
        if not 0 <= index < self.hu.shape[0]:
            raise IndexError(f"slice {index} of {self.hu.shape[0]}")
        plane: NDArray[np.int16] = self.hu[index]
        return plane
