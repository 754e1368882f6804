"""DICOMweb: find studies (QIDO-RS), fetch one (WADO-RS), store objects (STOW-RS), through `dicomweb-client`."""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tools.errors import BadInput, EmptyInput, ToolsError
from tools.hospital.extra import need
from tools.hospital.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset


class FoundStudy(BaseModel):
    """A study in an archive, without what names the patient.

    Attributes:
        study_uid: What `pacs fetch` takes.
        date: ISO 8601.
        modalities: Of its series.
        description: As the archive gives it.
        images: How many instances; None where the archive does not say.
    """

    study_uid: str
    date: str | None = None
    modalities: tuple[str, ...] = ()
    description: str | None = None
    images: int | None = None


@dataclass(frozen=True)
class Archive:
    """A DICOMweb service.

    Attributes:
        url: Root of its services, for example `http://127.0.0.1:8042/dicom-web`.
        token: Bearer token, `user:password` for basic authentication, or None.
    """

    url: str
    token: str | None = None

    def find(self, filters: dict[str, str], limit: int = 50) -> list[FoundStudy]:
        """Studies that match; `filters` are DICOM keywords (`PatientID`, `StudyDate`, `ModalitiesInStudy`).

        Raises:
            ToolsError: The archive cannot be reached or refuses.
        """
        fields = ["StudyDate", "ModalitiesInStudy", "StudyDescription", "NumberOfStudyRelatedInstances"]
        with _said(self.url):
            rows = self._client().search_for_studies(search_filters=filters, fields=fields, limit=limit)
        return [found_study(_dataset(row)) for row in rows]

    def fetch(self, study_uid: str, inbox: Inbox, series_uid: str | None = None) -> int:
        """Fetch the CT series of a study into `inbox`; returns how many instances came.

        Raises:
            EmptyInput: The archive holds no such CT study.
            ToolsError: The archive cannot be reached or refuses.
        """
        with _said(self.url):
            client = self._client()
            rows = [_dataset(r) for r in client.search_for_series(study_uid, search_filters={"Modality": "CT"})]
        wanted = [str(r.SeriesInstanceUID) for r in rows if series_uid in (None, str(r.SeriesInstanceUID))]
        if not wanted:
            raise EmptyInput(f"the archive holds no CT series of study {study_uid!r}")
        came = 0
        for series in wanted:
            with _said(self.url):
                for ds in client.iter_series(study_uid, series):
                    came += 1
                    take(ds, inbox)
        return came

    def store(self, datasets: "Sequence[Dataset]") -> int:
        """Store objects; returns how many the archive took.

        Raises:
            ToolsError: The archive cannot be reached or refuses one.
        """
        with _said(self.url):
            answer = self._client().store_instances(datasets)
        failed = answer.get("FailedSOPSequence") or []
        if failed:
            raise ToolsError(f"{self.url} refused {len(failed)} of {len(datasets)} objects (reason {failed[0].get('FailureReason')})")
        return len(answer.get("ReferencedSOPSequence") or [])

    def _client(self) -> Any:
        web = need("dicomweb_client.web")
        if not self.url.startswith(("http://", "https://")):
            raise BadInput(f"{self.url!r} is not the address of a DICOMweb service (http:// or https://)")
        return web.DICOMwebClient(self.url, session=_session(self.token), timeout=(5, 60))


def take(ds: "Dataset", inbox: Inbox) -> None:
    """Hand an instance to the inbox; a refusal stays in the inbox's record of the study."""
    try:
        inbox.add(ds)
    except BadInput:
        return  # `Arrived.refused` holds why


def found_study(ds: "Dataset") -> FoundStudy:
    """What may be told of a study that a query found."""
    day = str(ds.get("StudyDate", "") or "")
    modalities = ds.get("ModalitiesInStudy") or []
    images = str(ds.get("NumberOfStudyRelatedInstances", "") or "")
    return FoundStudy(
        study_uid=str(ds.StudyInstanceUID),
        date=f"{day[:4]}-{day[4:6]}-{day[6:8]}" if len(day) == 8 else None,
        modalities=(modalities,) if isinstance(modalities, str) else tuple(str(m) for m in modalities),
        description=str(ds.get("StudyDescription", "") or "") or None,
        images=int(images) if images.isdecimal() else None,
    )


def _dataset(row: dict[str, Any]) -> "Dataset":
    from pydicom.dataset import Dataset

    return Dataset.from_json(row)


def _session(token: str | None) -> Any:
    session = need("requests").Session()
    if token and ":" in token:
        session.auth = tuple(token.split(":", 1))
    elif token:
        session.headers["Authorization"] = f"Bearer {token}"
    return session


@contextmanager
def _said(url: str) -> "Iterator[None]":
    """Failures of the network and of the service as one typed error that names the service."""
    import requests

    try:
        yield
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else "no status"
        hint = "; check the token (MEDMPT_DICOMWEB_TOKEN)" if status in (401, 403) else ""
        raise ToolsError(f"{url} answered {status}{hint}") from error
    except requests.RequestException as error:
        raise ToolsError(f"{url} cannot be reached: {type(error).__name__}; is the service running?") from error


def read_objects(paths: Sequence[Path]) -> "list[Dataset]":
    """DICOM objects of files and folders.

    Raises:
        BadInput: A file that is no DICOM object, or no file at all.
    """
    found = [f for p in paths for f in _files(p)]
    if not found:
        raise BadInput(f"nothing to send in {', '.join(str(p) for p in paths)}")
    return [_read(file) for file in found]


def each_object(path: Path, others: list[Path]) -> "Iterator[Dataset]":
    """DICOM objects of a file or folder, one at a time; other files of a folder (a disc has them) are passed over and noted in `others`.

    Raises:
        BadInput: A single file that is no DICOM object.
    """
    for file in _files(path):
        try:
            ds = _read(file)
        except BadInput:
            if not path.is_dir():
                raise
            others.append(file)
            continue
        yield ds


def _files(path: Path) -> list[Path]:
    return sorted(x for x in path.rglob("*") if x.is_file()) if path.is_dir() else [path]


def _read(file: Path) -> "Dataset":
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        return dcmread(file)
    except InvalidDicomError as error:
        raise BadInput(f"{file.name} is not a DICOM object") from error
    except OSError as error:
        raise BadInput(f"{file.name} cannot be read: {error.strerror or error}") from error
