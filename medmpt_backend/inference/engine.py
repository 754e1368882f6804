"""`MedMPTEngine`: encode a study once, then ask cheaply.

Thread-safe. Every result carries `Validity`. Tasks are those that the weights record; any other raises `Unavailable`.
"""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from medmpt_backend.errors import BadInput, Unavailable
from medmpt_backend.findings import finding
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.inference.appearance import input_statistics
from medmpt_backend.inference.decoding import DecodeSettings, Generated, generate
from medmpt_backend.inference.encodings import Arrays, Encoding, EncodingCache, Floats
from medmpt_backend.inference.preprocess import ModelInput, prepare, scale
from medmpt_backend.inference.results import (
    Classification,
    Draft,
    DraftSentence,
    DrugScore,
    FindingScore,
    MedicationExplanation,
    MedicationRanking,
)
from medmpt_backend.inference.tokens import ReportTokenizer
from medmpt_backend.inference.training_domain import DomainModel, judge
from medmpt_backend.model.lab_encoder import lab_inputs
from medmpt_backend.model.precision import Precision, choose_device, choose_precision, convert
from medmpt_backend.weights.checkpoint import TOKENIZER_FILES, LoadedWeights, load_model, read_weights

if TYPE_CHECKING:
    from medmpt_backend.inference.explain import Explanation

Study = Volume | Encoding


def _unit(vectors: Tensor) -> Floats:
    """Unit vectors to float32 precision: those of a half-precision model are off by a thousandth."""
    return F.normalize(vectors.float(), dim=-1).cpu().numpy()


_SENTENCE_ENDS = ("。", "；", "！", "？", ".", ";", "!", "?")


class MedMPTEngine:
    """The weights of one folder, ready to use."""

    def __init__(self, weights: LoadedWeights, cache_dir: Path, precision: Precision, device: str, chunk: int, in_memory: int) -> None:
        self.weights, self.config, self.provenance = weights, weights.config, weights.provenance
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        self.model = convert(load_model(weights), self.precision, self.device)
        self.chunk = chunk
        self.domain = DomainModel.load(weights.folder)
        self.tokenizer = self._load_tokenizer()
        self._cache = EncodingCache(cache_dir / "encodings", in_memory)
        self._explaining = threading.Lock()
        described = f"{weights.config.model_dump_json()}|{weights.provenance.model_sha256}|{self.precision}"
        self.config_hash = hashlib.sha256(described.encode()).hexdigest()[:16]

    @classmethod
    def open(
        cls,
        weights_dir: Path,
        cache_dir: Path,
        precision: Precision = "auto",
        device: str = "auto",
        chunk: int = 8,
        in_memory: int = 32,
    ) -> "MedMPTEngine":
        """Open one weights folder.

        Args:
            weights_dir: Folder of one set of weights (`checkpoint.WeightsStore(data_dir).active(name)`).
            cache_dir: For encoded studies.
            precision: `auto` chooses by hardware.
            device: `auto`, `cpu`, `cuda`, `mps`.
            chunk: Slices encoded at a time.
            in_memory: Encoded studies kept in memory.

        Raises:
            BadInput: The folder is damaged.
        """
        return cls(read_weights(weights_dir), cache_dir, precision, device, chunk, in_memory)

    def _load_tokenizer(self) -> ReportTokenizer | None:
        text = self.config.text
        if text is None or not any((self.weights.folder / name).is_file() for name in TOKENIZER_FILES):
            return None
        return ReportTokenizer.load(self.weights.folder, text.pad, text.cls, text.sep)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks that these weights serve."""
        return self.provenance.tasks

    def serves(self, task: str) -> bool:
        """Whether a task is served."""
        return task in self.provenance.tasks

    def require(self, task: str) -> None:
        """Raise `Unavailable` for a task that the weights do not serve."""
        if not self.serves(task):
            raise Unavailable(
                f"the weights {self.provenance.name!r} do not serve {task!r}; they serve {', '.join(self.tasks)}. "
                "Install others with `medmpt weights import CHECKPOINT [--tokenizer DIR]`, choose them with `medmpt weights use NAME`"
            )

    def _tensor(self, array: NDArray[np.generic] | Tensor) -> Tensor:
        tensor = array if isinstance(array, Tensor) else torch.from_numpy(np.ascontiguousarray(array))
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float32
        return tensor.to(self.device, dtype) if tensor.is_floating_point() else tensor.to(self.device)

    def prepare(self, volume: Volume) -> ModelInput:
        """Model input of one volume."""
        vision = self.config.vision
        return prepare(volume, self.config.preprocess, vision.slices, vision.image)

    def key(self, volume: Volume) -> str:
        """Content hash of one volume under these weights."""
        digest = hashlib.sha256(self.config_hash.encode())
        digest.update(repr((volume.hu.shape, volume.spacing)).encode())
        digest.update(np.ascontiguousarray(volume.hu).data)
        return digest.hexdigest()

    @torch.inference_mode()
    def _compute(self, volumes: Sequence[Volume]) -> list[Arrays]:
        inputs = [self.prepare(v) for v in volumes]
        out = []
        image = self._tensor(scale(torch.stack([i.image for i in inputs])))
        slices, patches = self.model.see(image, self.chunk)
        scan, tokens = self.model.fuse(slices)
        for i, made in enumerate(inputs):
            found = [x[i].float().cpu().numpy() for x in (scan, slices, tokens)]
            scores = {name: p[i].float().cpu().numpy() for name, p in patches.items()}
            out.append(Arrays(found[0], found[1], found[2], np.array(made.slices, np.int64), scores, input_statistics(made.image)))
        return out

    def encode(self, volume: Volume) -> Encoding:
        """Encode one study; known studies come from the cache."""
        self.require("encode")
        key = self.key(volume)
        arrays = self._cache.get(key, lambda: self._compute([volume])[0])
        inputs = arrays.inputs or input_statistics(self.prepare(volume).image)
        validity = judge(arrays.scan, volume.series.synthetic, self.provenance, self.domain, inputs)
        index = (arrays.ranges.sum(1) - 1) // 2
        return Encoding(key, arrays.scan, arrays.slices, arrays.tokens, index, arrays.ranges, arrays.patches, self.config_hash, validity)

    def encode_many(self, volumes: Sequence[Volume], batch: int = 4) -> list[Encoding]:
        """Encode studies in batches (worth it on an accelerator); the order is kept."""
        new = [v for v in volumes if not self._cache.known(self.key(v))]
        for start in range(0, len(new), batch):
            part = new[start : start + batch]
            made = dict(zip([self.key(v) for v in part], self._compute(part), strict=True))
            for key, arrays in made.items():
                self._cache.get(key, lambda arrays=arrays: arrays)  # type: ignore[misc]
        return [self.encode(v) for v in volumes]

    def _encoded(self, study: Study) -> Encoding:
        return study if isinstance(study, Encoding) else self.encode(study)

    @torch.inference_mode()
    def classify(self, study: Study, task: str = "findings", key_slices: int = 3) -> Classification:
        """Probabilities of one head.

        Args:
            study: Volume or its encoding.
            task: Name of a head.
            key_slices: How many supporting slices to name per label; 0 saves the time.

        Raises:
            Unavailable: The weights have no such head.
        """
        self.require(task)
        if task not in self.config.heads:
            raise BadInput(f"{task!r} is no classification task; heads are {', '.join(self.config.heads) or 'none'}")
        head, encoding = self.config.heads[task], self._encoded(study)
        patches = encoding.patches.get(task)
        scored = self._tensor(patches)[None] if patches is not None else None
        logits = self.model.head_logits(task, self._tensor(encoding.scan)[None], scored)[0].float() / head.temperature
        multilabel = head.kind == "multilabel"
        probabilities = (logits.sigmoid() if multilabel else logits.softmax(-1)).tolist()
        relevance = self.slice_relevance(encoding, task) if key_slices else np.zeros((len(head.labels), 0), np.float32)
        found = []
        for i, label in enumerate(head.labels):
            name = finding(label)
            threshold = (head.thresholds[i] if head.thresholds else 0.5) if multilabel else None
            trusted = multilabel and encoding.validity.domain != "out"
            order = [j for j in np.argsort(-relevance[i])[:key_slices] if relevance[i, j] > 0]
            slices = tuple(dict.fromkeys(int(encoding.slice_index[j]) for j in order))
            decided = trusted and threshold is not None and (not head.reliable or head.reliable[i])
            present = probabilities[i] >= threshold if decided and threshold is not None else None
            side = self._side(patches[:, i]) if patches is not None and present else None
            found.append(FindingScore(label, name.en, name.zh, probabilities[i], head.calibrated, threshold, present, side, slices))
        return Classification(task, tuple(found), encoding.validity)

    def _side(self, scores: Floats) -> str | None:
        """Side of a present finding from its patch logits `(S, grid, grid)`; columns run from the patient's right to left."""
        if not self.provenance.laterality_verified:
            return None
        middle = scores.shape[-1] // 2
        right, left = float(scores[..., :middle].max()), float(scores[..., -middle:].max())
        if min(right, left) > 0:
            return "both"
        return "right" if right > left else "left"

    @torch.inference_mode()
    def slice_relevance(self, encoding: Encoding, task: str) -> Floats:
        """`(labels, S)`: strongest patch score of each slice over the study's median, or, for heads that do not score patches, how much a
        label's logit falls when one slice is replaced by the study's mean slice."""
        from medmpt_backend.inference.explain import slice_relevance

        if task in encoding.patches:
            strongest = encoding.patches[task].max((2, 3)).T
            over: Floats = strongest - np.median(strongest, 1, keepdims=True)
            return over
        return slice_relevance(self.model, self._tensor(encoding.slices), task)

    def _settings(self, settings: DecodeSettings | None, language: str | None) -> DecodeSettings:
        decode, text = self.config.decode, self.config.text
        assert text is not None
        assert self.tokenizer is not None
        prefix = tuple(self.tokenizer.ids(decode.openings.get(language or "", "")))
        if settings is not None:
            return replace(settings, prefix=prefix) if prefix else settings
        return DecodeSettings(
            method="official" if decode.search == "official" else "beam",
            beams=decode.beams,
            max_length=text.max_length,
            end=text.cls if decode.end_token == "official" else text.sep,
            length_penalty=decode.length_penalty,
            no_repeat_ngram=decode.no_repeat_ngram,
            prefix=prefix,
        )

    def draft_findings(self, study: Study, settings: DecodeSettings | None = None, language: str | None = None) -> Draft:
        """Draft the findings of a report; `settings` None decodes as the weights say, `language` is used where they know several."""
        return self.draft_many([study], settings, language)[0]

    @torch.inference_mode()
    def draft_many(self, studies: Sequence[Study], settings: DecodeSettings | None = None, language: str | None = None) -> list[Draft]:
        """Draft several reports in one batch."""
        self.require("report")
        assert self.model.text_decoder is not None
        encodings = [self._encoded(s) for s in studies]
        scores = {name: self._tensor(np.stack([e.patches[name] for e in encodings])) for name in encodings[0].patches} if encodings else {}
        evidence = self.model.evidence(self._tensor(np.stack([e.scan for e in encodings])), scores)
        memory = self.model.memory(self._tensor(np.stack([e.tokens for e in encodings])), evidence)
        texts = generate(self.model.text_decoder, memory, self._settings(settings, language))
        return [self._draft(text, encoding) for text, encoding in zip(texts, encodings, strict=True)]

    def _draft(self, text: Generated, encoding: Encoding) -> Draft:
        assert self.tokenizer is not None
        pieces = self.tokenizer.pieces(text.ids)
        cross = self._over_slices(text.cross, encoding)
        ends = [i + 1 for i, piece in enumerate(pieces) if piece in _SENTENCE_ENDS]
        bounds = [0, *ends] + ([len(pieces)] if not ends or ends[-1] < len(pieces) else [])
        sentences = []
        for a, b in pairwise(bounds):
            written = self.tokenizer.decode(text.ids[a:b])
            if not written:
                continue
            looked = cross[a:b].mean(0).argsort(descending=True)[:3].tolist()
            slices = tuple(dict.fromkeys(int(encoding.slice_index[j]) for j in looked))
            mean = float(np.mean(text.logprobs[a:b]))
            sentences.append(DraftSentence(written, mean, slices, a, tuple(pieces[a:b]), text.logprobs[a:b]))
        return Draft(tuple(sentences), cross.numpy(), self.provenance.laterality_verified, encoding.validity)

    def _over_slices(self, cross: Tensor, encoding: Encoding) -> Tensor:
        """Attention `(T, memory)` as `(T, S)`: what a finding's entry was given goes to the slices by its strongest cells there."""
        inputs = len(encoding.slice_index)
        if cross.shape[1] == inputs:
            return cross
        strongest = np.concatenate([scores.max((2, 3)).T for scores in encoding.patches.values()])
        return cross[:, :inputs] + cross[:, inputs:] @ torch.from_numpy(strongest).float().softmax(1)

    @torch.inference_mode()
    def embed_text(self, texts: Sequence[str]) -> Floats:
        """Unit vectors `(N, P)` of texts, in the space of scan embeddings."""
        self.require("embed_text")
        return _unit(self.model.project_text(self._pooled(texts)))

    def _pooled(self, texts: Sequence[str]) -> Tensor:
        assert self.tokenizer is not None
        assert self.config.text is not None
        batch = self.tokenizer.encode(texts, self.config.text.max_length)
        return self.model.encode_text(batch.ids.to(self.device), batch.mask.to(self.device))

    @torch.inference_mode()
    def embed_scan(self, study: Study) -> Floats:
        """Unit vector `(P,)` of a study, in the space of text embeddings."""
        self.require("encode")
        if any(name.startswith("vision_proj_scan.") for name in self.provenance.missing):
            raise Unavailable(f"the weights {self.provenance.name!r} have no scan projection")
        vector: Floats = _unit(self.model.project_scan(self._tensor(self._encoded(study).scan)[None]))[0]
        return vector

    def similarity(self, study: Study, texts: Sequence[str]) -> Floats:
        """Cosine of a study with each text, `(N,)`."""
        self.require("similarity")
        return self.embed_text(texts) @ self.embed_scan(study)

    @torch.inference_mode()
    def rank_medications(
        self, study: Study, report: str | None = None, labs: Mapping[str, float | None] | None = None
    ) -> MedicationRanking:
        """Probability of every drug of the vocabulary.

        Args:
            study: Volume or encoding.
            report: Report text.
            labs: Analyte of the panel to value in the panel's unit; missing or None is not measured.
        """
        self.require("medication")
        model, config = self.model, self.config
        assert model.medication is not None
        assert model.labs is not None
        assert config.labs is not None
        assert config.medication is not None
        encoding = self._encoded(study)
        values, missing = lab_inputs(config.labs, labs or {})
        official = config.labs.encoder == "official"
        used = ["ct"] + (["report"] if report else []) + (["labs"] if not missing.all() else [])
        modalities = [
            self._tensor(encoding.scan)[None],
            self._pooled([report or ""]),
            model.labs(self._tensor(values)[None], self._tensor(missing)[None])[:, 0],
        ]
        present = None if official else torch.tensor([[True, bool(report), not bool(missing.all())]], device=self.device)
        fused = model.medication.fusion(modalities, present)
        head = "patient" if any(name.startswith("medication.graph.") for name in self.provenance.missing) else "medication"
        logits = model.medication.patient_head(fused) if head == "patient" else model.medication(modalities, present)[0]
        scores = logits[0].float().sigmoid().tolist()
        ranked = sorted((DrugScore(d, s) for d, s in zip(config.medication.drugs, scores, strict=True)), key=lambda d: -d.probability)
        return MedicationRanking(tuple(ranked), head, tuple(used), encoding.validity)

    def explain_medication(
        self, study: Study, drug: str, report: str | None = None, labs: Mapping[str, float | None] | None = None
    ) -> MedicationExplanation:
        """What speaks for a drug: integrated gradients per modality and per measured laboratory value; arguments as `rank_medications`."""
        from medmpt_backend.inference.explain import lab_attributions, modality_attributions

        self.require("medication")
        model, config = self.model, self.config
        assert model.labs is not None
        assert config.labs is not None
        assert config.medication is not None
        if drug not in config.medication.drugs:
            raise BadInput(f"{drug!r} is not in the weights' drug vocabulary ({len(config.medication.drugs)} drugs)")
        if any(name.startswith("medication.graph.") for name in self.provenance.missing):
            raise Unavailable(f"the weights {self.provenance.name!r} have no drug graph to explain")
        index, encoding = config.medication.drugs.index(drug), self._encoded(study)
        values, missing = (self._tensor(x)[None] for x in lab_inputs(config.labs, labs or {}))
        with torch.no_grad():
            scan, text = self._tensor(encoding.scan)[None], self._pooled([report or ""])
            panel = model.labs(values, missing)[:, 0]
        shares = modality_attributions(model, (scan, text, panel), index)
        found = lab_attributions(model, values, missing, (scan, text), index)
        order = {test.analyte: i for i, test in enumerate(config.labs.panel)}
        measured = {a: float(found[i]) for a, i in order.items() if not bool(missing[0, i])}
        names = ("ct", "report", "labs")
        return MedicationExplanation(drug, dict(zip(names, shares.tolist(), strict=True)), measured, encoding.validity)

    def explain(self, volume: Volume, label: str, task: str = "findings", method: str = "gradient") -> "Explanation":
        """Where in the study a label comes from; see `medmpt_backend.inference.explain`."""
        from medmpt_backend.inference.explain import explain

        self.require(task)
        with self._explaining:
            return explain(self, volume, task, label, method)
