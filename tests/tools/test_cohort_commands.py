"""`cohort generate` and `cohort reports`."""

import json
from pathlib import Path

import pytest

from medmpt_backend.cohort.patients.panel import PANEL
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.train.data.shards import ShardDataset
from tools.case.files import load_case
from tools.case.virtual.cohort_commands import cohort_generate, cohort_reports
from tools.deps import Deps
from tools.errors import BadInput
from tools.labs.interpret import interpret_labs


def test_dicom_cases_open_as_cases_without_the_answers(tmp_path: Path) -> None:
    done = cohort_generate(
        tmp_path / "c", n=1, seed=4, first=2, form="dicom", workers=1, shape="24,64,64", disease="lung_cancer_early", followup=6
    )
    assert done.written == 2
    folder = tmp_path / "c" / "4-000002"
    loaded = load_case(folder)
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["studies"]
    case = loaded.case
    assert case.synthetic
    assert set(loaded.studies) == {"ct-1", "ct-2"}
    assert [s.prior for s in case.studies] == [True, False]
    assert [s.date for s in case.studies] == ["2024-09-01", "2025-03-01"]
    assert case.studies[1].report is None
    assert case.medications == ()
    known = {k: v for k, v in truth[1]["patient"]["labs"].items() if v is not None}
    assert len(case.labs) == len(known) <= len(PANEL)
    volume = load_volume(loaded.studies["ct-2"])
    assert volume.hu.shape == (24, 64, 64)
    assert volume.series.synthetic
    assert volume.spacing == pytest.approx(tuple(truth[1]["scan"]["spacing"]), abs=1e-3)
    assert truth[1]["truth"]["prior"]["study"] == truth[0]["id"]
    assert "lung_cancer" not in (folder / "case.json").read_text(encoding="utf-8")


def test_laboratory_values_are_understood(tmp_path: Path) -> None:
    cohort_generate(tmp_path / "c", n=1, seed=4, form="dicom", workers=1, shape="24,64,64", disease="cap_lobar")
    case = load_case(tmp_path / "c" / "4-000000").case
    result = interpret_labs(Deps(cache_dir=tmp_path, case=case))
    assert result.status in ("ok", "partial")
    assert {"C-reactive protein", "Albumin", "Urea"} & {e.text.split(" ")[0] for e in result.evidence} or result.evidence
    assert not any("unit" in w for w in result.warnings), result.warnings


def test_reports_can_be_written_anew(tmp_path: Path) -> None:
    out = tmp_path / "c"
    cohort_generate(out, n=2, seed=5, workers=1, config="tiny")
    index, truth = (out / "index.jsonl").read_text(encoding="utf-8"), (out / "truth.jsonl").read_text(encoding="utf-8")
    worn = [json.loads(line) | {"report": "old"} for line in index.splitlines()]
    (out / "index.jsonl").write_text("".join(json.dumps(w) + "\n" for w in worn), encoding="utf-8")
    assert cohort_reports(out).written == 2
    assert (out / "index.jsonl").read_text(encoding="utf-8") == index
    assert [json.loads(line) for line in (out / "truth.jsonl").read_text(encoding="utf-8").splitlines()] == [
        json.loads(line) for line in truth.splitlines()
    ]
    assert len(ShardDataset(out, None)) == 2


@pytest.mark.parametrize("change", [{"disease": "lycanthropy"}, {"shape": "24,64"}])
def test_wrong_wishes_are_named(tmp_path: Path, change: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=next(iter(change.values()))):
        cohort_generate(tmp_path / "c", n=1, form="dicom", workers=1, **change)  # type: ignore[arg-type]
