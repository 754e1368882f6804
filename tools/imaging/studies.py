"""`StudySource`: every CT study of this process, read once and measured once.

Viewer, tools and teaching open studies here and nowhere else. A study is known by its path and the state of its files, so that a study
that changed on disk is read anew. Volumes are large and only the last few stay; measurements are small and stay longer.
"""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from tools.deps import Deps
from tools.errors import BadInput

if TYPE_CHECKING:
    from medmpt_backend.imaging.anatomy.lungs import Lungs
    from medmpt_backend.imaging.findings.seen import Seen
    from medmpt_backend.imaging.quantify import Quantification
    from medmpt_backend.imaging.volume import Volume

# Volumes held in memory: at 512x512x300 int16 one takes 157 MB.
MOST_VOLUMES = 4
MOST_MEASURED = 64

Stamp = tuple[int, int]


class Study:
    """One study: its volume, its lungs and its measurements, each made when first asked for and once."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self.path = path
        # What is computed takes seconds: it must not keep the pixels waiting.
        self._reading, self._lock = threading.RLock(), threading.RLock()
        self._volume: Volume | None = None
        self._lungs: Lungs | None = None
        self._seen: Seen | None = None
        self._measured: Quantification | None = None
        self._content: str | None = None

    @property
    def content(self) -> str:
        """A hash of voxels, shape and spacing: what marks are kept under.

        Raises:
            BackendError: Why it cannot be read.
        """
        with self._reading:
            if self._content is None:
                self._content = self.volume.content_hash[:32]
            return self._content

    @property
    def volume(self) -> "Volume":
        """The series as an array.

        Raises:
            BackendError: Why it cannot be read.
        """
        from medmpt_backend.imaging.load import load_volume

        with self._reading:
            if self._volume is None:
                self._volume = load_volume(self.path)
            return self._volume

    @property
    def lungs(self) -> "Lungs":
        """Masks of lungs and airway.

        Raises:
            BackendError: It is not a chest that can be segmented.
        """
        from medmpt_backend.imaging.anatomy.lungs import segment

        with self._lock:
            if self._lungs is None:
                self._lungs = segment(self.volume)
            return self._lungs

    @property
    def seen(self) -> "Seen":
        """Masks of fluid, air, dense tissue and plaques.

        Raises:
            BackendError: It is not a chest that can be segmented.
        """
        from medmpt_backend.imaging.findings.seen import seen

        with self._lock:
            if self._seen is None:
                self._seen = seen(self.volume, self.lungs)
            return self._seen

    @property
    def measured(self) -> "Quantification":
        """Volumes, densities and key slices.

        Raises:
            BackendError: It cannot be read or is not a chest.
        """
        from medmpt_backend.imaging.quantify import quantify

        with self._lock:
            if self._measured is None:
                self._measured = quantify(self.volume, self.lungs)
            return self._measured

    def drop_voxels(self) -> None:
        """Let go of what is large; measurements stay."""
        with self._lock, self._reading:
            self._volume = self._lungs = self._seen = None


class StudySource:
    """The studies of this process, bounded."""

    def __init__(self, volumes: int = MOST_VOLUMES, measured: int = MOST_MEASURED) -> None:
        """Start with nothing open."""
        self._volumes, self._most = volumes, measured
        self._open: OrderedDict[tuple[Path, Stamp], Study] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, path: Path) -> Study:
        """The study at `path`; the CT of a demo or teaching case is generated here when it is not there yet."""
        if not path.exists():
            materialise(path)
        key = (path, stamp_of(path))
        with self._lock:
            study = self._open.setdefault(key, Study(path))
            self._open.move_to_end(key)
            while len(self._open) > self._most:
                self._open.popitem(last=False)
            held = list(self._open.values())
        for old in held[: -self._volumes]:
            old.drop_voxels()
        return study

    def forget(self) -> None:
        """Drop everything that is held."""
        with self._lock:
            self._open.clear()


STUDIES = StudySource()


def stamp_of(path: Path) -> Stamp:
    """Changes when the study changes: newest file time and number of files."""
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path] if path.exists() else []
    return max((p.stat().st_mtime_ns for p in files), default=0), len(files)


def materialise(path: Path) -> None:
    """Generate the study of a demo or teaching case that was opened lazily; any other path is left alone."""
    from tools.case.demo import materialise_demo
    from tools.teaching.cases import materialise_teaching

    if path.parent.parent.name == "teaching":
        materialise_teaching(path)
    else:
        materialise_demo(path)


def study_of(deps: Deps, study: str) -> Study:
    """The study behind a handle.

    Raises:
        BadInput: The case has no such study; names those it has.
    """
    if study not in deps.studies:
        known = ", ".join(deps.studies) or "none"
        raise BadInput(f"the case has no CT study {study!r}; studies with images: {known}")
    return STUDIES.open(deps.studies[study])
