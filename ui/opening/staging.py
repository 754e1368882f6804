"""Files that wait to be opened: kept in the session's private folder, read one by one, joined on request.

A file that cannot be read is told by name and holds nothing back; the open case stays until the joined one is there.
"""

import json
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from agent.chart.desk import Chart
from tools.case.files import LoadedCase, load_case
from tools.case.joining.merge import Merged, Source, merge, unsettled
from tools.case.joining.store import write_case
from tools.case.record import StudyRef
from tools.errors import BadInput
from tools.imaging.studies import STUDIES
from ui.restore import ROOM_ERRORS
from ui.session import Session

MOST_BYTES = 2 * 1024**3
MOST_FILES = 5000
_WHOLE = (".json", ".csv", ".tsv", ".txt", ".zip", ".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


@dataclass(frozen=True)
class Failed:
    """A file that cannot be part of a case, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Images:
    """A series that was read: how many slices, how far apart in mm."""

    slices: int
    apart: float


@dataclass(frozen=True)
class Plan:
    """What opening would give; `images` holds by source what its studies are."""

    sources: tuple[Source, ...]
    failed: tuple[Failed, ...]
    merged: Merged | None
    images: Mapping[str, tuple[Images, ...]] = field(default_factory=dict)


async def take_in(session: Session, name: str, body: AsyncIterator[bytes]) -> str:
    """Write one uploaded file as it arrives; returns the name it is kept under.

    Raises:
        BadInput: Too large, or too many.
    """
    if len(session.staged) >= MOST_FILES:
        raise BadInput(f"at most {MOST_FILES} files at once: give a series as one zip")
    place = _place(session, name)
    written = 0
    with place.open("wb") as out:
        os.chmod(place, 0o600)
        async for chunk in body:
            written += len(chunk)
            if written > MOST_BYTES:
                break
            out.write(chunk)
    if written > MOST_BYTES:
        place.unlink()
        raise BadInput(f"{name}: more than {MOST_BYTES // 1024**3} GB")
    session.staged[place.name] = place
    return place.name


def take_text(session: Session, text: str) -> str:
    """Keep pasted text: a FHIR bundle or case where it is JSON, a laboratory sheet where not."""
    try:
        kind = "json" if isinstance(json.loads(text), dict) else "txt"
    except ValueError:
        kind = "txt"
    place = _place(session, f"pasted.{kind}")
    place.write_text(text, encoding="utf-8")
    os.chmod(place, 0o600)
    session.staged[place.name] = place
    return place.name


def _place(session: Session, name: str) -> Path:
    """A free place for a file; slices of a series share a folder, everything else has its own."""
    safe = re.sub(r"[^\w.-]", "_", Path(name).name).lstrip(".")[-120:] or "file"
    folder = session.folder / ("staged-series" if _is_slice(safe) else f"staged-{secrets.token_hex(6)}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if safe in session.staged:
        safe = f"{len(session.staged):05d}-{safe}"
    return folder / safe


def _is_slice(name: str) -> bool:
    return not name.casefold().endswith(_WHOLE)


def _may_be_dicom(path: Path) -> bool:
    """Whether it begins as DICOM does, or at least bears no other kind's name: old slices have no preamble and odd endings."""
    with path.open("rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or re.fullmatch(r"|\.dcm|\.ima|\.img|\.hdr|\.\d+", path.suffix.casefold()) is not None


def drop(session: Session, name: str | None = None) -> None:
    """Forget one waiting file, or all of them."""
    for key in [name] if name is not None else list(session.staged):
        place = session.staged.pop(key, None)
        if place is not None:
            place.unlink(missing_ok=True)
    if not session.staged:
        for folder in session.folder.glob("staged-*"):
            shutil.rmtree(folder, ignore_errors=True)


def plan(session: Session, chart: Chart | None, chosen: Mapping[str, int]) -> Plan:
    """Read what waits, images and all, and join it with the open case where `chart` is given.

    A file that says it is a CT and cannot be read as one is told here: it never takes the place of the open case.
    """
    sources, failed, images = [], [], {}
    if chart is not None:
        opened = chart.opened
        sources.append(Source(opened.case.case_id, LoadedCase(opened.case, opened.folder, opened.studies)))
    for name, path in _readable(session).items():
        try:
            loaded = load_case(path)
            images[name] = tuple(_images(study) for study in loaded.studies.values())
        except ROOM_ERRORS as error:
            failed.append(Failed(name, str(error)))
            continue
        sources.append(Source(name, loaded))
    new = sources[1:] if chart is not None else sources
    if new:
        sources = in_order(sources)
    return Plan(tuple(sources), tuple(failed), merge(sources, chosen) if new else None, images)


def in_order(sources: Sequence[Source]) -> list[Source]:
    """The same sources with every study marked prior that is older than the newest one; a study without a known day stays as it was."""
    days = {(source.name, study.id): _day(study, source.loaded.studies.get(study.id)) for source in sources for study in _studies(source)}
    known = [day for day in days.values() if day is not None]
    if len(set(known)) < 2:
        return list(sources)
    newest, out = max(known), []
    for source in sources:
        refs = [
            study if (day := days[source.name, study.id]) is None else study.model_copy(update={"prior": day < newest})
            for study in _studies(source)
        ]
        case = source.loaded.case.model_copy(update={"studies": tuple(refs)})
        out.append(replace(source, loaded=replace(source.loaded, case=case)))
    return out


def _studies(source: Source) -> tuple[StudyRef, ...]:
    return source.loaded.case.studies


def _day(study: StudyRef, path: Path | None) -> int | None:
    """The day of a study by its record, else by the header of its images, as a count of days; None where neither tells."""
    with suppress(ValueError):
        return date.fromisoformat((study.date or "")[:10]).toordinal()
    if path is None or not path.exists():
        return None
    with suppress(*ROOM_ERRORS):
        return STUDIES.open(path).volume.series.day
    return None


def _images(path: Path) -> Images:
    """The study in full; the viewer finds it read when the case is opened.

    Raises:
        BackendError: Why it cannot be read.
    """
    volume = STUDIES.open(path).volume
    return Images(volume.hu.shape[0], volume.spacing[0])


def _readable(session: Session) -> dict[str, Path]:
    """What waits, by the name that a person knows it by; loose slices are one series, what is no slice stands for itself."""
    found = {name: path for name, path in session.staged.items() if path.parent.name != "staged-series" or not _may_be_dicom(path)}
    loose = [path for name, path in session.staged.items() if name not in found]
    if len(loose) == 1:
        found[loose[0].name] = loose[0]
    elif loose:
        found[f"{len(loose)} × DICOM"] = loose[0].parent
    return found


def settle(session: Session, found: Plan, chosen: Mapping[str, int]) -> Path:
    """Write the joined case into the session's folder.

    Raises:
        BadInput: Nothing can be opened, or a conflict waits for a decision.
    """
    if found.merged is None:
        raise BadInput("nothing here can be opened")
    if unsettled(found.merged, chosen):
        raise BadInput("choose one value for every difference first")
    return write_case(found.merged, found.sources, session.folder / f"case-{secrets.token_hex(8)}")
