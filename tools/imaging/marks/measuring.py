"""Measure at a voxel and make a mark of it; the marks of a study that a tool may speak of."""

from dataclasses import asdict

from tools.deps import Deps
from tools.imaging.marks.mark import Mark, MarkedLesion, packed
from tools.imaging.marks.store import MarkStore
from tools.imaging.studies import Study, study_of


def mark_at(store: MarkStore, owner: str, study: Study, at: tuple[int, int, int]) -> Mark:
    """Measure the lesion at `(x, y, z)` and keep it.

    Raises:
        BackendError: Nothing can be measured there, with the reason.
        ToolsError: It cannot be kept.
    """
    from medmpt_backend.imaging.measure import measure_region

    lesion, region = measure_region(study.volume, at, study.lungs)
    kept = MarkedLesion.model_validate(asdict(lesion))
    return store.add(owner, study.content, at, kept, packed(region.mask, region.origin))


def marks_of(deps: Deps, study: str) -> tuple[Mark, ...]:
    """The marks of a study of the case; none where it cannot be read."""
    from medmpt_backend.errors import BackendError

    if deps.marks is None or study not in deps.studies:
        return ()
    try:
        return deps.marks.of(study_of(deps, study).content)
    except BackendError:
        return ()
