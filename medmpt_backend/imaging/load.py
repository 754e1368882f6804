"""Reading one chest CT series from whatever holds it."""

from pathlib import Path

from medmpt_backend.imaging.readers import read
from medmpt_backend.imaging.volume import Volume


def load_volume(path: Path) -> Volume:
    """Read one axial chest CT series from a DICOM folder, a zip of one, or a NIfTI, NRRD or MetaImage file.

    Args:
        path: Folder, `.zip`, `.nii`, `.nii.gz`, `.hdr`/`.img`, `.nrrd` or `.mha`.

    Returns:
        The axial CT series that suits lung work best, head first, LPS, HU.

    Raises:
        medmpt_backend.errors.BadInput: What is wrong, the value, and what to do.
    """
    return read(path)
