"""De-identify DICOM: `dicognito` for names, numbers, dates and UIDs, then our own list for everything it leaves.

Of text elements only those that describe the acquisition stay (`data/dicom_kept.txt`); private elements, overlays, curves and
everything else that can hold words go. One secret of this installation seeds `dicognito`, so two studies of one patient get the same
made-up number and keep the days between them; without the secret no number leads back.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from tools.errors import BadInput
from tools.hospital.extra import need

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

# Value representations that can hold words a person typed, names, addresses, or undeclared bytes.
_WORDS = frozenset({"AE", "AS", "LO", "LT", "OB", "PN", "SH", "ST", "UC", "UN", "UR", "UT"})
_OVERLAYS_AND_CURVES = (0x50, 0x60)
_OLDEST = 89
_MAY_BE_EMPTY = ("AccessionNumber", "PatientSex", "ReferringPhysicianName", "StudyID", "StudyTime")


@dataclass(frozen=True)
class Deidentified:
    """What happened to one instance.

    Attributes:
        removed: Number of elements that were taken out.
        burned_in: The header says, or gives reason to fear, that text is burned into the pixels.
    """

    removed: int
    burned_in: bool


@cache
def kept() -> frozenset[str]:
    """Keywords of text elements that stay."""
    lines = files("tools").joinpath("data/hospital/dicom_kept.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


class Deidentifier:
    """De-identifies instances of any number of studies, the same patient always alike."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: of this installation; see `secret_of`."""
        self._secret = secret
        self._by_patient: dict[str, object] = {}

    def clean(self, ds: "Dataset") -> Deidentified:
        """De-identify `ds` in place.

        Raises:
            BadInput: A structured report or a document: its content is text and cannot be cleaned this way.
            ToolUnavailable: `dicognito` is not installed.
        """
        if "ContentSequence" in ds or "EncapsulatedDocument" in ds:
            raise BadInput("a structured report or document holds free text; only images are taken")
        age = _age(ds)
        burned = burned_in(ds)
        patient = hashlib.sha256(self._secret + f"{ds.get('PatientID', '')}|{ds.get('IssuerOfPatientID', '')}".encode()).hexdigest()
        self._anonymizer(patient).anonymize(ds)  # type: ignore[attr-defined]
        before = _count(ds)
        ds.remove_private_tags()
        _strip(ds)
        removed = before - _count(ds)
        ds.PatientName, ds.PatientID, ds.PatientBirthDate = "DEIDENTIFIED", patient[:16], ""
        for keyword in _MAY_BE_EMPTY:  # asked for by the standard, with or without a value
            if keyword not in ds:
                setattr(ds, keyword, "")
        if age:
            ds.PatientAge = age
        ds.PatientIdentityRemoved = "YES"
        ds.DeidentificationMethod = "dicognito and own list; burned-in text stays"
        return Deidentified(removed, burned)

    def _anonymizer(self, patient: str) -> object:
        if patient not in self._by_patient:
            self._by_patient[patient] = need("dicognito.anonymizer").Anonymizer(seed=patient)
        return self._by_patient[patient]


def burned_in(ds: "Dataset") -> bool:
    """Whether text may stand in the pixels: declared, or a capture or screen save whose header does not deny it."""
    declared = str(ds.get("BurnedInAnnotation", "")).strip().upper()
    if declared:
        return declared == "YES"
    kinds = {str(k).upper() for k in ds.get("ImageType", []) or []}
    return ds.get("Modality") in ("OT", "SC", "XC") or bool(kinds & {"SCREEN SAVE", "CAPTURE", "SECONDARY CAPTURE"})


def _age(ds: "Dataset") -> str | None:
    """Age in years, those over 89 as one class; from the header's age, else from the birth date on the day of the study."""
    text = str(ds.get("PatientAge", "") or "")
    born, studied = str(ds.get("PatientBirthDate", "") or ""), str(ds.get("StudyDate", "") or "")
    if len(text) == 4 and text[:3].isdecimal() and text[3] in "YMWD":
        years = int(text[:3]) if text[3] == "Y" else 0
    elif len(born) == 8 and len(studied) == 8 and (born + studied).isdecimal():
        years = int(studied[:4]) - int(born[:4]) - (studied[4:] < born[4:])
    else:
        return None
    return f"{min(max(years, 0), _OLDEST + 1):03d}Y"


def _count(ds: "Dataset") -> int:
    return sum(1 for _ in ds.iterall())


def _strip(ds: "Dataset") -> None:
    for element in list(ds):
        if _goes(element):
            del ds[element.tag]
        elif element.VR == "SQ":
            for item in element.value:
                _strip(item)


def _goes(element: "DataElement") -> bool:
    if (element.tag.group >> 8) in _OVERLAYS_AND_CURVES:
        return True
    if element.keyword in kept() or element.keyword == "PixelData":
        return False
    return element.VR in _WORDS
