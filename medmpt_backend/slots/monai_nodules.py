"""Slot for MONAI's lung nodule detector: the RetinaNet of its model zoo, trained on LUNA16."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import BadInput, Unavailable
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.slots.contract import Card, Output, Seen, State, absent_packages, card
from medmpt_backend.slots.geometry import from_ras

WEIGHTS = Path("lung_nodule_ct_detection") / "models" / "model.pt"
# The bundle's preprocessing: RAS, this spacing along x, y, z in mm, -1024 to 300 HU as 0 to 1.
SPACING = (0.703125, 0.703125, 1.25)
RANGE_HU = (-1024.0, 300.0)
PATCH = (192, 192, 80)
# Below this score nothing is shown: the detector keeps hundreds of boxes that mean nothing.
SHOWN = 0.3


class MonaiNodules:
    """Adapter to `monai.apps.detection`."""

    def __init__(self, folder: Path, shown: float = SHOWN, patch: tuple[int, int, int] = PATCH) -> None:
        """`folder`: where the bundle lies; `shown`: least score of a box that is told."""
        self.folder, self.shown, self.patch = folder, shown, patch

    @property
    def card(self) -> Card:
        """What it is."""
        return card("monai_nodules", self.folder)

    def state(self) -> State:
        """Package and weights."""
        missing = absent_packages(self.card)
        return State(missing if missing or (self.folder / WEIGHTS).is_file() else (f"weights {WEIGHTS}",))

    def run(self, volume: Volume) -> Output:
        """Boxes with scores.

        Raises:
            Unavailable: Package or weights are missing.
            BadInput: The weights are not the bundle's.
        """
        if missing := self.state().missing:
            raise Unavailable(f"the MONAI detector lacks {', '.join(missing)}: {self.card.command}")
        import torch

        from medmpt_backend.slots.monai_network import detector

        found = detector(self.patch)
        state: Mapping[str, Any] = torch.load(self.folder / WEIGHTS, map_location="cpu", weights_only=True)
        try:
            found.network.load_state_dict(state.get("state_dict", state) if isinstance(state, Mapping) else {})
        except RuntimeError as error:
            raise BadInput(f"{WEIGHTS} does not hold weights of this detector: {str(error).splitlines()[0][:160]}") from error
        found.eval()
        with torch.inference_mode():
            result = found([torch.from_numpy(prepared(volume))[None]], use_inferer=True)[0]
        boxes, scores = result[found.target_box_key].numpy(), result[found.pred_score_key].numpy()
        label = str(self.card.labels["0"])
        rows = [(float(s), _box(b, volume)) for b, s in zip(boxes, scores, strict=True) if s >= self.shown]
        seen = [Seen(label, "nodule", score, box, (box[2][0] + box[2][1]) // 2) for score, box in sorted(rows, key=lambda r: -r[0])]
        return Output(tuple(seen), notes=(f"boxes with a score of at least {self.shown:g}",))


def prepared(volume: Volume) -> NDArray[np.float32]:
    """`(x, y, z)` in RAS at the bundle's spacing, 0 to 1."""
    ras = volume.hu[::-1, ::-1, ::-1].transpose(2, 1, 0)
    zoom = [s / w for s, w in zip(reversed(volume.spacing), SPACING, strict=True)]
    scaled = ndimage.zoom(ras.astype(np.float32), zoom, order=1)
    low, high = RANGE_HU
    return np.ascontiguousarray(np.clip((scaled - low) / (high - low), 0, 1), dtype=np.float32)


def _box(corners: NDArray[np.float32], volume: Volume) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Corners on the prepared grid as voxels of the volume along x, y, z; its axes run the other way."""
    size = np.array(volume.hu.shape[::-1])
    step = np.array(volume.spacing[::-1])
    last = (size - 1) * step
    points = np.stack([corners[:3], corners[3:]]) * np.array(SPACING) - last
    voxels = np.clip(np.rint(from_ras(points, volume)), 0, size - 1).astype(int)
    low, high = voxels.min(axis=0), voxels.max(axis=0)
    return (int(low[0]), int(high[0])), (int(low[1]), int(high[1])), (int(low[2]), int(high[2]))
