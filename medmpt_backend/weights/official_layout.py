"""The released checkpoints' names: which tensor of theirs is which of ours, and what configuration their shapes imply.

Tensor layouts are facts of the files; see the state-dict listing that came with the parity fixture.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping

from torch import Tensor

from medmpt_backend.errors import BadInput
from medmpt_backend.model.config import (
    DecodeConfig,
    HeadConfig,
    LabConfig,
    MedicationConfig,
    MedMPTConfig,
    PreprocessConfig,
    PretrainConfig,
    TextConfig,
    VisionConfig,
)

State = dict[str, Tensor]

# Width of one attention head in ViT-B and BERT-base, used where neither the file nor the caller says how many heads there are.
HEAD_WIDTH = 64

# (pattern, replacement) of the tensors an engine uses; the first that matches wins. Prefix `model.` = inference part.
_USED = [
    (r"(?:vision_encoder_q|vision_encoder|visual_encoder)\.", "model.vision_encoder."),
    (r"(?:vision_fusion_q|vision_fusion|fusion_module)\.", "model.vision_fusion."),
    (r"vision_proj_(slice|scan)_q\.", r"model.vision_proj_\1."),
    (r"(?:text_encoder_q|text_encoder|textual_encoder)\.(?:bert\.)?", "model.text_encoder."),
    (r"text_proj_q\.", "model.text_proj."),
    (r"text_decoder\.bert\.bert\.", "model.text_decoder.bert."),
    (r"text_decoder\.bert\.cls\.", "model.text_decoder.cls."),
    (r"vision_to_text\.", "model.vision_to_text."),
    (r"(temp_image|temp_multimodal)$", r"model.\1"),
    (r"biomarker_encoder\.", "model.labs."),
    (r"cross_modal_fusion_module\.", "model.medication.fusion."),
    (r"cls_head\.", "model.medication.patient_head."),
    (r"post_cls_head\.", "model.medication.medication_head."),
    (r"med_embedding$", "model.medication.graph.nodes"),
    (r"corr_encoder\.A_hat_prior$", "model.medication.graph.prior"),
    (r"head\.", "model.heads.{task}."),
    # pretraining only
    (r"(vision_decoder|vision_encoder_k|vision_fusion_k|vision_proj_slice_k|vision_proj_scan_k)\.", r"\1."),
    (r"(image_queue_slice|image_queue_scan|queue_ptr_slice|queue_ptr_scan)$", r"\1"),
]
# Tensors that are known and have no use here: buffers of old BERT versions, the unused pooler, unused medication projections, the drug
# graph's layers (the layer itself is missing from the release), and `predictions.bias`, the same tensor as `predictions.decoder.bias`.
_UNUSED = re.compile(
    r"position_ids$|pooler\.|^logit_scale$|^(?:patient|medication)_projection\.|^corr_encoder\.(?!A_hat_prior)|cls\.predictions\.bias$"
)


def rename(key: str, task: str = "screening") -> str | None:
    """Our name of an official key; None where it is known and unused.

    Args:
        key: Official key, with or without `module.`.
        task: Name of the head that a classification checkpoint's `head.*` becomes.

    Raises:
        KeyError: The key is not of the official layout.
    """
    bare = key.removeprefix("module.")
    if _UNUSED.search(bare):
        return None
    for pattern, replacement in _USED:
        match = re.match(pattern, bare)
        if match:
            return match.expand(replacement).replace("{task}", task) + bare[match.end() :]
    raise KeyError(key)


def translate(state: Mapping[str, Tensor], task: str = "screening") -> tuple[State, list[str], list[str]]:
    """Official tensors under our names.

    Returns:
        Tensors, keys that are known and unused, keys that are not of the layout.
    """
    ours: State = {}
    unused: list[str] = []
    unexpected: list[str] = []
    for key, value in state.items():
        try:
            name = rename(key, task)
        except KeyError:
            unexpected.append(key)
            continue
        if name is None:
            unused.append(key)
        else:
            ours[name] = value[None] if name.endswith("graph.prior") and value.ndim == 2 else value
    return ours, unused, unexpected


def _count(state: State, prefix: str) -> int:
    found = {m.group(1) for key in state if (m := re.match(re.escape(prefix) + r"(\d+)\.", key))}
    return len(found)


def _shape(state: State, key: str) -> tuple[int, ...]:
    if key not in state:
        raise BadInput(f"the checkpoint has no tensor for {key!r}; it is not a MedMPT checkpoint, or it is incomplete")
    return tuple(state[key].shape)


def _size(state: State, first: str, *places: tuple[str, int]) -> int:
    """The size that most tensors agree on, so that one damaged tensor does not put the blame on those that fit it.

    Args:
        state: Tensors under our names.
        first: A tensor that must be there; its first size where the others are divided.
        places: Pattern of names, and the axis that has the size.
    """
    sizes = Counter([_shape(state, first)[0]])
    for pattern, axis in places:
        sizes.update(value.shape[axis] for key, value in state.items() if re.fullmatch(pattern, key) and value.ndim > axis)
    return sizes.most_common(1)[0][0]


def _hidden(state: State, layers: str, into: str, out: str) -> int:
    """Width between two layers that each of some blocks has; `layers` is the prefix of the blocks' numbers."""
    block, first = re.escape(layers) + r"\d+\.", f"{layers}0.{into}.weight"
    places = ((block + re.escape(into) + r"\.(weight|bias)", 0), (block + re.escape(out) + r"\.weight", 1))
    return _size(state, first, *places)


def _number(settings: Mapping[str, object], key: str, default: int) -> int:
    value = settings.get(key, default)
    return value if isinstance(value, int) and value > 0 else default


def _vision(state: State, settings: Mapping[str, object]) -> VisionConfig:
    encoder, fusion, decoder = "model.vision_encoder.", "model.vision_fusion.", "vision_decoder."
    _, _, patch, _ = _shape(state, encoder + "patch_embed.proj.weight")
    norms = re.escape(encoder) + r"(blocks\.\d+\.norm[12]|norm)\.(weight|bias)"
    width = _size(state, encoder + "patch_embed.proj.weight", (norms, 0))
    grid = math.isqrt(_shape(state, encoder + "pos_embed")[1] - 1)
    sizes: dict[str, int] = {}
    if decoder + "mask_token" in state:
        decoder_width = _shape(state, decoder + "mask_token")[-1]
        sizes = {
            "decoder_width": decoder_width,
            "decoder_depth": _count(state, decoder + "decoder_blocks."),
            "decoder_heads": _number(settings, "vision_decoder_num_heads", max(decoder_width // HEAD_WIDTH, 1)),
        }
    return VisionConfig(
        image=grid * patch,
        patch=patch,
        slices=_number(settings, "slice_num", 32),
        width=width,
        depth=_count(state, encoder + "blocks."),
        heads=_number(settings, "vision_num_heads", max(width // HEAD_WIDTH, 1)),
        mlp_ratio=_hidden(state, encoder + "blocks.", "mlp.fc1", "mlp.fc2") / width,
        fusion_layers=_count(state, fusion + "encoder.layers."),
        fusion_heads=_number(settings, "fusion_heads", 8),
        fusion_ff=_hidden(state, fusion + "encoder.layers.", "linear1", "linear2"),
        fusion_positions=_shape(state, fusion + "pos_embed.weight")[0],
        **sizes,
    )


def _text(state: State, settings: Mapping[str, object]) -> TextConfig | None:
    prefix = "model.text_encoder." if "model.text_encoder.embeddings.word_embeddings.weight" in state else "model.text_decoder.bert."
    if prefix + "embeddings.word_embeddings.weight" not in state:
        return None
    vocab, width = _shape(state, prefix + "embeddings.word_embeddings.weight")
    return TextConfig(
        vocab=vocab,
        width=width,
        layers=_count(state, "model.text_encoder.encoder.layer."),
        decoder_layers=_count(state, "model.text_decoder.bert.encoder.layer."),
        heads=_number(settings, "text_num_heads", max(width // HEAD_WIDTH, 1)),
        ff=_hidden(state, prefix + "encoder.layer.", "intermediate.dense", "output.dense"),
        positions=_shape(state, prefix + "embeddings.position_embeddings.weight")[0],
        types=_shape(state, prefix + "embeddings.token_type_embeddings.weight")[0],
        pad=_number(settings, "text_pad_token_id", 0),
        unk=_number(settings, "text_unk_token_id", 100),
        cls=_number(settings, "text_sos_token_id", 101),
        sep=_number(settings, "text_eos_token_id", 102),
        max_length=_number(settings, "decode_max_length", 120),
    )


def _labs(state: State, settings: Mapping[str, object]) -> LabConfig | None:
    if "model.labs.bio_embedding" not in state:
        return None
    tests, width = _shape(state, "model.labs.bio_embedding")
    prefix = "model.labs.transformer_encoder.layers."
    return LabConfig(
        tests=tests,
        width=width,
        layers=_count(state, prefix),
        heads=_number(settings, "bio_nheads", 8),
        ff=_hidden(state, prefix, "linear1", "linear2"),
        encoder="official",
    )


def _medication(state: State, settings: Mapping[str, object], drugs: tuple[str, ...]) -> MedicationConfig | None:
    if "model.medication.patient_head.weight" not in state:
        return None
    count, width = _shape(state, "model.medication.patient_head.weight")
    prefix = "model.medication.fusion.transformer_encoder.layers."
    names = drugs or tuple(f"drug_{i}" for i in range(count))
    if len(names) != count:
        raise BadInput(f"{len(names)} drug names for {count} outputs; give one name per output, in order")
    heads = settings.get("corr_nheads")
    return MedicationConfig(
        drugs=names,
        fusion_width=width,
        fusion_layers=_count(state, prefix),
        fusion_heads=_number(settings, "fusion_nheads", 4),
        fusion_ff=_hidden(state, prefix, "linear1", "linear2"),
        node_width=_shape(state, "model.medication.graph.nodes")[1],
        graph_width=_shape(state, "model.medication.medication_head.weight")[1] - width,
        graph_heads=tuple(heads) if isinstance(heads, list) else (8, 1),
        drug_graph="official",
    )


def _heads(state: State, labels: Mapping[str, tuple[str, ...]]) -> dict[str, HeadConfig]:
    heads: dict[str, HeadConfig] = {}
    for key, value in state.items():
        match = re.match(r"model\.heads\.(\w+)\.(2\.)?weight$", key)
        if match:
            names = labels.get(match.group(1)) or tuple(f"class_{i}" for i in range(len(value)))
            heads[match.group(1)] = HeadConfig(kind="multiclass", labels=names, hidden=match.group(2) is not None)
    return heads


def infer_config(
    state: State,
    settings: Mapping[str, object],
    drugs: tuple[str, ...] = (),
    labels: Mapping[str, tuple[str, ...]] | None = None,
) -> MedMPTConfig:
    """Configuration of a translated state; imported official weights always run `official`.

    Args:
        state: Tensors under our names.
        settings: What the checkpoint's own namespace says (head counts, special tokens, slices).
        drugs: Names of the medication outputs.
        labels: Names of a classification head's outputs.
    """
    vision = _vision(state, settings)
    text = _text(state, settings)
    projection_key = "model.vision_proj_scan.2.weight"
    return MedMPTConfig(
        preprocess=PreprocessConfig(sampling="official"),
        vision=vision,
        text=text,
        labs=_labs(state, settings),
        medication=_medication(state, settings, drugs),
        heads=_heads(state, labels or {}),
        decode=DecodeConfig(search="official", end_token="official", beams=_number(settings, "caption_beam_size", 2)),
        pretrain=PretrainConfig(
            queue_slice=state["image_queue_slice"].shape[1] if "image_queue_slice" in state else 1,
            queue_scan=state["image_queue_scan"].shape[1] if "image_queue_scan" in state else 1,
        ),
        projection=_shape(state, projection_key)[0] if projection_key in state else vision.width,
    )
