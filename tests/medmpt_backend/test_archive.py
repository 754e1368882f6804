"""Archives: resumable, bad studies named, the same on a Ray cluster of two nodes."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.inference.archive import ArchivePlan, encode_archive, find_studies
from medmpt_backend.inference.engine import MedMPTEngine

parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `ray` (with pyarrow) is not installed")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    root = tmp_path / "archive"
    (root / "a").mkdir(parents=True)
    for i in range(4):
        hu = np.random.default_rng(i).integers(-1000, 300, (40, 36, 12)).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(hu, np.diag([8.0, 8.0, 25.0, 1.0])), root / "a" / f"{i}.nii.gz")
    (root / "notes").mkdir()
    (root / "notes/readme.txt").write_text("no study", encoding="utf-8")
    return root


def _plan(archive: Path, weights: Path, tmp_path: Path) -> ArchivePlan:
    return ArchivePlan(archive, tmp_path / "out.parquet", weights, tmp_path / "cache", part=2)


def test_studies_are_encoded_and_bad_ones_named(archive: Path, tiny_weights: Path, tmp_path: Path) -> None:
    assert find_studies(archive) == ["a/0.nii.gz", "a/1.nii.gz", "a/2.nii.gz", "a/3.nii.gz", "notes"]
    result = encode_archive(_plan(archive, tiny_weights, tmp_path))
    assert (result.encoded, result.skipped, [study for study, _ in result.bad]) == (4, 0, ["notes"])
    table = parquet.read_table(tmp_path / "out.parquet").to_pydict()
    engine = MedMPTEngine.open(tiny_weights, tmp_path / "other")
    found = engine.encode(load_volume(archive / "a/2.nii.gz"))
    assert np.allclose(table["scan"][2], found.scan, atol=1e-6)
    assert np.allclose(np.reshape(table["slices"][2], (4, 32)), found.slices, atol=1e-6)
    assert set(table["config_hash"]) == {found.config_hash}
    assert not (tmp_path / "out.parquet.parts").exists()


def test_an_interrupted_run_continues(archive: Path, tiny_weights: Path, tmp_path: Path) -> None:
    plan, seen = _plan(archive, tiny_weights, tmp_path), list[str]()

    def stop(study: str) -> None:
        seen.append(study)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_archive(plan, progress=stop)
    assert not plan.out.exists()
    again = list[str]()
    result = encode_archive(plan, progress=again.append)
    assert (result.encoded, result.skipped) == (4, 3)
    assert set(again) == {"a/3.nii.gz", "notes"}


def test_an_empty_folder_is_refused(tmp_path: Path, tiny_weights: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no file"):
        encode_archive(_plan(tmp_path / "empty", tiny_weights, tmp_path))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_of_two_nodes_gives_the_same_rows(archive: Path, tiny_weights: Path, tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
    from ray.cluster_utils import Cluster

    encode_archive(_plan(archive, tiny_weights, tmp_path))
    alone = parquet.read_table(tmp_path / "out.parquet")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        plan = ArchivePlan(archive, tmp_path / "ray.parquet", tiny_weights, tmp_path / "ray-cache", part=2)
        result = encode_archive(plan, cluster.address, actors=2)
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert (result.encoded, [study for study, _ in result.bad]) == (4, ["notes"])
    together = parquet.read_table(tmp_path / "ray.parquet")
    assert together["study"].to_pylist() == alone["study"].to_pylist()
    assert np.allclose(together["scan"].to_pylist(), alone["scan"].to_pylist(), atol=1e-5)
