"""Commands `pacs find|fetch|send|listen`, `dicom deidentify|segment`, `fhir fetch|send`."""

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol

import typer
from pydantic import BaseModel, JsonValue

from tools.case.fhir import import_bundle
from tools.errors import BadInput, EmptyInput
from tools.evidence import Status
from tools.hospital.dicomweb import Archive, FoundStudy, each_object, read_objects, take
from tools.hospital.dimse import Listener, Peer
from tools.hospital.fhir_server import FhirServer
from tools.hospital.inbox import Inbox
from tools.hospital.secret import secret_of
from tools.hospital.segmentation import lung_segmentation

# A full screen of studies; an archive may hold millions.
_MOST_FOUND = 50


class _Settings(Protocol):
    """What these commands need of the settings."""

    data_dir: Path
    dicomweb_token: str | None
    fhir_token: str | None


class Out(BaseModel):
    """Fields that every command gives."""

    status: Status = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()


class FindOut(Out):
    """`pacs find`."""

    studies: list[FoundStudy]


class CasesOut(Out):
    """Commands that make cases: their folders, and how many images each holds."""

    cases: list[str] = []
    images: int = 0
    refused: int = 0


class SentOut(Out):
    """`pacs send`, `fhir send`."""

    sent: int
    location: str | None = None


class FileOut(Out):
    """A file that was written."""

    file: str


Url = Annotated[str | None, typer.Option(help="DICOMweb service, e.g. http://127.0.0.1:8042/dicom-web")]
PeerText = Annotated[str | None, typer.Option("--peer", help="DIMSE instead: TITLE@HOST:PORT, e.g. ORTHANC@127.0.0.1:4242")]
Title = Annotated[str, typer.Option(help="Our application entity title")]
Burned = Annotated[bool, typer.Option("--burned-in", help="Also take images whose pixels may show text; check them by eye")]


def _peer(text: str, calling: str) -> Peer:
    title, _, address = text.partition("@")
    host, _, port = address.rpartition(":")
    if not title or not host or not port.isdecimal() or len(title) > 16:
        raise BadInput(f"--peer {text!r} is not TITLE@HOST:PORT (title of at most 16 characters)")
    return Peer(host, int(port), title, calling)


def _archive(url: str | None, peer: str | None, settings: _Settings, calling: str) -> Archive | Peer:
    if (url is None) == (peer is None):
        raise BadInput("give the archive by --url (DICOMweb) or by --peer (DIMSE)")
    return _peer(peer, calling) if peer else Archive(url or "", settings.dicomweb_token)


def pacs_find(
    ctx: typer.Context,
    url: Url = None,
    peer: PeerText = None,
    patient_id: Annotated[str | None, typer.Option(help="Patient number in the archive")] = None,
    date: Annotated[str | None, typer.Option(help="Day or range, e.g. 20250301 or 20250101-20250331")] = None,
    modality: Annotated[str, typer.Option(help="Modality of at least one series")] = "CT",
    title: Title = "MEDMPT",
) -> FindOut:
    """Find studies in an archive. What is printed names no patient."""
    filters = {"ModalitiesInStudy": modality} | ({"PatientID": patient_id} if patient_id else {}) | ({"StudyDate": date} if date else {})
    found = _archive(url, peer, ctx.obj, title).find(filters, _MOST_FOUND)
    if not found:
        return FindOut(status="empty", reason="the archive holds no study that matches", studies=[])
    more = (f"only the first {_MOST_FOUND} studies are listed: narrow by date or patient",) if len(found) == _MOST_FOUND else ()
    return FindOut(studies=found, warnings=more)


def pacs_fetch(
    ctx: typer.Context,
    study_uid: Annotated[str, typer.Argument(help="StudyInstanceUID, as `pacs find` gives it")],
    out: Annotated[Path, typer.Option(help="Folder for the case")],
    url: Url = None,
    peer: PeerText = None,
    series: Annotated[str | None, typer.Option(help="Only this series (DICOMweb)")] = None,
    port: Annotated[int, typer.Option(help="Where the archive sends to us (DIMSE)", min=1, max=65535)] = 11112,
    title: Title = "MEDMPT",
    burned_in: Burned = False,
) -> CasesOut:
    """Fetch the CT of a study into a case folder; names, numbers and dates are replaced before anything is written."""
    settings: _Settings = ctx.obj
    inbox = Inbox(out, secret_of(settings.data_dir), burned_in=burned_in)
    archive = _archive(url, peer, settings, title)
    if isinstance(archive, Peer):
        archive.fetch(study_uid, inbox, port)
    else:
        archive.fetch(study_uid, inbox, series)
    return _cases(inbox)


def pacs_send(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="DICOM files or folders, e.g. a structured report or a segmentation")],
    url: Url = None,
    peer: PeerText = None,
    title: Title = "MEDMPT",
) -> SentOut:
    """Send DICOM objects to an archive (STOW-RS or C-STORE)."""
    objects = read_objects(files)
    return SentOut(sent=_archive(url, peer, ctx.obj, title).store(objects))


def pacs_listen(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for the cases")],
    port: Annotated[int, typer.Option(help="Port", min=1, max=65535)] = 11112,
    host: Annotated[str, typer.Option(help="Address to listen on; DIMSE has no encryption of its own")] = "127.0.0.1",
    title: Title = "MEDMPT",
    allow: Annotated[list[str] | None, typer.Option(help="Title that may send; repeat for more. None given: any")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after this many seconds; default: on Ctrl+C")] = None,
    burned_in: Burned = False,
) -> CasesOut:
    """Take what an archive or scanner sends (C-STORE) into case folders, de-identified before anything is written."""
    settings: _Settings = ctx.obj
    inbox = Inbox(out, secret_of(settings.data_dir), burned_in=burned_in)
    listener = Listener(inbox, title, host, port, tuple(allow) if allow else None)
    # Ctrl+C is how a person ends it, SIGTERM how a supervisor does; what came is kept.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), listener.running():
        sys.stderr.write(f"Listening as {title} at {host}:{port} (Ctrl+C ends it)\n")
        threading.Event().wait(seconds)
    return _cases(inbox)


def dicom_deidentify(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="DICOM file or folder")],
    out: Annotated[Path, typer.Option(help="Folder for the cases")],
    burned_in: Burned = False,
) -> CasesOut:
    """De-identify DICOM files into case folders (`dicognito` and an own list; private elements and free text are removed)."""
    settings: _Settings = ctx.obj
    inbox = Inbox(out, secret_of(settings.data_dir), burned_in=burned_in)
    others: list[Path] = []
    for ds in each_object(path, others):
        take(ds, inbox)
    made = _cases(inbox)
    passed = f"{len(others)} other files are not DICOM and were left where they are"
    return made.model_copy(update={"warnings": (*made.warnings, passed)}) if others else made


def dicom_segment(
    path: Annotated[Path, typer.Argument(help="DICOM folder with one axial CT series")],
    out: Annotated[Path, typer.Option(help="File to write")],
) -> FileOut:
    """Write the lungs of a series as a DICOM SEG object that refers to its slices."""
    lung_segmentation(path).save_as(out)
    return FileOut(file=str(out), warnings=("made by software and verified by nobody",))


def fhir_fetch(
    ctx: typer.Context,
    patient: Annotated[str, typer.Argument(help="Id of the Patient resource")],
    url: Annotated[str, typer.Option(help="FHIR R4 server, e.g. http://127.0.0.1:8080/fhir")],
    out: Annotated[Path, typer.Option(help="Folder for the case")],
) -> CasesOut:
    """Fetch a patient's record from a FHIR server into a case folder; identifiers are dropped before anything is written."""
    settings: _Settings = ctx.obj
    imported = import_bundle(FhirServer(url, settings.fhir_token).record(patient), "the server's record")
    out.mkdir(parents=True, exist_ok=True)
    draft = out / "case.json.part"
    draft.write_text(imported.case.model_dump_json(indent=1), encoding="utf-8")
    draft.replace(out / "case.json")
    return CasesOut(cases=[str(out)], warnings=imported.warnings)


def fhir_send(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON with a DiagnosticReport, an AuditEvent or a bundle")],
    url: Annotated[str, typer.Option(help="FHIR R4 server")],
    patient: Annotated[str | None, typer.Option(help="Whose report it is: the patient's id on that server")] = None,
) -> SentOut:
    """Send a report to a FHIR server; a bundle goes as one transaction, and sent twice it adds nothing."""
    settings: _Settings = ctx.obj
    try:
        resource: JsonValue = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{file.name} cannot be read as JSON: {error}") from error
    if not isinstance(resource, dict):
        raise BadInput(f"{file.name} holds no FHIR resource")
    return SentOut(sent=1, location=FhirServer(url, settings.fhir_token).send(resource, patient) or None)


def _cases(inbox: Inbox) -> CasesOut:
    """What came of an inbox."""
    studies = inbox.finish()
    kept = [s for s in studies if s.instances]
    reasons = sorted({r for s in studies for r in s.refused})
    if not kept:
        raise EmptyInput("nothing was taken: " + ("; ".join(reasons) or "nothing was sent"))
    burned = sum(s.burned_in for s in kept)
    warnings = [f"left out: {r}" for r in reasons] + ([f"{burned} images may show text: look at them"] if burned else [])
    dated = "dates are shifted by a fixed number of days for this patient"
    images = sum(s.instances for s in kept)
    return CasesOut(cases=[str(s.folder) for s in kept], images=images, refused=len(reasons), warnings=(*warnings, dated))


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "pacs find": pacs_find,
    "pacs fetch": pacs_fetch,
    "pacs send": pacs_send,
    "pacs listen": pacs_listen,
    "dicom deidentify": dicom_deidentify,
    "dicom segment": dicom_segment,
    "fhir fetch": fhir_fetch,
    "fhir send": fhir_send,
}
