"""Slot for COLIPRI: findings by text prompts, with a heatmap's strongest slice for each.

Its text side names a model on a hub whose code would be downloaded and run. Here that never happens: the text encoder is the
plain BERT that its weights belong to, built from `text/config.json` and `text/vocab.txt` beside the weights.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput, Unavailable
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.slots.contract import Card, Output, Seen, State, absent_packages, card
from medmpt_backend.slots.geometry import affine
from medmpt_backend.slots.torchvision_stub import without_torchvision

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS = "model.safetensors"
TEXT = ("config.json", "vocab.txt")
CONFIG = "config.yaml"


class Colipri:
    """Adapter to `colipri.get_model` and `colipri.get_processor`."""

    def __init__(self, folder: Path) -> None:
        """`folder`: weights, `text/`, and, where the weights are not of the published size, the package's own `config.yaml`."""
        self.folder = folder

    @property
    def card(self) -> Card:
        """What it is."""
        return card("colipri", self.folder)

    def state(self) -> State:
        """Packages, weights and the text side's two files."""
        if missing := absent_packages(self.card):
            return State(missing)
        files = [WEIGHTS, *(f"text/{name}" for name in TEXT)]
        return State(tuple(f"file {name}" for name in files if not (self.folder / name).is_file()))

    def run(self, volume: Volume) -> Output:
        """Zero-shot scores of every label, highest first.

        Raises:
            Unavailable: Packages or files are missing.
            BadInput: The weights do not fit the package's model.
        """
        if missing := self.state().missing:
            raise Unavailable(f"COLIPRI lacks {', '.join(missing)}: {self.card.command}")
        import torch

        model, processor = self._load()
        labels = {name: prompts for name, prompts in self.card.labels.items() if isinstance(prompts, list)}
        prompts = [word for pair in labels.values() for word in pair]
        with torch.no_grad():  # the package makes parameters on the way, which inference mode refuses
            image, pooled, patches = _encoded(model, processor, volume)
            ids, mask = processor.process_text(prompts)
            text = model.encode_text(ids, mask)
            seen = []
            for i, (name, pair) in enumerate(labels.items()):
                two = text[2 * i : 2 * i + 2]
                heat = _per_patch(model, patches, two)
                place = np.unravel_index(int(np.argmax(heat)), heat.shape)
                seen.append(
                    Seen(name, pair[0], float(model.classify(pooled, two)[0, 0]), slice=_slice(int(place[2]), heat.shape[2], image, volume))
                )
        seen.sort(key=lambda one: -one.score)
        return Output(tuple(seen), notes=("scores of presence against absence by text prompts; not calibrated",))

    def _load(self) -> tuple[Any, Any]:
        """Model and processor through the package, with the plain text encoder in place of the downloaded one."""
        package = _package()
        settings = import_module("omegaconf").OmegaConf
        text = str(self.folder / "text")
        own = self.folder / CONFIG
        config = settings.load(own) if own.is_file() else import_module("colipri.checkpoint")._load_config()
        settings.update(config, "model.text_encoder.backbone", {"_target_": f"{__name__}.text_backbone", "folder": text}, merge=False)
        tokenizer = {"_target_": "transformers.BertTokenizer", "vocab_file": f"{text}/vocab.txt"}
        settings.update(config, "processor.tokenizer", tokenizer, merge=False)
        settings.resolve(config)
        try:
            model = package.get_model(self.folder / WEIGHTS, config=config.model)
        except (RuntimeError, ValueError, KeyError) as error:
            raise BadInput(f"{WEIGHTS} does not fit the model of the package: {str(error).splitlines()[0][:160]}") from error
        return model, package.get_processor(config=config.processor)


def _package() -> Any:
    """`colipri`, imported with a stand-in for torchvision where that is not installed."""
    if "colipri" not in sys.modules:
        for first in ("transformers.models.bert.modeling_bert", "transformers.models.bert.tokenization_bert", "accelerate"):
            import_module(first)
        with without_torchvision():
            import_module("timm.layers")
            import_module("timm.models.eva")
    return import_module("colipri")


def text_backbone(folder: str) -> "nn.Module":
    """The BERT that COLIPRI's text weights belong to, from the file of its sizes; no code is downloaded.

    Raises:
        BadInput: The file is no BERT configuration.
    """
    from transformers import BertConfig, BertModel

    try:
        config = BertConfig.from_json_file(f"{folder}/config.json")
    except (OSError, ValueError) as error:
        raise BadInput(f"text/config.json is no BERT configuration: {error}") from error
    return BertModel(config, add_pooling_layer=False)


def _encoded(model: Any, processor: Any, volume: Volume) -> "tuple[Any, Tensor, Tensor]":
    """The prepared image, its pooled embedding and the embeddings of its patches, from one pass."""
    import torch

    torchio = import_module("torchio")
    rearrange = import_module("einops").rearrange
    tensor = torch.from_numpy(np.ascontiguousarray(volume.hu.transpose(2, 1, 0))).float()[None]
    images = processor.process_images(torchio.ScalarImage(tensor=tensor, affine=affine(volume)))
    encoder = model.image_encoder
    projected = encoder.projector(encoder.encode(processor.to_images_batch(images)))
    pooled = torch.nn.functional.normalize(encoder.pooler(rearrange(projected, "b c x y z -> b (x y z) c")), dim=1)
    patches = torch.nn.functional.normalize(encoder.pooler.to_dense()(projected), dim=1)
    return images[0], pooled, patches


def _per_patch(model: Any, patches: "Tensor", two: "Tensor") -> NDArray[np.float32]:
    """Score of presence for every patch, `(x, y, z)`."""
    similar = model.compute_similarities(patches, two)
    heat: NDArray[np.float32] = (similar / model.softmax_temperature).softmax(dim=1)[0, 0].numpy()
    return heat


def _slice(patch: int, patches: int, image: Any, volume: Volume) -> int:
    """Slice of the volume, from the head, in the middle of a patch along z of the prepared image."""
    middle = (patch + 0.5) / patches * image.shape[3] - 0.5
    z_mm = float((image.affine @ np.array([0.0, 0.0, middle, 1.0]))[2])
    return int(np.clip(round(-z_mm / volume.spacing[0]), 0, volume.hu.shape[0] - 1))
