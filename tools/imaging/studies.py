"""`StudySource`: every CT study of this process, read once and measured once.

Viewer, tools and teaching open studies here and nowhere else. A study is known by the state of its files, so that one that changed on
disk is read anew, and one that was linked into another case (a laboratory sheet came to a CT) is not. Volumes are large and only the
last ones stay, as many as fit into a share of memory; measurements are small and stay longer.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from medmpt_backend.errors import BackendError
from tools.deps import Deps
from tools.errors import BadInput

if TYPE_CHECKING:
    from medmpt_backend.imaging.anatomy.lungs import Lungs
    from medmpt_backend.imaging.asked.look import Looked
    from medmpt_backend.imaging.findings.seen import Seen
    from medmpt_backend.imaging.quantify import Quantification
    from medmpt_backend.imaging.volume import Volume

# Bytes of voxels held in memory: at 512x512x300 int16 one volume takes 157 MB, so this is 13 of them, or 40 of usual size.
MOST_BYTES = 2 * 1024**3
MOST_MEASURED = 64

Stamp = tuple[tuple[int, int, int, int], ...]


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
        self._looked: Looked | None = None
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
    def looked(self) -> "Looked":
        """Metal, pericardial fluid, low vertebral bodies and the great vessels: found where somebody asks for them.

        Raises:
            BackendError: It is not a chest that can be segmented.
        """
        from medmpt_backend.imaging.asked.look import look

        with self._lock:
            if self._looked is None:
                self._looked = look(self.volume, self.lungs)
            return self._looked

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

    def read_ahead(self) -> None:
        """Read in the background what is about to be looked at; why it cannot be read is told to whoever asks for it."""
        threading.Thread(target=self._read_quietly, name="read-ahead", daemon=True).start()

    def _read_quietly(self) -> None:
        with suppress(BackendError):
            _ = self.content

    @property
    def bytes_held(self) -> int:
        """What its voxels take in memory."""
        volume = self._volume
        return int(volume.hu.nbytes) if volume is not None else 0

    def drop_voxels(self) -> bool:
        """Let go of what is large; measurements stay. False while it is being read or measured: nobody waits for that."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if not self._reading.acquire(blocking=False):
                return False
            try:
                self._volume = self._lungs = self._seen = self._looked = None
            finally:
                self._reading.release()
        finally:
            self._lock.release()
        return True


class StudySource:
    """The studies of this process, bounded."""

    def __init__(self, most_bytes: int = MOST_BYTES, measured: int = MOST_MEASURED) -> None:
        """Start with nothing open."""
        self._bytes, self._most = most_bytes, measured
        self._open: OrderedDict[tuple[Path | None, Stamp], Study] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, path: Path) -> Study:
        """The study at `path`; the CT of a demo or teaching case is generated here when it is not there yet."""
        if not path.exists():
            materialise(path)
        stamp = stamp_of(path)
        key = (None if stamp else path, stamp)
        with self._lock:
            study = self._open.setdefault(key, Study(path))
            study.path = path  # the name it was first opened under may be gone by now
            self._open.move_to_end(key)
            while len(self._open) > self._most:
                self._open.popitem(last=False)
            held = list(self._open.values())
        self._make_room(held)
        return study

    def _make_room(self, held: list[Study]) -> None:
        """Let the studies go that were not asked for longest, until the others fit; the newest stays whatever it takes."""
        taken = sum(study.bytes_held for study in held)
        for old in held[:-1]:
            if taken <= self._bytes:
                return
            freed = old.bytes_held
            if freed and old.drop_voxels():
                taken -= freed

    def forget(self, paths: Iterable[Path]) -> None:
        """Drop what is held of these studies."""
        gone = set(paths)
        with self._lock:
            for key in [key for key, study in self._open.items() if study.path in gone]:
                del self._open[key]


STUDIES = StudySource()


def stamp_of(path: Path) -> Stamp:
    """Who the files are and in which state: device, number, time and size of each; the same for a link to them."""
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path] if path.exists() else []
    states = (p.stat() for p in files)
    return tuple(sorted((s.st_dev, s.st_ino, s.st_mtime_ns, s.st_size) for s in states))


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
