"""What the CT viewer asks for: geometry, slices and measurements of a study, by handle."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from agent.errors import BadInput
from agent.sessions.handles import HeldCase
from agent.sessions.views import KeySlice, MeasureView, StudyInfo
from medmpt_backend.errors import BackendError
from tools.deps import Deps
from tools.imaging.quantify import quantify_ct

if TYPE_CHECKING:
    from medmpt_backend.imaging.anatomy.lungs import Lungs
    from medmpt_backend.imaging.volume import Volume

# Volumes held in memory: at 512x512x300 int16 one takes 157 MB.
_MOST_VOLUMES = 4


class Viewer:
    """Reads studies once and keeps the last few."""

    def __init__(self, cache_dir: Path) -> None:
        """Start with nothing read."""
        self._cache_dir = cache_dir
        self._volumes: OrderedDict[tuple[int, str], tuple[HeldCase, Volume]] = OrderedDict()
        self._lungs: dict[tuple[int, str], Lungs] = {}
        self._lock = threading.Lock()

    def volume(self, held: HeldCase, study: str) -> "Volume":
        """The volume of a study.

        Raises:
            BadInput: The case has no such study.
            BackendError: Why it cannot be read.
        """
        path = held.loaded.studies.get(study)
        if path is None:
            raise BadInput(f"the case has no study {study!r}; it has: {', '.join(held.loaded.studies) or 'none'}")
        key = (id(held), study)
        with held.study_lock:
            with self._lock:
                if key in self._volumes:
                    self._volumes.move_to_end(key)
                    return self._volumes[key][1]
            from medmpt_backend.imaging.volume import load_volume
            from tools.case.demo import materialise

            materialise(path)
            volume = load_volume(path)
            with self._lock:
                self._volumes[key] = (held, volume)
                while len(self._volumes) > _MOST_VOLUMES:
                    self._volumes.popitem(last=False)
            return volume

    def info(self, held: HeldCase, study: str, sealed: bool = False) -> StudyInfo:
        """Geometry of a study, or the reason why there is none; of a sealed one nothing that was measured."""
        try:
            volume = self.volume(held, study)
        except BackendError as failure:
            return StudyInfo(status=failure.status, reason=str(failure))
        depth, height, width = volume.hu.shape
        return StudyInfo(
            status="ok",
            shape=(depth, height, width),
            spacing=volume.spacing,
            key_slices=() if sealed else self._key_slices(held, study),
            warnings=() if sealed else volume.warnings,
            synthetic=volume.series.synthetic,
            sealed=sealed,
        )

    def _key_slices(self, held: HeldCase, study: str) -> tuple[KeySlice, ...]:
        """Key slices as `quantify_ct` names them; none where the study is not one that it can judge."""
        deps = Deps(cache_dir=self._cache_dir, case=held.loaded.case, studies=held.loaded.studies)
        found = quantify_ct(deps, study).data.get("key_slices")
        if not isinstance(found, dict):
            return ()
        places = {name: place.get("index") for name, place in found.items() if isinstance(place, dict)}
        return tuple(KeySlice(name=name, index=index) for name, index in places.items() if isinstance(index, int))

    def slice(self, held: HeldCase, study: str, index: int) -> bytes:
        """Little-endian int16 HU of one axial slice, `(H, W)` row major.

        Raises:
            BadInput: The study has no such slice.
        """
        volume = self.volume(held, study)
        if not 0 <= index < volume.hu.shape[0]:
            raise BadInput(f"slice {index} is outside 0..{volume.hu.shape[0] - 1} of study {study!r}")
        pixels: bytes = volume.hu[index].astype("<i2").tobytes()
        return pixels

    def measure(self, held: HeldCase, study: str, at: tuple[int, int, int]) -> MeasureView:
        """Measure the lesion at `(x, y, z)`; what cannot be measured is answered with its status and reason."""
        from medmpt_backend.imaging.anatomy.lungs import segment
        from medmpt_backend.imaging.measure import Lesion, measure

        volume = self.volume(held, study)
        key = (id(held), study)
        try:
            with held.study_lock:
                lungs = self._lungs.get(key) or segment(volume)
                self._lungs = {key: lungs}
            lesion = measure(volume, at, lungs)
        except BackendError as failure:
            return MeasureView(status=failure.status, reason=str(failure))
        shown = TypeAdapter(Lesion).dump_python(lesion, mode="json")
        return MeasureView(
            status="partial" if lesion.warnings else "ok", reason=" ".join(lesion.warnings) or None, warnings=lesion.warnings, lesion=shown
        )

    def forget(self) -> None:
        """Drop every volume that is held."""
        with self._lock:
            self._volumes.clear()
            self._lungs.clear()
