"""Encode a whole archive of studies into one Parquet file: on one machine, or on a Ray cluster whose actors each hold an engine.

Resumable: rows are written in parts beside the output as they come, and a study that stands in a part is not encoded again. A study that
cannot be read is listed with its reason and stops nothing.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from medmpt_backend.errors import BackendError, BadInput, Unavailable
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.inference.engine import MedMPTEngine
from medmpt_backend.model.precision import Precision

if TYPE_CHECKING:
    import pyarrow

Row = dict[str, Any]
_INSTALL = "install them with `pip install 'medmpt-assistant[ray]'`"


@dataclass(frozen=True)
class ArchiveResult:
    """Studies in the file, studies that an earlier run had done, and `(study, reason)` of those left out."""

    encoded: int
    skipped: int
    bad: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ArchivePlan:
    """What an archive run needs on every machine.

    Attributes:
        source: Folder with studies at any depth: folders of DICOM files, zips, NIfTI files.
        out: Parquet file.
        weights: Weights folder, at the same place on every node.
        cache: Cache folder of the node.
        precision: As `MedMPTEngine.open`.
        part: Rows per part file.
    """

    source: Path
    out: Path
    weights: Path
    cache: Path
    precision: Precision = "auto"
    part: int = 64


def find_studies(source: Path) -> list[str]:
    """Studies below a folder, as paths relative to it: every zip and NIfTI file, and every folder that directly holds other files.

    Raises:
        BadInput: There are none.
    """
    if not source.is_dir():
        raise BadInput(f"{source.name!r} is no folder")
    found: set[Path] = set()
    for file in source.rglob("*"):
        if not file.is_file() or file.is_symlink() or file.name.startswith("."):
            continue
        single = file.name.lower().endswith((".zip", ".nii", ".nii.gz"))
        found.add(file if single else file.parent)
    studies = sorted(p.relative_to(source).as_posix() for p in found)
    if not studies:
        raise BadInput(f"{source.name!r} holds no file; give a folder of DICOM folders, zips or NIfTI files")
    return studies


def encode_row(engine: MedMPTEngine, source: Path, study: str) -> Row:
    """One study's row: embeddings as float32 bytes, or the reason why there are none."""
    try:
        found = engine.encode(load_volume(source / study))
    except BackendError as error:
        return {"study": study, "reason": str(error), "scan": b"", "slices": b"", "domain": "", "distance": np.nan, "config_hash": ""}
    distance = np.nan if found.validity.distance is None else found.validity.distance
    return {
        "study": study,
        "reason": "",
        "scan": found.scan.tobytes(),
        "slices": found.slices.tobytes(),
        "domain": found.validity.domain,
        "distance": distance,
        "config_hash": found.config_hash,
    }


class _Encoder:
    """A Ray Data actor: opens its engine once."""

    def __init__(self, plan: ArchivePlan) -> None:
        self.plan = plan
        self.engine = MedMPTEngine.open(plan.weights, plan.cache, plan.precision)

    def __call__(self, row: Row) -> Row:
        return encode_row(self.engine, self.plan.source, str(row["study"]))


def _local(plan: ArchivePlan, studies: Sequence[str]) -> Iterator[Row]:
    engine = MedMPTEngine.open(plan.weights, plan.cache, plan.precision)
    for study in studies:
        yield encode_row(engine, plan.source, study)


def _on_ray(plan: ArchivePlan, studies: Sequence[str], address: str, actors: int) -> Iterator[Row]:
    """Rows in the order they finish."""
    try:
        import ray
    except ImportError as error:
        raise Unavailable(f"Ray is not installed; {_INSTALL}") from error
    if not ray.is_initialized():
        ray.init(address=None if address == "local" else address, log_to_driver=False, include_dashboard=False)
    rows = ray.data.from_items([{"study": s} for s in studies], override_num_blocks=min(len(studies), 4 * actors))
    yield from rows.map(cast(Any, _Encoder), fn_constructor_args=(plan,), compute=ray.data.ActorPoolStrategy(size=actors)).iter_rows()


def _table(rows: Sequence[Row]) -> "pyarrow.Table":
    import pyarrow as pa

    scans = [np.frombuffer(r["scan"], np.float32) for r in rows]
    slices = [np.frombuffer(r["slices"], np.float32) for r in rows]
    return pa.table(
        {
            "study": pa.array([str(r["study"]) for r in rows], pa.string()),
            "scan": pa.array([s.tolist() for s in scans], pa.list_(pa.float32())),
            "slices": pa.array([s.tolist() for s in slices], pa.list_(pa.float32())),
            "domain": pa.array([str(r["domain"]) for r in rows], pa.string()),
            "distance": pa.array([None if np.isnan(r["distance"]) else float(r["distance"]) for r in rows], pa.float64()),
            "config_hash": pa.array([str(r["config_hash"]) for r in rows], pa.string()),
        }
    )


class _Parts:
    """The unfinished output: `OUT.parts/part-00000.parquet`, …"""

    def __init__(self, out: Path, config_hash: str) -> None:
        self.folder = out.with_name(out.name + ".parts")
        self.folder.mkdir(parents=True, exist_ok=True)
        note = self.folder / "run.json"
        if note.is_file() and json.loads(note.read_text(encoding="utf-8"))["config_hash"] != config_hash:
            raise BadInput(f"{self.folder.name!r} was begun with other weights; remove it or choose another --out")
        note.write_text(json.dumps({"config_hash": config_hash}), encoding="utf-8")

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("part-*.parquet"))

    def done(self) -> set[str]:
        import pyarrow.parquet as pq

        return {study for file in self.files() for study in pq.read_table(file, columns=["study"])["study"].to_pylist()}

    def write(self, rows: Sequence[Row]) -> None:
        import pyarrow.parquet as pq

        if rows:
            path = self.folder / f"part-{len(self.files()):05d}.parquet"
            pq.write_table(_table(rows), path.with_suffix(".tmp"))
            path.with_suffix(".tmp").replace(path)

    def finish(self, out: Path) -> int:
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables = [pq.read_table(file) for file in self.files()]
        whole = pa.concat_tables(tables) if tables else _table([])
        temporary = out.with_name(f".{out.name}.tmp")
        pq.write_table(whole.sort_by("study"), temporary)
        temporary.replace(out)
        shutil.rmtree(self.folder)
        return int(whole.num_rows)


def encode_archive(
    plan: ArchivePlan, ray_address: str | None = None, actors: int = 1, progress: Callable[[str], None] | None = None
) -> ArchiveResult:
    """Encode every study below `plan.source` into `plan.out`.

    Args:
        plan: What and where.
        ray_address: Address of a Ray cluster, `auto`, or `local` for a new one on this machine; None: no Ray.
        actors: Engines on the cluster.
        progress: Told each finished study.

    Raises:
        BadInput: No studies, or an unfinished run of other weights stands in the way.
        Unavailable: The extra `ray` (which brings Parquet) is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise Unavailable(f"Parquet files need pyarrow; {_INSTALL}") from error
    studies = find_studies(plan.source)
    parts = _Parts(plan.out, MedMPTEngine.open(plan.weights, plan.cache, plan.precision).config_hash)
    done = parts.done()
    left = [s for s in studies if s not in done]
    stream = _local(plan, left) if ray_address is None else _on_ray(plan, left, ray_address, actors)
    bad: list[tuple[str, str]] = []
    waiting: list[Row] = []
    try:
        for row in stream if left else ():
            if row["reason"]:
                bad.append((str(row["study"]), str(row["reason"])))
            else:
                waiting.append(row)
            if progress is not None:
                progress(str(row["study"]))
            if len(waiting) >= plan.part:
                parts.write(waiting)
                waiting = []
    finally:
        parts.write(waiting)  # an interrupted run keeps what it has
    return ArchiveResult(parts.finish(plan.out), len(done), tuple(sorted(bad)))
