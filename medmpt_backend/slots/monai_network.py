"""The RetinaNet of MONAI's bundle, with random weights; its keys are the bundle's.

The package builds the pyramid through torchvision, which breaks transformers beside a CPU torch; the few lines that it takes
from there are here.
"""

from typing import TYPE_CHECKING

from monai.apps.detection.networks.retinanet_detector import RetinaNetDetector
from monai.apps.detection.networks.retinanet_network import RetinaNet
from monai.apps.detection.utils.anchor_utils import AnchorGeneratorWithAnchorShape
from monai.networks.blocks.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool
from monai.networks.nets.resnet import resnet50
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Mapping

# The bundle's anchors, and how boxes are kept.
ANCHORS = [[6, 8, 4], [8, 6, 5], [10, 10, 6]]
SCORE, NMS, MOST = 0.02, 0.22, 300
_LAYERS = {"layer1": "0", "layer2": "1"}
_WIDTH = 256


class Features(nn.Module):
    """A ResNet down to its second layer, and a feature pyramid over its first two."""

    def __init__(self) -> None:
        """Random weights."""
        super().__init__()
        backbone = resnet50(spatial_dims=3, n_input_channels=1, conv1_t_stride=[2, 2, 1], conv1_t_size=[7, 7, 7])
        self.body = nn.ModuleDict()
        for name, child in backbone.named_children():
            self.body[name] = child
            if name == list(_LAYERS)[-1]:
                break
        inner = backbone.in_planes // 8
        self.fpn = FeaturePyramidNetwork(3, [inner, 2 * inner], _WIDTH, LastLevelMaxPool(3))
        self.out_channels = _WIDTH

    def forward(self, x: Tensor) -> "Mapping[str, Tensor]":
        """Maps of the pyramid, the finest first."""
        levels: dict[str, Tensor] = {}
        for name, child in self.body.items():
            x = child(x)
            if name in _LAYERS:
                levels[_LAYERS[name]] = x
        out: Mapping[str, Tensor] = self.fpn(levels)
        return out


def detector(patch: tuple[int, int, int]) -> RetinaNetDetector:
    """The detector with random weights; a sliding window of this size."""
    network = RetinaNet(spatial_dims=3, num_classes=1, num_anchors=3, feature_extractor=Features(), size_divisible=[16, 16, 8])
    anchors = AnchorGeneratorWithAnchorShape(feature_map_scales=[1, 2, 4], base_anchor_shapes=ANCHORS)
    out = RetinaNetDetector(network, anchors, debug=False)
    out.set_target_keys(box_key="box", label_key="label")
    out.set_box_selector_parameters(score_thresh=SCORE, topk_candidates_per_level=1000, nms_thresh=NMS, detections_per_img=MOST)
    out.set_sliding_window_inferer(roi_size=patch, overlap=0.25, sw_batch_size=1, mode="constant", device="cpu")
    return out
