"""The cohort as training shards: studies generated in parallel by pinned processes, written in the order of their index.

Beside the data set of `train.shards` the folder holds `truth.jsonl` (one object per study: patient, scan, truth, both reports) and
`histograms.npz` (`ids`; `volume` and `lungs`: voxels per bin of `BINS` HU bins), the input of the histogram baseline.
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.cohort.studies import CohortStudy, Shape, generate, generate_followup, reports_of
from medmpt_backend.cohort.truth import MASK_LABELS, Truth
from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.inference.preprocess import prepare
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.train.data.shards import DatasetInfo, ShardWriter, StudyRecord

# Pixels of the model's input per mask cell.
MASK_STRIDE = 8
BINS, LOWEST, HIGHEST = 64, -1024, 1500
SOURCE = "medmpt cohort generate: virtual patients, not real ones"


_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Task:
    """One study to generate, and for which model; with `months` the follow-up of that study."""

    seed: int
    index: int
    config: MedMPTConfig
    shape: Shape | None = None
    months: int | None = None


@dataclass(frozen=True, eq=False)
class Made:
    """One study ready to be written.

    Attributes:
        record: Line of the index.
        image: `(S, C, image, image)` uint8.
        mask: `(S, L, image / 8, image / 8)` uint8.
        histograms: `(2, BINS)` uint32: whole volume, lungs.
        truth: Line of `truth.jsonl`.
    """

    record: StudyRecord
    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    histograms: NDArray[np.uint32]
    truth: str


def make(task: Task) -> Made:
    """Generate and prepare one study."""
    if task.months is None:
        made = generate(task.seed, task.index, task.shape)
    else:
        made = generate_followup(task.seed, task.index, task.months, task.shape)
    study, vision = made.study, task.config.vision
    volume = Volume(study.hu, study.spacing, SeriesInfo(uid_hash=made.id, synthetic=True))
    ready = prepare(volume, task.config.preprocess, vision.slices, vision.image)
    masks = label_masks(made, ready.slices, vision.image // MASK_STRIDE)
    both = np.stack([histogram(study.hu), histogram(study.hu[study.lobes > 0])])
    return Made(record_of(made), ready.image.numpy(), masks, both, json.dumps(describe(made), ensure_ascii=False))


def record_of(made: CohortStudy) -> StudyRecord:
    """Line of the index."""
    return StudyRecord(
        id=made.id,
        split=made.split,
        report=made.reports[made.language],
        wordings=worded(made.id, made.patient.disease, made.truth, made.reports, made.language),
        labels=made.truth.labels,
        classes=made.truth.classes,
        labs=made.patient.labs,
        drugs=made.patient.prescription.drugs,
    )


# Reports of a study in other words, in each language.
WORDINGS = 3


def worded(name: str, disease: str, truth: Truth, reports: dict[str, str], language: str) -> tuple[str, ...]:
    """The report in the other language, and both written `WORDINGS` times more by other radiologists; none twice."""
    others = [reports_of(name, disease, truth, again) for again in range(1, WORDINGS + 1)]
    texts = [text for written in (reports, *others) for text in written.values()]
    return tuple(text for text in dict.fromkeys(texts) if text != reports[language])


def describe(made: CohortStudy) -> dict[str, Any]:
    """Everything that is known about a study, as JSON data."""
    return {
        "id": made.id,
        "split": made.split,
        "disease": made.patient.disease,
        "severity": made.patient.severity,
        "language": made.language,
        "reports": made.reports,
        "patient": asdict(made.patient),
        "scan": asdict(made.scan),
        "truth": made.truth.model_dump(mode="json"),
    }


def label_masks(made: CohortStudy, slices: tuple[tuple[int, int], ...], grid: int) -> NDArray[np.uint8]:
    """`(S, L, grid, grid)` share 0..255 of each cell that a label's findings cover; a touched cell is at least 1.

    Args:
        made: The study.
        slices: Per model input the range of slices it stands for, 0 = head.
        grid: Cells along a side.
    """
    out = np.zeros((len(slices), len(MASK_LABELS), grid, grid), np.uint8)
    _, height, width = made.study.hu.shape
    rows, columns = _areas(height, grid), _areas(width, grid)
    for channel, label in enumerate(MASK_LABELS):
        masks = [p.mask for p, f in zip(made.study.truth, made.truth.findings, strict=True) if label in f.labels]
        if not masks:
            continue
        covered = np.any(masks, axis=0)
        filled = np.flatnonzero(covered.any((1, 2)))
        cells = np.zeros((len(covered), grid, grid), np.float32)
        cells[filled] = rows @ covered[filled].astype(np.float32) @ columns.T
        for s, (first, last) in enumerate(slices):
            share = cells[first:last].mean(0)
            out[s, channel] = np.where(share > 1e-6, np.clip(np.rint(share * 255), 1, 255), 0)
    return out


def _areas(pixels: int, cells: int) -> NDArray[np.float32]:
    """`(cells, pixels)` share of each cell that each pixel makes up; rows sum to 1."""
    edges = np.linspace(0, pixels, cells + 1)
    low, high = np.maximum(edges[:-1, None], np.arange(pixels)), np.minimum(edges[1:, None], np.arange(pixels) + 1)
    areas: NDArray[np.float64] = np.clip(high - low, 0, None) * cells / pixels
    return areas.astype(np.float32)


def histogram(hu: NDArray[np.int16]) -> NDArray[np.uint32]:
    """`(BINS,)` voxels per bin of equal width from `LOWEST` to `HIGHEST` HU; values outside count in the end bins."""
    bins = np.clip((hu.astype(np.int32) - LOWEST) * BINS // (HIGHEST - LOWEST), 0, BINS - 1)
    return np.bincount(bins.ravel(), minlength=BINS).astype(np.uint32)


def pin(cores: "multiprocessing.Queue[int]") -> None:
    """Start of a worker: one core, one thread."""
    import torch

    torch.set_num_threads(1)
    core = cores.get()
    if core >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def run(make_one: Callable[[_Task], _Result], tasks: Sequence[_Task], workers: int) -> Iterator[_Result]:
    """Results in the order of the tasks, made in `workers` processes with one core each."""
    if workers <= 1:
        yield from map(make_one, tasks)
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("spawn")
    cores: multiprocessing.Queue[int] = context.Queue()
    free = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [-1]
    for worker in range(workers):
        cores.put(free[worker % len(free)])
    with context.Pool(workers, pin, (cores,)) as pool:
        yield from pool.imap(make_one, tasks)


def write(tasks: list[Task], out: Path, workers: int, progress: Callable[[str], None]) -> int:
    """Generate studies into a new data set folder.

    Args:
        tasks: What to generate; all for the same configuration.
        out: New folder.
        workers: Processes.
        progress: Told the id of each study that was written.

    Returns:
        Number of studies.

    Raises:
        BadInput: The folder already holds a data set.
    """
    config = tasks[0].config
    info = DatasetInfo(
        preprocess=config.preprocess,
        slices=config.vision.slices,
        image=config.vision.image,
        synthetic=True,
        source=SOURCE,
        mask_labels=MASK_LABELS,
    )
    import torch

    ids, counts = [], []
    with ShardWriter(out, info) as writer, (out / "truth.jsonl").open("w", encoding="utf-8") as truths:
        for made in run(make, tasks, workers):
            writer.add(made.record, torch.from_numpy(made.image), torch.from_numpy(made.mask))
            truths.write(made.truth + "\n")
            ids.append(made.record.id)
            counts.append(made.histograms)
            progress(made.record.id)
        both = np.stack(counts)
        np.savez_compressed(out / "histograms.npz", ids=np.array(ids), volume=both[:, 0], lungs=both[:, 1])
    return len(ids)


def rewrite_reports(folder: Path) -> int:
    """Write the reports of a finished data set anew from its truth, with the phrases of this version; images stay.

    Returns:
        Number of studies.

    Raises:
        BadInput: The folder has no truth, or it belongs to other studies.
    """
    try:
        truths = [json.loads(line) for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
        records = [StudyRecord.model_validate_json(line) for line in (folder / "index.jsonl").read_text(encoding="utf-8").splitlines()]
        known = [(t["id"], t["patient"]["disease"], Truth.model_validate(t["truth"])) for t in truths]
        made = [reports_of(*study) for study in known]
        again = [worded(*study, reports, t["language"]) for study, reports, t in zip(known, made, truths, strict=True)]
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"{folder.name!r} has no truth to write reports from: {str(error)[:200]}") from error
    if [t["id"] for t in truths] != [r.id for r in records]:
        raise BadInput(f"truth.jsonl of {folder.name!r} does not list the studies of its index in the same order")
    chosen = [reports[t["language"]] for t, reports in zip(truths, made, strict=True)]
    lines = [
        r.model_copy(update={"report": text, "wordings": others}).model_dump_json()
        for r, text, others in zip(records, chosen, again, strict=True)
    ]
    told = [json.dumps({**t, "reports": reports}, ensure_ascii=False) for t, reports in zip(truths, made, strict=True)]
    _replace(folder / "truth.jsonl", told)
    _replace(folder / "index.jsonl", lines)
    return len(records)


def _replace(path: Path, lines: list[str]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    partial.replace(path)
