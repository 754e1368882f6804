"""Instances as they arrive, de-identified into case folders: one folder a study, one folder a series, and its `case.json`."""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import BadInput
from tools.hospital.deidentify import Deidentifier

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SEX = {"M": "male", "F": "female", "O": "other"}


@dataclass
class Arrived:
    """What came of one study.

    Attributes:
        folder: The case folder.
        instances: How many images were kept.
        refused: Why others were not, each reason once.
        burned_in: How many images may show text.
    """

    folder: Path
    instances: int = 0
    refused: set[str] = field(default_factory=set)
    burned_in: int = 0
    series: dict[str, int] = field(default_factory=dict)
    age: float | None = None
    sex: str = "unknown"
    date: str | None = None


class Inbox:
    """Keeps instances in case folders under one root; safe to call from several associations at once."""

    def __init__(self, root: Path, secret: bytes, *, burned_in: bool = False) -> None:
        """`burned_in`: also keep images that may show text; their case says so."""
        self._root, self._keep_burned = root, burned_in
        self._deidentifier = Deidentifier(secret)
        self._lock = threading.Lock()
        self.studies: dict[str, Arrived] = {}

    def add(self, ds: "Dataset") -> None:
        """De-identify one instance and write it.

        Raises:
            BadInput: Not a CT image, or an image that may show text; nothing was written.
            OSError: The disk is full or the folder cannot be written.
        """
        with self._lock:
            study = hashlib.sha256(str(ds.get("StudyInstanceUID", "")).encode()).hexdigest()[:12]
            arrived = self.studies.setdefault(study, Arrived(self._root / f"study-{study}"))
            try:
                self._add(ds, arrived)
            except BadInput as refusal:
                arrived.refused.add(str(refusal))
                raise

    def _add(self, ds: "Dataset", arrived: Arrived) -> None:
        if ds.get("Modality") != "CT" or "Rows" not in ds:
            raise BadInput(f"only CT images are taken, not {str(ds.get('Modality', 'an object without modality'))[:16]!r}")
        done = self._deidentifier.clean(ds)
        if done.burned_in:
            arrived.burned_in += 1
            if not self._keep_burned:
                raise BadInput("text may be burned into the pixels (BurnedInAnnotation or a screen capture); give --burned-in to take it")
        series = arrived.folder / "ct" / hashlib.sha256(str(ds.SeriesInstanceUID).encode()).hexdigest()[:12]
        series.mkdir(parents=True, exist_ok=True)
        ds.save_as(series / f"{hashlib.sha256(str(ds.SOPInstanceUID).encode()).hexdigest()[:16]}.dcm", enforce_file_format=True)
        arrived.instances += 1
        arrived.series[series.name] = arrived.series.get(series.name, 0) + 1
        age = str(ds.get("PatientAge", "") or "")
        arrived.age = float(age[:3]) if age[:3].isdecimal() else arrived.age
        arrived.sex = _SEX.get(str(ds.get("PatientSex", "")), arrived.sex)
        day = str(ds.get("StudyDate", "") or "")
        arrived.date = f"{day[:4]}-{day[4:6]}-{day[6:8]}" if len(day) == 8 else arrived.date

    def finish(self) -> list[Arrived]:
        """Write `case.json` of every study that kept an image; studies without one leave nothing behind."""
        with self._lock:
            for arrived in self.studies.values():
                if arrived.instances and arrived.folder.is_dir():
                    _write_case(arrived)
            return list(self.studies.values())


def _write_case(arrived: Arrived) -> None:
    case = {
        "schema_version": 1,
        "case_id": arrived.folder.name,
        "synthetic": False,
        "patient": {"age_years": arrived.age, "sex": arrived.sex},
        "studies": [{"id": "ct-1", "path": "ct", "date": arrived.date, "report": None, "prior": False}],
    }
    draft = arrived.folder / "case.json.part"
    draft.write_text(json.dumps(case, ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(arrived.folder / "case.json")
