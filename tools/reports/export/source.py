"""The headers of the series that a report is about, for objects that must name their source images."""

from pathlib import Path
from typing import TYPE_CHECKING

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.readers.archive import unpacked
from medmpt_backend.imaging.readers.frames import looks_like_dicom, read_frames
from medmpt_backend.imaging.readers.stack.choose import choose
from tools.errors import BadInput
from tools.imaging.studies import materialise

if TYPE_CHECKING:
    from pydicom import Dataset

_NOT_DICOM = "a DICOM SR names its source images, and {name!r} is no DICOM series: export pdf, docx, md or fhir instead"

# The standard asks for them with or without a value; an archive or a de-identification may have taken them out.
_MAY_BE_EMPTY = (
    "AccessionNumber", "PatientBirthDate", "PatientID", "PatientName", "PatientSex", "ReferringPhysicianName", "StudyDate", "StudyID",
    "StudyTime",
)  # fmt: skip


def series_headers(path: Path) -> "list[Dataset]":
    """Headers, without pixels, of the series that is read from this study.

    Raises:
        BadInput: The study is not DICOM, or holds no usable series.
    """
    if not path.exists():
        materialise(path)
    if path.is_file() and path.suffix.lower() == ".zip":
        with unpacked(path) as folder:
            return _headers(folder, path.name)
    return _headers(path, path.name)


def _headers(path: Path, name: str) -> "list[Dataset]":
    import pydicom

    files = sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]
    dicom = [f for f in files if looks_like_dicom(f)]
    if not dicom:
        raise BadInput(_NOT_DICOM.format(name=name))
    try:
        chosen, _ = choose([frame for f in dicom for frame in read_frames(f)])
    except BackendError as failure:
        raise BadInput(str(failure)) from failure
    headers: list[Dataset] = [pydicom.dcmread(f, stop_before_pixels=True) for f in dict.fromkeys(frame.file for frame in chosen)]
    for header in headers:
        for keyword in _MAY_BE_EMPTY:
            if keyword not in header:
                setattr(header, keyword, "")
    return headers
