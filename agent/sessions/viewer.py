"""What the CT viewer asks for: geometry, slices and measurements of a study, by handle."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import BadInput
from agent.sessions.handles import HeldCase
from agent.sessions.views import KeySlice, PlaneView, StudyInfo
from medmpt_backend.errors import BackendError
from tools.deps import Deps
from tools.imaging.marks.store import MarkStore
from tools.imaging.overlays import overlay
from tools.imaging.planes import section
from tools.imaging.quantify import quantify_ct
from tools.imaging.results.measured import Measured
from tools.imaging.studies import STUDIES, Study

if TYPE_CHECKING:
    from medmpt_backend.imaging.volume import Volume


class Viewer:
    """Geometry, pixels and measurements of the studies of an open case; they are held by `tools.imaging.studies`."""

    def __init__(self, cache_dir: Path) -> None:
        """Nothing is read."""
        self._cache_dir = cache_dir

    def _study(self, held: HeldCase, study: str) -> Study:
        path = held.loaded.studies.get(study)
        if path is None:
            raise BadInput(f"the case has no study {study!r}; it has: {', '.join(held.loaded.studies) or 'none'}")
        with held.study_lock:
            return STUDIES.open(path)

    def volume(self, held: HeldCase, study: str) -> "Volume":
        """The volume of a study.

        Raises:
            BadInput: The case has no such study.
            BackendError: Why it cannot be read.
        """
        return self._study(held, study).volume

    def info(self, held: HeldCase, study: str, sealed: bool = False) -> StudyInfo:
        """Geometry of a study, or the reason why there is none; nothing is measured for it."""
        try:
            volume = self.volume(held, study)
        except BackendError as failure:
            return StudyInfo(status=failure.status, reason=str(failure))
        depth, height, width = volume.hu.shape
        return StudyInfo(
            status="ok",
            shape=(depth, height, width),
            spacing=volume.spacing,
            warnings=() if sealed else volume.warnings,
            synthetic=volume.series.synthetic,
            sealed=sealed,
        )

    def key_slices(self, held: HeldCase, study: str) -> tuple[KeySlice, ...]:
        """Key slices as `quantify_ct` names them; none where the study is not one that it can judge."""
        deps = Deps(cache_dir=self._cache_dir, case=held.loaded.case, studies=held.loaded.studies)
        found = quantify_ct(deps, study).payload(Measured)
        return tuple(KeySlice(name=name, index=place.index) for name, place in found.key_slices.items()) if found else ()

    def pixels(self, held: HeldCase, study: str, view: PlaneView) -> bytes:
        """Little-endian int16 HU of the planes one after the other, row major.

        Raises:
            BadInput: The study has no such plane.
        """
        volume = self.volume(held, study)
        numbers = range(view.index, view.index + view.count)
        return b"".join(section(volume, view.plane, n, view.slab_mm, view.projection).astype("<i2").tobytes() for n in numbers)

    def overlay(self, held: HeldCase, study: str, view: PlaneView, marks: MarkStore, session: str) -> bytes:
        """One byte per pixel of a plane: the bits of `tools.imaging.overlays.LAYERS` that lie over it.

        Raises:
            BackendError: What is wanted cannot be found on this study, with the reason.
        """
        opened = self._study(held, study)
        voxels = marks.voxels(session, opened.content) if "lesions" in view.layers else {}
        return overlay(opened, view.plane, view.index, view.layers, voxels).tobytes()

    def forget(self, closed: Iterable[HeldCase]) -> None:
        """Drop the volumes of cases that were closed."""
        STUDIES.forget(path for held in closed for path in held.loaded.studies.values())
