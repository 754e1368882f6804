"""`MedMPTConfig`: every dimension and every named option of a set of weights. It travels with them.

Options whose value may be `official` reproduce the released model (Ma et al., Nat Biomed Eng 2025, doi 10.1038/s41551-025-01544-z) to the
last bit that floating point allows; the other value is this project's default. Why each differs:

* `preprocess.sampling`: `official` takes one slice in every n//32 and deletes the surplus from the end; `slab` cuts even slabs and lets
  each input stand for all its slices, because single slices skip small nodules.
* `labs.encoder`: `official` is LayerNorm(value x embedding), which erases the magnitude; `magnitude` adds Fourier features of the value to
  the test's identity.
* `medication.drug_graph`: `official` adds one graph vector that is the same for every patient, a bias per drug; `patient` lets the
  patient's state attend over the drug nodes.
* `decode.search`: `official` never re-orders its histories and forgets CLS; `beam` is a textbook beam search.
* `decode.end_token`: `official` is 101, never a training target, so that every search runs to its limit; `sep` is 102.
* `preprocess.resize`: `official` is bilinear without antialiasing, so what an input holds depends on the pixel size; `antialias` averages
  what it drops.
* `vision.stem`: `official` is one 16x16 convolution, which learns slowly from few studies; `convolutional` is a stack of strided 3x3 ones;
  `residual` is deeper and hides masked patches from its overlapping convolutions.
* `vision.local_width`: 0 is official; otherwise cells of half a patch of each slice, with their neighbours in the slices above and below,
  feed the heads that score patches, and the strongest of them add to the slice's embedding: a nodule is lost in a whole patch.
* `heads.*.spots`: empty is official; otherwise a second stem and local branch learn these small dense findings of a head
  alone: in a shared one the thousand times as many cells of large findings drown them.
* `text.memory`: `official` lets the report decoder see the scan tokens; `evidence` adds one token per finding of the heads that score
  patches (strongest cell and share of each zone, logit of the head), so that few studies suffice and the draft follows the findings.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Width and level in HU of the three input windows, in channel order: released MedMPT preprocessing.
OFFICIAL_WINDOWS: tuple[tuple[float, float], ...] = ((1500.0, -400.0), (2000.0, -500.0), (400.0, 60.0))


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PreprocessConfig(_Frozen):
    """Volume to model input.

    Attributes:
        windows: `(width, level)` in HU, one channel each.
        sampling: How `slices` inputs are chosen from a series.
        slab: What one input holds with `sampling="slab"`; `mean_max` doubles the channels, and so does `halves`: the means of the slab's
            lower and upper half.
        resize: Whether shrinking averages what it drops.
        resample_mm: Official optional z resampling; None is off (the official default).
    """

    windows: tuple[tuple[float, float], ...] = OFFICIAL_WINDOWS
    sampling: Literal["official", "slab"] = "slab"
    slab: Literal["mean", "max", "mean_max", "halves"] = "mean"
    resize: Literal["official", "antialias"] = "official"
    resample_mm: float | None = None

    @property
    def channels(self) -> int:
        """Number of image channels."""
        double = self.sampling == "slab" and self.slab in ("mean_max", "halves")
        return len(self.windows) * (2 if double else 1)


class VisionConfig(_Frozen):
    """Slice encoder (ViT), its masked-image decoder and the slice fusion."""

    image: int = 224
    patch: int = 16
    slices: int = 32
    width: int = 768
    depth: int = 12
    heads: int = 12
    mlp_ratio: float = 4.0
    stem: Literal["official", "convolutional", "residual"] = "official"
    stem_width: int = 0
    local_width: int = 0
    decoder_width: int = 512
    decoder_depth: int = 4
    decoder_heads: int = 8
    mask_ratio: float = 0.2
    fusion_layers: int = 2
    fusion_heads: int = 8
    fusion_ff: int = 3072
    fusion_positions: int = 512

    @property
    def grid(self) -> int:
        """Patches along one side."""
        return self.image // self.patch

    @property
    def cell_width(self) -> int:
        """Channels of the residual stem at half patches; `stem_width`, by default half of the width."""
        return self.stem_width or self.width // 2

    @property
    def patches(self) -> int:
        """Patches of one slice."""
        return self.grid**2

    @property
    def cells(self) -> int:
        """Scored cells along one side: patches, or half patches with a local branch."""
        return 2 * self.grid if self.local_width else self.grid


class TextConfig(_Frozen):
    """BERT encoder and report decoder; `decoder_layers` of 0 leaves the decoder out, `memory` is what the decoder looks at."""

    vocab: int = 21128
    width: int = 768
    layers: int = 6
    decoder_layers: int = 6
    heads: int = 12
    ff: int = 3072
    positions: int = 512
    types: int = 2
    pad: int = 0
    unk: int = 100
    cls: int = 101
    sep: int = 102
    max_length: int = 120
    memory: Literal["official", "evidence"] = "official"


class LabTest(_Frozen):
    """One input of the laboratory encoder: normalised value = (value - low) / (high - low).

    Attributes:
        analyte: Name as `tools.case.record` writes it.
        loinc: LOINC code, None where not sure.
        unit: UCUM unit that low, high and the value are in.
        low: Lower end of the normalisation interval.
        high: Upper end.
    """

    analyte: str
    unit: str
    low: float
    high: float
    loinc: str | None = None


class LabConfig(_Frozen):
    """Laboratory encoder. `tests` is the number of inputs; `panel` names them where it is known."""

    tests: int = 100
    width: int = 256
    layers: int = 4
    heads: int = 8
    ff: int = 2048
    encoder: Literal["official", "magnitude"] = "magnitude"
    panel: tuple[LabTest, ...] = ()

    @model_validator(mode="after")
    def _panel_fits(self) -> Self:
        if self.panel and len(self.panel) != self.tests:
            raise ValueError(f"panel has {len(self.panel)} tests, tests is {self.tests}")
        return self


class MedicationConfig(_Frozen):
    """Patient fusion, drug graph and medication heads; `drugs` is the vocabulary in output order."""

    drugs: tuple[str, ...] = ()
    fusion_width: int = 256
    fusion_layers: int = 2
    fusion_heads: int = 4
    fusion_ff: int = 1024
    node_width: int = 768
    graph_width: int = 256
    graph_heads: tuple[int, ...] = (8, 1)
    threshold: float = 0.5
    relations: tuple[str, ...] = ()
    drug_graph: Literal["official", "patient"] = "patient"


class HeadConfig(_Frozen):
    """One head on the scan embedding.

    Attributes:
        kind: `multilabel` (sigmoid per label) or `multiclass` (softmax).
        labels: Output names in order; finding ids for the `findings` head.
        hidden: True for Linear-ReLU-Linear, False for one Linear (linear probe).
        thresholds: Per label decision threshold; empty means 0.5.
        reliable: Per label whether validation showed that it can be told apart; without, a label gets a score and no decision. Empty: all.
        calibrated: Whether the probabilities were calibrated on held-out data.
        temperature: What logits are divided by before they become probabilities.
        patches: Each patch of each slice gets a score as well (trained on lesion masks); the strongest add to the study's logit and say
            where and on which side. Not official.
        spots: Labels whose cells a branch of their own scores; needs `patches` and a local branch.
        evidence: With a local branch: whether only a label's own cells speak for it, or those of all labels.
    """

    kind: Literal["multilabel", "multiclass"]
    labels: tuple[str, ...]
    hidden: bool = True
    thresholds: tuple[float, ...] = ()
    reliable: tuple[bool, ...] = ()
    calibrated: bool = False
    temperature: float = Field(default=1.0, gt=0)
    patches: bool = False
    spots: tuple[str, ...] = ()
    evidence: Literal["own", "all"] = "own"


class DecodeConfig(_Frozen):
    """How reports are decoded by default.

    `openings` holds, per language (`en`, `zh`), the words that the training reports of that language begin with; a draft in that language
    is made to begin with them. Empty where the weights know one language only.
    """

    search: Literal["official", "beam"] = "beam"
    end_token: Literal["official", "sep"] = "sep"
    beams: int = 2
    length_penalty: float = 0.6
    no_repeat_ngram: int = 4
    openings: dict[str, str] = Field(default_factory=dict)


class PretrainConfig(_Frozen):
    """Contrastive pretraining: queues, momentum and start temperature."""

    queue_slice: int = 65536
    queue_scan: int = 2048
    momentum: float = 0.996
    temperature: float = 0.07


class MedMPTConfig(_Frozen):
    """All of it."""

    preprocess: PreprocessConfig = PreprocessConfig()
    vision: VisionConfig = VisionConfig()
    text: TextConfig | None = TextConfig()
    labs: LabConfig | None = None
    medication: MedicationConfig | None = None
    heads: dict[str, HeadConfig] = Field(default_factory=dict)
    decode: DecodeConfig = DecodeConfig()
    pretrain: PretrainConfig = PretrainConfig()
    projection: int = 768
    dropout: float = 0.1

    @model_validator(mode="after")
    def _fits(self) -> Self:
        v, t = self.vision, self.text
        if v.image % v.patch:
            raise ValueError(f"image {v.image} is not a multiple of patch {v.patch}")
        if v.local_width and v.stem != "residual":
            raise ValueError(f"a local branch needs the residual stem, not {v.stem}")
        for task, head in self.heads.items():
            if set(head.spots) - set(head.labels) or (head.spots and not (head.patches and v.local_width)):
                raise ValueError(f"spots of {task!r} must be labels of it, with patches and a local branch")
        splits = [("vision", v.width, v.heads), ("fusion", v.width, v.fusion_heads)] + ([("text", t.width, t.heads)] if t else [])
        for name, width, heads in splits:
            if width % heads:
                raise ValueError(f"{name} width {width} is not a multiple of its {heads} heads")
        if v.slices >= v.fusion_positions:
            raise ValueError(f"{v.slices} slices need more than {v.fusion_positions} fusion positions")
        return self

    # fmt: off
    @classmethod
    def base(cls) -> Self:
        """The official sizes and the official behaviour, with placeholder names for the 55 drugs."""
        return cls(
            preprocess=PreprocessConfig(sampling="official"), decode=DecodeConfig(search="official", end_token="official"),
            labs=LabConfig(encoder="official"),
            medication=MedicationConfig(drugs=tuple(f"drug_{i}" for i in range(55)), drug_graph="official"),
        )

    @classmethod
    def compact(cls, heads: dict[str, HeadConfig] | None = None) -> Self:
        """Our own small model: trains in hours on two cores."""
        return cls(
            preprocess=PreprocessConfig(sampling="slab", slab="halves", resize="antialias"),
            vision=VisionConfig(
                image=160, slices=24, width=192, depth=3, heads=6, stem="residual", stem_width=128, local_width=96,
                decoder_width=96, decoder_depth=1, decoder_heads=4, fusion_heads=6, fusion_ff=768, fusion_positions=64,
            ),
            text=TextConfig(vocab=2048, width=192, layers=2, decoder_layers=3, heads=6, ff=768, positions=256, memory="evidence"),
            labs=LabConfig(tests=100, width=96, layers=2, heads=4, ff=256),
            medication=MedicationConfig(fusion_width=96, fusion_ff=256, node_width=64, graph_width=64, graph_heads=(4, 1)),
            heads=heads or {}, pretrain=PretrainConfig(queue_slice=8192, queue_scan=1024, momentum=0.99), projection=128,
        )

    @classmethod
    def tiny(cls, *, official: bool = False, **changes: object) -> Self:
        """A model for tests: runs in milliseconds; `changes` replace whole parts."""
        base = cls(
            preprocess=PreprocessConfig(sampling="official" if official else "slab"),
            vision=VisionConfig(
                image=32, patch=16, slices=4, width=32, depth=2, heads=4, decoder_width=16, decoder_depth=1, decoder_heads=2,
                stem="official" if official else "convolutional", fusion_heads=4, fusion_ff=64, fusion_positions=16,
            ),
            text=TextConfig(vocab=160, width=32, layers=2, decoder_layers=2, heads=4, ff=64, positions=48, max_length=24),
            labs=LabConfig(tests=6, width=16, layers=1, heads=2, ff=32, encoder="official" if official else "magnitude"),
            medication=MedicationConfig(
                drugs=("a", "b", "c", "d", "e"), fusion_width=16, fusion_heads=2, fusion_ff=32, node_width=12, graph_width=8,
                graph_heads=(2, 1), drug_graph="official" if official else "patient",
            ),
            heads={
                "findings": HeadConfig(kind="multilabel", labels=("lung_nodule", "emphysema", "consolidation")),
                "severity": HeadConfig(kind="multiclass", labels=("CT-0", "CT-1", "CT-2", "CT-3")),
            },
            decode=DecodeConfig(search="official", end_token="official") if official else DecodeConfig(),
            pretrain=PretrainConfig(queue_slice=24, queue_scan=10), projection=32, dropout=0.0,
        )
        return cls.model_validate({**base.model_dump(), **changes})
    # fmt: on
