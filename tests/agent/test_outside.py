"""A ratchet over the question files from outside: no figure falls by more than two rows against `benchmarks/outside.json`.

Run with `pytest -m outside` (`.ci/run` does) where `../shared/questions` or MEDMPT_OUTSIDE has the files; absent ones are named and
skipped.
After an improvement raise the figures: `medmpt eval KIND FILE --json`.
"""

import json
import os
from pathlib import Path

import pytest

from agent.evaluation.commands import run
from agent.settings import Settings

ROOT = Path(__file__).parents[2]
KEPT = json.loads((ROOT / "benchmarks" / "outside.json").read_text(encoding="utf-8"))
PLACE = Path(os.environ.get("MEDMPT_OUTSIDE") or ROOT.parent / "shared" / "questions" / "dev")
# A figure that should be small may not rise by more than this, one that should be large not fall.
ROWS = 2
SMALL = {"refused", "forbidden"}


@pytest.mark.outside
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(KEPT))
def test_no_figure_falls_by_more_than_two_rows(name: str) -> None:
    file = PLACE / name
    if not file.is_file():
        pytest.skip(f"{name} is not at {PLACE}")
    kept = KEPT[name]
    found = run(Settings.from_environment(), kept["kind"], file)
    for figure, rows in kept["rows"].items():
        metric = found.metrics[figure]
        now = round(metric.value * metric.n)
        worse = now - rows if figure in SMALL else rows - now
        assert worse <= ROWS, f"{name}: {figure} was {rows} of {metric.n}, now {now}"
