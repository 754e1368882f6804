"""Readers of CT series: a DICOM folder, a zip of one, a multi-frame DICOM file, NIfTI, NRRD or MetaImage, all ending in a `Volume`.

Messages name files by their base name only: no folder of the machine, no identifier of a patient.
"""

import zipfile
from pathlib import Path

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.readers import archive, dicom, nifti, plain
from medmpt_backend.imaging.readers.frames import looks_like_dicom
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said


def read(path: Path) -> Volume:
    """Read one series, whatever its container.

    Args:
        path: Folder, `.zip`, `.nii`, `.nii.gz`, `.hdr`/`.img`, `.nrrd`, `.nhdr`, `.mha`, `.mhd`, or one multi-frame DICOM file.

    Returns:
        The axial CT series that suits lung work best.

    Raises:
        BadInput: What is wrong, the value, and what to do.
    """
    if not path.exists():
        raise BadInput(
            message("no such file or folder: {file!r}; give a DICOM folder, a .zip of one, or a .nii/.nii.gz file", file=path.name)
        )
    if path.is_dir():
        return _read_folder(path)
    if nifti.is_nifti(path):
        return nifti.read_nifti(path)
    if plain.is_plain(path):
        return plain.read_plain(path)
    if zipfile.is_zipfile(path):
        with archive.unpacked(path) as folder:
            return _read_folder(folder)
    if path.suffix.lower() == ".zip":
        raise BadInput(
            message("{file!r} is not a readable zip file: it is damaged or incomplete; pack the DICOM folder again", file=path.name)
        )
    return dicom.read_files([path])


def _read_folder(folder: Path) -> Volume:
    """A folder of DICOM files at any depth, or a folder that holds one NIfTI, NRRD or MetaImage file."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    images = [file for file in files if nifti.is_nifti(file) or plain.is_plain(file)]
    heads = [file for file in images if not (file.suffix.lower() == ".img" and file.with_suffix(".hdr") in images)]
    if not images:
        return dicom.read_files(files)
    if not any(looks_like_dicom(file) for file in files if file not in images):
        if len(heads) > 1:
            raise BadInput(
                message(
                    "the folder holds {count} image files; name one of them, for example {file!r}", count=len(heads), file=heads[0].name
                )
            )
        return nifti.read_nifti(heads[0]) if nifti.is_nifti(heads[0]) else plain.read_plain(heads[0])
    return dicom.read_files([file for file in files if file not in images])
