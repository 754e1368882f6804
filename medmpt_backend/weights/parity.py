"""Parity with the released model: run a fixture folder and compare every array.

A fixture is a folder with `config.json` (dimensions under `config`), `pretrain_checkpoint.pth`, `downstream_heads.pth` and `io.npz`
(inputs and the released code's outputs). Arrays are recognised by name only; all shapes come from the fixture.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from medmpt_backend.errors import BadInput
from medmpt_backend.inference.preprocess import apply_windows, nifti_windows, official_indices, resample_z, resize_u8, scale
from medmpt_backend.inference.released_decoding import official_beam_search, official_next
from medmpt_backend.model.config import (
    OFFICIAL_WINDOWS,
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
from medmpt_backend.model.medication import medication_loss, prior_adjacency
from medmpt_backend.model.network import MedMPT
from medmpt_backend.model.text import caption_loss, pool_text
from medmpt_backend.model.vision import Masking, masked_image_loss, random_masking
from medmpt_backend.train.objectives import PretrainModel
from medmpt_backend.weights.official_layout import State, translate
from medmpt_backend.weights.safe_load import read_checkpoint

# The tolerances: floats absolute, losses relative.
ABSOLUTE = 1e-4
RELATIVE = 1e-5

Array = NDArray[Any]
Kind = Literal["absolute", "relative", "equal", "input", "information", "missing"]
Results = Iterator[tuple[str, Array]]
# Arrays that are given to the model rather than produced by it.
INPUTS = frozenset(
    {"image_u8", "input_ids", "attention_mask", "mim_noise", "prefix_ids", "class_target", "adj", "nums", "biomarker", "med_label"}
    | {"biomarker_missing_mask", "im_k_is", "hu_values", "nii_volume", "nii2_volume", "resize_in", "eosbias_add", "word_embedding"}
)


@dataclass(frozen=True)
class ArrayCheck:
    """One array's verdict: `difference` is the largest absolute one, relative for losses, a count of unequal entries for integers."""

    name: str
    kind: Kind
    shape: tuple[int, ...]
    difference: float | None
    ok: bool


class Fixture:
    """A loaded fixture folder."""

    def __init__(self, folder: Path) -> None:
        """Read it.

        Raises:
            BadInput: A file is missing or unreadable.
        """
        for name in ("config.json", "io.npz", "pretrain_checkpoint.pth", "downstream_heads.pth"):
            if not (folder / name).is_file():
                raise BadInput(f"{str(folder)!r} is not a parity fixture: it has no {name}")
        self.c: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))["config"]
        with np.load(folder / "io.npz", allow_pickle=False) as archive:
            self.io: dict[str, Array] = {k: archive[k] for k in archive.files}
        self.heads = read_checkpoint(folder / "downstream_heads.pth").groups
        self.state, _, self.unexpected = translate(read_checkpoint(folder / "pretrain_checkpoint.pth").tensors)

    def tensor(self, name: str) -> Tensor:
        """One array as a tensor."""
        return torch.from_numpy(self.io[name])

    # fmt: off
    def config(self) -> MedMPTConfig:
        """The fixture's dimensions, `official` in every option."""
        c, bert, bio, corr, fus = self.c, self.c["bert"], self.c["bio"], self.c["corr"], self.c["fus"]
        classes = tuple(f"class_{i}" for i in range(c["n_cls"]))
        return MedMPTConfig(
            preprocess=PreprocessConfig(sampling="official"),
            vision=VisionConfig(
                image=c["image"], patch=c["patch"], slices=c["slices"], width=c["embed"], depth=c["depth"], heads=c["heads"],
                mlp_ratio=c["mlp_ratio"], decoder_width=c["dec"]["dim"], decoder_depth=c["dec"]["depth"], decoder_heads=c["dec"]["heads"],
                mask_ratio=c["mask_ratio"], fusion_layers=c["fusion_layers"], fusion_heads=c["fusion_heads"], fusion_ff=c["fusion_ff"],
                fusion_positions=self.state["model.vision_fusion.pos_embed.weight"].shape[0],
            ),
            text=TextConfig(
                vocab=bert["vocab_size"], width=bert["hidden_size"], layers=c["text_layers"], decoder_layers=c["text_layers"],
                heads=bert["num_attention_heads"], ff=bert["intermediate_size"], positions=bert["max_position_embeddings"],
                pad=c["pad_id"], unk=c["unk_id"], cls=c["cls_id"], sep=c["sep_id"], max_length=c["max_steps"],
            ),
            labs=LabConfig(tests=c["bio_num"], width=bio["h"], layers=bio["l"], heads=bio["n"], ff=bio["ff"], encoder="official"),
            medication=MedicationConfig(
                drugs=tuple(f"drug_{i}" for i in range(c["n_med"])), fusion_width=fus["h"], fusion_layers=fus["l"], fusion_heads=fus["n"],
                fusion_ff=fus["ff"], node_width=corr["inp"], graph_width=corr["hid"], graph_heads=tuple(corr["heads"]),
                threshold=corr["thr"], drug_graph="official",
            ),
            heads={
                "screening": HeadConfig(kind="multiclass", labels=classes),
                "probe": HeadConfig(kind="multiclass", labels=classes, hidden=False),
            },
            decode=DecodeConfig(search="official", end_token="official", beams=c["beam"]),
            pretrain=PretrainConfig(queue_slice=c["q_slice"], queue_scan=c["q_scan"], momentum=c["momentum"]),
            projection=self.state["model.vision_proj_scan.2.weight"].shape[0],
        )
    # fmt: on

    def model(self) -> PretrainModel:
        """The fixture's weights in our model, heads included, in evaluation mode."""
        model = PretrainModel(self.config())
        state: State = dict(self.state)
        for group, task in (("multiclass", "screening"), ("multiclass_linear_probe", "probe"), ("medication", "")):
            state |= translate(self.heads[group], task)[0]
        wrong = model.load_state_dict(state, strict=False)
        # the graph's layers are missing from the release; everything else has to be there
        missing = [k for k in wrong.missing_keys if ".graph." not in k]
        if missing or wrong.unexpected_keys or self.unexpected:
            raise BadInput(f"fixture keys do not fit: missing {missing[:3]}, unexpected {[*wrong.unexpected_keys, *self.unexpected][:3]}")
        return model.eval()


def _np(x: Tensor) -> Array:
    out: Array = x.detach().numpy()
    return out


def _vision(f: Fixture, p: PretrainModel) -> Results:
    m, image = p.model, scale(f.tensor("image_u8"))
    flat = image.flatten(0, 1)
    tokens = m.vision_encoder(flat)
    slices = m.encode_slices(image)
    yield "slice_cls", _np(slices)
    noise = f.tensor("mim_noise")
    everything = random_masking(noise, 0.0)
    order = m.vision_encoder(flat, everything)
    yield "mae_cls", _np(order[:, 0].reshape(*image.shape[:2], -1))
    natural = order[:, 1:].gather(1, everything.restore[..., None].expand(-1, -1, order.shape[-1]))
    assert torch.allclose(natural, tokens[:, 1:], atol=ABSOLUTE)
    shown = f.io["mae_tokens_2slices"].shape[0]
    yield "mae_tokens_2slices", _np(torch.cat([order[:, :1], natural], 1)[:shown])
    fused_in = m.vision_fusion.embed(slices)
    scan, scan_tokens = m.fuse(slices)
    yield from (("fusion_input_norm", _np(fused_in)), ("fusion_cls", _np(scan)), ("fusion_tokens", _np(scan_tokens)))
    yield "slice_feat", _np(m.project_slices(slices.flatten(0, 1)))
    ids, mask = f.tensor("input_ids"), f.tensor("attention_mask")
    assert m.text_encoder is not None
    hidden = m.text_encoder(ids, mask)
    pooled = pool_text(hidden, mask)
    yield from (("text_hidden", _np(hidden)), ("text_pooled", _np(pooled)))
    scan_feat, text_feat = m.project_scan(scan), m.project_text(pooled)
    yield from (("scan_feat", _np(scan_feat)), ("text_feat", _np(text_feat)))
    yield "sim_i2t", _np(scan_feat @ text_feat.T / m.temp_multimodal)


def _masked(f: Fixture, p: PretrainModel) -> Results:
    flat = scale(f.tensor("image_u8")).flatten(0, 1)
    masking: Masking = random_masking(f.tensor("mim_noise"), p.config.vision.mask_ratio)
    yield from (("mim_mask", _np(masking.mask)), ("mim_ids_restore", _np(masking.restore)))
    latent = p.model.vision_encoder(flat, masking)
    prediction = p.vision_decoder(latent, masking.restore)
    yield "mim_latent_2slices", _np(latent[: f.io["mim_latent_2slices"].shape[0]])
    yield "mim_pred_2slices", _np(prediction[: f.io["mim_pred_2slices"].shape[0]])
    yield "mim_loss", _np(masked_image_loss(prediction, flat, masking.mask, p.config.vision.patch))


def _memory(f: Fixture, m: MedMPT) -> Tensor:
    return m.memory(m.fuse(m.encode_slices(scale(f.tensor("image_u8"))))[1])


def _caption(f: Fixture, p: PretrainModel) -> Results:
    m, text, c = p.model, p.config.text, f.c
    assert m.text_decoder is not None
    assert text is not None
    memory = _memory(f, m)
    yield "caption_memory", _np(memory)
    ids = f.tensor("input_ids")
    logits = m.text_decoder(ids, memory, f.tensor("attention_mask"))
    yield from (("caption_logits", _np(logits)), ("caption_loss", _np(caption_loss(logits, ids, text.pad))))
    prefix_logits, following = official_next(m.text_decoder, f.tensor("prefix_ids"), memory)
    yield from (("prefix_logits", _np(prefix_logits)), ("prefix_next_logprobs", _np(following)))
    beams = official_beam_search(m.text_decoder, memory, c["beam"], c["max_steps"], text.cls, text.cls)
    yield from (("beam_ids", _np(beams.ids)), ("beam_logprobs", _np(beams.logprobs)), ("beam_last_input", _np(beams.last_input)))
    yield "beam_min_margin", np.array(beams.margin)
    yield from (("pred_caption_ids", _np(beams.ids[:, 0])), ("beam_first_input", np.full((len(memory), 1), text.cls)))
    bias = m.text_decoder.get_parameter("cls.predictions.decoder.bias")
    with torch.no_grad():
        bias[text.cls] += float(f.io["eosbias_add"])
        biased = official_beam_search(m.text_decoder, memory, c["beam"], c["max_steps"], text.cls, text.cls)
        bias[text.cls] -= float(f.io["eosbias_add"])
    yield from (("eosbias_beam_ids", _np(biased.ids)), ("eosbias_beam_logprobs", _np(biased.logprobs)))


def _classes(f: Fixture, p: PretrainModel) -> Results:
    m = p.model
    scan, _ = m.fuse(m.encode_slices(scale(f.tensor("image_u8"))))
    logits = m.head_logits("screening", scan)
    yield from (("class_logits", _np(logits)), ("class_prob", _np(logits.softmax(-1))))
    yield "class_loss", _np(F.cross_entropy(logits, f.tensor("class_target")))
    yield "probe_logits", _np(m.head_logits("probe", scan))


def _medication(f: Fixture, p: PretrainModel) -> Results:
    m = p.model
    assert m.labs is not None
    assert m.medication is not None
    values, missing, label = f.tensor("biomarker"), f.tensor("biomarker_missing_mask"), f.tensor("med_label")
    labs = m.labs(values, missing)
    yield from (("bio_cls", _np(labs[:, 0])), ("bio_tokens", _np(labs[:, 1:])), ("bio_cls_x10", _np(m.labs(values * 10, missing)[:, 0])))
    scan, _ = m.fuse(m.encode_slices(scale(f.tensor("image_u8"))))
    text = m.encode_text(f.tensor("input_ids"), f.tensor("attention_mask"))
    fused = m.medication.fusion([scan, text, labs[:, 0]])
    patient = m.medication.patient_head(fused)
    yield from (("med_fusion", _np(fused)), ("med_patient_logits", _np(patient)))
    yield "med_patient_loss", _np(F.binary_cross_entropy_with_logits(patient, label))
    drugs = len(f.io["nums"])
    yield "A_hat_prior", prior_adjacency(f.io["adj"], f.io["nums"].astype(np.float64), f.c["corr"]["thr"])
    yield "A_hat_global", np.ones((drugs, drugs), np.float32) + np.eye(drugs, dtype=np.float32)
    if "corr_out_STANDIN" in f.io:  # the head after the stand-in graph layer, fed with the fixture's own graph output
        medication = m.medication.official_logits(fused, f.tensor("corr_out_STANDIN"))
        yield "med_medication_logits_STANDIN", _np(medication)
        yield "med_medication_loss_STANDIN", _np(F.binary_cross_entropy_with_logits(medication, label))
        yield "med_total_loss_STANDIN", _np(medication_loss(medication, patient, label))


def _pretraining(f: Fixture, p: PretrainModel) -> Results:
    image = scale(f.tensor("image_u8"))
    described = str(f.io["im_k_is"]) if "im_k_is" in f.io else ""
    if "flip(-1)" not in described:
        raise BadInput(f"the fixture's second view is {described!r}; only 'flip(-1)' is known")
    out = p(image, image.flip(-1), f.tensor("input_ids"), f.tensor("attention_mask"), f.tensor("mim_noise"))
    for name, loss in out.losses.items():
        yield f"pretrain_loss_{name}", _np(loss)
    yield from (("pretrain_total", _np(out.total)), ("pretrain_sim_itc_i2t", _np(out.sim_text)))
    yield from (("pretrain_sim_iic_scan", _np(out.sim_scan)), ("pretrain_sim_iic_slice_first4", _np(out.sim_slice[:4])))
    yield "pretrain_queue_ptr_after", _np(torch.cat([p.queue_ptr_slice, p.queue_ptr_scan]))
    yield "pretrain_lm_argmax", _np(out.logits.argmax(-1))


def _spacing(f: Fixture, volume: str, resampled: str, axis: int) -> float:
    """z spacing that the released zoom had: its result depends on input and output lengths only."""
    return 5.0 * float(f.io[resampled].shape[axis]) / float(f.io[volume].shape[2])


def _preprocessing(f: Fixture, p: PretrainModel) -> Results:
    for name, value in f.io.items():
        words = name.split("_")
        if words[0] == "resize" and len(words) == 4 and words[2] == "to":
            yield name, np.array(official_indices(int(words[1]), int(words[3])), value.dtype)
    yield "hu_windowed", apply_windows(f.io["hu_values"], OFFICIAL_WINDOWS)
    yield "nii_windows", nifti_windows(f.io["nii_volume"], OFFICIAL_WINDOWS)
    for volume in ("nii", "nii2"):
        target = f"{volume}_windows_resampled"
        if target in f.io:
            yield target, nifti_windows(f.io[f"{volume}_volume"], OFFICIAL_WINDOWS, _spacing(f, f"{volume}_volume", target, 1))
    if "nii2_resampled_hu" in f.io:
        yield "nii2_resampled_hu", resample_z(f.io["nii2_volume"], _spacing(f, "nii2_volume", "nii2_resampled_hu", 2), 5.0, 2)
    resized = resize_u8(f.tensor("resize_in"), f.io["resize_out"].shape[-1])
    yield from (("resize_out", _np(resized)), ("norm_out", _np(scale(resized))))


GROUPS: tuple[Callable[[Fixture, PretrainModel], Results], ...] = (
    _preprocessing, _vision, _masked, _caption, _classes, _medication, _pretraining,
)  # fmt: skip


def _information(name: str) -> bool:
    return "STANDIN" in name or name.startswith("nonofficial_") or name.endswith("_scipy15_like")


def compare(name: str, expected: Array, found: Array | None) -> ArrayCheck:
    """Verdict on one array."""
    information, shape = _information(name), tuple(expected.shape)
    if name in INPUTS:
        return ArrayCheck(name, "input", shape, None, True)
    if found is None:
        return ArrayCheck(name, "information" if information else "missing", shape, None, information)
    if found.shape != expected.shape:
        return ArrayCheck(name, "missing", shape, None, information)
    if expected.dtype.kind in "iub":
        unequal = float((found != expected).sum())
        return ArrayCheck(name, "information" if information else "equal", shape, unequal, information or unequal == 0)
    gap = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    relative = "loss" in name or name == "pretrain_total"
    difference = float((gap / np.maximum(np.abs(expected), 1e-12) if relative else gap).max()) if gap.size else 0.0
    ok = bool(difference <= (RELATIVE if relative else ABSOLUTE))
    kind: Kind = "information" if information else "relative" if relative else "absolute"
    return ArrayCheck(name, kind, shape, difference, ok or information)


def check_fixture(folder: Path) -> list[ArrayCheck]:
    """Run one fixture; one verdict per array, in the fixture's order.

    Raises:
        BadInput: The folder is no fixture, or its weights do not fit its dimensions.
    """
    fixture = Fixture(folder)
    model = fixture.model()
    found: Mapping[str, Array]
    with torch.inference_mode():
        found = {name: value for group in GROUPS for name, value in group(fixture, model)}
    return [compare(name, expected, found.get(name)) for name, expected in fixture.io.items()]
