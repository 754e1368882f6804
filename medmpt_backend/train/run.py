"""One training run from folders to weights: build, train or resume, evaluate, export."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import ValidationError

from medmpt_backend.cohort.recipe import cohort_config
from medmpt_backend.errors import BadInput
from medmpt_backend.inference.appearance import described
from medmpt_backend.inference.decoding import DecodeSettings, generate
from medmpt_backend.inference.tokens import ReportTokenizer
from medmpt_backend.inference.training_domain import DomainModel
from medmpt_backend.model.config import HeadConfig, LabConfig, MedicationConfig, MedMPTConfig
from medmpt_backend.model.medication import prior_adjacency
from medmpt_backend.model.network import MedMPT
from medmpt_backend.model.precision import fast
from medmpt_backend.train.calibrate import HeadOutput, calibrate, head_outputs, probabilities
from medmpt_backend.train.data.batches import BatchSource
from medmpt_backend.train.data.shards import ShardDataset
from medmpt_backend.train.loop import Trainer, TrainOutcome, setup_distributed
from medmpt_backend.train.metrics import caption_metrics, multiclass_metrics, multilabel_metrics, recall_at
from medmpt_backend.train.settings import TrainSettings
from medmpt_backend.train.tasks import FinetuneTask, JointTask, PretrainTask, balanced_weights
from medmpt_backend.weights.checkpoint import MODEL_FILE, TOKENIZER_FILES, read_weights, save_weights, unique_tensors
from medmpt_backend.weights.safe_load import read_checkpoint

# Studies whose embeddings describe the domain of the exported weights, at most.
DOMAIN_STUDIES = 512


@dataclass(frozen=True)
class RunPlan:
    """What to train, from what, to where.

    Attributes:
        data: Data set folder.
        out: Folder of checkpoints and logs.
        settings: Optimisation.
        config: Configuration of a model that starts from random weights; None to start from `weights`.
        weights: Weights folder to start from.
        tokenizer: Folder of the tokenizer; None: that of `weights`.
        labels: Outputs of a new head named as the task; empty: the head exists or is multilabel over the data set's labels.
        kind: Kind of that head.
        labs: Laboratory part to add.
        medication: Medication part to add.
        edges: File of the drug graph's edges, made by `medmpt drugs edges`; None: co-prescription alone joins the drugs.
    """

    data: Path
    out: Path
    settings: TrainSettings
    config: MedMPTConfig | None = None
    weights: Path | None = None
    tokenizer: Path | None = None
    labels: tuple[str, ...] = ()
    kind: Literal["multilabel", "multiclass"] = "multilabel"
    labs: LabConfig | None = None
    medication: MedicationConfig | None = None
    edges: Path | None = None


def preset(name: str) -> MedMPTConfig:
    """`base`, `compact`, `cohort` (compact, with the virtual cohort's panel, drugs and heads), `tiny`, or a JSON file.

    Raises:
        BadInput: Neither.
    """
    known = {"base": MedMPTConfig.base, "compact": MedMPTConfig.compact, "cohort": cohort_config, "tiny": MedMPTConfig.tiny}
    if name in known:
        return known[name]()
    try:
        return MedMPTConfig.model_validate_json(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise BadInput(f"{name!r} is neither base, compact, cohort, tiny nor a configuration file: {str(error)[:200]}") from error


def _config(plan: RunPlan, data: ShardDataset) -> MedMPTConfig:
    if plan.config is not None:
        config = plan.config
    elif plan.weights is not None:
        config = read_weights(plan.weights).config
    else:
        raise BadInput("a run starts from a configuration or from weights; neither was given")
    task, changes = plan.settings.task, dict[str, object]()
    if task not in ("pretrain", "joint", "caption", "medication") and (plan.labels or task not in config.heads):
        labels = plan.labels or tuple(sorted({label for record in data.records for label in record.labels}))
        if not labels:
            raise BadInput(f"the head {task!r} has no outputs: name them with --labels, or label the data set")
        changes["heads"] = {**config.heads, task: HeadConfig(kind=plan.kind, labels=labels, patches=bool(data.info.mask_labels))}
    if plan.labs is not None:
        changes["labs"] = plan.labs
    if plan.medication is not None:
        changes["medication"] = plan.medication
    return MedMPTConfig.model_validate({**config.model_dump(), **changes}) if changes else config


def _tokenizer_folder(plan: RunPlan) -> Path | None:
    folder = plan.tokenizer or plan.weights
    return folder if folder is not None and any((folder / name).is_file() for name in TOKENIZER_FILES) else None


def start_from(plan: RunPlan, model: MedMPT) -> None:
    """Copy what the starting weights have; new parts stay random."""
    if plan.weights is None:
        return
    state = read_checkpoint(plan.weights / MODEL_FILE).tensors
    own = model.state_dict()
    model.load_state_dict({k: v for k, v in state.items() if k in own and own[k].shape == v.shape}, strict=False)


# Smallest probability of one drug given another that joins the two: the official graph's.
_TOGETHER = 0.3


def join_drugs(plan: RunPlan, model: MedMPT, data: ShardDataset) -> None:
    """Fill the drug graph's edges: co-prescription among the training studies, then the relations of `plan.edges`.

    Raises:
        BadInput: The file of edges is damaged, or made for other drugs or relations.
    """
    assert model.medication is not None
    assert model.config.medication is not None
    drugs, prior = model.config.medication.drugs, model.medication.graph.prior
    given = np.array([[float(d in r.drugs) for d in drugs] for r in data.records if r.drugs is not None])
    if given.size:
        together = given.T @ given
        prior[0] = torch.from_numpy(prior_adjacency(together, together.diagonal(), _TOGETHER))
    if plan.edges is None:
        return
    try:
        with np.load(plan.edges, allow_pickle=False) as archive:
            edges, names, relations = archive["edges"], tuple(archive["drugs"].tolist()), tuple(archive["relations"].tolist())
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{plan.edges.name!r} is no file of drug edges: {error}") from error
    if names != drugs or relations != model.config.medication.relations:
        raise BadInput(f"{plan.edges.name!r} was made for other drugs or relations than the configuration's")
    prior[1:] = torch.from_numpy(edges)


def _task(settings: TrainSettings, model: MedMPT, source: BatchSource) -> FinetuneTask | JointTask:
    """The task, with the weights of its cells' loss taken from the data."""
    parts: Literal["none", "all", "spots"] = "none" if not settings.crop_slices else "spots" if settings.spots else "all"
    if settings.spots and parts == "none":
        raise BadInput("the branch for spots is trained on parts of studies: give crop_slices")
    covered = source.covered() if settings.mask_balance else None
    weights = balanced_weights(covered, settings.mask_balance) if covered is not None else None
    if settings.task == "joint":
        return JointTask(model, settings.mask_weight, weights)
    return FinetuneTask(model, settings.task, settings.mask_weight, weights, parts)


def build(plan: RunPlan) -> tuple[Trainer, ShardDataset]:
    """The trainer of a plan, on this process's device.

    Raises:
        BadInput: Data, model and task do not fit.
    """
    device = setup_distributed()
    data = ShardDataset(plan.data, "train")
    config = _config(plan, data)
    folder = _tokenizer_folder(plan)
    tokenizer = ReportTokenizer.load(folder, config.text.pad, config.text.cls, config.text.sep) if folder and config.text else None
    if tokenizer is not None and config.text is not None and tokenizer.size > config.text.vocab:
        raise BadInput(f"the tokenizer has {tokenizer.size} tokens, the model {config.text.vocab}")
    source = BatchSource(data, config, plan.settings, tokenizer)
    torch.manual_seed(plan.settings.seed)
    task: PretrainTask | FinetuneTask | JointTask
    if plan.settings.task == "pretrain":
        task = PretrainTask(config)
        start_from(plan, task.model)
    else:
        model = MedMPT(config)
        start_from(plan, model)
        known = read_checkpoint(plan.weights / MODEL_FILE).tensors if plan.settings.spots and plan.weights is not None else {}
        if known and model.spots is not None and not any(name.startswith("spots.") for name in known):
            model.begin_spots()
        if plan.settings.task in ("joint", "medication") and model.medication is not None:
            join_drugs(plan, model, data)
        task = _task(plan.settings, model, source)
    return Trainer(task, source, plan.settings, plan.out, device), data


def train(plan: RunPlan, progress: Callable[[int, float], None] | None = None) -> tuple[Trainer, TrainOutcome]:
    """Run a plan, continuing it where it stopped; of a sharded run the first process alone has the model then."""
    trainer, _ = build(plan)
    trainer.resume()
    outcome = trainer.run(progress, _source(trainer, plan, "val") if plan.settings.evaluate_every else None)
    trainer.unite()
    return trainer, outcome


def _source(trainer: Trainer, plan: RunPlan, split: Literal["train", "val", "test"]) -> BatchSource | None:
    try:
        data = ShardDataset(plan.data, split)
        return BatchSource(data, trainer.source.config, trainer.settings, trainer.source.tokenizer)
    except BadInput:
        return None


@torch.inference_mode()
def evaluate(trainer: Trainer, plan: RunPlan, split: Literal["val", "test"] = "val") -> dict[str, float]:
    """Metrics of the task on a split; empty where the data set has no such split, or parts of studies were trained."""
    source = _source(trainer, plan, split)
    if source is None or trainer.settings.crop_slices:
        return {}
    model: MedMPT = trainer.task.model.eval()  # type: ignore[union-attr, assignment]
    if trainer.settings.task == "joint":
        return _joint_metrics(head_outputs(model, source, trainer.settings.batch, trainer.device))
    outputs, targets, texts = [], [], []
    for start in range(0, len(source.usable), trainer.settings.batch):
        batch = trainer._move(source.collate([(0, i) for i in source.usable[start : start + trainer.settings.batch]], augmented=False))
        if trainer.settings.task == "pretrain":  # which trains no cells
            scan, _ = model.fuse(model.encode_slices(batch.view, cells=False))
            outputs.append(model.project_scan(scan).cpu())
            targets.append(model.project_text(model.encode_text(batch.ids, batch.text_mask)).cpu())
            continue
        slices, patches = model.see(batch.view)
        scan, tokens = model.fuse(slices)
        if trainer.settings.task == "caption":
            texts += _captions(model, model.memory(tokens, model.evidence(scan, patches)), source)
        elif trainer.settings.task == "medication":
            outputs.append(_medication_scores(model, batch.labs, scan, batch.ids, batch.text_mask))
            targets.append(_present(batch.target))
        else:
            logits = model.head_logits(trainer.settings.task, scan, patches.get(trainer.settings.task)).float()
            multilabel = model.config.heads[trainer.settings.task].kind == "multilabel"
            outputs.append((logits.sigmoid() if multilabel else logits.softmax(-1)).cpu())
            targets.append(_present(batch.target))
    trainer.task.train()
    if texts:
        return caption_metrics(texts, [source.data.records[i].report or "" for i in source.usable])
    found, wanted = torch.cat(outputs).double().numpy(), torch.cat(targets).numpy()
    if trainer.settings.task == "pretrain":
        return recall_at(found @ wanted.T)
    return multilabel_metrics(found, wanted) if wanted.ndim == 2 else multiclass_metrics(found, wanted)


def _joint_metrics(outputs: dict[str, HeadOutput]) -> dict[str, float]:
    """Metrics of every head, named `head/metric`."""
    found: dict[str, float] = {}
    for task, output in outputs.items():
        target, scores = output.target.numpy(), probabilities(output)
        if target.ndim == 2:
            made = multilabel_metrics(scores, target)
        else:
            known = target >= 0
            made = multiclass_metrics(scores[known], target[known]) if known.any() else {}
        found |= {f"{task}/{name}": value for name, value in made.items()}
    return found


def _present(target: torch.Tensor | None) -> torch.Tensor:
    assert target is not None
    return target.cpu()


def _captions(model: MedMPT, memory: torch.Tensor, source: BatchSource) -> list[str]:
    assert model.text_decoder is not None
    assert source.tokenizer is not None
    text = model.text_decoder.config
    settings = DecodeSettings(end=text.sep, max_length=text.max_length)
    return [source.tokenizer.decode(g.ids) for g in generate(model.text_decoder, memory, settings)]


def _medication_scores(
    model: MedMPT, labs: tuple[torch.Tensor, torch.Tensor] | None, scan: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    assert model.labs is not None
    assert model.medication is not None
    assert labs is not None
    panel = model.labs(labs[0], labs[1])[:, 0]
    logits, _ = model.medication([scan, model.encode_text(ids, mask), panel])
    scores: torch.Tensor = logits.float().sigmoid().cpu()
    return scores


def _untrained(trainer: Trainer, plan: RunPlan) -> set[str]:
    """Tensors that neither came with the starting weights nor were trained: they are random and must not be served."""
    model: MedMPT = trainer.task.model  # type: ignore[assignment]
    known = set(read_checkpoint(plan.weights / MODEL_FILE).tensors) if plan.weights is not None else set()
    known |= {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    made = ("pos_embed", "graph.prior", "summary.mean", "summary.scale")  # from rules and data, not by gradients
    return {name for name in unique_tensors(model) if name not in known and not name.endswith(made)}


@torch.inference_mode()
def export(trainer: Trainer, plan: RunPlan, root: Path, name: str, licence: str) -> Path:
    """Write the trained model as weights `root/name`, with the domain statistics of its training studies; call it on one process."""
    model: MedMPT = trainer.task.model.eval()  # type: ignore[union-attr, assignment]
    source = trainer.source
    held_out = _source(trainer, plan, "val") if trainer.settings.task == "joint" else None
    if held_out is not None:
        model.config = calibrate(model, head_outputs(model, held_out, trainer.settings.batch, trainer.device))
    scans, seen = [], []
    described_studies = 0 if trainer.settings.crop_slices else DOMAIN_STUDIES  # parts train no scan embedding
    for start in range(0, min(len(source.usable), described_studies), trainer.settings.batch):
        chosen = [(0, i) for i in source.usable[start : start + trainer.settings.batch]]
        view = source.collate(chosen, augmented=False).view.to(trainer.device)
        with fast(trainer.device):
            scan, _ = model.fuse(model.encode_slices(view, cells=trainer.settings.task != "pretrain"))
        scans.append(scan.float().cpu().numpy())
        seen += [i for _, i in chosen]
    stacked = np.concatenate(scans) if scans else np.zeros((0, 0), np.float32)
    info = source.data.info
    return save_weights(
        root,
        model,
        name,
        licence=licence,
        trained_on=f"{len(source.usable)} {'synthetic ' if info.synthetic else ''}studies{f' ({info.source})' if info.source else ''}",
        synthetic_training=info.synthetic,
        source=f"medmpt train, task {trainer.settings.task}, {trainer.step} steps",
        tokenizer=_tokenizer_folder(plan),
        domain=DomainModel.fit(stacked, described(source.data.image(i) for i in seen)).to_bytes() if len(stacked) > 1 else None,
        missing=_untrained(trainer, plan),
        laterality_verified=not trainer.settings.flip
        and (plan.weights is None or read_weights(plan.weights).provenance.laterality_verified),
    )
