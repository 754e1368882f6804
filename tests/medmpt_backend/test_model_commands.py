"""Commands on a tiny model and the synthetic DICOM study that stands beside the checkout."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import nibabel
import numpy as np
import pytest
import typer

from medmpt_backend.ct_commands import classify, encode, explain, report
from medmpt_backend.errors import BadInput, Unavailable
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.model_commands import COMMANDS, parity
from medmpt_backend.weights.commands import weights_list, weights_remove, weights_use, weights_verify


@dataclass(frozen=True)
class _Folders:
    data_dir: Path
    cache_dir: Path
    weights: str | None = None


def _context(data: Path, cache: Path, weights: str | None = None) -> typer.Context:
    return typer.Context(click.Command("medmpt"), obj=_Folders(data, cache, weights))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    hu = np.random.default_rng(0).integers(-1000, 300, (40, 36, 12)).astype(np.int16)
    path = tmp_path / "study.nii.gz"
    nibabel.save(nibabel.Nifti1Image(hu, np.diag([8.0, 8.0, 25.0, 1.0])), path)
    return path


@pytest.fixture
def context(tiny_weights: Path, tmp_path: Path) -> typer.Context:
    return _context(tiny_weights.parents[1], tmp_path / "cache")


def test_weights_that_are_not_there_or_switched_off_are_said_so(tmp_path: Path, study: Path) -> None:
    with pytest.raises(Unavailable, match="medmpt weights import"):
        classify(_context(tmp_path, tmp_path, "mine"), study)
    with pytest.raises(Unavailable, match="switched off"):
        classify(_context(tmp_path, tmp_path, "none"), study)
    listed = weights_list(_context(tmp_path, tmp_path))
    assert all(w.shipped for w in listed.weights)


def test_encode_writes_the_contract_arrays(context: typer.Context, study: Path, tmp_path: Path) -> None:
    result = encode(context, study, tmp_path / "e.npz")
    with np.load(tmp_path / "e.npz") as arrays:
        assert (arrays["scan"].shape, arrays["slices"].shape, arrays["slice_index"].shape) == ((32,), (4, 32), (4,))
        assert (str(arrays["config_hash"]), str(arrays["weights"])) == (result.config_hash, "tiny")
    with pytest.raises(BadInput, match="cannot be written"):
        encode(context, study, tmp_path / "absent" / "e.npz")


def test_classify_and_report_say_where_they_stand(context: typer.Context, study: Path) -> None:
    result = classify(context, study)
    assert [f.id for f in result.findings] == ["lung_nodule", "emphysema", "consolidation"]
    assert result.validity.weights == "tiny"
    assert any("calibrated" in w for w in result.warnings)
    drafted = report(context, study, lang="zh")
    origins = {s.origin for section in drafted.sections for s in section.sentences}
    assert origins == {"model", "not_assessed"}
    assert any("unverified" in w for w in drafted.warnings)


def test_explain_writes_heatmaps_and_a_picture(context: typer.Context, study: Path, tmp_path: Path) -> None:
    result = explain(context, study, tmp_path / "maps", label=["emphysema"])
    assert [h.file for h in result.heatmaps] == ["findings-emphysema.npz"]
    with np.load(tmp_path / "maps/findings-emphysema.npz") as arrays:
        assert arrays["heatmaps"].shape == (4, 2, 2)
        assert arrays["heatmaps"].min() >= 0
    assert (tmp_path / "maps/findings-emphysema.png").stat().st_size > 100
    with pytest.raises(BadInput, match="no label"):
        explain(context, study, tmp_path / "maps", label=["unicorn"])


def test_weights_are_listed_used_verified_and_removed(tmp_path: Path, make_weights: Callable[..., Path], tiny_config: object) -> None:
    ctx = _context(tmp_path, tmp_path)
    for name in ("one", "two"):
        make_weights(tmp_path / "weights", tiny_config, name)
    weights_use(ctx, "two")
    mine = [w for w in weights_list(ctx).weights if not w.shipped]
    assert [(w.name, w.active, w.licence) for w in mine] == [("one", False, "test"), ("two", True, "test")]
    assert weights_verify(ctx, "two").status == "ok"
    (tmp_path / "weights/two/model.safetensors").write_bytes(b"x")
    assert weights_verify(ctx, "two").status == "error"
    weights_remove(ctx, "two")
    assert [w.name for w in weights_list(ctx).weights if not w.shipped] == ["one"]


def test_parity_of_no_fixture_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a parity fixture"):
        parity(tmp_path)
    assert {"parity", "weights import", "ct encode", "ct explain"} <= set(COMMANDS)


def test_outside_the_domain_nothing_is_said_unless_asked_for_and_then_marked(
    tmp_path: Path, study: Path, tiny_config: MedMPTConfig, make_weights: Callable[..., Path]
) -> None:
    folder = make_weights(tmp_path / "data" / "weights", tiny_config, synthetic=True, domain=True)
    outside = _context(folder.parents[1], tmp_path / "cache")
    quiet = classify(outside, study)
    assert (quiet.status, quiet.findings) == ("out_of_domain", [])
    assert all(s.origin == "not_assessed" for section in report(outside, study).sections for s in section.sentences)
    assert explain(outside, study, tmp_path / "maps").heatmaps == []
    assert not (tmp_path / "maps").exists()
    loud = classify(outside, study, anyway=True)
    assert loud.findings
    assert all(f.name.startswith("[out of domain]") and f.present is None and not f.calibrated for f in loud.findings)
    drafted = [s for section in report(outside, study, anyway=True).sections for s in section.sentences if s.origin == "model"]
    assert drafted
    assert all(s.text.startswith("[out of domain]") for s in drafted)
    assert all(h.finding.startswith("[out of domain]") for h in explain(outside, study, tmp_path / "maps", anyway=True).heatmaps)
